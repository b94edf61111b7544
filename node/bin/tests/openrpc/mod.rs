//! `docs/openrpc.json` against the methods of a real node: their names, their parameters, and the shapes of their answers.

mod schema;

use crate::{
	harness::{Node, LIMIT},
	subtree::{
		create, genesis, insert_authority, register, signed, submit, subtree, until_committed,
		until_served,
	},
};
use jsonrpsee::{
	core::{
		client::{ClientT, Error, Subscription, SubscriptionClientT},
		params::{ArrayParams, ObjectParams},
	},
	rpc_params,
};
use serde_json::{json, Value};
use sp_core::crypto::Ss58Codec;
use sp_keyring::Sr25519Keyring::Alice;
use std::collections::BTreeSet;

/// Code of JSON-RPC for parameters that do not fit.
const INVALID_PARAMS: i32 = -32_602;

/// Of no type that any parameter has.
fn misfit() -> Value {
	json!({ "misfit": [] })
}

fn document() -> Value {
	let file = format!("{}/../../docs/openrpc.json", env!("CARGO_MANIFEST_DIR"));
	serde_json::from_str(&std::fs::read_to_string(file).unwrap()).unwrap()
}

fn text(value: &Value) -> &str {
	value.as_str().expect("text")
}

fn list(value: &Value) -> &[Value] {
	value.as_array().expect("a list")
}

#[test]
fn the_document_is_consistent() {
	let document = document();
	let mut used = BTreeSet::new();
	for method in list(&document["methods"]) {
		let name = text(&method["name"]);
		let mut optional = false;
		for param in list(&method["params"]) {
			let required = param["required"].as_bool().unwrap();
			assert!(!(required && optional), "{name}: optional parameters come last");
			optional |= !required;
		}
		for error in list(&method["errors"]) {
			let place = text(&error["$ref"]).strip_prefix('#').unwrap();
			assert!(document.pointer(place).is_some(), "{name}: {place}");
		}
		let message = &method["x-subscription"]["message"];
		assert_eq!(message.is_null(), method.get("x-subscription").is_none(), "{name}");
		for example in list(&method["examples"]) {
			for (param, value) in list(&method["params"]).iter().zip(list(&example["params"])) {
				assert_eq!(param["name"], value["name"], "{name}");
				schema::check(&document, &param["schema"], &value["value"], name);
			}
			schema::check(
				&document,
				&method["result"]["schema"],
				&example["result"]["value"],
				name,
			);
		}
	}
	schema::references(&document, &mut used);
	let known = ["schemas", "errors"].iter().flat_map(|kind| {
		let names = document["components"][kind].as_object().unwrap().keys();
		names.map(move |name| format!("#/components/{kind}/{name}"))
	});
	assert_eq!(known.collect::<BTreeSet<_>>(), used, "nothing is missing or unused");
}

/// A node with a subtree that has an object and a head, and what to ask it.
struct Subject {
	node: Node,
	genesis: String,
	epoch: u64,
	nonce: u64,
	block: Value,
	proof: Value,
	/// Of the subtree's root object.
	state_root: Value,
}

impl Subject {
	async fn start() -> Self {
		let arguments = ["--dev", "--seal", "interval=500", "--serve", "/x", "--tmp"];
		let node = Node::start(&arguments).await;
		insert_authority(&node).await;
		register(&node).await;
		let epoch = until_served(&node).await.epoch;
		let genesis = genesis(&node).await;
		submit(&node, signed(&genesis, epoch, Alice, 0, create("DE"))).await.unwrap();
		let state_root = json!(until_committed(&node).await.local_root);
		let block = node.client.request("chain_getFinalizedHead", rpc_params![]).await.unwrap();
		let question = json!({ "object": "/", "childPage": { "limit": 5 } });
		let proof = node.client.request("dstp_proof", rpc_params![question, &block]).await.unwrap();
		Self { node, genesis, epoch, nonce: 1, block, proof, state_root }
	}

	/// A call that was not submitted yet.
	fn call(&mut self) -> Value {
		let call = create(&format!("object {}", self.nonce));
		self.nonce += 1;
		signed(&self.genesis, self.epoch, Alice, self.nonce - 1, call).into()
	}

