//! An object with content goes from the hub to a node and back, its root the same all the way.

mod follow;

use crate::{
	harness::{self, Node},
	hostile::net::until,
	hub_trouble::block,
	subtree::{
		after_blocks, create, genesis, insert_authority, key, root_in_header, signed, status,
		submit, subtree, until_committed,
	},
	transaction,
};
use codec::{DecodeAll, Encode};
use dstp_hub_runtime::RuntimeCall;
use dstp_node_sdk::{
	global_tree::ObjectJson,
	subtree::{StatusJson, SubtreeProofJson, SyncJson},
};
use dstp_primitives::{
	api::StagingView,
	call::Call,
	object::{ObjectFlags, ObjectType},
	proof::{Proof, TrustedRoot},
	Key, ObjectId, Path, Value as FieldValue,
};
use jsonrpsee::{
	core::client::{ClientT, Subscription, SubscriptionClientT},
	rpc_params,
};
use pallet_object_tree::Call as TreeCall;
use serde_json::{json, Value};
use sp_core::{crypto::Ss58Codec, Bytes, H256};
use sp_keyring::Sr25519Keyring::{self, Alice, Bob};
use std::{process::Stdio, sync::Arc, time::Duration};
use tokio::{
	sync::{Mutex, MutexGuard},
	task::JoinHandle,
};

/// Objects right below `/x`.
const TOPS: u32 = 6;

/// Fields of the large ones: more than may come back in one block, and more than one call takes.
const MANY_FIELDS: u32 = 300;

/// Objects in all: `/x`, those below it, and `/x/top 0/mid/low`.
const OBJECTS: u32 = 1 + TOPS + 2;

fn id(path: &str) -> ObjectId {
	ObjectId::ROOT.descendant(&path.parse::<Path>().unwrap())
}

/// Signs a transaction that comes after those that the node has.
async fn sign(node: &Node, who: Sr25519Keyring, call: RuntimeCall) -> String {
	let account = who.to_account_id().to_ss58check();
	let nonce: u32 =
		node.client.request("system_accountNextIndex", rpc_params![account]).await.unwrap();
	transaction::sign(who, nonce, &genesis(node).await, call)
}

/// Sends a transaction and waits until it is final; the block.
async fn transact(node: &Node, who: Sr25519Keyring, call: RuntimeCall) -> H256 {
	let transaction = sign(node, who, call).await;
	let mut updates: Subscription<Value> = node
		.client
		.subscribe(
			"author_submitAndWatchExtrinsic",
			rpc_params![transaction],
			"author_unwatchExtrinsic",
		)
		.await
		.unwrap();
	let wait = async {
		while let Some(update) = updates.next().await {
			if let Some(block) = update.unwrap().get("finalized") {
				return serde_json::from_value(block.clone()).unwrap();
			}
		}
		panic!("the watch ended before the transaction was final");
	};
	tokio::time::timeout(harness::LIMIT, wait).await.expect("it is final in time")
}

/// How deep the object at the end of a path stands.
fn depth(path: &str) -> u32 {
	path.split('/').filter(|key| !key.is_empty()).count() as u32
}

fn create_object(parent: &str, name: &str) -> RuntimeCall {
	RuntimeCall::ObjectTree(TreeCall::create {
		parent: id(parent),
		key: key(name),
		object_type: ObjectType::Plain,
		flags: ObjectFlags::default(),
		depth_bound: depth(parent) + 1,
	})
}

fn fields(from: u32, to: u32, bytes: usize) -> Vec<(Key, FieldValue)> {
	let field = |n: u32| {
		(key(&format!("field {n:03}")), FieldValue::try_from(vec![n as u8; bytes]).unwrap())
	};
	(from..to).map(field).collect()
}

fn set_fields(object: &str, fields: Vec<(Key, FieldValue)>) -> RuntimeCall {
	let fields = fields.try_into().unwrap();
	RuntimeCall::ObjectTree(TreeCall::set_fields {
		object: id(object),
		fields,
		depth_bound: depth(object),
	})
}

