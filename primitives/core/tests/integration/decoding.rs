//! Garbage and bombs against every decoder.

use crate::support::*;
use codec::{DecodeAll, Encode};
use dstp_primitives::{
	batch::{BatchCommitment, BatchEntry, HubPin, MAX_BATCH_BYTES, MAX_BATCH_CALLS},
	call::{Call, CallStatus, SignedCall, MAX_CALL_BYTES},
	digest::GlobalRoot,
	head::Head,
	id::{KeyError, PathError, MAX_PATH_KEYS},
	proof::{Proof, ProofError, RangeProof, MAX_PROOF_BYTES, MAX_PROOF_NODES},
	signature::Signature,
	ChildEntry, Key, Meta, ObjectFlags, Path,
};
use proptest::prelude::*;
use sp_core::H256;

/// Changes, inserts, removes or repeats something.
pub fn mutate(bytes: &mut Vec<u8>, kind: u8, at: prop::sample::Index, new: u8) {
	if bytes.is_empty() {
		return bytes.push(new);
	}
	let at = at.index(bytes.len());
	match kind % 6 {
		0 => bytes[at] = new,
		1 => bytes[at] ^= 1 << (new % 8),
		2 => bytes.insert(at, new),
		3 => drop(bytes.remove(at)),
		4 => bytes.truncate(at),
		_ => {
			let piece = bytes[at..(at + new as usize).min(bytes.len())].to_vec();
			bytes.extend(piece);
		},
	}
}

pub fn signed(call: Call) -> SignedCall {
	SignedCall { payload: payload(&account(1), 3, call), signature: Signature::Sr25519([9; 64]) }
}

pub fn calls() -> Vec<Call> {
	vec![
		create("/a/b", "c"),
		Call::Create {
			parent: path("/"),
			key: key("x"),
			object_type: dstp_primitives::ObjectType::Named(b"city".to_vec().try_into().unwrap()),
			flags: ObjectFlags::hashed_keys(),
		},
		set("/a", &[("x", b"1"), ("y", &[7; 40])]),
		unset("/a", &["x", "y"]),
		Call::Transfer { object: path("/a"), to: account(2) },
		Call::Share { object: path("/a") },
		Call::Freeze { object: path("/a") },
		Call::Remove { object: path("/a") },
		Call::RemoveRecursive { object: path("/a") },
	]
}

pub fn entry(call: Call) -> BatchEntry {
	BatchEntry {
		call: signed(call),
		time_ms: 1_700_000_000_000,
		hub: HubPin { number: 12, global_root: H256::repeat_byte(3) },
		status: CallStatus::Applied,
		gas: 0,
		post_root: H256::repeat_byte(4),
		hub_reads: vec![],
	}
}

pub fn head() -> Head {
	Head {
		version: 1,
		genesis: H256::repeat_byte(1),
		subtree: SUBTREE,
		epoch: 2,
		era: 3,
		seq: 4,
		prev: H256::repeat_byte(5),
		pre_root: H256::repeat_byte(6),
		state_root: H256::repeat_byte(7),
		batch_root: H256::repeat_byte(8),
		batch_len: 9,
		batch_bytes: 10,
		hub_first: 11,
		hub_last: 12,
	}
}