	/// Values for all parameters of a method.
	fn arguments(&mut self, method: &str) -> Vec<Value> {
		let (subtree, root) =
			(json!(subtree().to_string()), json!(format!("0x{}", "0".repeat(64))));
		let page = json!({ "prefix": "0x", "cursor": null, "limit": 10 });
		let question = |object: &str| json!({ "object": object, "fields": ["0x00"], "childPage": { "limit": 3 } });
		let block = self.block.clone();
		match method {
			"dstp_globalRoot" => vec![block],
			"dstp_resolve" => vec![json!("/x/DE"), block],
			"dstp_object" => vec![subtree, block],
			"dstp_fields" | "dstp_children" => {
				// The root of the tree hashes its keys.
				vec![root, json!({ "limit": 10 }), block]
			},
			"dstp_proof" => vec![question("/"), block],
			"dstp_verifyProof" => {
				vec![self.proof["proof"].clone(), self.proof["globalRoot"].clone(), root]
			},
			"subtree_head" => vec![subtree, block],
			"subtree_submit" | "subtree_submitAndWatch" => vec![self.call()],
			"subtree_nextNonce" => vec![subtree, Alice.to_account_id().to_ss58check().into()],
			"subtree_object" => vec![subtree, json!(1)],
			"subtree_fields" | "subtree_children" => vec![subtree, page, json!(1)],
			"subtree_proof" => vec![question("/x"), json!(1)],
			"subtree_range" => vec![subtree, self.state_root.clone(), json!("0x00"), json!(1024)],
			"subtree_status" | "subtree_subscribeHeads" => vec![subtree],
			"subtree_subscribeChanges" => vec![subtree, json!("0x")],
			unknown => panic!("give the test values for the parameters of {unknown}"),
		}
	}
}

fn by_position(values: &[Value]) -> ArrayParams {
	let mut params = ArrayParams::new();
	values.iter().for_each(|value| params.insert(value).unwrap());
	params
}

fn by_name(method: &Value, values: &[Value]) -> ObjectParams {
	let mut params = ObjectParams::new();
	for (param, value) in list(&method["params"]).iter().zip(values) {
		params.insert(text(&param["name"]), value).unwrap();
	}
	params
}

fn code(method: &Value, answer: Result<Value, Error>) -> i32 {
	match answer {
		Err(Error::Call(error)) => error.code(),
		other => panic!("{} refuses, but: {other:?}", method["name"]),
	}
}

#[tokio::test(flavor = "multi_thread")]
async fn methods_and_answers_are_those_of_the_document() {
	let document = document();
	let mut subject = Subject::start().await;
	let methods = list(&document["methods"]);
	let answer: Value = subject.node.client.request("rpc_methods", rpc_params![]).await.unwrap();
	let own = |name: &&str| name.starts_with("dstp_") || name.starts_with("subtree_");
	let registered: BTreeSet<_> = list(&answer["methods"]).iter().map(text).filter(own).collect();
	let documented: BTreeSet<_> = methods.iter().map(|method| text(&method["name"])).collect();
	assert_eq!(registered, documented);

	for method in methods.iter().filter(|method| method["paramStructure"] == "either") {
		if method.get("x-subscription").is_some() {
			subscription_is_documented(&document, &mut subject, method).await;
		} else {
			method_is_documented(&document, &mut subject, method).await;
		}
	}
	for method in methods.iter().filter(|method| method["paramStructure"] == "by-position") {
		let name = text(&method["name"]);
		let ended: Value = subject.node.client.request(name, rpc_params!["none"]).await.unwrap();
		schema::check(&document, &method["result"]["schema"], &ended, name);
	}
	errors_are_documented(&document, &subject.node).await;
}

async fn method_is_documented(document: &Value, subject: &mut Subject, method: &Value) {
	let name = text(&method["name"]);
	let params = list(&method["params"]);
	let required = params.iter().filter(|param| param["required"] == true).count();
	for shape in ["positions", "names", "required", "surplus"] {
		let mut values = subject.arguments(name);
		assert_eq!(values.len(), params.len(), "{name}");
		let client = &subject.node.client;
		let answer: Result<Value, _> = match shape {
			"names" => client.request(name, by_name(method, &values)).await,
			"required" => client.request(name, by_position(&values[..required])).await,
			"surplus" => {
				// If there were a further parameter, this would be none.
				values.push(misfit());
				client.request(name, by_position(&values)).await
			},
			_ => client.request(name, by_position(&values)).await,
		};
		let answer = answer.unwrap_or_else(|error| panic!("{name} by {shape}: {error}"));
		schema::check(document, &method["result"]["schema"], &answer, name);
	}
	for index in 0..params.len() {
		let mut values = subject.arguments(name);
		values[index] = misfit();
		let answer = subject.node.client.request(name, by_name(method, &values)).await;
		assert_eq!(code(method, answer), INVALID_PARAMS, "{name}: parameter {index}");
	}
	// Calls that were refused for a misfit consumed no nonce.
	subject.nonce = next_nonce(&subject.node).await;
}

async fn next_nonce(node: &Node) -> u64 {
	let params = rpc_params![subtree().to_string(), Alice.to_account_id()];
	node.client.request("subtree_nextNonce", params).await.unwrap()
}

