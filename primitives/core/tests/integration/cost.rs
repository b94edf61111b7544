//! What an adversary can make a proof cost, in exact counters.

use crate::support::*;
use dstp_primitives::{
	proof::{PageKind, Proof, Query, TrustedRoot, MAX_PROOF_BYTES, MAX_PROOF_NODES},
	tree::{Actor, NewObject},
	Key, ObjectFlags,
};

fn proof_size(nodes: &CountedNodes, from: TrustedRoot, query: Query) -> (usize, usize) {
	let (proof, _) = Proof::make(from, nodes, query).unwrap();
	let size = (proof.nodes.len(), proof.nodes.iter().map(Vec::len).sum());
	proof.check(from).unwrap();
	size
}

fn ask(fields: Vec<Key>) -> Query {
	Query { fields: fields.try_into().unwrap(), ..Default::default() }
}

fn object_with(flags: ObjectFlags, keys: &[Vec<u8>]) -> (CountedNodes, TrustedRoot) {
	let nodes = CountedNodes::default();
	let mut tree = fresh_as(&nodes, NewObject { flags, ..Default::default() });
	for batch in keys.chunks(256) {
		let fields: Vec<_> = batch
			.iter()
			.map(|bytes| (key(bytes), value(&b"52.5200,13.4050,3769495"[..])))
			.collect();
		tree.set_fields(&Actor::Account(account(1)), &SUBTREE, &fields).unwrap();
	}
	let root = store(&mut tree);
	drop(tree);
	(nodes, TrustedRoot { object: SUBTREE, root })
}

#[test]
fn chosen_neighbours_lengthen_a_proof_only_where_keys_are_raw() {
	let victim = vec![0x55u8; 64];
	let mut keys = vec![victim.clone()];
	for nibble in 0..128usize {
		for other in (0..16u8).filter(|other| *other != 5) {
			let mut neighbour = victim[..=nibble / 2].to_vec();
			let last = &mut neighbour[nibble / 2];
			*last = if nibble % 2 == 0 { other << 4 } else { 0x50 | other };
			// Long enough for a node of its own, so that the branch holds a hash for it.
			neighbour.resize(64, 0);
			keys.push(neighbour);
		}
	}
	keys.sort();
	keys.dedup();
	let (raw, from) = object_with(ObjectFlags::default(), &keys);
	let (_, attacked) = proof_size(&raw, from, ask(vec![key(&victim)]));
	assert!(attacked > 60_000, "{attacked} bytes with raw keys");
	let (safe, from) = object_with(ObjectFlags::hashed_keys(), &keys);
	let (count, bounded) = proof_size(&safe, from, ask(vec![key(&victim)]));
	assert!(count <= 8 && bounded < 3_500, "{count} nodes, {bounded} bytes with hashed keys");
}

#[test]
fn the_largest_page_of_small_values_fits_into_a_proof() {
	let nodes = CountedNodes::default();
	let mut tree = fresh(&nodes);
	for batch in 0..40u32 {
		let hash = |n: u32| sp_crypto_hashing::blake2_256(&(batch * 256 + n).to_le_bytes());
		let fields: Vec<_> =
			(0..256).map(|n| (key(hash(n)), value([&hash(n)[..], &[0; 20]].concat()))).collect();
		tree.set_fields(&Actor::Account(account(1)), &SUBTREE, &fields).unwrap();
	}
	let from = TrustedRoot { object: SUBTREE, root: store(&mut tree) };
	drop(tree);
	let page =
		Query { page: crate::proofs::page(PageKind::Fields, "", None, 1000), ..Default::default() };
	let (count, bytes) = proof_size(&nodes, from, page);
	assert!(
		(2_000..2_600).contains(&count) && bytes < MAX_PROOF_BYTES / 8,
		"{count} nodes, {bytes} bytes"
	);
}

#[test]
fn proofs_among_150_000_entries_stay_small() {
	let keys: Vec<_> = (0..150_000u32)
		.map(|n| sp_crypto_hashing::blake2_128(&n.to_le_bytes())[..12].to_vec())
		.collect();
	let (nodes, from) = object_with(ObjectFlags::default(), &keys);
	let one = |n: usize| proof_size(&nodes, from, ask(vec![key(&keys[n])]));
	let (count, bytes) = (0..50).map(|n| one(n * 2_999)).max_by_key(|size| size.1).unwrap();
	assert!(count <= 10 && bytes < 4_096, "{count} nodes, {bytes} bytes for one field");
	let (_, bytes) = proof_size(&nodes, from, ask(vec![key("absent")]));
	assert!(bytes < 4_096, "{bytes} bytes for an absence");
	let many = (0..256).map(|n| key(&keys[n * 500])).collect();
	let (count, bytes) = proof_size(&nodes, from, ask(many));
	assert!(count < 1_500 && bytes < 512 * 1024, "{count} nodes, {bytes} bytes for 256 fields");
	let page =
		Query { page: crate::proofs::page(PageKind::Fields, "", None, 1000), ..Default::default() };
	let (count, bytes) = proof_size(&nodes, from, page);
	assert!(
		count < MAX_PROOF_NODES / 2 && bytes < MAX_PROOF_BYTES / 8,
		"{count} nodes, {bytes} bytes for a page"
	);
}
