//! Followers of a subtree that came from the hub.

use super::*;
use crate::follow::until_followed;

async fn start(identity: &str, number: u8, others: &[&str]) -> Node {
	let node_key = format!("--node-key={number:064x}");
	let own = ["--chain=local", identity, &node_key, "--tmp"];
	Node::start(&[&own, others].concat()).await
}

/// In the short form the engine's `a_subtree_that_the_hub_held_is_served_after_its_import` takes a state over that no head has
/// yet, and `followers_copy_the_state_and_then_execute_batches` copies between nodes.
#[tokio::test(flavor = "multi_thread")]
#[ignore = "long form: make test-long runs it"]
async fn a_follower_copies_content_before_the_first_head_and_goes_on() {
	let alice = start("--alice", 1, &["--serve=/x"]).await;
	let address = alice.p2p_address().await;
	let bob = start("--bob", 2, &["--follow=/x", "--bootnodes", &address]).await;
	insert_authority(&alice).await;
	build(&alice).await;
	let root = hub_object(&alice, "/x").await.state_root;
	let register = format!("subtree create /x --authority {} --hosted", Bob.to_account_id());
	let created = verb(&alice, &format!("{register} --suri //Alice"));
	let served = until_content(&alice).await;
	assert_eq!((served.local_seq, served.local_root), (0, root));
	// Copied, not executed.
	let copied = |at: &SyncJson| (at.objects, at.batches) == (u64::from(OBJECTS), 0);
	let followed = until_followed(&bob, &served, copied).await;
	assert_eq!((followed.local_seq, followed.local_root), (0, root));
	assert_eq!(proven(&bob, "/x/top 5", "field 299").await, Some(vec![43; 60]));

	let changed = change(&alice, created["epoch"].as_u64().unwrap()).await;
	until_followed(&bob, &changed, |at| at.batches >= 1).await;
	assert_eq!(proven(&bob, "/x/top 0/mid/low", "new").await, Some(b"from a call".to_vec()));
	let refused = refused(&bob, HOST);
	assert!(refused.contains("name that one with --url, or add --discard-calls"), "{refused}");
}
