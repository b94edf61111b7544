//! A namespace over a store of trie nodes.

use super::{
	empty_root,
	look_up::look_up,
	recorder::Metered,
	view::{Kept, Nodes, View, ViewMut},
	written::Written,
	Layout, NodeStore, Recording,
};
use crate::{
	id::{ObjectId, StateRoot},
	object::{child_key, ChildEntry, Meta, META_KEY},
	tree::{Link, Storage, StorageError},
};
use alloc::{
	boxed::Box,
	collections::{BTreeMap, BTreeSet},
	vec::Vec,
};
use core::{
	cell::{Cell, RefCell},
	ops::Bound::{Excluded, Unbounded},
};
use sp_core::H256;
use sp_trie::{TrieDB, TrieDBBuilder, TrieDBMutBuilder};
use trie_db::{Trie, TrieError, TrieMut, TrieRecorder};

/// By hash: a node's bytes, and how many references to it were added (or, if negative, dropped; then bytes may be missing).
pub type NodeChanges = Vec<(H256, Vec<u8>, i32)>;

/// By object, then trie key: the value as it stands now; `None`: there is none any more.
pub type PairChanges = BTreeMap<ObjectId, ObjectChanges>;

/// The same of one object.
pub type ObjectChanges = BTreeMap<Vec<u8>, Option<Vec<u8>>>;

/// One object's trie: its root, and what is not in it yet.
#[derive(Clone, Debug)]
struct ObjectTrie {
	root: StateRoot,
	link: Option<Link>,
	pending: ObjectChanges,
}

impl ObjectTrie {
	fn new(root: StateRoot, link: Option<Link>) -> Self {
		Self { root, link, pending: ObjectChanges::new() }
	}
}

/// A namespace whose tries are read from `N`, with changes in memory.
///
/// Life of a change: an operation writes; [`ObjectTree::commit_roots`](crate::ObjectTree::commit_roots) computes roots;
/// [`Self::accept`] keeps the result, or [`Self::discard`] forgets everything since the last `accept`;
/// [`Self::take_node_changes`] gives what a database has to store.
pub struct TrieStorage<N> {
	namespace: ObjectId,
	store: N,
	tries: BTreeMap<ObjectId, ObjectTrie>,
	dirty: BTreeSet<ObjectId>,
	/// Objects with changes since the last `accept`.
	touched: BTreeSet<ObjectId>,
	/// For each object whose root or link changed since the last `accept`: what they were, `None` if it was not known.
	undo: BTreeMap<ObjectId, Option<(StateRoot, Option<Link>)>>,
	/// Nodes written since the last `accept`.
	fresh: Written,
	/// Nodes written before.
	accepted: Written,
	/// Nodes read from the store.
	kept: RefCell<Kept>,
	/// Keys and values that entered a root since the last `accept`.
	fresh_pairs: PairChanges,
	/// Keys and values that did before.
	accepted_pairs: PairChanges,
	recording: RefCell<Recording>,
	/// Bytes that the recording may hold before reads are refused.
	read_limit: u64,
}

/// Most objects whose position is remembered between calls; a resolved path finds a forgotten one again. About 200 bytes each.
const MAX_KNOWN_OBJECTS: usize = 65_536;

impl<N: NodeStore> TrieStorage<N> {
	/// Opens the namespace whose root object is `namespace`, at `root`.
	pub fn new(namespace: ObjectId, root: StateRoot, store: N) -> Self {
		Self {
			namespace,
			store,
			tries: BTreeMap::from([(namespace, ObjectTrie::new(root, None))]),
			dirty: BTreeSet::new(),
			touched: BTreeSet::new(),
			undo: BTreeMap::new(),
			fresh: Written::default(),
			accepted: Written::default(),
			kept: RefCell::default(),
			fresh_pairs: PairChanges::new(),
			accepted_pairs: PairChanges::new(),
			recording: RefCell::default(),
			read_limit: u64::MAX,
		}
	}

	/// The root of the namespace as computed last.
	pub fn namespace_root(&self) -> StateRoot {
		self.object_root(&self.namespace).unwrap_or_else(empty_root)
	}

