//! A copy in memory that checks everything it is given against the truth.

use crate::world::{Archive, EPOCH, GENESIS, SUBTREE};
use dstp_primitives::{
	batch::BatchEntry,
	call::{execute, CallContext},
	head::{Head, HeadState},
	object::{raw_key, KeyLayout, PREFIX_CHILD},
	trie::{empty_root, Recording},
	ChildEntry, Location, ObjectId, ObjectTree, StateRoot, Storage, TrieStorage,
};
use dstp_state_network::sync::{ApplyError, Resume, Target, VerifiedRange};
use std::collections::{BTreeMap, BTreeSet};

#[derive(Debug, thiserror::Error)]
#[error("no space left on device")]
pub struct DiskFull;

#[derive(Clone, Default)]
struct Stored {
	entries: BTreeMap<Vec<u8>, Vec<u8>>,
	root: StateRoot,
	complete: bool,
}

/// See the module.
pub struct Memory {
	truth: Archive,
	nodes: Archive,
	head: Option<HeadState>,
	resume: Option<Vec<u8>>,
	objects: BTreeMap<ObjectId, Stored>,
	/// So many writes fail.
	pub failures: u32,
	/// Completed tries in their order, kept ones not repeated.
	pub completed: Vec<(ObjectId, StateRoot)>,
	/// Largest encoded resume information.
	pub largest_resume: usize,
	pub diverge_at: Option<u64>,
}

impl Clone for Memory {
	fn clone(&self) -> Self {
		Self {
			truth: self.truth.clone(),
			nodes: self.nodes.deep_clone(),
			head: self.head.clone(),
			resume: self.resume.clone(),
			objects: self.objects.clone(),
			failures: self.failures,
			completed: self.completed.clone(),
			largest_resume: self.largest_resume,
			diverge_at: self.diverge_at,
		}
	}
}

impl Memory {
	pub fn new(truth: Archive) -> Self {
		Self {
			truth,
			nodes: Archive::default(),
			head: None,
			resume: None,
			objects: BTreeMap::new(),
			failures: 0,
			completed: Vec::new(),
			largest_resume: 0,
			diverge_at: None,
		}
	}

	fn write(&mut self) -> Result<(), DiskFull> {
		match self.failures.checked_sub(1) {
			Some(left) => {
				self.failures = left;
				Err(DiskFull)
			},
			None => Ok(()),
		}
	}

	fn keep_resume(&mut self, resume: &Resume) {
		let bytes = resume.to_bytes();
		assert_eq!(Resume::from_bytes(&bytes).as_ref(), Some(resume));
		self.largest_resume = self.largest_resume.max(bytes.len());
		self.resume = Some(bytes);
	}

	/// Every entry stands in the true trie, and a complete trie has the root that it should have.
	fn check(&mut self, range: &VerifiedRange) {
		// A whole trie is proven below by its root.
		let whole = range.from_start() && range.complete();
		for (key, value) in range.entries().iter().filter(|_| !whole) {
			assert_eq!(
				self.truth.value(range.root(), key).as_ref(),
				Some(value),
				"a wrong value was stored"
			);
		}
		if range.complete() {
			let mut trie = TrieStorage::new(ObjectId::ROOT, empty_root(), ());
			for (key, value) in &self.objects[range.object()].entries {
				trie.put(&ObjectId::ROOT, key, value.clone()).unwrap();
			}
			let root = trie.root(&ObjectId::ROOT).unwrap();
			assert_eq!(root, range.root(), "something is missing");
			trie.accept();
			self.nodes.add(trie.take_node_changes());
			self.completed.push((*range.object(), root));
		}
	}

	fn reachable(&self) -> BTreeSet<ObjectId> {
		let mut seen = BTreeSet::new();
		let mut open = vec![(SUBTREE, self.head.as_ref().map(|head| head.state_root))];
		while let Some((object, root)) = open.pop() {
			let stored = self.objects.get(&object).unwrap_or_else(|| panic!("{object} is missing"));
			assert!(
				stored.complete && root.is_none_or(|root| root == stored.root),
				"{object} is of another state"
			);
			seen.insert(object);
			for (key, value) in stored.entries.range(vec![PREFIX_CHILD]..vec![PREFIX_CHILD + 1]) {
				let entry = ChildEntry::from_value(value).unwrap();
				let key = raw_key(KeyLayout::Raw, PREFIX_CHILD, key).unwrap();
				if entry.location == Location::WithParent {
					open.push((object.child(&key), Some(entry.state_root)));
				}
			}
		}
		seen
	}
}

