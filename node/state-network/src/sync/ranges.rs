//! The copy of a whole state: which tries are missing, in which order they come.
//!
//! Depth first, with at most [`MAX_TRIES`] tries in work. What is not in work is not remembered: when there is room, the children
//! of the last completed object are read back from the store, a page at a time. So memory and resume information stay small
//! however wide the subtree is.

use super::{
	target::{Frame, Job, Resume, Target, VerifiedRange},
	RequestId,
};
use crate::wire::{TrieCursor, TrieKey, MAX_RANGE_TRIES};
use dstp_primitives::{
	head::HeadState,
	id::MAX_DEPTH,
	object::{raw_key, KeyLayout, Location, Meta, META_KEY, PREFIX_CHILD},
	tree::Link,
	ChildEntry, ObjectId, StateRoot,
};
use std::collections::BTreeMap;

/// Most tries in work, asked for or waiting: enough for four requests of the largest size at a time.
pub const MAX_TRIES: usize = 4 * MAX_RANGE_TRIES as usize;

/// Why the copy cannot go on.
#[derive(Debug, thiserror::Error)]
pub(super) enum CopyError<E> {
	#[error(transparent)]
	Storage(E),
	/// The authorities committed to a state that breaks the rules of the object tree.
	#[error("the state that the hub finalised breaks the rules of the object tree at {0}")]
	BrokenState(ObjectId),
}

pub(super) struct Ranges {
	pub pivot: HeadState,
	waiting: Vec<Job>,
	in_flight: BTreeMap<RequestId, Vec<Job>>,
	frames: Vec<Frame>,
}

impl Ranges {
	/// Starts to copy the state of `pivot`.
	pub fn new<T: Target>(
		pivot: HeadState,
		subtree: ObjectId,
		target: &T,
	) -> Result<Self, T::Error> {
		let mut copy =
			Self { pivot, waiting: Vec::new(), in_flight: BTreeMap::new(), frames: Vec::new() };
		let root = copy.pivot.state_root;
		copy.want(target, subtree, root, None)?;
		Ok(copy)
	}

	/// Goes on where another process stopped.
	pub fn resume(resume: Resume) -> Self {
		Self {
			pivot: resume.pivot,
			waiting: resume.jobs,
			in_flight: BTreeMap::new(),
			frames: resume.frames,
		}
	}

	/// The state as it stands, for the store.
	pub fn to_resume(&self) -> Resume {
		let jobs = self.in_flight.values().flatten().chain(&self.waiting).cloned().collect();
		Resume { pivot: self.pivot.clone(), jobs, frames: self.frames.clone() }
	}

	/// Whether nothing of the state is here yet.
	pub fn has_nothing(&self) -> bool {
		let mut jobs = self.waiting.iter().chain(self.in_flight.values().flatten());
		jobs.any(|job| job.link.is_none() && job.cursor.after.is_none())
	}

	/// Tries in work.
	pub fn tries(&self) -> usize {
		self.waiting.len() + self.in_flight.values().map(Vec::len).sum::<usize>()
	}

	/// Objects whose children are not all known.
	pub fn frames(&self) -> usize {
		self.frames.len()
	}

	/// Whether everything is stored.
	pub fn is_done(&self) -> bool {
		self.tries() == 0 && self.frames.is_empty()
	}

	/// Whether tries wait for a peer.
	pub fn has_waiting(&self) -> bool {
		!self.waiting.is_empty()
	}

	/// Whether no request is out.
	pub fn is_idle(&self) -> bool {
		self.in_flight.is_empty()
	}

	/// Notes that an object is needed; gives whether it has to be fetched.
	fn want<T: Target>(
		&mut self,
		target: &T,
		object: ObjectId,
		root: StateRoot,
		link: Option<Link>,
	) -> Result<bool, T::Error> {
		if target.stored_root(&object)? == Some(root) {
			let depth = link.map_or(0, |link| link.depth);
			self.frames.push(Frame { object, depth, after: None });
			return Ok(false);
		}
		self.waiting.push(Job { cursor: TrieCursor { object, root, after: None }, link });
		Ok(true)
	}

	/// Looks for missing tries until there is enough to do.
	pub fn fill<T: Target>(&mut self, target: &T) -> Result<(), CopyError<T::Error>> {
		while self.tries() < MAX_TRIES && !self.frames.is_empty() {
			self.expand(target)?;
		}
		Ok(())
	}

