//! ParityDB, with an error where it panics.
//!
//! ParityDB believes its files: where an index leads behind the end of a table it panics, on opening as well as on any later
//! question. A node whose disk went wrong should say which folder is damaged instead.
//!
//! Two cases remain. ParityDB's own threads end the process, as they do for the chain's database. And an entry of an index that
//! leads less than 1 GiB behind the end of a table, where ParityDB has mapped memory for it to grow, ends it by a signal: no
//! program can catch that, and looking through all indexes at each start would take longer than opening.

use super::DbResult;
use parity_db::{BTreeIterator, Db, Error, Operation, Options};
use std::{
	cell::Cell,
	panic::{self, AssertUnwindSafe},
	path::{Path, PathBuf},
	sync::Once,
};

/// ParityDB makes and grows the files of its tables by this many bytes. A table of another length was cut, and reading behind
/// the end of a mapped file kills the process.
const TABLE_STEP_BYTES: u64 = 256 * 1024;

/// An open database.
pub(crate) struct Database {
	path: PathBuf,
	/// `None` only while it is dropped.
	db: Option<Db>,
}

impl Database {
	/// Opens or creates the database in `options.path`.
	pub fn open(options: &Options) -> DbResult<Self> {
		let path = options.path.clone();
		check_tables(&path)?;
		let db = guarded(&path, || Db::open_or_create(options))?;
		Ok(Self { path, db: Some(db) })
	}

	fn ask<T>(&self, question: impl FnOnce(&Db) -> DbResult<T>) -> DbResult<T> {
		let db = self.db.as_ref().ok_or(Error::DatabaseNotFound)?;
		guarded(&self.path, || question(db))
	}

	/// The value of a key.
	pub fn get(&self, column: u8, key: &[u8]) -> DbResult<Option<Vec<u8>>> {
		self.ask(|db| db.get(column, key))
	}

	/// The keys and values of an ordered column.
	pub fn iter(&self, column: u8) -> DbResult<Entries<'_>> {
		let db = self.db.as_ref().ok_or(Error::DatabaseNotFound)?;
		let iterator = guarded(&self.path, || db.iter(column))?;
		Ok(Entries { path: &self.path, iterator })
	}

	/// Makes all changes or none.
	pub fn commit_changes(
		&self,
		changes: impl IntoIterator<Item = (u8, Operation<Vec<u8>, Vec<u8>>)>,
	) -> DbResult<()> {
		self.ask(|db| db.commit_changes(changes))
	}
}

impl Drop for Database {
	fn drop(&mut self) {
		let db = self.db.take();
		let closed = guarded(&self.path, || {
			drop(db);
			Ok(())
		});
		if let Err(error) = closed {
			log::error!(target: "dstp::subtree", "the database does not close: {error}");
		}
	}
}

/// A walk through an ordered column.
pub(crate) struct Entries<'a> {
	path: &'a Path,
	iterator: BTreeIterator<'a>,
}

impl Entries<'_> {
	/// Goes to the first key that is not before `key`.
	pub fn seek(&mut self, key: &[u8]) -> DbResult<()> {
		guarded(self.path, || self.iterator.seek(key))
	}

	/// Goes to the first key.
	pub fn seek_to_first(&mut self) -> DbResult<()> {
		guarded(self.path, || self.iterator.seek_to_first())
	}

	/// The key and value here; goes one further.
	pub fn next(&mut self) -> DbResult<Option<(Vec<u8>, Vec<u8>)>> {
		guarded(self.path, || self.iterator.next())
	}
}

fn check_tables(folder: &Path) -> DbResult<()> {
	// A folder that is not there yet is made on opening.
	let Ok(entries) = std::fs::read_dir(folder) else { return Ok(()) };
	for entry in entries {
		let entry = entry.map_err(Error::Io)?;
		let name = entry.file_name().to_string_lossy().into_owned();
		let bytes = entry.metadata().map_err(Error::Io)?.len();
		if name.starts_with("table_") && bytes % TABLE_STEP_BYTES != 0 {
			return Err(Error::Corruption(format!(
				"{name} has {bytes} bytes, and a whole table has a multiple of {TABLE_STEP_BYTES}"
			)));
		}
	}
	Ok(())
}

thread_local! {
	/// Whether this thread turns panics of ParityDB into errors now.
	static GUARDED: Cell<bool> = const { Cell::new(false) };
}

/// Runs `code`; a panic in it becomes an error that names the folder.
///
/// A node's panic hook prints a backtrace and ends the process before anything can be caught, so the hook is passed by here.
fn guarded<T>(folder: &Path, code: impl FnOnce() -> DbResult<T>) -> DbResult<T> {
	static HOOK: Once = Once::new();
	HOOK.call_once(|| {
		let others = panic::take_hook();
		panic::set_hook(Box::new(move |info| {
			if !GUARDED.get() {
				others(info);
			}
		}));
	});
	let before = GUARDED.replace(true);
	// ParityDB's locks are not poisoned, and what it holds in memory is not used after an error that stops the engine.
	let result = panic::catch_unwind(AssertUnwindSafe(code));
	GUARDED.set(before);
	result.unwrap_or_else(|cause| {
		let reason = cause
			.downcast_ref::<String>()
			.map(String::as_str)
			.or_else(|| cause.downcast_ref::<&str>().copied())
			.unwrap_or("it does not say why");
		let folder = folder.display();
		Err(Error::Corruption(format!("the files in {folder} are damaged: {reason}")))
	})
}
