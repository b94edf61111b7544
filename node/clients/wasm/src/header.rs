//! Block headers of the hub.

use crate::json::respond;
use alloc::string::String;
use core::fmt;
use dstp_rpc_types::{
	bytes::Bytes,
	header::{Description, HeaderError, JsonHeader},
};
use serde::Deserialize;

/// A header to read: its SCALE bytes, or the JSON object of `chain_getHeader`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Request {
	/// SCALE bytes, as `chainHead_v1_header` and polkadot.js's `header.toHex()` give them.
	scale: Option<Bytes>,
	/// What `chain_getHeader` gives.
	json: Option<JsonHeader>,
}

/// Why a request is refused.
enum Refusal {
	/// It has both forms of a header, or none.
	Form,
	/// The header is none.
	Header(HeaderError),
}

impl fmt::Display for Refusal {
	fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
		match self {
			Self::Form => f.write_str("a header is given either as SCALE bytes or as JSON"),
			Self::Header(error) => fmt::Display::fmt(error, f),
		}
	}
}

/// Answers a [`Request`] with a [`Description`].
pub fn read(request: &[u8]) -> String {
	respond(request, |request: Request| match (request.scale, request.json) {
		(Some(Bytes(scale)), None) => Description::from_scale(&scale).map_err(Refusal::Header),
		(None, Some(json)) => {
			json.scale().and_then(|scale| Description::from_scale(&scale)).map_err(Refusal::Header)
		},
		_ => Err(Refusal::Form),
	})
}

#[cfg(test)]
mod tests {
	use super::*;
	use alloc::{format, vec, vec::Vec};
	use codec::{Compact, Encode};
	use dstp_primitives::digest::{GlobalRoot, ENGINE_ID};
	use dstp_rpc_types::bytes::hex;
	use sp_crypto_hashing::blake2_256;

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
		read(format!(r#"{{"scale":"{}"}}"#, hex(scale)).as_bytes())
	}

	#[test]
	fn both_forms_of_a_header_give_the_same() {
		let root = GlobalRoot::new([9; 32].into()).encode();
		let logs = [vec![6, b'a', b'u', b'r', b'a', 4, 7], consensus(ENGINE_ID, &root), vec![8]];
		let scale = scale(300, &logs);
		let reply = read_scale(&scale);
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
