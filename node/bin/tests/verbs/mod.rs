//! The verbs, run as a user runs them: a child process per verb, against a real node.

mod output;
mod purge;

use crate::{
	garbage::{cases, Random},
	harness::{self, Node, Output},
	subtree::{after_blocks, insert_authority},
};
use jsonrpsee::{core::client::ClientT, rpc_params};
use serde_json::Value;
use sp_core::crypto::Ss58Codec;
use sp_keyring::Sr25519Keyring::{Alice, Bob};
use std::path::Path;

/// The program against one node.
struct Cli<'a>(&'a Node);

impl Cli<'_> {
	fn run(&self, verb: &str, rest: &[&str]) -> Output {
		let words: Vec<&str> = verb.split(' ').collect();
		harness::run_to_end(&[&words, rest, &["--url", &self.0.url][..]].concat())
	}

	/// What a verb prints that succeeds.
	fn ok(&self, verb: &str) -> String {
		let output = self.run(verb, &[]);
		assert!(output.status.success(), "{verb}: {}", output.stderr);
		output.stdout
	}

	/// The same with `--json`.
	fn json(&self, verb: &str) -> Value {
		let output = self.run(verb, &["--json"]);
		assert!(output.status.success(), "{verb}: {}", output.stderr);
		serde_json::from_str(&output.stdout).expect("one JSON object")
	}

	/// The sentence of a verb that fails.
	fn refused(&self, verb: &str) -> String {
		refused(verb, self.run(verb, &[]))
	}
}

fn refused(verb: &str, output: Output) -> String {
	assert_eq!(output.status.code(), Some(1), "{verb} is refused: {}", output.stdout);
	assert!(output.stderr.contains("Error: "), "{verb}: {}", output.stderr);
	assert!(!output.stderr.contains("panicked"), "{verb}: {}", output.stderr);
	output.stderr
}

fn assert_refusals(cases: &[(&str, &str)], refused: impl Fn(&str) -> String) {
	for (verb, reason) in cases {
		let sentence = refused(verb);
		assert!(sentence.contains(reason), "{verb} names '{reason}': {sentence}");
	}
}

/// Alice registers `/a/x` with Bob as its authority, through the verb, and the node serves it.
async fn create(cli: &Cli<'_>) -> Value {
	insert_authority(cli.0).await;
	let create = format!("subtree create /a/x --suri //Alice --authority {}", Bob.to_account_id());
	assert_refusals(
		&[
			("subtree status /a/x", "there is no subtree with the id"),
			("subtree call set /a/x k=v --suri //Alice", "create one with 'subtree create'"),
			(&create, "there is no object /a to register below; create it first, or add --parents"),
			(&format!("{create} --threshold 2"), "threshold"),
			(&format!("{create} --max-silence-blocks 0"), "larger than --min-interval-blocks"),
			("subtree create / --suri //Alice", "name an object below it"),
			("subtree create /x --suri nonsense", "not a phrase, a seed or a derivation"),
			("subtree create /x --suri -", "the standard input is empty"),
			("subtree create /d/d/d/d/d/d/d/d/d/d --parents --suri //Alice", "ObjectTree(TooDeep)"),
		],
		|verb| cli.refused(verb),
	);
	let created = cli.json(&format!("{create} --parents"));
	assert_eq!((&created["epoch"], &created["mode"]["threshold"]), (&1.into(), &1.into()));
	assert_eq!(created["mode"]["authorities"][0], Bob.to_account_id().to_ss58check());
	assert_refusals(
		&[
			(&create, "registered at /a/x already, with epoch 1"),
			("subtree create /a --suri //Alice", "hosts an object at /a already"),
			("subtree create /a/y --suri //Bob", "sign with the owner's key"),
			("subtree create /a/x/y --suri //Alice", "inside the remote subtree /a/x"),
		],
		|verb| cli.refused(verb),
	);
	after_blocks(cli.0, async |_| {
		let status = cli.json("subtree status /a/x");
		(status["copy"]["role"] == "serve").then_some(())
	})
	.await;
	created
}

