//! A node with a P2P protocol and RPC methods of its own: nodes greet each other.
//!
//! `greetings_send(peer, text)` sends a text to a peer and gives its answer; `greetings_last()` gives the last one that came.

use dstp_node_sdk::{
	cli::NoArgs,
	extension::{Extension, RegisterContext, RequestResponse, Rpc, StartContext},
	global_tree::GlobalTree,
	jsonrpsee::{types::ErrorObjectOwned, RpcModule},
	sc_network::{IfDisconnected, PeerId, ProtocolName},
	App, ExtensionError, NodeRuntime, RequestQueue, SubstrateHostFunctions,
};
use std::{
	process::ExitCode,
	sync::{Arc, Mutex},
	time::Duration,
};

/// Longest text, in bytes; an answer has fewer than 128 more.
const MAX_TEXT: u64 = 1024;

/// The chain, as the node sees it.
struct Chain;

impl NodeRuntime for Chain {
	const NAME: &'static str = "own-protocol";
	const VERSION: &'static str = env!("CARGO_PKG_VERSION");

	type Block = dstp_minimal_runtime::opaque::Block;
	type Header = dstp_minimal_runtime::Header;
	type RuntimeApi = dstp_minimal_runtime::RuntimeApi;
	type HostFunctions = SubstrateHostFunctions;

	fn wasm_binary() -> Option<&'static [u8]> {
		dstp_minimal_runtime::WASM_BINARY
	}
}

/// Sends and answers greetings.
#[derive(Default)]
struct Greetings {
	protocol: Option<(ProtocolName, RequestQueue)>,
}

impl<R: NodeRuntime> Extension<R> for Greetings {
	fn name(&self) -> &'static str {
		"greetings"
	}

	fn register(&mut self, context: &mut RegisterContext<'_>) -> Result<(), ExtensionError> {
		let name = context.protocol_name("greetings/1");
		let requests = context.request_response(RequestResponse {
			name: name.clone(),
			max_request_bytes: MAX_TEXT,
			max_response_bytes: MAX_TEXT + 128,
			timeout: Duration::from_secs(10),
			inbound_queue: 16,
		})?;
		self.protocol = Some((name, requests));
		Ok(())
	}

	fn start(self: Box<Self>, context: StartContext<R>) -> Result<Rpc, ExtensionError> {
		let (name, requests) = self.protocol.ok_or("start was called before register")?;
		let last = Arc::new(Mutex::new(None));
		let received = last.clone();
		context.answer_requests("greetings", requests, move |peer, text| {
			// litep2p lets requests of up to the length of an answer through.
			let text = String::from_utf8(text).ok().filter(|text| text.len() as u64 <= MAX_TEXT)?;
			let answer = format!("{text} to you too, {peer}");
			*received.lock().ok()? = Some(text);
			Some(answer.into_bytes())
		});
		let mut rpc = RpcModule::new((name, context.network));
		rpc.register_async_method("greetings_send", |params, context, _| async move {
			let (peer, text): (String, String) = params.parse()?;
			let peer: PeerId = peer.parse().map_err(|_| refusal("'peer' is no peer id"))?;
			let (name, network) = &*context;
			let (text, connect) = (text.into_bytes(), IfDisconnected::TryConnect);
			let answer = network.request(peer, name.clone(), text, None, connect).await;
			let (answer, _) = answer.map_err(|error| refusal(&format!("no answer: {error}")))?;
			String::from_utf8(answer).map_err(|_| refusal("the answer is no text"))
		})?;
		rpc.register_method("greetings_last", move |_, _, _| {
			last.lock().map(|last| last.clone()).unwrap_or_default()
		})?;
		Ok(Rpc::from(rpc))
	}
}

fn refusal(text: &str) -> ErrorObjectOwned {
	ErrorObjectOwned::owned(1, text, None::<()>)
}

fn main() -> ExitCode {
	let app = App::<Chain>::new();
	app.compose(|node, NoArgs {}| Ok(node.extension(GlobalTree).extension(Greetings::default())))
		.main()
}
