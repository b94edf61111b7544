//! A follower that is killed in the middle of a copy.

use crate::{
	hostile::{
		net::{self, until, until_followed, Net, OBJECTS},
		provider::Behaviour,
	},
	subtree::{after_blocks, create, status},
};
use sc_network::config::NetworkBackendType::{Libp2p, Litep2p};
use std::collections::BTreeSet;

/// What is here is not fetched again, and a head that came meanwhile does not make the copy start anew.
#[tokio::test(flavor = "multi_thread")]
async fn a_killed_follower_goes_on_with_its_copy() {
	const FIRST: u32 = 3;
	let mut net = Net::start(Litep2p, OBJECTS).await;
	let folder = tempfile::tempdir().unwrap();
	net.prepare(Libp2p, 3, &folder, net.mirror.newest()).await;
	// All ranges come from a provider that counts them.
	net.vera.signal("STOP");
	let provider = net.provider(Litep2p, Behaviour::HoldAfter(FIRST)).await;
	let base_path = format!("--base-path={}", folder.path().display());
	let hub_address = net.hub_address.clone();
	let others = [
		"--name=carol",
		&base_path,
		"--follow=/x",
		"--bootnodes",
		&hub_address,
		"--reserved-nodes",
		provider.address(),
	];
	let carol = net::start(Libp2p, 3, &others).await;
	provider.has_answered(FIRST).await;
	let copied = until("the ranges are stored", async || {
		let sync = status(&carol).await.ok()?.sync?;
		(sync.entries > 0 && sync.objects > 1).then_some(sync)
	})
	.await;
	assert_eq!(copied.phase, "copying");
	// The database writes behind its commits: a block later it has, and what comes after it is not what this test is about.
	let now = after_blocks(&carol, async |number| Some(number)).await;
	after_blocks(&carol, async |number| (number > now + 1).then_some(())).await;
	let copied = status(&carol).await.unwrap().sync.unwrap().objects.max(copied.objects);
	drop(carol);
	let before: BTreeSet<_> = names(provider.take_given());
	assert!(!before.is_empty());

	net.vera.wake().await;
	net.submit(create("while the follower was dead")).await;
	let served = net.commit().await;
	net.vera.signal("STOP");
	provider.open();
	let carol = net::start(Libp2p, 3, &others).await;
	until_followed(&carol, &served).await;
	let sync = until("the newer head is executed, not copied", async || {
		status(&carol).await.ok()?.sync.filter(|sync| sync.batches >= 1)
	})
	.await;
	let after = names(provider.take_given());
	assert!(after.is_disjoint(&before), "ranges came twice");
	assert!(sync.objects + copied <= OBJECTS + 1, "objects came twice: {sync:?}");
}

fn names(cursors: Vec<dstp_state_network::wire::TrieCursor>) -> BTreeSet<(String, Vec<u8>)> {
	let name = |cursor: dstp_state_network::wire::TrieCursor| {
		(cursor.object.to_string(), cursor.after.map(|key| key.into_inner()).unwrap_or_default())
	};
	cursors.into_iter().map(name).collect()
}
