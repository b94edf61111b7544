use super::*;
use crate::Event;
use dstp_primitives::{hub::RemoteObjects, object::HeadStatus};
use frame_support::{assert_noop, assert_ok};

#[test]
fn closed_subtree_is_a_tombstone() {
	execute(|| {
		let subtree = register("geo", params(0, Some(5)));
		let last = commit(subtree, 1);
		let next = next_head(subtree, 2);
		let origin = RuntimeOrigin::signed(bob());
		assert_noop!(SubtreeSecurity::close(origin, subtree), Error::<Test>::NotSubtreeOwner);
		assert_ok!(close(subtree));
		System::assert_last_event(Event::SubtreeClosed { subtree, epoch: 1, seq: 1 }.into());
		assert_refused(&next, Error::SubtreeClosed);
		assert_noop!(close(subtree), Error::<Test>::SubtreeClosed);
		System::set_block_number(100);
		let update = encode_update(&set(&[5], 1));
		assert_noop!(
			SubtreeSecurity::replace_authorities(
				RuntimeOrigin::signed(alice()),
				subtree,
				update.clone()
			),
			Error::<Test>::SubtreeClosed
		);
		assert_noop!(
			SubtreeSecurity::update_mode(
				RuntimeOrigin::signed(bob()),
				subtree,
				update,
				Default::default()
			),
			Error::<Test>::SubtreeClosed
		);
		let view = SubtreeSecurity::subtree_view(subtree).unwrap();
		assert_eq!((view.status, view.last), (HeadStatus::Closed, Some(last.clone())));
		let (root, location) = FlatTree::remote(&ObjectId::ROOT, &key("geo")).unwrap();
		assert_eq!((root, location.status), (last.state_root, HeadStatus::Closed));
	});
}

#[test]
fn only_closed_subtrees_are_removed() {
	execute(|| {
		let subtree = register("geo", params(0, None));
		assert_noop!(remove(subtree), Error::<Test>::SubtreeNotClosed);
		assert_ok!(close(subtree));
		let origin = RuntimeOrigin::signed(bob());
		assert_noop!(SubtreeSecurity::remove(origin, subtree), Error::<Test>::NotSubtreeOwner);
		assert_ok!(remove(subtree));
		System::assert_last_event(Event::SubtreeRemoved { subtree, epoch: 1 }.into());
		assert_noop!(remove(subtree), Error::<Test>::SubtreeNotFound);
		assert_noop!(close(subtree), Error::<Test>::SubtreeNotFound);
		assert_eq!(FlatTree::remote(&ObjectId::ROOT, &key("geo")), None);
		assert_eq!(Balances::free_balance(alice()), ENDOWMENT);
	});
}

#[test]
fn new_registration_refuses_heads_of_the_old_one() {
	execute(|| {
		let subtree = register("geo", params(0, None));
		let old_head = next_head(subtree, 1);
		assert_ok!(close(subtree));
		assert_ok!(remove(subtree));
		assert_refused(&old_head, Error::SubtreeNotFound);
		assert_eq!(register("geo", params(0, None)), subtree);
		assert_refused(&old_head, Error::WrongEpoch);
		// With the new epoch written in, the old signatures do not fit.
		let rewritten = Head { epoch: 2, ..old_head.clone() };
		assert_refused_with(&rewritten, signed(&old_head), Error::BadSignature);
		commit(subtree, 1);
		assert_eq!(SubtreeSecurity::subtree_view(subtree).unwrap().head.epoch, 2);
	});
}

#[test]
fn registered_key_is_taken_until_it_is_removed() {
	execute(|| {
		let subtree = register("geo", params(0, None));
		let again = || {
			SubtreeSecurity::register(
				RuntimeOrigin::signed(bob()),
				ObjectId::ROOT,
				key("geo"),
				poa(),
				params(0, None),
				ObjectType::default(),
				ObjectFlags::default(),
			)
		};
		assert!(again().is_err());
		assert_ok!(close(subtree));
		assert!(again().is_err());
		assert_ok!(remove(subtree));
		assert_ok!(again());
	});
}
