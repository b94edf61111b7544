//! Chain specs that are JSON of the right shape and make no chain.

use super::long;
use crate::harness::{run_to_end, Output};
use serde_json::{json, Value};
use std::path::Path;

/// The chain spec `dev` with the runtime's code.
fn whole_spec() -> Value {
	let output = run_to_end(&["export-chain-spec", "--chain", "dev"]);
	assert!(output.status.success(), "{}", output.stderr);
	serde_json::from_str(&output.stdout).unwrap()
}

/// Builds the genesis and the consensus of the chain and ends.
fn check_genesis(folder: &Path, name: &str, spec: &Value) -> Output {
	let file = folder.join(format!("{name}.json"));
	std::fs::write(&file, spec.to_string()).unwrap();
	let data = folder.join(name);
	let (file, data) = (file.to_str().unwrap(), data.to_str().unwrap());
	run_to_end(&["check-block", "0", "--chain", file, "-d", data])
}

/// What to put at which place of the spec, and words of the error or of the log line that names the reason.
fn broken() -> Vec<(&'static str, &'static str, Value, &'static str)> {
	let objects = |list: Value| json!({ "objects": list });
	let subtree = |path: &str, mode: u32| {
		let owner = "5GrwvaEF5zXb26Fz9rcQpDWS57CtERHpNehXCPcNoHGKutQY";
		json!({ "subtrees": [{ "path": path, "owner": owner, "mode": mode, "params": "0x00" }] })
	};
	let system = |path: &str| json!({ "path": path, "owner": "system" });
	vec![
		(
			"path",
			"/patch/objectTree",
			objects(json!([system("geo")])),
			"genesis object geo: a path starts with '/'",
		),
		(
			"orphan",
			"/patch/objectTree",
			objects(json!([system("/a/b")])),
			"genesis object /a/b: there is no such object",
		),
		(
			"twice",
			"/patch/objectTree",
			objects(json!([system("/a"), system("/a")])),
			"genesis object /a: an object with this key",
		),
		(
			"reserved",
			"/patch/objectTree",
			objects(json!([system("/account")])),
			"genesis object /account: an object with this key",
		),
		(
			"word",
			"/patch/objectTree",
			objects(json!([{ "path": "/a", "owner": "system", "x": 1 }])),
			"unknown field `x`",
		),
		("root", "/patch/subtreeSecurity", subtree("/", 1), "the genesis subtree / was refused"),
		(
			"mode",
			"/patch/subtreeSecurity",
			subtree("/geo", 99),
			"the genesis subtree /geo was refused",
		),
		(
			"params",
			"/patch/subtreeSecurity",
			subtree("/geo", 1),
			"the genesis subtree /geo was refused",
		),
		("pallet", "/patch/nonsense", json!({}), "unknown field `nonsense`"),
		("voters", "/patch/grandpa", json!({ "authorities": [] }), "GRANDPA has no authorities"),
		("code", "/code", json!("0x1234"), "cannot deserialize module"),
	]
}

/// The cases of the short form: a hosted object, a remote subtree, and the code itself.
const SHORT: [&str; 3] = ["orphan", "mode", "code"];

/// All cases in the long form; each starts the program, which compiles the runtime's code.
#[test]
fn a_genesis_that_the_runtime_refuses_is_reported_without_a_backtrace() {
	let folder = tempfile::tempdir().unwrap();
	let whole = whole_spec();
	let check = |name: &str, place: &str, new: Value, expected: &str| {
		let mut spec = whole.clone();
		let (above, key) = place.rsplit_once('/').unwrap();
		let above = spec.pointer_mut(&format!("/genesis/runtimeGenesis{above}")).unwrap();
		above.as_object_mut().unwrap().insert(key.into(), new);
		let output = check_genesis(folder.path(), name, &spec);
		let text = &output.stderr;
		assert!(!output.status.success(), "{name} is refused");
		assert!(text.contains(expected), "{name}: {text}");
		assert!(
			text.contains("The genesis or the code in the chain spec cannot be used"),
			"{name}: {text}"
		);
		assert!(!text.contains("backtrace:") && !text.contains("Thread '"), "{name}: {text}");
	};
	// A few at a time: each compiles the runtime's code.
	let mut all = broken();
	all.retain(|(name, ..)| long() || SHORT.contains(name));
	assert!(all.len() >= SHORT.len());
	while !all.is_empty() {
		let some: Vec<_> = all.drain(..all.len().min(3)).collect();
		std::thread::scope(|scope| {
			for (name, place, new, expected) in some {
				let check = &check;
				scope.spawn(move || check(name, place, new, expected));
			}
		});
	}
	let output = check_genesis(folder.path(), "whole", &whole);
	assert!(output.status.success(), "{}", output.stderr);
}