#[test]
fn whatever_decodes_encodes_to_the_same_bytes() {
	let mut seeds: Vec<Vec<u8>> = calls().into_iter().map(|call| signed(call).encode()).collect();
	seeds.extend(calls().into_iter().map(|call| entry(call).encode()));
	seeds.push(head().encode());
	seeds.push(GlobalRoot::new(H256::repeat_byte(1)).encode());
	seeds.push(vec![7; 90]);
	let changes =
		prop::collection::vec((any::<u8>(), any::<prop::sample::Index>(), any::<u8>()), 0..5);
	random("decoding", 3_000, 500_000, (0..seeds.len(), changes), |(which, changes)| {
		let mut bytes = seeds[which].clone();
		for (kind, at, new) in changes {
			mutate(&mut bytes, kind, at, new);
		}
		if let Ok(call) = SignedCall::from_bytes(&bytes) {
			prop_assert_eq!(call.encode(), bytes.clone());
		}
		if let Ok(entry) = BatchEntry::from_bytes(&bytes) {
			prop_assert_eq!(entry.encode(), bytes.clone());
		}
		if let Ok(head) = Head::decode_all(&mut &bytes[..]) {
			prop_assert_eq!(head.encode(), bytes.clone());
		}
		let _ = GlobalRoot::from_digest(&bytes);
		let _ = Meta::from_value(&bytes);
		let _ = ChildEntry::from_value(&bytes);
		let _ = Proof::from_bytes(&bytes);
		let _ = RangeProof::decode_all(&mut &bytes[..]);
		Ok(())
	});
}

#[test]
fn any_text_is_a_path_or_refused_and_paths_survive_text() {
	random("paths", 2_000, 200_000, "[/%a-c0-9 ]{0,40}|\\PC{0,30}", |text| {
		if let Ok(path) = Path::parse(&text) {
			prop_assert_eq!(Path::parse(&path.to_string()), Ok(path));
		}
		Ok(())
	});
	let keys = prop::collection::vec(
		prop::collection::vec(any::<u8>(), 1..=64),
		0..=MAX_PATH_KEYS as usize,
	);
	random("path text", 300, 50_000, keys, |keys| {
		let path = Path::new(keys.iter().map(|bytes| Key::try_from(&bytes[..]).unwrap()).collect())
			.unwrap();
		prop_assert_eq!(Path::parse(&path.to_string()), Ok(path));
		Ok(())
	});
}

#[test]
fn short_hex_empty_keys_and_long_paths_are_refused() {
	for (text, error) in [
		("", PathError::NotAbsolute),
		("a", PathError::NotAbsolute),
		("/a/", PathError::Key(KeyError::Empty)),
		("//", PathError::Key(KeyError::Empty)),
		("/%", PathError::Escape),
		("/%4", PathError::Escape),
		("/%4g", PathError::Escape),
		("/%%41", PathError::Escape),
		("/a%2", PathError::Escape),
	] {
		assert_eq!(Path::parse(text), Err(error), "{text}");
	}
	assert_eq!(Path::parse("/%2F").unwrap().keys(), [key("/")]);
	assert_eq!(Path::parse(&"/a".repeat(33)), Err(PathError::TooDeep));
	assert_eq!(Path::parse(&"/a".repeat(1_000_000)), Err(PathError::TooDeep));
	assert_eq!(
		Path::parse(&format!("/{}", "a".repeat(65))),
		Err(PathError::Key(KeyError::TooLong))
	);
	assert_eq!(Key::new(vec![]), Err(KeyError::Empty));
	assert!(Key::decode_all(&mut &vec![0u8].encode()[..]).is_ok());
	assert!(Key::decode_all(&mut &Vec::<u8>::new().encode()[..]).is_err());
	assert!(Key::decode_all(&mut &vec![0u8; 65].encode()[..]).is_err());
	assert!(Path::decode_all(&mut &vec![vec![1u8]; 33].encode()[..]).is_err());
}

#[test]
fn trailing_bytes_are_refused() {
	for call in calls() {
		let mut bytes = signed(call.clone()).encode();
		assert!(SignedCall::from_bytes(&bytes).is_ok());
		bytes.push(0);
		assert!(SignedCall::from_bytes(&bytes).is_err());
		let mut bytes = entry(call).encode();
		assert!(BatchEntry::from_bytes(&bytes).is_ok());
		bytes.push(0);
		assert!(BatchEntry::from_bytes(&bytes).is_err());
	}
	let mut digest = GlobalRoot::new(H256::zero()).encode();
	assert!(GlobalRoot::from_digest(&digest).is_some());
	digest.push(0);
	assert!(GlobalRoot::from_digest(&digest).is_none());
	let meta = Meta::new(dstp_primitives::Owner::Shared, Default::default(), Default::default());
	let longer = [&meta.to_value()[..], &[0]].concat();
	assert!(Meta::from_value(&longer).is_err());
}

