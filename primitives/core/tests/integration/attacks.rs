//! Attacks that one guard alone stops. Each first shows what happens without the guard.

use crate::{
	decoding::{entry, signed},
	nodes::{branch, db_of, hashed, inline, leaf, leaf_odd},
	proofs::location,
	support::*,
};
use codec::{DecodeAll, Encode};
use dstp_primitives::{
	batch::{BatchEntry, MAX_BATCH_BYTES},
	call::{Call, SignedCall, MAX_CALL_BYTES},
	head::HeadState,
	mailbox::{Interests, MailboxItem},
	mode::{
		change,
		poa::{rotation_payload, AuthoritySet, PoaEvidence, PoaParams},
		start, ChangeBy, ModeContext, ModeError, Poa, StoredMode,
	},
	object::tag,
	proof::{check_range, RangeError, RangeProof},
	signature::Signature,
	tree::{Actor, TreeError},
	trie::{check_node, Layout, NodeError},
	AccountId,
};
use sp_core::{sr25519, Blake2Hasher, Pair, H256};
use sp_crypto_hashing::blake2_256;
use sp_trie::{decode_compact, encode_compact, MemoryDB, TrieDBBuilder};
use trie_db::Trie;

fn compact(nodes: &[&[u8]], root: H256) -> RangeProof {
	let proof = encode_compact::<Layout, _>(&db_of(nodes), &root).unwrap();
	RangeProof { nodes: proof.encoded_nodes }
}

/// What the trie code makes of a range's nodes.
fn expanded(proof: &RangeProof, root: H256) -> MemoryDB<Blake2Hasher> {
	let mut db = MemoryDB::default();
	let nodes = proof.nodes.iter().map(|node| &node[..]);
	decode_compact::<Layout, _, _>(&mut db, nodes, &root).unwrap();
	db
}

/// The authority of a subtree may commit to any root. A copy that took these nodes would have to store what no tree writes: its
/// next root differs from everybody's, or the removal of a field makes it panic.
#[test]
fn a_range_of_nodes_that_no_tree_writes_is_refused() {
	let in_leaf = leaf(&[0, 0, 6, 1], &[tag::FIELD; 40]);
	let in_child = leaf_odd(0, &[6, 1], &[tag::FIELD; 20]);
	let one_child = branch(&[(0, inline(&in_child))], None);
	let cases = [(in_leaf, NodeError::LargeInlineValue), (one_child, NodeError::DegenerateBranch)];
	for (node, error) in cases {
		let root = H256(blake2_256(&node));
		let proof = compact(&[&node], root);
		let db = expanded(&proof, root);
		let read = TrieDBBuilder::<Layout>::new(&db, &root).build().get(b"\0a").unwrap();
		assert!(read.is_some_and(|value| value[0] == tag::FIELD), "the trie code takes it");
		assert_eq!(check_node(&node), Err(error));
		assert_eq!(check_range(proof, root, None), Err(RangeError::BadProof));
	}
}

/// Without progress in each answer a follower would ask for the same range for ever.
#[test]
fn a_range_that_ends_before_its_first_entry_is_refused() {
	let (one, two) =
		(leaf_odd(0, &[6, 1], &[tag::FIELD; 32]), leaf_odd(0, &[6, 1], &[tag::FIELD; 33]));
	let node = branch(&[(0, hashed(&one)), (1, hashed(&two))], None);
	let root = H256(blake2_256(&node));
	let proof = compact(&[&node], root);
	let db = expanded(&proof, root);
	assert_eq!(db.keys().len(), 1, "the trie code takes the root alone");
	assert_eq!(check_range(proof, root, None), Err(RangeError::Empty));
}

