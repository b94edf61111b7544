//! What calls declare before they run, by their depth bound, and what they weigh in the end.

use super::mock::*;
use crate::{
	storage::{HubStorage, Room},
	Call, Error, WeightInfo,
};
use dstp_primitives::{
	hub::RemoteObjects,
	id::MAX_DEPTH,
	object::{ObjectFlags, ObjectType, MAX_VALUE_BYTES},
	tree::MAX_BATCH_FIELDS,
	ObjectId, Storage,
};
use frame_support::{
	assert_noop, assert_ok,
	dispatch::{DispatchResultWithPostInfo, GetDispatchInfo},
	traits::UnfilteredDispatchable,
	weights::Weight,
};

const CALLS: [&str; 7] =
	["create", "set_fields", "remove_fields", "transfer", "share", "freeze", "remove"];

/// The path of the object on one level of a chain of objects; that of the root is empty.
fn path(depth: u32) -> String {
	"/x".repeat(depth as usize)
}

/// The object on one level of the chain.
fn on_level(depth: u32) -> ObjectId {
	(0..depth).fold(ObjectId::ROOT, |above, _| above.child(&key("x")))
}

/// Alice's objects down to the deepest one, each with two fields, and beside each one another that has no children: `leaf`. If
/// `detached`, an object became remote, so that every look-up looks at everything above.
fn with_objects(detached: bool, test: impl FnOnce()) {
	ExtBuilder::default().build_and_execute(|| {
		assert_ok!(create(&ALICE, "/gone"));
		for depth in 1..=MAX_DEPTH {
			for path in [path(depth), format!("{}/leaf", path(depth - 1))] {
				assert_ok!(create_with(&ALICE, &path, ObjectFlags::hashed_keys()));
				assert_ok!(set(&ALICE, &path, &[("k", b"old"), ("l", b"old")]));
			}
		}
		next_block();
		if detached {
			let (top, gone) = (ObjectId::ROOT, key("gone"));
			assert_ok!(ObjectTree::hosted_to_remote(&ALICE, &top, &gone, location(0)));
			next_block();
		}
		test();
	});
}

/// Marks the whole chain, so that nobody after it in the block pays for its roots.
fn mark_all() {
	assert_ok!(set(&ALICE, &path(MAX_DEPTH), &[("k", b"new")]));
}

/// A call about an object on this level.
fn call(name: &str, depth: u32, depth_bound: u32) -> Call<Test> {
	let object = on_level(depth);
	// No field changes its length, so that the deposit stays as it is.
	let fields = vec![(key("k"), value(b"new"))];
	match name {
		"create" => Call::create {
			parent: on_level(depth - 1),
			key: key("new"),
			object_type: ObjectType::Plain,
			flags: ObjectFlags::default(),
			depth_bound,
		},
		"set_fields" => {
			Call::set_fields { object, fields: fields.try_into().unwrap(), depth_bound }
		},
		"remove_fields" => {
			Call::remove_fields { object, keys: vec![key("l")].try_into().unwrap(), depth_bound }
		},
		"transfer" => Call::transfer { object, to: BOB, depth_bound },
		"share" => Call::share { object, depth_bound },
		"freeze" => Call::freeze { object, depth_bound },
		"remove" => Call::remove { object: on_level(depth - 1).child(&key("leaf")), depth_bound },
		_ => unreachable!("{name}"),
	}
}

fn declared(name: &str, depth: u32, depth_bound: u32) -> Weight {
	call(name, depth, depth_bound).get_dispatch_info().call_weight
}

fn run(name: &str, depth: u32, depth_bound: u32) -> DispatchResultWithPostInfo {
	call(name, depth, depth_bound).dispatch_bypass_filter(signed(&ALICE))
}

/// What a call weighs in the end.
fn spent(name: &str, depth: u32, depth_bound: u32) -> Weight {
	run(name, depth, depth_bound).unwrap().actual_weight.unwrap()
}

/// Every call on every level.
fn all_places() -> impl Iterator<Item = (&'static str, u32)> {
	CALLS.into_iter().flat_map(|name| (1..=MAX_DEPTH).map(move |depth| (name, depth)))
}

#[test]
fn declared_weight_falls_with_the_depth_bound() {
	for name in CALLS {
		for bound in 0..MAX_DEPTH {
			let (less, more) = (declared(name, 1, bound), declared(name, 1, bound + 1));
			assert!(less.all_lt(more), "{name} at {bound}: {less:?}, {more:?}");
		}
		let most = declared(name, 1, MAX_DEPTH);
		for bound in [MAX_DEPTH + 1, u32::MAX] {
			assert_eq!(declared(name, 1, bound), most, "{name} at {bound}");
		}
	}
}

