//! Copies of a remote subtree on other nodes, over both network backends.

mod records;
mod restart;
mod several;

use crate::{
	harness::Node,
	hostile::net::until_some,
	subtree::{
		after_blocks, create, genesis, insert_authority, key, register, root_in_header, signed,
		status, submit, until_committed, until_served,
	},
};
use dstp_node_sdk::subtree::{StatusJson, SubtreeProofJson, SyncJson};
use dstp_primitives::{
	call::Call,
	proof::{Proof, TrustedRoot},
	Path, Value as FieldValue,
};
use jsonrpsee::{core::client::ClientT, rpc_params};
use serde_json::json;
use sp_keyring::Sr25519Keyring::Alice;

/// More than one answer holds: 30 objects of 12 fields of 1 KiB are 360 KiB.
const OBJECTS: u64 = 30;
const FIELDS: u64 = 12;

fn fill(object: u64) -> Call {
	let value = |field: u64| FieldValue::try_from(vec![(object + field) as u8; 1024]).unwrap();
	let fields = (0..FIELDS).map(|field| (key(&format!("field {field}")), value(field)));
	let object = Path::new(vec![key(&format!("object {object}"))]).unwrap();
	Call::SetFields { object, fields: fields.collect::<Vec<_>>().try_into().unwrap() }
}

async fn start(identity: &str, number: u8, backend: &str, others: &[&str]) -> Node {
	let node_key = format!("--node-key={number:064x}");
	let backend = format!("--network-backend={backend}");
	let own = ["--chain=local", identity, &node_key, &backend];
	Node::start(&[&own, others].concat()).await
}

/// The number of the newest final block.
async fn finalised(node: &Node) -> u32 {
	after_blocks(node, async |number| Some(number)).await
}

/// Until a follower's copy is that of `wanted`, and `told` holds of what the follower tells of itself: it tells that at times of
/// its own, after it stored what it tells of.
pub async fn until_followed(
	node: &Node,
	wanted: &StatusJson,
	told: impl Fn(&SyncJson) -> bool,
) -> StatusJson {
	let told = |sync: &SyncJson| {
		sync.phase == "following" && sync.invalid == 0 && sync.peers >= 1 && told(sync)
	};
	let mut last = None;
	let reached = until_some(async || {
		last = status(node).await.ok();
		let status = last.clone()?;
		let here = status.synced && status.local_seq >= wanted.local_seq;
		(here && status.sync.as_ref().is_some_and(told)).then_some(status)
	})
	.await;
	let status = reached.unwrap_or_else(|| panic!("it follows {wanted:?} in time: {last:?}"));
	assert_eq!(status.role, "follow");
	assert_eq!((status.local_seq, status.local_root), (wanted.local_seq, wanted.local_root));
	status
}

/// A proof by `node` holds against the header that `validator` has.
async fn check_proof(node: &Node, validator: &Node, field: &str, value: &[u8]) {
	let query = json!({ "object": "/x/object 7", "fields": [format!("0x{}", hex::encode(field))] });
	let proof: SubtreeProofJson = after_blocks(node, async |_| {
		node.client.request("subtree_proof", rpc_params![query.clone()]).await.ok()
	})
	.await;
	let block = proof.block.expect("from the root of the tree").block_hash;
	let root = root_in_header(validator, block).await;
	let proven = Proof::from_bytes(&proof.proof).unwrap().check(TrustedRoot::global(root)).unwrap();
	let object = proven.answer().object.as_ref().expect("the object exists");
	assert_eq!(object.fields[0].1.as_ref().map(|value| &value[..]), Some(value));
}

#[tokio::test(flavor = "multi_thread")]
async fn followers_copy_the_state_and_then_execute_batches() {
	let [serve_y, follow_z] = &several::serving_flags();
	let alice = start("--alice", 1, "litep2p", &["--tmp", "--serve=/x", serve_y, follow_z]).await;
	let address = alice.p2p_address().await;
	let others = ["--tmp", "--follow=/x", "--bootnodes", &address];
	let [follow_y, serve_z] = &several::following_flags();
	// Bob follows from the first head on, Carol when there is a state to copy. Dave's worker is off.
	let bob =
		start("--bob", 2, "libp2p", &[&others[..], &[follow_y.as_str(), serve_z]].concat()).await;
	let dave = [&others, &["--offchain-worker=never"][..]].concat();
	let dave = start("--name=dave", 4, "litep2p", &dave).await;
	insert_authority(&alice).await;
	register(&alice).await;
	let epoch = until_served(&alice).await.epoch;
	// Otherwise the first head could be final before Bob hears of the subtree, and he would copy it.
	until_served(&bob).await;
	several::register(&bob).await;
	let genesis = genesis(&alice).await;
	let submit = async |nonce, call| {
		let receipt = submit(&alice, signed(&genesis, epoch, Alice, nonce, call)).await.unwrap();
		assert_eq!(receipt.status, "applied");
	};
	for object in 0..OBJECTS {
		submit(2 * object, create(&format!("object {object}"))).await;
		submit(2 * object + 1, fill(object)).await;
	}
	let served = until_committed(&alice).await;
	// Bob has executed every call.
	until_followed(&bob, &served, |at| (at.entries, at.calls) == (0, 2 * OBJECTS)).await;

	let folder = tempfile::tempdir().unwrap();
	let base_path = format!("--base-path={}", folder.path().display());
	let others = [&base_path, "--bootnodes", &address];
	let carol = start("--name=carol", 3, "libp2p", &others).await;
	let number = finalised(&bob).await;
	after_blocks(&carol, async |now| (now >= number).then_some(())).await;
	carol.interrupt().await;
	let carol = start("--name=carol", 3, "libp2p", &[&others, &["--follow=/x"][..]].concat()).await;
	// Carol has copied.
	until_followed(&carol, &served, |at| (at.objects, at.batches) == (OBJECTS + 1, 0)).await;
	check_proof(&carol, &alice, "field 3", &[10; 1024]).await;

	let field = (key("field 3"), FieldValue::try_from(b"new".to_vec()).unwrap());
	let object = Path::new(vec![key("object 7")]).unwrap();
	let change = Call::SetFields { object, fields: vec![field].try_into().unwrap() };
	submit(2 * OBJECTS, change).await;
	let served = until_committed(&alice).await;
	for follower in [&bob, &carol] {
		// It executes new calls.
		until_followed(follower, &served, |at| at.batches >= 1).await;
		check_proof(follower, &alice, "field 3", b"new").await;
	}

	several::check(&genesis, &alice, &bob).await;

	let number = finalised(&bob).await;
	after_blocks(&dave, async |now| (now >= number).then_some(())).await;
	let refused = status(&dave).await.unwrap_err().to_string();
	assert!(refused.contains("is not registered on the hub, as far as"), "{refused}");
}
