//! Requests and replies as JSON.

use alloc::{borrow::ToOwned, format, string::String};
use core::fmt::Display;
use serde::{de::DeserializeOwned, Serialize};

/// Reads a request, lets `handle` answer it, and writes `{"ok": …}` or `{"error": "…"}`.
pub fn respond<Q: DeserializeOwned, R: Serialize, E: Display>(
	request: &[u8],
	handle: impl FnOnce(Q) -> Result<R, E>,
) -> String {
	#[derive(Serialize)]
	#[serde(rename_all = "lowercase")]
	enum Reply<R> {
		Ok(R),
		Error(String),
	}
	let reply = match serde_json::from_slice(request) {
		Ok(request) => match handle(request) {
			Ok(reply) => Reply::Ok(reply),
			Err(error) => Reply::Error(format!("{error}")),
		},
		Err(error) => Reply::Error(format!("the request is not understood: {error}")),
	};
	serde_json::to_string(&reply)
		.unwrap_or_else(|_| r#"{"error":"the reply cannot be written as JSON"}"#.to_owned())
}
