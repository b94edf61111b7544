//! Attacks on trie nodes. Each first shows what happens without the guard.

use crate::support::*;
use dstp_primitives::{
	call::Call,
	object::tag,
	tree::{Storage, StorageError},
	trie::{check_node, Layout, NodeError, NodeSet, NodeSetError},
	ObjectTree, TrieStorage,
};
use hash_db::{HashDB, EMPTY_PREFIX};
use sp_core::{Blake2Hasher, H256};
use sp_crypto_hashing::blake2_256;
use sp_trie::{
	cache::{CacheSize, SharedTrieCache},
	LayoutV0, MemoryDB, TrieConfiguration, TrieDBBuilder, TrieDBMutBuilder,
};
use std::panic::{catch_unwind, AssertUnwindSafe};
use trie_db::{node::Value, ChildReference, NodeCodec, Trie, TrieLayout, TrieMut};

type Codec = <Layout as TrieLayout>::Codec;

pub fn leaf(nibbles: &[u8], value: &[u8]) -> Vec<u8> {
	assert_eq!(nibbles.len() % 2, 0);
	let packed = nibbles.chunks(2).map(|pair| pair[0] << 4 | pair[1]);
	Codec::leaf_node(packed, nibbles.len(), Value::Inline(value))
}

/// A leaf whose key has an odd number of nibbles.
pub fn leaf_odd(first: u8, rest: &[u8], value: &[u8]) -> Vec<u8> {
	let packed = core::iter::once(first).chain(rest.chunks(2).map(|pair| pair[0] << 4 | pair[1]));
	Codec::leaf_node(packed, 1 + rest.len(), Value::Inline(value))
}

pub fn branch(children: &[(usize, ChildReference<H256>)], value: Option<Value>) -> Vec<u8> {
	let mut slots: Vec<Option<ChildReference<H256>>> = vec![None; 16];
	for (slot, child) in children {
		slots[*slot] = Some(*child);
	}
	Codec::branch_node_nibbled(core::iter::empty(), 0, slots.into_iter(), value)
}

pub fn inline(node: &[u8]) -> ChildReference<H256> {
	let mut buffer = H256::zero();
	buffer.as_bytes_mut()[..node.len()].copy_from_slice(node);
	ChildReference::Inline(buffer, node.len())
}

pub fn hashed(node: &[u8]) -> ChildReference<H256> {
	ChildReference::Hash(H256(blake2_256(node)))
}

pub fn db_of(nodes: &[&[u8]]) -> MemoryDB<Blake2Hasher> {
	let mut db = MemoryDB::default();
	for node in nodes {
		HashDB::insert(&mut db, EMPTY_PREFIX, node);
	}
	db
}

/// Runs what is expected to panic without noise on the console.
fn panics(run: impl FnOnce()) -> bool {
	catch_unwind(AssertUnwindSafe(run)).is_err()
}

#[test]
fn an_untagged_value_that_equals_a_node_makes_cached_readers_panic() {
	// What an attacker writes: the exact encoding of a node of somebody's trie. Its hash is that trie's root.
	let node = leaf(&[0, 5, 1, 1], &[1; 30]);
	let victim = H256(blake2_256(&node));
	let mut db = db_of(&[&node]);
	let mut root = H256::zero();
	let mut trie = TrieDBMutBuilder::<Layout>::new(&mut db, &mut root).build();
	trie.insert(b"\0attack", &node).unwrap();
	drop(trie);

	let cache = SharedTrieCache::<Blake2Hasher>::new(CacheSize::new(1 << 20), None);
	let read = |root: H256, key: &[u8]| {
		let local = cache.local_cache_trusted();
		let mut view = local.as_trie_db_cache(root);
		TrieDBBuilder::<Layout>::new(&db, &root).with_cache(&mut view).build().get(key)
	};
	assert_eq!(read(root, b"\0attack").unwrap(), Some(node.clone()));
	assert!(
		panics(|| drop(read(victim, &[0x05, 0x11]))),
		"the cache gives the value where the node is wanted"
	);

	// With the tag, the stored bytes are no node, and their hash is no node's.
	let stored = [&[tag::FIELD], &node[..]].concat();
	assert_eq!(check_node(&stored), Err(NodeError::Malformed));
	assert_ne!(H256(blake2_256(&stored)), victim);
}

