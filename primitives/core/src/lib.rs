//! The object tree of the Distributed State Tree Protocol and everything that is verified against it.
//!
//! This crate is the contract between the hub's runtime, the nodes that hold remote subtrees and every client: it fixes ids,
//! the layout of an object's trie, the operations on objects, proofs, signed calls, batches, heads and security modes.
//! What two places have to agree on is one function here. Words are defined in `primitives/README.md`; fixed byte vectors
//! in `vectors/` pin every format.
//!
//! | Module | Holds |
//! |---|---|
//! | [`id`] | [`ObjectId`], [`Key`], [`Path`] |
//! | [`object`] | what an object's trie contains: keys, tagged values, [`Meta`], [`ChildEntry`], [`Owner`] |
//! | [`tree`] | [`ObjectTree`], all semantics of objects over a [`Storage`] |
//! | [`trie`] | tries from nodes: [`TrieStorage`], node sets, the canonical form |
//! | [`proof`] | making and checking proofs of state |
//! | [`call`] | signed calls into a remote subtree and their execution |
//! | [`contract`] | what contracts keep in the tree, and the changes that they make |
//! | [`batch`], [`head`] | what a subtree commits to |
//! | [`hub`] | how the hub's pallets meet |
//! | [`mode`] | security modes, which decide whether a head is accepted |
//! | [`subtree`] | what the hub tells about a remote subtree |
//! | [`mailbox`] | what a node and the hub's off-chain worker leave for one another |
//! | [`digest`] | the global root in a block header |
//! | [`api`] | runtime APIs (feature `runtime`) |

#![cfg_attr(not(feature = "std"), no_std)]

extern crate alloc;

#[cfg(feature = "runtime")]
pub mod api;
pub mod batch;
pub mod call;
pub mod contract;
pub mod digest;
pub mod head;
pub mod hub;
pub mod id;
pub mod mailbox;
pub mod mode;
pub mod object;
pub mod proof;
pub mod signature;
pub mod subtree;
pub mod tree;
pub mod trie;

pub use id::{AccountId, Key, KeyError, ObjectId, Path, PathError, StateRoot};
pub use object::{ChildEntry, Location, Meta, ObjectFlags, ObjectType, Owner, Value};
pub use tree::{ObjectTree, Storage, StorageError, TreeError};
pub use trie::TrieStorage;
