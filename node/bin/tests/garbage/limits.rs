//! Too much of everything: bodies, batches, answers, subscriptions and connections have limits, and a node that refuses goes on
//! answering others.

use crate::{
	harness::{Node, LIMIT},
	hostile::net::until,
	subtree::{insert_authority, register, subtree, until_served},
};
use jsonrpsee::{
	core::{
		client::{ClientT, Error, Subscription, SubscriptionClientT},
		params::ArrayParams,
	},
	rpc_params,
};
use jsonrpsee_ws_client::WsClientBuilder;
use serde_json::{json, Value};
use std::{
	io::{Read, Write},
	net::TcpStream,
};

/// Sends `body` and gives the whole answer, or nothing if the node closed the connection before.
fn post(node: &Node, body: &[u8]) -> String {
	let address = node.url.strip_prefix("ws://").unwrap();
	let mut stream = TcpStream::connect(address).unwrap();
	stream.set_read_timeout(Some(LIMIT)).unwrap();
	let head = format!(
		"POST / HTTP/1.1\r\nHost: {address}\r\nContent-Type: application/json\r\nContent-Length: {}\r\nConnection: close\r\n\r\n",
		body.len()
	);
	stream.write_all(head.as_bytes()).unwrap();
	// A node that refuses by the length alone need not read the rest.
	let _ = stream.write_all(body);
	let mut answer = Vec::new();
	let _ = stream.read_to_end(&mut answer);
	String::from_utf8(answer).unwrap()
}

fn requests(count: usize, method: &str) -> String {
	let request = |id| json!({ "jsonrpc": "2.0", "id": id, "method": method, "params": [] });
	json!((0..count).map(request).collect::<Vec<_>>()).to_string()
}

async fn still_answers(node: &Node) {
	let root: Value = node.client.request("dstp_globalRoot", rpc_params![]).await.unwrap();
	assert!(root["blockHash"].is_string(), "{root}");
}

#[tokio::test(flavor = "multi_thread")]
async fn large_requests_and_answers_are_refused() {
	let limit = "--rpc-max-response-size=1";
	let node = Node::start(&["--dev", "--tmp", "--seal=manual", limit]).await;

	let body = json!({ "jsonrpc": "2.0", "id": 1, "method": "dstp_resolve", "params": ["/".repeat(16 << 20)] });
	let answer = post(&node, body.to_string().as_bytes());
	assert!(answer.contains("413") || answer.contains("too big"), "a body of 16 MiB: {answer}");
	still_answers(&node).await;

	let whole = post(&node, requests(1_000, "dstp_globalRoot").as_bytes());
	assert_eq!(whole.matches("blockHash").count(), 1_000, "a batch as long as a page is answered");
	let answer = post(&node, requests(1_001, "dstp_globalRoot").as_bytes());
	assert!(answer.contains("-32010") && !answer.contains("blockHash"), "{answer}");
	assert!(answer.contains("Exceeded max limit of 1000"), "says the limit: {answer}");
	still_answers(&node).await;

	let code = node.client.request::<Value, _>("state_getStorage", rpc_params!["0x3a636f6465"]);
	let Err(Error::Call(error)) = code.await else { panic!("the code has more than 1 MiB") };
	assert_eq!((error.code(), error.message()), (-32_008, "Response is too big"));
	let answer = post(&node, requests(100, "state_getMetadata").as_bytes());
	assert!(answer.contains("-32011"), "the answers of a batch count together: {answer:.300}");
	still_answers(&node).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_nodes_own_methods_have_limits_of_their_own() {
	let node = Node::start(&["--dev", "--tmp", "--seal=manual", "--serve=/x"]).await;
	let root = format!("0x{}", "0".repeat(64));
	let bytes = |count: usize| format!("0x{}", "61".repeat(count));
	for (method, params, reason) in [
		("dstp_children", json!([root, { "limit": 1_001 }]), "1000"),
		("dstp_children", json!([root, { "limit": 0 }]), "1000"),
		("dstp_children", json!([root, { "prefix": bytes(65) }]), "64"),
		("dstp_children", json!([root, { "cursor": bytes(65) }]), "64"),
		("dstp_proof", json!([{ "object": "/", "fields": vec![bytes(1); 257] }]), "256"),
		("dstp_resolve", json!(["/a".repeat(100)]), "keys"),
		("dstp_verifyProof", json!([bytes(3 << 20), root]), "one proof"),
		("subtree_submit", json!([bytes(1 << 20)]), "bytes"),
	] {
		let list = params.as_array().unwrap();
		let mut given = ArrayParams::new();
		list.iter().for_each(|param| given.insert(param).unwrap());
		let answer = node.client.request::<Value, _>(method, given).await;
		let Err(Error::Call(error)) = answer else { panic!("{method} refuses, for {reason}") };
		let details = error.data().map(|data| data.get().to_owned()).unwrap_or_default();
		let sentence = format!("{} {details}", error.message());
		assert!(sentence.contains(reason), "{method} names '{reason}': {sentence}");
	}
	still_answers(&node).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn subscriptions_and_connections_are_counted() {
	let node = Node::start(&[
		"--dev",
		"--tmp",
		"--seal=interval=500",
		"--serve=/x",
		"--rpc-max-subscriptions-per-connection=5",
		"--rpc-max-connections=4",
	])
	.await;
	insert_authority(&node).await;
	register(&node).await;
	until_served(&node).await;

	let id = subtree().to_string();
	// A connection of its own: that of the test has had subscriptions.
	let client = WsClientBuilder::default().build(&node.url).await.unwrap();
	let subscribe = async |method, params| -> Result<Subscription<Value>, Error> {
		client.subscribe(method, params, "subtree_unsubscribeChanges").await
	};
	let prefix = format!("0x{}", "61".repeat(65));
	let refused = subscribe("subtree_subscribeChanges", rpc_params![&id, prefix]).await;
	let Err(Error::Call(error)) = refused else { panic!("no key is as long as that prefix") };
	assert!(error.code() == -32_602 && error.message().contains("64"), "{error:?}");

	let mut open = Vec::new();
	let refused = loop {
		match subscribe("subtree_subscribeChanges", rpc_params![&id, "0x61"]).await {
			Ok(subscription) => open.push(subscription),
			Err(Error::Call(error)) => break error,
			Err(other) => panic!("{other}"),
		}
	};
	assert_eq!((refused.code(), open.len()), (-32_006, 5), "{refused:?}");
	still_answers(&node).await;
	open.truncate(4);
	// Both go over one connection, but the node may take in the end after the next request.
	let _again = until("one that ended makes room", async || {
		subscribe("subtree_subscribeChanges", rpc_params![&id, "0x61"]).await.ok()
	})
	.await;

	let mut others = Vec::new();
	let refused = loop {
		match WsClientBuilder::default().build(&node.url).await {
			Ok(client) => others.push(client),
			Err(error) => break error.to_string(),
		}
	};
	assert_eq!(others.len(), 2, "beside the two of the test: {refused}");
	assert!(refused.contains("429"), "{refused}");
	still_answers(&node).await;
}