/// Alice makes `/x` with three levels below it, in a few transactions.
async fn build(node: &Node) {
	let mut calls = vec![create_object("/", "x"), set_fields("/x", fields(0, 5, 40))];
	for top in 0..TOPS {
		let path = format!("/x/top {top}");
		calls.push(create_object("/x", &format!("top {top}")));
		calls.push(set_fields(&path, fields(0, MANY_FIELDS / 2, 60)));
		calls.push(set_fields(&path, fields(MANY_FIELDS / 2, MANY_FIELDS, 60)));
	}
	calls.push(create_object("/x/top 0", "mid"));
	calls.push(create_object("/x/top 0/mid", "low"));
	// Two ranges at least.
	calls.push(set_fields("/x/top 0/mid/low", fields(0, 30, 12_000)));
	let last = calls.pop().unwrap();
	for calls in calls.chunks(4) {
		let call = pallet_utility::Call::batch_all { calls: calls.to_vec() };
		let transaction = sign(node, Alice, RuntimeCall::Utility(call)).await;
		let sent = node.client.request("author_submitExtrinsic", rpc_params![transaction]);
		let _: Value = sent.await.unwrap();
	}
	transact(node, Alice, last).await;
}

async fn hub_object(node: &Node, path: &str) -> ObjectJson {
	let params = rpc_params![id(path).to_string()];
	let object: Option<ObjectJson> = node.client.request("dstp_object", params).await.unwrap();
	object.unwrap_or_else(|| panic!("the hub knows {path}"))
}

fn cli(node: &Node, verb: &str) -> harness::Output {
	let words: Vec<&str> = verb.split(' ').collect();
	harness::run_to_end(&[&words[..], &["--url", &node.url, "--json"]].concat())
}

fn verb(node: &Node, verb: &str) -> Value {
	let output = cli(node, verb);
	assert!(output.status.success(), "{verb}: {}", output.stderr);
	serde_json::from_str(&output.stdout).expect("one JSON object")
}

fn refused(node: &Node, verb: &str) -> String {
	let output = cli(node, verb);
	assert_eq!(output.status.code(), Some(1), "{verb} is refused: {}", output.stdout);
	output.stderr
}

/// Until the node has the content and serves it.
async fn until_content(node: &Node) -> StatusJson {
	after_blocks(node, async |_| status(node).await.ok().filter(|status| status.synced)).await
}

fn set(object: &str, field: &str, value: &[u8]) -> Call {
	let field = (key(field), FieldValue::try_from(value.to_vec()).unwrap());
	Call::SetFields { object: object.parse().unwrap(), fields: vec![field].try_into().unwrap() }
}

/// A field's value, proven by the node against the global root of a final block.
async fn proven(node: &Node, object: &str, field: &str) -> Option<Vec<u8>> {
	let query = json!({ "object": object, "fields": [format!("0x{}", hex::encode(field))] });
	let proof: SubtreeProofJson = after_blocks(node, async |_| {
		node.client.request("subtree_proof", rpc_params![query.clone()]).await.ok()
	})
	.await;
	let root = root_in_header(node, proof.block.unwrap().block_hash).await;
	let proven = Proof::from_bytes(&proof.proof).unwrap().check(TrustedRoot::global(root)).unwrap();
	let object = proven.answer().object.as_ref().expect("the object exists");
	object.fields[0].1.as_ref().map(|value| value.to_vec())
}

async fn staging(node: &Node) -> Option<StagingView> {
	let params = rpc_params!["ObjectTreeApi_staging", Bytes(subtree().encode())];
	let answer: Bytes = node.client.request("state_call", params).await.unwrap();
	Option::decode_all(&mut &answer[..]).unwrap()
}

const HOST: &str = "subtree host /x --suri //Alice";

/// Makes final blocks on a node with `--seal manual`, a few in a second, as long as it lives.
struct Blocks {
	/// Held while a block is made.
	making: Arc<Mutex<()>>,
	task: JoinHandle<()>,
}

impl Blocks {
	async fn start(node: &Node) -> Self {
		let making = Arc::new(Mutex::new(()));
		let (client, may) = (harness::connect(&node.url).await, making.clone());
		let task = tokio::spawn(async move {
			loop {
				let making = may.lock().await;
				let made = client.request("engine_createBlock", rpc_params![true, true]);
				let _: Value = made.await.expect("the node makes a block");
				drop(making);
				tokio::time::sleep(Duration::from_millis(200)).await;
			}
		});
		Self { making, task }
	}

	/// No block comes until the guard is dropped, unless the test makes it.
	async fn halt(&self) -> MutexGuard<'_, ()> {
		self.making.lock().await
	}
}

impl Drop for Blocks {
	fn drop(&mut self) {
		self.task.abort();
	}
}

