//! What calls weigh for what was there before: old values, deposits of others, and keys that the block deleted.

use super::mock::*;
use crate::{weighing::MAX_DELETED_KEYS, Call, Error, WeightInfo};
use dstp_primitives::{object::MAX_VALUE_BYTES, tree::MAX_BATCH_FIELDS, AccountId, Key};
use frame_support::{
	assert_noop, assert_ok, dispatch::GetDispatchInfo, storage::with_storage_layer,
	traits::UnfilteredDispatchable, weights::Weight,
};

type Measured = <Test as crate::Config>::WeightInfo;

/// What a call weighs in the end that is the first in its block, after `prepare` in the block before. No more than it declares.
fn spent(prepare: impl FnOnce(), who: &AccountId, call: Call<Test>) -> Weight {
	let mut weight = None;
	ExtBuilder::default().build_and_execute(|| {
		prepare();
		next_block_with(Weight::zero());
		let declared = call.get_dispatch_info().call_weight;
		let spent = call.dispatch_bypass_filter(signed(who)).unwrap().actual_weight.unwrap();
		assert!(spent.all_lte(declared), "{spent:?} of {declared:?}");
		weight = Some(spent);
	});
	weight.unwrap()
}

fn keys(count: u32) -> Vec<Key> {
	(0..count).map(|number| key(&format!("{number:04}"))).collect()
}

/// `/a` of Alice with so many fields of so many bytes.
fn object_with(count: u32, value_bytes: u32) {
	assert_ok!(create(&ALICE, "/a"));
	let value = value(&vec![7; value_bytes as usize]);
	let fields: Vec<_> = keys(count).into_iter().map(|key| (key, value.clone())).collect();
	for batch in fields.chunks(MAX_BATCH_FIELDS as usize) {
		let batch = batch.to_vec().try_into().unwrap();
		assert_ok!(ObjectTree::set_fields(signed(&ALICE), id("/a"), batch, 1));
	}
}

fn set_short(count: u32) -> Call<Test> {
	let fields: Vec<_> = keys(count).into_iter().map(|key| (key, value(b"x"))).collect();
	Call::set_fields { object: id("/a"), fields: fields.try_into().unwrap(), depth_bound: 1 }
}

fn unset(count: u32) -> Call<Test> {
	let keys = keys(count).try_into().unwrap();
	Call::remove_fields { object: id("/a"), keys, depth_bound: 1 }
}

/// The price of reading so many bytes.
fn old(bytes: u32) -> Weight {
	Measured::set_field(bytes) - Measured::set_field(0)
}

#[test]
fn old_values_are_paid_for() {
	for (count, call) in [
		(1, set_short(1)),
		(MAX_BATCH_FIELDS, set_short(MAX_BATCH_FIELDS)),
		(MAX_BATCH_FIELDS, unset(MAX_BATCH_FIELDS)),
		(MAX_BATCH_FIELDS, Call::remove { object: id("/a"), depth_bound: 1 }),
	] {
		let long = spent(|| object_with(count, MAX_VALUE_BYTES), &ALICE, call.clone());
		let short = spent(|| object_with(count, 1), &ALICE, call.clone());
		let more = long.saturating_sub(short);
		let least = old(count * (MAX_VALUE_BYTES - 8));
		assert!(more.all_gte(least), "{count} fields: {more:?} for {least:?}");
	}
}

#[test]
fn short_update_gives_back_what_long_old_values_would_cost() {
	let spent = spent(|| object_with(1, 1), &ALICE, set_short(1));
	let given_back = set_short(1).get_dispatch_info().call_weight.saturating_sub(spent);
	assert!(given_back.all_gte(old(MAX_VALUE_BYTES)), "{given_back:?}");
}

#[test]
fn deposits_of_others_are_paid_for() {
	let (object, depth_bound) = (id("/a"), 1);
	for call in [
		Call::transfer { object, to: POOR, depth_bound },
		Call::freeze { object, depth_bound },
		Call::remove { object, depth_bound },
	] {
		let own = || {
			assert_ok!(create(&BOB, "/a"));
		};
		let foreign = || {
			assert_ok!(create(&ALICE, "/a"));
			assert_ok!(ObjectTree::transfer(signed(&ALICE), id("/a"), BOB, 1));
		};
		let more = spent(foreign, &BOB, call.clone()) - spent(own, &BOB, call.clone());
		assert_eq!(more, Measured::settle(), "{call:?}");
	}
}

/// What a removal gives back at most because its object stands high.
fn walk() -> Weight {
	Measured::look_up(9) - Measured::look_up(0)
}

#[test]
fn few_keys_of_an_object_are_deleted_in_a_block() {
	ExtBuilder::default().build_and_execute(|| {
		object_with(MAX_DELETED_KEYS + MAX_BATCH_FIELDS, 1);
		next_block();
		let all = keys(MAX_DELETED_KEYS + MAX_BATCH_FIELDS);
		let unset = |batch: &[Key]| {
			let keys = batch.to_vec().try_into().unwrap();
			let remove = || ObjectTree::remove_fields(signed(&ALICE), id("/a"), keys, 1);
			with_storage_layer(|| error(remove()))
		};
		let (most, rest) = all.split_at(MAX_DELETED_KEYS as usize);
		for batch in most.chunks(MAX_BATCH_FIELDS as usize) {
			assert_ok!(unset(batch));
		}
		assert_noop!(unset(rest), Error::<Test>::BlockFull);
		// What was deleted is walked over, and paid for like what is left.
		let spent = remove(&ALICE, "/a").unwrap().actual_weight.unwrap();
		assert!(spent.all_gte(ObjectTree::remove_weight(MAX_BATCH_FIELDS, 0) - walk()));
	});
}

#[test]
fn few_children_of_an_object_are_removed_in_a_block() {
	ExtBuilder::default().build_and_execute(|| {
		assert_ok!(create(&ALICE, "/top"));
		for number in 0..=MAX_DELETED_KEYS {
			assert_ok!(create(&ALICE, &format!("/top/{number}")));
			if number % 256 == 0 {
				next_block();
			}
		}
		next_block();
		let removed =
			|number: u32| with_storage_layer(|| error(remove(&ALICE, &format!("/top/{number}"))));
		(0..MAX_DELETED_KEYS).for_each(|number| removed(number).unwrap());
		assert_noop!(removed(MAX_DELETED_KEYS), Error::<Test>::BlockFull);
		next_block();
		assert_ok!(removed(MAX_DELETED_KEYS));
	});
}
