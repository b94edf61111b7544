//! Taking the state of a subtree back to the hub.

use super::*;
use crate::Event;
use dstp_primitives::{
	hub::{ContentSize, RemoteObjects},
	object::HeadStatus,
};
use frame_support::{assert_noop, assert_ok};

const SIZE: ContentSize = ContentSize { objects: 1, bytes: 0 };

fn alice_signs() -> RuntimeOrigin {
	RuntimeOrigin::signed(alice())
}

#[test]
fn hosting_begins_ends_and_ends_the_registration() {
	execute(|| {
		let subtree = register("geo", params(0, None));
		let last = commit(subtree, 1);
		let next = next_head(subtree, 2);
		assert_ok!(SubtreeSecurity::start_hosting(alice_signs(), subtree, SIZE));
		System::assert_last_event(Event::HostingStarted { subtree, epoch: 1 }.into());
		assert!(FlatTree::is_being_hosted(&ObjectId::ROOT, &key("geo")));
		assert_ok!(SubtreeSecurity::finish_hosting(alice_signs(), subtree));
		let state_root = last.state_root;
		let hosted = Event::SubtreeHosted { subtree, epoch: 1, seq: 1, state_root };
		System::assert_last_event(hosted.into());
		assert_eq!(Balances::free_balance(alice()), ENDOWMENT);
		assert_eq!(SubtreeSecurity::subtree_view(subtree), None);
		assert_refused(&next, Error::SubtreeNotFound);
		// What was signed for the old registration is worth nothing in a new one.
		assert_eq!(register("geo", params(0, None)), subtree);
		assert_refused(&next, Error::WrongEpoch);
	});
}

#[test]
fn hosting_can_be_cancelled() {
	execute(|| {
		let subtree = register("geo", params(0, None));
		assert_ok!(SubtreeSecurity::start_hosting(alice_signs(), subtree, SIZE));
		let being_hosted = || SubtreeSecurity::subtree_view(subtree).unwrap().being_hosted;
		assert!(being_hosted());
		assert_ok!(SubtreeSecurity::cancel_hosting(alice_signs(), subtree));
		assert!(!being_hosted());
		System::assert_last_event(Event::HostingCancelled { subtree, epoch: 1 }.into());
		assert!(!FlatTree::is_being_hosted(&ObjectId::ROOT, &key("geo")));
		commit(subtree, 1);
	});
}

#[test]
fn bad_calls_are_refused() {
	execute(|| {
		let subtree = register("geo", params(0, None));
		let start = |origin| SubtreeSecurity::start_hosting(origin, subtree, SIZE);
		let finish = |origin| SubtreeSecurity::finish_hosting(origin, subtree);
		let cancel = |origin| SubtreeSecurity::cancel_hosting(origin, subtree);
		let bob_signs = || RuntimeOrigin::signed(bob());
		assert_noop!(start(bob_signs()), Error::<Test>::NotSubtreeOwner);
		assert_noop!(finish(bob_signs()), Error::<Test>::NotSubtreeOwner);
		assert_noop!(cancel(bob_signs()), Error::<Test>::NotSubtreeOwner);
		let none = ObjectId([1; 32]);
		let unknown = SubtreeSecurity::start_hosting(alice_signs(), none, SIZE);
		assert_noop!(unknown, Error::<Test>::SubtreeNotFound);
		// Those of the tree are passed on.
		assert!(finish(alice_signs()).is_err());
		assert!(cancel(alice_signs()).is_err());
		assert_ok!(start(alice_signs()));
		assert!(start(alice_signs()).is_err());
		assert_ok!(cancel(alice_signs()));
		for status in [HeadStatus::Pending { until: 9 }, HeadStatus::Challenged] {
			set_status(subtree, status);
			assert_noop!(start(alice_signs()), Error::<Test>::HeadNotFinal);
		}
		set_status(subtree, HeadStatus::Initial);
		assert_ok!(close(subtree));
		assert_noop!(start(alice_signs()), Error::<Test>::SubtreeClosed);
		assert_noop!(finish(alice_signs()), Error::<Test>::SubtreeClosed);
		assert_noop!(cancel(alice_signs()), Error::<Test>::SubtreeClosed);
	});
}

/// No mode gives these yet.
fn set_status(subtree: ObjectId, status: HeadStatus) {
	Subtrees::<Test>::mutate(subtree, |info| info.as_mut().unwrap().status = status);
}
