//! The framework: its bytes, and each of its modules as contracts use it.

mod bytes;
mod coin;
mod context;
mod crypto;
mod move_tests;
mod object;
mod package;
mod standard;

use crate::support::{commit, plenty, Tree, AUTHOR, SUBTREE};
use dstp_move::{framework, Engine};
use dstp_primitives::{
	tree::NewObject, trie::empty_root, AccountId, ObjectTree, Owner, TrieStorage,
};

/// A namespace that belongs to the author.
pub fn empty_namespace() -> Tree {
	let mut tree = ObjectTree::new(TrieStorage::new(SUBTREE, empty_root(), ()));
	let owner = Owner::Account(AccountId::new(AUTHOR.0));
	tree.init_namespace(owner, NewObject::default()).unwrap();
	tree
}

/// The same with the whole framework.
pub fn with_framework() -> Tree {
	let mut tree = empty_namespace();
	for publication in framework::publications() {
		let outcome = Engine::new().publish(&mut tree, publication, &plenty()).unwrap();
		commit(&mut tree, &outcome);
	}
	tree
}

/// The same with contracts of the author. Sources may name `std`, `dstp` and `author`.
pub fn with_contracts(sources: &[&str]) -> Tree {
	let mut tree = with_framework();
	crate::support::publish_code(&mut tree, AUTHOR, package::compile_contracts(sources)).unwrap();
	tree
}
