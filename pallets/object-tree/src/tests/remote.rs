use super::mock::*;
use crate::{Detached, Dirty, Error, Event};
use dstp_primitives::{
	hub::RemoteObjects,
	object::{Location, Owner},
	tree::{namespace_root, NewObject},
	ObjectId,
};
use frame_support::{assert_noop, assert_ok, weights::Weight};

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
		assert_eq!(System::block_weight().total(), before + ObjectTree::roots_weight(1, 1));
	});
}

/// `/a` with a child, fields in both, whose roots are computed.
fn build_hosted() {
	assert_ok!(create(&ALICE, "/a"));
	assert_ok!(create(&BOB, "/o"));
	assert_ok!(create(&ALICE, "/a/b"));
	assert_ok!(set(&ALICE, "/a", &[("k", b"v")]));
	assert_ok!(set(&ALICE, "/a/b", &[("k", &[1; 1000])]));
	assert_ok!(ObjectTree::transfer(signed(&ALICE), id("/a/b"), BOB));
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
		assert_eq!(detach(), Ok(before));
		let detached = Event::ObjectDetached { object: id("/a"), state_root: before };
		assert_eq!(events(), vec![detached]);
		assert_eq!(held(&ALICE), paid + PER_OBJECT);
		next_block();
		let view = ObjectTree::api_object(id("/a")).unwrap();
		assert_eq!((view.state_root, view.location), (before, Location::Remote(location(0))));
		assert_eq!(ObjectTree::api_object(id("/a/b")), None);
		assert_eq!(ObjectTree::api_child_trie(id("/a/b")), None);
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
		assert_ok!(set(&BOB, "/a/b", &[("k", b"w")]));
		assert_noop!(detach(), refused(Error::<Test>::RootPending));
		next_block();
		assert_ok!(create_remote(&BOB, "/a/b/r"));
		next_block();
		assert_noop!(detach(), refused(Error::<Test>::RemoteBelow));
		assert_ok!(Remotes::remove_remote(&BOB, &id("/a/b"), &key("r")));
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
		assert_ok!(set(&BOB, "/a/b", &[("k", b"w")]));
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
			assert_ok!(create(&BOB, &path));
			assert_ok!(set(&BOB, &path, &[("k", b"v"), ("l", b"v")]));
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
