//! All semantics of objects, over any storage.
//!
//! [`ObjectTree`] runs in the hub's pallet, in the engine of a remote subtree, and over the nodes of a proof. It never caches:
//! what it knows, it read from its [`Storage`]. An operation that fails may have written; the storage's owner discards
//! the changes (a FRAME storage layer on the hub, [`TrieStorage::discard`](crate::TrieStorage::discard) elsewhere).
//!
//! # Properties
//!
//! - Roots are computed by [`ObjectTree::commit_roots`] only, deepest object first, each once.
//! - Writing what stands there already changes nothing, not even the revision.
//! - An object's [`Meta`](crate::Meta) changes with operations on the object itself (its fields, the set of its children,
//!   its owner), never because the root of a descendant moved.
//! - A recursive removal equals the removal of each object, deepest first, by the same actor. It has no rights of its own and
//!   stops where one of them would be refused.

mod access;
mod content;
mod contract;
mod contract_object;
mod error;
mod ops;
mod page;
mod remote;
mod storage;
#[cfg(test)]
mod tests;
mod trail;

pub use access::{Access, Actor};
pub use content::{ObjectEntry, MAX_TRIE_KEY_BYTES};
pub use contract::ContractPlaces;
pub use error::TreeError;
pub use ops::{
	NewObject, ObjectTree, RemovalProgress, MAX_BATCH_FIELDS, MAX_REMOVAL_BYTES, NONCE_BYTES,
	RESERVED_KEYS,
};
pub use page::{Page, PageRequest, MAX_PAGE_BYTES, MAX_PAGE_LIMIT};
pub use remote::namespace_root;
pub use storage::{Link, Storage, StorageError};
pub use trail::Trail;
