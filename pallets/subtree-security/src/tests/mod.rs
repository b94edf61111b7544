//! Tests of the pallet: one file per call, and what they share.

mod close;
mod commit;
mod genesis;
mod geo;
mod hosting;
mod offchain;
pub(crate) mod real_tree;
mod register;
mod update;
mod views;

use crate::{mock::*, Error, Evidence, ModeParams, ModeUpdate, Subtrees};
use codec::Encode;
use dstp_primitives::{
	head::{Head, HEAD_VERSION},
	mode::{
		poa::{head_payload, AuthoritySet, PoaEvidence, PoaParams},
		Poa, SecurityMode,
	},
	object::ModeId,
	signature::Signature,
	AccountId, Key, ObjectFlags, ObjectId, ObjectType,
};
use frame_support::dispatch::DispatchResultWithPostInfo;
use sp_core::{ecdsa, ed25519, sr25519, Pair, H256};
use sp_runtime::DispatchResult;

/// The mode of all tests.
pub fn poa() -> ModeId {
	ModeId::Native(Poa::ID)
}

pub fn key(text: &str) -> Key {
	Key::try_from(text).unwrap()
}

/// The account of key `number`; kinds of keys take turns.
pub fn account(number: u8) -> AccountId {
	let seed = [number + 1; 32];
	match number % 3 {
		0 => sr25519::Pair::from_seed(&seed).public().0.into(),
		1 => ed25519::Pair::from_seed(&seed).public().0.into(),
		_ => sp_io::hashing::blake2_256(&ecdsa::Pair::from_seed(&seed).public().0).into(),
	}
}

pub fn sign(number: u8, message: &[u8]) -> Signature {
	let seed = [number + 1; 32];
	match number % 3 {
		0 => sr25519::Pair::from_seed(&seed).sign(message).into(),
		1 => ed25519::Pair::from_seed(&seed).sign(message).into(),
		_ => ecdsa::Pair::from_seed(&seed).sign(message).into(),
	}
}

pub fn set(numbers: &[u8], threshold: u8) -> AuthoritySet {
	AuthoritySet::new(numbers.iter().map(|number| account(*number)).collect(), threshold).unwrap()
}

/// Two of the keys 0, 1 and 2.
pub fn params(min_interval_blocks: u32, max_silence_blocks: Option<u32>) -> ModeParams {
	let params =
		PoaParams { authorities: set(&[0, 1, 2], 2), min_interval_blocks, max_silence_blocks };
	params.encode().try_into().unwrap()
}

/// Signatures over `payload`: (index in the set, number of the key).
pub fn evidence(set_id: u64, payload: &[u8], by: &[(u8, u8)]) -> Evidence {
	let signatures: Vec<_> =
		by.iter().map(|(index, number)| (*index, sign(*number, payload))).collect();
	let evidence = PoaEvidence { set_id, signatures: signatures.try_into().unwrap() };
	evidence.encode().try_into().unwrap()
}

/// Registers `/name` for Alice.
pub fn register(name: &str, params: ModeParams) -> ObjectId {
	let (object_type, flags) = (ObjectType::default(), ObjectFlags::default());
	let origin = RuntimeOrigin::signed(alice());
	SubtreeSecurity::register(origin, ObjectId::ROOT, key(name), poa(), params, object_type, flags)
		.unwrap();
	ObjectId::ROOT.child(&key(name))
}

/// An honest next head; `mark` tells roots apart.
pub fn next_head(subtree: ObjectId, mark: u8) -> Head {
	let last = Subtrees::<Test>::get(subtree).unwrap().head;
	Head {
		version: HEAD_VERSION,
		genesis: System::block_hash(0),
		subtree,
		epoch: last.epoch,
		era: last.era,
		seq: last.seq + 1,
		prev: last.hash,
		pre_root: last.state_root,
		state_root: H256([mark; 32]),
		batch_root: H256([mark ^ 0xff; 32]),
		batch_len: 3,
		batch_bytes: 999,
		hub_first: last.hub_last,
		hub_last: last.hub_last,
	}
}

/// Honest evidence of the first set of [`params`].
pub fn signed(head: &Head) -> Evidence {
	evidence(0, &head_payload(0, head), &[(0, 0), (2, 2)])
}

/// Bob submits a head.
pub fn submit(head: &Head, evidence: Evidence) -> DispatchResultWithPostInfo {
	SubtreeSecurity::commit_head(RuntimeOrigin::signed(bob()), head.clone(), evidence)
}

/// Commits an honest head.
pub fn commit(subtree: ObjectId, mark: u8) -> Head {
	let head = next_head(subtree, mark);
	submit(&head, signed(&head)).unwrap();
	head
}

/// Root of the whole state.
pub fn storage_root() -> Vec<u8> {
	sp_io::storage::root(sp_runtime::StateVersion::V1)
}

/// A head with honest signatures is refused with `error`, and nothing changes.
#[track_caller]
pub fn assert_refused(head: &Head, error: Error<Test>) {
	assert_refused_with(head, signed(head), error);
}

/// A head is refused with `error`, and nothing changes.
#[track_caller]
pub fn assert_refused_with(head: &Head, evidence: Evidence, error: Error<Test>) {
	let before = storage_root();
	let refusal = submit(head, evidence).unwrap_err();
	assert_eq!(refusal.error, error.into());
	assert_eq!(storage_root(), before);
}

pub fn encode_update(next: &AuthoritySet) -> ModeUpdate {
	next.encode().try_into().unwrap()
}

pub fn close(subtree: ObjectId) -> DispatchResult {
	SubtreeSecurity::close(RuntimeOrigin::signed(alice()), subtree)
}

pub fn remove(subtree: ObjectId) -> DispatchResult {
	SubtreeSecurity::remove(RuntimeOrigin::signed(alice()), subtree)
}
