//! What subscribers of one subtree follow: how far it is, and what each head changed.

use super::changes::StateNews;
use crate::runtime::{BlockHash, BlockNumber};
use dstp_subtree::{HeadNews, Reader, Role, Status, SubtreeIdentity, Watcher};
use std::sync::Arc;
use tokio::sync::{broadcast, watch};

/// News of changes that wait for the slowest subscriber; whoever is further behind is dropped. News have up to about 1 MiB each, and
/// one subscriber that does not read keeps all of them in memory.
pub(super) const MAX_WAITING_NEWS: usize = 16;

/// A head of the subtree in the state of a hub block.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct HubHead {
	/// Number of the head.
	pub seq: u64,
	/// The first block in whose state this node saw it.
	pub block: BlockHash,
	pub number: BlockNumber,
}

/// How far a subtree is: the last state, not each step, so that a slow reader misses nothing that counts.
#[derive(Clone, Debug)]
pub(super) struct Progress {
	/// As the engine was when it was let go last.
	pub status: Status,
	/// Head whose whole state was copied last.
	pub copied: Option<u64>,
	/// How often heads got another era, and the first of them the last time.
	pub resealed: (u32, u64),
	/// Newest head that the hub accepted. Only where this node serves.
	pub committed: Option<HubHead>,
	/// Newest head that the hub finalised. Only where this node serves.
	pub finalised: Option<HubHead>,
	/// Whether the hub takes no heads of this registration, as it was seen last.
	pub closed: bool,
	/// Why nothing more will come.
	pub ended: Option<String>,
}

impl Progress {
	/// Numbers of the newest heads that the hub accepted and finalised. A follower has only what is final.
	pub fn on_hub(&self) -> (u64, u64) {
		match self.status.role {
			Role::Follow => (self.status.seq, self.status.seq),
			Role::Serve => {
				(self.status.committed, self.finalised.as_ref().map_or(0, |head| head.seq))
			},
		}
	}
}

/// Where one engine's news go.
pub(super) struct Live {
	progress: watch::Sender<Progress>,
	news: broadcast::Sender<Arc<StateNews>>,
}

impl Live {
	/// Of an engine that is about to be opened.
	pub fn new(identity: SubtreeIdentity, role: Role) -> Self {
		let status = Status {
			role,
			identity,
			synced: false,
			seq: 0,
			head_hash: Default::default(),
			root: Default::default(),
			oldest: 0,
			committed: 0,
			being_hosted: false,
			open_calls: 0,
			pending_calls: 0,
			calls: 0,
			batches: 0,
			log_bytes: 0,
			import: None,
			stopped: None,
		};
		let progress = Progress {
			status,
			copied: None,
			resealed: (0, 0),
			committed: None,
			finalised: None,
			closed: false,
			ended: None,
		};
		Self {
			progress: watch::Sender::new(progress),
			news: broadcast::Sender::new(MAX_WAITING_NEWS),
		}
	}

	/// The engine's status as it was let go last. Waits for nobody.
	pub fn status(&self) -> Status {
		self.progress.borrow().status.clone()
	}

	/// How far the subtree is, now and whenever that changes.
	pub fn progress(&self) -> watch::Receiver<Progress> {
		self.progress.subscribe()
	}

	/// What each head changes from now on.
	pub fn news(&self) -> broadcast::Receiver<Arc<StateNews>> {
		self.news.subscribe()
	}

	/// Notes how the engine stands.
	pub fn publish(&self, status: Status) {
		self.progress.send_if_modified(|progress| {
			if progress.status == status {
				return false;
			}
			if let Some(reason) = &status.stopped {
				progress.ended.get_or_insert_with(|| format!("the engine has stopped: {reason}"));
			}
			progress.status = status;
			true
		});
	}

	/// Notes the newest head that the hub accepted.
	pub fn committed(&self, head: HubHead) {
		self.note_hub(head, |progress| &mut progress.committed);
	}

	/// Notes the newest head that the hub finalised.
	pub fn finalised(&self, head: HubHead) {
		self.note_hub(head, |progress| &mut progress.finalised);
	}

	fn note_hub(&self, head: HubHead, place: impl Fn(&mut Progress) -> &mut Option<HubHead>) {
		self.progress.send_if_modified(|progress| {
			let known = place(progress);
			let new = known.as_ref().is_none_or(|known| known.seq != head.seq);
			if new {
				*known = Some(head);
			}
			new
		});
	}

	/// Whether the hub takes heads of this registration, as it was seen last.
	pub fn is_open(&self) -> bool {
		!self.progress.borrow().closed
	}

	/// Notes whether the hub takes heads; whether that is new.
	pub fn set_open(&self, open: bool) -> bool {
		self.progress
			.send_if_modified(|progress| std::mem::replace(&mut progress.closed, !open) == open)
	}

	/// Nothing more will come.
	pub fn end(&self, reason: &str) {
		self.progress.send_modify(|progress| {
			progress.ended.get_or_insert_with(|| reason.into());
		});
	}
}

impl Watcher for Live {
	fn on_news(&self, news: HeadNews<'_>, reader: &Reader) {
		let news = match news {
			HeadNews::Resealed { first } => {
				self.progress.send_modify(|progress| {
					progress.resealed = (progress.resealed.0.wrapping_add(1), first);
				});
				return;
			},
			HeadNews::Copied { seq } => {
				self.progress.send_modify(|progress| progress.copied = Some(seq));
				StateNews::everything(reader).unwrap_or_else(|error| {
					log::warn!(target: "dstp", "nobody is told of head {seq}, which was copied: {error}");
					None
				})
			},
			// Nobody listens; who comes later starts at a newer head.
			HeadNews::Batch(_) if self.news.receiver_count() == 0 => return,
			HeadNews::Batch(batch) => Some(StateNews::of_batch(batch, reader)),
		};
		if let Some(news) = news {
			// The last listener may have gone.
			let _ = self.news.send(Arc::new(news));
		}
	}
}
