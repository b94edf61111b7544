//! The example with a pallet and a security mode of a team's own.

// Shared with the tests of the hub's node, which need more of it.
#[allow(dead_code)]
#[path = "../../../bin/tests/harness/mod.rs"]
mod harness;
mod mode;
#[allow(dead_code)]
#[path = "../../../bin/tests/transaction/mod.rs"]
mod transaction;

use codec::{Decode, DecodeAll, Encode};
use dstp_example_runtime::{
	self as runtime,
	guestbook::{self, Entry, Lines, MAX_LINE_BYTES},
	metered::{head_payload, Metered, Params},
	Hash, Runtime, RuntimeCall, RuntimeEvent,
};
use dstp_primitives::{
	call::{Call, CallPayload, SignedCall},
	head::{Head, HEAD_VERSION},
	mode::SecurityMode,
	object::{ModeId, ObjectFlags, ObjectType},
	signature::Signature,
	subtree::SubtreeView,
	Key, ObjectId, Path,
};
use frame_support::traits::Get;
use frame_system::{AccountInfo, EventRecord};
use harness::{Node, LIMIT};
use jsonrpsee::{
	core::client::{ClientT, Subscription, SubscriptionClientT},
	rpc_params,
};
use pallet_balances::AccountData;
use serde_json::Value;
use sp_core::{Bytes, H256};
use sp_keyring::Sr25519Keyring::{self, Alice, Bob};
use sp_runtime::DispatchError;

/// The program that [`harness`] starts.
const PROGRAM: &str = env!("CARGO_BIN_EXE_own-chain");

fn subtree() -> ObjectId {
	ObjectId::ROOT.child(&Key::try_from("x").unwrap())
}

async fn genesis(node: &Node) -> String {
	node.client.request("chain_getBlockHash", rpc_params![0]).await.unwrap()
}

async fn storage<T: Decode>(node: &Node, key: Vec<u8>, at: Option<&str>) -> Option<T> {
	let value: Option<Bytes> =
		node.client.request("state_getStorage", rpc_params![Bytes(key), at]).await.unwrap();
	value.map(|bytes| T::decode_all(&mut &bytes.0[..]).unwrap())
}

/// Sends a transaction and waits until it is in a final block. Gives why it failed, if it did.
async fn send(node: &Node, nonce: u32, call: impl Into<RuntimeCall>) -> Option<DispatchError> {
	let extrinsic = transaction::sign(Alice, nonce, &genesis(node).await, call.into());
	let (submit, end) = ("author_submitAndWatchExtrinsic", "author_unwatchExtrinsic");
	let mut status: Subscription<Value> =
		node.client.subscribe(submit, rpc_params![extrinsic], end).await.unwrap();
	let finalised = async {
		loop {
			let status = status.next().await.expect("it becomes final").unwrap();
			if let Some(block) = status.get("finalized") {
				return block.as_str().unwrap().to_owned();
			}
		}
	};
	let block = tokio::time::timeout(LIMIT, finalised).await.expect("it is final in time");
	let key = frame_support::storage::storage_prefix(b"System", b"Events").to_vec();
	let events: Vec<EventRecord<RuntimeEvent, Hash>> =
		storage(node, key, Some(&block)).await.unwrap();
	events.into_iter().find_map(|record| match record.event {
		RuntimeEvent::System(frame_system::Event::ExtrinsicFailed { dispatch_error, .. }) => {
			Some(dispatch_error)
		},
		_ => None,
	})
}

/// What the chain knows of `/x`.
async fn view(node: &Node) -> Option<SubtreeView> {
	let parameters = rpc_params!["SubtreeSecurityApi_head", Bytes(subtree().encode())];
	let answer: Bytes = node.client.request("state_call", parameters).await.unwrap();
	Option::<SubtreeView>::decode_all(&mut &answer.0[..]).unwrap()
}

/// Registers `/x`: Bob signs, two heads in a thousand blocks.
async fn register(node: &Node) {
	let params = Params { key: Bob.to_account_id(), heads: 2, period_blocks: 1000 };
	let call = pallet_subtree_security::Call::register {
		parent: ObjectId::ROOT,
		key: Key::try_from("x").unwrap(),
		mode: ModeId::Native(Metered::ID),
		params: params.encode().try_into().unwrap(),
		object_type: ObjectType::Plain,
		flags: ObjectFlags::default(),
	};
	assert_eq!(send(node, 0, call).await, None);
}

