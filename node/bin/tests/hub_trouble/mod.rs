//! A hub that is reorganised, has no room, or stands still: nothing acknowledged is lost, and everything is committed later.

use crate::{
	harness::Node,
	hostile::net::{self, until, until_some},
	subtree::{
		create, genesis, insert_authority, register, signed, status, submit, until_committed,
		until_served,
	},
	transaction,
};
use dstp_hub_runtime::RuntimeCall;
use dstp_node_sdk::subtree::StatusJson;
use jsonrpsee::{core::client::ClientT, rpc_params};
use sc_network::config::NetworkBackendType::{Libp2p, Litep2p};
use serde_json::Value;
use sp_keyring::Sr25519Keyring::{Alice, Charlie, Dave};

/// A hub and server of `/x` in one, which makes a block when it is told to.
struct Manual {
	node: Node,
	genesis: String,
	epoch: u64,
}

/// Makes a block on the best one.
pub async fn block(node: &Node, finalise: bool) -> String {
	let made: Value =
		node.client.request("engine_createBlock", rpc_params![true, finalise]).await.unwrap();
	made["hash"].as_str().expect("a block has a hash").to_owned()
}

/// Makes another block on `parent` than there is. If that has the slot that it is now, the node refuses to make the same again.
async fn other_block(node: &Node, parent: &str) -> String {
	until("another block on the same parent is made", async || {
		let arguments = rpc_params![true, false, parent];
		let made: Result<Value, _> = node.client.request("engine_createBlock", arguments).await;
		Some(made.ok()?["hash"].as_str().expect("a block has a hash").to_owned())
	})
	.await
}

async fn best(node: &Node) -> String {
	node.client.request("chain_getBlockHash", rpc_params![]).await.unwrap()
}

/// Until the node knows of `/x` what its best block says.
async fn until_status(
	node: &Node,
	what: &str,
	reached: impl Fn(&StatusJson) -> bool,
) -> StatusJson {
	let mut last = None;
	let reached = until_some(async || {
		last = Some(status(node).await);
		last.as_ref()?.as_ref().ok().filter(|status| reached(status)).cloned()
	})
	.await;
	reached.unwrap_or_else(|| panic!("{what} in time: {last:?}"))
}

impl Manual {
	async fn start(others: &[&str]) -> Self {
		let own = ["--dev", "--tmp", "--seal", "manual", "--serve", "/x"];
		let node = Node::start(&[&own, others].concat()).await;
		insert_authority(&node).await;
		register(&node).await;
		let genesis = genesis(&node).await;
		block(&node, true).await;
		let epoch = until_status(&node, "the subtree is served", |_| true).await.epoch;
		Self { node, genesis, epoch }
	}

	async fn call(&self, nonce: u64) {
		let call = signed(&self.genesis, self.epoch, Alice, nonce, create(&format!("{nonce}")));
		assert_eq!(submit(&self.node, call).await.unwrap().status, "applied");
	}

	/// Until the calls so far are sealed into a head.
	async fn until_sealed(&self, seq: u64) {
		let sealed = |status: &StatusJson| status.local_seq == seq && status.open_calls == 0;
		until_status(&self.node, "the calls are sealed", sealed).await;
	}
}

