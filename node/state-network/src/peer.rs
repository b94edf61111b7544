//! Names of other nodes.

use codec::{Decode, Encode};
use std::fmt;

/// Longest name of a node, in bytes; a libp2p peer id has 34 to 42.
pub const MAX_PEER_BYTES: usize = 64;

/// The name of another node: the bytes of its libp2p peer id, at most [`MAX_PEER_BYTES`].
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Encode, Decode)]
pub struct Peer(Vec<u8>);

impl Peer {
	/// Takes the bytes of a peer id; `None` if there are more than [`MAX_PEER_BYTES`].
	pub fn new(bytes: impl Into<Vec<u8>>) -> Option<Self> {
		let bytes = bytes.into();
		(bytes.len() <= MAX_PEER_BYTES).then_some(Self(bytes))
	}

	/// The bytes of the peer id.
	pub fn as_bytes(&self) -> &[u8] {
		&self.0
	}
}

impl fmt::Debug for Peer {
	fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
		// The first bytes of a peer id are the same for all; the last tell nodes apart.
		let tail = &self.0[self.0.len().saturating_sub(6)..];
		f.write_str("peer ")?;
		tail.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
	}
}
