use super::mock::*;
use crate::{Error, Event, Removals};
use dstp_primitives::{object::ObjectFlags, ObjectId};
use frame_support::{assert_noop, assert_ok, traits::Hooks, weights::Weight};

/// Idle time for this many pieces of deletion.
fn pieces(count: u64) -> Weight {
	use crate::WeightInfo;
	<() as WeightInfo>::deletion_check() + ObjectTree::piece_weight() * count
}

fn remove_recursive(who: &dstp_primitives::AccountId, path: &str) -> sp_runtime::DispatchResult {
	ObjectTree::remove_recursive(signed(who), id(path))
}

#[test]
fn removed_object_is_gone_and_its_deposit_returned() {
	ExtBuilder::default().build_and_execute(|| {
		assert_ok!(create(&ALICE, "/a"));
		assert_ok!(set(&ALICE, "/a", &[("k", b"v")]));
		System::reset_events();
		assert_ok!(remove(&ALICE, "/a"));
		assert_eq!(events(), vec![Event::ObjectRemoved { object: id("/a") }]);
		assert_eq!(ObjectTree::api_object(id("/a")), None);
		assert_eq!(held(&ALICE), 0);
		assert_noop!(remove(&ALICE, "/a"), Error::<Test>::ObjectNotFound);
	});
}

#[test]
fn bad_removals_are_refused() {
	ExtBuilder::default().build_and_execute(|| {
		assert_ok!(create(&ALICE, "/a"));
		assert_ok!(create(&ALICE, "/a/b"));
		assert_noop!(remove(&ALICE, "/a"), Error::<Test>::HasChildren);
		assert_noop!(remove(&BOB, "/a/b"), Error::<Test>::NotOwner);
		assert_noop!(ObjectTree::remove(signed(&ALICE), ObjectId::ROOT, 0), Error::<Test>::IsRoot);
		assert_noop!(
			ObjectTree::remove_recursive(signed(&ALICE), ObjectId::ROOT),
			Error::<Test>::IsRoot
		);
		assert_noop!(remove_recursive(&BOB, "/a"), Error::<Test>::NotOwner);
		assert_noop!(remove_recursive(&ALICE, "/none"), Error::<Test>::ObjectNotFound);
		let fields = |from: u32| {
			let fields: Vec<_> =
				(from..from + 200).map(|n| (key(&format!("{n}")), value(b""))).collect();
			fields.try_into().unwrap()
		};
		assert_ok!(ObjectTree::set_fields(signed(&ALICE), id("/a/b"), fields(0), 2));
		assert_ok!(ObjectTree::set_fields(signed(&ALICE), id("/a/b"), fields(200), 2));
		assert_noop!(remove(&ALICE, "/a/b"), Error::<Test>::HasManyFields);
	});
}

#[test]
fn object_under_an_old_name_does_not_see_the_old_state() {
	ExtBuilder::default().build_and_execute(|| {
		assert_ok!(create(&ALICE, "/a"));
		assert_ok!(set(&ALICE, "/a", &[("secret", &[7; 100])]));
		let old = ObjectTree::api_child_trie(id("/a")).unwrap();
		next_block();
		// Once across blocks, once within one.
		for _ in 0..2 {
			assert_ok!(remove(&ALICE, "/a"));
			assert_ok!(create(&BOB, "/a"));
			let view = ObjectTree::api_object(id("/a")).unwrap().meta.unwrap();
			assert_eq!((view.fields, view.revision), (0, 0));
			assert_ne!(ObjectTree::api_child_trie(id("/a")).unwrap(), old);
			assert_eq!(sp_io::default_child_storage::next_key(&old, &[]), None);
			assert_ok!(remove(&BOB, "/a"));
			assert_ok!(create(&ALICE, "/a"));
		}
		assert_eq!(held(&BOB), 0);
	});
}

/// `/top` with two levels below it, 40 fields in each of the 1 + 6 + 12 objects.
fn build_tree() {
	let fill = |path: &str| {
		assert_ok!(create(&ALICE, path));
		let fields: Vec<_> = (0..40u32).map(|n| (key(&format!("{n}")), value(b"x"))).collect();
		assert_ok!(ObjectTree::set_fields(
			signed(&ALICE),
			id(path),
			fields.try_into().unwrap(),
			depth(path)
		));
	};
	fill("/top");
	for first in 0..6 {
		fill(&format!("/top/{first}"));
		for second in 0..2 {
			fill(&format!("/top/{first}/{second}"));
		}
	}
	next_block();
}

#[test]
fn tree_is_removed_over_several_blocks() {
	ExtBuilder::default().build_and_execute(|| {
		build_tree();
		assert_ok!(remove_recursive(&ALICE, "/top"));
		assert_eq!(events(), vec![Event::RemovalQueued { object: id("/top") }]);
		assert_noop!(remove_recursive(&ALICE, "/top"), Error::<Test>::RemovalQueued);
		let mut blocks = 0;
		while Removals::<Test>::count() > 0 {
			let before = held(&ALICE);
			ObjectTree::on_idle(System::block_number(), pieces(2));
			assert!(held(&ALICE) < before, "each piece returns a deposit");
			let done = events().contains(&Event::RemovalFinished { object: id("/top") });
			assert_eq!(done, Removals::<Test>::count() == 0);
			next_block_with(Weight::zero());
			blocks += 1;
		}
		// 19 objects and 760 fields in pieces of 32.
		assert!((10..20).contains(&blocks), "{blocks} blocks");
		assert_eq!(held(&ALICE), 0);
		assert_eq!(ObjectTree::api_object(id("/top")), None);
	});
}

