//! Range proofs: whole, piece by piece, and forged.

use crate::support::*;
use dstp_primitives::{
	object::tag,
	proof::{check_range, prove_range, RangeError, RangeProof, MAX_RANGE_BYTES},
	trie::{empty_root, Layout, NodeSet},
};
use proptest::prelude::*;
use sp_core::{Blake2Hasher, H256};
use sp_trie::{MemoryDB, TrieDBMutBuilder};
use trie_db::TrieMut;

type Pairs = Vec<(Vec<u8>, Vec<u8>)>;

fn pairs(count: u32) -> Pairs {
	let field = |n: u32| {
		let size = if n.is_multiple_of(5) { 60 + n as usize % 40 } else { n as usize % 25 };
		([&[0][..], &(n * 7919).to_be_bytes()].concat(), vec![tag::FIELD; size + 1])
	};
	let mut pairs: Pairs = (0..count).map(field).collect();
	pairs.sort();
	pairs
}

fn trie(pairs: &Pairs) -> (NodeSet, H256) {
	let mut db = MemoryDB::<Blake2Hasher>::default();
	let mut root = H256::zero();
	let mut trie = TrieDBMutBuilder::<Layout>::new(&mut db, &mut root).build();
	for (key, value) in pairs {
		trie.insert(key, value).unwrap();
	}
	drop(trie);
	let nodes =
		db.drain().into_iter().filter(|(_, (_, count))| *count > 0).map(|(_, (bytes, _))| bytes);
	(NodeSet::from_trusted(nodes), root)
}

#[test]
fn ranges_give_every_entry_once() {
	let pairs = pairs(700);
	let (nodes, root) = trie(&pairs);
	for budget in [0, 1, 100, 5_000, usize::MAX] {
		let (mut got, mut after): (Pairs, _) = (vec![], None);
		loop {
			let (proof, range) = prove_range(&nodes, root, after.as_deref(), budget).unwrap();
			let proof =
				codec::DecodeAll::decode_all(&mut &codec::Encode::encode(&proof)[..]).unwrap();
			let checked = check_range(proof, root, after.as_deref()).unwrap();
			assert!(
				checked.entries.starts_with(&range.entries),
				"the proof covers what the prover listed"
			);
			got.extend(checked.entries);
			after = got.last().map(|(key, _)| key.clone());
			if checked.complete {
				break;
			}
		}
		assert_eq!(got, pairs);
	}
}

#[test]
fn the_end_of_a_trie_is_proven() {
	let pairs = pairs(50);
	let (nodes, root) = trie(&pairs);
	for after in [&pairs[49].0[..], b"\xff", b"\x05"] {
		let (proof, range) = prove_range(&nodes, root, Some(after), 1000).unwrap();
		assert_eq!((range.entries.len(), range.complete), (0, true));
		assert_eq!(check_range(proof, root, Some(after)).unwrap(), range);
	}
	let (proof, range) = prove_range(&NodeSet::default(), empty_root(), None, 1000).unwrap();
	assert_eq!(check_range(proof.clone(), empty_root(), None).unwrap(), range);
	assert_eq!(check_range(proof, root, None), Err(RangeError::BadProof));
	let padded = RangeProof { nodes: vec![vec![0]] };
	assert_eq!(check_range(padded, empty_root(), None), Err(RangeError::BadProof));
}

#[test]
fn an_entry_cannot_be_left_out_or_changed() {
	let pairs = pairs(80);
	let (nodes, root) = trie(&pairs);
	for gone in [0, 40, 79] {
		let mut less = pairs.clone();
		less.remove(gone);
		let (other, wrong) = trie(&less);
		let (proof, _) = prove_range(&other, wrong, None, usize::MAX).unwrap();
		assert_eq!(check_range(proof, root, None), Err(RangeError::BadProof));
	}
	let (honest, _) = prove_range(&nodes, root, None, usize::MAX).unwrap();
	for at in 0..honest.nodes.len() {
		let mut shorter = honest.clone();
		shorter.nodes.remove(at);
		honest_or_refused(&pairs, shorter, root, None);
		let mut swapped = honest.clone();
		swapped.nodes.swap(at, honest.nodes.len() / 2);
		honest_or_refused(&pairs, swapped, root, None);
		let mut changed = honest.clone();
		*changed.nodes[at].last_mut().unwrap() ^= 1;
		honest_or_refused(&pairs, changed, root, None);
		let mut longer = honest.clone();
		longer.nodes.insert(at, honest.nodes[at].clone());
		honest_or_refused(&pairs, longer, root, None);
	}
	let mut truncated = honest.clone();
	truncated.nodes.truncate(honest.nodes.len() / 2);
	honest_or_refused(&pairs, truncated, root, None);
}

