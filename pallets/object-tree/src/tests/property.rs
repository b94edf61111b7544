//! The pallet's root equals the one that the same operations give off chain.

use super::mock::*;
use crate::{Error, Removals};
use dstp_primitives::{
	hub::RemoteObjects,
	object::{ObjectFlags, ObjectType, Owner, Value},
	tree::{Actor, NewObject},
	trie::empty_root,
	AccountId, Key, ObjectId, ObjectTree as Tree, TreeError, TrieStorage,
};
use frame_support::storage::with_storage_layer;
use proptest::{
	collection::vec,
	prelude::*,
	test_runner::{Config, RngSeed, TestRunner},
};
use sp_runtime::DispatchError;
use std::{cell::RefCell, collections::BTreeMap};

/// A path of at most four keys out of two.
type Place = Vec<u8>;

#[derive(Clone, Debug)]
enum Operation {
	Create(Place, u8, bool),
	Set(Place, Vec<(u8, Vec<u8>)>),
	Unset(Place, Vec<u8>),
	Transfer(Place, bool),
	Share(Place),
	Freeze(Place),
	Remove(Place),
	RemoveRecursive(Place),
	CreateRemote(Place, u8),
	SetRemote(Place, u8, u8),
	RemoveRemote(Place, u8),
	NextBlock,
}

fn operation() -> impl Strategy<Value = (bool, Operation)> {
	use Operation::*;
	// Two keys and five levels: places are met again often. Operations on objects need one that exists, mostly a high one.
	let place = || vec(0..2u8, 0..5);
	let object =
		|| prop_oneof![3 => vec(0..2u8, 1..2), 2 => vec(0..2u8, 2..3), 2 => vec(0..2u8, 3..5)];
	let bytes = prop_oneof![vec(any::<u8>(), 0..40), Just(vec![9; 300])];
	let operation = prop_oneof![
		30 => (place(), 0..2u8, any::<bool>()).prop_map(|(at, key, hashed)| Create(at, key, hashed)),
		20 => (object(), vec((0..9u8, bytes), 0..3)).prop_map(|(at, fields)| Set(at, fields)),
		6 => (object(), vec(0..9u8, 0..3)).prop_map(|(at, keys)| Unset(at, keys)),
		4 => (object(), any::<bool>()).prop_map(|(at, to)| Transfer(at, to)),
		1 => object().prop_map(Share),
		1 => vec(0..2u8, 2..5).prop_map(Freeze),
		10 => object().prop_map(Remove),
		3 => object().prop_map(RemoveRecursive),
		3 => (place(), 0..2u8).prop_map(|(at, key)| CreateRemote(at, key)),
		3 => (place(), 0..2u8, any::<u8>()).prop_map(|(at, key, root)| SetRemote(at, key, root)),
		4 => (place(), 0..2u8).prop_map(|(at, key)| RemoveRemote(at, key)),
		8 => Just(NextBlock),
	];
	// Mostly one account, so that most operations are allowed.
	(prop::bool::weighted(0.9), operation)
}

fn name(byte: u8) -> Key {
	Key::new(vec![b'a' + byte; 1 + usize::from(byte % 3) * 20]).unwrap()
}

/// The least depth bound of calls about the object there.
fn depth(place: &Place) -> u32 {
	place.len() as u32
}

fn object_at(place: &Place) -> ObjectId {
	place.iter().fold(ObjectId::ROOT, |id, byte| id.child(&name(*byte)))
}

fn batch(fields: &[(u8, Vec<u8>)]) -> Vec<(Key, Value)> {
	fields.iter().map(|(key, bytes)| (name(*key % 3 + key / 3), value(bytes))).collect()
}

fn keys(names: &[u8]) -> Vec<Key> {
	names.iter().map(|key| name(*key % 3 + key / 3)).collect()
}

/// The same tree off chain.
struct Mirror {
	tree: Tree<TrieStorage<()>>,
	/// How often an object was created, to tell its lives apart.
	lives: BTreeMap<ObjectId, u32>,
	queue: Vec<(AccountId, ObjectId, u32)>,
}

