//! A subtree goes to other nodes and comes back while it changes: the pallet, the executor of signed calls and a naive model that
//! shares no code with them agree on every root and every refusal.

use super::mock::*;
use crate::{Detached, StagedObject};
use dstp_primitives::{
	call::{execute, Call, CallPayload, CallStatus},
	hub::{ContentSize, RemoteObjects},
	object::{ObjectFlags, ObjectType},
	tree::{Link, ObjectEntry},
	trie::{empty_root, Recording},
	AccountId, Key, ObjectId, ObjectTree as Tree, Path, StateRoot, Storage, TrieStorage,
};
use frame_support::{assert_ok, storage::with_storage_layer};
use model::{Account, Model, Object, Op, Owner};
use proptest::{
	collection::vec,
	prelude::*,
	test_runner::{Config, RngSeed, TestRunner},
};
use sp_core::H256;
use sp_runtime::DispatchError;
use std::{cell::RefCell, collections::BTreeMap};

// Not all of it is needed here.
#[allow(dead_code)]
#[path = "../../../../primitives/core/tests/integration/model.rs"]
mod model;

type Engine = Tree<TrieStorage<()>>;
type Raw = (u8, u8, u16, u8, u8);

/// Objects stand at most so deep below the subtree's root.
const LEVELS: usize = 4;

#[derive(Clone, Debug)]
enum Step {
	/// An operation, whose meaning depends on the present state.
	Change(Raw),
	NextBlock,
	/// To the other side.
	Move,
	/// Back to the hub, but cancelled after so many calls.
	Cancel(u8),
	/// Away with everything, and another object in its place.
	Recreate(bool),
}

fn step() -> impl Strategy<Value = Step> {
	prop_oneof![
		30 => any::<Raw>().prop_map(Step::Change),
		4 => Just(Step::NextBlock),
		3 => Just(Step::Move),
		1 => any::<u8>().prop_map(Step::Cancel),
		1 => any::<bool>().prop_map(Step::Recreate),
	]
}

struct World {
	model: Model,
	/// The subtree on other nodes, and whether a head was committed.
	remote: Option<(Engine, bool)>,
	seq: u64,
	applied: BTreeMap<&'static str, u32>,
}

fn top() -> ObjectId {
	id("/s")
}

fn fresh(hashed: bool) -> Model {
	let root = Object::new(Owner::Account(*ALICE.as_ref()), None, hashed);
	Model { root, nonces: BTreeMap::new() }
}

fn flags(hashed: bool) -> ObjectFlags {
	if hashed {
		ObjectFlags::hashed_keys()
	} else {
		ObjectFlags::default()
	}
}

fn path(keys: &[Vec<u8>]) -> Path {
	Path::new(keys.iter().map(|key| Key::new(key.clone()).unwrap()).collect()).unwrap()
}

/// What the random numbers mean in the present state.
fn op((kind, who, target, first, second): Raw, model: &Model, remote: bool) -> (Account, Op) {
	let key = |n: u8| vec![b'a' + n % 3; 1 + usize::from(n % 2) * 30];
	let mut paths = model.paths();
	paths.retain(|path| path.len() <= LEVELS);
	let object = paths[usize::from(target) % paths.len()].clone();
	// Mostly the owner, so that most operations are allowed, and mostly the same one, so that most trees can move.
	let owner = match model.find(&object).map(|object| &object.owner) {
		Some(Owner::Account(owner)) => *owner,
		_ => *ALICE.as_ref(),
	};
	let who = if who % 16 < 14 { owner } else { [who % 2 + 1; 32] };
	let fields =
		(0..second % 5).map(|n| (key(first.wrapping_add(n)), vec![second; usize::from(first) * 3]));
	let not_top = !object.is_empty();
	let op = match kind % 32 {
		0..=11 if object.len() < LEVELS => {
			Op::Create { parent: object, key: key(first), name: None, hashed: second % 2 == 0 }
		},
		12..=20 => {
			Op::Set { object, fields: fields.collect::<BTreeMap<_, _>>().into_iter().collect() }
		},
		21 | 22 => Op::Unset { object, keys: vec![key(first)] },
		23 => Op::Transfer { object, to: if second % 4 == 0 { [2; 32] } else { [1; 32] } },
		24 if second % 8 == 0 && not_top => Op::Share { object },
		25 if second % 8 == 0 && not_top => Op::Freeze { object },
		26 if remote && not_top => Op::RemoveAll { object },
		_ if not_top => Op::Remove { object },
		_ => Op::Unset { object, keys: vec![key(first)] },
	};
	(who, op)
}

