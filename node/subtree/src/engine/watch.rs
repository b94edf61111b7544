//! Telling others of new heads.

use super::SealedBatch;
use crate::read::Reader;

/// What happened to the newest head.
#[derive(Clone, Copy, Debug)]
pub enum HeadNews<'a> {
	/// A batch was sealed here, or executed again after another node's.
	Batch(&'a SealedBatch),
	/// A whole state was copied: anything may differ from what was here before.
	Copied {
		/// Number of the head whose state it is; 0: the state before the first.
		seq: u64,
	},
	/// The heads from `first` on got another era: other hashes, the same batches and roots.
	Resealed {
		/// First of them.
		first: u64,
	},
}

/// Learns of every new head, in their order.
pub trait Watcher: Send + Sync {
	/// Called by the writer when the head is stored and `reader` sees it: has to be quick. What is replayed at a start is told
	/// too.
	fn on_news(&self, news: HeadNews<'_>, reader: &Reader);
}

/// Watches nothing.
#[derive(Clone, Copy, Default, Debug)]
pub struct NoWatcher;

impl Watcher for NoWatcher {
	fn on_news(&self, _: HeadNews<'_>, _: &Reader) {}
}
