use super::*;
use crate::{Event, HoldReason, NextEpoch, RECORD_BYTES};
use codec::MaxEncodedLen;
use dstp_primitives::{
	hub::RemoteObjects,
	mode::poa::PoaState,
	object::{HeadStatus, Owner},
	tree::{namespace_root, NewObject},
};
use frame_support::{assert_noop, assert_ok, traits::fungible::InspectHold, BoundedVec};
use sp_runtime::{DispatchError, TokenError};

fn try_register(
	who: AccountId,
	parent: ObjectId,
	mode: ModeId,
	params: ModeParams,
) -> DispatchResult {
	let (object_type, flags) = (ObjectType::default(), ObjectFlags::default());
	let origin = RuntimeOrigin::signed(who);
	SubtreeSecurity::register(origin, parent, key("geo"), mode, params, object_type, flags)
}

fn held(who: &AccountId) -> u64 {
	Balances::balance_on_hold(&HoldReason::Subtree.into(), who)
}

#[test]
fn registration_starts_from_a_root_that_the_hub_computed() {
	execute(|| {
		let object_type = ObjectType::Named(b"atlas".to_vec().try_into().unwrap());
		let flags = ObjectFlags::hashed_keys();
		assert_ok!(SubtreeSecurity::register(
			RuntimeOrigin::signed(bob()),
			ObjectId::ROOT,
			key("geo"),
			poa(),
			params(1, Some(9)),
			object_type.clone(),
			flags,
		));
		let root = namespace_root(Owner::Account(bob()), NewObject { object_type, flags });
		let (in_tree, location) = FlatTree::remote(&ObjectId::ROOT, &key("geo")).unwrap();
		assert_eq!(in_tree, root);
		assert_eq!((location.epoch, location.era, location.seq), (1, 0, 0));
		assert_eq!((location.mode, location.status), (poa(), HeadStatus::Initial));
		let subtree = ObjectId::ROOT.child(&key("geo"));
		let view = SubtreeSecurity::subtree_view(subtree).unwrap();
		assert_eq!(view.start.root(&view.owner), root);
		assert_eq!((view.committed_at, view.last), (1, None));
		System::assert_last_event(
			Event::SubtreeRegistered {
				subtree,
				parent: ObjectId::ROOT,
				key: key("geo"),
				owner: bob(),
				mode: poa(),
				epoch: 1,
				state_root: root,
			}
			.into(),
		);
	});
}

#[test]
fn deposit_covers_the_record_and_the_largest_state() {
	execute(|| {
		let subtree = register("geo", params(0, None));
		let bytes = params(0, None).len() + PoaState::max_encoded_len() + RECORD_BYTES as usize;
		assert_eq!(held(&alice()), 3 * bytes as u64);
		let record = crate::SubtreeInfo::<u128>::max_encoded_len();
		let modes = ModeParams::max_encoded_len() + crate::ModeState::max_encoded_len();
		assert!(record - modes <= RECORD_BYTES as usize, "{}", record - modes);
		assert_ok!(close(subtree));
		assert_ok!(remove(subtree));
		assert_eq!(held(&alice()), 0);
	});
}

#[test]
fn deposit_without_a_record_is_found() {
	use frame_support::traits::fungible::MutateHold;
	for who in [alice(), bob()] {
		new_test_ext(vec![]).execute_with(|| {
			register("geo", params(0, None));
			assert_ok!(SubtreeSecurity::do_try_state());
			assert_ok!(Balances::hold(&HoldReason::Subtree.into(), &who, 1));
			assert!(SubtreeSecurity::do_try_state().is_err());
		});
	}
}

#[test]
fn a_refused_registration_takes_no_epoch_and_no_deposit() {
	execute(|| {
		let parent = ObjectId([0xaa; 32]);
		assert_noop!(try_register(bob(), parent, poa(), params(0, None)), DispatchError::BadOrigin);
		let contract =
			ModeId::Contract { address: [1; 32], module: b"escrow".to_vec().try_into().unwrap() };
		for mode in [ModeId::Native(0), ModeId::Native(2), contract] {
			assert_noop!(
				try_register(alice(), ObjectId::ROOT, mode, params(0, None)),
				Error::<Test>::UnknownMode
			);
		}
		let poor = AccountId::new([7; 32]);
		assert_noop!(
			try_register(poor, ObjectId::ROOT, poa(), params(0, None)),
			TokenError::FundsUnavailable
		);
		assert_eq!(NextEpoch::<Test>::get(), 1);
		assert_ok!(try_register(alice(), parent, poa(), params(0, None)));
		assert_eq!(NextEpoch::<Test>::get(), 2);
	});
}

