//! The database: trie nodes, a flat copy of the state, heads and batches.
//!
//! | Column | Key | Value |
//! |---|---|---|
//! | nodes | hash | trie node or large value, counted |
//! | flat (ordered) | object id, trie key | value with its tag, at the newest head |
//! | heads | `h`, `b` or `j`, seq (big-endian) | head; batch; what the head let go of |
//! | links | object id | where the object stands, and when it was removed |
//! | meta | name | identity, [`Applied`] |
//! | import (ordered) | object id | objects that are being fetched |
//!
//! Every change is one ParityDB commit and carries [`Applied`], so the database is always at one head exactly, if possibly
//! an older one after a crash: ParityDB writes commits in their order, later.
//!
//! **Counting.** A node's count is the number of its places in the tries of the newest head, plus one for each place that
//! it lost in a head after the oldest kept one. What a head let go of is written beside it, and subtracted when the head before
//! it is pruned.

mod changes;
mod database;
mod flat;
mod import;

pub(crate) use changes::{next_oldest, BatchChange, StoredBatch};
pub(crate) use flat::FlatView;
pub(crate) use import::{ActiveObject, Frame, ImportHeader, StoredImport};

use crate::{
	error::OpenError,
	identity::SubtreeIdentity,
	options::{Faults, Step},
};
use codec::{Decode, DecodeAll, Encode};
use database::Database;
use dstp_primitives::{
	batch::HubPin, head::Head, tree::Link, trie::NodeStore, ObjectId, StateRoot,
};
use parity_db::{ColumnOptions, Operation, Options};
use sp_core::H256;
use std::{
	fs::File,
	io::ErrorKind,
	path::{Path, PathBuf},
	sync::{Arc, RwLock, RwLockReadGuard},
};

pub(crate) const COL_NODES: u8 = 0;
pub(crate) const COL_FLAT: u8 = 1;
pub(crate) const COL_HEADS: u8 = 2;
pub(crate) const COL_LINKS: u8 = 3;
pub(crate) const COL_META: u8 = 4;
pub(crate) const COL_IMPORT: u8 = 5;
const COLUMNS: u8 = 6;

const META_IDENTITY: &[u8] = b"identity";
const META_APPLIED: &[u8] = b"applied";
const META_SERVED: &[u8] = b"served";
const META_IMPORT: &[u8] = b"import";

/// Version of the database's layout.
const STORE_VERSION: u32 = 1;

/// A list of changes to the database.
pub(crate) type Ops = Vec<(u8, Operation<Vec<u8>, Vec<u8>>)>;

/// Where the database stands. Part of every commit.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Encode, Decode)]
pub(crate) struct Applied {
	/// Newest head; 0: the state before the first.
	pub seq: u64,
	/// Oldest head that is readable.
	pub oldest: u64,
	/// Root at the newest head.
	pub root: StateRoot,
	/// Hash of the newest head; zero before the first.
	pub head_hash: H256,
	/// Last record of the log whose effect is in the database.
	pub position: u64,
	/// Time of the last call, in milliseconds since 1970; 0 if not known.
	pub time_ms: u64,
	/// Hub block of the last call.
	pub hub: HubPin,
	/// Newest head that the hub accepted, as far as it was known at the last commit.
	pub committed: u64,
	/// Era of heads to come.
	pub era: u32,
	/// Whether the state is here: not before an import is finished.
	pub ready: bool,
}

#[derive(PartialEq, Eq, Debug, Encode, Decode)]
struct StoredIdentity {
	version: u32,
	identity: SubtreeIdentity,
	initial_root: StateRoot,
}

/// An object's place in the tree, kept until no kept head has the object.
#[derive(Clone, PartialEq, Eq, Debug, Encode, Decode)]
pub(crate) struct StoredLink {
	pub link: Link,
	/// Head in which it was removed last; 0: it stands.
	pub removed: u64,
}

/// The open database and where it stands. A reader holds the lock for one answer, so that it sees one head.
pub(crate) struct Inner {
	db: Option<Database>,
	pub applied: Applied,
}

pub(crate) struct Store {
	path: PathBuf,
	inner: RwLock<Inner>,
	initial_root: StateRoot,
	faults: Arc<dyn Faults>,
}

/// A database error that is not about opening it.
pub(crate) type DbResult<T> = Result<T, parity_db::Error>;

fn options(path: &Path) -> Options {
	let mut options = Options::with_columns(path, COLUMNS);
	options.stats = false;
	let column = |index: u8| ColumnOptions {
		// Keys are not `uniform`: whoever chooses values could search for hashes that fill one page of the index.
		preimage: index == COL_NODES,
		ref_counted: index == COL_NODES,
		btree_index: index == COL_FLAT || index == COL_IMPORT,
		..Default::default()
	};
	options.columns = (0..COLUMNS).map(column).collect();
	options
}