#[test]
fn a_tagged_value_is_never_read_as_a_node() {
	let node = leaf(&[0, 5, 1, 1], &[1; 30]);
	let nodes = CountedNodes::default();
	let mut tree = fresh(&nodes);
	assert_eq!(
		run(&mut tree, &account(1), set("/", &[("attack", &node)])),
		dstp_primitives::call::CallStatus::Applied
	);
	let stored = H256(blake2_256(&[&[tag::FIELD], &node[..]].concat()));
	assert!(nodes.counts().contains_key(&stored), "the value stands under its own hash");
	assert!(!nodes.counts().contains_key(&H256(blake2_256(&node))));
	let misled = TrieStorage::new(SUBTREE, stored, &nodes);
	assert!(misled.get(&SUBTREE, &[0x05]).is_err(), "the value is not a node");
}

#[test]
fn no_node_starts_with_a_tag() {
	for first in tag::RANGE {
		for rest in [&[][..], &[0; 40], &[0x80; 40], &[1, 2, 3]] {
			let bytes = [&[first], rest].concat();
			assert!(Codec::decode_plan(&bytes).is_err());
			assert_eq!(check_node(&bytes), Err(NodeError::Malformed));
		}
	}
}

#[test]
fn one_content_has_one_root() {
	let pairs = [(b"\0a".to_vec(), vec![tag::FIELD; 40])];
	let (old, new) = (LayoutV0::<Blake2Hasher>::trie_root(pairs.clone()), Layout::trie_root(pairs));
	assert_ne!(old, new);
	// Without the guard the reader of layout V1 takes the node of layout V0.
	let node = leaf(&[0, 0, 6, 1], &[tag::FIELD; 40]);
	assert_eq!(H256(blake2_256(&node)), old);
	let db = db_of(&[&node]);
	let read = TrieDBBuilder::<Layout>::new(&db, &old).build().get(b"\0a").unwrap();
	assert_eq!(read, Some(vec![tag::FIELD; 40]));
	assert_eq!(check_node(&node), Err(NodeError::LargeInlineValue));
}

#[test]
fn trailing_bytes_after_a_node_are_refused() {
	let mut node = leaf(&[0, 0, 6, 1], &[tag::FIELD; 20]);
	assert_eq!(check_node(&node), Ok(()));
	node.push(0);
	let root = H256(blake2_256(&node));
	let db = db_of(&[&node]);
	let read = TrieDBBuilder::<Layout>::new(&db, &root).build().get(b"\0a").unwrap();
	assert_eq!(read, Some(vec![tag::FIELD; 20]), "the trie code reads on");
	assert_eq!(check_node(&node), Err(NodeError::NotReencodable));
}

#[test]
fn a_branch_with_one_child_makes_removal_panic() {
	// One child and no value: below nibble 0 a leaf for 0, 6, 1.
	let child = leaf_odd(0, &[6, 1], &[tag::FIELD; 20]);
	let node = branch(&[(0, inline(&child))], None);
	let root = H256(blake2_256(&node));
	let read = TrieDBBuilder::<Layout>::new(&db_of(&[&node]), &root).build().get(b"\0a").unwrap();
	assert_eq!(read, Some(vec![tag::FIELD; 20]), "the trie code reads it");
	let removal = || {
		let (mut at, mut db) = (root, db_of(&[&node]));
		let mut trie = TrieDBMutBuilder::<Layout>::from_existing(&mut db, &mut at)
			.disable_commit_on_drop()
			.build();
		trie.remove(b"\0a").map(drop).ok();
	};
	assert!(panics(removal), "removal panics without the guard");
	assert_eq!(check_node(&node), Err(NodeError::DegenerateBranch));
	let set = NodeSet::check(vec![node], 10, 1000);
	assert_eq!(set, Err(NodeSetError::Node(NodeError::DegenerateBranch)));
}