impl Mirror {
	fn new() -> Self {
		let mut tree = Tree::new(TrieStorage::new(ObjectId::ROOT, empty_root(), ()));
		let hashed =
			NewObject { object_type: ObjectType::Plain, flags: ObjectFlags::hashed_keys() };
		tree.init_namespace(Owner::Shared, hashed.clone()).unwrap();
		tree.create(&Actor::System, &ObjectId::ROOT, &key("account"), hashed).unwrap();
		let mut mirror = Self { tree, lives: BTreeMap::new(), queue: vec![] };
		mirror.keep();
		mirror
	}

	fn keep(&mut self) {
		self.tree.commit_roots().unwrap();
		self.tree.storage_mut().accept();
	}

	fn apply(&mut self, who: &AccountId, operation: &Operation) -> Result<(), TreeError> {
		let actor = Actor::Account(who.clone());
		let result = match operation {
			Operation::Create(at, key, hashed) => {
				let created = self.tree.create(&actor, &object_at(at), &name(*key), new(*hashed));
				created.map(|object| *self.lives.entry(object).or_default() += 1)
			},
			Operation::Set(at, fields) => {
				self.tree.set_fields(&actor, &object_at(at), &batch(fields)).map(drop)
			},
			Operation::Unset(at, names) => {
				self.tree.remove_fields(&actor, &object_at(at), &keys(names)).map(drop)
			},
			Operation::Transfer(at, to) => {
				self.tree.transfer(&actor, &object_at(at), if *to { &ALICE } else { &BOB })
			},
			Operation::Share(at) => self.tree.share(&actor, &object_at(at)),
			Operation::Freeze(at) => self.tree.freeze(&actor, &object_at(at)),
			Operation::Remove(at) => self.tree.remove(&actor, &object_at(at)),
			Operation::RemoveRecursive(at) => {
				let object = object_at(at);
				self.tree.remove_recursive(&actor, &object, 0).map(|_| {
					self.queue.push((who.clone(), object, self.lives[&object]));
				})
			},
			Operation::CreateRemote(at, key) => self
				.tree
				.create_remote(&actor, &object_at(at), &name(*key), root(1), location(0))
				.map(drop),
			Operation::SetRemote(at, key, byte) => {
				self.tree.set_remote(&object_at(at), &name(*key), root(*byte), location(1))
			},
			Operation::RemoveRemote(at, key) => {
				self.tree.remove_remote(&actor, &object_at(at), &name(*key))
			},
			Operation::NextBlock => {
				self.run_queue();
				Ok(())
			},
		};
		match result {
			Ok(()) => self.keep(),
			Err(_) => self.tree.storage_mut().discard(),
		}
		result
	}

	fn run_queue(&mut self) {
		for (who, object, life) in std::mem::take(&mut self.queue) {
			let actor = Actor::Account(who);
			while self.lives[&object] == life {
				match self.tree.remove_recursive(&actor, &object, 1) {
					Ok(progress) if progress.done || progress.stopped.is_some() => break,
					Ok(_) => {},
					Err(_) => break,
				}
			}
			self.keep();
		}
	}
}

fn new(hashed: bool) -> NewObject {
	let flags = if hashed { ObjectFlags::hashed_keys() } else { ObjectFlags::default() };
	NewObject { object_type: ObjectType::Plain, flags }
}

