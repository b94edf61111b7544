//! The operations on hosted objects.

use super::{page::KeyScan, Access, Actor, Link, Storage, StorageError, Trail, TreeError};
use crate::{
	id::{AccountId, Key, ObjectId, Path, StateRoot, MAX_DEPTH},
	object::{
		child_key, encode_field_value, field_key, ChildEntry, Location, Meta, ObjectFlags,
		ObjectType, Owner, Value, META_KEY, PREFIX_ACCOUNT, PREFIX_CHILD, PREFIX_FIELD,
	},
	signature::anybody_signs_for,
};
use alloc::{
	collections::{BTreeMap, BTreeSet},
	vec::Vec,
};
use core::cmp::Reverse;

/// Most fields that one operation sets or removes; bounds the work of one call.
pub const MAX_BATCH_FIELDS: u32 = 256;

/// Most bytes of keys and values after which a recursive removal takes no more objects or fields in one operation. With what it
/// reads beside them, it stays far below the largest witness of a call.
pub const MAX_REMOVAL_BYTES: u64 = 256 * 1024;

/// Bytes that an account's nonce counts for: account, number, and about what its place in the trie takes.
pub const NONCE_BYTES: u64 = 32 + 8 + 64;

/// Keys below the root of a namespace that only the system may create.
pub const RESERVED_KEYS: [&[u8]; 1] = [b"account"];

/// What a new object is.
#[derive(Clone, Default, PartialEq, Eq, Debug)]
pub struct NewObject {
	/// Its kind.
	pub object_type: ObjectType,
	/// Its switches, which stay for ever.
	pub flags: ObjectFlags,
}

/// How far a recursive removal came.
#[derive(Clone, Default, PartialEq, Eq, Debug)]
pub struct RemovalProgress {
	/// Objects that are gone, in the order of their removal.
	pub removed: Vec<ObjectId>,
	/// Fields, nonces and objects removed, together.
	pub steps: u32,
	/// Bytes of keys and values of all fields removed, and [`NONCE_BYTES`] for each nonce.
	pub bytes: u64,
	/// Such bytes in each object that lost some; objects that are gone are not listed.
	pub freed: BTreeMap<ObjectId, u64>,
	/// The object that could not be removed, and why. What was removed before stays removed.
	pub stopped: Option<(ObjectId, TreeError)>,
	/// Whether the object that was named is gone.
	pub done: bool,
}

/// The tree of one namespace. See the [module](super) for its rules.
#[derive(Clone, Debug)]
pub struct ObjectTree<S> {
	storage: S,
}

impl<S: Storage> ObjectTree<S> {
	/// Opens the tree in `storage`.
	pub fn new(storage: S) -> Self {
		Self { storage }
	}

	/// The storage, for reading.
	pub fn storage(&self) -> &S {
		&self.storage
	}

	/// The storage. Writing to it past this type is the caller's responsibility.
	pub fn storage_mut(&mut self) -> &mut S {
		&mut self.storage
	}

	/// The root object of this namespace.
	pub fn namespace(&self) -> ObjectId {
		self.storage.namespace()
	}

	/// Facts about a hosted object; `None` if there is no such object.
	pub fn meta(&self, object: &ObjectId) -> Result<Option<Meta>, TreeError> {
		let known = *object == self.namespace() || self.storage.link(object)?.is_some();
		if !known {
			return Ok(None);
		}
		let Some(bytes) = self.storage.get(object, &META_KEY)? else { return Ok(None) };
		Ok(Some(Meta::from_value(&bytes)?))
	}

	pub(crate) fn existing(&self, object: &ObjectId) -> Result<Meta, TreeError> {
		self.meta(object)?.ok_or(TreeError::ObjectNotFound)
	}

	/// The value of a field.
	pub fn field(&self, object: &ObjectId, key: &Key) -> Result<Option<Value>, TreeError> {
		let layout = self.existing(object)?.flags.key_layout();
		let bytes = self.storage.get(object, &field_key(layout, key))?;
		Ok(bytes.map(|bytes| crate::object::decode_field_value(&bytes)).transpose()?)
	}

