use super::mock::*;
use crate::{Error, Event};
use dstp_primitives::{hub::RemoteObjects, object::ObjectFlags, AccountId, ObjectId};
use frame_support::{assert_noop, assert_ok};

#[test]
fn transferred_object_obeys_its_new_owner_only() {
	ExtBuilder::default().build_and_execute(|| {
		assert_ok!(create(&ALICE, "/a"));
		System::reset_events();
		assert_ok!(ObjectTree::transfer(signed(&ALICE), id("/a"), BOB, 1));
		assert_eq!(events(), vec![Event::ObjectTransferred { object: id("/a"), to: BOB }]);
		assert_noop!(set(&ALICE, "/a", &[("k", b"v")]), Error::<Test>::NotOwner);
		assert_ok!(set(&BOB, "/a", &[("k", b"v")]));
		assert_ok!(remove(&BOB, "/a"));
	});
}

#[test]
fn bad_transfers_are_refused() {
	ExtBuilder::default().build_and_execute(|| {
		assert_ok!(create(&ALICE, "/a"));
		let transfer = |who, path, to| ObjectTree::transfer(signed(who), id(path), to, depth(path));
		assert_noop!(transfer(&BOB, "/a", BOB), Error::<Test>::NotOwner);
		assert_noop!(transfer(&ALICE, "/a", AccountId::new([0; 32])), Error::<Test>::ZeroOwner);
		assert_noop!(transfer(&ALICE, "/none", BOB), Error::<Test>::ObjectNotFound);
		assert_noop!(
			ObjectTree::transfer(signed(&ALICE), ObjectId::ROOT, ALICE, 0),
			Error::<Test>::SharedReadOnly
		);
	});
}

#[test]
fn shared_object_takes_children_of_everybody_and_nothing_else() {
	ExtBuilder::default().build_and_execute(|| {
		assert_ok!(create(&ALICE, "/raw"));
		let share = |who, path| ObjectTree::share(signed(who), id(path), depth(path));
		assert_noop!(share(&ALICE, "/raw"), Error::<Test>::SharedNeedsHashedKeys);
		assert_ok!(create_with(&ALICE, "/a", ObjectFlags::hashed_keys()));
		assert_noop!(share(&BOB, "/a"), Error::<Test>::NotOwner);
		assert_noop!(share(&BOB, "/none"), Error::<Test>::ObjectNotFound);
		System::reset_events();
		assert_ok!(share(&ALICE, "/a"));
		assert_eq!(events(), vec![Event::ObjectShared { object: id("/a") }]);
		assert_ok!(create(&BOB, "/a/b"));
		assert_noop!(set(&ALICE, "/a", &[("k", b"v")]), Error::<Test>::SharedReadOnly);
		assert_noop!(remove(&ALICE, "/a"), Error::<Test>::SharedReadOnly);
		assert_noop!(share(&ALICE, "/a"), Error::<Test>::SharedReadOnly);
		assert_noop!(
			ObjectTree::freeze(signed(&ALICE), id("/a"), 1),
			Error::<Test>::SharedReadOnly
		);
	});
}

#[test]
fn frozen_object_is_changed_by_no_way() {
	ExtBuilder::default().build_and_execute(|| {
		assert_ok!(create(&ALICE, "/a"));
		assert_ok!(create(&ALICE, "/a/b"));
		assert_ok!(set(&ALICE, "/a", &[("k", b"v")]));
		assert_noop!(ObjectTree::freeze(signed(&BOB), id("/a"), 1), Error::<Test>::NotOwner);
		assert_noop!(
			ObjectTree::freeze(signed(&BOB), id("/none"), 1),
			Error::<Test>::ObjectNotFound
		);
		System::reset_events();
		assert_ok!(ObjectTree::freeze(signed(&ALICE), id("/a"), 1));
		assert_eq!(events(), vec![Event::ObjectFrozen { object: id("/a") }]);
		next_block();
		let before = ObjectTree::api_object(id("/a")).unwrap();

		assert_noop!(set(&ALICE, "/a", &[("k", b"w")]), Error::<Test>::Frozen);
		assert_noop!(unset(&ALICE, "/a", &["k"]), Error::<Test>::Frozen);
		assert_noop!(create(&ALICE, "/a/c"), Error::<Test>::Frozen);
		assert_noop!(remove(&ALICE, "/a"), Error::<Test>::Frozen);
		assert_noop!(remove(&ALICE, "/a/b"), Error::<Test>::Frozen);
		assert_noop!(ObjectTree::remove_recursive(signed(&ALICE), id("/a")), Error::<Test>::Frozen);
		assert_noop!(ObjectTree::transfer(signed(&ALICE), id("/a"), BOB, 1), Error::<Test>::Frozen);
		assert_noop!(ObjectTree::freeze(signed(&ALICE), id("/a"), 1), Error::<Test>::Frozen);
		assert_noop!(
			<ObjectTree as RemoteObjects>::create_remote(
				&ALICE,
				&id("/a"),
				&key("r"),
				root(1),
				location(0)
			),
			Error::<Test>::Frozen
		);
		assert_noop!(
			<ObjectTree as RemoteObjects>::hosted_to_remote(
				&ALICE,
				&ObjectId::ROOT,
				&key("a"),
				location(0)
			),
			Error::<Test>::Frozen
		);
		assert_noop!(
			<ObjectTree as RemoteObjects>::hosted_to_remote(
				&ALICE,
				&id("/a"),
				&key("b"),
				location(0)
			),
			Error::<Test>::Frozen
		);
		next_block();
		assert_eq!(ObjectTree::api_object(id("/a")).unwrap(), before);

		// A descendant lives on; only the root that the frozen object knows of it moves.
		assert_ok!(set(&ALICE, "/a/b", &[("k", b"v")]));
		next_block();
		let after = ObjectTree::api_object(id("/a")).unwrap();
		assert_eq!(after.meta, before.meta);
		assert_ne!(after.state_root, before.state_root);
	});
}