fn call(cli: &Cli) {
	let receipt = cli.json("subtree call create /a/x/DE --type state --suri //Alice");
	assert_eq!((&receipt["epoch"], &receipt["nonce"]), (&1.into(), &0.into()), "{receipt}");
	assert_eq!(receipt["receipt"]["status"], "applied");
	let set = "subtree call set /a/x/DE Berlin=52.5 a/b=c=d 0x00ff=0x01 --suri //Alice";
	assert!(cli.ok(set).contains("epoch 1"));
	let parts = [
		"create /a/x/gone",
		"set /a/x/gone k=v",
		"unset /a/x/gone k",
		"remove /a/x/gone",
		"create /a/x/board --hashed-keys",
		"share /a/x/board",
		"create /a/x/bobs",
		&format!("transfer /a/x/bobs {}", Bob.to_account_id()),
		"create /a/x/fixed",
		"freeze /a/x/fixed",
	];
	for part in parts {
		let receipt = cli.json(&format!("subtree call {part} --suri //Alice"));
		assert_eq!(receipt["receipt"]["status"], "applied", "{part}: {receipt}");
	}
	let waited = cli.json("subtree call set /a/x/DE waited=1 --wait --suri //Alice");
	assert!(waited["final"]["blockNumber"].as_u64().is_some_and(|number| number > 0), "{waited}");
	// Made from the last final block, without waiting for another.
	let made = cli.run("proof make /a/x/DE --field waited", &[]);
	assert!(made.status.success(), "what is final can be proven: {}", made.stderr);
	let text = cli.ok("subtree call set /a/x/DE waited=2 --wait --suri //Alice");
	assert!(text.contains("final ") && text.contains("by hub block"), "{text}");
	let late = cli.run("subtree call set /a/x/DE waited=3 --wait --timeout 0 --suri //Alice", &[]);
	assert!(late.stdout.contains("applied"), "the receipt stands: {}", late.stdout);
	assert!(refused("too late", late).contains("not final (not within 0 s)"));
	assert_refusals(
		&[
			("subtree call set /a/x/DE k=v --wait --suri //Bob", "only the object's owner may do"),
			("subtree call set /a/x/DE k=v --suri //Bob", "only the object's owner may do this"),
			("subtree call create /a/x/DE --suri //Alice", "stands below this parent already"),
			("subtree call create /a/x --suri //Alice", "exists from its registration on"),
			("subtree call set /a k=v --suri //Alice", "the hub itself hosts /a"),
			("subtree call remove /b --suri //Alice", "no remote subtree is registered"),
		],
		|verb| cli.refused(verb),
	);
}

async fn get(cli: &Cli<'_>) {
	after_blocks(cli.0, async |_| {
		let status = cli.json("subtree status /a/x");
		(status["copy"]["openCalls"] == 0).then_some(())
	})
	.await;
	let hosted = cli.json("subtree get /a --list children");
	assert_eq!(hosted["source"]["kind"], "hub");
	assert_eq!(hosted["page"]["entries"][0]["location"]["kind"], "remote");
	let text = cli.ok("subtree get /a/x/DE --field Berlin --field Atlantis --list fields");
	assert!(text.contains("the serving node's state of /a/x at head"), "{text}");
	for (name, value) in [
		("owner", &*Alice.to_account_id().to_ss58check()),
		("type", "state"),
		("field Berlin", "52.5"),
		("field Atlantis", "does not exist"),
		("field a/b", "c=d"),
		("field 0x00ff", "0x01"),
	] {
		let line = text.lines().find(|line| line.trim_start().starts_with(name));
		assert!(line.is_some_and(|line| line.ends_with(value)), "{name} is {value}: {text}");
	}
	assert!(text.contains("which is this node's word"), "says whose root it is: {text}");
	let fields = cli.json("subtree get /a/x/DE --field Berlin");
	assert_eq!(fields["fieldsProvenAgainst"]["rootFrom"], "node", "{fields}");
	let page = cli.json("subtree get /a/x/DE --list fields --prefix B --limit 1");
	assert_eq!(page["page"]["entries"].as_array().map(Vec::len), Some(1), "{page}");
	assert_refusals(
		&[
			("subtree get /none", "there is no object at /none"),
			("subtree get /a/x/none", "object"),
			("subtree get /a/x/DE --seq 999", "head"),
			("subtree get /a --seq 1", "choose a block with --at"),
		],
		|verb| cli.refused(verb),
	);
}

/// Makes a proof file once the calls are in a final block.
async fn make(cli: &Cli<'_>, file: &Path) -> Value {
	let make = format!(
		"proof make /a/x/DE --field Berlin --field Atlantis --output {}",
		file.to_str().unwrap()
	);
	after_blocks(cli.0, async |_| {
		let output = cli.run(&make, &["--json"]);
		let text = std::fs::read_to_string(file).unwrap_or_default();
		(output.status.success() && text.contains("dstp-proof/1"))
			.then(|| serde_json::from_str(&output.stdout).unwrap())
			.filter(|_| proves(&check(file, &["--unanchored"]), "field Berlin", "52.5"))
	})
	.await
}

fn proves(output: &Output, name: &str, value: &str) -> bool {
	let line = output.stdout.lines().find(|line| line.trim_start().starts_with(name));
	output.status.success() && line.is_some_and(|line| line.ends_with(value))
}

/// Checks a file; without `--url` no node is asked.
fn check(file: &Path, rest: &[&str]) -> Output {
	harness::run_to_end(&[&["proof", "check", file.to_str().unwrap()], rest].concat())
}

