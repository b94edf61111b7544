use super::*;
use crate::Event;
use dstp_primitives::{
	batch::{MAX_BATCH_BYTES, MAX_BATCH_CALLS},
	hub::RemoteObjects,
	object::HeadStatus,
};
use frame_support::{
	assert_ok,
	dispatch::{GetDispatchInfo, Pays},
};
use proptest::prelude::*;

#[test]
fn accepted_head_is_final_in_the_tree() {
	execute(|| {
		let subtree = register("geo", params(0, None));
		System::set_block_number(5);
		let head = Head { hub_last: 5, ..next_head(subtree, 7) };
		let info = submit(&head, signed(&head)).unwrap();
		assert_eq!(info.pays_fee, Pays::No);
		let weight = info.actual_weight.unwrap();
		let declared =
			crate::Call::<Test>::commit_head { head: head.clone(), evidence: signed(&head) };
		let declared = declared.get_dispatch_info().call_weight;
		assert!(weight.ref_time() < declared.ref_time(), "two signatures weigh less than the most");
		let (root, location) = FlatTree::remote(&ObjectId::ROOT, &key("geo")).unwrap();
		assert_eq!(root, head.state_root);
		assert_eq!((location.seq, location.status), (1, HeadStatus::Final));
		let view = SubtreeSecurity::subtree_view(subtree).unwrap();
		assert_eq!(
			(view.committed_at, view.last, view.head),
			(5, Some(head.clone()), head.next_state())
		);
		System::assert_last_event(
			Event::HeadAccepted {
				subtree,
				epoch: 1,
				era: 0,
				seq: 1,
				hash: head.hash(),
				state_root: head.state_root,
				status: HeadStatus::Final,
			}
			.into(),
		);
	});
}

#[test]
fn fee_is_returned_once_per_interval_and_kept_for_refused_heads() {
	execute(|| {
		let subtree = register("geo", params(0, None));
		let fee = |mark| {
			let head = next_head(subtree, mark);
			submit(&head, signed(&head)).unwrap().pays_fee
		};
		assert_eq!((fee(1), fee(2)), (Pays::No, Pays::Yes));
		let last_paying = u64::from(FreeCommitIntervalBlocks::get());
		for block in 2..=last_paying {
			System::set_block_number(block);
			assert_eq!(fee(block as u8), Pays::Yes, "block {block}");
		}
		// Heads that paid do not put the next turn off.
		System::set_block_number(last_paying + 1);
		assert_eq!((fee(30), fee(31)), (Pays::No, Pays::Yes));
		System::set_block_number(last_paying + 2);
		assert_eq!(fee(32), Pays::Yes);
		let head = Head { seq: 99, ..next_head(subtree, 5) };
		let refusal = submit(&head, signed(&head)).unwrap_err();
		assert_eq!(refusal.post_info.pays_fee, Pays::Yes);
	});
}

#[test]
fn head_that_finds_the_block_full_is_put_off_without_a_fee_once_per_interval() {
	execute(|| {
		let subtree = register("geo", params(0, None));
		let head = next_head(subtree, 1);
		let before = Subtrees::<Test>::get(subtree).unwrap();
		Full::set(true);
		let info = submit(&head, signed(&head)).unwrap();
		assert_eq!(info.pays_fee, Pays::No);
		assert!(info.actual_weight.is_some());
		System::assert_last_event(Event::HeadPostponed { subtree, epoch: 1, seq: 1 }.into());
		let after = Subtrees::<Test>::get(subtree).unwrap();
		assert_eq!(after, crate::SubtreeInfo { free_at: Some(1), ..before });
		// Nobody fills blocks with it for nothing.
		let refusal = submit(&head, signed(&head)).unwrap_err();
		let exhausted = sp_runtime::DispatchError::Exhausted;
		assert_eq!((refusal.error, refusal.post_info.pays_fee), (exhausted, Pays::Yes));
		// Nor with a head that would be refused anyway.
		System::set_block_number(6);
		let bad = evidence(0, &head_payload(0, &head), &[(0, 0), (1, 5)]);
		let refusal = submit(&head, bad).unwrap_err();
		assert_eq!(refusal.error, Error::<Test>::BadSignature.into());
		assert_eq!(refusal.post_info.pays_fee, Pays::Yes);
		assert_eq!(submit(&head, signed(&head)).unwrap().pays_fee, Pays::No);
		Full::set(false);
		assert_eq!(submit(&head, signed(&head)).unwrap().pays_fee, Pays::Yes);
		assert_eq!(Subtrees::<Test>::get(subtree).unwrap().head.seq, 1);
	});
}