async fn subscription_is_documented(document: &Value, subject: &mut Subject, method: &Value) {
	let name = text(&method["name"]);
	let details = &method["x-subscription"];
	let unsubscribe = text(&details["unsubscribe"]);
	// The client wants names that live as long as itself.
	let leak = |name: &str| -> &'static str { Box::leak(name.to_owned().into_boxed_str()) };
	for named in [false, true] {
		let values = subject.arguments(name);
		let client = &subject.node.client;
		let messages: Result<Subscription<Value>, _> = if named {
			client.subscribe(name, by_name(method, &values), leak(unsubscribe)).await
		} else {
			client.subscribe(name, by_position(&values), leak(unsubscribe)).await
		};
		let mut messages = messages.unwrap_or_else(|error| panic!("{name}: {error}"));
		let until_last = async {
			while let Some(message) = messages.next().await {
				let message = message.unwrap();
				schema::check(document, &details["message"], &message, name);
				// A call ends with its own last message; the others go on for ever.
				if name != "subtree_submitAndWatch" || message["event"] == "finalised" {
					return;
				}
			}
			panic!("{name} ended too early");
		};
		tokio::time::timeout(LIMIT, until_last).await.expect("messages come in time");
	}
	for index in 0..list(&method["params"]).len() {
		let mut values = subject.arguments(name);
		values[index] = misfit();
		let client = &subject.node.client;
		let refused = client
			.subscribe::<Value, _>(name, by_name(method, &values), leak(unsubscribe))
			.await
			.map(|_| Value::Null);
		assert_eq!(code(method, refused), INVALID_PARAMS, "{name}: parameter {index}");
	}
	subject.nonce = next_nonce(&subject.node).await;
}

async fn errors_are_documented(document: &Value, node: &Node) {
	let nobody = json!(format!("0x{}", "7".repeat(64)));
	let own = json!(subtree().to_string());
	let root = json!(format!("0x{}", "0".repeat(64)));
	let cases = [
		("dstp_globalRoot", vec![nobody.clone()], 9_001),
		("dstp_fields", vec![nobody.clone()], 9_002),
		("dstp_fields", vec![own.clone()], 9_003),
		("dstp_fields", vec![root.clone(), json!({ "limit": 0 })], 9_004),
		("dstp_proof", vec![json!({ "object": "/x/DE" })], 9_003),
		("dstp_proof", vec![json!({ "object": "x" })], INVALID_PARAMS),
		("dstp_verifyProof", vec![json!("0x00"), root], 9_005),
		("subtree_status", vec![nobody.clone()], 9_102),
		("subtree_submit", vec![json!("0x00")], 9_103),
		("subtree_object", vec![nobody], 9_104),
		("subtree_object", vec![own, json!(999)], 9_104),
	];
	for (name, params, expected) in cases {
		let method = list(&document["methods"]).iter().find(|method| method["name"] == name);
		let method = method.expect("documented");
		let found = code(method, node.client.request(name, by_position(&params)).await);
		assert_eq!(found, expected, "{name} {params:?}");
		let documented = list(&method["errors"]).iter().any(|error| {
			let place = text(&error["$ref"]).strip_prefix('#').unwrap();
			document.pointer(place).unwrap()["code"] == expected
		});
		assert!(documented, "{name} documents its error {expected}");
	}
}

#[tokio::test(flavor = "multi_thread")]
async fn bad_parameters_are_refused_with_the_fact_and_the_remedy() {
	let node = Node::start(&["--dev", "--seal", "manual", "--tmp"]).await;
	let root = json!(format!("0x{}", "0".repeat(64)));
	for (name, params, reason) in [
		("dstp_object", vec![json!("0x12")], "an object id is 0x and 64 hex digits"),
		("dstp_object", vec![json!("/geo")], "dstp_resolve gives the id of a path"),
		("dstp_object", vec![json!(7)], "an object id is 0x and 64 hex digits"),
		("dstp_resolve", vec![json!(7)], "a path such as \"/geo/DE\", or a list of hex keys"),
		("dstp_resolve", vec![json!(["geo"])], "bytes start with 0x"),
		("dstp_resolve", vec![json!("/geo/")], "a key is empty"),
		("dstp_proof", vec![json!({ "object": "/", "feilds": [] })], "feilds"),
		("dstp_fields", vec![root.clone(), json!({ "limit": "x" })], "u32"),
		("subtree_nextNonce", vec![root, json!("bob")], "an account is"),
	] {
		let answer: Result<Value, _> = node.client.request(name, by_position(&params)).await;
		let Err(Error::Call(error)) = answer else { panic!("{name} {params:?} is refused") };
		assert_eq!(error.code(), INVALID_PARAMS);
		let details = error.data().map(|data| data.get().replace("\\\"", "\"")).unwrap_or_default();
		let sentence = format!("{}: {details}", error.message());
		assert!(sentence.contains(reason), "{name} {params:?} names '{reason}': {sentence}");
	}
}