	/// The root of a known object as computed last.
	pub fn object_root(&self, object: &ObjectId) -> Option<StateRoot> {
		self.tries.get(object).map(|trie| trie.root)
	}

	/// The store below.
	pub fn store(&self) -> &N {
		&self.store
	}

	/// Starts a new recording, without a limit, and gives the old one.
	pub fn record(&mut self, recording: Recording) -> Recording {
		self.read_limit = u64::MAX;
		self.recording.replace(recording)
	}

	/// From now on, reading fails with [`StorageError::ReadLimit`] once more than `bytes` of nodes are recorded.
	///
	/// The recording then exceeds the limit by what one lookup reads, at most: the nodes on the way to a key, and its value.
	pub fn limit_reads(&mut self, bytes: u64) {
		self.read_limit = bytes;
	}

	/// Forgets where objects stand if very many are known, so that a long-lived namespace does not fill the memory. Only between
	/// an [`Self::accept`] and the next change; objects are known again once their path is resolved.
	pub fn forget_surplus(&mut self) {
		if self.tries.len() > MAX_KNOWN_OBJECTS && self.touched.is_empty() && self.undo.is_empty() {
			self.tries.retain(|object, _| *object == self.namespace);
		}
	}

	/// Distinct nodes recorded so far, and their bytes.
	pub fn recorded(&self) -> (usize, u64) {
		self.recording.borrow().size()
	}

	/// Keeps what was changed. Roots have been computed.
	pub fn accept(&mut self) {
		self.touched.clear();
		self.undo.clear();
		self.accepted.absorb(core::mem::take(&mut self.fresh));
		for (object, pairs) in core::mem::take(&mut self.fresh_pairs) {
			add_pairs(&mut self.accepted_pairs, object, pairs);
		}
	}

	/// Forgets every change since the last [`Self::accept`].
	pub fn discard(&mut self) {
		self.dirty.clear();
		for object in core::mem::take(&mut self.touched) {
			if let Some(trie) = self.tries.get_mut(&object) {
				trie.pending.clear();
			}
		}
		for (object, before) in core::mem::take(&mut self.undo) {
			match before {
				Some((root, link)) => self.tries.insert(object, ObjectTrie::new(root, link)),
				None => self.tries.remove(&object),
			};
		}
		self.fresh = Written::default();
		self.fresh_pairs.clear();
	}

	/// Accepted node changes since the last call, in any order, for a database that counts references.
	pub fn take_node_changes(&mut self) -> NodeChanges {
		self.accepted.take()
	}

	/// Accepted changes of keys and values since the last call, for a copy of the state beside its tries.
	pub fn take_pair_changes(&mut self) -> PairChanges {
		core::mem::take(&mut self.accepted_pairs)
	}

	fn trie(&self, object: &ObjectId) -> Result<&ObjectTrie, StorageError> {
		self.tries.get(object).ok_or(StorageError::Corrupt)
	}

