use super::*;
use crate::Event;
use dstp_primitives::{hub::ContentSize, mode::poa::AuthoritySet};
use frame_support::{assert_noop, assert_ok};

fn rotate(subtree: ObjectId, next: &AuthoritySet, evidence: Evidence) -> DispatchResult {
	let origin = RuntimeOrigin::signed(bob());
	SubtreeSecurity::update_mode(origin, subtree, encode_update(next), evidence)
		.map(drop)
		.map_err(|refusal| refusal.error)
}

fn payload(subtree: ObjectId, next: &AuthoritySet) -> Vec<u8> {
	SubtreeSecurity::poa_rotation_payload(subtree, next).unwrap()
}

fn replace(who: AccountId, subtree: ObjectId, next: &AuthoritySet) -> DispatchResult {
	SubtreeSecurity::replace_authorities(RuntimeOrigin::signed(who), subtree, encode_update(next))
}

#[test]
fn head_of_a_rotated_set_is_refused() {
	execute(|| {
		let subtree = register("geo", params(0, None));
		commit(subtree, 1);
		let stale = next_head(subtree, 2);
		let next = set(&[2, 3, 4], 2);
		assert_ok!(rotate(
			subtree,
			&next,
			evidence(0, &payload(subtree, &next), &[(0, 0), (1, 1)])
		));
		System::assert_last_event(Event::ModeUpdated { subtree, epoch: 1 }.into());
		assert_refused(&stale, Error::RotatedSet);
		// The old keys under the new number.
		let old_keys = evidence(1, &head_payload(1, &stale), &[(0, 0), (2, 2)]);
		assert_refused_with(&stale, old_keys, Error::BadSignature);
		// The new keys over the old payload.
		let old_payload = evidence(1, &head_payload(0, &stale), &[(0, 2), (1, 3)]);
		assert_refused_with(&stale, old_payload, Error::BadSignature);
		assert_ok!(submit(&stale, evidence(1, &head_payload(1, &stale), &[(0, 2), (1, 3)])));
		assert_eq!(SubtreeSecurity::poa(subtree).unwrap().1.authorities, next);
	});
}

#[test]
fn rotation_is_not_replayed() {
	execute(|| {
		let subtree = register("geo", params(0, None));
		let other = register("other", params(0, None));
		let next = set(&[0, 1, 2], 1);
		let signatures = evidence(0, &payload(subtree, &next), &[(0, 0), (1, 1)]);
		assert_noop!(rotate(other, &next, signatures.clone()), Error::<Test>::BadSignature);
		let another = set(&[5], 1);
		assert_noop!(rotate(subtree, &another, signatures.clone()), Error::<Test>::BadSignature);
		assert_ok!(rotate(subtree, &next, signatures.clone()));
		// The same keys are in charge, and still the old signatures are spent.
		assert_noop!(rotate(subtree, &next, signatures), Error::<Test>::RotatedSet);
		// On another chain.
		let signatures = evidence(1, &payload(subtree, &next), &[(0, 0)]);
		frame_system::BlockHash::<Test>::insert(0, H256([1; 32]));
		assert_noop!(rotate(subtree, &next, signatures), Error::<Test>::BadSignature);
	});
}

#[test]
fn rotation_of_another_epoch_is_refused() {
	execute(|| {
		let subtree = register("geo", params(0, None));
		let next = set(&[5], 1);
		let signatures = evidence(0, &payload(subtree, &next), &[(0, 0), (1, 1)]);
		assert_ok!(close(subtree));
		assert_ok!(remove(subtree));
		assert_eq!(register("geo", params(0, None)), subtree);
		assert_noop!(rotate(subtree, &next, signatures), Error::<Test>::BadSignature);
	});
}

