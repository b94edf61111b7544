//! A node as the verbs see it: its RPC server.

use super::VerbError;
use crate::{
	global_tree::ResolvedJson,
	runtime::{BlockHash, BlockNumber},
};
use dstp_primitives::{Path, StateRoot};
use dstp_rpc_types::header::{Description, JsonHeader};
use jsonrpsee::{
	core::{
		client::{ClientT, Error, Subscription, SubscriptionClientT},
		params::ArrayParams,
	},
	rpc_params,
	types::error::METHOD_NOT_FOUND_CODE,
};
use jsonrpsee_ws_client::{WsClient, WsClientBuilder};
use serde::de::DeserializeOwned;
use serde_json::Value;
use sp_core::H256;
use std::time::Duration;

/// A local node answers at once; one behind a tunnel within seconds.
const CONNECTION_TIMEOUT: Duration = Duration::from_secs(10);

/// Longer than a busy node takes for its largest proof.
const REQUEST_TIMEOUT: Duration = Duration::from_secs(60);

/// A connection to a node.
pub(super) struct Node {
	url: String,
	client: WsClient,
}

/// A block by its header, whose hash was computed here.
pub(super) struct Header {
	/// Hash of the block.
	pub hash: BlockHash,
	/// Its number.
	pub number: BlockNumber,
	/// The global root in it; block 0 has none.
	pub global_root: Option<StateRoot>,
	/// SCALE bytes.
	pub scale: Vec<u8>,
}

impl Header {
	/// Reads a header in SCALE.
	pub fn from_scale(scale: Vec<u8>) -> Result<Self, VerbError> {
		let Description { hash, number, global_root, .. } = Description::from_scale(&scale)?;
		// A header's number is a u32, so it fits.
		let number = BlockNumber::try_from(number.0).unwrap_or(BlockNumber::MAX);
		Ok(Self {
			hash: H256(hash.0),
			number,
			global_root: global_root.map(|root| H256(root.0)),
			scale,
		})
	}

	/// Reads a header as `chain_getHeader` gives it.
	pub fn from_json(json: &JsonHeader) -> Result<Self, VerbError> {
		Self::from_scale(json.scale()?)
	}
}

impl Node {
	/// Connects to the RPC server at `url`.
	pub async fn connect(url: &str) -> Result<Self, VerbError> {
		let client = WsClientBuilder::default()
			.connection_timeout(CONNECTION_TIMEOUT)
			.request_timeout(REQUEST_TIMEOUT)
			.build(address(url)?)
			.await
			.map_err(|error| VerbError::Unreachable {
				url: url.into(),
				reason: innermost(&error),
			})?;
		Ok(Self { url: url.into(), client })
	}

	/// What was given with `--url`.
	pub fn url(&self) -> &str {
		&self.url
	}

	/// Calls a method.
	pub async fn ask<T: DeserializeOwned>(
		&self,
		method: &'static str,
		params: ArrayParams,
	) -> Result<T, VerbError> {
		let answer: Value = self
			.client
			.request(method, params)
			.await
			.map_err(|error| self.explain(method, error))?;
		serde_json::from_value(answer)
			.map_err(|error| VerbError::BadAnswer { method, reason: error.to_string() })
	}

	/// Subscribes; the subscription ends when it is dropped.
	pub async fn subscribe(
		&self,
		method: &'static str,
		params: ArrayParams,
		end: &'static str,
	) -> Result<Subscription<Value>, VerbError> {
		let subscription = self.client.subscribe(method, params, end).await;
		subscription.map_err(|error| self.explain(method, error))
	}

	fn explain(&self, method: &'static str, error: Error) -> VerbError {
		let url = self.url.clone();
		match error {
			Error::Call(error) if error.code() == METHOD_NOT_FOUND_CODE => {
				VerbError::NoMethod { url, method }
			},
			Error::Call(error) => {
				let details = error.data().and_then(|data| serde_json::from_str(data.get()).ok());
				let message = match details {
					Some(Value::String(details)) => format!("{}: {details}", error.message()),
					_ => error.message().into(),
				};
				VerbError::Refused { code: error.code(), message }
			},
			error => VerbError::Disconnected { url, reason: innermost(&error) },
		}
	}

	/// Hash of block 0, which names the chain.
	pub async fn genesis(&self) -> Result<H256, VerbError> {
		self.ask("chain_getBlockHash", rpc_params![0]).await
	}

	/// What a path stands for on the hub, at its best block.
	pub async fn resolve(&self, path: &Path) -> Result<ResolvedJson, VerbError> {
		self.ask("dstp_resolve", rpc_params![path.to_string()]).await
	}

	/// The header of a block, or of the best one. `None`: the node has no such block.
	pub async fn header(&self, block: Option<BlockHash>) -> Result<Option<Header>, VerbError> {
		let json: Option<JsonHeader> = self.ask("chain_getHeader", rpc_params![block]).await?;
		json.as_ref().map(Header::from_json).transpose()
	}

	/// The last block that the node calls final.
	pub async fn finalized(&self) -> Result<BlockHash, VerbError> {
		self.ask("chain_getFinalizedHead", rpc_params![]).await
	}
}

/// The address in the form that the client takes. A node serves HTTP and WebSocket on the same port.
fn address(url: &str) -> Result<String, VerbError> {
	let bad = || VerbError::BadUrl(url.into());
	let rest = url.strip_prefix("ws://").or_else(|| url.strip_prefix("http://")).ok_or_else(bad)?;
	if rest.is_empty() || rest.starts_with('/') {
		return Err(bad());
	}
	Ok(format!("ws://{rest}"))
}

/// The cause at the end of an error's chain, without the names of the layers above.
fn innermost(error: &(dyn std::error::Error + 'static)) -> String {
	let mut cause = error;
	while let Some(source) = cause.source() {
		cause = source;
	}
	cause.to_string()
}

#[cfg(test)]
mod tests {
	use super::*;

	#[test]
	fn a_node_has_one_port_for_http_and_websocket() {
		for url in ["ws://127.0.0.1:9944", "http://127.0.0.1:9944"] {
			assert_eq!(address(url).unwrap(), "ws://127.0.0.1:9944");
		}
		for url in
			["", "localhost:9944", "ws://", "ws:///x", "wss://host", "https://host", "ftp://x"]
		{
			assert!(address(url).unwrap_err().to_string().contains("ws://127.0.0.1:9944"), "{url}");
		}
	}
}
