//! PoA through its rules and the suite of all modes.

#![allow(clippy::unwrap_used)]

use super::*;
use crate::{
	head::{Head, HeadState, HEAD_VERSION},
	id::{AccountId, ObjectId},
	mode::{
		conformance::{self, Fixture},
		Accepted, ModeContext, ModeError, SecurityMode,
	},
	object::HeadStatus,
	signature::Signature,
};
use codec::Encode;
use sp_core::{ecdsa, ed25519, sr25519, Pair, H256};
use sp_crypto_hashing::blake2_256;

/// A key of any kind.
#[allow(clippy::large_enum_variant)]
enum Signer {
	Sr25519(sr25519::Pair),
	Ed25519(ed25519::Pair),
	Ecdsa(ecdsa::Pair),
}

impl Signer {
	/// Kinds take turns.
	fn new(number: u8) -> Self {
		let seed = [number + 1; 32];
		match number % 3 {
			0 => Self::Sr25519(sr25519::Pair::from_seed(&seed)),
			1 => Self::Ed25519(ed25519::Pair::from_seed(&seed)),
			_ => Self::Ecdsa(ecdsa::Pair::from_seed(&seed)),
		}
	}

	fn account(&self) -> AccountId {
		match self {
			Self::Sr25519(pair) => pair.public().0.into(),
			Self::Ed25519(pair) => pair.public().0.into(),
			Self::Ecdsa(pair) => blake2_256(&pair.public().0).into(),
		}
	}

	fn sign(&self, message: &[u8]) -> Signature {
		match self {
			Self::Sr25519(pair) => pair.sign(message).into(),
			Self::Ed25519(pair) => pair.sign(message).into(),
			Self::Ecdsa(pair) => pair.sign(message).into(),
		}
	}
}

fn signers(numbers: impl IntoIterator<Item = u8>) -> Vec<Signer> {
	numbers.into_iter().map(Signer::new).collect()
}

fn set(numbers: impl IntoIterator<Item = u8>, threshold: u8) -> AuthoritySet {
	let keys = signers(numbers).iter().map(Signer::account).collect();
	AuthoritySet::new(keys, threshold).unwrap()
}

/// Signs with the named keys at the named indices.
fn sign(set_id: u64, payload: &[u8], by: &[(u8, u8)]) -> PoaEvidence {
	let signatures: Vec<_> =
		by.iter().map(|(index, signer)| (*index, Signer::new(*signer).sign(payload))).collect();
	PoaEvidence { set_id, signatures: signatures.try_into().unwrap() }
}

fn context(now: u32) -> ModeContext {
	ModeContext {
		genesis: H256([9; 32]),
		subtree: ObjectId([5; 32]),
		last: HeadState {
			epoch: 7,
			era: 0,
			seq: 0,
			hash: H256::zero(),
			state_root: H256([1; 32]),
			hub_last: 100,
		},
		now,
	}
}

fn head() -> Head {
	Head {
		version: HEAD_VERSION,
		genesis: H256([9; 32]),
		subtree: ObjectId([5; 32]),
		epoch: 7,
		era: 0,
		seq: 1,
		prev: H256::zero(),
		pre_root: H256([1; 32]),
		state_root: H256([2; 32]),
		batch_root: H256([3; 32]),
		batch_len: 4,
		batch_bytes: 500,
		hub_first: 100,
		hub_last: 100,
	}
}

fn params(min_interval_blocks: u32, max_silence_blocks: Option<u32>) -> PoaParams {
	PoaParams { authorities: set(0..3, 2), min_interval_blocks, max_silence_blocks }
}

fn state() -> PoaState {
	Poa::start(&params(0, None), &context(100)).unwrap()
}

fn verify(by: &[(u8, u8)]) -> Result<Accepted<PoaState>, ModeError> {
	let evidence = sign(0, &head_payload(0, &head()), by);
	Poa::verify(&head(), &context(100), &params(0, None), state(), &evidence)
}

struct Honest;

impl Fixture for Honest {
	type Mode = Poa;

	fn params(&self) -> PoaParams {
		params(2, Some(10))
	}

	fn evidence(&self, head: &Head, _: &ModeContext, state: &PoaState) -> PoaEvidence {
		sign_as(state, &head_payload(state.set_id, head))
	}

	fn update(
		&self,
		context: &ModeContext,
		state: &PoaState,
	) -> Option<(AuthoritySet, PoaEvidence)> {
		let next = set(3..8, 3);
		let evidence = sign_as(state, &rotation_payload(context, state.set_id, &next));
		Some((next, evidence))
	}

	fn replacement(&self, _: &ModeContext, _: &PoaState) -> Option<(AuthoritySet, u32)> {
		Some((set(3..8, 3), 11))
	}

	fn interval_blocks(&self) -> u32 {
		2
	}
}

/// Signs as all members of the present set.
fn sign_as(state: &PoaState, payload: &[u8]) -> PoaEvidence {
	let known = signers(0..20);
	let by = (0u8..).zip(&state.authorities.keys).map(|(index, key)| {
		let signer = known.iter().find(|signer| signer.account() == *key).unwrap();
		(index, signer.sign(payload))
	});
	PoaEvidence { set_id: state.set_id, signatures: by.collect::<Vec<_>>().try_into().unwrap() }
}

