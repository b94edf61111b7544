//! Damaged chain specs: an error that names the file, or a spec that can be used; never a panic.
//!
//! `DSTP_LONG=1` and `PROPTEST_CASES` ask for more cases, the first of them also for other ones each time; `DSTP_SEED=<number>`
//! repeats one.

use super::*;
use rand::{rngs::StdRng, Rng, SeedableRng};
use serde_json::{json, Value};
use std::fs;

/// The hub, as the node SDK sees it.
struct Hub;

impl NodeRuntime for Hub {
	const NAME: &'static str = "test-node";
	const VERSION: &'static str = "0";

	type Block = dstp_hub_runtime::opaque::Block;
	type Header = dstp_hub_runtime::Header;
	type RuntimeApi = dstp_hub_runtime::RuntimeApi;
	type HostFunctions = sp_io::SubstrateHostFunctions;

	fn wasm_binary() -> Option<&'static [u8]> {
		None
	}
}

const SPECS: [&str; 2] = [
	include_str!("../../../../chain-specs/dev.json"),
	include_str!("../../../../chain-specs/local.json"),
];

/// A file of this test alone, removed in the end.
struct File(PathBuf);

impl File {
	fn new(name: &str) -> Self {
		Self(std::env::temp_dir().join(format!("dstp-spec-{name}-{}.json", std::process::id())))
	}

	/// Loads the content. What loads can be written again and has a harmless id.
	fn load(&self, content: &[u8]) -> Result<(), String> {
		fs::write(&self.0, content).expect("the folder for temporary files can be written");
		let spec = standard::<Hub>(self.0.to_str().expect("the name is plain"))?;
		let _ = (spec.name(), spec.chain_type(), spec.boot_nodes(), spec.properties());
		let id = spec.id();
		assert!(
			!id.is_empty() && !id.contains(['/', '\\', '\0']) && !id.starts_with('.'),
			"{id:?}"
		);
		let _ = without_code(&*spec);
		Ok(())
	}

	/// Loads, and checks that a refusal says what to do.
	fn load_or_say(&self, content: &[u8]) {
		if let Err(text) = self.load(content) {
			let remedy = text.contains("export-chain-spec") || text.contains("bad id");
			assert!(text.contains("chain spec") && remedy, "{text}");
		}
	}
}

impl Drop for File {
	fn drop(&mut self) {
		// It may never have been written.
		let _ = fs::remove_file(&self.0);
	}
}

/// Runs cases with seeds of their own, which a failure names.
fn cases(name: &str, short: u64, long: u64, case: impl Fn(&mut StdRng)) {
	let number = |name: &str| std::env::var(name).ok().and_then(|text| text.parse::<u64>().ok());
	let asked_long = std::env::var("DSTP_LONG").is_ok_and(|value| value == "1");
	let count = number("PROPTEST_CASES").unwrap_or(if asked_long { long } else { short });
	let (first, count) = match number("DSTP_SEED") {
		Some(seed) => (seed, 1),
		None if asked_long => (rand::random::<u64>() >> 1, count),
		None => (0, count),
	};
	println!("{name}: {count} cases from DSTP_SEED={first}");
	for seed in first..first + count {
		let run = std::panic::AssertUnwindSafe(|| case(&mut StdRng::seed_from_u64(seed)));
		if let Err(cause) = std::panic::catch_unwind(run) {
			eprintln!("{name}: DSTP_SEED={seed} repeats this");
			std::panic::resume_unwind(cause);
		}
	}
}

#[test]
fn committed_specs_load() {
	let file = File::new("whole");
	for spec in SPECS {
		file.load(spec.as_bytes()).expect("the committed chain specs are valid");
	}
}