#[test]
fn calls_and_entries_beyond_their_size_are_refused_though_every_part_fits() {
	let fields = |count: u8| {
		let fields: Vec<_> = (0..count).map(|n| (key([n]), value(vec![n; 16 * 1024]))).collect();
		Call::SetFields { object: path("/"), fields: fields.try_into().unwrap() }
	};
	let (fits, large) = (signed(fields(15)).encode(), signed(fields(17)).encode());
	assert!(fits.len() <= MAX_CALL_BYTES && large.len() > MAX_CALL_BYTES);
	assert!(SignedCall::from_bytes(&fits).is_ok());
	assert!(SignedCall::decode_all(&mut &large[..]).is_ok(), "the decoder alone takes it");
	assert!(SignedCall::from_bytes(&large).is_err());
	let large = entry(fields(17)).encode();
	assert!(large.len() <= MAX_BATCH_BYTES as usize);
	assert!(BatchEntry::decode_all(&mut &large[..]).is_ok(), "the decoder alone takes it");
	assert!(BatchEntry::from_bytes(&large).is_err());
}

#[test]
fn an_item_of_the_mailbox_has_a_size() {
	let mut bytes = Interests { subtrees: vec![SUBTREE].try_into().unwrap() }.to_bytes();
	assert!(Interests::from_bytes(&bytes).is_some());
	bytes.resize(64 * 1024 * 1024, 0);
	let (read, peak) = crate::allocation::peak_bytes(|| Interests::from_bytes(&bytes));
	assert!(read.is_none() && peak < 64 * 1024, "{peak} bytes");
}

/// A set that comes back must not find its old rotation valid: whoever kept it would decide who rules.
#[test]
fn a_rotation_is_not_valid_again_when_its_set_returns() {
	let pairs = [1, 2].map(|seed| sr25519::Pair::from_seed(&[seed; 32]));
	let set =
		|pair: &sr25519::Pair| AuthoritySet::new(vec![AccountId::new(pair.public().0)], 1).unwrap();
	let [one, two] = &pairs;
	let params =
		PoaParams { authorities: set(one), min_interval_blocks: 0, max_silence_blocks: None }
			.encode();
	let last = HeadState {
		epoch: 7,
		era: 0,
		seq: 0,
		hash: H256::zero(),
		state_root: H256([1; 32]),
		hub_last: 5,
	};
	let context = ModeContext { genesis: H256([9; 32]), subtree: SUBTREE, last, now: 5 };
	let rotate = |state: &[u8], set_id: u64, next: &AuthoritySet, signature: &Signature| {
		let signatures = vec![(0, signature.clone())].try_into().unwrap();
		let evidence = PoaEvidence { set_id, signatures }.encode();
		let stored = StoredMode { params: &params, state };
		change::<Poa>(&next.encode(), &context, stored, ChangeBy::Evidence(&evidence))
			.map(|updated| updated.state)
	};
	let sign = |by: &sr25519::Pair, set_id: u64, next: &AuthoritySet| {
		Signature::from(by.sign(&rotation_payload(&context, set_id, next)))
	};
	let first = start::<Poa>(&params, &context).unwrap();
	let there = sign(one, 0, &set(two));
	let second = rotate(&first, 0, &set(two), &there).unwrap();
	let back = sign(two, 1, &set(one));
	let third = rotate(&second, 1, &set(one), &back).unwrap();
	// Nothing but the number of the set tells the third state from the first one.
	assert_eq!(rotate(&third, 2, &set(two), &there), Err(ModeError::BadSignature));
	assert_eq!(rotate(&third, 0, &set(two), &there), Err(ModeError::RotatedSet));
	assert!(rotate(&third, 2, &set(two), &sign(one, 2, &set(two))).is_ok());
}

/// A frozen object's set of children is fixed, also where a child's state is on other nodes.
#[test]
fn a_remote_child_of_a_frozen_object_is_not_removed() {
	let nodes = CountedNodes::default();
	let mut tree = fresh(&nodes);
	let actor = Actor::Account(account(1));
	let above = tree.create(&actor, &SUBTREE, &key("a"), Default::default()).unwrap();
	for name in ["geo", "gone"] {
		tree.create_remote(&actor, &above, &key(name), H256([1; 32]), location(3)).unwrap();
	}
	tree.remove_remote(&actor, &above, &key("gone")).unwrap();
	tree.freeze(&actor, &above).unwrap();
	assert_eq!(tree.remove_remote(&actor, &above, &key("geo")), Err(TreeError::Frozen));
	assert!(tree.child(&above, &key("geo")).unwrap().is_some());
}
