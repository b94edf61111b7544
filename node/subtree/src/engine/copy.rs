//! Taking over a whole state whose walk is the caller's.
//!
//! As in an import, but the caller decides which object comes next, and leaves word of how far it is beside each range, in the
//! same write. It also checks every range before; here a complete object is only accepted if it has the root that it should have.

use super::{import::size, Engine, ImportTarget};
use crate::{
	error::{ImportError, StopReason},
	store::{ActiveObject, FlatView, Ops},
};
use dstp_primitives::{
	proof::TrieRange,
	tree::{Link, Storage},
	trie::empty_root,
	ObjectId, StateRoot, StorageError,
};

/// A range that the caller checked.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct CopiedRange {
	/// Whose trie.
	pub object: ObjectId,
	/// Where the object stands; `None` for the root of the subtree.
	pub link: Option<Link>,
	/// Root of its trie.
	pub root: StateRoot,
	/// Whether the range starts with the first key.
	pub from_start: bool,
	/// Keys and values, and whether nothing follows.
	pub range: TrieRange,
}

fn unreadable(error: StorageError) -> StopReason {
	StopReason::Unreadable(error.to_string())
}

/// A trie key and the value there, with its tag.
pub type TrieEntry = (Vec<u8>, Vec<u8>);

impl Engine {
	/// Starts to copy a state. What is here is thrown away; a folder whose log has calls refuses.
	///
	/// `walk` is kept for [`Self::copy_walk`].
	pub fn begin_copy(&mut self, target: ImportTarget, walk: Vec<u8>) -> Result<(), ImportError> {
		let header = self.import_header(target)?;
		self.import = None;
		let started = self.start_import(crate::store::ImportHeader { walk, ..header });
		started.map_err(|error| self.write_failed(error).into())
	}

	/// What the caller left with the last write of a copy; `None` if no copy is under way.
	pub fn copy_walk(&self) -> Option<&[u8]> {
		let walk = self.import.as_ref().map(|run| &run.header.walk[..]);
		walk.filter(|walk| !walk.is_empty())
	}

	/// Stores ranges and how far the caller's walk is, in one write. After an error nothing has changed.
	///
	/// The caller checked each range against a root that it trusts, and no object's ranges overlap.
	pub fn copy_ranges(
		&mut self,
		ranges: Vec<CopiedRange>,
		walk: Vec<u8>,
	) -> Result<(), ImportError> {
		self.running()?;
		let run = self.import.as_ref().ok_or(ImportError::NotImporting)?;
		let (mut header, mut actives) = (run.header.clone(), run.active.clone());
		header.walk = walk;
		let mut ops = Ops::new();
		for CopiedRange { object, link, root, from_start, range } in ranges {
			let known = actives.remove(&object).filter(|known| known.root == root);
			let fresh = known.as_ref().is_none_or(|known| known.after.is_none());
			let mut active = match known {
				Some(known) if !from_start => known,
				_ if from_start && fresh => {
					ActiveObject { root, link, after: None, partial: empty_root() }
				},
				_ => return Err(ImportError::NotWanted { object }),
			};
			header.entries += range.entries.len() as u64;
			header.bytes += size(&range);
			header.objects += u64::from(range.complete);
			let complete = range.complete;
			ops.extend(self.insert(object, &mut active, range)?.into_ops_without_history());
			if complete {
				ActiveObject::remove(&object, &mut ops);
			} else {
				active.put(&object, &mut ops);
				actives.insert(object, active);
			}
		}
		header.put(&mut ops);
		let applied = self.applied;
		self.store.commit(ops, applied).map_err(|error| self.write_failed(error))?;
		let run = self.import.as_mut().ok_or(ImportError::NotImporting)?;
		(run.header, run.active) = (header, actives);
		Ok(())
	}

	/// The value of a trie key of an object that was copied completely, with its tag.
	pub fn copied_value(
		&self,
		object: &ObjectId,
		key: &[u8],
	) -> Result<Option<Vec<u8>>, StopReason> {
		let inner = self.store.read();
		FlatView::new(&inner, self.identity.subtree).get(object, key).map_err(unreadable)
	}

	/// At most `limit` trie keys and values after `after`, in key order, of an object that was copied completely.
	pub fn copied_entries(
		&self,
		object: &ObjectId,
		after: &[u8],
		limit: usize,
	) -> Result<Vec<TrieEntry>, StopReason> {
		let inner = self.store.read();
		let view = FlatView::new(&inner, self.identity.subtree);
		let (mut entries, mut at) = (Vec::new(), after.to_vec());
		while entries.len() < limit {
			let Some(key) = view.next_key(object, &at).map_err(unreadable)? else { break };
			let value = view.get(object, &key).map_err(unreadable)?.unwrap_or_default();
			at.clone_from(&key);
			entries.push((key, value));
		}
		Ok(entries)
	}
}
