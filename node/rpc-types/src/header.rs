//! Block headers of the hub.

use crate::bytes::{Bytes, Bytes32, Number};
use alloc::{string::String, vec::Vec};
use codec::{Compact, Decode, DecodeAll, Encode};
use core::fmt;
use dstp_primitives::digest::{GlobalRoot, ENGINE_ID};
use serde::{Deserialize, Serialize};
use sp_crypto_hashing::blake2_256;

/// Largest header, refused before decoding. A block of 5 MiB leaves no room for a longer digest.
const MAX_HEADER_BYTES: usize = 5 * 1024 * 1024;

/// A header as `chain_getHeader` gives it.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct JsonHeader {
	parent_hash: Bytes32,
	/// `0x` and hex digits, of any length.
	number: String,
	state_root: Bytes32,
	extrinsics_root: Bytes32,
	digest: JsonDigest,
}

#[derive(Clone, Debug, Deserialize)]
struct JsonDigest {
	/// SCALE bytes of each item.
	logs: Vec<Bytes>,
}

/// What a client needs of a header.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Description {
	/// blake2-256 of the SCALE bytes: the hash of the block.
	pub hash: Bytes32,
	/// Number of the block.
	pub number: Number,
	/// Hash of the block before.
	pub parent_hash: Bytes32,
	/// Root of the DSTP tree at the end of the block; `null` if the header carries none, as in block 0.
	pub global_root: Option<Bytes32>,
}

/// A header as `sp_runtime::generic::Header<u32, BlakeTwo256>` encodes it.
#[derive(Decode)]
struct Header {
	parent_hash: [u8; 32],
	#[codec(compact)]
	number: u32,
	_state_root: [u8; 32],
	_extrinsics_root: [u8; 32],
	digest: Vec<DigestItem>,
}

/// `sp_runtime::DigestItem`. What is not read here still has to decode, to find what follows it.
#[derive(Decode)]
#[allow(dead_code)]
enum DigestItem {
	#[codec(index = 0)]
	Other(Vec<u8>),
	#[codec(index = 4)]
	Consensus([u8; 4], Vec<u8>),
	#[codec(index = 5)]
	Seal([u8; 4], Vec<u8>),
	#[codec(index = 6)]
	PreRuntime([u8; 4], Vec<u8>),
	#[codec(index = 8)]
	RuntimeEnvironmentUpdated,
}

/// Why bytes are not a header of the hub.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HeaderError {
	/// The bytes are not a header, or longer than a block.
	Malformed,
	/// The number is not hex, or too large.
	Number,
	/// The digest of DSTP is of another version or has other bytes.
	BadGlobalRoot,
	/// There are several, so that readers could disagree.
	SeveralGlobalRoots,
}

impl core::error::Error for HeaderError {}

impl fmt::Display for HeaderError {
	fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
		f.write_str(match self {
			Self::Malformed => "the bytes are not a SCALE-encoded block header",
			Self::Number => "a block number is 0x and at most 8 hex digits",
			Self::BadGlobalRoot => "the header's DSTP digest is not a global root of version 1",
			Self::SeveralGlobalRoots => "the header carries more than one DSTP digest",
		})
	}
}

impl JsonHeader {
	/// The header in SCALE, whose hash is that of the block.
	pub fn scale(&self) -> Result<Vec<u8>, HeaderError> {
		let digits = self.number.strip_prefix("0x").ok_or(HeaderError::Number)?;
		let number = u32::from_str_radix(digits, 16).map_err(|_| HeaderError::Number)?;
		let logs = u32::try_from(self.digest.logs.len()).map_err(|_| HeaderError::Malformed)?;
		let mut scale = self.parent_hash.0.to_vec();
		Compact(number).encode_to(&mut scale);
		scale.extend_from_slice(&self.state_root.0);
		scale.extend_from_slice(&self.extrinsics_root.0);
		Compact(logs).encode_to(&mut scale);
		self.digest.logs.iter().for_each(|Bytes(log)| scale.extend_from_slice(log));
		Ok(scale)
	}
}

impl Description {
	/// Reads a header in SCALE.
	pub fn from_scale(scale: &[u8]) -> Result<Self, HeaderError> {
		if scale.len() > MAX_HEADER_BYTES {
			return Err(HeaderError::Malformed);
		}
		let header = Header::decode_all(&mut &scale[..]).map_err(|_| HeaderError::Malformed)?;
		let mut global_root = None;
		for item in &header.digest {
			let DigestItem::Consensus(ENGINE_ID, payload) = item else { continue };
			let found = GlobalRoot::from_digest(payload).ok_or(HeaderError::BadGlobalRoot)?;
			if global_root.replace(Bytes32(found.root.0)).is_some() {
				return Err(HeaderError::SeveralGlobalRoots);
			}
		}
		Ok(Self {
			hash: Bytes32(blake2_256(scale)),
			number: Number(header.number.into()),
			parent_hash: Bytes32(header.parent_hash),
			global_root,
		})
	}
}