	fn view(&self, root: &StateRoot) -> View<'_, N> {
		let (store, accepted, fresh, root) = (&self.store, &self.accepted, &self.fresh, *root);
		View { nodes: Nodes { store, accepted, fresh, root }, kept: &self.kept }
	}

	/// Whether what is read of the object now is part of the witness. What the running call itself wrote is not.
	fn is_witnessed(&self, object: &ObjectId) -> bool {
		!self.undo.contains_key(object)
	}

	fn check_read_limit(&self) -> Result<(), StorageError> {
		(self.recorded().1 <= self.read_limit).then_some(()).ok_or(StorageError::ReadLimit)
	}

	/// The value at a key at the object's last root.
	fn look_up(
		&self,
		object: &ObjectId,
		root: &StateRoot,
		key: &[u8],
	) -> Result<Option<Vec<u8>>, StorageError> {
		let witnessed = self.is_witnessed(object);
		let recording = &mut *self.recording.borrow_mut();
		look_up(&self.view(root), root, key, |hash, bytes| {
			if witnessed {
				recording.note(*hash, bytes);
			}
		})
	}

	/// Reads at the object's last root, with the trie code.
	fn read<T>(
		&self,
		object: &ObjectId,
		root: &StateRoot,
		read: impl FnOnce(&TrieDB<'_, '_, Layout>) -> Result<T, StorageError>,
	) -> Result<T, StorageError> {
		let view = self.view(root);
		let builder = TrieDBBuilder::<Layout>::new(&view, root);
		let result = match &mut *self.recording.borrow_mut() {
			recording if recording.is_on() && self.is_witnessed(object) => {
				read(&builder.with_recorder(recording).build())
			},
			_ => read(&builder.build()),
		};
		self.check_read_limit()?;
		result
	}

	/// Notes how an object was before its first change; `false` if that is known already.
	fn note_undo(&mut self, object: &ObjectId) -> bool {
		if self.undo.contains_key(object) {
			return false;
		}
		let before = self.tries.get(object).map(|trie| (trie.root, trie.link.clone()));
		self.undo.insert(*object, before);
		true
	}

	/// Gives the entries after `after` (`None`: all) of the object's trie at its last root to `visit`, in key order and until it says
	/// `false`. `true`: nothing follows. One walk over the trie, where [`Storage::next_key`] would start at the root for each entry.
	pub(crate) fn visit_entries(
		&self,
		object: &ObjectId,
		after: Option<&[u8]>,
		mut visit: impl FnMut(Vec<u8>, Vec<u8>) -> bool,
	) -> Result<bool, StorageError> {
		self.read(object, &self.trie(object)?.root, |db| {
			let mut entries = db.iter().map_err(storage_error)?;
			if let Some(after) = after {
				entries.seek(after).map_err(storage_error)?;
			}
			for entry in entries {
				let (key, value) = entry.map_err(storage_error)?;
				if Some(&key[..]) != after && !visit(key, value) {
					return Ok(false);
				}
			}
			Ok(true)
		})
	}

	/// Notes a change. What was written without having been marked dirty, such as a child's root in its parent, is discarded too.
	fn write(
		&mut self,
		object: &ObjectId,
		key: &[u8],
		value: Option<Vec<u8>>,
	) -> Result<(), StorageError> {
		let trie = self.tries.get_mut(object).ok_or(StorageError::Corrupt)?;
		trie.pending.insert(key.to_vec(), value);
		self.touched.insert(*object);
		Ok(())
	}

	/// The root that the parent knows of a child.
	fn root_in_parent(&self, link: &Link, object: &ObjectId) -> Result<StateRoot, StorageError> {
		if link.parent.child(&link.key) != *object {
			return Err(StorageError::Corrupt);
		}
		let meta = self.get(&link.parent, &META_KEY)?.ok_or(StorageError::Corrupt)?;
		let layout = Meta::from_value(&meta).map_err(|_| StorageError::Corrupt)?.flags.key_layout();
		let entry =
			self.get(&link.parent, &child_key(layout, &link.key))?.ok_or(StorageError::Corrupt)?;
		Ok(ChildEntry::from_value(&entry).map_err(|_| StorageError::Corrupt)?.state_root)
	}
}

impl<N: NodeStore> Storage for TrieStorage<N> {
	fn namespace(&self) -> ObjectId {
		self.namespace
	}

	fn get(&self, object: &ObjectId, key: &[u8]) -> Result<Option<Vec<u8>>, StorageError> {
		let trie = self.trie(object)?;
		if let Some(value) = trie.pending.get(key) {
			return Ok(value.clone());
		}
		let value = self.look_up(object, &trie.root, key);
		self.check_read_limit()?;
		value
	}

	fn next_key(&self, object: &ObjectId, key: &[u8]) -> Result<Option<Vec<u8>>, StorageError> {
		let trie = self.trie(object)?;
		let pending = trie
			.pending
			.range::<[u8], _>((Excluded(key), Unbounded))
			.find(|(_, value)| value.is_some());
		let stored = self.read(object, &trie.root, |db| {
			let mut keys = db.key_iter().map_err(storage_error)?;
			keys.seek(key).map_err(storage_error)?;
			for found in keys {
				let found = found.map_err(storage_error)?;
				if found.as_slice() > key && !matches!(trie.pending.get(&found), Some(None)) {
					return Ok(Some(found));
				}
			}
			Ok(None)
		})?;
		Ok([pending.map(|(key, _)| key.clone()), stored].into_iter().flatten().min())
	}

