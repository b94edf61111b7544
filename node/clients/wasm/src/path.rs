//! Paths and the ids at their ends.

use crate::json::respond;
use alloc::{
	format,
	string::{String, ToString},
	vec::Vec,
};
use core::fmt;
use dstp_primitives::ObjectId;
use dstp_rpc_types::bytes::{Bytes32, PathText, Text};
use serde::{Deserialize, Serialize};

/// A path and where it starts.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Request {
	/// The path.
	path: PathText,
	/// Id of the object where it starts; the root of the global tree if not given.
	from: Option<Bytes32>,
}

/// A path in all its forms.
#[derive(Serialize)]
pub struct Description {
	/// As text, each key percent-encoded.
	path: String,
	/// Its keys, outermost first.
	keys: Vec<Text>,
	/// Id of the object at its end, by derivation; it says nothing about existence.
	id: String,
}

/// Answers a [`Request`] with a [`Description`]; errors are those of `dstp_primitives::PathError`.
pub fn describe(request: &[u8]) -> String {
	respond(request, |Request { path: PathText(path), from }| {
		let from = from.map_or(ObjectId::ROOT, |from| ObjectId(from.0));
		Ok::<_, fmt::Error>(Description {
			path: path.to_string(),
			keys: path.keys().iter().map(Text::from).collect(),
			id: format!("{}", from.descendant(&path)),
		})
	})
}

#[cfg(test)]
mod tests {
	use super::describe;

	#[test]
	fn a_path_is_described_in_all_forms() {
		let by_text = describe(br#"{"path":"/geo/a%2fb/%ff"}"#);
		assert_eq!(by_text, describe(br#"{"path":["0x67656f","0x612f62","0xff"]}"#));
		assert!(by_text.contains(r#""path":"/geo/a%2Fb/%FF""#), "{by_text}");
		assert!(
			by_text.contains(r#"{"hex":"0x612f62","text":"a/b"},{"hex":"0xff","text":null}"#),
			"{by_text}"
		);
	}

	#[test]
	fn the_empty_path_is_the_object_where_it_starts() {
		let start = "0x0909090909090909090909090909090909090909090909090909090909090909";
		let reply = describe(format!(r#"{{"path":"/","from":"{start}"}}"#).as_bytes());
		assert_eq!(reply, format!(r#"{{"ok":{{"path":"/","keys":[],"id":"{start}"}}}}"#));
	}

	#[test]
	fn what_is_no_path_is_refused_with_a_reason() {
		for (request, reason) in [
			(r#"{"path":"geo"}"#, "starts with '/'"),
			(r#"{"path":"/geo/"}"#, "a key is empty"),
			(r#"{"path":"/%zz"}"#, "two hex digits"),
			(r#"{"path":["geo"]}"#, "bytes start with 0x"),
			(r#"{"path":"/","from":"0x00"}"#, "32 bytes"),
			("garbage", "not understood"),
		] {
			let reply = describe(request.as_bytes());
			assert!(reply.starts_with(r#"{"error":"#) && reply.contains(reason), "{reply}");
		}
	}
}