#[test]
fn poa_conforms() {
	conformance::check(&Honest);
}

#[test]
fn threshold_of_valid_signatures_is_enough() {
	for by in [&[(0, 0), (1, 1)][..], &[(1, 1), (2, 2)], &[(0, 0), (1, 1), (2, 2)]] {
		let accepted = verify(by).unwrap();
		assert_eq!(accepted.status, HeadStatus::Final);
		assert_eq!(accepted.signature_checks, by.len() as u32);
		assert_eq!(accepted.state.last_head_block, Some(100));
	}
}

#[test]
fn wrong_signatures_are_refused() {
	assert_eq!(verify(&[]).unwrap_err(), ModeError::TooFewSignatures);
	assert_eq!(verify(&[(1, 1)]).unwrap_err(), ModeError::TooFewSignatures);
	assert_eq!(verify(&[(1, 1), (1, 1)]).unwrap_err(), ModeError::UnsortedSignatures);
	assert_eq!(verify(&[(1, 1), (0, 0)]).unwrap_err(), ModeError::UnsortedSignatures);
	assert_eq!(verify(&[(0, 0), (3, 3)]).unwrap_err(), ModeError::UnknownSigner);
	assert_eq!(verify(&[(0, 0), (255, 1)]).unwrap_err(), ModeError::UnknownSigner);
	// A stranger, and a member at another member's index.
	assert_eq!(verify(&[(0, 0), (1, 9)]).unwrap_err(), ModeError::BadSignature);
	assert_eq!(verify(&[(0, 1), (1, 0)]).unwrap_err(), ModeError::BadSignature);
	// One signature too many, and it does not hold.
	assert_eq!(verify(&[(0, 0), (1, 1), (2, 9)]).unwrap_err(), ModeError::BadSignature);
}

#[test]
fn high_s_twin_of_an_ecdsa_signature_is_refused() {
	const ORDER: [u8; 32] = [
		0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
		0xfe, 0xba, 0xae, 0xdc, 0xe6, 0xaf, 0x48, 0xa0, 0x3b, 0xbf, 0xd2, 0x5e, 0x8c, 0xd0, 0x36,
		0x41, 0x41,
	];
	let payload = head_payload(0, &head());
	let mut evidence = sign(0, &payload, &[(0, 0), (2, 2)]);
	let Signature::Ecdsa(bytes) = &mut evidence.signatures[1].1 else { panic!("key 2 is ecdsa") };
	let mut borrow = 0i16;
	for position in (0..32).rev() {
		let digit = i16::from(ORDER[position]) - i16::from(bytes[32 + position]) - borrow;
		borrow = i16::from(digit < 0);
		bytes[32 + position] = digit.rem_euclid(256) as u8;
	}
	bytes[64] ^= 1;
	// The library itself takes the twin for a signature of the same key.
	let twin = ecdsa::Signature::from_raw(*bytes);
	let Signer::Ecdsa(pair) = Signer::new(2) else { panic!("key 2 is ecdsa") };
	assert_eq!(twin.recover(&payload), Some(pair.public()));
	let answer = Poa::verify(&head(), &context(100), &params(0, None), state(), &evidence);
	assert_eq!(answer, Err(ModeError::BadSignature));
}

#[test]
fn wallet_wrapping_is_for_rotations_only() {
	let wrap = |payload: Vec<u8>| [b"<Bytes>", &payload[..], b"</Bytes>"].concat();
	let next = set(3..5, 1);
	let payload = wrap(rotation_payload(&context(100), 0, &next));
	let evidence = sign(0, &payload, &[(0, 0), (1, 1)]);
	let changed = Poa::update(next, &context(100), &params(0, None), state(), &evidence).unwrap();
	assert_eq!(changed.signature_checks, 4);
	let evidence = sign(0, &wrap(head_payload(0, &head())), &[(0, 0), (1, 1)]);
	let answer = Poa::verify(&head(), &context(100), &params(0, None), state(), &evidence);
	assert_eq!(answer, Err(ModeError::BadSignature));
}

#[test]
fn rotated_and_future_sets_are_refused() {
	let next = set(2..6, 2);
	let evidence = sign(0, &rotation_payload(&context(100), 0, &next), &[(0, 0), (2, 2)]);
	let rotated =
		Poa::update(next.clone(), &context(101), &params(0, None), state(), &evidence).unwrap();
	assert_eq!(rotated.state.set_id, 1);
	assert_eq!(rotated.state.authorities, next);
	assert_eq!(rotated.state.active_block, 101);
	let ask = |evidence| {
		Poa::verify(&head(), &context(101), &params(0, None), rotated.state.clone(), &evidence)
			.map(drop)
	};
	// Key 2 is in both sets, and still its old signature does not count.
	let old = head_payload(0, &head());
	assert_eq!(ask(sign(0, &old, &[(0, 0), (2, 2)])), Err(ModeError::RotatedSet));
	assert_eq!(ask(sign(1, &old, &[(0, 2), (1, 3)])), Err(ModeError::BadSignature));
	assert_eq!(ask(sign(2, &old, &[(0, 2), (1, 3)])), Err(ModeError::UnknownSet));
	assert_eq!(ask(sign(1, &head_payload(1, &head()), &[(0, 2), (1, 3)])), Ok(()));
}