fn to_call(op: &Op) -> Call {
	let key = |bytes: &Vec<u8>| Key::new(bytes.clone()).unwrap();
	match op {
		Op::Create { parent, key: name, hashed, .. } => Call::Create {
			parent: path(parent),
			key: key(name),
			object_type: ObjectType::Plain,
			flags: flags(*hashed),
		},
		Op::Set { object, fields } => {
			let fields: Vec<_> = fields.iter().map(|(name, v)| (key(name), value(v))).collect();
			Call::SetFields { object: path(object), fields: fields.try_into().unwrap() }
		},
		Op::Unset { object, keys } => {
			let keys: Vec<_> = keys.iter().map(key).collect();
			Call::RemoveFields { object: path(object), keys: keys.try_into().unwrap() }
		},
		Op::Transfer { object, to } => Call::Transfer { object: path(object), to: (*to).into() },
		Op::Share { object } => Call::Share { object: path(object) },
		Op::Freeze { object } => Call::Freeze { object: path(object) },
		Op::Remove { object } => Call::Remove { object: path(object) },
		Op::RemoveAll { object } => Call::RemoveRecursive { object: path(object) },
	}
}

/// The same operation as a call of the hub.
fn call_hub(who: Account, op: &Op) -> Result<(), DispatchError> {
	let origin = signed(&who.into());
	let at = |path: &Path| top().descendant(path);
	// The top stands right below the root.
	let depth = |path: &Path| 1 + path.keys().len() as u32;
	with_storage_layer(|| {
		error(match to_call(op) {
			Call::Create { parent, key, object_type, flags } => {
				let bound = depth(&parent) + 1;
				ObjectTree::create(origin, at(&parent), key, object_type, flags, bound)
			},
			Call::SetFields { object, fields } => {
				ObjectTree::set_fields(origin, at(&object), fields, depth(&object))
			},
			Call::RemoveFields { object, keys } => {
				ObjectTree::remove_fields(origin, at(&object), keys, depth(&object))
			},
			Call::Transfer { object, to } => {
				ObjectTree::transfer(origin, at(&object), to, depth(&object))
			},
			Call::Share { object } => ObjectTree::share(origin, at(&object), depth(&object)),
			Call::Freeze { object } => ObjectTree::freeze(origin, at(&object), depth(&object)),
			Call::Remove { object } => ObjectTree::remove(origin, at(&object), depth(&object)),
			Call::RemoveRecursive { .. } => unreachable!("the hub has a queue for that"),
		})
	})
}

/// A copy of what the hub holds, pair by pair.
fn copy_from_hub() -> Engine {
	let mut tree = Tree::new(TrieStorage::new(top(), empty_root(), ()));
	let mut waiting = vec![(top(), 0u8)];
	while let Some((object, depth)) = waiting.pop() {
		let trie = ObjectTree::api_child_trie(object).unwrap();
		tree.storage_mut().mark_dirty(&object).unwrap();
		let mut at = vec![];
		while let Some(key) = sp_io::default_child_storage::next_key(&trie, &at) {
			let value = sp_io::default_child_storage::get(&trie, &key).unwrap().to_vec();
			tree.storage_mut().put(&object, &key, value).unwrap();
			at = key;
		}
		let mut after = vec![];
		while let Some((trie_key, entry)) = tree.next_entry(&object, &after).unwrap() {
			after = trie_key;
			let ObjectEntry::Child(name, _) = entry else { continue };
			let child = object.child(&name);
			let link = Link { parent: object, key: name, depth: depth + 1 };
			tree.storage_mut().insert_link(&child, link, true).unwrap();
			waiting.push((child, depth + 1));
		}
	}
	tree.commit_roots().unwrap();
	tree.storage_mut().accept();
	tree
}

