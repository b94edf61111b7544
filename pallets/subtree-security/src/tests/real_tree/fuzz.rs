//! Random calls of both pallets, most of them wrong: a refused call changes nothing, and what always holds holds after each.
//!
//! The short form always runs the same calls, because it counts which of them succeed. `DSTP_LONG=1` and `PROPTEST_CASES` ask for
//! more, random ones, which `PROPTEST_RNG_SEED` repeats.

use super::*;
use crate::tests::{encode_update, sign};
use dstp_primitives::{
	hub::ContentSize,
	id::MAX_DEPTH,
	mode::{
		poa::{rotation_payload, PoaEvidence},
		ModeContext,
	},
	object::Meta,
	subtree::SubtreeStart,
	tree::ObjectEntry,
	Owner,
};
use frame_support::traits::{GetCallMetadata, UnfilteredDispatchable};
use pallet_object_tree::StagedObject;
use proptest::{
	prelude::*,
	test_runner::{RngAlgorithm, TestRng, TestRunner},
};
use std::{
	cell::RefCell,
	collections::{BTreeMap, BTreeSet},
};

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
		let second = if damage.is_multiple_of(2) { damage } else { 2 };
		let signatures = vec![(0, sign(0, &payload)), (2, sign(second, &payload))];
		PoaEvidence { set_id: 0, signatures: signatures.try_into().unwrap() }.encode()
	});
	let (update, evidence) = (encode_update(&next), evidence.try_into().unwrap());
	crate::Call::update_mode { subtree, update, evidence }
}

/// Content of a subtree that is taken back: all that a subtree without a head has, or something that no subtree has.
fn stage_call(subtree: ObjectId, damage: u8) -> pallet_object_tree::Call<Hub> {
	let info = Subtrees::<Hub>::get(subtree);
	let begun = pallet_object_tree::Stagings::<Hub>::get(subtree)
		.is_some_and(|staging| staging.current.is_some());
	let object = info.filter(|_| !begun || damage.is_multiple_of(8)).map(|info| {
		let (object_type, flags) = match info.start {
			SubtreeStart::New { object_type, flags } => (object_type, flags),
			SubtreeStart::Hosted(_) => Default::default(),
		};
		let meta = Meta::new(Owner::Account(info.owner), object_type, flags);
		StagedObject { parent: info.parent, key: info.key, meta }
	});
	let entries = match damage % 4 {
		0 => vec![
			ObjectEntry::Field(name(damage), Default::default()),
			ObjectEntry::Child(name(damage), H256([damage; 32])),
		],
		_ => vec![],
	};
	let (entries, complete) = (entries.try_into().unwrap(), !damage.is_multiple_of(4));
	pallet_object_tree::Call::stage { subtree, object, entries, complete }
}

/// Objects of accounts, and who owns each.
fn owned_objects() -> Vec<(ObjectId, AccountId)> {
	let mut known: Vec<_> = pallet_object_tree::Objects::<Hub>::iter_keys()
		.filter_map(|object| match ObjectTree::api_object(object)?.meta?.owner {
			Owner::Account(owner) => Some((object, owner)),
			_ => None,
		})
		.collect();
	known.sort();
	known
}

/// Subtrees, and who owns each; only those whose content is taken back, if there are some and `coming` asks for them.
fn owned_subtrees(coming: bool) -> Vec<(ObjectId, AccountId)> {
	let mut known: Vec<_> =
		Subtrees::<Hub>::iter().map(|(subtree, info)| (subtree, info.owner)).collect();
	let is_coming = |(subtree, _): &(ObjectId, AccountId)| {
		pallet_object_tree::Stagings::<Hub>::contains_key(subtree)
	};
	if coming && known.iter().any(is_coming) {
		known.retain(is_coming);
	}
	known.sort();
	known
}