fn open_db(path: &Path) -> Result<Database, OpenError> {
	Database::open(&options(path)).map_err(|error| open_error(path, error))
}

fn open_error(path: &Path, error: parity_db::Error) -> OpenError {
	// The system says these of a file that is cut or holds something else; all others say that it could not be asked.
	let damage = [ErrorKind::UnexpectedEof, ErrorKind::InvalidData, ErrorKind::InvalidInput];
	match error {
		parity_db::Error::Locked(_) => OpenError::InUse(path.to_path_buf()),
		parity_db::Error::Io(source) if !damage.contains(&source.kind()) => {
			OpenError::Io { action: "open the database in", path: path.to_path_buf(), source }
		},
		source => OpenError::Damaged { folder: path.to_path_buf(), source },
	}
}

impl Store {
	/// Opens or creates the database. Everything in it is on the disk when this returns.
	pub fn open(
		path: &Path,
		identity: SubtreeIdentity,
		initial_root: StateRoot,
		faults: Arc<dyn Faults>,
	) -> Result<Self, OpenError> {
		let db = open_db(path)?;
		let unreadable = |error| open_error(path, error);
		let stored = StoredIdentity { version: STORE_VERSION, identity, initial_root };
		let applied = match db.get(COL_META, META_IDENTITY).map_err(unreadable)? {
			None => {
				let applied = blank(initial_root);
				let ops = vec![set(COL_META, META_IDENTITY, stored.encode()), applied_op(&applied)];
				db.commit_changes(ops).map_err(unreadable)?;
				applied
			},
			Some(bytes) => {
				let found = StoredIdentity::decode_all(&mut &bytes[..])
					.map_err(|_| OpenError::Corrupt("its identity"))?;
				if found != stored {
					let (expected, found) = (format!("{stored:?}"), format!("{found:?}"));
					return Err(OpenError::WrongIdentity { expected, found });
				}
				let bytes = db.get(COL_META, META_APPLIED).map_err(unreadable)?;
				let bytes = bytes.ok_or(OpenError::Corrupt("it has no position"))?;
				Applied::decode_all(&mut &bytes[..])
					.map_err(|_| OpenError::Corrupt("its position"))?
			},
		};
		// Only now that the lock is ours: another process may be about to delete it.
		remove_former(path)?;
		let inner = RwLock::new(Inner { db: Some(db), applied });
		Ok(Self { path: path.to_path_buf(), inner, initial_root, faults })
	}

	/// For one consistent answer. Do not ask for it twice in one thread at a time.
	pub fn read(&self) -> RwLockReadGuard<'_, Inner> {
		// A writer that panicked left the database whole: commits are atomic and `applied` is assigned after them.
		self.inner.read().unwrap_or_else(|poisoned| poisoned.into_inner())
	}

	pub fn applied(&self) -> Applied {
		self.read().applied
	}

	/// Root of the state before the first head.
	pub fn initial_root(&self) -> StateRoot {
		self.initial_root
	}

	/// Commits changes together with where the database stands after them.
	pub fn commit(&self, mut ops: Ops, applied: Applied) -> DbResult<()> {
		let mut inner = self.inner.write().unwrap_or_else(|poisoned| poisoned.into_inner());
		ops.push(applied_op(&applied));
		inner.db()?.commit_changes(ops)?;
		inner.applied = applied;
		Ok(())
	}

	/// Like [`Self::commit`], at a boundary that tests watch.
	pub fn commit_watched(&self, ops: Ops, applied: Applied, steps: [Step; 2]) -> DbResult<()> {
		self.faults.at(steps[0]).map_err(parity_db::Error::Io)?;
		self.commit(ops, applied)?;
		self.faults.at(steps[1]).map_err(parity_db::Error::Io)
	}

	/// Notes that this folder has a log.
	pub fn set_served(&self) -> DbResult<()> {
		self.read().db()?.commit_changes([set(COL_META, META_SERVED, vec![1])])
	}

	pub fn has_served(&self) -> DbResult<bool> {
		Ok(self.read().db()?.get(COL_META, META_SERVED)?.is_some())
	}

	/// Closes the database and opens it again: what was committed is on the disk then.
	pub fn barrier(&self) -> Result<(), OpenError> {
		self.reopen(|| Ok(()))
	}

	/// Throws everything away and starts with an empty database.
	///
	/// The folder gets another name before anything in it is deleted, so that a crash never leaves half a database under its own.
	pub fn reset(&self, identity: SubtreeIdentity) -> Result<(), OpenError> {
		self.reopen(|| self.move_away())?;
		let stored =
			StoredIdentity { version: STORE_VERSION, identity, initial_root: self.initial_root };
		let ops = vec![set(COL_META, META_IDENTITY, stored.encode())];
		self.commit(ops, blank(self.initial_root)).map_err(OpenError::Database)?;
		self.at(Step::StoreReplaced)?;
		remove_former(&self.path)
	}

	fn move_away(&self) -> Result<(), OpenError> {
		let path = &self.path;
		remove_former(path)?;
		let moved = std::fs::rename(path, former(path));
		let moved = moved.and_then(|()| File::open(path.parent().unwrap_or(path))?.sync_all());
		moved.map_err(|source| OpenError::Io {
			action: "move away",
			path: path.clone(),
			source,
		})?;
		self.at(Step::StoreMoved)
	}

	fn at(&self, step: Step) -> Result<(), OpenError> {
		self.faults.at(step).map_err(|error| OpenError::Database(parity_db::Error::Io(error)))
	}

	fn reopen(&self, between: impl FnOnce() -> Result<(), OpenError>) -> Result<(), OpenError> {
		let mut inner = self.inner.write().unwrap_or_else(|poisoned| poisoned.into_inner());
		drop(inner.db.take());
		let result = between();
		inner.db = Some(open_db(&self.path)?);
		result
	}
}