/// In the short form the driver's `a_reorganisation_that_removes_commits_hands_the_heads_over_again` does it with a hub that is
/// played.
#[tokio::test(flavor = "multi_thread")]
#[ignore = "long form: make test-long runs it"]
async fn a_head_whose_commit_a_reorganisation_removed_is_committed_again() {
	let hub = Manual::start(&[]).await;
	let node = &hub.node;
	let fork = best(node).await;
	// The commit's transaction is valid on this branch only: it names a block of it.
	block(node, false).await;
	block(node, false).await;
	hub.call(0).await;
	hub.until_sealed(1).await;
	let mut height = 2;
	let committed = until("the head is committed", async || {
		block(node, false).await;
		height += 1;
		status(node).await.ok().filter(|status| status.hub_seq == 1)
	})
	.await;
	assert_eq!(committed.pending_calls, 0);

	let mut parent = fork;
	for _ in 0..height {
		parent = other_block(node, &parent).await;
	}
	assert_ne!(best(node).await, parent, "the longer branch is the first one yet");
	parent = other_block(node, &parent).await;
	until("the other branch wins", async || (best(node).await == parent).then_some(())).await;
	let lost = |status: &StatusJson| status.hub_seq == 0 && status.pending_calls == 1;
	until_status(node, "the lost commit is noticed", lost).await;

	let again = until("the head is committed again", async || {
		block(node, false).await;
		status(node).await.ok().filter(|status| status.hub_seq == 1)
	})
	.await;
	assert_eq!(
		(again.local_seq, again.local_root, again.pending_calls),
		(committed.local_seq, committed.local_root, 0),
		"it is the same head"
	);
	block(node, true).await;
	hub.call(1).await;
	hub.until_sealed(2).await;
	until("the next head follows", async || {
		block(node, true).await;
		status(node).await.ok().filter(|status| status.hub_seq == 2)
	})
	.await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_full_transaction_pool_only_delays() {
	const POOL: u32 = 5;
	let hub = Manual::start(&["--pool-limit", &POOL.to_string()]).await;
	let node = &hub.node;
	hub.call(0).await;
	hub.until_sealed(1).await;
	for nonce in 0..POOL {
		let transfer = tipped_transfer(nonce, &hub.genesis);
		let _: Value =
			node.client.request("author_submitExtrinsic", rpc_params![transfer]).await.unwrap();
	}
	// The pool keeps them until their block is final, because a reorganisation may bring them back.
	until("the pool has no room for the commit", async || {
		block(node, false).await;
		node.has_logged("the pool took head").then_some(())
	})
	.await;
	hub.call(1).await;
	let waiting = status(node).await.unwrap();
	assert_eq!((waiting.hub_seq, waiting.pending_calls), (0, 2), "calls are taken all the same");

	until("both calls are committed", async || {
		block(node, true).await;
		status(node).await.ok().filter(|status| status.pending_calls == 0)
	})
	.await;
}

/// A transfer of Charlie that no other transaction displaces.
fn tipped_transfer(nonce: u32, genesis: &str) -> String {
	let value = 1_000_000_000_000;
	let dest = Dave.to_account_id().into();
	let call = pallet_balances::Call::transfer_keep_alive { dest, value };
	transaction::sign_with_tip(Charlie, nonce, genesis, RuntimeCall::Balances(call), 1000 * value)
}

/// In the short form the driver's `a_hub_that_stands_only_delays_and_calls_go_on` does it with a hub that is played, and
/// `a_full_transaction_pool_only_delays` with this one.
#[tokio::test(flavor = "multi_thread")]
#[ignore = "long form: make test-long runs it"]
async fn a_hub_that_stands_still_only_delays() {
	let hub = net::start(Litep2p, 1, &["--alice", "--tmp"]).await;
	let address = hub.p2p_address().await;
	let others = ["--name=vera", "--tmp", "--serve=/x", "--bootnodes", &address];
	let vera = net::start(Libp2p, 2, &others).await;
	insert_authority(&vera).await;
	register(&vera).await;
	let epoch = until_served(&vera).await.epoch;
	let genesis = genesis(&vera).await;
	let call = async |nonce: u64, name: &str| {
		submit(&vera, signed(&genesis, epoch, Alice, nonce, create(name))).await
	};
	call(0, "before").await.unwrap();
	let before = until_committed(&vera).await;

	hub.signal("STOP");
	// As many as one account may have waiting.
	let mut nonce = 1;
	let refused = loop {
		// All but the first fail, because the object exists then; each is kept all the same.
		match call(nonce, "while it stood").await {
			Ok(_) => nonce += 1,
			Err(error) => break error.to_string(),
		}
	};
	assert!(refused.contains("calls of this account wait for the hub already"), "{refused}");
	assert_eq!(nonce, 4097);
	let full = status(&vera).await.unwrap();
	assert_eq!((full.hub_seq, u64::from(full.pending_calls)), (before.hub_seq, nonce - 1));
	assert!(full.local_seq >= before.local_seq + 3, "heads are sealed all the same: {full:?}");

	hub.signal("CONT");
	let after = until_committed(&vera).await;
	assert!(after.hub_seq == after.local_seq && after.hub_seq >= full.local_seq, "{after:?}");
	call(nonce, "after").await.unwrap();
	until_committed(&vera).await;
}
