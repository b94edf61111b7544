//! Runs the real binary and talks to it as a user does.
//!
//! All ports are chosen by the system, and no test depends on how long anything takes: they wait for
//! log lines, subscriptions and what the node tells, with a limit after which they fail.

#![allow(clippy::unwrap_used)]

mod follow;
mod garbage;
mod harness;
mod hostile;
mod hub_trouble;
mod migration;
mod openrpc;
mod subtree;
mod transaction;
mod verbs;

use codec::DecodeAll;
use dstp_hub_runtime as runtime;
use harness::{run_to_end, Node, LIMIT};
use jsonrpsee::core::client::{ClientT, Subscription, SubscriptionClientT};
use jsonrpsee::rpc_params;
use serde_json::Value;
use sp_keyring::Sr25519Keyring::{Alice, Bob};
use sp_runtime::DigestItem;

/// The program that [`harness`] starts.
const PROGRAM: &str = env!("CARGO_BIN_EXE_dstp-node");

/// The number of the best block.
async fn best_number(node: &Node) -> u32 {
	let header: Value = node.client.request("chain_getHeader", rpc_params![]).await.unwrap();
	harness::number(&header)
}

/// Waits until a subscription to headers delivers a block of at least this number.
async fn wait_for_block(heads: &mut Subscription<Value>, number: u32) {
	let wait = async {
		while let Some(head) = heads.next().await {
			if harness::number(&head.unwrap()) >= number {
				return;
			}
		}
		panic!("the subscription ended before block {number}");
	};
	tokio::time::timeout(LIMIT, wait).await.expect("the block comes in time");
}

