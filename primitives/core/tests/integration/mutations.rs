//! Valid bytes, damaged in every way that a stranger or a disk can damage them, against every decoder of the crate.

use crate::{
	allocation::peak_bytes,
	decoding::{calls, entry, head, signed},
	proofs::{location, queries, world},
	support::*,
};
use codec::{Compact, DecodeAll, Encode};
use dstp_primitives::{
	batch::BatchEntry,
	call::SignedCall,
	digest::GlobalRoot,
	head::{Head, HeadState},
	mailbox::{HubView, Interests, MailboxItem, Outbox, OutboxHead},
	mode::{
		poa::{head_payload, AuthoritySet, PoaEvidence, PoaParams, PoaState},
		start, ModeContext, Modes, Poa, StoredMode,
	},
	object::{HeadStatus, ModeId},
	proof::{prove_range, Proof, Query, RangeProof},
	signature::Signature,
	subtree::{SubtreeStart, SubtreeView},
	AccountId, ChildEntry, Key, Meta, ObjectFlags, ObjectId, ObjectType, Owner, Path, Value,
};
use proptest::{prelude::*, sample::Index};
use sp_core::{ed25519, sr25519, Pair, H256};

/// Reads bytes; gives the encoding of what was read.
type Decoder = fn(&[u8]) -> Option<Vec<u8>>;

fn plain<T: DecodeAll + Encode>(bytes: &[u8]) -> Option<Vec<u8>> {
	T::decode_all(&mut &bytes[..]).ok().map(|value| value.encode())
}

fn item<T: MailboxItem>(bytes: &[u8]) -> Option<Vec<u8>> {
	T::from_bytes(bytes).map(|item| item.to_bytes())
}

const DECODERS: [(&str, Decoder); 21] = [
	("call", |bytes| SignedCall::from_bytes(bytes).ok().map(|call| call.encode())),
	("entry", |bytes| BatchEntry::from_bytes(bytes).ok().map(|entry| entry.encode())),
	("proof", |bytes| Proof::from_bytes(bytes).ok().map(|proof| proof.encode())),
	("range", plain::<RangeProof>),
	("query", plain::<Query>),
	("head", plain::<Head>),
	("digest", |bytes| GlobalRoot::from_digest(bytes).map(|root| root.encode())),
	("facts", |bytes| Meta::from_value(bytes).ok().map(|meta| meta.to_value())),
	("child", |bytes| ChildEntry::from_value(bytes).ok().map(|entry| entry.to_value())),
	("evidence", plain::<PoaEvidence>),
	("parameters", plain::<PoaParams>),
	("state", plain::<PoaState>),
	("authorities", plain::<AuthoritySet>),
	("signature", plain::<Signature>),
	("interests", item::<Interests>),
	("hub view", item::<HubView>),
	("outbox", item::<Outbox>),
	("subtree", plain::<SubtreeView>),
	("path", plain::<Path>),
	("key", plain::<Key>),
	("value", plain::<Value>),
];

/// Valid bytes of every kind.
fn samples() -> Vec<Vec<u8>> {
	let mut samples: Vec<Vec<u8>> = calls().into_iter().map(|call| signed(call).encode()).collect();
	samples.extend(calls().into_iter().map(|call| entry(call).encode()));
	let world = world();
	for query in queries() {
		let (proof, _) = Proof::make(world.global, &world.nodes, query.clone()).unwrap();
		samples.extend([query.encode(), proof.encode()]);
	}
	let (range, _) = prove_range(&world.nodes, world.remote.root, None, 2_000).unwrap();
	let meta = Meta::new(Owner::Account(account(1)), ObjectType::Plain, ObjectFlags::default());
	let child = ChildEntry {
		location: dstp_primitives::Location::Remote(location(3)),
		..ChildEntry::hosted(H256([1; 32]))
	};
	let (context, params, state) = poa();
	samples.extend([
		range.encode(),
		head().encode(),
		GlobalRoot::new(H256([1; 32])).encode(),
		meta.to_value(),
		child.to_value(),
		evidence(&state, &head()).encode(),
		params.encode(),
		state.encode(),
		params.authorities.encode(),
		Interests { subtrees: vec![SUBTREE, ObjectId::ROOT].try_into().unwrap() }.to_bytes(),
		view(&context).to_bytes(),
		outbox(&state).to_bytes(),
		path("/a/b").encode(),
		value([7; 40]).encode(),
	]);
	samples
}