	fn put(&mut self, object: &ObjectId, key: &[u8], value: Vec<u8>) -> Result<(), StorageError> {
		self.write(object, key, Some(value))
	}

	fn delete(&mut self, object: &ObjectId, key: &[u8]) -> Result<(), StorageError> {
		self.write(object, key, None)
	}

	fn link(&self, object: &ObjectId) -> Result<Option<Link>, StorageError> {
		Ok(self.tries.get(object).and_then(|trie| trie.link.clone()))
	}

	fn insert_link(
		&mut self,
		object: &ObjectId,
		link: Link,
		new: bool,
	) -> Result<(), StorageError> {
		if new {
			self.note_undo(object);
			self.tries.insert(*object, ObjectTrie::new(empty_root(), Some(link)));
		} else if !self.tries.contains_key(object) {
			let root = self.root_in_parent(&link, object)?;
			self.tries.insert(*object, ObjectTrie::new(root, Some(link)));
		}
		Ok(())
	}

	fn remove_link(&mut self, object: &ObjectId) -> Result<(), StorageError> {
		if self.root(object)? != empty_root() {
			return Err(StorageError::Corrupt);
		}
		self.tries.remove(object);
		Ok(())
	}

	fn mark_dirty(&mut self, object: &ObjectId) -> Result<(), StorageError> {
		self.dirty.insert(*object);
		self.touched.insert(*object);
		Ok(())
	}

	fn take_dirty(&mut self) -> Vec<ObjectId> {
		core::mem::take(&mut self.dirty).into_iter().collect()
	}

	fn root(&mut self, object: &ObjectId) -> Result<StateRoot, StorageError> {
		let first = self.note_undo(object);
		let trie = self.tries.get_mut(object).ok_or(StorageError::Corrupt)?;
		let mut root = trie.root;
		let pending = core::mem::take(&mut trie.pending);
		self.fresh.reserve_for(pending.len());
		let mut view = ViewMut {
			store: &self.store,
			accepted: &self.accepted,
			fresh: &mut self.fresh,
			kept: self.kept.get_mut(),
			root,
		};
		let bytes = Cell::new(self.recording.get_mut().size().1);
		let mut metered = match self.recording.get_mut() {
			Recording::Off => None,
			recording => first.then_some(Metered { recording, bytes: &bytes }),
		};
		let mut db = TrieDBMutBuilder::<Layout>::from_existing(&mut view, &mut root)
			.with_optional_recorder(
				metered.as_mut().map(|metered| metered as &mut dyn TrieRecorder<H256>),
			)
			.disable_commit_on_drop()
			.build();
		for (key, value) in &pending {
			match value {
				Some(value) => db.insert(key, value).map_err(storage_error)?,
				None => db.remove(key).map_err(storage_error)?,
			};
			if bytes.get() > self.read_limit {
				return Err(StorageError::ReadLimit);
			}
		}
		db.commit();
		drop(db);
		trie.root = root;
		add_pairs(&mut self.fresh_pairs, *object, pending);
		Ok(root)
	}
}

/// Adds what was written later to an object.
fn add_pairs(all: &mut PairChanges, object: ObjectId, later: ObjectChanges) {
	if later.is_empty() {
		return;
	}
	let pairs = all.entry(object).or_default();
	if pairs.is_empty() {
		*pairs = later;
	} else {
		// Not `append`, which walks over everything that was written before.
		pairs.extend(later);
	}
}

#[allow(clippy::boxed_local)]
fn storage_error<E>(error: Box<TrieError<H256, E>>) -> StorageError {
	match *error {
		TrieError::IncompleteDatabase(hash) | TrieError::InvalidStateRoot(hash) => {
			StorageError::MissingNode(hash)
		},
		_ => StorageError::Corrupt,
	}
}