	/// What an object knows of the child under `key`. The root in it is that of the last [`Self::commit_roots`].
	pub fn child(&self, object: &ObjectId, key: &Key) -> Result<Option<ChildEntry>, TreeError> {
		let layout = self.existing(object)?.flags.key_layout();
		let bytes = self.storage.get(object, &child_key(layout, key))?;
		Ok(bytes.map(|bytes| ChildEntry::from_value(&bytes)).transpose()?)
	}

	/// Walks `path` from the root of the namespace and gives the object at its end.
	///
	/// Errors: [`TreeError::ObjectNotFound`] where the path ends early, [`TreeError::IsRemote`] where it leaves the namespace.
	pub fn resolve(&mut self, path: &Path) -> Result<ObjectId, TreeError> {
		let mut object = self.namespace();
		for (depth, key) in (1u8..).zip(path.keys()) {
			let entry = self.child(&object, key)?.ok_or(TreeError::ObjectNotFound)?;
			if entry.location != Location::WithParent {
				return Err(TreeError::IsRemote);
			}
			let link = Link { parent: object, key: key.clone(), depth };
			object = object.child(key);
			self.storage.insert_link(&object, link, false)?;
		}
		Ok(object)
	}

	/// Gives the root object of an empty namespace its facts. Nothing happens if it has some.
	pub fn init_namespace(&mut self, owner: Owner, new: NewObject) -> Result<(), TreeError> {
		let root = self.namespace();
		if self.meta(&root)?.is_none() {
			self.storage.mark_dirty(&root)?;
			self.put_meta(&root, &Meta::new(owner, new.object_type, new.flags))?;
		}
		Ok(())
	}

	/// Creates a child that belongs to `actor`.
	pub fn create(
		&mut self,
		actor: &Actor,
		parent: &ObjectId,
		key: &Key,
		new: NewObject,
	) -> Result<ObjectId, TreeError> {
		let depth = self.check_vacant(actor, parent, key)?;
		let object = parent.child(key);
		let meta = Meta::new(actor.as_owner(), new.object_type, new.flags);
		self.storage.insert_link(
			&object,
			Link { parent: *parent, key: key.clone(), depth },
			true,
		)?;
		self.storage.note_owner(&object, None, Some(&meta.owner))?;
		self.storage.mark_dirty(&object)?;
		self.put_meta(&object, &meta)?;
		self.put_new_entry(parent, key, &ChildEntry::hosted(StateRoot::zero()))?;
		Ok(object)
	}

	/// Checks that `actor` may create `key` below `parent`; gives the depth of the new object.
	pub(super) fn check_vacant(
		&self,
		actor: &Actor,
		parent: &ObjectId,
		key: &Key,
	) -> Result<u8, TreeError> {
		let meta = self.existing(parent)?;
		Access::CreateChild.check(&meta.owner, actor)?;
		if matches!(actor, Actor::Account(account) if anybody_signs_for(account)) {
			return Err(TreeError::ZeroOwner);
		}
		let is_root = *parent == self.namespace();
		if is_root && *actor != Actor::System && RESERVED_KEYS.contains(&key.as_slice()) {
			return Err(TreeError::ReservedKey);
		}
		let depth = self.storage.link(parent)?.map_or(0, |link| link.depth);
		if u32::from(depth) >= MAX_DEPTH {
			return Err(TreeError::TooDeep);
		}
		if self.storage.get(parent, &child_key(meta.flags.key_layout(), key))?.is_some() {
			return Err(TreeError::ObjectExists);
		}
		Ok(depth + 1)
	}

	pub(super) fn put_new_entry(
		&mut self,
		parent: &ObjectId,
		key: &Key,
		entry: &ChildEntry,
	) -> Result<(), TreeError> {
		let mut meta = self.existing(parent)?;
		meta.children = meta.children.checked_add(1).ok_or(TreeError::Overflow)?;
		self.storage.mark_dirty(parent)?;
		self.storage.put(parent, &child_key(meta.flags.key_layout(), key), entry.to_value())?;
		self.bump(parent, meta)
	}

