use super::mock::*;
use crate::{Detached, Dirty, Dropped, Error, Event, Objects};
use dstp_primitives::{
	hub::RemoteObjects,
	object::{HeadStatus, Location, ObjectFlags, Owner, META_KEY},
	tree::{namespace_root, NewObject},
	ObjectId,
};
use frame_support::{assert_noop, assert_ok, storage::child, weights::Weight};

type Remotes = ObjectTree;

fn create_remote(
	who: &dstp_primitives::AccountId,
	path: &str,
) -> Result<ObjectId, sp_runtime::DispatchError> {
	let (parent, name) = path.rsplit_once('/').unwrap();
	let parent = if parent.is_empty() { ObjectId::ROOT } else { id(parent) };
	Remotes::create_remote(who, &parent, &key(name), root(1), location(0))
}

#[test]
fn remote_subtree_lives_from_registration_to_removal() {
	ExtBuilder::default().build_and_execute(|| {
		assert_eq!(create_remote(&ALICE, "/r"), Ok(id("/r")));
		let (top, name) = (ObjectId::ROOT, key("r"));
		let created = Event::RemoteCreated { object: id("/r"), parent: top, key: name.clone() };
		assert_eq!(events(), vec![created]);
		assert_eq!(held(&ALICE), PER_OBJECT);
		let global = ObjectTree::api_global_root();
		assert_ok!(Remotes::set_remote(&top, &name, root(2), location(1)));
		assert_eq!(Remotes::remote(&top, &name), Some((root(2), location(1))));
		next_block();
		assert_ne!(ObjectTree::api_global_root(), global);
		let view = ObjectTree::api_object(id("/r")).unwrap();
		assert_eq!((view.parent, view.key), (Some(top), Some(name.clone())));
		assert_eq!((view.meta, view.state_root), (None, root(2)));
		assert_eq!(view.location, Location::Remote(location(1)));
		assert_ok!(Remotes::remove_remote(&ALICE, &top, &name));
		assert_eq!(events(), vec![Event::RemoteRemoved { object: id("/r") }]);
		assert_eq!((held(&ALICE), Remotes::remote(&top, &name)), (0, None));
	});
}

#[test]
fn bad_registrations_are_refused() {
	ExtBuilder::default().build_and_execute(|| {
		assert_ok!(create(&ALICE, "/a"));
		assert_noop!(create_remote(&BOB, "/a/r"), refused(Error::<Test>::NotOwner));
		assert_noop!(create_remote(&BOB, "/a"), refused(Error::<Test>::ObjectExists));
		assert_noop!(create_remote(&BOB, "/account"), refused(Error::<Test>::ReservedKey));
		assert_noop!(create_remote(&BOB, "/none/r"), refused(Error::<Test>::ObjectNotFound));
		assert_noop!(create_remote(&POOR, "/r"), sp_runtime::TokenError::FundsUnavailable);
		let top = ObjectId::ROOT;
		let set = |name: &str| Remotes::set_remote(&top, &key(name), root(2), location(1));
		assert_noop!(set("a"), refused(Error::<Test>::NotRemote));
		assert_noop!(set("none"), refused(Error::<Test>::ObjectNotFound));
		let remove = |name: &str| Remotes::remove_remote(&ALICE, &top, &key(name));
		assert_noop!(remove("a"), refused(Error::<Test>::NotRemote));
		assert_noop!(remove("none"), refused(Error::<Test>::ObjectNotFound));
	});
}

#[test]
fn calls_cannot_reach_into_a_remote_subtree() {
	ExtBuilder::default().build_and_execute(|| {
		assert_ok!(create_remote(&ALICE, "/r"));
		assert_noop!(set(&ALICE, "/r", &[("k", b"v")]), Error::<Test>::ObjectNotFound);
		assert_noop!(create(&ALICE, "/r/a"), Error::<Test>::ObjectNotFound);
		assert_noop!(remove(&ALICE, "/r"), Error::<Test>::ObjectNotFound);
		assert_noop!(create(&ALICE, "/r"), Error::<Test>::ObjectExists);
	});
}

