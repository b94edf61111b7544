//! Answers to the runtime API [`ObjectTreeApi`](dstp_primitives::api::ObjectTreeApi), one function per method.

use crate::{
	pallet::{Config, GlobalRoot, Pallet, Stagings},
	storage::{child_info, tree},
};
use alloc::vec::Vec;
use dstp_primitives::{
	api::{ObjectView, Presence, QueryError, Resolved, StagingView},
	id::Path,
	object::{ChildEntry, Location, Value},
	tree::{Page, PageRequest},
	Key, ObjectId, StateRoot,
};

impl<T: Config> Pallet<T> {
	/// The global root when roots were computed last.
	pub fn api_global_root() -> StateRoot {
		GlobalRoot::<T>::get()
	}

	/// What stands at `path`. A state that cannot be read counts as absent.
	pub fn api_resolve(path: Path) -> Resolved {
		let object = ObjectId::ROOT.descendant(&path);
		Resolved { object, presence: Self::presence(&path) }
	}

	fn presence(path: &Path) -> Presence {
		let tree = tree::<T>();
		let mut object = ObjectId::ROOT;
		for (index, key) in path.keys().iter().enumerate() {
			let Ok(Some(entry)) = tree.child(&object, key) else { return Presence::Absent };
			object = object.child(key);
			if let Location::Remote(location) = entry.location {
				let last = index + 1 == path.keys().len();
				return if last {
					Presence::Remote(location)
				} else {
					Presence::InsideRemote { subtree: object, location }
				};
			}
		}
		Presence::Hosted
	}

	/// A hosted object, or the root of a remote subtree. Its root is that of the last computation.
	pub fn api_object(object: ObjectId) -> Option<ObjectView> {
		if object == ObjectId::ROOT {
			let meta = tree::<T>().meta(&object).ok()??;
			return Some(ObjectView {
				parent: None,
				key: None,
				meta: Some(meta),
				state_root: GlobalRoot::<T>::get(),
				location: Location::WithParent,
			});
		}
		let tree = tree::<T>();
		let (parent, key) = Self::place(&object)?;
		let entry = tree.child(&parent, &key).ok()??;
		let meta = match entry.location {
			Location::WithParent => Some(tree.meta(&object).ok()??),
			Location::Remote(_) => None,
		};
		Some(ObjectView {
			parent: Some(parent),
			key: Some(key),
			meta,
			state_root: entry.state_root,
			location: entry.location,
		})
	}

	/// The parent of an object that the hub knows, and the key there.
	fn place(object: &ObjectId) -> Option<(ObjectId, Key)> {
		use dstp_primitives::Storage;
		let link = tree::<T>().storage().link(object).ok()?;
		link.map(|link| (link.parent, link.key)).or_else(|| Self::remote_link(object))
	}

	/// A page of a hosted object's fields.
	pub fn api_fields(object: ObjectId, page: PageRequest) -> Result<Page<Value>, QueryError> {
		Ok(tree::<T>().fields(&object, &page)?)
	}

	/// A page of a hosted object's children.
	pub fn api_children(
		object: ObjectId,
		page: PageRequest,
	) -> Result<Page<ChildEntry>, QueryError> {
		Ok(tree::<T>().children(&object, &page)?)
	}

	/// The storage key of a hosted object's child trie, 32 bytes, for `ChildInfo::new_default`.
	pub fn api_child_trie(object: ObjectId) -> Option<Vec<u8>> {
		tree::<T>().storage().child_trie(&object).map(|trie| trie.storage_key().to_vec())
	}

	/// As [`Self::api_child_trie`], also for what is out of reach.
	pub fn api_kept_trie(object: ObjectId) -> Option<Vec<u8>> {
		let info = Self::kept(&object)?;
		Some(child_info(&object, info.counter).storage_key().to_vec())
	}

	/// How far the content of a remote subtree has come back.
	pub fn api_staging(subtree: ObjectId) -> Option<StagingView> {
		let staging = Stagings::<T>::get(subtree)?;
		Some(StagingView {
			payer: staging.prepaid.who,
			current: staging.current.map(|at| (at.object, at.last.into_inner())),
			missing: staging.missing,
			left: staging.left,
		})
	}
}
