//! Taking over a whole state in proven ranges.
//!
//! The walk starts at the root object. Each object is fetched range by range against the root that its parent names; when it is
//! complete, its children follow. At most [`MAX_ACTIVE`] objects are under way at a time. What was taken is in the database
//! together with how far the walk is, so a restart goes on where it was.

use super::{Engine, HeadNews};
use crate::{
	error::{ImportError, OpenError, StopReason},
	log::CallLog,
	options::Role,
	store::{
		seq_key, set, ActiveObject, Applied, BatchChange, FlatView, Frame, ImportHeader, Ops,
		StoredImport, WriterNodes, COL_HEADS,
	},
};
use codec::Encode;
use dstp_primitives::{
	batch::HubPin,
	head::{Head, HEAD_VERSION},
	id::MAX_DEPTH,
	object::{raw_key, META_KEY, PREFIX_CHILD},
	proof::{check_range, RangeProof, TrieRange},
	tree::{Link, Storage},
	trie::empty_root,
	ChildEntry, Location, Meta, ObjectId, StateRoot, TrieStorage,
};
use std::collections::BTreeMap;

/// Most objects under way at a time: enough for a few ranges from each of several peers.
const MAX_ACTIVE: usize = 64;

/// Which state is imported.
// There is one value per import.
#[allow(clippy::large_enum_variant)]
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum ImportTarget {
	/// That of a head, which the caller has from finalised state of the hub.
	Head(Head),
	/// The one before the first head, where the hub held the subtree itself before.
	Initial,
}

/// A range that is missing. Any order will do, except that an object's ranges come one after the other.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct WantedRange {
	/// Whose trie.
	pub object: ObjectId,
	/// Its root.
	pub root: StateRoot,
	/// The last key that is here; `None`: none.
	pub after: Option<Vec<u8>>,
}

/// How far an import is. The whole is not known before the end.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct ImportProgress {
	/// Number of the head; 0: the state before the first.
	pub seq: u64,
	/// Objects that are complete.
	pub objects: u64,
	/// Keys and values that are here.
	pub entries: u64,
	/// Their bytes.
	pub bytes: u64,
	/// Whether everything is here, so that [`Engine::finish_import`] will do.
	pub complete: bool,
}

/// The import in memory, as it is in the database.
pub(super) struct ImportRun {
	pub(super) header: ImportHeader,
	pub(super) active: BTreeMap<ObjectId, ActiveObject>,
	/// Complete objects whose children wait; the last one is visited first.
	frames: Vec<(ObjectId, Frame)>,
}

impl From<StoredImport> for ImportRun {
	fn from((header, active, mut frames): StoredImport) -> Self {
		frames.sort_by_key(|(_, frame)| frame.child_depth);
		Self { header, active: active.into_iter().collect(), frames }
	}
}

impl ImportRun {
	pub fn progress(&self) -> ImportProgress {
		ImportProgress {
			seq: self.header.head.as_ref().map_or(0, |head| head.seq),
			objects: self.header.objects,
			entries: self.header.entries,
			bytes: self.header.bytes,
			complete: self.active.is_empty() && self.frames.is_empty(),
		}
	}
}

impl Engine {
	/// Starts to import a state, or goes on if that import is under way. Another state that is here is thrown away; a folder
	/// whose log has calls refuses.
	pub fn begin_import(&mut self, target: ImportTarget) -> Result<ImportProgress, ImportError> {
		let header = self.import_header(target)?;
		if let Some(run) = self.import.as_ref().filter(|run| run.header.head == header.head) {
			return Ok(run.progress());
		}
		self.start_import(header).map_err(|error| self.write_failed(error))?;
		self.import_progress()
	}

	/// Checks that `target` may be imported here.
	pub(super) fn import_header(&self, target: ImportTarget) -> Result<ImportHeader, ImportError> {
		self.running()?;
		if self.log.as_ref().is_some_and(|log| log.position() > 0) {
			return Err(ImportError::HasServed);
		}
		let (head, root) = match target {
			ImportTarget::Head(head) => {
				let ours = (head.version, head.genesis, head.subtree, head.epoch);
				let expected = (
					HEAD_VERSION,
					self.identity.genesis,
					self.identity.subtree,
					self.identity.epoch,
				);
				if ours != expected || head.seq == 0 {
					return Err(ImportError::WrongTarget);
				}
				let root = head.state_root;
				(Some(head), root)
			},
			ImportTarget::Initial => (None, self.store.initial_root()),
		};
		Ok(ImportHeader { head, root, objects: 0, entries: 0, bytes: 0, walk: Vec::new() })
	}