	pub(super) fn drop_entry(&mut self, parent: &ObjectId, key: &Key) -> Result<(), TreeError> {
		let mut meta = self.existing(parent)?;
		meta.children = meta.children.checked_sub(1).ok_or(StorageError::Corrupt)?;
		self.storage.mark_dirty(parent)?;
		self.storage.delete(parent, &child_key(meta.flags.key_layout(), key))?;
		self.bump(parent, meta)
	}

	pub(super) fn bump(&mut self, object: &ObjectId, mut meta: Meta) -> Result<(), TreeError> {
		meta.revision = meta.revision.checked_add(1).ok_or(TreeError::Overflow)?;
		self.put_meta(object, &meta)
	}

	pub(super) fn put_meta(&mut self, object: &ObjectId, meta: &Meta) -> Result<(), TreeError> {
		Ok(self.storage.put(object, &META_KEY, meta.to_value())?)
	}

	/// Sets fields. Gives the change in bytes of keys and values.
	pub fn set_fields(
		&mut self,
		actor: &Actor,
		object: &ObjectId,
		fields: &[(Key, Value)],
	) -> Result<i64, TreeError> {
		let changes: Vec<_> = fields.iter().map(|(key, value)| (key, Some(value))).collect();
		self.write_fields(actor, object, &changes)
	}

	/// Removes fields; those that do not exist are ignored. Gives the change in bytes of keys and values.
	pub fn remove_fields(
		&mut self,
		actor: &Actor,
		object: &ObjectId,
		keys: &[Key],
	) -> Result<i64, TreeError> {
		let changes: Vec<_> = keys.iter().map(|key| (key, None)).collect();
		self.write_fields(actor, object, &changes)
	}

	fn write_fields(
		&mut self,
		actor: &Actor,
		object: &ObjectId,
		changes: &[(&Key, Option<&Value>)],
	) -> Result<i64, TreeError> {
		check_batch(changes.iter().map(|(key, _)| *key))?;
		let mut meta = self.existing(object)?;
		Access::WriteFields.check(&meta.owner, actor)?;
		let layout = meta.flags.key_layout();
		let mut bytes = 0i64;
		let mut changed = false;
		for (key, value) in changes {
			let trie_key = field_key(layout, key);
			let old = self.storage.get(object, &trie_key)?;
			let new = value.map(encode_field_value);
			if old == new {
				continue;
			}
			if !changed {
				self.storage.mark_dirty(object)?;
				changed = true;
			}
			let (removed, added) = (old.is_some(), new.is_some());
			bytes += field_bytes(key, new.as_deref()) - field_bytes(key, old.as_deref());
			match new {
				Some(new) => self.storage.put(object, &trie_key, new)?,
				None => self.storage.delete(object, &trie_key)?,
			}
			match (removed, added) {
				(false, true) => {
					meta.fields = meta.fields.checked_add(1).ok_or(TreeError::Overflow)?
				},
				(true, false) => {
					meta.fields = meta.fields.checked_sub(1).ok_or(StorageError::Corrupt)?
				},
				_ => {},
			}
		}
		if changed {
			self.bump(object, meta)?;
		}
		Ok(bytes)
	}

	/// Hands an object over.
	pub fn transfer(
		&mut self,
		actor: &Actor,
		object: &ObjectId,
		to: &AccountId,
	) -> Result<(), TreeError> {
		if anybody_signs_for(to) {
			return Err(TreeError::ZeroOwner);
		}
		self.set_owner(actor, object, Owner::Account(to.clone()))
	}

	/// Lets everybody create children below an object, for ever.
	pub fn share(&mut self, actor: &Actor, object: &ObjectId) -> Result<(), TreeError> {
		if self.existing(object)?.flags.key_layout() != crate::object::KeyLayout::Hashed {
			return Err(TreeError::SharedNeedsHashedKeys);
		}
		self.set_owner(actor, object, Owner::Shared)
	}

