//! The content of a subtree that the hub hosted before, for the node that is to serve it.
//!
//! The hub keeps the nodes of an object that became remote until it accepts the first head, and this node signs that head only when
//! it has the content. So the content is in the state of each block until then, whatever older blocks' state was pruned, and
//! comes from this node's own database.
//!
//! # Trust model
//!
//! The database is this node's own. All the same each range is proven against the root that the hub registered, before it is
//! stored, so that a node never serves anything else.

use super::{
	hub::HubSide,
	serve::{Running, Served},
};
use dstp_subtree::{ImportError, ImportProgress, ImportTarget};
use std::{
	sync::Arc,
	time::{Duration, Instant},
};

const LOG_TARGET: &str = "dstp";

/// Bytes of keys and values that are read at a time; bounds the memory.
const RANGE_BYTES: usize = 256 * 1024;

/// Objects that are asked for at a time.
const OBJECTS_AT_ONCE: usize = 32;

/// A subtree that waits for its content.
struct Migration {
	running: Arc<Running>,
	/// Number of the hub's newest head: with any but 0 the hub gives the content up.
	hub_seq: u64,
	/// Why it did not come the last time.
	failure: Option<String>,
}

impl Migration {
	/// Keeps the reason, and tells it unless it is that of the last time.
	fn fail(&mut self, reason: String) {
		if self.failure.as_ref() != Some(&reason) {
			log::error!(target: LOG_TARGET, "subtree {}: {reason}", self.running.identity.subtree);
		}
		self.failure = Some(reason);
	}
}

/// All subtrees of a node that wait for their content; no more than it serves.
#[derive(Default)]
pub(super) struct Migrations(Vec<Migration>);

impl Migrations {
	/// Notes that a subtree has no state here, while the newest head at the hub is `hub_seq`.
	pub fn note(&mut self, running: &Arc<Running>, hub_seq: u64) {
		match self.0.iter_mut().find(|known| Arc::ptr_eq(&known.running, running)) {
			Some(known) => known.hub_seq = hub_seq,
			None => {
				let id = running.identity.subtree;
				log::info!(target: LOG_TARGET, "subtree {id}: taking over the content that the hub hosted");
				self.0.push(Migration { running: running.clone(), hub_seq, failure: None });
			},
		}
	}

	/// Whether there is more to bring at once.
	pub fn are_busy(&self) -> bool {
		self.0.iter().any(|waiting| waiting.failure.is_none())
	}

	/// Brings content, for about as long as `budget` in all. What fails is tried again at each turn, and what has left the hub is
	/// forgotten.
	pub fn turn<H: HubSide>(&mut self, hub: &H, served: &Served, budget: Duration) {
		let end = Instant::now() + budget;
		// Another one is the first at each turn, so that none keeps the others waiting.
		if !self.0.is_empty() {
			self.0.rotate_left(1);
		}
		self.0.retain_mut(|waiting| {
			let id = waiting.running.identity.subtree;
			let replaced = served.get(&id).is_none_or(|now| !Arc::ptr_eq(&now, &waiting.running));
			if replaced || !waiting.running.live.is_open() {
				return false;
			}
			if waiting.hub_seq > 0 {
				waiting.fail(format!(
					"it cannot be served: the hub has accepted head {}, and gives up the content that the subtree started with; \
					 serve it from the folder of the node that sealed this head, or follow it",
					waiting.hub_seq
				));
				return true;
			}
			if Instant::now() >= end {
				return true;
			}
			match fetch(hub, &waiting.running, end) {
				Ok(None) => {
					waiting.failure = None;
					true
				},
				Ok(Some(ImportProgress { objects, entries, .. })) => {
					log::info!(target: LOG_TARGET, "subtree {id}: its {objects} objects with {entries} entries are here");
					false
				},
				Err(error) => {
					waiting.fail(format!("its content does not come from the hub: {error}; trying again"));
					true
				},
			}
		});
	}
}

/// Why the content does not come.
#[derive(Debug, thiserror::Error)]
enum MigrateError {
	/// The hub gives it no more.
	#[error("{0}")]
	Hub(String),
	/// The engine does not take it.
	#[error(transparent)]
	Import(#[from] ImportError),
}

/// Brings content from the hub into an engine, until `end` and one range at least, from where the last time ended, also in an
/// earlier run of the node. Gives how much there is when it is complete.
fn fetch<H: HubSide>(
	hub: &H,
	running: &Running,
	end: Instant,
) -> Result<Option<ImportProgress>, MigrateError> {
	running.engine.lock().begin_import(ImportTarget::Initial)?;
	loop {
		let wanted = running.engine.lock().wanted_ranges(OBJECTS_AT_ONCE)?;
		if wanted.is_empty() {
			let mut engine = running.engine.lock();
			let progress = engine.import_progress()?;
			engine.finish_import()?;
			return Ok(Some(progress));
		}
		for range in wanted {
			let after = range.after.as_deref();
			let proof = hub.kept_range(&range.object, range.root, after, RANGE_BYTES);
			let proof = proof.map_err(MigrateError::Hub)?;
			running.engine.lock().import_range(range.object, range.after, proof)?;
			if Instant::now() >= end {
				return Ok(None);
			}
		}
	}
}
