//! Every part runs at small sizes and gives its rows.

use serde_json::Value;
use std::process::Command;

/// Name and target of each row, in their order; without nomt, which is a program of its own, and with synthetic places.
const ROWS: [(&str, Option<&str>); 19] = [
	("600 updates of 3000 fields, one root, ParityDB, by ObjectTree alone (flat copy included; no log, heads, batches), against sp-trie", Some(">= 0.8")),
	("the same by the engine: 3 signed calls, a root each, log synced; against sp-trie", None),
	("the same by the engine: 3 signed calls, a root each, log synced; with the database's own threads, against sp-trie", None),
	("600 calls of one update, each with a root and a witness count, by ObjectTree alone (flat copy included; no log, heads, batches), against sp-trie with a root for each", Some(">= 0.6")),
	("600 calls of one update, each with a root and a witness count, by ObjectTree alone (flat copy included; no log, heads, batches), against sp-trie writing a call's three keys (field, facts, nonce)", None),
	("signed calls through the engine (verify, execute, log synced by 64, seal), against verifying sr25519 alone", None),
	("the same, with the database's own threads", None),
	("full sync of 2025 synthetic places to a fresh follower, against executing its calls locally (their signatures checked before)", Some("<= 3")),
	("full sync of 2025 synthetic places to a fresh follower, against writing the same at once, one root, by ObjectTree alone (flat copy included; no log, heads, batches)", None),
	("full sync of 2025 synthetic places to a fresh follower, against a TCP copy of its 0.1 MiB", None),
	("most memory of that follower (engine and sync, without a node)", Some("<= 1024")),
	("an object update by the weight that it takes of a block of 10, roots included, against a transfer", Some("<= 3")),
	("the same, declared before execution", Some("<= 3")),
	("the same, declared for an object at the greatest depth", None),
	("the same, the calls alone", None),
	("an object update, imported in a block of 10 (Wasm, ParityDB, on_finalize), against a transfer", Some("<= 3")),
	("proof of one of 3000 fields (facts of the object included), against sp-trie's: size", None),
	("proof of one of 3000 fields (facts of the object included), against sp-trie's: making, from ParityDB", None),
	("proof of one of 3000 fields (facts of the object included), against sp-trie's: checking", None),
];

#[test]
fn a_quick_run_measures_every_part() {
	let dir = tempfile::tempdir().expect("a folder");
	let out = dir.path().join("bench.json");
	let status = Command::new(env!("CARGO_BIN_EXE_dstp-bench"))
		.args(["--quick", "--dir"])
		.arg(dir.path())
		.arg("--out")
		.arg(&out)
		.status()
		.expect("the program starts");
	assert!(status.success());
	let rows: Vec<Value> =
		serde_json::from_slice(&std::fs::read(out).expect("it was written")).expect("it is JSON");
	let found: Vec<_> = rows
		.iter()
		.map(|row| (row["name"].as_str().unwrap_or(""), row["target"].as_str()))
		.collect();
	assert_eq!(found, ROWS);
	let fields = ["name", "ours", "peer", "ratio", "target", "unit"];
	for row in &rows {
		assert!(fields.iter().all(|field| row.get(field).is_some()), "{row}");
		assert!(row["ours"].as_f64().is_some_and(|ours| ours > 0.0), "{row}");
	}
}
