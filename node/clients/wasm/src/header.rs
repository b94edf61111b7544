//! Block headers of the hub.

use crate::json::{respond, Bytes, Bytes32, Number};
use alloc::{string::String, vec::Vec};
use codec::{Compact, Decode, DecodeAll, Encode};
use core::fmt;
use dstp_primitives::digest::{GlobalRoot, ENGINE_ID};
use serde::{Deserialize, Serialize};
use sp_crypto_hashing::blake2_256;

/// Largest header, refused before decoding. A block of 5 MiB leaves no room for a longer digest.
const MAX_HEADER_BYTES: usize = 5 * 1024 * 1024;

/// A header to read: its SCALE bytes, or the JSON object of `chain_getHeader`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Request {
	/// SCALE bytes, as `chainHead_v1_header` and polkadot.js's `header.toHex()` give them.
	scale: Option<Bytes>,
	/// What `chain_getHeader` gives.
	json: Option<JsonHeader>,
}

/// A header as `chain_getHeader` gives it.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct JsonHeader {
	parent_hash: Bytes32,
	/// `0x` and hex digits, of any length.
	number: String,
	state_root: Bytes32,
	extrinsics_root: Bytes32,
	digest: JsonDigest,
}

#[derive(Deserialize)]
struct JsonDigest {
	/// SCALE bytes of each item.
	logs: Vec<Bytes>,
}

/// What a client needs of a header.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Description {
	/// blake2-256 of the SCALE bytes: the hash of the block.
	hash: Bytes32,
	/// Number of the block.
	number: Number,
	/// Hash of the block before.
	parent_hash: Bytes32,
	/// Root of the DSTP tree at the end of the block; `null` if the header carries none, as in block 0.
	global_root: Option<Bytes32>,
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
#[derive(Debug)]
enum HeaderError {
	Form,
	Malformed,
	Number,
	BadGlobalRoot,
	SeveralGlobalRoots,
}

impl fmt::Display for HeaderError {
	fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
		f.write_str(match self {
			Self::Form => "a header is given either as SCALE bytes or as JSON",
			Self::Malformed => "the bytes are not a SCALE-encoded block header",
			Self::Number => "a block number is 0x and at most 8 hex digits",
			Self::BadGlobalRoot => "the header's DSTP digest is not a global root of version 1",
			Self::SeveralGlobalRoots => "the header carries more than one DSTP digest",
		})
	}
}

/// Answers a [`Request`] with a [`Description`].
pub fn read(request: &[u8]) -> String {
	respond(request, |request: Request| match (request.scale, request.json) {
		(Some(Bytes(scale)), None) => describe(&scale),
		(None, Some(json)) => describe(&json.scale()?),
		_ => Err(HeaderError::Form),
	})
}

impl JsonHeader {
	fn scale(&self) -> Result<Vec<u8>, HeaderError> {
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

fn describe(scale: &[u8]) -> Result<Description, HeaderError> {
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
	Ok(Description {
		hash: Bytes32(blake2_256(scale)),
		number: Number(header.number.into()),
		parent_hash: Bytes32(header.parent_hash),
		global_root,
	})
}

#[cfg(test)]
mod tests {
	use super::*;
	use alloc::{format, vec};

	/// The encoding of `DigestItem::Consensus`.
	fn consensus(engine: [u8; 4], payload: &[u8]) -> Vec<u8> {
		(4u8, engine, payload).encode()
	}

	fn scale(number: u32, logs: &[Vec<u8>]) -> Vec<u8> {
		let mut scale =
			([1u8; 32], Compact(number), [2u8; 32], [3u8; 32], Compact(logs.len() as u32)).encode();
		logs.iter().for_each(|log| scale.extend_from_slice(log));
		scale
	}

	fn read_scale(scale: &[u8]) -> String {
		read(format!(r#"{{"scale":"{}"}}"#, crate::json::hex(scale)).as_bytes())
	}

	#[test]
	fn both_forms_of_a_header_give_the_same() {
		let root = GlobalRoot::new([9; 32].into()).encode();
		let logs = [vec![6, b'a', b'u', b'r', b'a', 4, 7], consensus(ENGINE_ID, &root), vec![8]];
		let scale = scale(300, &logs);
		let reply = read_scale(&scale);
		let hex = crate::json::hex;
		assert!(reply.contains(&format!(r#""globalRoot":"{}""#, hex(&[9; 32]))), "{reply}");
		assert!(
			reply.contains(&format!(r#""hash":"{}","number":300"#, hex(&blake2_256(&scale)))),
			"{reply}"
		);
		let json = format!(
			r#"{{"json":{{"parentHash":"{}","number":"0x12c","stateRoot":"{}","extrinsicsRoot":"{}",
				"digest":{{"logs":["{}","{}","0x08"]}}}}}}"#,
			hex(&[1; 32]),
			hex(&[2; 32]),
			hex(&[3; 32]),
			hex(&logs[0]),
			hex(&logs[1]),
		);
		assert_eq!(read(json.as_bytes()), reply);
	}

	#[test]
	fn a_header_without_global_root_is_told_from_a_bad_one() {
		assert!(
			read_scale(&scale(0, &[consensus(*b"FRNK", &[1])])).contains(r#""globalRoot":null"#)
		);
		let root = consensus(ENGINE_ID, &GlobalRoot::new([9; 32].into()).encode());
		for (bytes, reason) in [
			(scale(1, &[root.clone(), root]), "more than one"),
			(scale(1, &[consensus(ENGINE_ID, &[2; 33])]), "version 1"),
			(scale(1, &[vec![1]]), "not a SCALE-encoded"),
			([scale(1, &[]), vec![0]].concat(), "not a SCALE-encoded"),
		] {
			let reply = read_scale(&bytes);
			assert!(reply.contains(reason), "{reply}");
		}
		assert!(read(b"{}").contains("either as SCALE"));
	}
}