	/// Fixes an object's fields, set of children and owner for ever.
	pub fn freeze(&mut self, actor: &Actor, object: &ObjectId) -> Result<(), TreeError> {
		self.set_owner(actor, object, Owner::Frozen)
	}

	fn set_owner(
		&mut self,
		actor: &Actor,
		object: &ObjectId,
		owner: Owner,
	) -> Result<(), TreeError> {
		let mut meta = self.existing(object)?;
		Access::ChangeOwner.check(&meta.owner, actor)?;
		if meta.owner == owner {
			return Ok(());
		}
		self.storage.note_owner(object, Some(&meta.owner), Some(&owner))?;
		meta.owner = owner;
		self.storage.mark_dirty(object)?;
		self.bump(object, meta)
	}

	/// Removes an object that has no children and at most [`MAX_BATCH_FIELDS`] fields.
	///
	/// Nonces, which an object keeps that was the root of a namespace once, go with it and count as fields. What contracts keep in it
	/// is theirs to remove: an owner who could drop it would drop what somebody else's contract may forbid to drop.
	pub fn remove(&mut self, actor: &Actor, object: &ObjectId) -> Result<(), TreeError> {
		let (link, meta) = self.check_disposable(actor, object)?;
		if meta.children > 0 {
			return Err(TreeError::HasChildren);
		}
		if meta.fields > u64::from(MAX_BATCH_FIELDS) {
			return Err(TreeError::HasManyFields);
		}
		let mut trail = Trail::default();
		let cleared = self.clear_entries(object, MAX_BATCH_FIELDS, u64::MAX, &mut trail)?;
		if u64::from(cleared.fields) < meta.fields {
			return Err(TreeError::HasContractFields);
		}
		// Nothing but nonces stands behind the facts.
		if self.storage.next_key(object, &META_KEY)?.is_some() {
			return Err(TreeError::HasManyFields);
		}
		self.remove_empty(object, &link, &meta.owner)
	}

	pub(super) fn check_disposable(
		&self,
		actor: &Actor,
		object: &ObjectId,
	) -> Result<(Link, Meta), TreeError> {
		let meta = self.existing(object)?;
		let link = self.storage.link(object)?.ok_or(TreeError::IsRoot)?;
		Access::Dispose.check(&meta.owner, actor)?;
		Access::DropChild.check(&self.existing(&link.parent)?.owner, actor)?;
		Ok((link, meta))
	}

	fn remove_empty(
		&mut self,
		object: &ObjectId,
		link: &Link,
		owner: &Owner,
	) -> Result<(), TreeError> {
		self.storage.note_owner(object, Some(owner), None)?;
		self.storage.mark_dirty(object)?;
		self.storage.delete(object, &META_KEY)?;
		self.storage.remove_link(object)?;
		self.drop_entry(&link.parent, &link.key)
	}

	/// Deletes up to `budget` fields and nonces, or until `max_bytes` are freed, without touching the counts.
	fn clear_entries(
		&mut self,
		object: &ObjectId,
		budget: u32,
		max_bytes: u64,
		trail: &mut Trail,
	) -> Result<Cleared, TreeError> {
		let layout = self.existing(object)?.flags.key_layout();
		let mut cleared = Cleared::default();
		for kind in [PREFIX_FIELD, PREFIX_ACCOUNT] {
			let mut scan = KeyScan::starting(object, layout, kind, trail.entries(object));
			let mut doomed = Vec::new();
			let mut all = false;
			while doomed.len() < (budget - cleared.entries()) as usize && !all {
				match scan.next(&self.storage)? {
					Some(found) => doomed.push(found),
					None => all = true,
				}
			}
			if !doomed.is_empty() {
				self.storage.mark_dirty(object)?;
			}
			for (key, trie_key) in &doomed {
				if cleared.bytes >= max_bytes {
					return Ok(cleared);
				}
				if kind == PREFIX_FIELD {
					let old = self.storage.get(object, trie_key)?;
					cleared.add_field(field_bytes(key, old.as_deref()).unsigned_abs());
				} else {
					cleared.add_nonce();
				}
				self.storage.delete(object, trie_key)?;
				trail.set_entries(object, trie_key.clone());
			}
			if all && kind == PREFIX_FIELD {
				// Between fields and nonces stand the keys of children that are gone.
				trail.set_entries(object, trail.entries(object).max(&[PREFIX_ACCOUNT]).to_vec());
			}
		}
		Ok(cleared)
	}