	pub(super) fn start_import(&mut self, header: ImportHeader) -> Result<(), OpenError> {
		self.store.reset(self.identity)?;
		if self.role == Role::Serve {
			self.store.set_served().map_err(OpenError::Database)?;
		}
		let first =
			ActiveObject { root: header.root, link: None, after: None, partial: empty_root() };
		let mut ops = Ops::new();
		header.put(&mut ops);
		first.put(&self.identity.subtree, &mut ops);
		let applied = self.store.applied();
		self.store.commit(ops, applied).map_err(OpenError::Database)?;
		self.restart_at(applied);
		let active = BTreeMap::from([(self.identity.subtree, first)]);
		self.import = Some(ImportRun { header, active, frames: Vec::new() });
		Ok(())
	}

	/// How far the import is.
	pub fn import_progress(&self) -> Result<ImportProgress, ImportError> {
		self.import.as_ref().map(ImportRun::progress).ok_or(ImportError::NotImporting)
	}

	/// Ranges to fetch now, at most `limit`; those asked for before and not delivered are among them.
	pub fn wanted_ranges(&mut self, limit: usize) -> Result<Vec<WantedRange>, ImportError> {
		self.running()?;
		self.visit_children(limit.min(MAX_ACTIVE))?;
		let run = self.import.as_ref().ok_or(ImportError::NotImporting)?;
		let wanted = run.active.iter().take(limit);
		Ok(wanted
			.map(|(object, active)| WantedRange {
				object: *object,
				root: active.root,
				after: active.after.clone(),
			})
			.collect())
	}

	/// Activates children of complete objects until `count` objects are active.
	fn visit_children(&mut self, count: usize) -> Result<(), ImportError> {
		let mut ops = Ops::new();
		while let Some(run) = self.import.as_mut() {
			let Some((object, frame)) = run.frames.last_mut().filter(|_| run.active.len() < count)
			else {
				break;
			};
			let inner = self.store.read();
			let Some((key, child)) =
				next_child(&FlatView::new(&inner, self.identity.subtree), object, &frame.after)?
			else {
				Frame::remove(object, &mut ops);
				run.frames.pop();
				continue;
			};
			frame.after = key;
			frame.put(object, &mut ops);
			if let Some((key, root)) = child {
				let link = Link { parent: *object, key: key.clone(), depth: frame.child_depth };
				let active =
					ActiveObject { root, link: Some(link), after: None, partial: empty_root() };
				let child = object.child(&key);
				active.put(&child, &mut ops);
				run.active.insert(child, active);
			}
		}
		if ops.is_empty() {
			return Ok(());
		}
		let applied = self.applied;
		self.store.commit(ops, applied).map_err(|error| self.write_failed(error).into())
	}

	/// Checks a range from a peer and stores it. `after` is that of the [`WantedRange`].
	pub fn import_range(
		&mut self,
		object: ObjectId,
		after: Option<Vec<u8>>,
		proof: RangeProof,
	) -> Result<ImportProgress, ImportError> {
		self.running()?;
		let run = self.import.as_ref().ok_or(ImportError::NotImporting)?;
		let active = run.active.get(&object).filter(|active| active.after == after);
		let active = active.ok_or(ImportError::NotWanted { object })?.clone();
		let range = check_range(proof, active.root, after.as_deref())?;
		self.store_range(object, active, range)?;
		self.import_progress()
	}

	fn store_range(
		&mut self,
		object: ObjectId,
		mut active: ActiveObject,
		range: TrieRange,
	) -> Result<(), ImportError> {
		let (complete, entries, bytes) = (range.complete, range.entries.len() as u64, size(&range));
		let change = self.insert(object, &mut active, range)?;
		let mut ops = Ops::new();
		let frame = if complete {
			ActiveObject::remove(&object, &mut ops);
			self.frame_of(object, &active, &change)?
		} else {
			active.put(&object, &mut ops);
			None
		};
		ops.extend(change.into_ops_without_history());
		if let Some(frame) = &frame {
			frame.put(&object, &mut ops);
		}
		let run = self.import.as_mut().ok_or(ImportError::NotImporting)?;
		run.header.entries += entries;
		run.header.bytes += bytes;
		run.header.objects += u64::from(complete);
		run.header.put(&mut ops);
		if complete {
			run.active.remove(&object);
			run.frames.extend(frame.map(|frame| (object, frame)));
		} else {
			run.active.insert(object, active);
		}
		let applied = self.applied;
		self.store.commit(ops, applied).map_err(|error| self.write_failed(error).into())
	}

	/// Adds a proven range to what is here of an object; a complete one has to have the object's root then.
	pub(super) fn insert(
		&mut self,
		object: ObjectId,
		active: &mut ActiveObject,
		range: TrieRange,
	) -> Result<BatchChange, ImportError> {
		let first = active.partial == empty_root();
		if let Some((last, _)) = range.entries.last() {
			active.after = Some(last.clone());
		}
		let mut storage = TrieStorage::new(object, active.partial, WriterNodes(self.store.clone()));
		let inserted = range
			.entries
			.into_iter()
			.try_for_each(|(key, value)| storage.put(&object, &key, value));
		active.partial = inserted
			.and_then(|()| storage.root(&object))
			.map_err(|error| self.unreadable(error))?;
		if range.complete && active.partial != active.root {
			return Err(ImportError::Malformed {
				object,
				reason: "its ranges do not give its root",
			});
		}
		storage.accept();
		Ok(BatchChange {
			nodes: storage.take_node_changes(),
			pairs: storage.take_pair_changes().into(),
			links: active
				.link
				.iter()
				.filter(|_| first)
				.map(|link| (object, link.clone()))
				.collect(),
		})
	}