/// Each object after the one above it.
fn content(tree: &mut Engine) -> (Vec<(StagedObject, Vec<ObjectEntry>)>, ContentSize) {
	let (mut parts, mut size) = (vec![], ContentSize::default());
	let mut waiting = vec![(Path::default(), ObjectId::ROOT, key("s"))];
	while let Some((path, parent, name)) = waiting.pop() {
		let object = tree.resolve(&path).unwrap();
		let meta = tree.meta(&object).unwrap().unwrap();
		let (mut entries, mut after) = (vec![], vec![]);
		while let Some((trie_key, entry)) = tree.next_entry(&object, &after).unwrap() {
			size.add(&entry);
			if let ObjectEntry::Child(name, _) = &entry {
				waiting.push((path.join(name.clone()).unwrap(), object, name.clone()));
			}
			entries.push(entry);
			after = trie_key;
		}
		size.objects += 1;
		parts.push((StagedObject { parent, key: name, meta }, entries));
	}
	(parts, size)
}

impl World {
	fn new() -> Self {
		assert_ok!(create(&ALICE, "/s"));
		next_block();
		Self { model: fresh(false), remote: None, seq: 0, applied: BTreeMap::new() }
	}

	fn root(&self) -> StateRoot {
		model::root(self.model.pairs())
	}

	fn note(&mut self, what: &'static str) {
		*self.applied.entry(what).or_default() += 1;
	}

	fn next_block(&mut self) {
		next_block();
		let view = ObjectTree::api_object(top()).unwrap();
		if let Some((_, false)) = &self.remote {
			return;
		}
		assert_eq!(view.state_root, self.root());
	}

	fn change(&mut self, raw: Raw) {
		let (who, op) = op(raw, &self.model, self.remote.is_some());
		let nonces = self.model.nonces.clone();
		let nonce = nonces.get(&who).copied().unwrap_or(0);
		let expected = self.model.apply(&who, &op);
		if expected.is_ok() {
			self.note(if self.remote.is_some() { "remote change" } else { "hosted change" });
		}
		let Some((engine, committed)) = &mut self.remote else {
			// Calls of the hub have no nonces in the tree.
			self.model.nonces = nonces;
			let found = call_hub(who, &op).map_err(|error| match error {
				DispatchError::Module(error) => error.message.unwrap(),
				other => panic!("{op:?}: {other:?}"),
			});
			assert_eq!(found, expected, "{op:?}");
			return;
		};
		let signer = AccountId::new(who);
		let payload = CallPayload {
			genesis: H256::zero(),
			subtree: top(),
			epoch: 1,
			signer,
			nonce,
			valid_until: 1,
			call: to_call(&op),
		};
		let execution = execute(engine, &payload, Recording::Off).unwrap();
		let found = match execution.status {
			CallStatus::Applied => "Applied".into(),
			CallStatus::Failed(error) => format!("{error:?}"),
		};
		assert_eq!(found, expected.err().unwrap_or("Applied"), "{op:?}");
		assert_eq!(execution.post_root, model::root(self.model.pairs()), "{op:?}");
		self.seq += 1;
		let (root, head) = (execution.post_root, location(self.seq));
		assert_ok!(ObjectTree::set_remote(&ObjectId::ROOT, &key("s"), root, head));
		assert_ok!(ObjectTree::drop_hosted(&ObjectId::ROOT, &key("s")));
		*committed = true;
	}