#[test]
fn writes_between_the_blocks_of_a_removal_are_removed_too() {
	ExtBuilder::default().build_and_execute(|| {
		build_tree();
		assert_ok!(remove_recursive(&ALICE, "/top"));
		next_block_with(pieces(3));
		assert_ok!(create(&ALICE, "/top/new"));
		assert_ok!(set(&ALICE, "/top/5/1", &[("new", b"v")]));
		assert_ok!(set(&ALICE, "/top", &[("new", b"v")]));
		next_block_with(pieces(3));
		assert_ok!(remove(&ALICE, "/top/new"));
		next_block();
		assert_eq!(ObjectTree::api_object(id("/top")), None);
		assert_eq!(held(&ALICE), 0);
	});
}

#[test]
fn removal_stops_at_what_the_account_may_not_remove() {
	ExtBuilder::default().build_and_execute(|| {
		for name in ["foreign", "frozen", "shared"] {
			let (top, low) = (format!("/{name}"), format!("/{name}/x"));
			assert_ok!(create(&ALICE, &top));
			assert_ok!(create_with(&ALICE, &low, ObjectFlags::hashed_keys()));
		}
		assert_ok!(ObjectTree::transfer(signed(&ALICE), id("/foreign/x"), BOB, 2));
		assert_ok!(ObjectTree::freeze(signed(&ALICE), id("/frozen/x"), 2));
		assert_ok!(ObjectTree::share(signed(&ALICE), id("/shared/x"), 2));
		for name in ["/foreign", "/frozen", "/shared"] {
			assert_ok!(remove_recursive(&ALICE, name));
		}
		System::reset_events();
		ObjectTree::on_idle(System::block_number(), Weight::MAX);
		let stopped = |name: &str, reason| Event::RemovalStopped {
			object: id(name),
			at: id(&format!("{name}/x")),
			reason: refused(reason),
		};
		assert_eq!(
			events(),
			vec![
				stopped("/foreign", Error::<Test>::NotOwner),
				stopped("/frozen", Error::<Test>::Frozen),
				stopped("/shared", Error::<Test>::SharedReadOnly),
			]
		);
		assert_eq!(Removals::<Test>::count(), 0);
		assert!(ObjectTree::api_object(id("/foreign/x")).is_some());
	});
}

#[test]
fn removal_ends_when_the_object_is_handed_over_frozen_or_replaced() {
	ExtBuilder::default().build_and_execute(|| {
		for path in ["/a", "/b", "/c"] {
			assert_ok!(create(&ALICE, path));
			assert_ok!(remove_recursive(&ALICE, path));
		}
		assert_ok!(ObjectTree::transfer(signed(&ALICE), id("/a"), BOB, 1));
		assert_ok!(ObjectTree::freeze(signed(&ALICE), id("/b"), 1));
		assert_ok!(remove(&ALICE, "/c"));
		assert_ok!(create(&ALICE, "/c"));
		System::reset_events();
		ObjectTree::on_idle(System::block_number(), Weight::MAX);
		let stopped = |path, reason| Event::RemovalStopped {
			object: id(path),
			at: id(path),
			reason: refused(reason),
		};
		assert_eq!(
			events(),
			vec![
				stopped("/a", Error::<Test>::NotOwner),
				stopped("/b", Error::<Test>::Frozen),
				stopped("/c", Error::<Test>::ObjectNotFound),
			]
		);
		assert!(["/a", "/b", "/c"].iter().all(|path| ObjectTree::api_object(id(path)).is_some()));
	});
}

#[test]
fn queue_has_a_limit() {
	ExtBuilder::default().build_and_execute(|| {
		for path in ["/a", "/b", "/c", "/d"] {
			assert_ok!(create(&ALICE, path));
		}
		for path in ["/a", "/b", "/c"] {
			assert_ok!(remove_recursive(&ALICE, path));
		}
		assert_noop!(remove_recursive(&ALICE, "/d"), Error::<Test>::RemovalQueueFull);
		next_block();
		assert_ok!(remove_recursive(&ALICE, "/d"));
	});
}

#[test]
fn removal_waits_while_a_block_is_full() {
	ExtBuilder::default().build_and_execute(|| {
		assert_ok!(create(&ALICE, "/top"));
		assert_ok!(create(&ALICE, "/top/a"));
		assert_ok!(remove_recursive(&ALICE, "/top"));
		next_block_with(Weight::zero());
		MaxDirtyObjects::set(ReservedDirtyObjects::get());
		next_block();
		assert_eq!(Removals::<Test>::count(), 1);
		assert!(ObjectTree::api_object(id("/top/a")).is_some());
		MaxDirtyObjects::set(512);
		next_block();
		assert_eq!(Removals::<Test>::count(), 0);
		assert_eq!(ObjectTree::api_object(id("/top")), None);
	});
}