/// Who calls about what. More often than chance would have it, it is about something that there is, and by its owner.
fn target(raw: Raw) -> (AccountId, ObjectId) {
	let (kind, signer, first, second, _) = raw;
	let known = match kind % 24 {
		4..=12 => owned_objects(),
		13.. => owned_subtrees(kind % 24 > 18),
		_ => vec![],
	};
	if first % 4 == 0 || known.is_empty() {
		return (who(signer), place(first, second));
	}
	let (object, owner) = &known[usize::from(second) % known.len()];
	let owner = if signer % 4 == 0 { who(signer / 4) } else { owner.clone() };
	(owner, *object)
}

fn call((kind, _, _, second, third): Raw, object: ObjectId) -> RuntimeCall {
	use pallet_object_tree::Call as Tree;
	let key = name(third);
	let flags = if third & 0x80 == 0 { ObjectFlags::default() } else { ObjectFlags::hashed_keys() };
	let object_type = ObjectType::default();
	let value = vec![third; usize::from(third)].try_into().unwrap();
	// Often enough, and sometimes too low for what stands there.
	let depth_bound = if third % 8 == 0 { 1 } else { MAX_DEPTH };
	match kind % 24 {
		0..=3 => Tree::create { parent: object, key, object_type, flags, depth_bound }.into(),
		4 => {
			let fields = vec![(key, value)].try_into().unwrap();
			Tree::set_fields { object, fields, depth_bound }.into()
		},
		5 => {
			let keys = vec![key].try_into().unwrap();
			Tree::remove_fields { object, keys, depth_bound }.into()
		},
		6 => Tree::transfer { object, to: who(third), depth_bound }.into(),
		7 => Tree::share { object, depth_bound }.into(),
		8 if third % 4 == 0 => Tree::freeze { object, depth_bound }.into(),
		8 | 9 => Tree::remove { object, depth_bound }.into(),
		10 => Tree::remove_recursive { object }.into(),
		11 => {
			let params =
				if third % 5 == 0 { vec![third].try_into().unwrap() } else { params(0, Some(1)) };
			crate::Call::register { parent: object, key, mode: poa(), params, object_type, flags }
				.into()
		},
		12 => {
			let view = ObjectTree::api_object(object);
			let place = view.and_then(|view| view.parent.zip(view.key));
			let (parent, key) = place.unwrap_or((object, key));
			let params = params(0, Some(1));
			crate::Call::register_hosted { parent, key, mode: poa(), params }.into()
		},
		13 | 14 => head_call(object, second, third).into(),
		15 if third % 2 == 0 => update_call(object, third / 2).into(),
		15 => crate::Call::replace_authorities {
			subtree: object,
			update: encode_update(&set(&[5], 1)),
		}
		.into(),
		16 if third % 2 == 0 => crate::Call::close { subtree: object }.into(),
		16 => crate::Call::restore { subtree: object }.into(),
		17 => crate::Call::remove { subtree: object }.into(),
		18 => {
			let size = ContentSize { objects: 3 - u32::from(third % 4), bytes: 1000 };
			crate::Call::start_hosting { subtree: object, size }.into()
		},
		19 | 20 => stage_call(object, third).into(),
		21 | 22 => crate::Call::finish_hosting { subtree: object }.into(),
		_ => crate::Call::cancel_hosting { subtree: object }.into(),
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
		false => [200, 20_000][usize::from(long)],
	};
	let config = ProptestConfig { cases, failure_persistence: None, ..Default::default() };
	let mut runner = match asked || long {
		true => TestRunner::new(config),
		false => TestRunner::new_with_rng(config, TestRng::deterministic_rng(RngAlgorithm::ChaCha)),
	};
	let applied = RefCell::new(BTreeMap::<String, u32>::new());
	let result = runner.run(&prop::collection::vec(any::<Raw>(), 1..120), |raws| {
		for call in run(raws) {
			*applied.borrow_mut().entry(call).or_default() += 1;
		}
		Ok(())
	});
	result.unwrap();
	// Whoever asks for few random cases may miss some.
	let applied = applied.into_inner();
	assert!(asked || applied.len() == 20, "in so many cases these calls succeed: {applied:?}");
}