#[tokio::test(flavor = "multi_thread")]
async fn verbs_register_change_read_and_prove() {
	let arguments = ["--dev", "--seal", "interval=500", "--serve", "/a/x", "--tmp"];
	let node = Node::start(&arguments).await;
	let cli = Cli(&node);
	let created = create(&cli).await;
	assert!(created["next"].as_str().unwrap().contains("/a/x"), "{created}");
	call(&cli);
	get(&cli).await;

	let folder = tempfile::tempdir().unwrap();
	let file = folder.path().join("berlin.json");
	let made = make(&cli, &file).await;
	let root = made["globalRoot"].as_str().unwrap();
	let nothing = check(&file, &[]);
	assert_eq!((nothing.status.code(), &*nothing.stdout), (Some(2), ""), "{}", nothing.stderr);
	for anchor in ["--root", "--header", "--url", "--unanchored"] {
		assert!(nothing.stderr.contains(anchor), "names {anchor}: {}", nothing.stderr);
	}
	let by_itself = check(&file, &["--unanchored"]);
	assert!(by_itself.stdout.contains("NOT ANCHORED"), "{}", by_itself.stdout);
	assert!(by_itself.stdout.contains("from the file, not checked against a chain"));
	assert!(by_itself.stdout.contains(root), "{}", by_itself.stdout);
	assert!(by_itself.stdout.contains("remote subtree: PoA, epoch 1"), "{}", by_itself.stdout);
	assert!(proves(&by_itself, "field Atlantis", "does not exist, proven"));

	let header: Value =
		node.client.request("chain_getHeader", rpc_params![&made["blockHash"]]).await.unwrap();
	let trusted: [&[&str]; 4] = [
		&["--root", root],
		&["--header", &header.to_string()],
		&["--url", &node.url],
		&["/a/x/DE", "--field", "Berlin", "--field", "Atlantis", "--root", root],
	];
	for arguments in trusted {
		let output = check(&file, arguments);
		assert!(proves(&output, "field Berlin", "52.5"), "{arguments:?}: {}", output.stderr);
		assert!(!output.stdout.contains("from the file"), "{}", output.stdout);
		assert!(!output.stdout.contains("NOT ANCHORED"), "{}", output.stdout);
	}
	only_what_is_proven_is_shown(&file, &made, &node.url);
	forged_proofs_are_refused(&file, root);
	mutated_proof_files_are_refused_or_hold(&file, root);

	let absent = cli.run("proof make /none", &[]);
	assert!(absent.status.success(), "{}", absent.stderr);
	let file = folder.path().join("absent.json");
	std::fs::write(&file, &absent.stdout).unwrap();
	assert!(proves(&check(&file, &["--url", &node.url]), "object /none", "does not exist, proven"));
}

/// What the file says of its block is no word of ours.
fn only_what_is_proven_is_shown(file: &Path, made: &Value, url: &str) {
	let json = |anchor: &[&str]| -> Value {
		serde_json::from_str(&check(file, &[anchor, &["--json"]].concat()).stdout).unwrap()
	};
	let chain = json(&["--url", url]);
	assert_eq!((&chain["anchored"], &chain["rootFrom"]), (&true.into(), &"chain".into()));
	assert_eq!(chain["blockHash"], made["blockHash"]);
	assert!(chain["genesis"].is_string(), "{chain}");
	for (anchor, anchored) in
		[(&["--root", made["globalRoot"].as_str().unwrap()][..], true), (&["--unanchored"], false)]
	{
		let shown = json(anchor);
		assert_eq!(shown["anchored"], anchored, "{shown}");
		for claim in ["blockHash", "blockNumber", "genesis"] {
			assert!(shown[claim].is_null(), "{claim}: {shown}");
		}
		assert!(shown["proven"].is_object(), "{shown}");
	}
}

