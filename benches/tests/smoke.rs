//! Every part runs at small sizes and gives its rows.

use serde_json::Value;
use std::process::Command;

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
	let fields = ["name", "ours", "peer", "ratio", "target", "unit"];
	for row in &rows {
		assert!(fields.iter().all(|field| row.get(field).is_some()), "{row}");
		assert!(row["ours"].as_f64().is_some_and(|ours| ours > 0.0), "{row}");
	}
	let targets = rows.iter().filter_map(|row| row["target"].as_str());
	assert_eq!(
		targets.collect::<Vec<_>>(),
		[">= 0.8", ">= 0.6", "<= 3", "<= 1024", "<= 3", "<= 3", "<= 3"],
		"one for each target of the table"
	);
}