	/// Where the visit of a complete object's children starts; `None` if it has no children.
	fn frame_of(
		&mut self,
		object: ObjectId,
		active: &ActiveObject,
		change: &BatchChange,
	) -> Result<Option<Frame>, ImportError> {
		let malformed = |reason| ImportError::Malformed { object, reason };
		let changed = change.pairs.get(&object).and_then(|changes| changes.get(&META_KEY[..]));
		let bytes = match changed {
			Some(value) => value.clone(),
			None => {
				let stored = self.store.read().flat(&object, &META_KEY);
				stored.map_err(|error| self.unreadable(error))?
			},
		};
		let meta = Meta::from_value(&bytes.ok_or(malformed("it has no facts"))?);
		let meta = meta.map_err(|_| malformed("its facts cannot be decoded"))?;
		if meta.children == 0 {
			return Ok(None);
		}
		let depth = active.link.as_ref().map_or(0, |link| link.depth);
		if u32::from(depth) >= MAX_DEPTH {
			return Err(malformed("it has children at the lowest level"));
		}
		Ok(Some(Frame { child_depth: depth + 1, after: vec![PREFIX_CHILD] }))
	}

	/// Ends an import: every object is here, and each has the root that its parent names. The engine goes on from that head.
	pub fn finish_import(&mut self) -> Result<(), ImportError> {
		self.running()?;
		self.visit_children(1)?;
		let run = self.import.as_ref().ok_or(ImportError::NotImporting)?;
		let missing = run.active.len() + run.frames.len();
		if missing > 0 {
			return Err(ImportError::Incomplete { missing });
		}
		let header = run.header.clone();
		let (mut ops, mut applied) =
			(Ops::new(), Applied { root: header.root, ready: true, ..self.applied });
		if let Some(head) = &header.head {
			ops.push(set(COL_HEADS, &seq_key(b'h', head.seq), head.encode()));
			let hub = HubPin { number: head.hub_last, global_root: Default::default() };
			let (seq, head_hash, era) = (head.seq, head.hash(), head.era);
			applied = Applied { seq, oldest: seq, head_hash, era, committed: seq, hub, ..applied };
		}
		ImportHeader::remove(&mut ops);
		self.finish(ops, applied).map_err(|error| self.write_failed(error))?;
		self.options.watcher.on_news(HeadNews::Copied { seq: applied.seq }, &self.reader());
		Ok(())
	}

	fn finish(&mut self, ops: Ops, applied: Applied) -> Result<(), OpenError> {
		self.store.commit(ops, applied).map_err(OpenError::Database)?;
		if self.log.as_ref().is_some_and(|log: &CallLog| log.position() == 0) {
			// The log holds nothing of what was imported: it must be on the disk before the first call.
			self.store.barrier()?;
		}
		self.restart_at(applied);
		self.import = None;
		Ok(())
	}
}

/// Bytes of keys and values.
pub(super) fn size(range: &TrieRange) -> u64 {
	range.entries.iter().map(|(key, value)| (key.len() + value.len()) as u64).sum()
}

type NextChild = Option<(Vec<u8>, Option<(dstp_primitives::Key, StateRoot)>)>;

/// The child entry after the trie key `after`: its trie key, and key and root unless its state is elsewhere.
fn next_child(
	view: &FlatView<'_>,
	object: &ObjectId,
	after: &[u8],
) -> Result<NextChild, ImportError> {
	let object = *object;
	let malformed = |reason| ImportError::Malformed { object, reason };
	let unreadable =
		|error: dstp_primitives::StorageError| StopReason::Unreadable(error.to_string());
	let Some(key) = view.next_key(&object, after).map_err(unreadable)? else { return Ok(None) };
	if key[0] != PREFIX_CHILD {
		return Ok(None);
	}
	let value = view.get(&object, &key).map_err(unreadable)?;
	let entry = ChildEntry::from_value(&value.unwrap_or_default())
		.map_err(|_| malformed("a child's entry cannot be decoded"))?;
	if entry.location != Location::WithParent {
		return Ok(Some((key, None)));
	}
	let meta = view.get(&object, &META_KEY).map_err(unreadable)?;
	let meta = Meta::from_value(&meta.unwrap_or_default())
		.map_err(|_| malformed("its facts cannot be decoded"))?;
	let child = raw_key(meta.flags.key_layout(), PREFIX_CHILD, &key)
		.ok_or(malformed("a child's key is not a key"))?;
	Ok(Some((key, Some((child, entry.state_root)))))
}
