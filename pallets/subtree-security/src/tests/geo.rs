//! A large subtree on its way to other nodes and back: as many countries, states and cities as a public list of the world has.

use super::{key, params, poa, real_tree::*};
use crate::Event;
use dstp_primitives::{
	call::{execute as execute_call, Call, CallPayload, CallStatus},
	hub::ContentSize,
	object::{Meta, Value},
	tree::{Actor, NewObject, ObjectEntry, PageRequest, MAX_BATCH_FIELDS},
	trie::{empty_root, Recording},
	Key, ObjectFlags, ObjectId, ObjectTree as Tree, ObjectType, Owner, Path, StateRoot,
	TrieStorage,
};
use frame_support::{assert_noop, assert_ok};
use pallet_object_tree::{Detached, StagedObject};
use sp_core::H256;

type OffChain = Tree<TrieStorage<()>>;

/// Countries, states and cities.
struct Shape {
	countries: u32,
	states: u32,
	cities: u32,
}

const WORLD: Shape = Shape { countries: 250, states: 4_963, cities: 148_038 };

/// Always the same numbers.
struct Random(u64);

impl Random {
	fn below(&mut self, limit: u32) -> u32 {
		// Knuth's generator.
		self.0 = self.0.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
		((self.0 >> 33) as u32) % limit
	}
}

/// One operation of the owner; paths start at the subtree.
fn operations(shape: &Shape) -> Vec<Call> {
	let mut random = Random(1);
	let mut calls = vec![];
	let mut states = vec![];
	let create = |parent: &Path, name: String| Call::Create {
		parent: parent.clone(),
		key: key(&name),
		object_type: ObjectType::Plain,
		flags: ObjectFlags::default(),
	};
	let countries: Vec<_> = (0..shape.countries).map(|n| format!("C{n:03}")).collect();
	for country in &countries {
		calls.push(create(&Path::default(), country.clone()));
	}
	for n in 0..shape.states {
		let country = &countries[random.below(shape.countries) as usize];
		let parent = Path::new(vec![key(country)]).unwrap();
		let name = format!("S{n:05}");
		states.push((parent.join(key(&name)).unwrap(), vec![]));
		calls.push(create(&parent, name));
	}
	for n in 0..shape.cities {
		// A few states have more cities than one call brings, most have few.
		let state = match random.below(20) {
			0 => random.below(5),
			_ => random.below(shape.states).min(random.below(shape.states)),
		};
		let value = vec![n as u8; 10 + random.below(40) as usize];
		let city: (Key, Value) =
			(key(&format!("City {} of/{n}", random.below(999))), value.try_into().unwrap());
		states[state as usize].1.push(city);
	}
	for (object, cities) in states {
		for batch in cities.chunks(MAX_BATCH_FIELDS as usize) {
			let (object, fields) = (object.clone(), batch.to_vec().try_into().unwrap());
			calls.push(Call::SetFields { object, fields });
		}
	}
	calls
}

fn geo() -> ObjectId {
	apps().child(&key("geo"))
}

/// How deep the object at the end of a path below [`geo`] stands.
fn depth(path: &Path) -> u32 {
	2 + path.keys().len() as u32
}

/// Ends the block without checking all that holds, which looks at everything.
fn close_block() {
	use frame_support::traits::Hooks;
	let number = System::block_number();
	ObjectTree::on_idle(number, frame_support::weights::Weight::MAX);
	ObjectTree::on_finalize(number);
	start_block(number + 1);
}

/// A call on the hub, in a later block if this one is full.
fn call_hosted(call: &Call) {
	let origin = || RuntimeOrigin::signed(ALICE);
	let make = || match call.clone() {
		Call::Create { parent, key, object_type, flags } => {
			let (above, bound) = (geo().descendant(&parent), depth(&parent) + 1);
			ObjectTree::create(origin(), above, key, object_type, flags, bound)
		},
		Call::SetFields { object, fields } => {
			ObjectTree::set_fields(origin(), geo().descendant(&object), fields, depth(&object))
		},
		_ => unreachable!("only these are made"),
	};
	if frame_support::storage::with_storage_layer(|| make().map_err(|e| e.error)).is_err() {
		close_block();
		assert_ok!(make());
	}
}

fn call_off_chain(tree: &mut OffChain, call: &Call) {
	let actor = Actor::Account(ALICE);
	match call {
		Call::Create { parent, key, .. } => {
			tree.create(&actor, &geo().descendant(parent), key, NewObject::default()).map(drop)
		},
		Call::SetFields { object, fields } => {
			tree.set_fields(&actor, &geo().descendant(object), fields).map(drop)
		},
		_ => unreachable!("only these are made"),
	}
	.unwrap();
}

fn hosted_root() -> StateRoot {
	ObjectTree::api_object(geo()).unwrap().state_root
}

