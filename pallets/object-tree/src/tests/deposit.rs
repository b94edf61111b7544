use super::mock::*;
use crate::{Objects, FIELD_OVERHEAD_BYTES};
use frame_support::{assert_err, assert_ok, storage::with_storage_layer};

#[test]
fn recipient_of_a_transfer_pays_nothing_until_he_changes_the_object() {
	ExtBuilder::default().build_and_execute(|| {
		assert_ok!(create(&ALICE, "/a"));
		assert_ok!(set(&ALICE, "/a", &[("k", &[0; 1000])]));
		let full = price(&[(1, 1000)]);
		assert_ok!(ObjectTree::transfer(signed(&ALICE), id("/a"), BOB));
		assert_eq!((held(&ALICE), held(&BOB)), (full, 0));
		assert_ok!(set(&BOB, "/a", &[("l", b"v")]));
		assert_eq!((held(&ALICE), held(&BOB)), (0, price(&[(1, 1000), (1, 1)])));
	});
}

#[test]
fn owner_who_cannot_pay_the_full_price_changes_nothing() {
	ExtBuilder::default().build_and_execute(|| {
		assert_ok!(create(&ALICE, "/a"));
		assert_ok!(ObjectTree::transfer(signed(&ALICE), id("/a"), POOR));
		let result = with_storage_layer(|| error(set(&POOR, "/a", &[("k", b"v")])));
		assert_err!(result, sp_runtime::TokenError::FundsUnavailable);
		assert_eq!(held(&ALICE), PER_OBJECT);
		// Removing needs no money, and the depositor gets his back.
		assert_ok!(remove(&POOR, "/a"));
		assert_eq!((held(&ALICE), held(&POOR)), (0, 0));
	});
}

#[test]
fn shrinking_moves_the_deposit_to_whoever_shrinks() {
	ExtBuilder::default().build_and_execute(|| {
		assert_ok!(create(&ALICE, "/a"));
		assert_ok!(set(&ALICE, "/a", &[("k", &[0; 100])]));
		assert_ok!(ObjectTree::transfer(signed(&ALICE), id("/a"), BOB));
		assert_ok!(unset(&BOB, "/a", &["k"]));
		assert_eq!((held(&ALICE), held(&BOB)), (0, PER_OBJECT));
	});
}

#[test]
fn many_tiny_fields_cost_their_place_in_the_trie() {
	ExtBuilder::default().build_and_execute(|| {
		assert_ok!(create(&ALICE, "/a"));
		assert_ok!(set(&ALICE, "/a", &[("k", b"")]));
		let tiny = PER_BYTE * (1 + u128::from(FIELD_OVERHEAD_BYTES));
		assert_eq!(held(&ALICE), PER_OBJECT + tiny);
	});
}

#[test]
fn owner_and_payer_of_a_child_are_not_those_of_the_parent() {
	ExtBuilder::default().build_and_execute(|| {
		assert_ok!(create(&ALICE, "/a"));
		assert_ok!(create(&ALICE, "/a/b"));
		assert_ok!(ObjectTree::transfer(signed(&ALICE), id("/a/b"), BOB));
		assert_ok!(set(&BOB, "/a/b", &[("k", b"v")]));
		assert_eq!((held(&ALICE), held(&BOB)), (PER_OBJECT, price(&[(1, 1)])));
		assert_ok!(remove(&BOB, "/a/b"));
		assert_eq!((held(&ALICE), held(&BOB)), (PER_OBJECT, 0));
		assert_eq!(Objects::<Test>::get(id("/a")).unwrap().deposit.unwrap().who, ALICE);
	});
}
