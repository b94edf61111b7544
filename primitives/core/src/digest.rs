//! The global root in a block header.

use crate::id::StateRoot;
use codec::{Decode, DecodeAll, Encode};
use scale_info::TypeInfo;

/// Engine id of the digest item: `DigestItem::Consensus(*b"DSTP", SCALE(GlobalRoot))`, exactly one per block after block 0.
pub const ENGINE_ID: [u8; 4] = *b"DSTP";

/// Version of [`GlobalRoot`].
pub const GLOBAL_ROOT_VERSION: u8 = 1;

/// The StateRoot of the root object at the end of a block.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Encode, Decode, TypeInfo)]
pub struct GlobalRoot {
	/// [`GLOBAL_ROOT_VERSION`].
	pub version: u8,
	/// The root.
	pub root: StateRoot,
}

impl GlobalRoot {
	/// For a digest item.
	pub fn new(root: StateRoot) -> Self {
		Self { version: GLOBAL_ROOT_VERSION, root }
	}

	/// From the payload of a digest item; `None` if it is of another version or has trailing bytes.
	pub fn from_digest(payload: &[u8]) -> Option<Self> {
		Self::decode_all(&mut &payload[..])
			.ok()
			.filter(|found| found.version == GLOBAL_ROOT_VERSION)
	}
}
