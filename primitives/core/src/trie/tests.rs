#![allow(clippy::unwrap_used)]

use super::*;
use crate::{
	object::tag,
	tree::{Storage, StorageError},
	ObjectId,
};
use sp_core::H256;

const OBJECT: ObjectId = ObjectId::ROOT;

fn filled(values: usize) -> (NodeSet, crate::StateRoot) {
	let mut storage = TrieStorage::new(OBJECT, empty_root(), ());
	for n in 0..values {
		let value = [&[tag::FIELD][..], &(n as u64).to_be_bytes(), &[0; 100]].concat();
		storage.put(&OBJECT, &(n as u32).to_be_bytes(), value).unwrap();
	}
	let root = storage.root(&OBJECT).unwrap();
	storage.accept();
	let nodes = storage.take_node_changes().into_iter().map(|(_, bytes, _)| bytes);
	(NodeSet::from_trusted(nodes), root)
}

#[test]
fn the_empty_root_is_the_hash_of_the_empty_node() {
	assert_eq!(empty_root(), H256(sp_crypto_hashing::blake2_256(&[0])));
	assert_eq!(empty_root(), sp_trie::empty_trie_root::<Layout>());
}

#[test]
fn counting_and_keeping_see_the_same() {
	let (nodes, root) = filled(100);
	let record = |recording: Recording| {
		let mut storage = TrieStorage::new(OBJECT, root, &nodes);
		storage.record(recording);
		for n in [1u32, 1, 50, 99, 1000] {
			storage.get(&OBJECT, &n.to_be_bytes()).unwrap();
			storage.next_key(&OBJECT, &n.to_be_bytes()).unwrap();
		}
		storage.put(&OBJECT, &70u32.to_be_bytes(), vec![tag::FIELD]).unwrap();
		storage.delete(&OBJECT, &71u32.to_be_bytes()).unwrap();
		storage.root(&OBJECT).unwrap();
		storage.record(Recording::Off)
	};
	let (counted, kept) = (record(Recording::counting()), record(Recording::keeping()));
	assert_eq!(counted.size(), kept.size());
	assert!(nodes.hashes().all(|hash| counted.contains(hash) == kept.contains(hash)));
	let (count, bytes) = kept.size();
	let kept = kept.into_nodes();
	assert_eq!((kept.len(), kept.iter().map(Vec::len).sum::<usize>() as u64), (count, bytes));
	assert_eq!(record(Recording::Off).size(), (0, 0));
}

#[test]
fn reads_and_roots_stop_at_the_limit() {
	let (nodes, root) = filled(1000);
	let mut storage = TrieStorage::new(OBJECT, root, &nodes);
	storage.record(Recording::counting());
	storage.limit_reads(5_000);
	let refused = (0..1000u32).find_map(|n| storage.get(&OBJECT, &n.to_be_bytes()).err());
	assert_eq!(refused, Some(StorageError::ReadLimit));
	assert!((5_001..6_000).contains(&storage.recorded().1), "{:?}", storage.recorded());
	storage.record(Recording::counting());
	storage.limit_reads(5_000);
	for n in 0..1000u32 {
		storage.put(&OBJECT, &n.to_be_bytes(), vec![tag::FIELD]).unwrap();
	}
	assert_eq!(storage.root(&OBJECT), Err(StorageError::ReadLimit));
	assert!((5_001..6_000).contains(&storage.recorded().1), "{:?}", storage.recorded());
	storage.discard();
	storage.record(Recording::Off);
	assert_eq!(storage.namespace_root(), root);
	assert_eq!(storage.get(&OBJECT, &7u32.to_be_bytes()).unwrap().unwrap().len(), 109);
	storage.accept();
	assert!(storage.take_node_changes().is_empty(), "a refused root leaves no nodes");
}

#[test]
fn next_key_sees_pending_changes_and_skips_what_is_deleted() {
	let (nodes, root) = filled(5);
	let mut storage = TrieStorage::new(OBJECT, root, &nodes);
	let at = |n: u32| n.to_be_bytes().to_vec();
	for n in 1..4 {
		storage.delete(&OBJECT, &at(n)).unwrap();
	}
	assert_eq!(storage.next_key(&OBJECT, &at(0)), Ok(Some(at(4))));
	storage.put(&OBJECT, &at(2), vec![tag::FIELD]).unwrap();
	assert_eq!(storage.next_key(&OBJECT, &at(0)), Ok(Some(at(2))));
	assert_eq!(storage.next_key(&OBJECT, &[]), Ok(Some(at(0))));
	assert_eq!(storage.next_key(&OBJECT, &[0, 0, 0, 0, 0]), Ok(Some(at(2))));
	assert_eq!(storage.next_key(&OBJECT, &at(4)), Ok(None));
	assert_eq!(storage.next_key(&OBJECT, &[0, 0, 0, 3, 255]), Ok(Some(at(4))));
}

/// A store that says that it is slow, and counts.
struct Slow(NodeSet, std::sync::atomic::AtomicUsize);

impl NodeStore for Slow {
	fn node(&self, hash: &H256) -> Option<Vec<u8>> {
		self.1.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
		self.0.node(hash)
	}

	fn is_slow(&self) -> bool {
		true
	}
}

#[test]
fn nodes_of_a_slow_store_are_read_once_and_counted_each_time() {
	let (nodes, root) = filled(1000);
	let run = |storage: &mut TrieStorage<&dyn NodeStore>| {
		let mut sizes = Vec::new();
		for _ in 0..2 {
			storage.record(Recording::counting());
			storage.get(&OBJECT, &500u32.to_be_bytes()).unwrap();
			storage.put(&OBJECT, &500u32.to_be_bytes(), vec![tag::FIELD]).unwrap();
			let after = storage.root(&OBJECT).unwrap();
			sizes.push((storage.recorded(), after));
			storage.discard();
		}
		sizes
	};
	let slow = Slow(nodes.clone(), Default::default());
	let seen = run(&mut TrieStorage::new(OBJECT, root, &slow));
	assert_eq!(seen, run(&mut TrieStorage::new(OBJECT, root, &nodes)));
	assert_eq!(seen[0], seen[1]);
	let distinct = seen[0].0 .0;
	let asked = slow.1.load(std::sync::atomic::Ordering::Relaxed);
	assert!(asked <= distinct + 1, "{asked} look-ups for {distinct} nodes");
}

#[test]
fn unknown_objects_are_errors_not_panics() {
	let mut storage = TrieStorage::new(OBJECT, empty_root(), ());
	let other = ObjectId([1; 32]);
	assert_eq!(storage.get(&other, b"x"), Err(StorageError::Corrupt));
	assert_eq!(storage.put(&other, b"x", vec![]), Err(StorageError::Corrupt));
	assert_eq!(storage.delete(&other, b"x"), Err(StorageError::Corrupt));
	assert_eq!(storage.next_key(&other, b"x"), Err(StorageError::Corrupt));
	assert_eq!(storage.root(&other), Err(StorageError::Corrupt));
	assert_eq!(storage.link(&other), Ok(None));
	let mut gone = TrieStorage::new(OBJECT, H256::repeat_byte(1), ());
	assert_eq!(gone.get(&OBJECT, b"x"), Err(StorageError::MissingNode(H256::repeat_byte(1))));
	gone.put(&OBJECT, b"x", vec![tag::FIELD]).unwrap();
	assert_eq!(gone.root(&OBJECT), Err(StorageError::MissingNode(H256::repeat_byte(1))));
}
