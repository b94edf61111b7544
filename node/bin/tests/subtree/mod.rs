//! A remote subtree on a real node: calls, commits through the off-chain worker, proofs.

mod live;

use crate::{
	harness::{self, Node, LIMIT},
	transaction,
};
use codec::Encode;
use dstp_hub_runtime::RuntimeCall;
use dstp_node_sdk::{
	global_tree::ResolvedJson,
	subtree::{ReceiptJson, StatusJson, SubtreeProofJson},
};
use dstp_primitives::{
	call::{Call, CallPayload, SignedCall},
	digest::{GlobalRoot, ENGINE_ID},
	mode::poa::{AuthoritySet, PoaParams},
	object::{ModeId, ObjectFlags, ObjectType},
	proof::{Proof, TrustedRoot},
	Key, ObjectId, Path, Value as FieldValue,
};
use jsonrpsee::{
	core::client::{ClientT, Error, Subscription, SubscriptionClientT},
	rpc_params,
};
use serde_json::{json, Value};
use sp_core::{Bytes, H256};
use sp_keyring::Sr25519Keyring::{self, Alice, Bob};
use sp_runtime::{generic::Header, traits::BlakeTwo256, DigestItem};

const BLOCKS: &[&str] = &["--dev", "--seal", "interval=500", "--serve", "/x"];

pub fn key(text: &str) -> Key {
	Key::try_from(text).unwrap()
}

pub fn subtree() -> ObjectId {
	ObjectId::ROOT.child(&key("x"))
}

pub async fn genesis(node: &Node) -> String {
	node.client.request("chain_getBlockHash", rpc_params![0]).await.unwrap()
}

/// Puts Bob's key into the node's keystore: he is the authority of `/x` and pays for commits.
pub async fn insert_authority(node: &Node) {
	insert_key(node, Bob).await;
}

/// Lets the node sign heads as `authority`, who pays for their commits.
pub async fn insert_key(node: &Node, authority: Sr25519Keyring) {
	let key = rpc_params!["dsub", authority.to_seed(), Bytes(authority.public().0.to_vec())];
	node.client.request::<(), _>("author_insertKey", key).await.unwrap();
}

/// Alice registers `/x` with Bob as its authority.
pub async fn register(node: &Node) {
	register_below_root(node, 0, "x", Bob).await;
}

/// Alice registers a subtree by the transaction with this nonce of hers.
pub async fn register_below_root(node: &Node, nonce: u32, name: &str, authority: Sr25519Keyring) {
	let authorities = AuthoritySet::new(vec![authority.to_account_id()], 1).unwrap();
	let params = PoaParams { authorities, min_interval_blocks: 0, max_silence_blocks: None };
	let call = RuntimeCall::SubtreeSecurity(pallet_subtree_security::Call::register {
		parent: ObjectId::ROOT,
		key: key(name),
		mode: ModeId::Native(1),
		params: params.encode().try_into().unwrap(),
		object_type: ObjectType::Plain,
		flags: ObjectFlags::default(),
	});
	let extrinsic = transaction::sign(Alice, nonce, &genesis(node).await, call);
	let _: Value =
		node.client.request("author_submitExtrinsic", rpc_params![extrinsic]).await.unwrap();
}

pub fn signed(genesis: &str, epoch: u64, signer: Sr25519Keyring, nonce: u64, call: Call) -> String {
	signed_for(subtree(), genesis, epoch, signer, nonce, call)
}

pub fn signed_for(
	subtree: ObjectId,
	genesis: &str,
	epoch: u64,
	signer: Sr25519Keyring,
	nonce: u64,
	call: Call,
) -> String {
	let genesis: [u8; 32] =
		hex::decode(genesis.trim_start_matches("0x")).unwrap().try_into().unwrap();
	let payload = CallPayload {
		genesis: H256(genesis),
		subtree,
		epoch,
		signer: signer.to_account_id(),
		nonce,
		valid_until: 10_000,
		call,
	};
	let signature = signer.sign(&payload.signing_bytes()).into();
	format!("0x{}", hex::encode(SignedCall { payload, signature }.encode()))
}

