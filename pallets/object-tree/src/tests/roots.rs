use super::mock::*;
use crate::{Dirty, Error, GlobalRoot, PastRoots};
use dstp_primitives::digest::{self, ENGINE_ID};
use frame_support::{assert_noop, assert_ok, traits::Hooks};
use sp_runtime::{generic::Digest, DigestItem};

fn roots_in(digest: &Digest) -> Vec<dstp_primitives::StateRoot> {
	let payloads = digest.logs.iter().filter_map(|item| match item {
		DigestItem::Consensus(ENGINE_ID, payload) => Some(payload),
		_ => None,
	});
	payloads.map(|payload| digest::GlobalRoot::from_digest(payload).unwrap().root).collect()
}

#[test]
fn every_block_has_the_global_root_in_its_digest_exactly_once() {
	ExtBuilder::default().build_and_execute(|| {
		let genesis = GlobalRoot::<Test>::get();
		assert_eq!(roots_in(&next_block()), vec![genesis], "a block without changes has one too");
		assert_ok!(create(&ALICE, "/a"));
		assert_ok!(create(&ALICE, "/b"));
		let digest = next_block();
		assert_ne!(GlobalRoot::<Test>::get(), genesis);
		assert_eq!(roots_in(&digest), vec![GlobalRoot::<Test>::get()]);
	});
}

#[test]
fn failed_call_leaves_the_root() {
	ExtBuilder::default().build_and_execute(|| {
		assert_ok!(create(&ALICE, "/a"));
		next_block();
		let before = GlobalRoot::<Test>::get();
		assert_noop!(set(&BOB, "/a", &[("k", b"v")]), Error::<Test>::NotOwner);
		next_block();
		assert_eq!(GlobalRoot::<Test>::get(), before);
	});
}

#[test]
fn ring_holds_the_last_roots_and_nothing_older() {
	ExtBuilder::default().build_and_execute(|| {
		let mut roots = vec![PastRoots::<Test>::get(0).expect("block 0 is in the ring")];
		assert_eq!(roots[0], GlobalRoot::<Test>::get());
		for number in 1..=9u64 {
			assert_ok!(create(&ALICE, &format!("/{number}")));
			next_block();
			roots.push(GlobalRoot::<Test>::get());
			assert_eq!(PastRoots::<Test>::get(number), Some(roots[number as usize]));
			let kept = PastRoots::<Test>::iter_keys().count() as u64;
			assert_eq!(kept, RETENTION.min(number + 1));
			let oldest = (number + 1).saturating_sub(RETENTION);
			assert_eq!(PastRoots::<Test>::get(oldest), Some(roots[oldest as usize]));
		}
	});
}

#[test]
fn change_marks_its_object_and_everything_above_once() {
	ExtBuilder::default().build_and_execute(|| {
		for path in ["/a", "/a/b", "/a/b/c", "/a/d"] {
			assert_ok!(create(&ALICE, path));
		}
		next_block();
		assert_eq!(Dirty::<Test>::count(), 0);
		assert_ok!(set(&ALICE, "/a/b/c", &[("k", b"v")]));
		assert_eq!(Dirty::<Test>::count(), 4);
		assert_ok!(set(&ALICE, "/a/d", &[("k", b"v")]));
		assert_eq!(Dirty::<Test>::count(), 5);
		assert_ok!(set(&ALICE, "/a/b/c", &[("k", b"w")]));
		assert_eq!(Dirty::<Test>::count(), 5);
	});
}

#[test]
fn dirty_set_bomb_ends_at_the_limit() {
	ExtBuilder::default().build_and_execute(|| {
		MaxDirtyObjects::set(100);
		ReservedDirtyObjects::set(20);
		let made = (0..200).filter(|n| create(&ALICE, &format!("/{n}")).is_ok()).count();
		assert_eq!((made, Dirty::<Test>::count()), (79, 80), "one is for the root object");
		assert_noop!(create(&ALICE, "/more"), Error::<Test>::BlockFull);
		// What is dirty already takes no more room.
		assert_ok!(set(&ALICE, "/0", &[("k", b"v")]));
		// Nor does the root of an object that is gone.
		assert_ok!(remove(&ALICE, "/1"));
		assert_ok!(create(&ALICE, "/more"));
		next_block();
		assert_ok!(create(&ALICE, "/1"));
	});
}

#[test]
fn deep_change_that_does_not_fit_changes_nothing() {
	ExtBuilder::default().build_and_execute(|| {
		for path in ["/a", "/a/b", "/a/b/c"] {
			assert_ok!(create(&ALICE, path));
		}
		next_block();
		MaxDirtyObjects::set(23);
		ReservedDirtyObjects::set(20);
		assert_noop!(set(&ALICE, "/a/b/c", &[("k", b"v")]), Error::<Test>::BlockFull);
		assert_ok!(set(&ALICE, "/a/b", &[("k", b"v")]));
		assert_eq!(Dirty::<Test>::count(), 3);
	});
}

#[test]
fn parameters_that_work_pass_the_integrity_test() {
	ExtBuilder::default().build_and_execute(ObjectTree::integrity_test);
}

#[test]
#[should_panic(expected = "lower one of the three")]
fn integrity_test_wants_room_for_the_roots_of_heads() {
	ExtBuilder::default().build_and_execute(|| {
		MaxDirtyObjects::set(1000);
		ReservedDirtyObjects::set(900);
		ObjectTree::integrity_test();
	});
}

#[test]
#[should_panic(expected = "leave no room")]
fn integrity_test_wants_room_for_heads() {
	ExtBuilder::default().build_and_execute(|| {
		ReservedDirtyObjects::set(1);
		ObjectTree::integrity_test();
	});
}