	/// Removes an object and everything below it, deepest first, in at most `budget` steps (one per field, one per object) and
	/// until [`MAX_REMOVAL_BYTES`] are freed.
	///
	/// Each object is removed as by [`Self::remove`], with the rights of `actor`; the first refusal ends the removal and is
	/// reported in [`RemovalProgress::stopped`]. Called again with the same arguments it goes on.
	pub fn remove_recursive(
		&mut self,
		actor: &Actor,
		object: &ObjectId,
		budget: u32,
	) -> Result<RemovalProgress, TreeError> {
		self.remove_recursive_on(&mut Trail::default(), actor, object, budget)
	}

	/// The same in parts that follow one another before roots are computed: each goes on where the `trail` of those before ends.
	/// After an error the trail is worth nothing.
	pub fn remove_recursive_on(
		&mut self,
		trail: &mut Trail,
		actor: &Actor,
		object: &ObjectId,
		budget: u32,
	) -> Result<RemovalProgress, TreeError> {
		self.check_disposable(actor, object)?;
		let mut progress = RemovalProgress::default();
		let more = |progress: &RemovalProgress| {
			progress.steps < budget && progress.bytes < MAX_REMOVAL_BYTES
		};
		while more(&progress) && !progress.done && progress.stopped.is_none() {
			self.remove_deepest(trail, actor, object, budget, &mut progress)?;
		}
		Ok(progress)
	}

	fn remove_deepest(
		&mut self,
		trail: &mut Trail,
		actor: &Actor,
		top: &ObjectId,
		budget: u32,
		progress: &mut RemovalProgress,
	) -> Result<(), TreeError> {
		let object = match self.deepest(top, trail)? {
			Ok(object) => object,
			Err(remote) => {
				progress.stopped = Some((remote, TreeError::IsRemote));
				return Ok(());
			},
		};
		let (link, mut meta) = match self.check_disposable(actor, &object) {
			Ok(found) => found,
			Err(error @ TreeError::Storage(_)) => return Err(error),
			Err(refusal) => {
				progress.stopped = Some((object, refusal));
				return Ok(());
			},
		};
		if meta.children > 0 {
			return Err(StorageError::Corrupt.into());
		}
		let cleared = self.clear_entries(
			&object,
			budget - progress.steps,
			MAX_REMOVAL_BYTES - progress.bytes,
			trail,
		)?;
		progress.steps += cleared.entries();
		progress.bytes = progress.bytes.saturating_add(cleared.bytes);
		let fields = u64::from(cleared.fields);
		meta.fields = meta.fields.checked_sub(fields).ok_or(StorageError::Corrupt)?;
		if meta.fields > 0 || progress.steps == budget || progress.bytes >= MAX_REMOVAL_BYTES {
			if cleared.entries() > 0 {
				*progress.freed.entry(object).or_default() += cleared.bytes;
				self.bump(&object, meta)?;
			} else if meta.fields > 0 {
				// What is left are no raw fields.
				progress.stopped = Some((object, TreeError::HasContractFields));
			}
			return Ok(());
		}
		self.remove_empty(&object, &link, &meta.owner)?;
		trail.forget(&object);
		progress.freed.remove(&object);
		progress.steps += 1;
		progress.done = object == *top;
		progress.removed.push(object);
		Ok(())
	}