/// Where a database lies that is thrown away.
fn former(path: &Path) -> PathBuf {
	path.with_extension("former")
}

/// Deletes what was thrown away, also by a process that was killed meanwhile.
fn remove_former(path: &Path) -> Result<(), OpenError> {
	let path = former(path);
	match std::fs::remove_dir_all(&path) {
		Err(source) if source.kind() != ErrorKind::NotFound => {
			Err(OpenError::Io { action: "delete", path, source })
		},
		_ => Ok(()),
	}
}

/// Before anything was done.
fn blank(initial_root: StateRoot) -> Applied {
	Applied {
		seq: 0,
		oldest: 0,
		root: initial_root,
		head_hash: H256::zero(),
		position: 0,
		time_ms: 0,
		hub: HubPin::default(),
		committed: 0,
		era: 0,
		ready: false,
	}
}

impl Inner {
	/// The database; an error only after it could not be opened again.
	pub fn db(&self) -> DbResult<&Database> {
		self.db.as_ref().ok_or(parity_db::Error::DatabaseNotFound)
	}

	pub fn head(&self, seq: u64) -> DbResult<Option<Head>> {
		decode(self.db()?.get(COL_HEADS, &seq_key(b'h', seq))?)
	}

	pub fn batch(&self, seq: u64) -> DbResult<Option<StoredBatch>> {
		decode(self.db()?.get(COL_HEADS, &seq_key(b'b', seq))?)
	}

	pub fn link(&self, object: &ObjectId) -> DbResult<Option<StoredLink>> {
		decode(self.db()?.get(COL_LINKS, &object.0)?)
	}

	pub fn flat(&self, object: &ObjectId, key: &[u8]) -> DbResult<Option<Vec<u8>>> {
		self.db()?.get(COL_FLAT, &flat_key(object, key))
	}
}

/// Reads nodes under a lock that the caller holds.
impl NodeStore for Inner {
	fn node(&self, hash: &H256) -> Option<Vec<u8>> {
		self.db().and_then(|db| db.get(COL_NODES, hash.as_bytes())).unwrap_or_else(|error| {
			log::error!(target: "dstp::subtree", "a trie node cannot be read: {error}");
			None
		})
	}
}

/// Reads nodes for the one writer.
#[derive(Clone)]
pub(crate) struct WriterNodes(pub Arc<Store>);

impl NodeStore for WriterNodes {
	fn node(&self, hash: &H256) -> Option<Vec<u8>> {
		self.0.read().node(hash)
	}

	fn is_slow(&self) -> bool {
		true
	}
}

fn decode<T: DecodeAll>(bytes: Option<Vec<u8>>) -> DbResult<Option<T>> {
	let decoded = bytes.map(|bytes| T::decode_all(&mut &bytes[..])).transpose();
	decoded
		.map_err(|_| parity_db::Error::Corruption("a record of the store cannot be decoded".into()))
}

fn applied_op(applied: &Applied) -> (u8, Operation<Vec<u8>, Vec<u8>>) {
	set(COL_META, META_APPLIED, applied.encode())
}

pub(crate) fn set(column: u8, key: &[u8], value: Vec<u8>) -> (u8, Operation<Vec<u8>, Vec<u8>>) {
	(column, Operation::Set(key.to_vec(), value))
}

pub(crate) fn delete(column: u8, key: &[u8]) -> (u8, Operation<Vec<u8>, Vec<u8>>) {
	(column, Operation::Dereference(key.to_vec()))
}

pub(crate) fn seq_key(kind: u8, seq: u64) -> [u8; 9] {
	let mut key = [kind; 9];
	key[1..].copy_from_slice(&seq.to_be_bytes());
	key
}

pub(crate) fn flat_key(object: &ObjectId, key: &[u8]) -> Vec<u8> {
	[&object.0[..], key].concat()
}