#[test]
fn heads_fit_into_a_block_that_users_filled() {
	ExtBuilder::default().build_and_execute(|| {
		assert_ok!(create(&ALICE, "/a"));
		assert_ok!(create(&ALICE, "/a/b"));
		assert_ok!(create_remote(&ALICE, "/a/b/r"));
		next_block();
		let mut number = 0;
		while create(&BOB, &format!("/{number}")).is_ok() {
			number += 1;
		}
		let limit = MaxDirtyObjects::get() - ReservedDirtyObjects::get();
		assert_eq!(Dirty::<Test>::count(), limit);
		assert_noop!(create(&BOB, "/next"), Error::<Test>::BlockFull);
		assert_noop!(set(&ALICE, "/a/b", &[("k", b"v")]), Error::<Test>::BlockFull);
		assert_ok!(Remotes::set_remote(&id("/a/b"), &key("r"), root(2), location(1)));
		assert_eq!(Dirty::<Test>::count(), limit + 2);
		next_block();
		assert_eq!(Dirty::<Test>::count(), 0);
		assert_ok!(create(&BOB, "/next"));
	});
}

#[test]
fn block_pays_for_the_roots_of_heads() {
	ExtBuilder::default().build_and_execute(|| {
		assert_ok!(create_remote(&ALICE, "/r"));
		next_block();
		let before = System::block_weight().total();
		assert_ok!(Remotes::set_remote(&ObjectId::ROOT, &key("r"), root(2), location(1)));
		assert_eq!(System::block_weight().total(), before + ObjectTree::roots_weight(0, 1));
	});
}

/// `/a` with a child, fields in both, whose roots are computed.
fn build_hosted() {
	assert_ok!(create(&ALICE, "/a"));
	assert_ok!(create(&BOB, "/o"));
	assert_ok!(create(&ALICE, "/a/b"));
	assert_ok!(set(&ALICE, "/a", &[("k", b"v")]));
	assert_ok!(set(&ALICE, "/a/b", &[("k", &[1; 1000])]));
	next_block();
}

fn detach() -> Result<dstp_primitives::StateRoot, sp_runtime::DispatchError> {
	Remotes::hosted_to_remote(&ALICE, &ObjectId::ROOT, &key("a"), location(0))
}

#[test]
fn hosted_object_becomes_remote_with_its_root_and_out_of_reach() {
	ExtBuilder::default().build_and_execute(|| {
		build_hosted();
		let before = ObjectTree::api_object(id("/a")).unwrap().state_root;
		let paid = held(&ALICE);
		let tries = [id("/a"), id("/a/b")].map(ObjectTree::api_child_trie);
		assert!(tries.iter().all(Option::is_some));
		assert_eq!(detach(), Ok(before));
		let detached = Event::ObjectDetached { object: id("/a"), state_root: before };
		assert_eq!(events(), vec![detached]);
		assert_eq!(held(&ALICE), paid + PER_OBJECT);
		next_block();
		let view = ObjectTree::api_object(id("/a")).unwrap();
		assert_eq!((view.state_root, view.location), (before, Location::Remote(location(0))));
		assert_eq!(ObjectTree::api_object(id("/a/b")), None);
		assert_eq!(ObjectTree::api_child_trie(id("/a/b")), None);
		assert_eq!([id("/a"), id("/a/b")].map(ObjectTree::api_kept_trie), tries, "where it was");
		for path in ["/a", "/a/b"] {
			assert_noop!(set(&ALICE, path, &[("k", b"w")]), Error::<Test>::ObjectNotFound);
			assert_noop!(set(&BOB, path, &[("k", b"w")]), Error::<Test>::ObjectNotFound);
			assert_noop!(remove(&BOB, path), Error::<Test>::ObjectNotFound);
		}
		assert_noop!(create_remote(&BOB, "/a/b/c"), refused(Error::<Test>::ObjectNotFound));
	});
}