async fn finalized_heads(node: &Node) -> Subscription<Value> {
	node.client
		.subscribe(
			"chain_subscribeFinalizedHeads",
			rpc_params![],
			"chain_unsubscribeFinalizedHeads",
		)
		.await
		.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn instant_seal_puts_a_transfer_into_a_final_block() {
	let node = Node::start(&["--dev", "--tmp", "--seal", "instant"]).await;
	let chain: String = node.client.request("system_chain", rpc_params![]).await.unwrap();
	assert_eq!(chain, "dstp-node Development");
	assert_eq!(best_number(&node).await, 0, "no block without a transaction");

	for nonce in 0..3 {
		let genesis: String =
			node.client.request("chain_getBlockHash", rpc_params![0]).await.unwrap();
		let transfer = transaction::transfer(Alice, nonce, &genesis, Bob, 1_000_000_000_000);
		let mut status: Subscription<Value> = node
			.client
			.subscribe(
				"author_submitAndWatchExtrinsic",
				rpc_params![transfer],
				"author_unwatchExtrinsic",
			)
			.await
			.unwrap();
		let finalized = async {
			while let Some(status) = status.next().await {
				if status.unwrap().get("finalized").is_some() {
					return;
				}
			}
			panic!("the watch ended before the transfer was final");
		};
		tokio::time::timeout(LIMIT, finalized).await.expect("the transfer is final in time");
		assert_eq!(best_number(&node).await, nonce + 1, "one block for one transaction");
	}

	let output = node.interrupt().await;
	for expected in
		["Alice", "5GrwvaEF5zXb26Fz9rcQpDWS57CtERHpNehXCPcNoHGKutQY", "//Alice", "curl "]
	{
		assert!(output.stdout.contains(expected), "prints {expected}: {}", output.stdout);
	}
}

#[tokio::test(flavor = "multi_thread")]
async fn manual_seal_makes_a_block_when_it_is_told_to() {
	let node = Node::start(&["--dev", "--tmp", "--seal", "manual"]).await;
	let mut heads = finalized_heads(&node).await;
	let created: Value =
		node.client.request("engine_createBlock", rpc_params![true, true]).await.unwrap();
	assert!(created.get("hash").is_some(), "{created}");
	wait_for_block(&mut heads, 1).await;
	assert_eq!(best_number(&node).await, 1);
}

/// The slot of a block is that of the clock, or a later one if the block before has that already.
#[tokio::test(flavor = "multi_thread")]
async fn interval_seal_makes_blocks_faster_than_slots() {
	let node = Node::start(&["--dev", "--tmp", "--seal", "interval=50"]).await;
	let mut heads = finalized_heads(&node).await;
	let ahead = async {
		while let Some(head) = heads.next().await {
			let ahead = slot_of_the_clock() + 5;
			if slot(&head.unwrap()).is_some_and(|slot| slot > ahead) {
				return;
			}
		}
		panic!("the subscription ended before the blocks were ahead of the clock");
	};
	tokio::time::timeout(LIMIT, ahead).await.expect("the blocks' slots come before their time");
}

/// The slot in a header as JSON; `None` in that of block 0.
fn slot(header: &Value) -> Option<u64> {
	let logs = header["digest"]["logs"].as_array().expect("a header has a digest").iter();
	let mut items = logs.map(|item| {
		let bytes = hex::decode(&item.as_str().expect("hex")[2..]).expect("hex");
		DigestItem::decode_all(&mut &bytes[..]).expect("an item of a digest")
	});
	let slot = items.find_map(|item| match item {
		DigestItem::PreRuntime(engine, slot) => (engine == *b"aura").then_some(slot),
		_ => None,
	});
	slot.map(|slot| u64::decode_all(&mut &slot[..]).expect("a number"))
}

fn slot_of_the_clock() -> u64 {
	let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
	since.expect("the clock is past 1970").as_millis() as u64 / runtime::SLOT_DURATION_MS
}

#[tokio::test(flavor = "multi_thread")]
async fn validators_on_different_network_backends_finalise() {
	let alice = Node::start(&[
		"--chain=local",
		"--alice",
		"--tmp",
		"--node-key=0000000000000000000000000000000000000000000000000000000000000001",
		"--network-backend=litep2p",
	])
	.await;
	let alice_address = alice.p2p_address().await;
	let bob = Node::start(&[
		"--chain=local",
		"--bob",
		"--tmp",
		"--node-key=0000000000000000000000000000000000000000000000000000000000000002",
		"--network-backend=libp2p",
		"--bootnodes",
		&alice_address,
	])
	.await;

	let (mut at_alice, mut at_bob) = (finalized_heads(&alice).await, finalized_heads(&bob).await);
	wait_for_block(&mut at_alice, 2).await;
	wait_for_block(&mut at_bob, 2).await;
	let mut hashes = Vec::new();
	for node in [&alice, &bob] {
		let hash: String = node.client.request("chain_getBlockHash", rpc_params![2]).await.unwrap();
		hashes.push(hash);
		let health: Value = node.client.request("system_health", rpc_params![]).await.unwrap();
		assert_eq!(health["peers"], 1, "{health}");
	}
	assert_eq!(hashes[0], hashes[1], "both have the same block");
}

#[test]
fn wrong_flags_are_refused_with_a_remedy() {
	let cases: [(&[&str], &str); 5] = [
		(&["--dev", "--seal", "foo"], "Use instant, manual or interval=<milliseconds>"),
		(&["--dev", "--seal", "interval=0"], "Use at least interval=1"),
		(&["--seal", "instant"], "Add --dev, or leave --seal out"),
		(&["--chain", "no-such-chain"], "Use --chain dev, --chain local"),
		(&["export-chain-spec", "--chain", "x.json"], "Use --chain dev, --chain local"),
	];
	for (arguments, expected) in cases {
		let output = run_to_end(arguments);
		assert!(!output.status.success(), "{arguments:?} is refused");
		assert!(output.stderr.contains(expected), "{arguments:?}: {}", output.stderr);
		assert!(!output.stderr.contains("panicked"), "{arguments:?}: {}", output.stderr);
	}
}

#[test]
fn a_broken_chain_spec_is_refused_with_a_remedy() {
	let folder = tempfile::tempdir().unwrap();
	let file = folder.path().join("broken.json");
	for content in ["", "{", "[]", "null", "{\"name\":1}", "\u{0}\u{1}", "{\"genesis\":{}}"] {
		std::fs::write(&file, content).unwrap();
		let output = run_to_end(&["--chain", file.to_str().unwrap(), "--tmp"]);
		assert!(!output.status.success(), "{content:?} is refused");
		assert!(output.stderr.contains("export-chain-spec"), "{content:?}: {}", output.stderr);
		assert!(!output.stderr.contains("panicked"), "{content:?}: {}", output.stderr);
	}
}

#[test]
fn committed_chain_specs_are_those_of_the_runtime() {
	for chain in ["dev", "local"] {
		let output = run_to_end(&["export-chain-spec", "--chain", chain, "--without-code"]);
		assert!(output.status.success(), "{}", output.stderr);
		let file = format!("{}/../../chain-specs/{chain}.json", env!("CARGO_MANIFEST_DIR"));
		let committed = std::fs::read_to_string(&file).unwrap();
		assert!(output.stdout == committed, "{chain}.json is out of date: run make chain-specs");
	}
}

#[test]
fn blocks_survive_export_and_import() {
	let folder = tempfile::tempdir().unwrap();
	let path = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
	let info = |base: &str| {
		let output = run_to_end(&["chain-info", "--dev", "-d", base]);
		assert!(output.status.success(), "{}", output.stderr);
		serde_json::from_str::<Value>(&output.stdout).unwrap()
	};
	let runtime = tokio::runtime::Runtime::new().unwrap();
	runtime.block_on(async {
		let node = Node::start(&["--dev", "-d", &path("a")]).await;
		let mut heads = finalized_heads(&node).await;
		wait_for_block(&mut heads, 1).await;
		node.interrupt().await;
	});
	let best = info(&path("a"))["best_number"].clone();
	let file = path("blocks.bin");
	for arguments in [
		["export-blocks", "--binary", "--dev", "-d", &path("a"), &file],
		["import-blocks", "--binary", "--dev", "-d", &path("b"), &file],
	] {
		let output = run_to_end(&arguments);
		assert!(output.status.success(), "{arguments:?}: {}", output.stderr);
	}
	assert_eq!(info(&path("b"))["best_number"], best);
}
