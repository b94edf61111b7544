//! Followers of a subtree that came from the hub.

use super::*;

async fn start(identity: &str, number: u8, others: &[&str]) -> Node {
	let node_key = format!("--node-key={number:064x}");
	let own = ["--chain=local", identity, &node_key, "--tmp"];
	Node::start(&[&own, others].concat()).await
}

/// Until a follower has the state of `wanted`.
async fn until_followed(node: &Node, wanted: &StatusJson) -> StatusJson {
	after_blocks(node, async |_| {
		let status = status(node).await.ok()?;
		(status.synced && status.local_seq >= wanted.local_seq).then_some(status)
	})
	.await
}

#[tokio::test(flavor = "multi_thread")]
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
	let followed = until_followed(&bob, &served).await;
	assert_eq!((followed.role.as_str(), followed.local_seq), ("follow", 0));
	assert_eq!(followed.local_root, root);
	let sync = followed.sync.expect("a follower says how it stands");
	assert_eq!((sync.objects, sync.batches), (u64::from(OBJECTS), 0), "copied, not executed");
	assert_eq!(proven(&bob, "/x/top 5", "field 299").await, Some(vec![43; 60]));

	let changed = change(&alice, created["epoch"].as_u64().unwrap()).await;
	let followed = until_followed(&bob, &changed).await;
	assert_eq!(followed.local_root, changed.local_root);
	assert_eq!(proven(&bob, "/x/top 0/mid/low", "new").await, Some(b"from a call".to_vec()));
	let refused = refused(&bob, HOST);
	assert!(refused.contains("name that one with --url, or add --discard-calls"), "{refused}");
}