#[test]
fn no_call_weighs_more_than_the_lowest_bound_declares() {
	for (detached, (name, depth)) in all_places().flat_map(|at| [(false, at), (true, at)]) {
		let declared = declared(name, depth, depth);
		with_objects(detached, || {
			let spent = spent(name, depth, depth);
			assert!(spent.all_lte(declared), "{name} at {depth}: {spent:?} of {declared:?}");
		});
		with_objects(detached, || {
			mark_all();
			let spent = spent(name, depth, depth);
			assert!(spent.all_lt(declared), "{name} at {depth}: {spent:?} of {declared:?}");
		});
	}
}

/// What is given back then has nothing to do with the depth: a call needs all the look-ups and roots that the lowest bound pays for.
#[test]
fn first_call_of_a_block_needs_the_lowest_bound() {
	for name in CALLS {
		let rest = |depth| {
			let mut rest = None;
			with_objects(true, || {
				rest = Some(declared(name, depth, depth) - spent(name, depth, depth));
			});
			rest.unwrap()
		};
		let rests: Vec<_> = (1..=MAX_DEPTH).map(rest).collect();
		assert_eq!(rests, vec![rests[0]; MAX_DEPTH as usize], "{name}");
		assert!(
			name != "create" || rests[0] == Weight::zero(),
			"creation has nothing else to give back"
		);
	}
}

#[test]
fn bound_above_the_depth_costs_nothing_in_the_end() {
	for name in CALLS {
		let spent = |bound| {
			let mut weights = None;
			with_objects(false, || weights = Some(spent(name, 3, bound)));
			weights.unwrap()
		};
		assert_eq!([3, 4, MAX_DEPTH, u32::MAX].map(spent), [spent(3); 4], "{name}");
	}
}

#[test]
fn bound_below_the_depth_is_refused_and_changes_nothing() {
	for (detached, marked) in [(false, false), (false, true), (true, false), (true, true)] {
		with_objects(detached, || {
			if marked {
				// Nothing above has to be looked at.
				mark_all();
			}
			for (name, depth) in all_places() {
				for bound in 0..depth {
					assert_noop!(run(name, depth, bound), Error::<Test>::DepthBoundTooLow);
				}
				let kept = run(name, depth, depth - 1).unwrap_err().post_info.actual_weight;
				assert_eq!(kept, None, "a refused call keeps what it declared");
			}
		});
	}
}

#[test]
fn bound_says_nothing_about_what_is_not_there() {
	with_objects(false, || {
		let nowhere = MAX_DEPTH + 1;
		for name in CALLS.into_iter().filter(|name| !["create", "remove"].contains(name)) {
			assert_noop!(run(name, nowhere, 0), Error::<Test>::ObjectNotFound);
			assert_noop!(run(name, 0, 0), Error::<Test>::SharedReadOnly);
		}
		assert_noop!(ObjectTree::remove(signed(&ALICE), ObjectId::ROOT, 0), Error::<Test>::IsRoot);
		for bound in [MAX_DEPTH, nowhere, u32::MAX] {
			assert_noop!(run("create", nowhere, bound), Error::<Test>::TooDeep);
		}
		assert_noop!(run("create", nowhere, MAX_DEPTH - 1), Error::<Test>::DepthBoundTooLow);
	});
}

#[test]
fn depth_takes_one_look_up_and_is_looked_up_once() {
	with_objects(true, || {
		let object = on_level(MAX_DEPTH);
		let storage = HubStorage::<Test>::with_room(Room::Calls);
		assert_eq!((storage.depth(&object), storage.look_ups()), (Some(MAX_DEPTH), 1));
		// With an object that became remote it is hosted only if everything above is.
		for _ in 0..2 {
			assert!(storage.link(&object).unwrap().is_some());
			assert_eq!(storage.look_ups(), MAX_DEPTH + 1);
		}
		assert_eq!(storage.depth(&ObjectId::ROOT), Some(0));
		assert_eq!(storage.look_ups(), MAX_DEPTH + 1);
	});
}

/// What is given back is a part of what was measured.
#[test]
fn every_call_was_measured_with_more_than_the_look_ups_that_it_gives_back() {
	type Measured = <Test as crate::Config>::WeightInfo;
	let all = Measured::look_up(MAX_DEPTH + 1) - Measured::look_up(0);
	let calls = [
		Measured::create(),
		Measured::set_field(0),
		Measured::set_fields(2, 0),
		Measured::set_fields(MAX_BATCH_FIELDS, MAX_VALUE_BYTES),
		Measured::remove_fields(1),
		Measured::change_owner(),
		Measured::remove(0),
	];
	for call in calls {
		assert!(call.all_gt(all), "{call:?} with look-ups of {all:?}");
	}
}
