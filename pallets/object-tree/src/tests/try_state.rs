//! The invariants are worth something only if damage is seen.

use super::mock::*;
use crate::{ChildOwners, Detached, Dirty, GlobalRoot, Objects, Remotes};
use dstp_primitives::{hub::RemoteObjects, object::META_KEY, Owner};
use frame_support::{
	assert_ok,
	storage::{child, with_transaction, TransactionOutcome},
};
use sp_runtime::DispatchError;

/// Does `damage`, checks, and undoes it.
fn found(damage: impl FnOnce()) -> bool {
	let result = with_transaction(|| {
		damage();
		TransactionOutcome::Rollback(Ok::<_, DispatchError>(ObjectTree::do_try_state().is_err()))
	});
	result.unwrap()
}

fn change_info(path: &str, change: impl FnOnce(&mut crate::ObjectInfo<u128>)) {
	Objects::<Test>::mutate(id(path), |info| change(info.as_mut().unwrap()));
}

#[test]
fn damage_is_found() {
	ExtBuilder::default().build_and_execute(|| {
		assert_ok!(create(&ALICE, "/a"));
		assert_ok!(create(&ALICE, "/a/b"));
		assert_ok!(set(&ALICE, "/a/b", &[("k", b"v")]));
		assert_ok!(ObjectTree::create_remote(&ALICE, &id("/a"), &key("r"), root(1), location(0)));
		next_block();
		assert!(!found(|| ()));
		assert!(found(|| change_info("/a/b", |info| info.bytes += 1)));
		assert!(found(|| change_info("/a", |info| info.remotes += 1)));
		assert!(found(|| change_info("/a", |info| info.foreign += 1)));
		let alice = Owner::Account(ALICE);
		assert!(found(|| ChildOwners::<Test>::insert(id("/a"), &alice, 2)));
		assert!(found(|| ChildOwners::<Test>::insert(id("/a"), Owner::Shared, 1)));
		assert!(found(|| ChildOwners::<Test>::insert(id("/none"), &alice, 1)));
		assert!(found(|| change_info("/a/b", |info| info.deposit.as_mut().unwrap().amount += 1)));
		assert!(found(|| change_info("/a/b", |info| info.link.as_mut().unwrap().depth = 1)));
		assert!(found(|| change_info("/a/b", |info| info.link.as_mut().unwrap().key = key("c"))));
		assert!(found(|| change_info("/a/b", |info| info.counter += 1)));
		assert!(found(|| Objects::<Test>::remove(id("/a/b"))));
		assert!(found(|| Remotes::<Test>::remove(id("/a/r"))));
		assert!(found(|| GlobalRoot::<Test>::put(root(9))));
		assert!(found(|| Dirty::<Test>::insert(id("/a/b"), 0)));
		assert!(found(|| {
			Detached::<Test>::insert(id("/a/b"), Objects::<Test>::get(id("/a/b")).unwrap())
		}));
		let trie = crate::storage::child_info(
			&id("/a/b"),
			Objects::<Test>::get(id("/a/b")).unwrap().counter,
		);
		assert!(found(|| child::put_raw(&trie, &[0x00, b'x'], &[2, 1])));
		assert!(found(|| child::kill(&trie, &[0x00, b'k'])));
		assert!(found(|| child::kill(&trie, &META_KEY)));
		assert!(found(|| {
			use frame_support::traits::{fungible::MutateHold, tokens::Precision};
			let reason = crate::HoldReason::Object.into();
			assert_ok!(Balances::release(&reason, &ALICE, 1, Precision::Exact));
		}));
		for who in [ALICE, BOB] {
			assert!(found(|| {
				use frame_support::traits::fungible::MutateHold;
				let reason = crate::HoldReason::Object.into();
				assert_ok!(Balances::hold(&reason, &who, 1));
			}));
		}
	});
}
