//! What the tests share.

use dstp_primitives::{
	call::{execute, Call, CallPayload, CallStatus, ExecuteError, Execution},
	id::StateRoot,
	object::tag,
	tree::{NewObject, TreeError},
	trie::{empty_root, NodeChanges, NodeSet, NodeStore, Recording},
	AccountId, Key, ObjectId, ObjectTree, ObjectType, Owner, Path, TrieStorage, Value,
};
use proptest::{
	strategy::Strategy,
	test_runner::{Config, RngAlgorithm, TestCaseError, TestRng, TestRunner},
};
use sp_core::H256;
use std::{collections::BTreeMap, fmt::Debug, sync::Mutex};

/// A database that counts references.
#[derive(Default, Debug)]
pub struct CountedNodes(pub Mutex<BTreeMap<H256, (Vec<u8>, i32)>>);

impl CountedNodes {
	pub fn apply(&self, changes: NodeChanges) {
		let mut nodes = self.0.lock().unwrap();
		for (hash, bytes, count) in changes {
			let entry = nodes.entry(hash).or_default();
			if count > 0 {
				entry.0 = bytes;
			}
			entry.1 += count;
			assert!(entry.1 >= 0, "a reference was dropped that was never added");
			if entry.1 == 0 {
				nodes.remove(&hash);
			}
		}
	}

	/// References by hash.
	pub fn counts(&self) -> BTreeMap<H256, i32> {
		self.0.lock().unwrap().iter().map(|(hash, (_, count))| (*hash, *count)).collect()
	}

	pub fn take(&self, hash: &H256) -> Option<(Vec<u8>, i32)> {
		self.0.lock().unwrap().remove(hash)
	}
}

impl NodeStore for CountedNodes {
	fn node(&self, hash: &H256) -> Option<Vec<u8>> {
		self.0.lock().unwrap().get(hash).map(|(bytes, _)| bytes.clone())
	}
}

pub type Tree<'a> = ObjectTree<TrieStorage<&'a CountedNodes>>;

pub const SUBTREE: ObjectId = ObjectId([7; 32]);

pub fn key(bytes: impl AsRef<[u8]>) -> Key {
	Key::try_from(bytes.as_ref()).unwrap()
}

pub fn path(text: &str) -> Path {
	Path::parse(text).unwrap()
}

pub fn value(bytes: impl Into<Vec<u8>>) -> Value {
	Value::try_from(bytes.into()).unwrap()
}

pub fn account(number: u8) -> AccountId {
	AccountId::new([number; 32])
}

pub fn payload(signer: &AccountId, nonce: u64, call: Call) -> CallPayload {
	CallPayload {
		genesis: H256::zero(),
		subtree: SUBTREE,
		epoch: 1,
		signer: signer.clone(),
		nonce,
		valid_until: 10,
		call,
	}
}

/// A namespace that belongs to account 1, stored.
pub fn fresh(nodes: &CountedNodes) -> Tree<'_> {
	fresh_as(nodes, NewObject::default())
}

pub fn fresh_as(nodes: &CountedNodes, new: NewObject) -> Tree<'_> {
	let mut tree = ObjectTree::new(TrieStorage::new(SUBTREE, empty_root(), nodes));
	tree.init_namespace(Owner::Account(account(1)), new).unwrap();
	store(&mut tree);
	tree
}

/// Computes roots and writes to the database.
pub fn store(tree: &mut Tree) -> StateRoot {
	tree.commit_roots().unwrap();
	tree.storage_mut().accept();
	let changes = tree.storage_mut().take_node_changes();
	tree.storage().store().apply(changes);
	tree.storage().namespace_root()
}

/// Executes, executes again from the witness, and stores.
pub fn run(tree: &mut Tree, signer: &AccountId, call: Call) -> CallStatus {
	let nonce = dstp_primitives::call::next_nonce(tree, signer).unwrap();
	run_payload(tree, &payload(signer, nonce, call)).unwrap().status
}

