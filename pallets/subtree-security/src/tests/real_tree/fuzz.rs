//! Random calls of both pallets, most of them wrong: a refused call changes nothing, and what always holds holds after each.
//!
//! The short form always runs the same calls, because it counts which of them succeed. `DSTP_LONG=1` and `PROPTEST_CASES` ask for
//! more, random ones, which `PROPTEST_RNG_SEED` repeats.

use super::*;
use crate::tests::{encode_update, sign};
use dstp_primitives::mode::{
	poa::{rotation_payload, PoaEvidence},
	ModeContext,
};
use frame_support::traits::{GetCallMetadata, UnfilteredDispatchable};
use proptest::{
	prelude::*,
	test_runner::{RngAlgorithm, TestRng, TestRunner},
};
use std::{cell::RefCell, collections::BTreeSet};

/// What to do, who does it, and three numbers that say to what.
type Raw = (u8, u8, u8, u8, u8);

/// Has no money.
const STRANGER: AccountId = AccountId::new([0x57; 32]);

fn who(number: u8) -> AccountId {
	[ALICE, BOB, STRANGER][usize::from(number) % 3].clone()
}

fn name(number: u8) -> Key {
	key(["a", "b", "account", "ab"][usize::from(number) % 4])
}

/// The places that calls speak of: two levels below the three objects of genesis.
fn place(first: u8, second: u8) -> ObjectId {
	let bob = ObjectId::ROOT.child(&key("bob"));
	let above = [ObjectId::ROOT, apps(), bob][usize::from(first) % 3];
	match second % 4 {
		0 => above,
		1 => above.child(&name(second / 4)),
		2 => above.child(&name(second / 4)).child(&name(second / 16)),
		_ => ObjectId([second; 32]),
	}
}

/// A head of a registered subtree, honest or with one field changed, or of none.
fn head_call(subtree: ObjectId, mark: u8, damage: u8) -> crate::Call<Hub> {
	let last = Subtrees::<Hub>::get(subtree).map(|info| info.head);
	let mut head = Head {
		version: HEAD_VERSION,
		genesis: System::block_hash(0),
		subtree,
		epoch: last.as_ref().map_or(1, |last| last.epoch),
		era: last.as_ref().map_or(0, |last| last.era),
		seq: last.as_ref().map_or(1, |last| last.seq + 1),
		prev: last.as_ref().map_or(H256::zero(), |last| last.hash),
		pre_root: last.as_ref().map_or(H256::zero(), |last| last.state_root),
		state_root: H256([mark; 32]),
		batch_root: H256([8; 32]),
		batch_len: 1,
		batch_bytes: 1,
		hub_first: last.as_ref().map_or(0, |last| last.hub_last),
		hub_last: last.as_ref().map_or(0, |last| last.hub_last),
	};
	match damage % 12 {
		0 => head.seq += 1,
		1 => head.prev.0[0] ^= 1,
		2 => head.pre_root.0[0] ^= 1,
		3 => head.epoch += 1,
		4 => head.era += 1,
		5 => head.hub_last = u32::MAX,
		_ => (),
	}
	let signed = if damage % 12 == 6 { 9 } else { 0 };
	let evidence = evidence(0, &head_payload(0, &head), &[(0, signed), (2, 2)]);
	crate::Call::commit_head { head, evidence }
}

/// Another set of authorities, signed by the first one, or garbage.
fn update_call(subtree: ObjectId, damage: u8) -> crate::Call<Hub> {
	let next = set(&[3, 4], 1 + damage % 2);
	let last = Subtrees::<Hub>::get(subtree).map(|info| info.head);
	let evidence = last.map_or_else(Vec::new, |last| {
		let context = ModeContext { genesis: System::block_hash(0), subtree, last, now: 0 };
		let payload = rotation_payload(&context, 0, &next);
		let signatures = vec![(0, sign(0, &payload)), (2, sign(damage, &payload))];
		PoaEvidence { set_id: 0, signatures: signatures.try_into().unwrap() }.encode()
	});
	let (update, evidence) = (encode_update(&next), evidence.try_into().unwrap());
	crate::Call::update_mode { subtree, update, evidence }
}