	/// The first object without children on the way down from `top`; `Err` names a remote child in that way.
	fn deepest(
		&mut self,
		top: &ObjectId,
		trail: &mut Trail,
	) -> Result<Result<ObjectId, ObjectId>, TreeError> {
		let mut object = *top;
		loop {
			let layout = self.existing(&object)?.flags.key_layout();
			let found = KeyScan::starting(&object, layout, PREFIX_CHILD, trail.children(&object))
				.next(&self.storage)?;
			let Some((key, trie_key)) = found else {
				trail.set_children(&object, alloc::vec![PREFIX_CHILD + 1]);
				return Ok(Ok(object));
			};
			trail.set_children(&object, trie_key.clone());
			let bytes = self.storage.get(&object, &trie_key)?.ok_or(StorageError::Corrupt)?;
			let child = object.child(&key);
			if ChildEntry::from_value(&bytes)?.location != Location::WithParent {
				return Ok(Err(child));
			}
			let depth = self.storage.link(&object)?.map_or(0, |link| link.depth) + 1;
			self.storage.insert_link(&child, Link { parent: object, key, depth }, false)?;
			object = child;
		}
	}

	/// Computes the roots of all dirty objects and of everything above them, deepest first, each once.
	///
	/// Gives every object whose root was computed, the root of the namespace last if it moved.
	pub fn commit_roots(&mut self) -> Result<Vec<(ObjectId, StateRoot)>, TreeError> {
		let mut queue = BTreeSet::new();
		for object in self.storage.take_dirty() {
			let link = self.storage.link(&object)?;
			if link.is_some() || object == self.namespace() {
				queue.insert((Reverse(link.map_or(0, |link| link.depth)), object));
			}
		}
		let mut roots = Vec::with_capacity(queue.len());
		while let Some((_, object)) = queue.pop_first() {
			let root = self.storage.root(&object)?;
			roots.push((object, root));
			let Some(link) = self.storage.link(&object)? else { continue };
			if self.move_child_root(&link, root)? {
				let depth = self.storage.link(&link.parent)?.map_or(0, |above| above.depth);
				queue.insert((Reverse(depth), link.parent));
			}
		}
		Ok(roots)
	}

	fn move_child_root(&mut self, link: &Link, root: StateRoot) -> Result<bool, TreeError> {
		let layout = self.existing(&link.parent)?.flags.key_layout();
		let trie_key = child_key(layout, &link.key);
		let bytes = self.storage.get(&link.parent, &trie_key)?.ok_or(StorageError::Corrupt)?;
		let mut entry = ChildEntry::from_value(&bytes)?;
		let moved = entry.state_root != root;
		if moved {
			entry.state_root = root;
			self.storage.put(&link.parent, &trie_key, entry.to_value())?;
		}
		Ok(moved)
	}
}

/// What was deleted from an object.
#[derive(Default)]
struct Cleared {
	fields: u32,
	nonces: u32,
	bytes: u64,
}

impl Cleared {
	fn entries(&self) -> u32 {
		self.fields + self.nonces
	}

	fn add_field(&mut self, bytes: u64) {
		self.fields += 1;
		self.bytes = self.bytes.saturating_add(bytes);
	}

	fn add_nonce(&mut self) {
		self.nonces += 1;
		self.bytes = self.bytes.saturating_add(NONCE_BYTES);
	}
}

fn check_batch<'a>(keys: impl ExactSizeIterator<Item = &'a Key>) -> Result<(), TreeError> {
	let length = keys.len();
	if length == 0 {
		return Err(TreeError::EmptyBatch);
	}
	if length > MAX_BATCH_FIELDS as usize {
		return Err(TreeError::BatchTooLong);
	}
	let distinct: BTreeSet<_> = keys.collect();
	(distinct.len() == length).then_some(()).ok_or(TreeError::DuplicateKey)
}

/// Bytes that a field takes, from its value as stored (with the tag, which is not counted).
fn field_bytes(key: &Key, stored: Option<&[u8]>) -> i64 {
	stored.map_or(0, |value| (key.len() + value.len()) as i64 - 1)
}