	/// Looks at the next children of the last frame; at one that is stored already it goes down first.
	fn expand<T: Target>(&mut self, target: &T) -> Result<(), CopyError<T::Error>> {
		let at = self.frames.len() - 1;
		let Frame { object, depth, after } = self.frames[at].clone();
		let room = MAX_TRIES - self.tries();
		let start = after.as_ref().map_or(&[PREFIX_CHILD][..], |key| key.as_slice());
		let page = target.scan(&object, start, room).map_err(CopyError::Storage)?;
		let full = page.len() == room;
		let mut layout = None;
		for (trie_key, value) in page {
			if trie_key.first() != Some(&PREFIX_CHILD) {
				self.frames.remove(at);
				return Ok(());
			}
			let layout = match layout {
				Some(layout) => layout,
				None => *layout.insert(key_layout(target, &object)?),
			};
			let (link, root) = read_child(&object, depth, layout, &trie_key, &value)
				.ok_or(CopyError::BrokenState(object))?;
			self.frames[at].after = TrieKey::try_from(trie_key).ok();
			let Some(root) = root else { continue };
			let child = object.child(&link.key);
			if !self.want(target, child, root, Some(link)).map_err(CopyError::Storage)? {
				return Ok(());
			}
		}
		if !full {
			self.frames.remove(at);
		}
		Ok(())
	}

	/// Takes tries for one request.
	pub fn take(&mut self, id: RequestId) -> Vec<Job> {
		let start = self.waiting.len().saturating_sub(MAX_RANGE_TRIES as usize);
		let jobs = self.waiting.split_off(start);
		self.in_flight.insert(id, jobs.clone());
		jobs
	}

	/// What a request was about.
	pub fn asked(&self, id: RequestId) -> &[Job] {
		self.in_flight.get(&id).map_or(&[], Vec::as_slice)
	}

	/// A request failed: its tries wait again.
	pub fn give_back(&mut self, id: RequestId) {
		self.waiting.extend(self.in_flight.remove(&id).unwrap_or_default());
	}

	/// Stores verified ranges of a request. If the store refuses, the tries wait again.
	pub fn store<T: Target>(
		&mut self,
		target: &mut T,
		id: RequestId,
		ranges: Vec<VerifiedRange>,
	) -> Result<(), T::Error> {
		let jobs = self.in_flight.remove(&id).unwrap_or_default();
		let (waiting, frames) = (self.waiting.len(), self.frames.len());
		for (index, job) in jobs.iter().enumerate() {
			match ranges.get(index) {
				Some(range) if range.complete => {
					let depth = job.link.as_ref().map_or(0, |link| link.depth);
					self.frames.push(Frame { object: job.cursor.object, depth, after: None });
				},
				range => {
					let mut job = job.clone();
					let last = range.and_then(|range| range.entries.last());
					job.cursor.after = last
						.and_then(|(key, _)| TrieKey::try_from(key.clone()).ok())
						.or(job.cursor.after);
					self.waiting.push(job);
				},
			}
		}
		let result = target.store(ranges, &self.to_resume());
		if result.is_err() {
			self.waiting.truncate(waiting);
			self.frames.truncate(frames);
			self.waiting.extend(jobs);
		}
		result
	}
}

fn key_layout<T: Target>(target: &T, object: &ObjectId) -> Result<KeyLayout, CopyError<T::Error>> {
	let meta = target.get(object, &META_KEY).map_err(CopyError::Storage)?;
	let meta = meta
		.and_then(|bytes| Meta::from_value(&bytes).ok())
		.ok_or(CopyError::BrokenState(*object))?;
	Ok(meta.flags.key_layout())
}

/// Where a child stands, and its root unless its state is elsewhere.
fn read_child(
	parent: &ObjectId,
	depth: u8,
	layout: KeyLayout,
	trie_key: &[u8],
	value: &[u8],
) -> Option<(Link, Option<StateRoot>)> {
	let key = raw_key(layout, PREFIX_CHILD, trie_key)?;
	let entry = ChildEntry::from_value(value).ok()?;
	let depth = depth.checked_add(1).filter(|depth| u32::from(*depth) <= MAX_DEPTH)?;
	let here = entry.location == Location::WithParent;
	Some((Link { parent: *parent, key, depth }, here.then_some(entry.state_root)))
}
