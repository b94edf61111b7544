//! Reading, from any thread, while the engine writes.

use crate::{
	error::ReadError,
	identity::SubtreeIdentity,
	store::{FlatView, Inner, Store},
};
use dstp_primitives::{
	batch::BatchEntry,
	head::Head,
	proof::{
		prove_range, read, Answer, ObjectAnswer, PageAnswer, PageKind, PageQuery, Proof,
		ProofError, Query, RangeError, RangeProof, TrieRange, TrustedRoot,
	},
	tree::{Link, Page, PageRequest, StorageError},
	trie::Recording,
	ChildEntry, Key, Meta, ObjectId, ObjectTree, Path, StateRoot, Value,
};
use std::sync::Arc;

/// One object at one head.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ObjectView {
	/// The head.
	pub seq: u64,
	/// Root of the subtree at that head.
	pub root: StateRoot,
	/// The object's facts.
	pub meta: Meta,
	/// Where it stands; `None` for the root of the subtree.
	pub link: Option<Link>,
	/// Root of its own trie.
	pub state_root: StateRoot,
}

/// Answers questions at every kept head. Each answer is of one head entirely; `seq: None` means the newest.
///
/// The newest head is read from the flat copy, older ones from their tries.
#[derive(Clone)]
pub struct Reader {
	store: Arc<Store>,
	identity: SubtreeIdentity,
}

fn database(error: parity_db::Error) -> ReadError {
	ReadError::Database(error.to_string())
}

impl Reader {
	pub(crate) fn new(store: Arc<Store>, identity: SubtreeIdentity) -> Self {
		Self { store, identity }
	}

	/// Which subtree this is.
	pub fn identity(&self) -> SubtreeIdentity {
		self.identity
	}

	/// Numbers of the oldest and the newest readable head; 0 is the state before the first.
	pub fn kept(&self) -> (u64, u64) {
		let applied = self.store.applied();
		(applied.oldest, applied.seq)
	}

	/// A head; `None` for 0, the state before the first.
	pub fn head(&self, seq: Option<u64>) -> Result<Option<Head>, ReadError> {
		let inner = self.store.read();
		let (seq, _) = root_at(&inner, &self.store, seq)?;
		inner.head(seq).map_err(database)
	}

	/// The calls of a head; `None` for those that were imported without calls.
	pub fn batch(&self, seq: u64) -> Result<Option<Vec<BatchEntry>>, ReadError> {
		let inner = self.store.read();
		root_at(&inner, &self.store, Some(seq))?;
		inner.batch(seq).map_err(database)
	}

	/// The path of an object from the root of the subtree, if any kept head has or had it.
	pub fn path(&self, object: &ObjectId) -> Result<Option<Path>, ReadError> {
		self.path_in(&self.store.read(), object)
	}

	fn path_in(&self, inner: &Inner, object: &ObjectId) -> Result<Option<Path>, ReadError> {
		let mut keys = Vec::new();
		let mut at = *object;
		while at != self.identity.subtree {
			let Some(stored) = inner.link(&at).map_err(database)? else { return Ok(None) };
			keys.push(stored.link.key);
			at = stored.link.parent;
		}
		keys.reverse();
		Path::new(keys).map(Some).map_err(|_| ReadError::Storage(StorageError::Corrupt))
	}

	/// Facts about an object; `None` if there is no such object at that head.
	pub fn object(
		&self,
		object: &ObjectId,
		seq: Option<u64>,
	) -> Result<Option<ObjectView>, ReadError> {
		let inner = self.store.read();
		let (seq, root) = root_at(&inner, &self.store, seq)?;
		if seq == inner.applied.seq {
			return self.newest_object(&inner, object);
		}
		let Some((answer, found)) = self.ask(&inner, root, object, Query::default())? else {
			return Ok(None);
		};
		let state_root = answer.hops.last().map_or(root, |hop| hop.entry.state_root);
		let link = inner.link(object).map_err(database)?.map(|stored| stored.link);
		Ok(Some(ObjectView { seq, root, meta: found.meta, link, state_root }))
	}

	fn newest_object(
		&self,
		inner: &Inner,
		object: &ObjectId,
	) -> Result<Option<ObjectView>, ReadError> {
		let (seq, root) = (inner.applied.seq, inner.applied.root);
		let tree = self.newest(inner);
		let Some(meta) = tree.meta(object)? else { return Ok(None) };
		let link = inner.link(object).map_err(database)?.map(|stored| stored.link);
		let state_root = match &link {
			None => root,
			Some(link) => {
				tree.child(&link.parent, &link.key)?
					.ok_or(ReadError::Storage(StorageError::Corrupt))?
					.state_root
			},
		};
		Ok(Some(ObjectView { seq, root, meta, link, state_root }))
	}

