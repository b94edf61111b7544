//! When followers start, and when they are told of a finalised block.
//!
//! A follower starts once this node has caught up with the hub: the head that it learns first is the one whose state it copies, and
//! nobody may have the state of an old one any more. Three things have to hold, none of which says it alone:
//!
//! - The off-chain worker ran since the start. It runs at a block that came as the newest one, so somebody is there to tell of blocks,
//!   and the node has caught up with the first of them. Without this, a node that knows nobody yet would seem to have caught up.
//! - It ran at the finalised block or a later one.
//! - Most of those who are connected are at most a few blocks ahead (`is_major_syncing`).
//!
//! A majority of liars among the connected nodes can still make it start at an early head. Then it executes the batches since, or copies
//! anew when no provider has that state; it never takes a state that the hub did not finalise.

use crate::runtime::BlockHash;
use dstp_primitives::mailbox::HubView;

/// What is known of how far this node came; see the [module](self).
#[derive(Debug, Default)]
pub(super) struct CaughtUp {
	/// Block of the view that an earlier run left: it does not show that the worker runs.
	stale: Option<BlockHash>,
	/// The finalised block that all followers know.
	told: Option<BlockHash>,
	/// Whether a follower waits until this node has caught up.
	postponed: bool,
}

impl CaughtUp {
	/// `left` is the view that an earlier run left.
	pub(super) fn new(left: Option<&HubView>) -> Self {
		Self { stale: left.map(|view| view.block_hash), ..Self::default() }
	}

	/// Whether followers have to be told of this finalised block, now that the worker left this view.
	pub(super) fn is_news(
		&mut self,
		major_syncing: bool,
		hash: BlockHash,
		number: u32,
		view: impl FnOnce() -> Option<HubView>,
	) -> bool {
		if self.postponed && !major_syncing {
			(self.postponed, self.told) = (false, None);
		}
		if self.told == Some(hash) {
			return false;
		}
		let view = view().filter(|view| self.stale != Some(view.block_hash));
		let caught_up = view.is_some_and(|view| view.number >= number);
		if caught_up {
			self.stale = None;
		}
		caught_up
	}

	/// All followers that run know of this block.
	pub(super) fn told(&mut self, hash: BlockHash) {
		self.told = Some(hash);
	}

	/// Whether one that does not run may start; if not, the block that it was to be told of is news again afterwards.
	pub(super) fn may_start(&mut self, major_syncing: bool) -> bool {
		self.postponed |= major_syncing;
		!major_syncing
	}
}

#[cfg(test)]
mod tests {
	use super::*;

	fn hash(number: u32) -> BlockHash {
		BlockHash::from_low_u64_be(number.into())
	}

	/// What the worker leaves at a block.
	fn view(number: u32) -> Option<HubView> {
		Some(HubView {
			block_hash: hash(number),
			parent_hash: hash(number - 1),
			number,
			global_root: Default::default(),
			subtrees: Default::default(),
		})
	}

	/// Whether block `finalised` is news while the worker left the view of block `at`.
	fn news(caught_up: &mut CaughtUp, syncing: bool, finalised: u32, at: u32) -> bool {
		caught_up.is_news(syncing, hash(finalised), finalised, || view(at))
	}

	#[test]
	fn what_an_earlier_run_left_does_not_show_that_the_worker_runs() {
		let mut caught_up = CaughtUp::new(view(9).as_ref());
		assert!(!caught_up.is_news(false, hash(5), 5, || None));
		assert!(!news(&mut caught_up, false, 5, 9));
		assert!(news(&mut caught_up, false, 5, 10));
		// The worker may come back to that block after a reorganisation.
		assert!(news(&mut caught_up, false, 6, 9));
	}

	#[test]
	fn a_finalised_block_is_told_once_when_the_worker_has_come_as_far() {
		let mut caught_up = CaughtUp::default();
		assert!(!news(&mut caught_up, false, 5, 4));
		assert!(news(&mut caught_up, false, 5, 5));
		assert!(news(&mut caught_up, false, 5, 6), "not all were told");
		caught_up.told(hash(5));
		assert!(!news(&mut caught_up, false, 5, 7));
		assert!(news(&mut caught_up, false, 6, 7));
	}

	#[test]
	fn a_follower_that_must_not_start_in_a_major_sync_starts_afterwards_without_a_new_block() {
		let mut caught_up = CaughtUp::default();
		assert!(news(&mut caught_up, true, 5, 5));
		assert!(!caught_up.may_start(true));
		caught_up.told(hash(5));
		assert!(!news(&mut caught_up, true, 5, 5));
		assert!(news(&mut caught_up, false, 5, 5));
		assert!(caught_up.may_start(false));
		caught_up.told(hash(5));
		assert!(!news(&mut caught_up, false, 5, 5));
	}
}
