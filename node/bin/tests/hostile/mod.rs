//! Providers that lie, on a real network: a follower never stores what is wrong, the liar loses its score, and the copy goes
//! on with an honest node.
//!
//! The liars run in the test's process, each with a network of its own. So they can be watched, and the tests wait for what
//! happens. The honest node is halted until the liars have lied: otherwise a fast one could leave nothing to lie about.

mod mirror;
pub mod net;
pub mod provider;
pub mod stranger;

use crate::{
	harness::Node,
	subtree::{create, status},
};
use dstp_node_sdk::subtree::StatusJson;
use dstp_state_network::{adapter::to_peer, score::ScoreTable};
use net::{until, until_followed, Net, OBJECTS};
use provider::{Behaviour, Provider};
use sc_network::config::NetworkBackendType::{self, Libp2p, Litep2p};
use std::path::Path;

/// Starts a follower that is told of the hub and of these providers.
async fn follower(
	backend: NetworkBackendType,
	folder: &Path,
	net: &Net,
	providers: &[&Provider],
) -> Node {
	let base_path = format!("--base-path={}", folder.display());
	let mut others =
		vec!["--name=carol", &base_path, "--follow=/x", "--bootnodes", &net.hub_address];
	for provider in providers {
		others.extend(["--reserved-nodes", provider.address()]);
	}
	net::start(backend, 3, &others).await
}

/// What a node that was stopped or runs has written down of others.
fn scores(folder: &Path) -> Option<ScoreTable> {
	let file = folder.join("chains/dev/subtrees/scores");
	ScoreTable::from_bytes(&std::fs::read(file).ok()?)
}

fn now_ms() -> u64 {
	let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
	since.unwrap().as_millis() as u64
}

/// Until the follower has written down that each of these nodes deserves less than a stranger.
async fn until_blamed(folder: &Path, liars: &[&Provider]) {
	until("the liars lose their scores", async || {
		let table = scores(folder)?;
		let blamed = |liar: &&Provider| table.points(&to_peer(&liar.peer()), now_ms()) < 0;
		liars.iter().all(blamed).then_some(())
	})
	.await;
}

/// The state is not here before it was copied, and nothing of it can be read.
async fn assert_not_synced(node: &Node) {
	if let Ok(StatusJson { synced, .. }) = status(node).await {
		assert!(!synced, "a forged state was taken");
	}
}

/// A liar is honest at first, and forges a chunk in the middle of the copy.
async fn a_forged_chunk(follows: NetworkBackendType, serves: NetworkBackendType) {
	const HONEST: u32 = 3;
	let mut net = Net::start(serves, OBJECTS).await;
	let served = net.commit().await;
	net.vera.signal("STOP");
	let liar = net.provider(serves, Behaviour::ForgeAfter(HONEST)).await;
	let folder = tempfile::tempdir().unwrap();
	let carol = follower(follows, folder.path(), &net, &[&liar]).await;
	liar.has_lied(1).await;
	assert_not_synced(&carol).await;

	net.vera.signal("CONT");
	until_followed(&carol, &served).await;
	let invalid = async || {
		let sync = status(&carol).await.ok()?.sync?;
		(sync.invalid >= 1).then_some(())
	};
	until("the forged chunk is counted", invalid).await;
	until_blamed(folder.path(), &[&liar]).await;

	net.submit(create("after the lie")).await;
	let served = net.commit().await;
	until_followed(&carol, &served).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_forged_chunk_is_noticed_over_litep2p() {
	a_forged_chunk(Litep2p, Litep2p).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_forged_chunk_is_noticed_over_libp2p() {
	a_forged_chunk(Libp2p, Libp2p).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_forged_chunk_is_noticed_over_mixed_backends() {
	a_forged_chunk(Litep2p, Libp2p).await;
}

/// Every other kind of wrong answer, from one liar each, all at once.
#[tokio::test(flavor = "multi_thread")]
#[ignore = "sometimes a liar is not asked within the time; the simulator has these answers in every run"]
async fn every_kind_of_wrong_answer_costs_its_sender() {
	let mut net = Net::start(Litep2p, 10).await;
	let served = net.commit().await;
	assert!(served.local_seq >= 1);
	net.vera.signal("STOP");
	let mut liars = Vec::new();
	for behaviour in [
		Behaviour::ForgeAfter(0),
		Behaviour::Stale,
		Behaviour::Truncated,
		Behaviour::Oversized,
		Behaviour::Silent,
	] {
		liars.push(net.provider(Litep2p, behaviour).await);
	}
	let wrong_batches = net.provider(Litep2p, Behaviour::WrongBatch).await;
	let folder = tempfile::tempdir().unwrap();
	let all: Vec<_> = liars.iter().chain([&wrong_batches]).collect();
	let carol = follower(Litep2p, folder.path(), &net, &all).await;
	for liar in &liars {
		liar.has_lied(1).await;
		assert_not_synced(&carol).await;
	}
	net.vera.signal("CONT");
	let sync = until_followed(&carol, &served).await.sync.unwrap();
	assert!(sync.invalid >= 3, "forged, stale and truncated: {sync:?}");
	until_blamed(folder.path(), &liars.iter().collect::<Vec<_>>()).await;

	// The follower sleeps while there is a new head, and the honest node when it wakes up.
	carol.signal("STOP");
	net.submit(create("another")).await;
	let newer = net.commit().await;
	net.vera.signal("STOP");
	carol.signal("CONT");
	wrong_batches.has_lied(1).await;
	let before = status(&carol).await.unwrap();
	assert_eq!((before.local_seq, before.local_root), (served.local_seq, served.local_root));
	net.vera.signal("CONT");
	until_followed(&carol, &newer).await;
	until_blamed(folder.path(), &[&wrong_batches]).await;
}