#[test]
fn bad_rotations_are_refused() {
	execute(|| {
		let subtree = register("geo", params(0, None));
		let next = set(&[5], 1);
		let signed_by = |by: &[(u8, u8)]| evidence(0, &payload(subtree, &next), by);
		let nowhere = ObjectId([1; 32]);
		assert_noop!(rotate(nowhere, &next, signed_by(&[])), Error::<Test>::SubtreeNotFound);
		assert_noop!(rotate(subtree, &next, signed_by(&[(0, 0)])), Error::<Test>::TooFewSignatures);
		assert_noop!(
			rotate(subtree, &next, signed_by(&[(0, 5), (1, 6)])),
			Error::<Test>::BadSignature
		);
		let empty = AuthoritySet { keys: Default::default(), threshold: 0 };
		let signatures = evidence(0, &payload(subtree, &empty), &[(0, 0), (1, 1)]);
		assert_noop!(rotate(subtree, &empty, signatures), Error::<Test>::NoAuthority);
		let twice = vec![account(1), account(1)].try_into().unwrap();
		let twice = AuthoritySet { keys: twice, threshold: 1 };
		let signatures = evidence(0, &payload(subtree, &twice), &[(0, 0), (1, 1)]);
		assert_noop!(rotate(subtree, &twice, signatures), Error::<Test>::DuplicateAuthority);
		let origin = || RuntimeOrigin::signed(bob());
		let garbage: ModeUpdate = vec![4, 1, 2].try_into().unwrap();
		assert_noop!(
			SubtreeSecurity::update_mode(origin(), subtree, garbage, signed_by(&[(0, 0), (1, 1)])),
			Error::<Test>::MalformedUpdate
		);
	});
}

#[test]
fn owner_replaces_silent_authorities() {
	execute(|| {
		let subtree = register("geo", params(0, Some(10)));
		System::set_block_number(5);
		commit(subtree, 1);
		let next = set(&[7], 1);
		System::set_block_number(15);
		assert_noop!(replace(alice(), subtree, &next), Error::<Test>::NotSilent);
		System::set_block_number(16);
		assert_noop!(replace(bob(), subtree, &next), Error::<Test>::NotSubtreeOwner);
		let stale = next_head(subtree, 2);
		assert_ok!(replace(alice(), subtree, &next));
		System::assert_last_event(Event::AuthoritiesReplaced { subtree, epoch: 1 }.into());
		assert_refused(&stale, Error::RotatedSet);
		assert_ok!(submit(&stale, evidence(1, &head_payload(1, &stale), &[(0, 7)])));
		assert_noop!(replace(alice(), subtree, &set(&[8], 1)), Error::<Test>::NotSilent);
	});
}

#[test]
fn rotation_is_a_sign_of_life() {
	execute(|| {
		let subtree = register("geo", params(0, Some(10)));
		System::set_block_number(11);
		let same = set(&[0, 1, 2], 2);
		assert_ok!(rotate(
			subtree,
			&same,
			evidence(0, &payload(subtree, &same), &[(0, 0), (1, 1)])
		));
		System::set_block_number(21);
		assert_noop!(replace(alice(), subtree, &same), Error::<Test>::NotSilent);
		System::set_block_number(22);
		assert_ok!(replace(alice(), subtree, &same));
	});
}

#[test]
fn time_in_which_the_owner_lets_no_heads_in_is_no_silence() {
	execute(|| {
		let subtree = register("geo", params(0, Some(10)));
		let owner = || RuntimeOrigin::signed(alice());
		let size = ContentSize { objects: 1, bytes: 0 };
		let next = set(&[7], 1);
		for start in [2, 100] {
			System::set_block_number(start);
			assert_ok!(SubtreeSecurity::start_hosting(owner(), subtree, size));
			System::set_block_number(start + 50);
			assert_noop!(replace(alice(), subtree, &next), Error::<Test>::BeingHosted);
			assert_ok!(SubtreeSecurity::cancel_hosting(owner(), subtree));
			for block in [start + 50, start + 60] {
				System::set_block_number(block);
				assert_noop!(replace(alice(), subtree, &next), Error::<Test>::NotSilent);
			}
		}
		System::set_block_number(161);
		assert_ok!(replace(alice(), subtree, &next));
	});
}

#[test]
fn authorities_rotate_while_the_content_is_taken_back() {
	execute(|| {
		let subtree = register("geo", params(0, Some(10)));
		let size = ContentSize { objects: 1, bytes: 0 };
		assert_ok!(SubtreeSecurity::start_hosting(RuntimeOrigin::signed(alice()), subtree, size));
		let next = set(&[2, 3, 4], 2);
		assert_ok!(rotate(
			subtree,
			&next,
			evidence(0, &payload(subtree, &next), &[(0, 0), (1, 1)])
		));
	});
}

#[test]
fn owner_cannot_replace_where_no_silence_was_agreed() {
	execute(|| {
		let subtree = register("geo", params(0, None));
		System::set_block_number(1_000_000);
		let next = set(&[7], 1);
		assert_noop!(replace(alice(), subtree, &next), Error::<Test>::SilenceNotAgreed);
	});
}