	/// What the model says of an attempt of the owner to move the subtree.
	fn may_move(&self) -> Result<AccountId, &'static str> {
		let Owner::Account(owner) = &self.model.root.owner else { return Err("not an account's") };
		let all = self.model.paths();
		let same = |path: &Vec<Vec<u8>>| {
			self.model.find(path).is_some_and(|object| object.owner == self.model.root.owner)
		};
		all.iter().all(same).then_some((*owner).into()).ok_or("ForeignBelow")
	}

	fn go(&mut self) {
		self.next_block();
		let engine = copy_from_hub();
		assert_eq!(engine.storage().namespace_root(), self.root());
		let expected = self.may_move();
		let owner = match &self.model.root.owner {
			Owner::Account(owner) => (*owner).into(),
			_ => ALICE,
		};
		let found = ObjectTree::hosted_to_remote(&owner, &ObjectId::ROOT, &key("s"), location(0));
		match expected {
			Ok(_) => {
				assert_eq!(found, Ok(self.root()));
				self.remote = Some((engine, false));
				self.note("to other nodes");
			},
			Err("ForeignBelow") => {
				assert_eq!(found, Err(refused(crate::Error::ForeignBelow)));
				self.note("refused to go");
			},
			Err(_) => assert!(found.is_err()),
		}
	}

	/// Back to the hub; with `stop`, given up after so many calls.
	fn come_back(&mut self, stop: Option<u8>) {
		let Some((mut engine, committed)) = self.remote.take() else { return };
		let name = key("s");
		if !committed {
			let root = ObjectTree::restore_hosted(&ObjectId::ROOT, &name);
			assert_eq!(root, Ok(self.root()));
			return self.note("restored");
		}
		next_block();
		assert_eq!(Detached::<Test>::count(), 0);
		let (parts, size) = content(&mut engine);
		assert_ok!(ObjectTree::start_hosting(&ALICE, &ObjectId::ROOT, &name, size));
		let mut calls = 0;
		for (object, entries) in parts {
			let mut object = Some(object);
			let chunks: Vec<_> = entries.chunks(2).collect();
			for n in 0..chunks.len().max(1) {
				if stop == Some(calls) {
					assert_ok!(ObjectTree::cancel_hosting(&ObjectId::ROOT, &name));
					self.remote = Some((engine, true));
					self.next_block();
					return self.note("cancelled");
				}
				let chunk = chunks.get(n).map_or(vec![], |chunk| chunk.to_vec());
				let last = n + 1 >= chunks.len();
				let chunk = chunk.try_into().unwrap();
				assert_ok!(ObjectTree::stage(signed(&ALICE), top(), object.take(), chunk, last));
				calls = calls.saturating_add(1);
			}
		}
		let root = ObjectTree::finish_hosting(&ObjectId::ROOT, &name);
		assert_eq!(root, Ok(self.root()));
		self.note("back to the hub");
		self.next_block();
	}

	fn recreate(&mut self, hashed: bool) {
		let Ok(owner) = self.may_move() else { return };
		if self.remote.take().is_some() {
			assert_ok!(ObjectTree::close_remote(&ObjectId::ROOT, &key("s")));
			assert_ok!(ObjectTree::remove_remote(&owner, &ObjectId::ROOT, &key("s")));
		} else {
			assert_ok!(ObjectTree::remove_recursive(signed(&owner), top()));
		}
		next_block();
		assert_eq!(ObjectTree::api_object(top()), None);
		assert_ok!(create_with(&ALICE, "/s", flags(hashed)));
		self.model = fresh(hashed);
		self.note("recreated");
	}
}

type Applied = BTreeMap<&'static str, u32>;

fn check(steps: &[Step], applied: &mut Applied) {
	ExtBuilder::default().build_and_execute(|| {
		let mut world = World::new();
		for step in steps {
			match step {
				Step::Change(raw) => world.change(*raw),
				Step::NextBlock => world.next_block(),
				Step::Move if world.remote.is_none() => world.go(),
				Step::Move => world.come_back(None),
				Step::Cancel(stop) => world.come_back(Some(stop % 8)),
				Step::Recreate(hashed) => world.recreate(*hashed),
			}
		}
		for (what, times) in world.applied {
			*applied.entry(what).or_default() += times;
		}
	});
}

#[test]
fn hub_executor_and_model_agree_while_a_subtree_goes_and_comes_back() {
	let seed = super::property::from_env("PROPTEST_RNG_SEED", 1);
	let cases = super::property::from_env("PROPTEST_CASES", 100) as u32;
	println!("seed {seed} (set PROPTEST_RNG_SEED to repeat), {cases} cases");
	let config = Config {
		cases,
		rng_seed: RngSeed::Fixed(seed),
		failure_persistence: None,
		..Config::default()
	};
	let applied = RefCell::new(Applied::new());
	let result = TestRunner::new(config).run(&vec(step(), 1..120), |steps| {
		check(&steps, &mut applied.borrow_mut());
		Ok(())
	});
	println!("applied {:?}", applied.borrow());
	if let Err(failure) = result {
		panic!("seed {seed}: {failure}");
	}
	assert_eq!(applied.borrow().len(), 8, "some kind of step never happened");
}
