//! Heads that do not follow.

use crate::{decoding::head, support::SUBTREE};
use dstp_primitives::head::{Head, HeadError, HeadState};
use sp_core::H256;

fn last() -> HeadState {
	HeadState {
		epoch: 2,
		era: 3,
		seq: 3,
		hash: H256::repeat_byte(5),
		state_root: H256::repeat_byte(6),
		hub_last: 11,
	}
}

fn check(change: impl FnOnce(&mut Head)) -> Result<(), HeadError> {
	let mut head = head();
	change(&mut head);
	head.check_follows(H256::repeat_byte(1), SUBTREE, &last(), 12)
}

#[test]
fn each_way_not_to_follow_has_its_error() {
	assert_eq!(check(|_| ()), Ok(()));
	assert_eq!(check(|head| head.version = 2), Err(HeadError::UnknownVersion));
	assert_eq!(check(|head| head.genesis = H256::zero()), Err(HeadError::WrongChain));
	assert_eq!(check(|head| head.subtree.0[0] ^= 1), Err(HeadError::WrongSubtree));
	for epoch in [1, 3, u64::MAX] {
		assert_eq!(check(|head| head.epoch = epoch), Err(HeadError::WrongEpoch));
	}
	for era in [2, 4] {
		assert_eq!(check(|head| head.era = era), Err(HeadError::WrongEra));
	}
	for seq in [0, 1, 2] {
		assert_eq!(check(|head| head.seq = seq), Err(HeadError::SeqReplayed));
	}
	assert_eq!(check(|head| head.seq = 3), Err(HeadError::HeadForked));
	for seq in [5, u64::MAX] {
		assert_eq!(check(|head| head.seq = seq), Err(HeadError::SeqGap));
	}
	assert_eq!(check(|head| head.prev = H256::zero()), Err(HeadError::WrongPrev));
	assert_eq!(check(|head| head.pre_root = H256::zero()), Err(HeadError::WrongPreRoot));
	for (len, bytes) in [(0, 1), (1, 0), (1025, 1), (1, 1024 * 1024 + 1), (u32::MAX, u32::MAX)] {
		let changed = check(|head| (head.batch_len, head.batch_bytes) = (len, bytes));
		assert_eq!(changed, Err(HeadError::BadBatchSize));
	}
	for (first, last) in [(10, 12), (12, 11), (11, 13), (0, u32::MAX)] {
		let changed = check(|head| (head.hub_first, head.hub_last) = (first, last));
		assert_eq!(changed, Err(HeadError::BadHubRange));
	}
}

#[test]
fn an_accepted_head_is_not_accepted_again() {
	let head = head();
	let next = head.next_state();
	assert_eq!((next.seq, next.hash, next.state_root), (4, head.hash(), head.state_root));
	assert_eq!(head.check_follows(head.genesis, SUBTREE, &next, 12), Err(HeadError::SeqReplayed));
	let mut child = head.clone();
	(child.seq, child.prev, child.pre_root, child.hub_first) =
		(5, head.hash(), head.state_root, 12);
	assert_eq!(child.check_follows(head.genesis, SUBTREE, &next, 12), Ok(()));
	let full = HeadState { seq: u64::MAX, ..last() };
	assert_eq!(child.check_follows(head.genesis, SUBTREE, &full, 12), Err(HeadError::SeqReplayed));
}

#[test]
fn every_field_is_part_of_the_hash() {
	let bytes = codec::Encode::encode(&head());
	for at in 0..bytes.len() {
		let mut changed = bytes.clone();
		changed[at] ^= 1;
		let other: Head = codec::DecodeAll::decode_all(&mut &changed[..]).unwrap();
		assert_ne!(other.hash(), head().hash());
	}
}