#[test]
fn branches_keep_values_and_children_where_they_belong() {
	let small = leaf(&[1, 1], &[tag::FIELD; 10]);
	let large = leaf(&[1, 1], &[tag::FIELD; 32]);
	let two = [(1, inline(&small)), (2, inline(&small))];
	assert_eq!(check_node(&branch(&two, None)), Ok(()));
	assert_eq!(check_node(&branch(&two[..1], Some(Value::Inline(b"\x02v")))), Ok(()));
	assert_eq!(check_node(&branch(&[], Some(Value::Inline(b"\x02v")))), Err(NodeError::Malformed));
	assert_eq!(
		check_node(&branch(&two, Some(Value::Inline(&[2; 33])))),
		Err(NodeError::LargeInlineValue)
	);
	assert_eq!(check_node(&branch(&two, Some(Value::Inline(&[2; 32])))), Ok(()));
	// An inline child of 32 bytes or more, written by hand: bitmap, then each child with its length.
	assert!(large.len() >= 32);
	let mut forged = vec![0x80, 0x06, 0x00];
	for child in [&large, &small] {
		forged.push((child.len() as u8) << 2);
		forged.extend(child);
	}
	assert!(check_node(&forged).is_err());
	assert_eq!(check_node(&[0]), Err(NodeError::Empty));
	assert_eq!(check_node(&[]), Err(NodeError::Malformed));
	let nested = branch(&[(1, inline(&[0])), (2, inline(&small))], None);
	assert_eq!(check_node(&nested), Err(NodeError::Empty));
}

#[test]
fn a_short_node_under_its_hash_is_not_read() {
	let small = leaf_odd(0, &[6, 1], &[tag::FIELD; 10]);
	let other = leaf_odd(0, &[6, 1], &[tag::FIELD; 11]);
	let node = branch(&[(0, hashed(&small)), (1, hashed(&other))], None);
	let root = H256(blake2_256(&node));
	let mut nodes = vec![node, small, other];
	let db = db_of(&nodes.iter().map(|node| &node[..]).collect::<Vec<_>>());
	let read = TrieDBBuilder::<Layout>::new(&db, &root).build().get(b"\0a").unwrap();
	assert_eq!(read, Some(vec![tag::FIELD; 10]), "the trie code reads it");
	nodes.sort_by_key(|node| blake2_256(node));
	let set = NodeSet::check(nodes, 10, 1000).unwrap();
	let storage = TrieStorage::new(SUBTREE, root, set);
	assert!(matches!(storage.get(&SUBTREE, b"\0a"), Err(StorageError::MissingNode(_))));
}

#[test]
fn node_sets_are_bounded_and_ordered() {
	let mut nodes: Vec<_> = (0..4u8).map(|n| leaf(&[0, 0, 6, n], &[tag::FIELD; 20])).collect();
	nodes.sort_by_key(|node| blake2_256(node));
	let total: usize = nodes.iter().map(Vec::len).sum();
	assert!(NodeSet::check(nodes.clone(), 4, total).is_ok());
	assert_eq!(NodeSet::check(nodes.clone(), 3, total), Err(NodeSetError::TooManyNodes));
	assert_eq!(NodeSet::check(nodes.clone(), 4, total - 1), Err(NodeSetError::TooManyBytes));
	let mut swapped = nodes.clone();
	swapped.swap(1, 2);
	assert_eq!(NodeSet::check(swapped, 4, total), Err(NodeSetError::NotAscending));
	let twice = vec![nodes[0].clone(), nodes[0].clone()];
	assert_eq!(NodeSet::check(twice, 4, total), Err(NodeSetError::NotAscending));
	assert_eq!(NodeSet::check(vec![vec![tag::FIELD; 32]], 4, total), Err(NodeSetError::SmallValue));
	assert!(NodeSet::check(vec![vec![tag::FIELD; 33]], 4, total).is_ok());
}

#[test]
fn a_damaged_database_gives_errors_not_panics() {
	let nodes = CountedNodes::default();
	let mut tree = fresh(&nodes);
	run(&mut tree, &account(1), create("/", "a"));
	run(&mut tree, &account(1), set("/a", &[("x", &[1; 100]), ("y", b"1"), ("z", b"2")]));
	let root = tree.storage().namespace_root();
	drop(tree);
	for hash in nodes.counts().into_keys() {
		let (bytes, count) = nodes.take(&hash).unwrap();
		for damaged in
			[None, Some(vec![]), Some(vec![0xff; 40]), Some(bytes[..bytes.len() / 2].to_vec())]
		{
			if let Some(damaged) = damaged {
				nodes.0.lock().unwrap().insert(hash, (damaged, count));
			}
			let mut tree = ObjectTree::new(TrieStorage::new(SUBTREE, root, &nodes));
			let call = Call::RemoveRecursive { object: path("/a") };
			let _ = dstp_primitives::call::execute(
				&mut tree,
				&payload(&account(1), 2, call),
				Default::default(),
			);
		}
		nodes.0.lock().unwrap().insert(hash, (bytes, count));
	}
}