/// Executes a call as the engine does, with a nonce.
fn execute_next(tree: &mut OffChain, nonce: u64, call: Call) -> StateRoot {
	let payload = CallPayload {
		genesis: H256::zero(),
		subtree: geo(),
		epoch: 1,
		signer: ALICE,
		nonce,
		valid_until: 100,
		call,
	};
	let execution = execute_call(tree, &payload, Recording::Off).unwrap();
	assert_eq!(execution.status, CallStatus::Applied);
	execution.post_root
}

/// Each object with its place after the one above it, and its entries.
fn content(tree: &mut OffChain) -> (Vec<(StagedObject, Vec<ObjectEntry>)>, ContentSize) {
	let (mut parts, mut size) = (vec![], ContentSize::default());
	let mut waiting = vec![(Path::default(), apps(), key("geo"))];
	while let Some((path, parent, name)) = waiting.pop() {
		let object = tree.resolve(&path).unwrap();
		let meta: Meta = tree.meta(&object).unwrap().unwrap();
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

/// Gives the number of calls.
fn stage(parts: Vec<(StagedObject, Vec<ObjectEntry>)>) -> usize {
	let mut calls = 0;
	for (object, entries) in parts {
		let mut object = Some(object);
		let mut rest = &entries[..];
		while object.is_some() || !rest.is_empty() {
			let (chunk, after) = rest.split_at(rest.len().min(MAX_BATCH_FIELDS as usize));
			rest = after;
			let chunk = chunk.to_vec().try_into().unwrap();
			if object.is_none() && rest.is_empty() {
				// More of it came in this block than a root may be computed from.
				close_block();
			}
			let origin = RuntimeOrigin::signed(ALICE);
			assert_ok!(ObjectTree::stage(origin, geo(), object.take(), chunk, rest.is_empty()));
			calls += 1;
			if calls % 500 == 0 {
				close_block();
			}
		}
	}
	calls
}

#[test]
fn the_world_goes_to_other_nodes_and_comes_back_with_its_root() {
	execute(vec![], || {
		let origin = || RuntimeOrigin::signed(ALICE);
		let plain = (ObjectType::Plain, ObjectFlags::default());
		assert_ok!(ObjectTree::create(origin(), apps(), key("geo"), plain.0, plain.1, 2));
		let mut tree = Tree::new(TrieStorage::new(geo(), empty_root(), ()));
		tree.init_namespace(Owner::Account(ALICE), NewObject::default()).unwrap();
		for call in &operations(&WORLD) {
			call_hosted(call);
			call_off_chain(&mut tree, call);
		}
		close_block();
		tree.commit_roots().unwrap();
		tree.storage_mut().accept();
		let root = hosted_root();
		assert_eq!(root, tree.storage().namespace_root());

		let params = params(0, None);
		assert_ok!(SubtreeSecurity::register_hosted(origin(), apps(), key("geo"), poa(), params));
		close_block();
		assert_eq!(hosted_root(), root, "going changes no root");
		let mut last = root;
		for nonce in 0..3 {
			let fields = vec![(key("note"), vec![nonce as u8].try_into().unwrap())];
			let object = Path::new(vec![key("C000")]).unwrap();
			let call = Call::SetFields { object, fields: fields.try_into().unwrap() };
			last = execute_next(&mut tree, nonce, call);
			assert_ok!(commit_root(geo(), last));
			close_block();
		}
		assert_ne!(last, root);
		// What the hub kept until the first head goes while blocks have idle time.
		assert_eq!(Detached::<Hub>::count(), 0);

		let (parts, size) = content(&mut tree);
		assert_eq!(size.objects, 1 + WORLD.countries + WORLD.states);
		assert_ok!(SubtreeSecurity::start_hosting(origin(), geo(), size));
		let calls = stage(parts);
		println!("{} objects and {} bytes came in {calls} calls", size.objects, size.bytes);
		assert_noop!(
			commit_root(geo(), H256([1; 32])),
			pallet_object_tree::Error::<Hub>::StagingUnfinished
		);
		assert_ok!(SubtreeSecurity::finish_hosting(origin(), geo()));
		let hosted = Event::SubtreeHosted { subtree: geo(), epoch: 1, seq: 3, state_root: last };
		System::assert_last_event(hosted.into());
		close_block();
		assert_eq!(hosted_root(), last, "coming back changes no root");
		let country = geo().child(&key("C000"));
		let page = PageRequest { limit: 1, ..Default::default() };
		let note = ObjectTree::api_fields(country, page).unwrap().entries;
		assert_eq!(note, vec![(key("note"), vec![2].try_into().unwrap())]);

		// It is hosted like every other object, and can go again.
		let set = |fields: Vec<(Key, Value)>| {
			ObjectTree::set_fields(origin(), country, fields.try_into().unwrap(), 3)
		};
		assert_ok!(set(vec![(key("note"), Default::default())]));
		close_block();
		let params = super::params(0, None);
		assert_ok!(SubtreeSecurity::register_hosted(origin(), apps(), key("geo"), poa(), params));
		assert_eq!(SubtreeSecurity::subtree_view(geo()).unwrap().head.epoch, 2);
	});
}
