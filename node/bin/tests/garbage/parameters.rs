//! Parameters of the `dstp_*` and `subtree_*` methods.

use super::{cases, Random};
use crate::harness::Node;
use jsonrpsee::{
	core::{
		client::{ClientT, Error},
		traits::ToRpcParams,
	},
	rpc_params,
};
use serde_json::{json, value::RawValue, Value};

/// Any JSON as parameters.
struct Any(Value);

impl ToRpcParams for Any {
	fn to_rpc_params(self) -> Result<Option<Box<RawValue>>, serde_json::Error> {
		serde_json::value::to_raw_value(&self.0).map(Some)
	}
}

/// Valid parameters, of which garbage is made.
fn samples(method: &str, block: &Value, proof: &Value) -> Vec<Value> {
	let id = format!("0x{}", "00".repeat(32));
	let account = "5GrwvaEF5zXb26Fz9rcQpDWS57CtERHpNehXCPcNoHGKutQY";
	let page = json!({ "prefix": "0x61", "cursor": "0x6162", "limit": 5 });
	let query = json!({ "object": "/account", "fields": ["0x61"], "children": ["0x62"], "fieldPage": page });
	let by_keys = json!({ "object": ["0x67656f", "0x4445"], "childPage": { "cursor": "0x63" } });
	let hash = &block["blockHash"];
	match method {
		"dstp_globalRoot" => vec![json!([]), json!([hash])],
		"dstp_resolve" => vec![json!(["/geo/DE%2F"]), json!([["0x61", "0x62"], hash])],
		"dstp_proof" => vec![json!([query]), json!([by_keys, hash])],
		"dstp_verifyProof" => vec![
			json!([proof["proof"], block["globalRoot"]]),
			json!([proof["proof"], block["globalRoot"], id]),
		],
		"dstp_fields" | "dstp_children" => {
			vec![json!([id, page]), json!([id, null, hash]), json!({ "id": id, "page": page })]
		},
		"subtree_fields" | "subtree_children" => vec![json!([id, page, 1])],
		"subtree_proof" => vec![json!([query, 1]), json!([by_keys])],
		"subtree_submit" | "subtree_submitAndWatch" => {
			vec![json!(["0x00"]), json!([format!("0x{}", "01".repeat(300))])]
		},
		"subtree_nextNonce" => vec![json!([id, account])],
		_ => vec![json!([id]), json!([id, hash]), json!([id, "0x61"])],
	}
}

fn deep(levels: usize) -> Value {
	(0..levels).fold(json!([]), |inside, _| json!([inside]))
}

fn odd_value(random: &mut Random) -> Value {
	let values = [
		json!(null),
		json!(true),
		json!(-1),
		json!(1u64 << 32),
		json!(u64::MAX),
		json!(1e308),
		json!(""),
		json!("0x"),
		json!("0x0"),
		json!("0xzz"),
		json!(format!("0x{}", "00".repeat(31))),
		json!(format!("0x{}", "00".repeat(33))),
		json!(format!("0x{}", "00".repeat(65))),
		json!(format!("0x{}", "ff".repeat(100_000))),
		json!("/"),
		json!("//"),
		json!("/%"),
		json!("/%00%ff"),
		json!("/a".repeat(33)),
		json!(format!("/{}", "a".repeat(65))),
		json!("\u{0}\u{fffd}"),
		json!([]),
		json!({}),
		json!(vec!["0x61"; 300]),
		json!({ "limit": 0 }),
		json!({ "limit": u32::MAX }),
		json!({ "prefix": format!("0x{}", "61".repeat(1000)) }),
		json!({ "object": "/", "fields": vec!["0x61"; 257] }),
		json!({ "object": "/", "fieldPage": {}, "childPage": {} }),
		json!({ "unknown": 1 }),
		deep(60),
	];
	values[random.below(values.len())].clone()
}

/// Changes something somewhere.
fn mutate(random: &mut Random, value: &mut Value) {
	let odd = random.below(4) == 0;
	match value {
		Value::Array(items) if !odd && !items.is_empty() => match random.below(8) {
			0 => items.push(odd_value(random)),
			1 => drop(items.pop()),
			_ => {
				let at = random.below(items.len());
				mutate(random, &mut items[at]);
			},
		},
		Value::Object(fields) if !odd && !fields.is_empty() => {
			let at = random.below(fields.len());
			let (_, field) = fields.iter_mut().nth(at).unwrap();
			mutate(random, field);
		},
		Value::String(text) if !odd && !text.is_empty() && text.is_ascii() => {
			let at = random.below(text.len());
			match random.below(4) {
				0 => text.truncate(at),
				1 => text.insert(at, ['0', 'f', '/', '%', 'x'][random.below(5)]),
				2 => text.replace_range(at..=at, ["0", "f", "/", "%", "A"][random.below(5)]),
				_ => *text = text.repeat(2),
			}
		},
		other => *other = odd_value(random),
	}
}

/// Codes of JSON-RPC for parameters that do not fit, and those of the node's own methods.
fn is_refusal(code: i32) -> bool {
	code == -32602 || (9_000..9_300).contains(&code)
}

#[tokio::test(flavor = "multi_thread")]
async fn no_parameters_bring_the_node_down() {
	let node = Node::start(&["--dev", "--tmp", "--seal=manual", "--serve=/geo"]).await;
	let block: Value = node.client.request("dstp_globalRoot", rpc_params![]).await.unwrap();
	let asked = json!({ "object": "/account", "fields": ["0x61"] });
	let proof: Value = node.client.request("dstp_proof", rpc_params![asked]).await.unwrap();
	let known: Value = node.client.request("rpc_methods", rpc_params![]).await.unwrap();
	let methods: Vec<&str> = known["methods"]
		.as_array()
		.unwrap()
		.iter()
		.filter_map(Value::as_str)
		// A client takes a subscription by another way; its parameters are those of the methods beside it.
		.filter(|name| name.starts_with("dstp_") || name.starts_with("subtree_"))
		.filter(|name| !name.to_lowercase().contains("subscribe") && !name.ends_with("Watch"))
		.collect();
	assert!(methods.len() >= 15, "{methods:?}");
	let mut random = Random::new("parameters");
	let mut refused = 0;
	let count = cases(3_000, 300_000);
	for _ in 0..count {
		let method = methods[random.below(methods.len())];
		let all = samples(method, &block, &proof);
		let mut params = all[random.below(all.len())].clone();
		for _ in 0..=random.below(3) {
			mutate(&mut random, &mut params);
		}
		if !params.is_array() && !params.is_object() {
			params = json!([params]);
		}
		let shown: String = params.to_string().chars().take(300).collect();
		match node.client.request::<Value, _>(method, Any(params)).await {
			Ok(_) => {},
			Err(Error::Call(error)) => {
				assert!(is_refusal(error.code()), "{method} {shown}: {error:?}");
				assert!(!error.message().is_empty());
				refused += 1;
			},
			Err(other) => panic!("{method} {shown}: {other}"),
		}
	}
	assert!(refused > count / 3, "{refused} of {count} are refused");
	let again: Value = node.client.request("dstp_globalRoot", rpc_params![]).await.unwrap();
	assert_eq!(again, block, "no question changes the state");
}