/// The next head, signed.
async fn commit(node: &Node, by: Sr25519Keyring) -> pallet_subtree_security::Call<Runtime> {
	let last = view(node).await.unwrap().head;
	let head = Head {
		version: HEAD_VERSION,
		genesis: genesis(node).await.parse().unwrap(),
		subtree: subtree(),
		epoch: last.epoch,
		era: last.era,
		seq: last.seq + 1,
		prev: last.hash,
		pre_root: last.state_root,
		state_root: H256([7; 32]),
		batch_root: H256([8; 32]),
		batch_len: 1,
		batch_bytes: 100,
		hub_first: last.hub_last,
		hub_last: last.hub_last,
	};
	let signature: Signature = by.sign(&head_payload(&head)).into();
	let evidence = signature.encode().try_into().unwrap();
	pallet_subtree_security::Call::commit_head { head, evidence }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_pallet_takes_calls() {
	let node = Node::start(&["--dev", "--tmp", "--seal=instant"]).await;
	let write = |text: &str| {
		let line = text.as_bytes().to_vec().try_into().unwrap();
		guestbook::Call::<Runtime>::write { line }
	};
	assert_eq!(send(&node, 0, write("Alice was here")).await, None);
	let key = Lines::<Runtime>::hashed_key_for(Alice.to_account_id());
	let Entry::V1(line) = storage(&node, key.clone(), None).await.unwrap();
	assert_eq!(line.to_vec(), b"Alice was here");
	assert!(line.len() <= MAX_LINE_BYTES as usize);

	let deposit = <Runtime as guestbook::Config>::Deposit::get();
	let money = async || {
		let key = frame_system::Account::<Runtime>::hashed_key_for(Alice.to_account_id());
		storage::<AccountInfo<u32, AccountData<u128>>>(&node, key, None).await.unwrap().data
	};
	assert_eq!(money().await.reserved, deposit);
	assert_eq!(send(&node, 1, write(&"x".repeat(128))).await, None);
	assert_eq!(money().await.reserved, deposit, "a longer line takes the place of the first one");
	assert_eq!(send(&node, 2, write("")).await, None);
	assert_eq!(storage::<Entry>(&node, key, None).await, None);
	assert_eq!(money().await.reserved, 0);
	// Whoever cannot pay leaves nothing.
	let all = pallet_balances::Call::<Runtime>::transfer_keep_alive {
		dest: Bob.to_account_id().into(),
		value: money().await.free - deposit,
	};
	assert_eq!(send(&node, 3, all).await, None);
	assert!(send(&node, 4, write("too poor")).await.is_some());
	assert_eq!(money().await.reserved, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_mode_accepts_signed_heads_and_refuses_others() {
	let node = Node::start(&["--dev", "--tmp", "--seal=instant"]).await;
	register(&node).await;

	let forged = commit(&node, Alice).await;
	let refusal = pallet_subtree_security::Error::<Runtime>::BadSignature.into();
	assert_eq!(send(&node, 1, forged).await, Some(refusal));
	assert_eq!(view(&node).await.unwrap().head.seq, 0);

	for seq in 1..=2 {
		let signed = commit(&node, Bob).await;
		assert_eq!(send(&node, 1 + seq, signed).await, None);
		assert_eq!(view(&node).await.unwrap().head.seq, u64::from(seq));
	}
	let surplus = commit(&node, Bob).await;
	let refusal = pallet_subtree_security::Error::<Runtime>::TooEarly.into();
	assert_eq!(send(&node, 4, surplus).await, Some(refusal), "two heads in a period");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_node_signs_and_commits_heads_under_the_mode() {
	let node = Node::start(&["--dev", "--tmp", "--seal=interval=500", "--serve=/x"]).await;
	let key = rpc_params!["dsub", "//Bob", Bytes(Bob.public().0.to_vec())];
	node.client.request::<(), _>("author_insertKey", key).await.unwrap();
	register(&node).await;

	let payload = CallPayload {
		genesis: genesis(&node).await.parse().unwrap(),
		subtree: subtree(),
		epoch: view(&node).await.unwrap().head.epoch,
		signer: Alice.to_account_id(),
		nonce: 0,
		valid_until: 1000,
		call: Call::Create {
			parent: Path::default(),
			key: Key::try_from("made by a call").unwrap(),
			object_type: ObjectType::Plain,
			flags: ObjectFlags::default(),
		},
	};
	let signature = Alice.sign(&payload.signing_bytes()).into();
	let call = Bytes(SignedCall { payload, signature }.encode());

	let (subscribe, end) = ("chain_subscribeFinalizedHeads", "chain_unsubscribeFinalizedHeads");
	let mut blocks: Subscription<Value> =
		node.client.subscribe(subscribe, rpc_params![], end).await.unwrap();
	let committed = async {
		let mut is_taken = false;
		while let Some(block) = blocks.next().await {
			block.unwrap();
			// Until the node has seen the registration, it refuses.
			let submit = ("subtree_submit", rpc_params![call.clone()]);
			is_taken =
				is_taken || node.client.request::<Value, _>(submit.0, submit.1).await.is_ok();
			if view(&node).await.unwrap().head.seq == 1 {
				return;
			}
		}
	};
	tokio::time::timeout(LIMIT, committed).await.expect("the head is committed in time");
}
