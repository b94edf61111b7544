//! Where a follower puts what it verified.

use crate::wire::{TrieCursor, TrieKey};
use codec::{Decode, DecodeAll, Encode};
use dstp_primitives::{
	batch::BatchEntry,
	head::{Head, HeadState},
	tree::Link,
	ObjectId, StateRoot,
};

/// A trie key and its value with the tag.
pub type TrieEntry = (Vec<u8>, Vec<u8>);

/// The local copy of one subtree, for writing. Implemented by the engine; every method returns when its change is in the
/// store's hands, and every change is atomic.
///
/// Order of calls: [`begin`](Self::begin), then [`store`](Self::store) any number of times, then [`finish`](Self::finish), then
/// [`apply`](Self::apply) head by head. `begin` may come again at any time, with another state; what
/// [`stored_root`](Self::stored_root) still knows then is not fetched again.
pub trait Target {
	/// Why the store refuses. The follower tries again later.
	type Error: std::error::Error;

	/// The head that the copy stands on; `None` before the first `finish` and between `begin` and `finish`.
	fn head(&self) -> Result<Option<HeadState>, Self::Error>;

	/// What the last `begin` or `store` left; `None` after `finish`.
	fn resume(&self) -> Result<Option<Resume>, Self::Error>;

	/// Starts to copy the state of `resume.pivot`. A store may keep objects that it holds completely. What the copy said before
	/// is no longer valid for readers.
	fn begin(&mut self, resume: &Resume) -> Result<(), Self::Error>;

	/// Keeps verified ranges and the resume information in one write. A range from the start replaces what was stored of its
	/// object; any other continues it.
	fn store(&mut self, ranges: Vec<VerifiedRange>, resume: &Resume) -> Result<(), Self::Error>;

	/// The root of an object that is stored completely and kept; a store that keeps none over `begin` gives `None`.
	fn stored_root(&self, object: &ObjectId) -> Result<Option<StateRoot>, Self::Error>;

	/// The value of a trie key of an object that is stored completely, with its tag.
	fn get(&self, object: &ObjectId, key: &[u8]) -> Result<Option<Vec<u8>>, Self::Error>;

	/// At most `limit` entries after a trie key, in key order, of an object that is stored completely.
	fn scan(
		&self,
		object: &ObjectId,
		after: &[u8],
		limit: usize,
	) -> Result<Vec<TrieEntry>, Self::Error>;

	/// Everything is there: drops every object that cannot be reached from the root of `head`, and stands on `head`.
	fn finish(&mut self, head: &HeadState) -> Result<(), Self::Error>;

	/// Executes the entries again, compares every post-root and status, and stands on `head`. On an error nothing changed.
	fn apply(&mut self, head: &Head, entries: &[BatchEntry])
		-> Result<(), ApplyError<Self::Error>>;
}

/// Why a batch was not applied.
#[derive(Debug, thiserror::Error)]
pub enum ApplyError<E> {
	/// The execution gives something else than the authorities committed to, or this node's software differs from theirs. No
	/// other provider can help.
	#[error(
		"the execution of entry {index} differs from the head that the hub finalised: {reason}"
	)]
	Diverged {
		/// The entry.
		index: u32,
		/// What differs.
		reason: String,
	},
	/// The store refuses. Tried again later.
	#[error(transparent)]
	Storage(#[from] E),
}

/// Entries of one object's trie that were proven against a finalised head. Only this crate makes one.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct VerifiedRange {
	pub(super) object: ObjectId,
	pub(super) link: Option<Link>,
	pub(super) root: StateRoot,
	pub(super) from_start: bool,
	pub(super) complete: bool,
	pub(super) entries: Vec<TrieEntry>,
}

impl VerifiedRange {
	/// The object.
	pub fn object(&self) -> &ObjectId {
		&self.object
	}

	/// Where it stands; `None` for the root object of the subtree.
	pub fn link(&self) -> Option<&Link> {
		self.link.as_ref()
	}

	/// The root of its trie.
	pub fn root(&self) -> StateRoot {
		self.root
	}

	/// Whether the range starts with the first key.
	pub fn from_start(&self) -> bool {
		self.from_start
	}

	/// Whether it ends with the last key.
	pub fn complete(&self) -> bool {
		self.complete
	}

	/// Trie keys and values with their tags, in key order.
	pub fn entries(&self) -> &[TrieEntry] {
		&self.entries
	}

	/// The entries, to keep.
	pub fn into_entries(self) -> Vec<TrieEntry> {
		self.entries
	}
}

/// A trie that is not complete yet.
#[derive(Clone, PartialEq, Eq, Debug, Encode, Decode)]
pub struct Job {
	/// From where on it is missing.
	pub cursor: TrieCursor,
	/// Where the object stands; `None` for the root object of the subtree.
	pub link: Option<Link>,
}

/// An object that is complete, whose children are not all known to be.
#[derive(Clone, PartialEq, Eq, Debug, Encode, Decode)]
pub struct Frame {
	/// The object.
	pub object: ObjectId,
	/// Objects between it and the root of the subtree, itself included; 0 for the root.
	pub depth: u8,
	/// The key of the last child that was looked at.
	pub after: Option<TrieKey>,
}

/// How far a copy came. Its size does not grow with the subtree: it holds at most [`MAX_TRIES`](super::MAX_TRIES) jobs and that
/// many frames per level.
#[derive(Clone, PartialEq, Eq, Debug, Encode, Decode)]
pub struct Resume {
	/// The finalised head whose state is copied.
	pub pivot: HeadState,
	/// Tries in work.
	pub jobs: Vec<Job>,
	/// Objects whose children come later, the next one last.
	pub frames: Vec<Frame>,
}

const RESUME_VERSION: u8 = 1;

impl Resume {
	/// For the store.
	pub fn to_bytes(&self) -> Vec<u8> {
		(RESUME_VERSION, self).encode()
	}

	/// From the store; `None` if it is damaged or of another version. Start again then.
	pub fn from_bytes(bytes: &[u8]) -> Option<Self> {
		let (version, resume) = <(u8, Self)>::decode_all(&mut &bytes[..]).ok()?;
		(version == RESUME_VERSION).then_some(resume)
	}
}
