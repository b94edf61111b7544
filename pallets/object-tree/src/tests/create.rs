use super::mock::*;
use crate::{Error, Event, Objects};
use dstp_primitives::{
	object::{ObjectFlags, ObjectType, Owner},
	Key, ObjectId,
};
use frame_support::{assert_noop, assert_ok};

#[test]
fn created_object_belongs_to_the_caller_and_costs_a_deposit() {
	ExtBuilder::default().build_and_execute(|| {
		assert_ok!(create(&ALICE, "/a"));
		let (object, parent) = (id("/a"), ObjectId::ROOT);
		assert_eq!(
			events(),
			vec![Event::ObjectCreated { object, parent, key: key("a"), owner: Some(ALICE) }]
		);
		let view = ObjectTree::api_object(object).unwrap();
		assert_eq!(view.meta.unwrap().owner, Owner::Account(ALICE));
		assert_eq!(held(&ALICE), PER_OBJECT);
		assert_ok!(remove(&ALICE, "/a"));
		assert_eq!(held(&ALICE), 0);
	});
}

#[test]
fn root_origin_creates_objects_of_the_system_without_a_deposit() {
	ExtBuilder::default().build_and_execute(|| {
		let (parent, plain) = (ObjectId::ROOT, ObjectType::Plain);
		assert_ok!(ObjectTree::create(
			RuntimeOrigin::root(),
			parent,
			key("sys"),
			plain,
			ObjectFlags::default(),
			1
		));
		assert_eq!(ObjectTree::api_object(id("/sys")).unwrap().meta.unwrap().owner, Owner::System);
		assert_eq!(Objects::<Test>::get(id("/sys")).unwrap().deposit, None);
		assert_noop!(set(&ALICE, "/sys", &[("k", b"v")]), Error::<Test>::NotOwner);
		let fields = vec![(key("k"), value(b"v"))].try_into().unwrap();
		assert_ok!(ObjectTree::set_fields(RuntimeOrigin::root(), id("/sys"), fields, 1));
		assert_ok!(ObjectTree::remove(RuntimeOrigin::root(), id("/sys"), 1));
	});
}

#[test]
fn bad_places_are_refused() {
	ExtBuilder::default().build_and_execute(|| {
		assert_ok!(create(&ALICE, "/a"));
		assert_noop!(create(&BOB, "/a"), Error::<Test>::ObjectExists);
		assert_noop!(create(&ALICE, "/none/a"), Error::<Test>::ObjectNotFound);
		assert_noop!(create(&BOB, "/a/b"), Error::<Test>::NotOwner);
		assert_noop!(create(&ALICE, "/account/b"), Error::<Test>::NotOwner);
		assert_ok!(ObjectTree::freeze(signed(&ALICE), id("/a"), 1));
		assert_noop!(create(&ALICE, "/a/b"), Error::<Test>::Frozen);
		assert_noop!(
			ObjectTree::create(
				RuntimeOrigin::none(),
				ObjectId::ROOT,
				key("b"),
				ObjectType::Plain,
				ObjectFlags::default(),
				1
			),
			sp_runtime::DispatchError::BadOrigin
		);
	});
}

#[test]
fn reserved_key_belongs_to_the_system() {
	ExtBuilder::default().build_and_execute(|| {
		// It stands there from genesis; without it the refusal is still there.
		assert_noop!(create(&ALICE, "/account"), Error::<Test>::ReservedKey);
		assert_ok!(create(&ALICE, "/a"));
		assert_ok!(create(&ALICE, "/a/account"));
	});
}

#[test]
fn ninth_level_is_too_deep() {
	ExtBuilder::default().build_and_execute(|| {
		let mut path = String::new();
		for _ in 0..8 {
			path.push_str("/x");
			assert_ok!(create(&ALICE, &path));
		}
		path.push_str("/x");
		assert_noop!(create(&ALICE, &path), Error::<Test>::TooDeep);
	});
}

#[test]
fn object_that_cannot_be_paid_is_not_created() {
	ExtBuilder::default().build_and_execute(|| {
		let before = sp_io::storage::root(sp_runtime::StateVersion::V1);
		assert!(error(frame_support::storage::with_storage_layer(|| create(&POOR, "/a"))).is_err());
		assert_eq!(sp_io::storage::root(sp_runtime::StateVersion::V1), before);
	});
}

#[test]
fn calls_give_back_the_weight_of_roots_that_are_computed_anyway() {
	ExtBuilder::default().build_and_execute(|| {
		let first = create(&ALICE, "/a").unwrap().actual_weight.unwrap();
		let second = create(&ALICE, "/b").unwrap().actual_weight.unwrap();
		let call = crate::Call::<Test>::create {
			parent: ObjectId::ROOT,
			key: key("c"),
			object_type: ObjectType::Plain,
			flags: ObjectFlags::default(),
			depth_bound: 1,
		};
		use frame_support::dispatch::GetDispatchInfo;
		let declared = call.get_dispatch_info().call_weight;
		assert!(second.all_lt(first) && first.all_lte(declared));
	});
}

#[test]
fn keys_of_every_length_work() {
	ExtBuilder::default().build_and_execute(|| {
		for length in [1usize, 31, 32, 33, 64] {
			let key = Key::new(vec![0xff; length]).unwrap();
			assert_ok!(ObjectTree::create(
				signed(&ALICE),
				ObjectId::ROOT,
				key.clone(),
				ObjectType::Plain,
				ObjectFlags::hashed_keys(),
				1
			));
			assert!(ObjectTree::api_object(ObjectId::ROOT.child(&key)).is_some());
		}
	});
}