#[test]
fn bad_parameters_are_refused() {
	execute(|| {
		let ask = |keys: Vec<AccountId>, threshold, min_interval_blocks, max_silence_blocks| {
			let authorities = AuthoritySet { keys: BoundedVec::truncate_from(keys), threshold };
			let params = PoaParams { authorities, min_interval_blocks, max_silence_blocks };
			let bytes = params.encode().try_into().unwrap();
			try_register(alice(), ObjectId::ROOT, poa(), bytes)
		};
		let twice = vec![account(0), account(0)];
		assert_noop!(ask(twice, 1, 0, None), Error::<Test>::DuplicateAuthority);
		assert_noop!(ask(vec![], 0, 0, None), Error::<Test>::NoAuthority);
		assert_noop!(ask(vec![[0; 32].into()], 1, 0, None), Error::<Test>::NoAuthority);
		assert_noop!(ask(vec![account(0)], 0, 0, None), Error::<Test>::BadThreshold);
		assert_noop!(ask(vec![account(0)], 2, 0, None), Error::<Test>::BadThreshold);
		assert_noop!(ask(vec![account(0)], 1, 4, Some(4)), Error::<Test>::BadInterval);
		let whole = params(0, None);
		for end in 0..whole.len() {
			let cut = whole[..end].to_vec().try_into().unwrap();
			assert_noop!(
				try_register(alice(), ObjectId::ROOT, poa(), cut),
				Error::<Test>::MalformedParams
			);
		}
	});
}

#[test]
fn hosted_object_becomes_a_subtree_with_its_root() {
	execute(|| {
		let root = H256([0x77; 32]);
		FlatTree::host(&alice(), &key("geo"), root);
		let register = |who| {
			let origin = RuntimeOrigin::signed(who);
			let params = params(0, None);
			SubtreeSecurity::register_hosted(origin, ObjectId::ROOT, key("geo"), poa(), params)
		};
		assert_noop!(register(bob()), DispatchError::BadOrigin);
		assert_ok!(register(alice()));
		let subtree = ObjectId::ROOT.child(&key("geo"));
		let view = SubtreeSecurity::subtree_view(subtree).unwrap();
		assert_eq!((view.head.state_root, view.start.root(&alice())), (root, root));
		assert!(FlatTree::keeps(&key("geo")));
		commit(subtree, 1);
		assert!(!FlatTree::keeps(&key("geo")), "after the first head the nodes are given up");
		assert_noop!(restore(alice(), subtree), Error::<Test>::NotRestorable);
	});
}

fn restore(who: AccountId, subtree: ObjectId) -> DispatchResult {
	SubtreeSecurity::restore(RuntimeOrigin::signed(who), subtree)
}

#[test]
fn hosted_object_comes_back_before_the_first_head() {
	execute(|| {
		FlatTree::host(&alice(), &key("geo"), H256([0x77; 32]));
		let origin = RuntimeOrigin::signed(alice());
		let subtree = ObjectId::ROOT.child(&key("geo"));
		let params = params(0, None);
		assert_ok!(SubtreeSecurity::register_hosted(
			origin,
			ObjectId::ROOT,
			key("geo"),
			poa(),
			params.clone()
		));
		let head = next_head(subtree, 1);
		assert_noop!(restore(bob(), subtree), Error::<Test>::NotSubtreeOwner);
		assert_ok!(restore(alice(), subtree));
		System::assert_last_event(Event::SubtreeRestored { subtree, epoch: 1 }.into());
		assert_eq!(held(&alice()), 0);
		assert_refused(&head, Error::SubtreeNotFound);
		assert_noop!(restore(alice(), subtree), Error::<Test>::SubtreeNotFound);
		let other = super::register("other", params);
		assert_noop!(restore(alice(), other), Error::<Test>::NotRestorable);
	});
}