impl Target for Memory {
	type Error = DiskFull;

	fn head(&self) -> Result<Option<HeadState>, DiskFull> {
		Ok(self.head.clone())
	}

	fn resume(&self) -> Result<Option<Resume>, DiskFull> {
		Ok(self.resume.as_ref().map(|bytes| Resume::from_bytes(bytes).unwrap()))
	}

	fn begin(&mut self, resume: &Resume) -> Result<(), DiskFull> {
		self.write()?;
		self.head = None;
		self.objects.retain(|_, stored| stored.complete);
		self.keep_resume(resume);
		Ok(())
	}

	fn store(&mut self, ranges: Vec<VerifiedRange>, resume: &Resume) -> Result<(), DiskFull> {
		self.write()?;
		for range in ranges {
			let stored = self.objects.entry(*range.object()).or_default();
			if range.from_start() {
				*stored = Stored::default();
			}
			assert!(!stored.complete, "a complete trie is continued");
			stored.root = range.root();
			stored.complete = range.complete();
			stored.entries.extend(range.entries().iter().cloned());
			self.check(&range);
		}
		self.keep_resume(resume);
		Ok(())
	}

	fn stored_root(&self, object: &ObjectId) -> Result<Option<StateRoot>, DiskFull> {
		Ok(self.objects.get(object).filter(|stored| stored.complete).map(|stored| stored.root))
	}

	fn get(&self, object: &ObjectId, key: &[u8]) -> Result<Option<Vec<u8>>, DiskFull> {
		Ok(self.objects.get(object).and_then(|stored| stored.entries.get(key)).cloned())
	}

	fn scan(
		&self,
		object: &ObjectId,
		after: &[u8],
		limit: usize,
	) -> Result<Vec<(Vec<u8>, Vec<u8>)>, DiskFull> {
		let stored = self
			.objects
			.get(object)
			.filter(|stored| stored.complete)
			.expect("only complete objects are scanned");
		let from = (std::ops::Bound::Excluded(after.to_vec()), std::ops::Bound::Unbounded);
		Ok(stored
			.entries
			.range(from)
			.take(limit)
			.map(|(key, value)| (key.clone(), value.clone()))
			.collect())
	}

	fn finish(&mut self, head: &HeadState) -> Result<(), DiskFull> {
		self.write()?;
		self.head = Some(head.clone());
		self.resume = None;
		let reachable = self.reachable();
		self.objects.retain(|object, _| reachable.contains(object));
		Ok(())
	}

	fn apply(&mut self, head: &Head, entries: &[BatchEntry]) -> Result<(), ApplyError<DiskFull>> {
		self.write()?;
		if self.diverge_at == Some(head.seq) {
			return Err(ApplyError::Diverged { index: 0, reason: "planted".into() });
		}
		let last = self.head.as_ref().expect("heads are applied to a copy");
		assert_eq!(
			(head.prev, head.pre_root, head.seq),
			(last.hash, last.state_root, last.seq + 1)
		);
		let mut tree =
			ObjectTree::new(TrieStorage::new(SUBTREE, last.state_root, self.nodes.clone()));
		for entry in entries {
			let context = CallContext {
				genesis: GENESIS,
				subtree: SUBTREE,
				epoch: EPOCH,
				hub_number: entry.hub.number,
			};
			entry.call.check_context(&context).unwrap();
			let done = execute(&mut tree, &entry.call.payload, Recording::Off).unwrap();
			assert_eq!((done.status, done.post_root), (entry.status, entry.post_root));
		}
		assert_eq!(tree.storage().namespace_root(), head.state_root);
		self.nodes.add(tree.storage_mut().take_node_changes());
		self.head = Some(head.next_state());
		// The flat copy is not maintained here; a later copy starts from nothing.
		self.objects.clear();
		Ok(())
	}
}
