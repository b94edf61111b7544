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
use tempfile::TempDir;

/// Starts a follower that is told of the hub, the honest node and these providers.
async fn follower(
	backend: NetworkBackendType,
	folder: &TempDir,
	net: &Net,
	providers: &[&Provider],
) -> Node {
	let base_path = format!("--base-path={}", folder.path().display());
	let hub = ["--name=carol", &base_path, "--follow=/x", "--bootnodes", &net.hub_address];
	let vera = ["--reserved-nodes", &net.vera_address];
	let liars = providers.iter().flat_map(|liar| ["--reserved-nodes", liar.address()]);
	let all: Vec<_> = hub.into_iter().chain(vera).chain(liars).collect();
	net::start(backend, 3, &all).await
}

/// What a node that was stopped or runs has written down of others.
fn scores(folder: &TempDir) -> Option<ScoreTable> {
	let file = folder.path().join("chains/dev/subtrees/scores");
	ScoreTable::from_bytes(&std::fs::read(file).ok()?)
}

/// Until the follower has written down that each of these nodes deserves less than a stranger. What time has forgiven since then
/// does not count.
async fn until_blamed(folder: &TempDir, liars: &[&Provider]) {
	until("the liars lose their scores", async || {
		let table = scores(folder)?;
		let blamed = |liar: &&Provider| table.points(&to_peer(&liar.peer()), 0) < 0;
		liars.iter().all(blamed).then_some(())
	})
	.await;
}

/// Until the follower tells that so many answers were provably wrong.
async fn until_counted(node: &Node, invalid: u64) {
	until("the wrong answers are counted", async || {
		let sync = status(node).await.ok()?.sync?;
		(sync.invalid >= invalid).then_some(())
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
	let folder = tempfile::tempdir().unwrap();
	net.prepare(follows, 3, &folder, served.local_seq).await;
	net.vera.signal("STOP");
	let liar = net.provider(serves, Behaviour::ForgeAfter(HONEST)).await;
	let carol = follower(follows, &folder, &net, &[&liar]).await;
	liar.has_lied(1).await;
	assert_not_synced(&carol).await;

	net.vera.wake().await;
	until_followed(&carol, &served).await;
	until_counted(&carol, 1).await;
	until_blamed(&folder, &[&liar]).await;

	net.submit(create("after the lie")).await;
	let served = net.commit().await;
	until_followed(&carol, &served).await;
}

/// In the short form `a_forged_chunk_is_noticed_over_mixed_backends` does it with both backends.
#[tokio::test(flavor = "multi_thread")]
#[ignore = "long form: make test-long runs it"]
async fn a_forged_chunk_is_noticed_over_litep2p() {
	a_forged_chunk(Litep2p, Litep2p).await;
}

/// In the short form `a_forged_chunk_is_noticed_over_mixed_backends` does it with both backends.
#[tokio::test(flavor = "multi_thread")]
#[ignore = "long form: make test-long runs it"]
async fn a_forged_chunk_is_noticed_over_libp2p() {
	a_forged_chunk(Libp2p, Libp2p).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_forged_chunk_is_noticed_over_mixed_backends() {
	a_forged_chunk(Litep2p, Libp2p).await;
}

/// Every kind of wrong answer, each from a liar on each backend, all at once: first ranges, then batches.
async fn every_kind(follows: NetworkBackendType, serves: NetworkBackendType) {
	let mut net = Net::start(serves, 10).await;
	let served = net.commit().await;
	assert!(served.local_seq >= 1);
	let folder = tempfile::tempdir().unwrap();
	net.prepare(follows, 3, &folder, served.local_seq).await;
	net.vera.signal("STOP");
	let liars = start_liars(&net, &RANGES).await;
	let all: Vec<_> = liars.iter().collect();
	let carol = follower(follows, &folder, &net, &all).await;
	for liar in &liars {
		liar.has_lied(1).await;
		assert_not_synced(&carol).await;
	}
	// Forged, stale and truncated, on two backends.
	until_counted(&carol, 6).await;
	net.vera.wake().await;
	let sync = until_followed(&carol, &served).await.sync.unwrap();
	assert_eq!((sync.objects, sync.batches), (11, 0), "the state was copied: {sync:?}");
	until_blamed(&folder, &all).await;
	carol.interrupt().await;
	drop(liars);

	net.submit(create("another")).await;
	let newer = net.commit().await;
	net.vera.signal("STOP");
	let liars = start_liars(&net, &[Behaviour::WrongBatch]).await;
	let all: Vec<_> = liars.iter().collect();
	let carol = follower(follows, &folder, &net, &all).await;
	for liar in &liars {
		liar.has_lied(1).await;
	}
	let before = status(&carol).await.unwrap();
	assert_eq!((before.local_seq, before.local_root), (served.local_seq, served.local_root));
	net.vera.wake().await;
	until_followed(&carol, &newer).await;
	until_blamed(&folder, &all).await;
}

/// Wrong answers to requests for ranges.
const RANGES: [Behaviour; 5] = [
	Behaviour::ForgeAfter(0),
	Behaviour::Stale,
	Behaviour::Truncated,
	Behaviour::Oversized,
	Behaviour::Silent,
];

/// Two liars of each kind: one on each backend.
async fn start_liars(net: &Net, behaviours: &[Behaviour]) -> Vec<Provider> {
	let mut liars = Vec::new();
	for behaviour in behaviours {
		for backend in [Litep2p, Libp2p] {
			liars.push(net.provider(backend, *behaviour).await);
		}
	}
	liars
}

#[tokio::test(flavor = "multi_thread")]
async fn every_kind_of_wrong_answer_costs_its_sender_over_litep2p() {
	every_kind(Litep2p, Libp2p).await;
}

/// In the short form `every_kind_of_wrong_answer_costs_its_sender_over_litep2p` does it, whose liars are on both backends.
#[tokio::test(flavor = "multi_thread")]
#[ignore = "long form: make test-long runs it"]
async fn every_kind_of_wrong_answer_costs_its_sender_over_libp2p() {
	every_kind(Libp2p, Litep2p).await;
}