fn call(who: &AccountId, operation: &Operation) -> Result<(), DispatchError> {
	let origin = signed(who);
	with_storage_layer(|| match operation {
		Operation::Create(at, key, hashed) => {
			let NewObject { object_type, flags } = new(*hashed);
			let bound = depth(at) + 1;
			error(ObjectTree::create(origin, object_at(at), name(*key), object_type, flags, bound))
		},
		Operation::Set(at, fields) => {
			let fields = batch(fields).try_into().unwrap();
			error(ObjectTree::set_fields(origin, object_at(at), fields, depth(at)))
		},
		Operation::Unset(at, names) => {
			let keys = keys(names).try_into().unwrap();
			error(ObjectTree::remove_fields(origin, object_at(at), keys, depth(at)))
		},
		Operation::Transfer(at, to) => {
			let to = if *to { ALICE } else { BOB };
			error(ObjectTree::transfer(origin, object_at(at), to, depth(at)))
		},
		Operation::Share(at) => error(ObjectTree::share(origin, object_at(at), depth(at))),
		Operation::Freeze(at) => error(ObjectTree::freeze(origin, object_at(at), depth(at))),
		Operation::Remove(at) => error(ObjectTree::remove(origin, object_at(at), depth(at))),
		Operation::RemoveRecursive(at) => ObjectTree::remove_recursive(origin, object_at(at)),
		Operation::CreateRemote(at, key) => {
			ObjectTree::create_remote(who, &object_at(at), &name(*key), root(1), location(0))
				.map(drop)
		},
		Operation::SetRemote(at, key, byte) => {
			ObjectTree::set_remote(&object_at(at), &name(*key), root(*byte), location(1))
		},
		Operation::RemoveRemote(at, key) => {
			ObjectTree::remove_remote(who, &object_at(at), &name(*key))
		},
		Operation::NextBlock => Ok(()),
	})
}

/// Limits of the queue belong to the pallet alone.
fn queue_refuses(operation: &Operation) -> bool {
	let Operation::RemoveRecursive(at) = operation else { return false };
	Removals::<Test>::count() == 3
		|| Removals::<Test>::iter_values().any(|removal| removal.object == object_at(at))
}

/// How often each kind of operation was applied, to see that the test is not empty.
type Applied = BTreeMap<String, u32>;

fn check(operations: &[(bool, Operation)], applied: &mut Applied) {
	ExtBuilder::default().build_and_execute(|| {
		let mut mirror = Mirror::new();
		assert_eq!(ObjectTree::api_global_root(), mirror.tree.storage().namespace_root());
		for (alice, operation) in operations {
			if queue_refuses(operation) {
				continue;
			}
			let who = if *alice { ALICE } else { BOB };
			let expected = mirror.apply(&who, operation);
			let found = call(&who, operation);
			let expected = expected.map_err(|error| Error::<Test>::from(error).into());
			assert_eq!(found, expected, "{operation:?}");
			if found.is_ok() {
				let text = format!("{operation:?}");
				let kind = text.split('(').next().unwrap_or_default();
				*applied.entry(kind.into()).or_default() += 1;
			}
			if matches!(operation, Operation::NextBlock) {
				next_block();
				assert_eq!(ObjectTree::api_global_root(), mirror.tree.storage().namespace_root());
			}
		}
	});
}

/// The variables of `make test-long`, so that a printed seed repeats the run.
pub(super) fn from_env(name: &str, default: u64) -> u64 {
	std::env::var(name).ok().and_then(|text| text.parse().ok()).unwrap_or(default)
}

#[test]
fn pallet_and_off_chain_tree_have_the_same_root() {
	let (seed, cases) = (from_env("PROPTEST_RNG_SEED", 1), from_env("PROPTEST_CASES", 100));
	println!("seed {seed} (set PROPTEST_RNG_SEED to repeat), {cases} cases");
	let config = Config {
		cases: cases as u32,
		rng_seed: RngSeed::Fixed(seed),
		failure_persistence: None,
		..Config::default()
	};
	let applied = RefCell::new(Applied::new());
	let result = TestRunner::new(config).run(&vec(operation(), 1..250), |operations| {
		check(&operations, &mut applied.borrow_mut());
		Ok(())
	});
	println!("applied {:?}", applied.borrow());
	if let Err(failure) = result {
		panic!("seed {seed}: {failure}");
	}
	assert_eq!(applied.borrow().len(), 12, "some kind of operation was never applied");
}