#[test]
fn replays_are_refused_each_with_its_own_error() {
	execute(|| {
		let subtree = register("geo", params(0, None));
		let other = register("other", params(0, None));
		let first = next_head(subtree, 1);
		// Another chain.
		let elsewhere = Head { genesis: H256([1; 32]), ..first.clone() };
		assert_refused(&elsewhere, Error::WrongChain);
		// Another subtree: the evidence is not for it, and neither is the epoch.
		let moved = Head { subtree: other, ..first.clone() };
		assert_refused_with(&moved, signed(&first), Error::WrongEpoch);
		let moved = Head { epoch: 2, pre_root: next_head(other, 1).pre_root, ..moved };
		assert_refused_with(&moved, signed(&first), Error::BadSignature);
		let nowhere = Head { subtree: ObjectId([8; 32]), ..first.clone() };
		assert_refused(&nowhere, Error::SubtreeNotFound);
		// Another epoch, era, version.
		assert_refused(&Head { epoch: 0, ..first.clone() }, Error::WrongEpoch);
		assert_refused(&Head { epoch: 2, ..first.clone() }, Error::WrongEpoch);
		assert_refused(&Head { era: 1, ..first.clone() }, Error::WrongEra);
		assert_refused(&Head { version: 2, ..first.clone() }, Error::UnknownVersion);
		// The same number again.
		assert_ok!(submit(&first, signed(&first)));
		assert_refused(&first, Error::SeqReplayed);
		assert_refused(&Head { seq: 0, ..first.clone() }, Error::SeqReplayed);
	});
}

#[test]
fn gaps_forks_and_rollbacks_are_refused() {
	execute(|| {
		let subtree = register("geo", params(0, None));
		let first = commit(subtree, 1);
		let fork = Head { state_root: H256([9; 32]), ..first.clone() };
		assert_refused(&fork, Error::HeadForked);
		assert_refused(&first, Error::SeqReplayed);
		let second = commit(subtree, 2);
		// The hub remembers no more than the last one.
		assert_refused(&fork, Error::SeqReplayed);
		let third = next_head(subtree, 3);
		assert_refused(&Head { seq: 4, ..third.clone() }, Error::SeqGap);
		assert_refused(&Head { seq: u64::MAX, ..third.clone() }, Error::SeqGap);
		// A third head that stands on the first, or on a fork of the second.
		assert_refused(&Head { prev: first.hash(), ..third.clone() }, Error::WrongPrev);
		let other_second = Head { state_root: H256([9; 32]), ..second.clone() };
		assert_refused(&Head { prev: other_second.hash(), ..third.clone() }, Error::WrongPrev);
		assert_refused(&Head { prev: H256::zero(), ..third.clone() }, Error::WrongPrev);
		// Back to an older root.
		assert_refused(&Head { pre_root: first.state_root, ..third.clone() }, Error::RolledBack);
		assert_refused(&Head { pre_root: first.pre_root, ..third.clone() }, Error::RolledBack);
		// That of no head.
		assert_refused(&Head { pre_root: H256([9; 32]), ..third.clone() }, Error::WrongPreRoot);
		assert_ok!(submit(&third, signed(&third)));
	});
}

#[test]
fn first_head_extends_the_root_of_the_registration() {
	execute(|| {
		let subtree = register("geo", params(0, None));
		let first = next_head(subtree, 1);
		assert_refused(&Head { pre_root: H256([3; 32]), ..first.clone() }, Error::WrongPreRoot);
		assert_refused(&Head { prev: H256([3; 32]), ..first.clone() }, Error::WrongPrev);
		assert_refused(&Head { seq: 2, ..first.clone() }, Error::SeqGap);
	});
}

#[test]
fn bad_batches_and_hub_blocks_are_refused() {
	execute(|| {
		System::set_block_number(10);
		let subtree = register("geo", params(0, None));
		let head = next_head(subtree, 1);
		assert_refused(&Head { batch_len: 0, ..head.clone() }, Error::BadBatchSize);
		assert_refused(
			&Head { batch_len: MAX_BATCH_CALLS + 1, ..head.clone() },
			Error::BadBatchSize,
		);
		assert_refused(&Head { batch_bytes: 0, ..head.clone() }, Error::BadBatchSize);
		assert_refused(
			&Head { batch_bytes: MAX_BATCH_BYTES + 1, ..head.clone() },
			Error::BadBatchSize,
		);
		assert_refused(&Head { hub_first: 9, ..head.clone() }, Error::BadHubRange);
		assert_refused(&Head { hub_last: 11, ..head.clone() }, Error::BadHubRange);
		System::set_block_number(12);
		assert_refused(&Head { hub_first: 12, hub_last: 11, ..head.clone() }, Error::BadHubRange);
		let head = Head { hub_first: 11, hub_last: 12, ..head };
		assert_ok!(submit(&head, signed(&head)));
	});
}