#[test]
fn bad_migrations_are_refused() {
	ExtBuilder::default().build_and_execute(|| {
		build_hosted();
		let detach_by =
			|who| Remotes::hosted_to_remote(who, &ObjectId::ROOT, &key("a"), location(0));
		assert_noop!(detach_by(&BOB), refused(Error::<Test>::NotOwner));
		let none = Remotes::hosted_to_remote(&ALICE, &ObjectId::ROOT, &key("x"), location(0));
		assert_noop!(none, refused(Error::<Test>::ObjectNotFound));
		assert_ok!(set(&ALICE, "/a/b", &[("k", b"w")]));
		assert_noop!(detach(), refused(Error::<Test>::RootPending));
		next_block();
		assert_ok!(create_remote(&ALICE, "/a/b/r"));
		next_block();
		assert_noop!(detach(), refused(Error::<Test>::RemoteBelow));
		assert_ok!(Remotes::remove_remote(&ALICE, &id("/a/b"), &key("r")));
		next_block();
		assert_ok!(detach());
		next_block();
		assert_noop!(detach(), refused(Error::<Test>::IsRemote));
	});
}

#[test]
fn migration_can_be_taken_back() {
	ExtBuilder::default().build_and_execute(|| {
		build_hosted();
		let (before, paid) = (ObjectTree::api_object(id("/a")).unwrap(), held(&ALICE));
		let global = ObjectTree::api_global_root();
		assert_ok!(detach());
		next_block();
		let top = ObjectId::ROOT;
		assert_ok!(Remotes::restore_hosted(&top, &key("a")));
		assert_eq!(events(), vec![Event::ObjectRestored { object: id("/a") }]);
		next_block();
		assert_eq!(ObjectTree::api_object(id("/a")), Some(before));
		assert_eq!((ObjectTree::api_global_root(), held(&ALICE)), (global, paid));
		assert_ok!(set(&ALICE, "/a/b", &[("k", b"w")]));
		let restore = Remotes::restore_hosted(&top, &key("a"));
		assert_noop!(restore, refused(Error::<Test>::NothingKept));
	});
}

#[test]
fn migration_is_not_taken_back_after_a_head() {
	ExtBuilder::default().build_and_execute(|| {
		build_hosted();
		assert_ok!(detach());
		let (top, name) = (ObjectId::ROOT, key("a"));
		assert_ok!(Remotes::set_remote(&top, &name, root(9), location(1)));
		assert_noop!(Remotes::restore_hosted(&top, &name), refused(Error::<Test>::NothingKept));
		assert_ok!(Remotes::drop_hosted(&top, &name));
		assert_noop!(Remotes::restore_hosted(&top, &name), refused(Error::<Test>::NothingKept));
	});
}

#[test]
fn kept_nodes_are_deleted_over_blocks_and_their_deposits_returned() {
	ExtBuilder::default().build_and_execute(|| {
		build_hosted();
		for number in 0..30u32 {
			let path = format!("/a/b/{number}");
			assert_ok!(create(&ALICE, &path));
			assert_ok!(set(&ALICE, &path, &[("k", b"v"), ("l", b"v")]));
		}
		next_block();
		let trie = ObjectTree::api_child_trie(id("/a/b/7")).unwrap();
		assert_ok!(detach());
		next_block();
		assert_eq!(Detached::<Test>::count(), 1);
		let (top, name) = (ObjectId::ROOT, key("a"));
		assert_ok!(Remotes::set_remote(&top, &name, root(9), location(1)));
		assert_ok!(Remotes::drop_hosted(&top, &name));
		// The place is taken until the last node is gone, even if the subtree goes at once.
		assert_ok!(Remotes::remove_remote(&ALICE, &top, &name));
		let mut blocks = 0;
		while Detached::<Test>::count() > 0 {
			assert_noop!(create(&ALICE, "/a"), Error::<Test>::DeletionPending);
			assert_noop!(create_remote(&ALICE, "/a"), refused(Error::<Test>::DeletionPending));
			use crate::WeightInfo;
			next_block_with(<() as WeightInfo>::deletion_check() + ObjectTree::piece_weight());
			blocks += 1;
		}
		assert!(blocks >= 3, "{blocks} blocks");
		assert_eq!((held(&ALICE), held(&BOB)), (0, PER_OBJECT));
		assert_eq!(sp_io::default_child_storage::next_key(&trie, &[]), None);
		assert_ok!(create(&ALICE, "/a"));
		assert_eq!(ObjectTree::api_object(id("/a/b")), None);
	});
}