pub fn create(name: &str) -> Call {
	Call::Create {
		parent: Path::default(),
		key: key(name),
		object_type: ObjectType::Plain,
		flags: ObjectFlags::default(),
	}
}

fn set(object: &str, field: &str, value: &[u8]) -> Call {
	let field = (key(field), FieldValue::try_from(value.to_vec()).unwrap());
	Call::SetFields { object: object.parse().unwrap(), fields: vec![field].try_into().unwrap() }
}

pub async fn submit(node: &Node, call: String) -> Result<ReceiptJson, Error> {
	node.client.request("subtree_submit", rpc_params![call]).await
}

pub async fn status(node: &Node) -> Result<StatusJson, Error> {
	status_of(node, subtree()).await
}

pub async fn status_of(node: &Node, subtree: ObjectId) -> Result<StatusJson, Error> {
	node.client.request("subtree_status", rpc_params![subtree.to_string()]).await
}

/// Looks at the node after each finalised block until `reached` says so.
pub async fn after_blocks<T>(node: &Node, mut reached: impl AsyncFnMut(u32) -> Option<T>) -> T {
	let mut heads: Subscription<Value> = node
		.client
		.subscribe(
			"chain_subscribeFinalizedHeads",
			rpc_params![],
			"chain_unsubscribeFinalizedHeads",
		)
		.await
		.unwrap();
	let wait = async {
		while let Some(head) = heads.next().await {
			if let Some(found) = reached(harness::number(&head.unwrap())).await {
				return found;
			}
		}
		panic!("the subscription ended too early");
	};
	tokio::time::timeout(LIMIT, wait).await.expect("it happens in time")
}

pub async fn until_served(node: &Node) -> StatusJson {
	after_blocks(node, async |_| status(node).await.ok()).await
}

/// Until every call that was acknowledged is in a head that the hub has.
pub async fn until_committed(node: &Node) -> StatusJson {
	after_blocks(node, async |_| {
		let status = status(node).await.ok()?;
		(status.pending_calls == 0 && status.hub_seq > 0).then_some(status)
	})
	.await
}

/// A number of Prometheus by its name, of the subtree of these tests.
pub fn metric(text: &str, name: &str) -> u64 {
	let subtree = format!("subtree=\"{}\"", subtree());
	let line = text
		.lines()
		.find(|line| line.starts_with(&format!("{name}{{")) && line.contains(&subtree))
		.unwrap_or_else(|| panic!("no {name} in {text}"));
	line.rsplit(' ').next().unwrap().parse().unwrap()
}

/// The global root in a block's header, which the client hashes itself.
pub async fn root_in_header(node: &Node, block: H256) -> H256 {
	let header: Header<u32, BlakeTwo256> =
		node.client.request("chain_getHeader", rpc_params![block]).await.unwrap();
	assert_eq!(header.hash(), block);
	let roots = header.digest.logs.iter().filter_map(|item| match item {
		DigestItem::Consensus(ENGINE_ID, payload) => GlobalRoot::from_digest(payload),
		_ => None,
	});
	let roots: Vec<_> = roots.collect();
	assert_eq!(roots.len(), 1, "one global root per header");
	roots[0].root
}

