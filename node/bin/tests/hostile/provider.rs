//! A provider in the test's process, honest or not.

use super::{mirror::Mirror, stranger::Stranger};
use crate::{harness::LIMIT, subtree::subtree};
use dstp_state_network::{
	server::answer,
	wire::{Protocol, SyncRequest, SyncResponse, TrieCursor, Wire, XferResponse},
};
use sc_network::{
	config::{IncomingRequest, NetworkBackendType, OutgoingResponse},
	PeerId,
};
use sp_core::H256;
use std::{
	sync::{Arc, Mutex},
	time::Duration,
};
use tokio::sync::watch;

/// What a provider does with requests for state. It always says truly what it serves.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Behaviour {
	/// Right so many times; after that nothing comes until [`Provider::open`].
	HoldAfter(u32),
	/// Right so many times; from then on one byte in the middle of each answer is another.
	ForgeAfter(u32),
	/// Ranges of the state at the head before.
	Stale,
	/// The second half is missing.
	Truncated,
	/// Filled up to 3 MiB.
	Oversized,
	/// Nothing ever comes.
	Silent,
	/// No ranges. Batches with their genuine heads, but one entry is another.
	WrongBatch,
}

/// See the module.
pub struct Provider {
	stranger: Stranger,
	shared: Arc<Shared>,
}

struct Shared {
	mirror: Arc<Mirror>,
	behaviour: Behaviour,
	/// Honest answers to requests for ranges.
	answered: watch::Sender<u32>,
	/// The ranges in them.
	given: Mutex<Vec<TrieCursor>>,
	/// The other answers, and silence.
	lies: watch::Sender<u32>,
	open: watch::Sender<bool>,
}

impl Provider {
	/// Starts a provider of what the mirror holds.
	pub async fn start(
		backend: NetworkBackendType,
		genesis: H256,
		known: &[&str],
		mirror: Arc<Mirror>,
		behaviour: Behaviour,
	) -> Self {
		let (stranger, inbound) = Stranger::start(backend, genesis, known).await;
		let shared = Arc::new(Shared {
			mirror,
			behaviour,
			answered: watch::Sender::new(0),
			lies: watch::Sender::new(0),
			open: watch::Sender::new(false),
			given: Mutex::default(),
		});
		for (protocol, queue) in inbound {
			let shared = shared.clone();
			stranger.spawn(async move {
				while let Ok(request) = queue.recv().await {
					tokio::spawn(respond(shared.clone(), protocol, request));
				}
			});
		}
		Self { stranger, shared }
	}

	/// Where others reach it.
	pub fn address(&self) -> &str {
		&self.stranger.address
	}

	/// Its name.
	pub fn peer(&self) -> PeerId {
		self.stranger.network.local_peer_id()
	}

	/// Until it has given so many right ranges.
	pub async fn has_answered(&self, count: u32) {
		reaches(&self.shared.answered, count, "ranges are asked for").await;
	}

	/// Until it has lied so many times.
	pub async fn has_lied(&self, count: u32) {
		reaches(&self.shared.lies, count, &format!("{:?} is asked", self.shared.behaviour)).await;
	}

	/// Gives right answers from now on, if it held them back.
	pub fn open(&self) {
		self.shared.open.send_replace(true);
	}

	/// The ranges that it gave since the last time.
	pub fn take_given(&self) -> Vec<TrieCursor> {
		std::mem::take(&mut *self.shared.given.lock().unwrap())
	}
}

/// A follower asks a few at a time and waits for each that says nothing: the last of many may be asked late.
async fn reaches(counter: &watch::Sender<u32>, count: u32, what: &str) {
	let mut counter = counter.subscribe();
	let reached = counter.wait_for(|now| *now >= count);
	let reached = tokio::time::timeout(3 * LIMIT, reached).await;
	reached.unwrap_or_else(|_| panic!("{what} in time")).expect("the provider lives");
}

async fn respond(shared: Arc<Shared>, protocol: Protocol, request: IncomingRequest) {
	let Some(bytes) = shared.respond(protocol, &request.payload).await else {
		// The answer is held for longer than anybody waits.
		tokio::time::sleep(2 * LIMIT).await;
		return drop(request);
	};
	// The one who asked may be gone.
	let _ = request.pending_response.send(OutgoingResponse {
		result: Ok(bytes),
		reputation_changes: Vec::new(),
		sent_feedback: None,
	});
}