/// Where a call about a subtree is about one that there is, and by its owner, more often than chance would have it.
fn target(raw: Raw) -> (AccountId, ObjectId) {
	let (kind, signer, first, second, _) = raw;
	let mut known: Vec<_> = Subtrees::<Hub>::iter().collect();
	known.sort_by_key(|(subtree, _)| *subtree);
	if kind % 18 < 13 || first % 4 == 0 || known.is_empty() {
		return (who(signer), place(first, second));
	}
	let (subtree, info) = &known[usize::from(second) % known.len()];
	let owner = if signer % 4 == 0 { who(signer / 4) } else { info.owner.clone() };
	(owner, *subtree)
}

fn call((kind, _, _, second, third): Raw, object: ObjectId) -> RuntimeCall {
	use pallet_object_tree::Call as Tree;
	let key = name(third);
	let flags = if third & 0x80 == 0 { ObjectFlags::default() } else { ObjectFlags::hashed_keys() };
	let object_type = ObjectType::default();
	let value = vec![third; usize::from(third)].try_into().unwrap();
	match kind % 18 {
		0..=3 => Tree::create { parent: object, key, object_type, flags }.into(),
		4 => Tree::set_fields { object, fields: vec![(key, value)].try_into().unwrap() }.into(),
		5 => Tree::remove_fields { object, keys: vec![key].try_into().unwrap() }.into(),
		6 => Tree::transfer { object, to: who(third) }.into(),
		7 => Tree::share { object }.into(),
		8 if third % 4 == 0 => Tree::freeze { object }.into(),
		8 | 9 => Tree::remove { object }.into(),
		10 => Tree::remove_recursive { object }.into(),
		11 => {
			let params =
				if third % 5 == 0 { vec![third].try_into().unwrap() } else { params(0, Some(1)) };
			crate::Call::register { parent: object, key, mode: poa(), params, object_type, flags }
				.into()
		},
		12 => crate::Call::register_hosted {
			parent: object,
			key,
			mode: poa(),
			params: params(0, Some(1)),
		}
		.into(),
		13 | 14 => head_call(object, second, third).into(),
		15 if third % 2 == 0 => update_call(object, third / 2).into(),
		15 => crate::Call::replace_authorities {
			subtree: object,
			update: encode_update(&set(&[5], 1)),
		}
		.into(),
		16 if third % 2 == 0 => crate::Call::close { subtree: object }.into(),
		16 => crate::Call::restore { subtree: object }.into(),
		_ => crate::Call::remove { subtree: object }.into(),
	}
}

/// Pallet and name.
fn kind(call: &RuntimeCall) -> String {
	let metadata = call.get_call_metadata();
	format!("{}::{}", metadata.pallet_name, metadata.function_name)
}

fn storage_root() -> Vec<u8> {
	sp_io::storage::root(sp_runtime::StateVersion::V1)
}

/// Gives the kinds of calls that were not refused.
fn run(raws: Vec<Raw>) -> BTreeSet<String> {
	let mut applied = BTreeSet::new();
	execute(vec![], || {
		let issued = Balances::total_issuance();
		for raw in raws {
			if raw.0 > 240 {
				next_block();
				continue;
			}
			let (signer, object) = target(raw);
			let (before, call) = (storage_root(), call(raw, object));
			match call.clone().dispatch_bypass_filter(RuntimeOrigin::signed(signer)) {
				Ok(_) => drop(applied.insert(kind(&call))),
				Err(_) => assert_eq!(storage_root(), before, "{call:?} was refused"),
			}
			check_state();
			assert_eq!(Balances::total_issuance(), issued, "{call:?}");
		}
	});
	applied
}

#[test]
fn refused_calls_change_nothing_and_the_state_stays_sound() {
	let asked = std::env::var_os("PROPTEST_CASES").is_some();
	let long = std::env::var("DSTP_LONG").is_ok_and(|value| value == "1");
	let cases = match asked {
		true => ProptestConfig::default().cases,
		false => [60, 20_000][usize::from(long)],
	};
	let config = ProptestConfig { cases, failure_persistence: None, ..Default::default() };
	let mut runner = match asked || long {
		true => TestRunner::new(config),
		false => TestRunner::new_with_rng(config, TestRng::deterministic_rng(RngAlgorithm::ChaCha)),
	};
	let applied = RefCell::new(BTreeSet::new());
	let result = runner.run(&prop::collection::vec(any::<Raw>(), 1..120), |raws| {
		applied.borrow_mut().extend(run(raws));
		Ok(())
	});
	result.unwrap();
	// All 16, but for the rarest.
	let applied = applied.into_inner();
	assert!(applied.len() >= 13, "only these calls succeed: {applied:?}");
}
