//! Inbound requests.

use super::{to_peer, Clock, LOG};
use crate::{
	peer::Peer,
	score::{Scores, Verdict},
	server::{answer, Admission, Refusal, Source},
	wire::Protocol,
};
use futures::{stream::SelectAll, StreamExt};
use sc_network::{
	config::{IncomingRequest, OutgoingResponse},
	ReputationChange,
};
use std::sync::{Arc, Mutex, PoisonError};

/// A protocol and the queue of its inbound requests.
pub type Inbound = (Protocol, async_channel::Receiver<IncomingRequest>);

const MALFORMED: ReputationChange = ReputationChange::new(-(1 << 26), "dstp: malformed request");

/// Answers requests of all protocols until their queues close. Reads happen on blocking threads, at most
/// [`MAX_IN_FLIGHT`](crate::server::MAX_IN_FLIGHT) at a time.
pub async fn serve<S: Source + 'static>(source: Arc<S>, scores: Scores, inbound: Vec<Inbound>) {
	let clock = Clock::start();
	let admission = Arc::new(Mutex::new(Admission::default()));
	let queues = inbound
		.into_iter()
		.map(|(protocol, queue)| queue.map(move |request| (protocol, request)).boxed());
	let mut requests: SelectAll<_> = queues.collect();
	while let Some((protocol, request)) = requests.next().await {
		let peer = to_peer(&request.peer);
		let now = clock.now();
		if scores.lock().is_banned(&peer, now.unix_ms) {
			continue;
		}
		let length = request.payload.len();
		let admitted = admission
			.lock()
			.unwrap_or_else(PoisonError::into_inner)
			.admit(&peer, protocol, length, now.ms);
		match admitted {
			Ok(()) => {},
			Err(Refusal::TooLong) => {
				punish(&scores, &peer, now.unix_ms, request);
				continue;
			},
			Err(refusal) => {
				log::debug!(target: LOG, "refused {peer:?}: {refusal}");
				continue;
			},
		}
		let (source, scores, admission) = (source.clone(), scores.clone(), admission.clone());
		tokio::task::spawn_blocking(move || {
			let result = answer(&*source, protocol, &request.payload);
			let bytes = result.as_ref().map_or(0, Vec::len);
			admission.lock().unwrap_or_else(PoisonError::into_inner).done(&peer, bytes);
			match result {
				Ok(bytes) => respond(request, Ok(bytes), Vec::new()),
				Err(_) => punish(&scores, &peer, now.unix_ms, request),
			}
		});
	}
}

fn punish(scores: &Scores, peer: &Peer, unix_ms: u64, request: IncomingRequest) {
	scores.lock().judge(peer, Verdict::Invalid, unix_ms);
	respond(request, Err(()), vec![MALFORMED]);
}

fn respond(
	request: IncomingRequest,
	result: Result<Vec<u8>, ()>,
	reputation_changes: Vec<ReputationChange>,
) {
	// If the peer has gone, nobody waits for the answer.
	let _ = request.pending_response.send(OutgoingResponse {
		result,
		reputation_changes,
		sent_feedback: None,
	});
}