#[tokio::test(flavor = "multi_thread")]
async fn calls_reach_the_hub_and_are_proven_from_its_root() {
	let node = Node::start_with_metrics(&[BLOCKS, &["--tmp"]].concat()).await;
	insert_authority(&node).await;
	register(&node).await;
	let epoch = until_served(&node).await.epoch;
	let genesis = genesis(&node).await;

	let receipt = submit(&node, signed(&genesis, epoch, Alice, 0, create("DE"))).await.unwrap();
	assert_eq!(receipt.status, "applied");
	let berlin = signed(&genesis, epoch, Alice, 1, set("/DE", "Berlin", b"52.5"));
	assert_eq!(submit(&node, berlin.clone()).await.unwrap().status, "applied");
	let stranger = signed(&genesis, epoch, Bob, 0, set("/DE", "Bonn", b"x"));
	assert_eq!(submit(&node, stranger).await.unwrap().status, "failed");
	let replayed = submit(&node, berlin).await.unwrap_err().to_string();
	assert!(replayed.contains("next nonce in this subtree is 2"), "{replayed}");
	let forged = signed(&genesis, epoch + 1, Alice, 2, create("FR"));
	assert!(submit(&node, forged).await.unwrap_err().to_string().contains("another registration"));

	let committed = until_committed(&node).await;
	let query = json!({ "object": "/x/DE", "fields": ["0x4265726c696e", "0x41746c616e746973"] });
	let proof: SubtreeProofJson = after_blocks(&node, async |_| {
		node.client.request("subtree_proof", rpc_params![query.clone()]).await.ok()
	})
	.await;
	let block = proof.block.expect("from the root of the tree").block_hash;
	let root = root_in_header(&node, block).await;
	let proven = Proof::from_bytes(&proof.proof).unwrap().check(TrustedRoot::global(root)).unwrap();
	let object = proven.answer().object.as_ref().expect("the object exists");
	assert_eq!(object.fields[0].1.as_ref().map(|value| &value[..]), Some(&b"52.5"[..]));
	assert_eq!(object.fields[1].1, None);

	let resolved: ResolvedJson =
		node.client.request("dstp_resolve", rpc_params!["/x/DE"]).await.unwrap();
	assert_eq!(resolved.subtree.map(|id| id.0), Some(subtree()));

	let text = node.metrics();
	assert_eq!(metric(&text, "dstp_subtree_calls_total"), 3, "what is refused is not executed");
	assert_eq!(metric(&text, "dstp_subtree_batches_total"), committed.local_seq);
}

#[tokio::test(flavor = "multi_thread")]
async fn acknowledged_calls_survive_kill_and_are_committed_later() {
	let folder = tempfile::tempdir().unwrap();
	let path = folder.path().to_str().unwrap().to_owned();
	let arguments = [BLOCKS, &["--base-path", &path]].concat();
	let node = Node::start(&arguments).await;
	register(&node).await;
	let epoch = until_served(&node).await.epoch;
	let genesis = genesis(&node).await;
	// No key is in the keystore yet, so nothing can be committed.
	for nonce in 0..20 {
		let call = signed(&genesis, epoch, Alice, nonce, create(&format!("object {nonce}")));
		submit(&node, call).await.unwrap();
	}
	drop(node);

	let node = Node::start(&arguments).await;
	until_served(&node).await;
	let nonce: u64 = node
		.client
		.request("subtree_nextNonce", rpc_params![subtree().to_string(), Alice.to_account_id()])
		.await
		.unwrap();
	assert_eq!(nonce, 20, "every acknowledged call is there once");
	insert_authority(&node).await;
	let status = until_committed(&node).await;
	assert_eq!(status.hub_seq, status.local_seq);
}

#[tokio::test(flavor = "multi_thread")]
async fn without_the_worker_nothing_is_served_or_committed() {
	let node = Node::start(&[BLOCKS, &["--tmp", "--offchain-worker", "never"]].concat()).await;
	insert_authority(&node).await;
	register(&node).await;
	let first = after_blocks(&node, async |number| {
		let view: Option<Value> =
			node.client.request("subtree_head", rpc_params![subtree().to_string()]).await.unwrap();
		view.map(|_| number)
	})
	.await;
	after_blocks(&node, async |number| (number >= first + 5).then_some(())).await;
	let refused = status(&node).await.unwrap_err().to_string();
	assert!(refused.contains("is not registered on the hub, as far as"), "{refused}");
}
