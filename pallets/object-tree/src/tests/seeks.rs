//! What deletions cost a database, which keeps what a block deletes until the block ends: each look for a key walks over all of it.

use super::mock::*;
use crate::{Detached, Dropped, Removals};
use dstp_primitives::{hub::RemoteObjects, object::ObjectFlags, tree::MAX_BATCH_FIELDS, ObjectId};
use frame_support::{assert_ok, traits::Hooks, weights::Weight};
use sp_core::storage::{ChildInfo, StateVersion};
use sp_core::Blake2Hasher;
use sp_state_machine::{
	Backend, BackendTransaction, Ext, InMemoryBackend, IterArgs, OverlayedChanges,
	StateMachineStats, StorageIterator, UsageInfo,
};
use sp_trie::MerkleValue;
use std::cell::Cell;

type Inner = InMemoryBackend<Blake2Hasher>;
type InnerError = <Inner as Backend<Blake2Hasher>>::Error;
type Hash = sp_core::H256;
type StorageKey = Vec<u8>;

/// A database that counts looks for the next key.
#[derive(Debug)]
struct Counting<'a> {
	inner: &'a Inner,
	seeks: Cell<u32>,
}

impl Counting<'_> {
	fn seek(&self) {
		self.seeks.set(self.seeks.get() + 1);
	}
}

/// Nothing here iterates over the database but by looks for the next key.
struct NoIterator<'a>(std::marker::PhantomData<&'a ()>);

impl<'a> StorageIterator<Blake2Hasher> for NoIterator<'a> {
	type Backend = Counting<'a>;
	type Error = InnerError;

	fn next_key(&mut self, _: &Counting<'a>) -> Option<Result<StorageKey, InnerError>> {
		unreachable!("no iterator is given out")
	}

	fn next_pair(&mut self, _: &Counting<'a>) -> Option<Result<(StorageKey, Vec<u8>), InnerError>> {
		unreachable!("no iterator is given out")
	}

	fn was_complete(&self) -> bool {
		unreachable!("no iterator is given out")
	}
}

impl<'b> Backend<Blake2Hasher> for Counting<'b> {
	type Error = InnerError;
	type TrieBackendStorage = <Inner as Backend<Blake2Hasher>>::TrieBackendStorage;
	type RawIter = NoIterator<'b>;

	fn storage(&self, key: &[u8]) -> Result<Option<Vec<u8>>, InnerError> {
		self.inner.storage(key)
	}

	fn storage_hash(&self, key: &[u8]) -> Result<Option<Hash>, InnerError> {
		self.inner.storage_hash(key)
	}

	fn closest_merkle_value(&self, key: &[u8]) -> Result<Option<MerkleValue<Hash>>, InnerError> {
		self.inner.closest_merkle_value(key)
	}

	fn child_closest_merkle_value(
		&self,
		trie: &ChildInfo,
		key: &[u8],
	) -> Result<Option<MerkleValue<Hash>>, InnerError> {
		self.inner.child_closest_merkle_value(trie, key)
	}

	fn child_storage(&self, trie: &ChildInfo, key: &[u8]) -> Result<Option<Vec<u8>>, InnerError> {
		self.inner.child_storage(trie, key)
	}

	fn child_storage_hash(&self, trie: &ChildInfo, key: &[u8]) -> Result<Option<Hash>, InnerError> {
		self.inner.child_storage_hash(trie, key)
	}

	fn next_storage_key(&self, key: &[u8]) -> Result<Option<StorageKey>, InnerError> {
		self.seek();
		self.inner.next_storage_key(key)
	}

	fn next_child_storage_key(
		&self,
		trie: &ChildInfo,
		key: &[u8],
	) -> Result<Option<StorageKey>, InnerError> {
		self.seek();
		self.inner.next_child_storage_key(trie, key)
	}

	fn storage_root<'a>(
		&self,
		delta: impl Iterator<Item = (&'a [u8], Option<&'a [u8]>)>,
		version: StateVersion,
	) -> (Hash, BackendTransaction<Blake2Hasher>) {
		self.inner.storage_root(delta, version)
	}

	fn child_storage_root<'a>(
		&self,
		trie: &ChildInfo,
		delta: impl Iterator<Item = (&'a [u8], Option<&'a [u8]>)>,
		version: StateVersion,
	) -> (Hash, bool, BackendTransaction<Blake2Hasher>) {
		self.inner.child_storage_root(trie, delta, version)
	}

	fn raw_iter(&self, _: IterArgs) -> Result<Self::RawIter, InnerError> {
		Err("nothing iterates".into())
	}

	fn register_overlay_stats(&self, _: &StateMachineStats) {}

	fn usage_info(&self) -> UsageInfo {
		UsageInfo::empty()
	}
}

/// Runs `prepare` in one block and `test` in the next, all in the database before. Gives the looks for keys in `test`.
fn seeks(prepare: impl FnOnce(), test: impl FnOnce()) -> u32 {
	let mut ext = ExtBuilder::default().build();
	ext.execute_with(|| {
		start_block(1);
		prepare();
		next_block_with(Weight::zero());
		ObjectTree::do_try_state().unwrap();
	});
	ext.commit_all().unwrap();
	let counting = Counting { inner: &ext.backend, seeks: Cell::default() };
	let mut overlay = OverlayedChanges::<Blake2Hasher>::default();
	let mut counted = Ext::new(&mut overlay, &counting, None);
	sp_externalities::set_and_run_with_externalities(&mut counted, || {
		test();
		let number = counting.seeks.get();
		ObjectTree::on_finalize(System::block_number());
		ObjectTree::do_try_state().unwrap();
		number
	})
}