fn signers() -> [sr25519::Pair; 3] {
	[1, 2, 3].map(|seed| sr25519::Pair::from_seed(&[seed; 32]))
}

/// A subtree of three authorities of which two have to sign; one key is of another kind.
fn poa() -> (ModeContext, PoaParams, PoaState) {
	let mut keys: Vec<_> = signers().iter().map(|pair| AccountId::new(pair.public().0)).collect();
	keys[1] = AccountId::new(ed25519::Pair::from_seed(&[2; 32]).public().0);
	let params = PoaParams {
		authorities: AuthoritySet::new(keys, 2).unwrap(),
		min_interval_blocks: 0,
		max_silence_blocks: Some(9),
	};
	let head = head();
	let last = HeadState {
		epoch: head.epoch,
		era: head.era,
		seq: head.seq - 1,
		hash: head.prev,
		state_root: head.pre_root,
		hub_last: head.hub_first,
	};
	let context =
		ModeContext { genesis: head.genesis, subtree: head.subtree, last, now: head.hub_last };
	let state = start::<Poa>(&params.encode(), &context).unwrap();
	(context, params, PoaState::decode_all(&mut &state[..]).unwrap())
}

fn evidence(state: &PoaState, head: &Head) -> PoaEvidence {
	let payload = head_payload(state.set_id, head);
	let ed = ed25519::Pair::from_seed(&[2; 32]).sign(&payload);
	let sr = signers()[2].sign(&payload);
	let signatures = vec![(1, Signature::from(ed)), (2, Signature::from(sr))];
	PoaEvidence { set_id: state.set_id, signatures: signatures.try_into().unwrap() }
}

fn view(context: &ModeContext) -> HubView {
	let subtree = SubtreeView {
		subtree: context.subtree,
		parent: ObjectId::ROOT,
		key: key("geo"),
		owner: account(1),
		start: SubtreeStart::Hosted(H256([3; 32])),
		mode: ModeId::Native(1),
		head: context.last.clone(),
		last: Some(head()),
		status: HeadStatus::Pending { until: 7 },
		committed_at: 5,
		being_hosted: true,
	};
	HubView {
		block_hash: H256([1; 32]),
		parent_hash: H256([2; 32]),
		number: 9,
		global_root: H256([3; 32]),
		subtrees: vec![subtree.clone(), subtree].try_into().unwrap(),
	}
}

fn outbox(state: &PoaState) -> Outbox {
	let one = OutboxHead {
		head: head(),
		evidence: evidence(state, &head()).encode().try_into().unwrap(),
	};
	Outbox { heads: vec![one.clone(), one].try_into().unwrap() }
}

/// One kind of damage: what, where, with what, and where in another valid message.
type Damage = (u8, Index, u8, Index);

fn damages(most: usize) -> impl Strategy<Value = Vec<Damage>> {
	prop::collection::vec(any::<Damage>(), 0..most)
}

/// Flips, cuts, repeats, splices with `other`, and writes lengths that nothing follows.
fn damage(bytes: &mut Vec<u8>, other: &[u8], (kind, at, new, from): Damage) {
	if kind % 10 < 6 {
		return crate::decoding::mutate(bytes, kind % 10, at, new);
	}
	let at = at.index(bytes.len() + 1);
	match kind % 10 {
		6 => {
			bytes.truncate(at);
			bytes.extend(&other[from.index(other.len())..]);
		},
		7 => {
			let piece = &other[from.index(other.len())..];
			bytes.splice(at..at, piece[..piece.len().min(new.into())].to_vec());
		},
		_ => {
			let length = [1 << 6, 1 << 14, 1 << 20, u32::MAX][new as usize % 4];
			let end = (at + 1).min(bytes.len());
			bytes.splice(at..end, Compact(length).encode());
		},
	}
}

/// Most memory for `bytes` of input: a call of 256 tiny fields takes the most, 48 bytes for three of each; decoders take lists in
/// pieces of 16 KiB, a few of which may be nested.
fn allowed_bytes(bytes: usize) -> usize {
	128 * 1024 + 48 * bytes
}

