use super::mock::*;
use crate::{storage::tree, Objects, FIELD_OVERHEAD_BYTES};
use dstp_primitives::tree::Actor;
use frame_support::{
	assert_err, assert_ok,
	storage::with_storage_layer,
	traits::{fungible::MutateHold, tokens::Precision},
};

#[test]
fn recipient_of_a_transfer_pays_nothing_until_he_changes_the_object() {
	ExtBuilder::default().build_and_execute(|| {
		assert_ok!(create(&ALICE, "/a"));
		assert_ok!(set(&ALICE, "/a", &[("k", &[0; 1000])]));
		let full = price(&[(1, 1000)]);
		assert_ok!(ObjectTree::transfer(signed(&ALICE), id("/a"), BOB, 1));
		assert_eq!((held(&ALICE), held(&BOB)), (full, 0));
		assert_ok!(set(&BOB, "/a", &[("l", b"v")]));
		assert_eq!((held(&ALICE), held(&BOB)), (0, price(&[(1, 1000), (1, 1)])));
	});
}

#[test]
fn owner_who_cannot_pay_the_full_price_changes_nothing() {
	ExtBuilder::default().build_and_execute(|| {
		assert_ok!(create(&ALICE, "/a"));
		assert_ok!(ObjectTree::transfer(signed(&ALICE), id("/a"), POOR, 1));
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
		assert_ok!(ObjectTree::transfer(signed(&ALICE), id("/a"), BOB, 1));
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

/// As if the object had been paid for when everything cost half. Gives what is on hold then.
fn halve_price(path: &str) -> u128 {
	OtherPrices::set(true);
	let half = held(&ALICE) / 2;
	Objects::<Test>::mutate(id(path), |info| {
		info.as_mut().unwrap().deposit.as_mut().unwrap().amount -= half;
	});
	let reason = crate::HoldReason::Object.into();
	Balances::release(&reason, &ALICE, half, Precision::Exact).unwrap();
	held(&ALICE)
}

#[test]
fn removals_raise_no_deposit_when_prices_have_risen() {
	ExtBuilder::default().build_and_execute(|| {
		assert_ok!(create(&ALICE, "/a"));
		let names: Vec<_> = (0..40).map(|n| format!("{n}")).collect();
		let fields: Vec<_> = names.iter().map(|name| (&name[..], &[0; 100][..])).collect();
		assert_ok!(set(&ALICE, "/a", &fields));
		next_block();
		let paid = halve_price("/a");
		ObjectTree::do_try_state().unwrap();
		// A piece without the object, to look at what is left.
		let progress =
			tree::<Test>().remove_recursive(&Actor::Account(ALICE), &id("/a"), 5).unwrap();
		let freed = progress.freed[&id("/a")];
		assert_ok!(ObjectTree::refund(&id("/a"), 35, freed));
		assert_eq!(held(&ALICE), paid);
		next_block();
		assert_ok!(ObjectTree::remove_recursive(signed(&ALICE), id("/a")));
		next_block();
		assert_eq!(held(&ALICE), 0);
	});
}

#[test]
fn owner_and_payer_of_a_child_are_not_those_of_the_parent() {
	ExtBuilder::default().build_and_execute(|| {
		assert_ok!(create(&ALICE, "/a"));
		assert_ok!(create(&ALICE, "/a/b"));
		assert_ok!(ObjectTree::transfer(signed(&ALICE), id("/a/b"), BOB, 2));
		assert_ok!(set(&BOB, "/a/b", &[("k", b"v")]));
		assert_eq!((held(&ALICE), held(&BOB)), (PER_OBJECT, price(&[(1, 1)])));
		assert_ok!(remove(&BOB, "/a/b"));
		assert_eq!((held(&ALICE), held(&BOB)), (PER_OBJECT, 0));
		assert_eq!(Objects::<Test>::get(id("/a")).unwrap().deposit.unwrap().who, ALICE);
	});
}