#[test]
fn detached_tree_without_a_drop_stays() {
	ExtBuilder::default().build_and_execute(|| {
		build_hosted();
		assert_ok!(detach());
		next_block_with(Weight::MAX);
		next_block_with(Weight::MAX);
		assert_eq!(Detached::<Test>::count(), 1);
		assert!(Remotes::restore_hosted(&ObjectId::ROOT, &key("a")).is_ok());
	});
}

#[test]
fn first_head_extends_the_root_that_the_hub_computes() {
	ExtBuilder::default().build_and_execute(|| {
		// What the engine starts from is what a hosted object without content has.
		assert_ok!(create(&ALICE, "/a"));
		next_block();
		let hosted = ObjectTree::api_object(id("/a")).unwrap().state_root;
		assert_eq!(hosted, namespace_root(Owner::Account(ALICE), NewObject::default()));
	});
}

/// Ways to give the rights over `/a/b` away.
fn give_away(way: u8) {
	assert_ok!(match way {
		0 => ObjectTree::transfer(signed(&ALICE), id("/a/b"), BOB, 2),
		1 => ObjectTree::freeze(signed(&ALICE), id("/a/b"), 2),
		_ => ObjectTree::share(signed(&ALICE), id("/a/b"), 2),
	});
}

#[test]
fn object_is_not_detached_from_above_what_others_hold() {
	for way in 0..3 {
		for below in ["/a/b", "/a/b/c"] {
			ExtBuilder::default().build_and_execute(|| {
				assert_ok!(create(&ALICE, "/a"));
				assert_ok!(create_with(&ALICE, "/a/b", ObjectFlags::hashed_keys()));
				if below != "/a/b" {
					assert_ok!(create(&ALICE, below));
				}
				give_away(way);
				next_block();
				assert_noop!(detach(), refused(Error::<Test>::ForeignBelow));
			});
		}
	}
}

#[test]
fn deep_foreign_object_is_found() {
	ExtBuilder::default().build_and_execute(|| {
		for path in ["/a", "/a/0", "/a/1", "/a/1/2", "/a/1/2/3", "/a/1/2/4", "/a/5"] {
			assert_ok!(create(&ALICE, path));
		}
		assert_ok!(ObjectTree::transfer(signed(&ALICE), id("/a/1/2/3"), BOB, 4));
		next_block();
		assert_noop!(detach(), refused(Error::<Test>::ForeignBelow));
		assert_ok!(ObjectTree::transfer(signed(&BOB), id("/a/1/2/3"), ALICE, 4));
		next_block();
		assert_ok!(detach());
	});
}

#[test]
fn neither_detaching_nor_removing_destroys_what_others_hold() {
	for way in 0..3 {
		ExtBuilder::default().build_and_execute(|| {
			assert_ok!(create(&ALICE, "/a"));
			assert_ok!(create_with(&ALICE, "/a/b", ObjectFlags::hashed_keys()));
			assert_ok!(set(&ALICE, "/a/b", &[("k", b"v")]));
			give_away(way);
			next_block();
			let before = ObjectTree::api_object(id("/a/b"));
			let (top, name) = (ObjectId::ROOT, key("a"));
			assert!(detach().is_err());
			assert!(Remotes::close_remote(&top, &name).is_err());
			assert!(Remotes::remove_remote(&ALICE, &top, &name).is_err());
			for _ in 0..3 {
				next_block();
			}
			assert_eq!(ObjectTree::api_object(id("/a/b")), before);
		});
	}
}

#[test]
fn object_moves_with_any_number_of_objects_below() {
	ExtBuilder::default().build_and_execute(|| {
		assert_ok!(create(&ALICE, "/a"));
		for number in 0..300 {
			assert_ok!(create(&ALICE, &format!("/a/{number}")));
		}
		assert_ok!(create(&ALICE, "/a/299/deep"));
		assert_ok!(ObjectTree::transfer(signed(&ALICE), id("/a/299/deep"), BOB, 3));
		next_block();
		assert_noop!(detach(), refused(Error::<Test>::ForeignBelow));
		assert_ok!(remove(&BOB, "/a/299/deep"));
		next_block();
		let before = ObjectTree::api_object(id("/a")).unwrap().state_root;
		assert_eq!(detach(), Ok(before));
	});
}