#[test]
fn unknown_versions_and_bits_are_refused() {
	assert!(ObjectFlags::decode_all(&mut &[2u8][..]).is_err());
	let mut entry = ChildEntry::hosted(H256::zero());
	entry.version = 2;
	assert!(ChildEntry::from_value(&entry.to_value()).is_err());
	let mut digest = GlobalRoot::new(H256::zero());
	digest.version = 2;
	assert!(GlobalRoot::from_digest(&digest.encode()).is_none());
	let proof = Proof { version: 2, query: Default::default(), nodes: vec![] };
	assert_eq!(Proof::from_bytes(&proof.encode()), Err(ProofError::Malformed));
}

#[test]
fn bombs_are_refused_by_their_size() {
	// Lists of nothing: each byte would become a list of its own in memory.
	let query = dstp_primitives::proof::Query::default();
	let bomb = Proof { version: 1, query: query.clone(), nodes: vec![vec![]; MAX_PROOF_NODES + 1] };
	assert_eq!(Proof::from_bytes(&bomb.encode()), Err(ProofError::Malformed));
	let bomb = RangeProof { nodes: vec![vec![]; 128 * 1024 + 1] };
	assert!(RangeProof::decode_all(&mut &bomb.encode()[..]).is_err());
	let mut bomb = entry(create("/", "a"));
	bomb.hub_reads = vec![Proof { version: 1, query: query.clone(), nodes: vec![] }; 17];
	assert!(BatchEntry::from_bytes(&bomb.encode()).is_err());
	// A length that is not there.
	let claimed = [&[1u8][..], &query.encode(), &codec::Compact(u32::MAX).encode()].concat();
	assert_eq!(Proof::from_bytes(&claimed), Err(ProofError::Malformed));
	let huge = Proof { version: 1, query, nodes: vec![vec![1; 2 * MAX_PROOF_BYTES]] };
	assert_eq!(Proof::from_bytes(&huge.encode()), Err(ProofError::TooLarge));
	assert!(SignedCall::from_bytes(&vec![0; MAX_CALL_BYTES + 1]).is_err());
	// More fields, or larger values, than a call holds.
	let mut many = signed(set("/", &[("x", b"")])).encode();
	let at = many.windows(2).position(|pair| pair == [0, 4]).unwrap();
	many.splice(at + 1..at + 2, codec::Compact(257u32).encode());
	assert!(SignedCall::from_bytes(&many).is_err());
	assert!(
		dstp_primitives::Value::decode_all(&mut &vec![0u8; 16 * 1024 + 1].encode()[..]).is_err()
	);
}

#[test]
fn batches_have_a_size() {
	let one = entry(create("/", "a"));
	assert_eq!(BatchCommitment::new(&[]).unwrap().len, 0);
	let full = vec![one.clone(); MAX_BATCH_CALLS as usize];
	let commitment = BatchCommitment::new(&full).unwrap();
	assert_eq!(commitment.bytes as usize, one.encode().len() * full.len());
	assert_eq!(BatchCommitment::new(&[full, vec![one]].concat()), None);
	let fields: Vec<_> = (0..15u8).map(|n| (key([n + 1]), value(vec![0; 16 * 1024]))).collect();
	let large = entry(Call::SetFields { object: path("/"), fields: fields.try_into().unwrap() });
	let count = 1 + MAX_BATCH_BYTES as usize / large.encode().len();
	assert_eq!(BatchCommitment::new(&vec![large.clone(); count]), None);
	assert!(BatchCommitment::new(&vec![large; count - 1]).is_some());
}