fn forged_proofs_are_refused(file: &Path, root: &str) {
	let zero = format!("0x{}", "0".repeat(64));
	let cases: [(&[&str], &str); 5] = [
		(&["--root", &zero], "does not hold"),
		(&["/a/x/FR", "--unanchored"], "answers another question"),
		(&["/a/x/DE", "--field", "Berlin", "--root", root], "answers another question"),
		(&["--header", "0x00"], "not a SCALE-encoded block header"),
		(&["--url", "ws://127.0.0.1:1"], "no node answers at ws://127.0.0.1:1"),
	];
	for (arguments, reason) in cases {
		let sentence = refused(&format!("{arguments:?}"), check(file, arguments));
		assert!(sentence.contains(reason), "{arguments:?}: {sentence}");
	}
	let good: Value = serde_json::from_str(&std::fs::read_to_string(file).unwrap()).unwrap();
	let forged = file.with_file_name("forged.json");
	let last_digit = |text: &Value| {
		let mut text = text.as_str().unwrap().to_owned();
		let last = text.pop();
		text.push(if last == Some('0') { '1' } else { '0' });
		text
	};
	for (name, value, reason) in [
		("proof", last_digit(&good["proof"]), "does not hold"),
		("globalRoot", zero.clone(), "not that of its header"),
		("blockHash", zero.clone(), "not that of its header"),
		("header", last_digit(&good["header"]), "header"),
		("format", "dstp-proof/2".into(), "use the program that wrote it"),
		("unknown", "1".into(), "no proof file"),
	] {
		let mut changed = good.clone();
		changed[name] = value.into();
		std::fs::write(&forged, changed.to_string()).unwrap();
		let sentence = refused(name, check(&forged, &["--unanchored"]));
		assert!(sentence.contains(reason), "{name}: {sentence}");
		if matches!(name, "globalRoot" | "blockHash") {
			// What the file claims of the block plays no part once the reader names a root.
			assert!(proves(&check(&forged, &["--root", root]), "field Berlin", "52.5"));
		}
	}
	for garbage in ["", "{}", "[]", "\u{0}", "{\"format\":1}"] {
		std::fs::write(&forged, garbage).unwrap();
		let sentence = refused(garbage, check(&forged, &["--unanchored"]));
		assert!(sentence.contains("no proof file"), "{garbage}");
	}
	let missing = check(&file.with_file_name("missing.json"), &["--unanchored"]);
	assert!(refused("missing", missing).contains("missing.json"));
}

fn mutated_proof_files_are_refused_or_hold(file: &Path, root: &str) {
	let whole = std::fs::read(file).unwrap();
	let mutated = file.with_file_name("mutated.json");
	let mut random = Random::new("proof files");
	// Whoever names the question gets an answer to that one, or none.
	let question = ["/a/x/DE", "--field", "Berlin", "--field", "Atlantis", "--root", root];
	for _ in 0..cases(5, 2_000) {
		let mut bytes = whole.clone();
		for _ in 0..=random.below(3) {
			let at = random.below(bytes.len());
			match random.below(4) {
				0 => bytes.truncate(at + 1),
				1 => drop(bytes.remove(at)),
				_ => bytes[at] = b"0123456789abcdef{}[]\",:x\\\x00\xff"[random.below(27)],
			}
		}
		std::fs::write(&mutated, &bytes).unwrap();
		let output = check(&mutated, &question);
		match output.status.success() {
			true => {
				let text = &output.stdout;
				assert!(proves(&output, "field Berlin", "52.5"), "{text}");
				assert!(proves(&output, "field Atlantis", "does not exist, proven"), "{text}");
			},
			false => drop(refused("mutated", output)),
		}
	}
}

#[test]
fn verbs_without_a_node_or_with_bad_words_are_refused() {
	let nowhere = ["--url", "ws://127.0.0.1:1"];
	for verb in [
		&["subtree", "status", "/x"][..],
		&["subtree", "get", "/x"],
		&["subtree", "create", "/x", "--suri", "//Alice"],
		&["subtree", "call", "freeze", "/x", "--suri", "//Alice"],
		&["proof", "make", "/x"],
	] {
		let output = harness::run_to_end(&[verb, &nowhere].concat());
		let sentence = refused(&format!("{verb:?}"), output);
		assert!(sentence.contains("no node answers at ws://127.0.0.1:1"), "{sentence}");
		assert!(sentence.contains("start one, or name another with --url"), "{sentence}");
	}
	for (arguments, reason) in [
		(&["subtree", "get", "x"][..], "a path starts with '/'"),
		(&["subtree", "get", "/%zz"], "two hex digits"),
		(&["subtree", "status", "0x12"], "64 hex digits"),
		(&["subtree", "call", "set", "/x", "k"], "key=value"),
		(&["subtree", "call", "set", "/x"], "KEY=VALUE"),
		(&["subtree", "call", "transfer", "/x", "bob"], "SS58"),
		(&["subtree", "get", "/x", "--field", "0xz"], "hex digits"),
		(&["subtree", "get", "/x", "--list", "fields", "--limit", "0"], "1..=1000"),
		(&["proof", "check", "f", "--root", "0x12"], "invalid value"),
		(&["proof", "check", "f", "--unanchored", "--url", "ws://x"], "cannot be used with"),
	] {
		let output = harness::run_to_end(arguments);
		assert_eq!(output.status.code(), Some(2), "{arguments:?}: {}", output.stderr);
		assert!(output.stderr.contains(reason), "{arguments:?}: {}", output.stderr);
	}
	let bad_url = harness::run_to_end(&["subtree", "status", "/x", "--url", "localhost"]);
	assert!(refused("bad url", bad_url).contains("write it like ws://127.0.0.1:9944"));
}