fn foreign(path: &str) -> u32 {
	Objects::<Test>::get(id(path)).unwrap().foreign
}

#[test]
fn changes_of_owner_are_counted_through_transfers_above_and_below() {
	ExtBuilder::default().build_and_execute(|| {
		for path in ["/a", "/a/b", "/a/b/0", "/a/b/1", "/a/b/2", "/a/b/2/3"] {
			assert_ok!(create(&ALICE, path));
		}
		let transfer = |who, path: &str, to| {
			assert_ok!(ObjectTree::transfer(signed(who), id(path), to, depth(path)));
			ObjectTree::do_try_state().unwrap();
			(foreign("/a"), foreign("/a/b"))
		};
		assert_eq!(transfer(&ALICE, "/a/b/0", BOB), (1, 1));
		// Now 1 and 2 differ from their parent, and 0 does not; the parent differs from its own.
		assert_eq!(transfer(&ALICE, "/a/b", BOB), (3, 2));
		assert_eq!(transfer(&ALICE, "/a/b/2", BOB), (3, 2));
		assert_eq!(transfer(&ALICE, "/a/b/2/3", BOB), (2, 1));
		assert_eq!(transfer(&ALICE, "/a/b/1", BOB), (1, 0));
		assert_eq!(transfer(&ALICE, "/a", BOB), (0, 0));
		next_block();
		let moved = Remotes::hosted_to_remote(&BOB, &id("/a"), &key("b"), location(0));
		assert!(moved.is_ok());
		ObjectTree::do_try_state().unwrap();
		// What went with its own owner comes back below another one.
		assert_eq!(transfer_top(ALICE), 0);
		assert_ok!(Remotes::restore_hosted(&id("/a"), &key("b")));
		assert_eq!(foreign("/a"), 1);
	});
}

fn transfer_top(to: dstp_primitives::AccountId) -> u32 {
	assert_ok!(ObjectTree::transfer(signed(&BOB), id("/a"), to, 1));
	foreign("/a")
}

#[test]
fn object_does_not_move_from_above_what_moved_before() {
	ExtBuilder::default().build_and_execute(|| {
		build_hosted();
		assert_ok!(Remotes::hosted_to_remote(&ALICE, &id("/a"), &key("b"), location(0)));
		next_block();
		assert_noop!(detach(), refused(Error::<Test>::RemoteBelow));
		assert_ok!(Remotes::restore_hosted(&id("/a"), &key("b")));
		assert_noop!(detach(), refused(Error::<Test>::RootPending));
		next_block();
		assert_ok!(detach());
	});
}

#[test]
fn closing_changes_the_status_only() {
	ExtBuilder::default().build_and_execute(|| {
		assert_ok!(create_remote(&ALICE, "/r"));
		let (top, name) = (ObjectId::ROOT, key("r"));
		assert_ok!(Remotes::set_remote(&top, &name, root(2), location(1)));
		assert_ok!(Remotes::close_remote(&top, &name));
		let (now, closed) = Remotes::remote(&top, &name).unwrap();
		assert_eq!((now, closed.seq, closed.status), (root(2), 1, HeadStatus::Closed));
		assert_noop!(Remotes::close_remote(&top, &key("x")), refused(Error::<Test>::NotRemote));
	});
}

/// Fills the room of users' calls.
fn fill_with_calls() {
	let mut number = 0;
	while create(&BOB, &format!("/{number}")).is_ok() {
		number += 1;
	}
}

