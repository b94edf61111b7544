//! Finding those who serve a subtree, and reading from them.

use crate::{
	harness::Node,
	hostile::{
		net::{arguments, until, until_followed, Net},
		provider::Behaviour,
		stranger::Stranger,
	},
	subtree::{create, key, metric, status, subtree, until_served},
};
use dstp_primitives::proof::Query;
use dstp_state_network::{
	adapter::{ask_proof, find_providers, to_peer, Question},
	wire::{CtlRequest, Protocol, Wire},
	Scores,
};
use jsonrpsee::{core::client::ClientT, rpc_params};
use sc_network::config::NetworkBackendType::{self, Libp2p, Litep2p};
use serde_json::Value;
use std::time::Duration;

/// The follower is connected with the hub alone, which serves nothing, and finds the one who serves by its record in the DHT. Then
/// a reader, who knows the hub alone too, gets a proof from the follower. At last the one who serves comes back at another address.
#[tokio::test(flavor = "multi_thread")]
async fn providers_are_found_by_their_records_and_give_proofs() {
	let mut net = Net::start(Litep2p, 10).await;
	let served = net.commit().await;
	let folder = tempfile::tempdir().unwrap();
	net.prepare(Libp2p, 3, &folder, served.local_seq).await;
	let base_path = format!("--base-path={}", folder.path().display());
	let arguments = arguments(Libp2p, 3);
	let alone = ["--in-peers=0", "--out-peers=0", "--reserved-nodes", &net.hub_address];
	let carol = ["--name=carol", &base_path, "--follow=/x"];
	let carol: Vec<_> = arguments.iter().map(String::as_str).chain(carol).chain(alone).collect();
	let carol = Node::start_with_metrics(&carol).await;
	let sync = until_followed(&carol, &served).await.sync.unwrap();
	assert_eq!((sync.objects, sync.batches), (11, 0), "the state was copied: {sync:?}");
	let health: Value = carol.client.request("system_health", rpc_params![]).await.unwrap();
	assert_eq!(health["peers"], 1, "blocks come from the hub alone: {health}");

	let text = until("the metrics say what the status says", async || {
		let (text, now) = (carol.metrics(), status(&carol).await.ok()?.sync?);
		let told = ["objects", "entries", "bytes", "batches", "calls"]
			.map(|what| metric(&text, &format!("dstp_subtree_sync_{what}_total")));
		let known = [now.objects, now.entries, now.bytes, now.batches, now.calls];
		(now.entries > 0 && told == known).then_some(text)
	})
	.await;
	let number = |name: &str| metric(&text, &format!("dstp_subtree_sync_{name}"));
	assert!(number("peers") >= 1 && number("requests_total") >= 2);
	assert_eq!((number("copies_total"), number("invalid_total")), (1, 0));

	for backend in [Litep2p, Libp2p] {
		a_reader_gets_a_proof(backend, &net, &carol).await;
	}

	let mut net = net.restart_vera().await;
	until_served(&net.vera).await;
	net.submit(create("from another port")).await;
	let served = net.commit().await;
	until_followed(&carol, &served).await;
}

async fn a_reader_gets_a_proof(backend: NetworkBackendType, net: &Net, carol: &Node) {
	let (reader, _) = Stranger::start(backend, net.genesis, &[&net.hub_address]).await;
	let id: String = carol.client.request("system_localPeerId", rpc_params![]).await.unwrap();
	let carol = until("the follower and the one who serves are found", async || {
		let limit = Duration::from_secs(10);
		let found = find_providers(&*reader.network, net.genesis, &subtree(), limit).await;
		let vera = found.iter().any(|peer| net.vera_address.ends_with(&peer.to_string()));
		// The first answer may come from a node that knows one of them only.
		found.iter().find(|peer| vera && peer.to_string() == id).copied()
	})
	.await;
	let query = Query {
		path: dstp_primitives::Path::new(vec![key("object 7")]).unwrap(),
		fields: vec![key("field 3"), key("none")].try_into().unwrap(),
		..Default::default()
	};
	// As the hub finalised it.
	let seq = net.mirror.newest();
	let root = net.mirror.root(seq);
	let question = Question { subtree: subtree(), epoch: net.epoch, seq, root, query };
	let liar = net.provider(Litep2p, Behaviour::ForgeAfter(0)).await;
	let providers = [reader.know(liar.address()), carol];
	let subtrees = vec![subtree()].try_into().unwrap();
	let status = CtlRequest::Status { subtrees }.to_bytes();
	until("the liar is reached", async || {
		reader.ask(providers[0], Protocol::Ctl, status.clone()).await.ok()
	})
	.await;
	let scores = Scores::default();
	// The reader has the follower's address from the DHT alone.
	let proven = ask_proof(&*reader.network, &reader.names, &scores, &providers, &question);
	let proven = proven.await.expect("the follower gives a proof that holds");
	let object = proven.answer().object.as_ref().expect("the object exists");
	assert_eq!(object.fields[0].1.as_ref().map(|value| &value[..]), Some(&[10; 1024][..]));
	assert_eq!(object.fields[1].1, None);
	let points = |peer| scores.lock().points(&to_peer(peer), 0);
	assert!(points(&providers[0]) < 0 && points(&providers[1]) > 0);
}