/// Whatever is accepted is a contiguous piece of the truth, right after `after`.
fn honest_or_refused(pairs: &Pairs, proof: RangeProof, root: H256, after: Option<&[u8]>) {
	if let Ok(range) = check_range(proof, root, after) {
		let rest: Vec<_> = pairs
			.iter()
			.filter(|(key, _)| after.is_none_or(|after| &key[..] > after))
			.cloned()
			.collect();
		assert!(rest.starts_with(&range.entries));
		assert_eq!(range.complete, rest.len() == range.entries.len());
		assert!(range.complete || !range.entries.is_empty());
	}
}

#[test]
fn superfluous_nodes_are_refused() {
	let pairs = pairs(300);
	let (nodes, root) = trie(&pairs);
	// Nodes for everything, presented as an answer that starts late.
	let (all, _) = prove_range(&nodes, root, None, usize::MAX).unwrap();
	let late = pairs[250].0.clone();
	assert_eq!(check_range(all, root, Some(&late)), Err(RangeError::BadProof));
}

#[test]
fn an_answer_without_entries_is_refused() {
	let pairs = pairs(300);
	let (nodes, root) = trie(&pairs);
	let (late, _) = prove_range(&nodes, root, Some(&pairs[250].0), usize::MAX).unwrap();
	let refused = check_range(late, root, None).unwrap_err();
	assert!(matches!(refused, RangeError::Empty | RangeError::BadProof), "{refused:?}");
}

#[test]
fn untagged_values_are_refused() {
	let (nodes, root) = trie(&vec![(b"\0a".to_vec(), b"untagged".to_vec())]);
	let (proof, _) = prove_range(&nodes, root, None, 1000).unwrap();
	assert_eq!(check_range(proof, root, None), Err(RangeError::UntaggedValue));
}

#[test]
fn a_small_proof_stands_for_a_bounded_number_of_bytes() {
	// One large value under many keys: the leaves are equal, and so are the branches above them.
	let value = vec![tag::FIELD; 16 * 1024];
	let pairs: Pairs =
		(0..4096u32).map(|n| ([&[0][..], &n.to_be_bytes()].concat(), value.clone())).collect();
	let (nodes, root) = trie(&pairs);
	let (mut got, mut after) = (0, None);
	loop {
		let (proof, range) = prove_range(&nodes, root, after.as_deref(), 100_000).unwrap();
		assert!(proof.nodes.iter().map(Vec::len).sum::<usize>() < 100_000);
		let checked = check_range(proof, root, after.as_deref()).unwrap();
		assert!(checked.entries.starts_with(&range.entries));
		assert!(checked.entries.len() <= 1 + MAX_RANGE_BYTES / value.len());
		got += checked.entries.len();
		after = checked.entries.last().map(|(key, _)| key.clone());
		if checked.complete {
			break;
		}
	}
	assert_eq!(got, pairs.len());
}

#[test]
fn the_range_with_most_nodes_per_byte_can_be_checked() {
	// Every branch has two children, every value stands outside its leaf.
	let spread = |n: u32| {
		(0..8)
			.map(|byte| ((n >> (2 * byte + 1) & 1) << 4 | n >> (2 * byte) & 1) as u8)
			.collect::<Vec<u8>>()
	};
	let field = |n: u32| {
		([&[0][..], &spread(n)].concat(), [&[tag::FIELD][..], &n.to_be_bytes(), &[0; 28]].concat())
	};
	let mut pairs: Pairs = (0..1 << 15).map(field).collect();
	pairs.sort();
	let (nodes, root) = trie(&pairs);
	let (mut got, mut after): (Pairs, _) = (vec![], None);
	loop {
		let (proof, range) = prove_range(&nodes, root, after.as_deref(), usize::MAX).unwrap();
		let proof = codec::DecodeAll::decode_all(&mut &codec::Encode::encode(&proof)[..]).unwrap();
		let checked = check_range(proof, root, after.as_deref()).unwrap();
		assert!(checked.entries.starts_with(&range.entries));
		got.extend(checked.entries);
		after = got.last().map(|(key, _)| key.clone());
		if checked.complete {
			break;
		}
	}
	assert_eq!(got, pairs);
}

#[test]
fn mutated_ranges_never_tell_a_lie() {
	let pairs = pairs(200);
	let (nodes, root) = trie(&pairs);
	let changes =
		prop::collection::vec((any::<u8>(), any::<prop::sample::Index>(), any::<u8>()), 1..4);
	random(
		"ranges",
		1_000,
		100_000,
		(0..199usize, 1..3000usize, changes),
		|(start, budget, changes)| {
			let after = (start > 0).then(|| pairs[start].0.clone());
			let (proof, _) = prove_range(&nodes, root, after.as_deref(), budget).unwrap();
			let mut bytes = codec::Encode::encode(&proof);
			for (kind, at, new) in changes {
				crate::decoding::mutate(&mut bytes, kind, at, new);
			}
			let decoded: Result<RangeProof, _> = codec::DecodeAll::decode_all(&mut &bytes[..]);
			if let Ok(proof) = decoded {
				honest_or_refused(&pairs, proof, root, after.as_deref());
			}
			Ok(())
		},
	);
}