#[test]
fn wrong_evidence_is_refused() {
	execute(|| {
		let subtree = register("geo", params(0, None));
		let head = next_head(subtree, 1);
		let payload = head_payload(0, &head);
		let refused = |by: &[(u8, u8)], error| {
			assert_refused_with(&head, evidence(0, &payload, by), error);
		};
		refused(&[], Error::TooFewSignatures);
		refused(&[(1, 1)], Error::TooFewSignatures);
		refused(&[(1, 1), (1, 1)], Error::UnsortedSignatures);
		refused(&[(2, 2), (0, 0)], Error::UnsortedSignatures);
		refused(&[(0, 0), (3, 3)], Error::UnknownSigner);
		refused(&[(0, 0), (1, 5)], Error::BadSignature);
		assert_refused_with(&head, evidence(1, &payload, &[(0, 0), (1, 1)]), Error::UnknownSet);
		let whole = signed(&head);
		for end in 0..whole.len() {
			let cut = whole[..end].to_vec().try_into().unwrap();
			assert_refused_with(&head, cut, Error::MalformedEvidence);
		}
		let longer = [&whole[..], &[0]].concat().try_into().unwrap();
		assert_refused_with(&head, longer, Error::MalformedEvidence);
		assert_ok!(submit(&head, whole));
	});
}

#[test]
fn high_s_signature_is_refused() {
	execute(|| {
		let authorities = set(&[2], 1);
		let mode = PoaParams { authorities, min_interval_blocks: 0, max_silence_blocks: None };
		let subtree = register("geo", mode.encode().try_into().unwrap());
		let head = next_head(subtree, 1);
		let Signature::Ecdsa(mut bytes) = sign(2, &head_payload(0, &head)) else {
			panic!("key 2 is ecdsa")
		};
		let order = sp_core::U256::from_big_endian(&[
			0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
			0xff, 0xfe, 0xba, 0xae, 0xdc, 0xe6, 0xaf, 0x48, 0xa0, 0x3b, 0xbf, 0xd2, 0x5e, 0x8c,
			0xd0, 0x36, 0x41, 0x41,
		]);
		let twin = order - sp_core::U256::from_big_endian(&bytes[32..64]);
		bytes[32..64].copy_from_slice(&twin.to_big_endian());
		bytes[64] ^= 1;
		let signatures = vec![(0, Signature::Ecdsa(bytes))].try_into().unwrap();
		let evidence = PoaEvidence { set_id: 0, signatures }.encode().try_into().unwrap();
		assert_refused_with(&head, evidence, Error::BadSignature);
	});
}

#[test]
fn interval_between_heads_is_kept() {
	execute(|| {
		let subtree = register("geo", params(3, None));
		commit(subtree, 1);
		for block in 1..=3 {
			System::set_block_number(block);
			assert_refused(&next_head(subtree, 2), Error::TooEarly);
		}
		System::set_block_number(4);
		commit(subtree, 2);
		assert_refused(&next_head(subtree, 3), Error::TooEarly);
	});
}

#[test]
fn unsigned_and_root_origins_are_refused() {
	execute(|| {
		let subtree = register("geo", params(0, None));
		let head = next_head(subtree, 1);
		for origin in [RuntimeOrigin::none(), RuntimeOrigin::root()] {
			let refusal = SubtreeSecurity::commit_head(origin, head.clone(), signed(&head));
			assert_eq!(refusal.unwrap_err().error, sp_runtime::DispatchError::BadOrigin);
		}
	});
}

proptest! {
	#![proptest_config(ProptestConfig::with_cases(128))]

	/// Bytes of strangers change nothing, and nothing panics.
	#[test]
	fn garbage_is_refused(
		params_bytes in proptest::collection::vec(any::<u8>(), 0..200),
		evidence_bytes in proptest::collection::vec(any::<u8>(), 0..400),
		update in proptest::collection::vec(any::<u8>(), 0..200),
		position in any::<prop::sample::Index>(),
		bit in 0u8..8,
	) {
		execute(|| {
			let subtree = register("geo", params(0, Some(1)));
			let root = storage_root();
			let head = next_head(subtree, 1);
			let evidence_bytes: Evidence = evidence_bytes.try_into().unwrap();
			let update: ModeUpdate = update.try_into().unwrap();
			let bob = || RuntimeOrigin::signed(bob());
			assert!(submit(&head, evidence_bytes.clone()).is_err());
			assert!(SubtreeSecurity::update_mode(bob(), subtree, update.clone(), evidence_bytes).is_err());
			assert!(SubtreeSecurity::replace_authorities(bob(), subtree, update).is_err());
			let mut bytes = head.encode();
			let at = position.index(bytes.len());
			bytes[at] ^= 1 << bit;
			let mutated = <Head as codec::Decode>::decode(&mut &bytes[..]).unwrap();
			assert!(submit(&mutated, signed(&head)).is_err());
			let after = storage_root();
			assert_eq!(root, after);
			let _ = SubtreeSecurity::register(
				bob(),
				ObjectId::ROOT,
				key("fuzz"),
				poa(),
				params_bytes.try_into().unwrap(),
				ObjectType::default(),
				ObjectFlags::default(),
			);
		});
	}
}