	fn newest<'a>(&self, inner: &'a Inner) -> ObjectTree<FlatView<'a>> {
		ObjectTree::new(FlatView::new(inner, self.identity.subtree))
	}

	/// A field's value; `None` if the object has no such field.
	pub fn field(
		&self,
		object: &ObjectId,
		key: &Key,
		seq: Option<u64>,
	) -> Result<Option<Value>, ReadError> {
		let inner = self.store.read();
		let (seq, root) = root_at(&inner, &self.store, seq)?;
		if seq == inner.applied.seq {
			self.ensure_object(&inner, object)?;
			return Ok(self.newest(&inner).field(object, key)?);
		}
		let fields = vec![key.clone()].try_into().expect("a question names up to 256 fields; qed");
		let (_, found) =
			self.ask_existing(&inner, root, object, Query { fields, ..Default::default() })?;
		Ok(found.fields.into_iter().find_map(|(_, value)| value))
	}

	/// A page of fields in the object's order.
	pub fn fields(
		&self,
		object: &ObjectId,
		request: &PageRequest,
		seq: Option<u64>,
	) -> Result<Page<Value>, ReadError> {
		let inner = self.store.read();
		let (seq, root) = root_at(&inner, &self.store, seq)?;
		if seq == inner.applied.seq {
			self.ensure_object(&inner, object)?;
			return Ok(self.newest(&inner).fields(object, request)?);
		}
		match self.ask_page(&inner, root, object, PageKind::Fields, request)? {
			PageAnswer::Fields(page) => Ok(page),
			PageAnswer::Children(_) => Err(ReadError::Storage(StorageError::Corrupt)),
		}
	}

	/// A page of children in the object's order.
	pub fn children(
		&self,
		object: &ObjectId,
		request: &PageRequest,
		seq: Option<u64>,
	) -> Result<Page<ChildEntry>, ReadError> {
		let inner = self.store.read();
		let (seq, root) = root_at(&inner, &self.store, seq)?;
		if seq == inner.applied.seq {
			self.ensure_object(&inner, object)?;
			return Ok(self.newest(&inner).children(object, request)?);
		}
		match self.ask_page(&inner, root, object, PageKind::Children, request)? {
			PageAnswer::Children(page) => Ok(page),
			PageAnswer::Fields(_) => Err(ReadError::Storage(StorageError::Corrupt)),
		}
	}

	/// Answers a question with a proof from the subtree's root at that head. Gives the head's number too.
	pub fn proof(&self, query: Query, seq: Option<u64>) -> Result<(u64, Proof, Answer), ReadError> {
		let inner = self.store.read();
		let (seq, root) = root_at(&inner, &self.store, seq)?;
		let from = TrustedRoot { object: self.identity.subtree, root };
		let (proof, answer) = Proof::make(from, &*inner, query).map_err(|error| match error {
			ProofError::Read(error) => error.into(),
			error => ReadError::Proof(error),
		})?;
		Ok((seq, proof, answer))
	}

	/// A proven range of the trie with `root`, for a node that synchronises. Any trie of a kept head will do.
	///
	/// Where the root is not here the error is [`ReadError::Range`] with a missing node.
	pub fn range(
		&self,
		root: StateRoot,
		after: Option<&[u8]>,
		max_bytes: usize,
	) -> Result<(RangeProof, TrieRange), ReadError> {
		prove_range(&*self.store.read(), root, after, max_bytes).map_err(|error| match error {
			RangeError::Storage(StorageError::Corrupt) => ReadError::Storage(StorageError::Corrupt),
			error => ReadError::Range(error),
		})
	}

	fn ensure_object(&self, inner: &Inner, object: &ObjectId) -> Result<(), ReadError> {
		let known = self.newest(inner).meta(object)?.is_some();
		known.then_some(()).ok_or(ReadError::ObjectNotFound(*object))
	}

	fn ask_page(
		&self,
		inner: &Inner,
		root: StateRoot,
		object: &ObjectId,
		kind: PageKind,
		request: &PageRequest,
	) -> Result<PageAnswer, ReadError> {
		let page = Some(PageQuery { kind, request: request.clone() });
		let (_, found) =
			self.ask_existing(inner, root, object, Query { page, ..Default::default() })?;
		found.page.ok_or(ReadError::Storage(StorageError::Corrupt))
	}

	fn ask_existing(
		&self,
		inner: &Inner,
		root: StateRoot,
		object: &ObjectId,
		query: Query,
	) -> Result<(Answer, ObjectAnswer), ReadError> {
		self.ask(inner, root, object, query)?.ok_or(ReadError::ObjectNotFound(*object))
	}

	/// Answers from the tries. The path is filled in.
	fn ask(
		&self,
		inner: &Inner,
		root: StateRoot,
		object: &ObjectId,
		query: Query,
	) -> Result<Option<(Answer, ObjectAnswer)>, ReadError> {
		let Some(path) = self.path_in(inner, object)? else { return Ok(None) };
		let from = TrustedRoot { object: self.identity.subtree, root };
		let (mut answer, _) = read(from, inner, &Query { path, ..query }, Recording::Off)?;
		Ok(answer.object.take().map(|found| (answer, found)))
	}
}

/// Number and root of a kept head.
fn root_at(inner: &Inner, store: &Store, seq: Option<u64>) -> Result<(u64, StateRoot), ReadError> {
	let applied = &inner.applied;
	if !applied.ready {
		return Err(ReadError::NotSynced);
	}
	let seq = seq.unwrap_or(applied.seq);
	if seq == applied.seq {
		return Ok((seq, applied.root));
	}
	if !(applied.oldest..=applied.seq).contains(&seq) {
		return Err(ReadError::HeadNotKept { seq, oldest: applied.oldest, newest: applied.seq });
	}
	if seq == 0 {
		return Ok((0, store.initial_root()));
	}
	let head =
		inner.head(seq).map_err(database)?.ok_or(ReadError::Storage(StorageError::Corrupt))?;
	Ok((seq, head.state_root))
}