#[test]
fn damaged_text_is_refused_or_loads() {
	let file = File::new("text");
	cases("chain spec text", 400, 60_000, |rng| {
		let which = rng.gen_range(0..SPECS.len());
		let mut bytes = SPECS[which].as_bytes().to_vec();
		let other = SPECS[1 - which].as_bytes();
		for _ in 0..rng.gen_range(1..5) {
			let at = rng.gen_range(0..bytes.len().max(1));
			match rng.gen_range(0..6) {
				_ if bytes.is_empty() => bytes.push(rng.gen()),
				0 => bytes[at] = rng.gen(),
				1 => bytes[at] ^= 1 << rng.gen_range(0..8),
				2 => bytes.insert(at, b"{}[]\",:0-.e\\"[rng.gen_range(0..12)]),
				3 => drop(bytes.drain(at..(at + rng.gen_range(0..300)).min(bytes.len()))),
				4 => bytes.truncate(at),
				_ => {
					bytes.truncate(at);
					bytes.extend(&other[rng.gen_range(0..other.len())..]);
				},
			}
		}
		file.load_or_say(&bytes);
	});
}

/// Values of other types and sizes than any field wants.
fn odd_values() -> Vec<Value> {
	vec![
		Value::Null,
		json!(true),
		json!(-1),
		json!(u64::MAX),
		json!(1e308),
		json!(""),
		json!("0x"),
		json!("0xzz"),
		json!("../../etc"),
		json!("\u{0}"),
		json!("a".repeat(100_000)),
		json!([]),
		json!([[], [[]], {}]),
		json!({}),
		json!({ "raw": { "top": {}, "childrenDefault": { "0x": {} } } }),
		json!({ "runtimeGenesis": { "code": "0x00", "config": 1 } }),
	]
}

/// Puts `new` somewhere, at most `depth` levels down.
fn replace(rng: &mut StdRng, value: &mut Value, depth: u32, new: Value) {
	match value {
		Value::Object(fields) if depth > 0 && !fields.is_empty() => {
			let at = rng.gen_range(0..fields.len());
			let (_, field) = fields.iter_mut().nth(at).expect("it is in range");
			replace(rng, field, depth - 1, new);
		},
		Value::Array(items) if depth > 0 && !items.is_empty() => {
			let at = rng.gen_range(0..items.len());
			replace(rng, &mut items[at], depth - 1, new);
		},
		_ => *value = new,
	}
}

#[test]
fn values_of_other_types_are_refused_or_load() {
	let file = File::new("values");
	let odd = odd_values();
	cases("chain spec values", 400, 60_000, |rng| {
		let which = rng.gen_range(0..SPECS.len());
		let mut spec: Value = serde_json::from_str(SPECS[which]).expect("it is JSON");
		for _ in 0..rng.gen_range(1..3) {
			let (depth, new) = (rng.gen_range(1..6), odd[rng.gen_range(0..odd.len())].clone());
			replace(rng, &mut spec, depth, new);
		}
		file.load_or_say(spec.to_string().as_bytes());
	});
}

#[test]
fn deep_and_foreign_files_are_refused() {
	let file = File::new("deep");
	let name = "{\"name\":";
	for text in [
		"[".repeat(1_000_000),
		format!("{name}{}", "[".repeat(1_000_000)),
		format!("{name}{}", "{\"a\":".repeat(500_000)),
		SPECS[0].replace(
			"\"properties\": {",
			&format!("\"properties\": {{ \"a\": {},", "[".repeat(300_000)),
		),
		"\u{feff}{}".into(),
		"\0".repeat(100),
		String::new(),
	] {
		let error = file.load(text.as_bytes()).expect_err("this is no chain spec");
		assert!(error.contains("export-chain-spec"), "{}", &error[..error.len().min(300)]);
	}
	assert!(file.load(&[0xff; 64]).is_err());
}

/// The id becomes the name of a folder: `../x` would lay the data of this chain somewhere else.
#[test]
fn ids_that_are_no_plain_names_are_refused() {
	let file = File::new("id");
	let with_id = |id: &str| {
		let mut spec: Value = serde_json::from_str(SPECS[0]).expect("it is JSON");
		spec["id"] = id.into();
		file.load(spec.to_string().as_bytes())
	};
	for id in ["dev", "my-chain_2.1", &"a".repeat(128)] {
		with_id(id).expect("this is a plain name");
	}
	for id in [
		"",
		".",
		"..",
		"../x",
		"/tmp/x",
		"a/b",
		"a\\b",
		"a\0b",
		".hidden",
		"a b",
		"\u{e9}",
		&"a".repeat(129),
	] {
		let error = with_id(id).expect_err("this is no plain name");
		assert!(error.contains("bad id") && error.contains("Use 1 to 128"), "{error}");
	}
}