#[test]
fn users_calls_on_remote_subtrees_take_no_room_from_heads() {
	ExtBuilder::default().build_and_execute(|| {
		build_hosted();
		for path in ["/o/p", "/o/p/q"] {
			assert_ok!(create(&BOB, path));
		}
		for name in ["r", "s", "t"] {
			assert_ok!(create_remote(&BOB, &format!("/o/p/q/{name}")));
		}
		assert_ok!(create(&ALICE, "/a/b/c"));
		next_block();
		assert_ok!(Remotes::hosted_to_remote(&ALICE, &id("/a/b"), &key("c"), location(0)));
		next_block();
		fill_with_calls();
		let full = || refused(Error::<Test>::BlockFull);
		let parent = id("/o/p/q");
		assert_noop!(create_remote(&BOB, "/o/p/q/u"), full());
		assert_noop!(Remotes::close_remote(&parent, &key("r")), full());
		assert_noop!(Remotes::remove_remote(&BOB, &parent, &key("s")), full());
		assert_noop!(Remotes::restore_hosted(&id("/a/b"), &key("c")), full());
		assert_noop!(Remotes::hosted_to_remote(&ALICE, &id("/a"), &key("b"), location(0)), full());
		assert_ok!(Remotes::set_remote(&parent, &key("t"), root(2), location(1)));
	});
}

#[test]
fn heads_take_no_room_from_users_calls() {
	ExtBuilder::default().build_and_execute(|| {
		MaxDirtyObjects::set(30);
		ReservedDirtyObjects::set(20);
		for number in 0..22 {
			assert_ok!(create(&ALICE, &format!("/{number}")));
			next_block();
			assert_ok!(create_remote(&ALICE, &format!("/{number}/r")));
			next_block();
		}
		let commit = |number| {
			Remotes::set_remote(&id(&format!("/{number}")), &key("r"), root(2), location(1))
		};
		let taken = (0..22).filter(|number| commit(*number).is_ok()).count();
		assert_eq!(taken, 19, "one is for the root object");
		assert_noop!(commit(21), refused(Error::<Test>::BlockFull));
		let made = (100..150).filter(|number| create(&BOB, &format!("/{number}")).is_ok()).count();
		assert_eq!((made, Dirty::<Test>::count()), (10, 30));
		next_block();
		assert_ok!(commit(21));
	});
}

#[test]
fn removal_of_what_a_head_marked_keeps_the_limit_of_all() {
	ExtBuilder::default().build_and_execute(|| {
		MaxDirtyObjects::set(22);
		ReservedDirtyObjects::set(11);
		assert_ok!(create(&ALICE, "/a"));
		assert_ok!(create_remote(&ALICE, "/a/r"));
		next_block();
		assert_ok!(Remotes::set_remote(&id("/a"), &key("r"), root(2), location(1)));
		assert_ok!(Remotes::remove_remote(&ALICE, &id("/a"), &key("r")));
		assert_ok!(remove(&ALICE, "/a"));
		fill_with_calls();
		assert!(Dirty::<Test>::count() <= 22);
	});
}

#[test]
fn damaged_kept_tree_waits_with_its_deposits_and_holds_nobody_up() {
	ExtBuilder::default().build_and_execute(|| {
		build_hosted();
		assert_ok!(Remotes::hosted_to_remote(&BOB, &ObjectId::ROOT, &key("o"), location(0)));
		assert_ok!(detach());
		let damaged =
			crate::storage::child_info(&id("/a"), Detached::<Test>::get(id("/a")).unwrap().counter);
		let facts = child::get_raw(&damaged, &META_KEY).unwrap();
		child::kill(&damaged, &META_KEY);
		let paid = held(&ALICE);
		for name in ["a", "o"] {
			assert_ok!(Remotes::drop_hosted(&ObjectId::ROOT, &key(name)));
		}
		ObjectTree::run_deletions(Weight::MAX);
		let reason = refused(Error::<Test>::CorruptState);
		let failed = Event::DropFailed { object: id("/a"), reason };
		assert_eq!(events().iter().filter(|event| **event == failed).count(), 1);
		assert!(events().contains(&Event::DetachedDropped { object: id("/o") }));
		assert!(Dropped::<Test>::contains_key(id("/a")));
		assert!(Detached::<Test>::contains_key(id("/a")));
		assert_eq!(held(&ALICE), paid);
		// What was repaired goes, and the deposits return.
		child::put_raw(&damaged, &META_KEY, &facts);
		ObjectTree::run_deletions(Weight::MAX);
		assert_eq!((Detached::<Test>::count(), held(&ALICE)), (0, PER_OBJECT));
		assert_eq!(Objects::<Test>::get(id("/a/b")), None);
	});
}