/// Runs the verb and kills it at the first block after which more than `missing` objects are missing. Blocks are halted: nothing
/// goes on between the look and the kill, however fast the verb is.
async fn kill_host(node: &Node, missing: u64) -> StagingView {
	let words: Vec<&str> = HOST.split(' ').collect();
	let (mut command, _temporary) = harness::command(&[&words[..], &["--url", &node.url]].concat());
	let mut host = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
	let at = until("the verb is in the middle", async || {
		block(node, true).await;
		staging(node).await.filter(|at| at.missing > missing)
	})
	.await;
	host.kill().unwrap();
	host.wait().unwrap();
	at
}

/// Calls change the content: other owners, a frozen and a shared object among them.
async fn change(node: &Node, epoch: u64) -> StatusJson {
	let genesis = genesis(node).await;
	let path = |text: &str| text.parse::<Path>().unwrap();
	let board = Call::Create {
		parent: Path::default(),
		key: key("board"),
		object_type: ObjectType::Plain,
		flags: ObjectFlags::hashed_keys(),
	};
	let calls = [
		set("/top 0/mid/low", "new", b"from a call"),
		Call::RemoveFields {
			object: path("/top 1"),
			keys: vec![key("field 007")].try_into().unwrap(),
		},
		board,
		set("/board", "notice", b"read me"),
		Call::Share { object: path("/board") },
		Call::Transfer { object: path("/top 2"), to: Bob.to_account_id() },
		Call::Freeze { object: path("/top 3") },
	];
	for (nonce, call) in (0..).zip(calls) {
		let receipt = submit(node, signed(&genesis, epoch, Alice, nonce, call)).await.unwrap();
		assert_eq!(receipt.status, "applied", "{receipt:?}");
	}
	let bobs = signed(&genesis, epoch, Bob, 0, set("/top 2", "bob", b"was here"));
	assert_eq!(submit(node, bobs).await.unwrap().status, "applied");
	until_committed(node).await
}

/// Begins to take the content back, is killed in the middle, and gives up; the second time it goes through.
async fn take_back(node: &Node, blocks: &Blocks, epoch: u64) -> Value {
	let genesis = genesis(node).await;
	let late = |nonce| signed(&genesis, epoch, Alice, nonce, set("/top 4", "late", b"x"));
	let halted = blocks.halt().await;
	kill_host(node, 1).await;
	let answer = submit(node, late(7)).await.unwrap_err().to_string();
	assert!(answer.contains("takes the content of this subtree back"), "{answer}");
	let other = refused(node, "subtree host /x --suri //Bob");
	assert!(other.contains("only") && other.contains("who registered it"), "{other}");
	drop(halted);

	// Giving up lets the subtree go on.
	assert_eq!(verb(node, &format!("{HOST} --cancel"))["outcome"], "cancelled");
	assert!(refused(node, &format!("{HOST} --cancel")).contains("nobody takes this subtree back"));
	after_blocks(node, async |_| submit(node, late(7)).await.ok()).await;
	until_committed(node).await;

	let halted = blocks.halt().await;
	let left = kill_host(node, 2).await.left;
	drop(halted);
	let hosted = verb(node, HOST);
	assert!(hosted["transactions"].as_u64().unwrap() > 0, "{hosted} {left:?}");
	hosted
}

