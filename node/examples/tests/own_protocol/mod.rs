//! The example with a protocol and RPC methods of its own.

// Shared with the tests of the hub's node, which need more of it.
#[allow(dead_code)]
#[path = "../../../bin/tests/harness/mod.rs"]
mod harness;

use harness::{Node, LIMIT};
use jsonrpsee::{
	core::client::{ClientT, Error},
	rpc_params,
};
use serde_json::Value;
use std::time::Duration;

/// The program that [`harness`] starts.
const PROGRAM: &str = env!("CARGO_BIN_EXE_own-protocol");

async fn start(identity: &str, key: u8, backend: &str, others: &[&str]) -> Node {
	let key = format!("--node-key={key:064x}");
	let backend = format!("--network-backend={backend}");
	let arguments = ["--chain=local", "--tmp", identity, &key, &backend];
	Node::start(&[&arguments, others].concat()).await
}

async fn send(from: &Node, to: &str, text: &str) -> Result<String, Error> {
	from.client.request("greetings_send", rpc_params![to, text]).await
}

/// Sends until the other node answers: at first they may not be connected yet.
async fn answered(from: &Node, to: &str, text: &str) -> String {
	let wait = async {
		loop {
			match send(from, to, text).await {
				Ok(answer) => return answer,
				Err(_) => tokio::time::sleep(Duration::from_millis(100)).await,
			}
		}
	};
	tokio::time::timeout(LIMIT, wait).await.expect("the other node answers in time")
}

async fn peer_id(node: &Node) -> String {
	node.client.request("system_localPeerId", rpc_params![]).await.unwrap()
}

async fn last(node: &Node) -> Option<String> {
	node.client.request("greetings_last", rpc_params![]).await.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn nodes_on_different_backends_greet_each_other() {
	let alice = start("--alice", 1, "litep2p", &[]).await;
	let address = alice.p2p_address().await;
	let bob = start("--bob", 2, "libp2p", &["--bootnodes", &address]).await;
	let (alice_id, bob_id) = (peer_id(&alice).await, peer_id(&bob).await);

	let answer = answered(&bob, &alice_id, "good morning").await;
	assert_eq!(answer, format!("good morning to you too, {bob_id}"));
	assert_eq!((last(&alice).await.as_deref(), last(&bob).await), (Some("good morning"), None));

	let answer = answered(&alice, &bob_id, "good evening").await;
	assert_eq!(answer, format!("good evening to you too, {alice_id}"));
	assert_eq!(last(&bob).await.as_deref(), Some("good evening"));

	let longest = "x".repeat(1024);
	let answer = send(&bob, &alice_id, &longest).await.unwrap();
	assert_eq!(answer, format!("{longest} to you too, {bob_id}"));
	// Longer than the protocol allows; litep2p takes requests of up to the length of an answer.
	for bytes in [1025, 1024 + 128, 2049] {
		let refused = send(&bob, &alice_id, &"y".repeat(bytes)).await.unwrap_err();
		assert!(refused.to_string().contains("no answer"), "{bytes}: {refused}");
	}
	assert_eq!(last(&alice).await, Some(longest));
}

#[tokio::test(flavor = "multi_thread")]
async fn it_starts_as_a_development_node_and_answers_for_the_tree() {
	let node = Node::start(&["--dev", "--tmp", "--seal=instant"]).await;
	let root: Value = node.client.request("dstp_globalRoot", rpc_params![]).await.unwrap();
	assert_eq!(root["blockNumber"], 0, "{root}");
	let refused = send(&node, "not a peer", "hello").await.unwrap_err().to_string();
	assert!(refused.contains("no peer id"), "{refused}");
}