impl Shared {
	async fn respond(&self, protocol: Protocol, request: &[u8]) -> Option<Vec<u8>> {
		let honest = answer(&*self.mirror, protocol, request).unwrap();
		match (protocol, SyncRequest::from_bytes(request)) {
			(Protocol::Ctl, _) => Some(honest),
			(Protocol::Xfer, _) => Some(self.proof(honest)),
			(Protocol::Sync, Ok(request @ SyncRequest::Ranges { .. })) => {
				self.ranges(request, honest).await
			},
			(Protocol::Sync, _) => self.batch(honest),
		}
	}

	fn proof(&self, honest: Vec<u8>) -> Vec<u8> {
		match (self.behaviour, XferResponse::from_bytes(&honest)) {
			(Behaviour::ForgeAfter(_), Ok(XferResponse::Proof(_))) => {
				self.lies.send_modify(|lies| *lies += 1);
				flip_middle(honest)
			},
			_ => honest,
		}
	}

	fn batch(&self, honest: Vec<u8>) -> Option<Vec<u8>> {
		let Behaviour::WrongBatch = self.behaviour else { return Some(honest) };
		let Ok(SyncResponse::Batch(head, mut entries)) = SyncResponse::from_bytes(&honest) else {
			return Some(honest);
		};
		self.lies.send_modify(|lies| *lies += 1);
		entries[0].time_ms += 1;
		Some(SyncResponse::Batch(head, entries).to_bytes())
	}

	async fn ranges(&self, request: SyncRequest, honest: Vec<u8>) -> Option<Vec<u8>> {
		let count = match SyncResponse::from_bytes(&honest) {
			Ok(SyncResponse::Ranges(proofs)) if self.behaviour != Behaviour::WrongBatch => {
				proofs.len()
			},
			_ => return Some(SyncResponse::NotServed.to_bytes()),
		};
		match self.behaviour {
			Behaviour::ForgeAfter(honest) if *self.answered.borrow() < honest => {},
			Behaviour::HoldAfter(honest) => {
				if *self.answered.borrow() >= honest {
					let mut open = self.open.subscribe();
					open.wait_for(|open| *open).await.ok()?;
				}
			},
			_ => {
				self.lies.send_modify(|lies| *lies += 1);
				return self.lie(request, honest);
			},
		}
		self.note(&request, count);
		self.answered.send_modify(|answered| *answered += 1);
		Some(honest)
	}

	/// The answer holds as many of the ranges as there was room for.
	fn note(&self, request: &SyncRequest, count: usize) {
		let SyncRequest::Ranges { tries, .. } = request else { return };
		self.given.lock().unwrap().extend(tries.iter().take(count).cloned());
	}

	fn lie(&self, request: SyncRequest, mut honest: Vec<u8>) -> Option<Vec<u8>> {
		match self.behaviour {
			Behaviour::Silent => return None,
			Behaviour::Truncated => honest.truncate(honest.len() / 2),
			Behaviour::Oversized => honest.resize(3 << 20, 0),
			Behaviour::Stale => return Some(self.stale(request)),
			_ => honest = flip_middle(honest),
		}
		Some(honest)
	}

	/// The root object's range as it was one head before.
	fn stale(&self, request: SyncRequest) -> Vec<u8> {
		let SyncRequest::Ranges { subtree: asked, epoch, seq, max_bytes, tries } = request else {
			unreachable!("only ranges are stale")
		};
		let mut tries = tries.into_inner();
		let own = tries.iter_mut().filter(|cursor| cursor.object == subtree());
		own.for_each(|cursor| cursor.root = self.mirror.root(seq - 1));
		let tries = tries.try_into().expect("as many as before");
		let request = SyncRequest::Ranges { subtree: asked, epoch, seq, max_bytes, tries };
		answer(&*self.mirror, Protocol::Sync, &request.to_bytes()).unwrap()
	}
}

/// Another byte in the middle.
fn flip_middle(mut bytes: Vec<u8>) -> Vec<u8> {
	let middle = bytes.len() / 2;
	bytes[middle] ^= 1;
	bytes
}

/// Fetches the whole history from a node, and executes it again.
pub async fn fetch(mirror: &Mirror, epoch: u64, stranger: &Stranger, from: PeerId, newest: u64) {
	let wait = async {
		while mirror.newest() < newest {
			let seq = mirror.newest() + 1;
			let request = SyncRequest::Batch { subtree: subtree(), epoch, seq }.to_bytes();
			let answer = stranger.ask(from, Protocol::Sync, request).await;
			match answer.ok().and_then(|bytes| SyncResponse::from_bytes(&bytes).ok()) {
				Some(SyncResponse::Batch(head, entries)) => mirror.add(*head, entries),
				// The connection is not up, or the node refuses for now.
				_ => tokio::time::sleep(Duration::from_millis(200)).await,
			}
		}
	};
	tokio::time::timeout(LIMIT, wait).await.expect("the history comes in time");
}
