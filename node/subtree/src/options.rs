//! Bounds and switches of an engine.

use crate::{
	admission::{AccountLimits, Admission},
	engine::{NoWatcher, Watcher},
};
use dstp_primitives::batch::{MAX_BATCH_BYTES, MAX_BATCH_CALLS};
use std::{fs::File, io, sync::Arc};

/// What an engine does with its subtree. A directory that served cannot follow later.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Role {
	/// Executes calls and seals batches.
	Serve,
	/// Applies the batches of others.
	Follow,
}

/// Which heads stay readable.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Retention {
	/// Every head.
	All,
	/// This many heads up to the newest one that is final on the hub, and everything after it. At least 1.
	Last(u64),
}

/// Bounds and switches of an engine.
#[derive(Clone)]
pub struct EngineOptions {
	/// Which heads stay readable; by default the last 256, half an hour at one head per hub block.
	pub retention: Retention,
	/// Calls after which a batch is due; at most [`MAX_BATCH_CALLS`], the default.
	pub batch_calls: u32,
	/// Bytes after which a batch is due; at most [`MAX_BATCH_BYTES`], the default.
	pub batch_bytes: u32,
	/// Milliseconds after which a batch that is not empty is due, unless a head waits for the hub. Default 2000: several batches
	/// per hub block are of no use.
	pub batch_ms: u64,
	/// Calls that may wait for one [`Engine::flush`](crate::Engine::flush); bounds the memory of a group. Default 1024.
	pub unflushed_calls: usize,
	/// Heads that may wait for the hub before calls are refused; bounds the disk while the hub stands. Default 1024.
	pub uncommitted_heads: u64,
	/// Heads that may wait for finality on the hub before calls are refused. Nothing of them is pruned, because a
	/// reorganisation can take all of them back, so this bounds the disk while finality stands. Default 16,384: at one head per
	/// hub block of six seconds finality may stand for a day, and of the largest batches these are 16 GiB.
	pub unfinal_heads: u64,
	/// Bytes after which the log goes on in a new file. Default 16 MiB, so that old calls are dropped in small portions.
	pub log_file_bytes: u64,
	/// Bytes of newer log that make an older file superfluous. Default 192 MiB, because ParityDB holds at most 16 MiB of
	/// commits in memory and 128 MiB in files that are not synced; every call's bytes are part of a commit. Older calls are in the
	/// database, as the batches of all heads that are kept.
	pub log_retain_bytes: u64,
	/// Who may submit how much.
	pub admission: Arc<dyn Admission>,
	/// Who learns of every new head. Default: nobody.
	pub watcher: Arc<dyn Watcher>,
	/// Where tests break things. Default: nowhere.
	pub faults: Arc<dyn Faults>,
}

impl Default for EngineOptions {
	fn default() -> Self {
		Self {
			retention: Retention::Last(256),
			batch_calls: MAX_BATCH_CALLS,
			batch_bytes: MAX_BATCH_BYTES,
			batch_ms: 2000,
			unflushed_calls: 1024,
			uncommitted_heads: 1024,
			unfinal_heads: 16_384,
			log_file_bytes: 16 * 1024 * 1024,
			log_retain_bytes: 192 * 1024 * 1024,
			admission: Arc::new(AccountLimits::default()),
			watcher: Arc::new(NoWatcher),
			faults: Arc::new(NoFaults),
		}
	}
}

impl EngineOptions {
	/// Names the first option that no engine can work with.
	pub(crate) fn check(&self) -> Result<(), &'static str> {
		let ensure = |holds: bool, fact: &'static str| holds.then_some(()).ok_or(fact);
		ensure(self.retention != Retention::Last(0), "at least one head is kept")?;
		ensure((1..=MAX_BATCH_CALLS).contains(&self.batch_calls), "a batch has 1 to 1024 calls")?;
		ensure(
			(1..=MAX_BATCH_BYTES).contains(&self.batch_bytes),
			"a batch has 1 to 1048576 bytes",
		)?;
		ensure(self.unflushed_calls > 0, "at least one call may wait for a flush")?;
		ensure(self.uncommitted_heads > 0, "at least one head may wait for the hub")?;
		ensure(self.unfinal_heads > 0, "at least one head may wait for finality")
	}
}

/// A write boundary: a moment at which a crash leaves another picture on the disk.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Step {
	/// Calls were executed, nothing is written.
	LogAppend,
	/// Half of the group is written. Asked for only where [`Faults::tears_writes`].
	LogHalfWritten,
	/// The group is written, not synced.
	LogWritten,
	/// The group is synced, no receipt is given.
	LogSynced,
	/// The seal is synced, the database knows nothing of the batch.
	DbCommit,
	/// The database took the batch.
	DbCommitted,
	/// A new log file exists without its header.
	LogCreated,
	/// The new log file is complete.
	LogRotated,
	/// Before an old log file is removed.
	LogRemove,
	/// After it.
	LogRemoved,
	/// Before heads are pruned by themselves.
	Prune,
	/// After that.
	Pruned,
	/// A database that is thrown away has another name, and there is no new one.
	StoreMoved,
	/// The new database is there, the one that is thrown away is not deleted.
	StoreReplaced,
}

impl Step {
	/// All of them, for tests.
	pub const ALL: [Self; 14] = [
		Self::LogAppend,
		Self::LogHalfWritten,
		Self::LogWritten,
		Self::LogSynced,
		Self::DbCommit,
		Self::DbCommitted,
		Self::LogCreated,
		Self::LogRotated,
		Self::LogRemove,
		Self::LogRemoved,
		Self::Prune,
		Self::Pruned,
		Self::StoreMoved,
		Self::StoreReplaced,
	];
}

/// Lets a test fail or end the process at a write boundary.
pub trait Faults: Send + Sync {
	/// Called at each boundary. An error stands for a failed write: a full disk, for example.
	fn at(&self, step: Step) -> io::Result<()>;

	/// Whether writes to the log are done in two halves.
	fn tears_writes(&self) -> bool {
		false
	}

	/// Makes what was written to a file of the log durable. A test that puts itself in between knows what a power cut would leave:
	/// a killed process loses nothing that was written, synced or not.
	fn sync(&self, file: &File) -> io::Result<()> {
		file.sync_data()
	}

	/// Makes the names in a folder durable. The same for tests.
	fn sync_folder(&self, folder: &File) -> io::Result<()> {
		folder.sync_all()
	}
}

/// No faults.
#[derive(Clone, Copy, Default, Debug)]
pub struct NoFaults;

impl Faults for NoFaults {
	fn at(&self, _: Step) -> io::Result<()> {
		Ok(())
	}
}