pub fn run_payload(tree: &mut Tree, payload: &CallPayload) -> Result<Execution, ExecuteError> {
	let pre_root = tree.storage().namespace_root();
	let execution = execute(tree, payload, Recording::keeping());
	let witness = NodeSet::from_trusted(tree.storage_mut().record(Recording::Off).into_nodes());
	assert_eq!(reexecute(pre_root, payload, &witness), execution, "the witness suffices");
	let changes = tree.storage_mut().take_node_changes();
	tree.storage().store().apply(changes);
	execution
}

pub fn reexecute(
	pre_root: StateRoot,
	payload: &CallPayload,
	witness: &NodeSet,
) -> Result<Execution, ExecuteError> {
	let mut tree = ObjectTree::new(TrieStorage::new(SUBTREE, pre_root, witness));
	execute(&mut tree, payload, Recording::Off)
}

pub fn create(parent: &str, name: &str) -> Call {
	create_as(parent, name, Default::default())
}

pub fn create_as(parent: &str, name: &str, flags: dstp_primitives::ObjectFlags) -> Call {
	Call::Create { parent: path(parent), key: key(name), object_type: ObjectType::Plain, flags }
}

pub fn set(object: &str, fields: &[(&str, &[u8])]) -> Call {
	let fields: Vec<_> = fields.iter().map(|(name, bytes)| (key(name), value(*bytes))).collect();
	Call::SetFields { object: path(object), fields: fields.try_into().unwrap() }
}

pub fn unset(object: &str, keys: &[&str]) -> Call {
	let keys: Vec<_> = keys.iter().map(key).collect();
	Call::RemoveFields { object: path(object), keys: keys.try_into().unwrap() }
}

pub fn failed(error: TreeError) -> CallStatus {
	CallStatus::Failed(error)
}

/// Whether the long form of the random tests was asked for, here or by a number of cases for all random tests.
pub fn long() -> bool {
	std::env::var("DSTP_LONG").is_ok_and(|value| value == "1")
		|| std::env::var_os("PROPTEST_CASES").is_some()
}

/// From `DSTP_SEED`, else from the seed for all random tests, else in the long form at random, and in the short one always the
/// same.
fn seed(name: &str) -> Vec<u8> {
	let of_all = |text: &str| {
		sp_crypto_hashing::blake2_256(&[name.as_bytes(), text.as_bytes()].concat()).to_vec()
	};
	match (std::env::var("DSTP_SEED"), std::env::var("PROPTEST_RNG_SEED")) {
		(Ok(seed), _) => hex::decode(seed).unwrap(),
		(_, Ok(text)) => of_all(&text),
		_ if long() => H256::random().as_bytes().to_vec(),
		_ => of_all(""),
	}
}

/// Runs a random test and prints its seed, which `DSTP_SEED` takes.
pub fn random<S: Strategy>(
	name: &str,
	short: u32,
	full: u32,
	strategy: S,
	test: impl Fn(S::Value) -> Result<(), TestCaseError>,
) where
	S::Value: Debug,
{
	let seed = seed(name);
	println!("{name}: DSTP_SEED={}", hex::encode(&seed));
	let cases = if long() { full } else { short };
	let config =
		Config { cases, failure_persistence: None, max_shrink_iters: 2_000, ..Config::default() };
	let rng = TestRng::from_seed(RngAlgorithm::ChaCha, &seed);
	if let Err(error) = TestRunner::new_with_rng(config, rng).run(&strategy, test) {
		panic!("{name}, DSTP_SEED={}: {error}", hex::encode(&seed));
	}
}

/// Bytes that look like a trie node, a tag, or nothing in particular.
pub fn odd_value(choice: u8) -> Vec<u8> {
	match choice % 9 {
		0 => vec![],
		1 => vec![choice],
		2 => vec![0xff; 31],
		3 => vec![tag::FIELD; 32],
		4 => vec![choice; 33],
		5 => vec![0; 64],
		6 => [&[0x42, 0x05][..], &[0x80; 40]].concat(),
		7 => vec![choice; 600],
		_ => vec![choice; 12],
	}
}