fn idle() {
	ObjectTree::on_idle(System::block_number(), Weight::MAX);
}

/// `/top` with so many children, each with one field.
fn build(children: u32) {
	for path in ["/top", "/top/wide"] {
		assert_ok!(create(&ALICE, path));
	}
	for number in 0..children {
		let path = format!("/top/wide/{number}");
		assert_ok!(create(&ALICE, &path));
		assert_ok!(set(&ALICE, &path, &[("k", b"v")]));
	}
}

fn fill(path: &str, fields: u32) {
	let all: Vec<_> = (0..fields).map(|number| key(&format!("{number:05}"))).collect();
	for keys in all.chunks(MAX_BATCH_FIELDS as usize) {
		let fields: Vec<_> = keys.iter().map(|key| (key.clone(), value(b"v"))).collect();
		let fields = fields.try_into().unwrap();
		assert_ok!(ObjectTree::set_fields(signed(&ALICE), id(path), fields, depth(path)));
	}
}

fn remove_recursive(path: &str) {
	assert_ok!(ObjectTree::remove_recursive(signed(&ALICE), id(path)));
}

/// Four looks for an object: for its child, its field, its nonce, and for what its parent has left.
#[test]
fn recursive_removal_looks_for_each_object_as_often() {
	for children in [50, 400] {
		let seeks = seeks(
			|| build(children),
			|| {
				remove_recursive("/top");
				idle();
				assert_eq!(Removals::<Test>::count(), 0);
				assert_eq!(ObjectTree::api_object(id("/top")), None);
			},
		);
		assert!(seeks <= 6 * children + 50, "{seeks} for {children}");
	}
}

#[test]
fn detached_tree_is_dropped_with_as_many_looks_for_each_object() {
	for children in [50, 400] {
		let seeks = seeks(
			|| {
				build(children);
				next_block_with(Weight::zero());
				let (top, key) = (ObjectId::ROOT, key("top"));
				assert_ok!(ObjectTree::hosted_to_remote(&ALICE, &top, &key, location(0)));
				assert_ok!(ObjectTree::drop_hosted(&top, &key));
			},
			|| {
				idle();
				assert_eq!((Detached::<Test>::count(), Dropped::<Test>::iter().count()), (0, 0));
			},
		);
		assert!(seeks <= 6 * children + 50, "{seeks} for {children}");
	}
}

#[test]
fn fields_are_looked_for_once() {
	for fields in [500, 4000] {
		for detach in [false, true] {
			let seeks = seeks(
				|| {
					assert_ok!(create(&ALICE, "/top"));
					fill("/top", fields);
					if detach {
						next_block_with(Weight::zero());
						let (top, key) = (ObjectId::ROOT, key("top"));
						assert_ok!(ObjectTree::hosted_to_remote(&ALICE, &top, &key, location(0)));
						assert_ok!(ObjectTree::drop_hosted(&top, &key));
					}
				},
				|| {
					if !detach {
						remove_recursive("/top");
					}
					idle();
					let waiting = (Removals::<Test>::count(), Detached::<Test>::count());
					assert_eq!((waiting, ObjectTree::api_kept_trie(id("/top"))), ((0, 0), None));
				},
			);
			// And a few for each piece.
			assert!(seeks <= fields * 5 / 4 + 50, "{seeks} for {fields}");
		}
	}
}

/// However often removals meet what calls deleted in the block: here at an object that none of them may remove, and with one between
/// them whose object is gone.
#[test]
fn what_calls_deleted_is_walked_over_once() {
	let paths = ["/top", "/top/a", "/top/a/b"];
	let seeks = seeks(
		|| {
			for path in paths {
				assert_ok!(create_with(&ALICE, path, ObjectFlags::hashed_keys()));
			}
			for number in 0..200 {
				assert_ok!(create(&ALICE, &format!("/top/a/b/{number}")));
			}
			fill("/top/a/b", 600);
			assert_ok!(create(&ALICE, "/top/a/b/last"));
			assert_ok!(ObjectTree::freeze(signed(&ALICE), id("/top/a/b/last"), 4));
		},
		|| {
			for number in 0..200 {
				assert_ok!(remove(&ALICE, &format!("/top/a/b/{number}")));
			}
			assert_ok!(create(&ALICE, "/gone"));
			["/top", "/gone", "/top/a"].into_iter().for_each(remove_recursive);
			assert_ok!(remove(&ALICE, "/gone"));
			let before = Removals::<Test>::count();
			idle();
			assert_eq!((before, Removals::<Test>::count()), (3, 0));
			assert!(ObjectTree::api_object(id("/top/a/b/last")).is_some());
		},
	);
	// The calls look for three keys each, and all removals once for each that is gone.
	assert!(seeks <= 200 * 3 + 200 + 100, "{seeks}");
}