#[test]
fn bad_sets_and_intervals_are_refused() {
	let start = |keys: Vec<AccountId>, threshold, min_interval_blocks, max_silence_blocks| {
		let authorities = AuthoritySet { keys: keys.try_into().unwrap(), threshold };
		let params = PoaParams { authorities, min_interval_blocks, max_silence_blocks };
		Poa::start(&params, &context(0)).map(drop)
	};
	let account = |number| Signer::new(number).account();
	let many: Vec<_> = (0..17).map(account).collect();
	assert_eq!(AuthoritySet::new(many.clone(), 1), Err(ModeError::NoAuthority));
	assert_eq!(start(many[..16].to_vec(), 16, 0, None), Ok(()));
	assert_eq!(start(many[..16].to_vec(), 17, 0, None), Err(ModeError::BadThreshold));
	assert_eq!(start(many[..2].to_vec(), 0, 0, None), Err(ModeError::BadThreshold));
	assert_eq!(start(vec![], 0, 0, None), Err(ModeError::NoAuthority));
	assert_eq!(start(vec![[0; 32].into()], 1, 0, None), Err(ModeError::NoAuthority));
	let twice = vec![account(0), account(1), account(0)];
	assert_eq!(start(twice, 2, 0, None), Err(ModeError::DuplicateAuthority));
	assert_eq!(start(vec![account(0)], 1, 5, Some(5)), Err(ModeError::BadInterval));
	assert_eq!(start(vec![account(0)], 1, 5, Some(6)), Ok(()));
	assert_eq!(start(vec![account(0)], 1, 0, Some(0)), Err(ModeError::BadInterval));
}

#[test]
fn interval_counts_from_the_last_head() {
	let first = verify(&[(0, 0), (1, 1)]).unwrap().state;
	let evidence = sign(0, &head_payload(0, &head()), &[(0, 0), (1, 1)]);
	let at = |now| {
		Poa::verify(&head(), &context(now), &params(3, None), first.clone(), &evidence).map(drop)
	};
	assert_eq!(at(100), Err(ModeError::TooEarly));
	assert_eq!(at(102), Err(ModeError::TooEarly));
	assert_eq!(at(103), Ok(()));
}

#[test]
fn owner_replaces_after_the_silence_only() {
	let at = |now, silence| {
		Poa::replace(set(5..6, 1), &context(now), &params(0, silence), state())
			.map(|state| state.set_id)
	};
	assert_eq!(at(1_000_000, None), Err(ModeError::SilenceNotAgreed));
	assert_eq!(at(109, Some(10)), Err(ModeError::NotSilent));
	assert_eq!(at(110, Some(10)), Err(ModeError::NotSilent));
	assert_eq!(at(111, Some(10)), Ok(1));
}

#[test]
fn set_numbers_of_eras_do_not_meet() {
	assert_eq!(first_set_id(0), 0);
	assert_eq!(first_set_id(1), 1 << 32);
	let mut later = context(0);
	later.last.era = 3;
	assert_eq!(Poa::start(&params(0, None), &later).unwrap().set_id, 3 << 32);
}

/// Formats are pinned: a change of these bytes breaks every signer. The file was written by a program of its own, from the
/// description of the formats and Python's hashlib.
#[test]
fn bytes_are_those_of_the_vectors() {
	let hex = |bytes: Vec<u8>| format!("0x{}", hex::encode(bytes));
	let keys = vec![[0x11; 32].into(), [0x22; 32].into()];
	let authorities = AuthoritySet::new(keys, 2).unwrap();
	let signatures = vec![(0, Signature::Sr25519([0xaa; 64])), (4, Signature::Ecdsa([0xbb; 65]))];
	let evidence = PoaEvidence { set_id: 3, signatures: signatures.try_into().unwrap() };
	let params = PoaParams {
		authorities: authorities.clone(),
		min_interval_blocks: 3,
		max_silence_blocks: Some(9),
	};
	let state = PoaState {
		set_id: 3,
		authorities: authorities.clone(),
		last_head_block: Some(50),
		active_block: 60,
	};
	let found = serde_json::json!({
		"authority_set": hex(authorities.encode()),
		"evidence": hex(evidence.encode()),
		"head": hex(head().encode()),
		"head_hash": hex(head().hash().0.to_vec()),
		"head_payload_of_set_2": hex(head_payload(2, &head())),
		"params": hex(params.encode()),
		"rotation_payload_of_set_3": hex(rotation_payload(&context(0), 3, &authorities)),
		"state": hex(state.encode()),
	});
	let pinned = include_str!("../../../vectors/poa.json");
	assert_eq!(found, serde_json::from_str::<serde_json::Value>(pinned).unwrap());
}
