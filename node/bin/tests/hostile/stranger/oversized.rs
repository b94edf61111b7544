//! How a transport ends a request whose answer is too long, and one whose answer does not come: an asker tells them apart.

use super::{Limits, Stranger};
use crate::{
	hostile::{
		mirror::Mirror,
		net::until,
		provider::{Behaviour, Provider},
	},
	subtree::subtree,
};
use dstp_state_network::wire::{
	CtlRequest, Protocol, SyncRequest, TrieCursor, Wire, MAX_RANGE_BYTES,
};
use sc_network::{
	config::{
		NetworkBackendType::{self, Libp2p, Litep2p},
		OutgoingResponse,
	},
	OutboundFailure, PeerId, RequestFailure,
};
use sp_core::H256;
use std::{
	io::ErrorKind,
	sync::Arc,
	time::{Duration, Instant},
};

const GENESIS: H256 = H256::repeat_byte(7);
const EPOCH: u64 = 1;

fn status() -> Vec<u8> {
	let subtrees = vec![subtree()].try_into().unwrap();
	CtlRequest::Status { subtrees }.to_bytes()
}

/// With the limits of an honest node.
async fn asker(backend: NetworkBackendType) -> Stranger {
	Stranger::start_with(backend, GENESIS, &[], Limits::Honest).await.0
}

/// Gives one answer, and then nothing.
async fn silent_after_one() -> Stranger {
	let (stranger, queues) = Stranger::start(Litep2p, GENESIS, &[]).await;
	stranger.spawn(async move {
		let (_, queue) = queues.iter().find(|(protocol, _)| *protocol == Protocol::Ctl).unwrap();
		let first = queue.recv().await.unwrap();
		let answer = OutgoingResponse {
			result: Ok(Vec::new()),
			reputation_changes: Vec::new(),
			sent_feedback: None,
		};
		first.pending_response.send(answer).unwrap();
		// What comes later stays in the queue.
		std::future::pending::<()>().await;
	});
	stranger
}

/// Until it answers: a request can come before the address, and then there is no dial at all.
async fn until_reached(asker: &Stranger, peer: PeerId) {
	until("the node is reached", async || asker.ask(peer, Protocol::Ctl, status()).await.ok())
		.await;
}

/// How the request fails, and after what time.
async fn fails(
	asker: &Stranger,
	peer: PeerId,
	protocol: Protocol,
	request: Vec<u8>,
) -> (RequestFailure, Duration) {
	let start = Instant::now();
	let failure = asker.ask(peer, protocol, request).await.expect_err("no answer");
	(failure, start.elapsed())
}

async fn an_answer_that_is_too_long(asks: NetworkBackendType, answers: NetworkBackendType) {
	let mirror = Arc::new(Mirror::new(EPOCH));
	let root = mirror.root(0);
	let liar = Provider::start(answers, GENESIS, &[], mirror, Behaviour::Oversized).await;
	let asker = asker(asks).await;
	let peer = asker.know(liar.address());
	until_reached(&asker, peer).await;

	let tries = vec![TrieCursor { object: subtree(), root, after: None }];
	let request = SyncRequest::Ranges {
		subtree: subtree(),
		epoch: EPOCH,
		seq: 0,
		max_bytes: MAX_RANGE_BYTES,
		tries: tries.try_into().unwrap(),
	};
	let (failure, after) = fails(&asker, peer, Protocol::Sync, request.to_bytes()).await;
	liar.has_lied(1).await;
	match (asks, failure) {
		(Libp2p, RequestFailure::Network(OutboundFailure::Io(error))) => {
			assert_eq!(error.kind(), ErrorKind::InvalidInput, "{error}")
		},
		(Litep2p, RequestFailure::Refused) => {},
		(_, failure) => panic!("{asks:?} says of an answer that is too long: {failure:?}"),
	}
	let limit = Duration::from_millis(Protocol::Sync.timeout_ms());
	assert!(after < limit / 2, "{asks:?} waits no longer for the rest: {after:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_that_is_too_long_is_refused_at_once_over_litep2p() {
	an_answer_that_is_too_long(Litep2p, Litep2p).await;
	an_answer_that_is_too_long(Litep2p, Libp2p).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_that_is_too_long_is_invalid_at_once_over_libp2p() {
	an_answer_that_is_too_long(Libp2p, Litep2p).await;
	an_answer_that_is_too_long(Libp2p, Libp2p).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_that_does_not_come_is_late_on_each_backend() {
	for asks in [Litep2p, Libp2p] {
		let silent = silent_after_one().await;
		let asker = asker(asks).await;
		let peer = asker.know(&silent.address);
		until_reached(&asker, peer).await;
		let (failure, after) = fails(&asker, peer, Protocol::Ctl, status()).await;
		let late = matches!(failure, RequestFailure::Network(OutboundFailure::Timeout));
		assert!(late, "{asks:?} says of an answer that does not come: {failure:?}");
		assert!(after >= Duration::from_millis(Protocol::Ctl.timeout_ms()), "{asks:?}: {after:?}");
	}
}