fn check_all(bytes: &[u8]) -> Result<(), TestCaseError> {
	for (name, decoder) in DECODERS {
		let (encoded, peak) = peak_bytes(|| decoder(bytes));
		if let Some(encoded) = encoded {
			prop_assert!(encoded == bytes, "{} reads bytes that it does not write", name);
		}
		prop_assert!(
			peak <= allowed_bytes(bytes.len()),
			"{} takes {} bytes for {}",
			name,
			peak,
			bytes.len()
		);
	}
	Ok(())
}

#[test]
fn every_sample_is_read_by_its_decoder() {
	let samples = samples();
	for (name, decoder) in DECODERS {
		let read = samples.iter().filter(|bytes| decoder(bytes).as_ref() == Some(bytes)).count();
		// A key and a signature are part of others.
		assert!(
			read > 0 || ["key", "signature", "subtree"].contains(&name),
			"no sample of a {name}"
		);
	}
	for bytes in &samples {
		assert!(DECODERS.iter().any(|(_, decoder)| decoder(bytes).is_some()));
		check_all(bytes).unwrap();
	}
}

#[test]
fn damaged_bytes_are_refused_or_mean_what_they_say() {
	let samples = samples();
	let which = 0..samples.len();
	random(
		"mutations",
		20_000,
		1_000_000,
		(which.clone(), which, damages(5)),
		|(one, two, list)| {
			let mut bytes = samples[one].clone();
			for change in list {
				damage(&mut bytes, &samples[two], change);
			}
			check_all(&bytes)
		},
	);
}

#[test]
fn every_place_may_hold_a_length_that_nothing_follows() {
	for bytes in samples() {
		// Large proofs repeat one pattern: the start shows all places of lengths, some of the rest the others.
		let places = (0..bytes.len()).filter(|at| *at < 300 || at % 97 == 0);
		for at in places {
			for length in [1u32 << 20, (1 << 30) - 1, u32::MAX] {
				let bomb = [&bytes[..at], &Compact(length).encode(), &bytes[at + 1..]].concat();
				check_all(&bomb).unwrap();
				check_all(&bomb[..(at + 5).min(bomb.len())]).unwrap();
			}
		}
	}
}

/// Lists in lists in lists, options in options: one byte again and again is the deepest nesting that a decoder can be led into.
#[test]
fn long_runs_of_one_byte_are_refused_cheaply() {
	for byte in 0..=u8::MAX {
		for prefix in [&[][..], &[1], &[1, 0], &[1, 4], &[0; 140], &[4; 9]] {
			let mut bytes = prefix.to_vec();
			bytes.resize(40_000, byte);
			for (name, decoder) in DECODERS {
				let (_, peak) = peak_bytes(|| decoder(&bytes));
				assert!(peak <= allowed_bytes(bytes.len()), "{name} of {byte}: {peak} bytes");
			}
		}
	}
}

#[test]
fn damaged_evidence_authorises_nothing() {
	let (context, params, state) = poa();
	let honest = evidence(&state, &head()).encode();
	let (params, state) = (params.encode(), state.encode());
	let verify = |head: Head, evidence: &[u8]| {
		let stored = StoredMode { params: &params, state: &state };
		<(Poa,)>::verify(&ModeId::Native(1), head, &context, stored, evidence)
	};
	verify(head(), &honest).unwrap();
	let (head_bytes, samples) = (head().encode(), samples());
	let input = (any::<bool>(), 0..samples.len(), damages(4));
	random("evidence", 1_500, 150_000, input, |(on_head, other, list)| {
		let mut bytes = if on_head { head_bytes.clone() } else { honest.clone() };
		for change in list {
			damage(&mut bytes, &samples[other], change);
		}
		if on_head {
			if let Ok(head) = Head::decode_all(&mut &bytes[..]) {
				prop_assert_eq!(verify(head, &honest).is_ok(), bytes == head_bytes);
			}
		} else {
			prop_assert_eq!(verify(head(), &bytes).is_ok(), bytes == honest);
		}
		Ok(())
	});
}