#[tokio::test(flavor = "multi_thread")]
async fn content_goes_from_the_hub_to_a_node_and_back() {
	let node = Node::start(&["--dev", "--seal", "manual", "--serve", "/x", "--tmp"]).await;
	let blocks = Blocks::start(&node).await;
	insert_authority(&node).await;
	build(&node).await;
	let before = hub_object(&node, "/x").await;
	let low = hub_object(&node, "/x/top 0/mid/low").await;
	let register = format!("subtree create /x --authority {}", Bob.to_account_id());
	let exists = refused(&node, &format!("{register} --suri //Alice"));
	assert!(exists.contains("hosts an object at /x already") && exists.contains("--hosted"));
	let stranger = refused(&node, &format!("{register} --suri //Bob --hosted"));
	assert!(stranger.contains("only its owner"), "{stranger}");
	let none = refused(&node, "subtree create /none --suri //Alice --hosted");
	assert!(none.contains("there is no object at /none"), "{none}");

	let created = verb(&node, &format!("{register} --suri //Alice --hosted"));
	let epoch = created["epoch"].as_u64().unwrap();
	let served = until_content(&node).await;
	assert_eq!((served.role.as_str(), served.local_root), ("serve", before.state_root));
	let params = rpc_params![id("/x/top 0/mid/low").to_string()];
	let copied: ObjectJson = node.client.request("subtree_object", params).await.unwrap();
	assert_eq!((copied.meta, copied.state_root), (low.meta, low.state_root));
	assert_eq!(proven(&node, "/x/top 5", "field 299").await, Some(vec![43; 60]));

	let changed = change(&node, epoch).await;
	assert_eq!(proven(&node, "/x/top 0/mid/low", "new").await, Some(b"from a call".to_vec()));
	assert_eq!(proven(&node, "/x/top 1", "field 007").await, None);
	assert_ne!(changed.local_root, before.state_root);

	let hosted = take_back(&node, &blocks, epoch).await;
	let after = hub_object(&node, "/x").await;
	assert_eq!(hosted["stateRoot"], json!(after.state_root));
	// As a run finds it that was interrupted after its last transaction.
	let again = verb(&node, HOST);
	assert_eq!((&again["outcome"], &again["transactions"]), (&json!("hosted"), &json!(0)));
	assert_eq!(again["stateRoot"], json!(after.state_root));
	assert!(refused(&node, &format!("{HOST} --cancel")).contains("nothing to cancel"));
	let none = refused(&node, "subtree host /none --suri //Alice");
	assert!(none.contains("there is no subtree with the id"), "{none}");
	assert_eq!(after.meta.unwrap().children, u64::from(TOPS) + 1);
	let bobs = hub_object(&node, "/x/top 2").await.meta.unwrap();
	assert_eq!(bobs.owner, Bob.to_account_id().to_ss58check());
	assert_eq!(hub_object(&node, "/x/top 3").await.meta.unwrap().owner, "frozen");
	assert_eq!(hub_object(&node, "/x/board").await.meta.unwrap().owner, "shared");

	// The hub changes it again, each owner his own.
	let write = |path: &str| set_fields(path, vec![(key("again"), FieldValue::default())]);
	let number = |object: ObjectJson| object.meta.unwrap().fields;
	let fields_before = number(hub_object(&node, "/x/top 2").await);
	transact(&node, Alice, write("/x/top 2")).await;
	assert_eq!(number(hub_object(&node, "/x/top 2").await), fields_before, "it is Bob's");
	transact(&node, Bob, write("/x/top 2")).await;
	assert_eq!(number(hub_object(&node, "/x/top 2").await), fields_before + 1);
	let late = signed(&genesis(&node).await, epoch, Alice, 8, set("/top 4", "late", b"y"));
	let closed = submit(&node, late).await.unwrap_err().to_string();
	assert!(closed.contains("closed or removed"), "{closed}");
}

/// Before the first head the hub has everything still.
#[tokio::test(flavor = "multi_thread")]
async fn content_that_nobody_changed_goes_back_at_once() {
	let node = Node::start(&["--dev", "--seal", "interval=300", "--serve", "/x", "--tmp"]).await;
	transact(&node, Alice, create_object("/", "x")).await;
	let before = hub_object(&node, "/x").await.state_root;
	verb(&node, "subtree create /x --suri //Alice --hosted");
	until_content(&node).await;
	let restored = verb(&node, HOST);
	assert_eq!(
		(&restored["outcome"], &restored["stateRoot"]),
		(&json!("restored"), &json!(before))
	);
	let object = hub_object(&node, "/x").await;
	assert!(object.meta.is_some(), "hosted again");
	assert_eq!(object.state_root, before);
}

/// Without the authority's key nothing is committed.
#[tokio::test(flavor = "multi_thread")]
async fn acknowledged_calls_keep_content_from_going_back_unless_they_are_given_up() {
	let node = Node::start(&["--dev", "--seal", "interval=300", "--serve", "/x", "--tmp"]).await;
	verb(&node, "subtree create /x --suri //Alice");
	let epoch = until_content(&node).await.epoch;
	let call = signed(&genesis(&node).await, epoch, Alice, 0, create("DE"));
	assert_eq!(submit(&node, call).await.unwrap().status, "applied");
	let waits = refused(&node, &format!("{HOST} --timeout 3"));
	assert!(waits.contains("1 acknowledged calls are in no head that the hub accepted"), "{waits}");
	assert!(staging(&node).await.is_none(), "it has not begun");
	let hosted = verb(&node, &format!("{HOST} --discard-calls"));
	assert_eq!((&hosted["outcome"], &hosted["seq"]), (&json!("hosted"), &json!(0)));
	assert_eq!(hub_object(&node, "/x").await.meta.unwrap().children, 0);
}
