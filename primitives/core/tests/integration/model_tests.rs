//! Random calls through the engine's function and through the model.

use crate::{
	model::{self, Account, Model, Object, Op},
	support::*,
};
use dstp_primitives::{
	call::{Call, CallStatus, ExecuteError},
	tree::PageRequest,
	Key, ObjectFlags, ObjectId, ObjectType, Path,
};
use proptest::prelude::*;
use sp_core::{Blake2Hasher, H256};
use sp_trie::{LayoutV1, MemoryDB, TrieDBMutBuilder};
use std::collections::BTreeMap;
use trie_db::TrieMut;

type Raw = (u8, u8, u16, u8, u8, u8);

fn keys() -> Vec<Vec<u8>> {
	let mut keys: Vec<Vec<u8>> =
		[&b"a"[..], b"b", b"ab", b"abc", b"account", &[0], &[0, 0], &[0xff], b"/", b"%"]
			.map(Vec::from)
			.into();
	keys.push(vec![b'a'; 64]);
	keys.extend((0..40u8).map(|n| vec![b'k', n]));
	keys
}

/// What the random numbers mean in the present state.
fn op(raw: Raw, model: &Model, terminal: bool) -> (Account, Op) {
	let (kind, who, target, first, second, flags) = raw;
	let keys = keys();
	let key = |n: usize| keys[n % keys.len()].clone();
	let paths = model.paths();
	let mut object = paths[target as usize % paths.len()].clone();
	if flags & 0x70 == 0x70 {
		object.push(key(second as usize));
	}
	// Mostly the owner, so that most calls succeed.
	let owner = match model.find(&object).map(|object| &object.owner) {
		Some(model::Owner::Account(owner)) => *owner,
		_ => [1; 32],
	};
	let who = if who % 8 < 5 { owner } else { [who % 3 + 1; 32] };
	let op = match kind % 16 {
		0..=4 => {
			let name = (flags & 2 != 0).then(|| vec![second; second as usize % 64]);
			Op::Create {
				parent: object,
				key: key(first as usize % 12),
				name,
				hashed: flags & 1 != 0,
			}
		},
		5..=8 => {
			let count = if flags & 8 != 0 { 40 } else { second as usize % 4 };
			let field = |n: usize| {
				(
					key(first as usize + n * (1 + flags as usize % 2)),
					odd_value(second.wrapping_add(n as u8)),
				)
			};
			Op::Set { object, fields: (0..count).map(field).collect() }
		},
		9 | 10 => Op::Unset {
			object,
			keys: (0..1 + second as usize % 3)
				.map(|n| key(first as usize + n * (flags as usize % 3)))
				.collect(),
		},
		11 => Op::Transfer { object, to: [second % 4; 32] },
		12 if terminal => Op::Share { object },
		13 if terminal && flags & 1 != 0 => Op::Freeze { object },
		14 => Op::RemoveAll { object },
		_ => Op::Remove { object },
	};
	(who, op)
}

fn to_path(keys: &[Vec<u8>]) -> Path {
	Path::new(keys.iter().map(key).collect()).unwrap()
}

fn to_call(op: &Op) -> Call {
	match op {
		Op::Create { parent, key: name, name: kind, hashed } => Call::Create {
			parent: to_path(parent),
			key: key(name),
			object_type: kind
				.clone()
				.map_or(ObjectType::Plain, |name| ObjectType::Named(name.try_into().unwrap())),
			flags: if *hashed { ObjectFlags::hashed_keys() } else { ObjectFlags::default() },
		},
		Op::Set { object, fields } => {
			let fields: Vec<_> =
				fields.iter().map(|(name, bytes)| (key(name), value(bytes.clone()))).collect();
			Call::SetFields { object: to_path(object), fields: fields.try_into().unwrap() }
		},
		Op::Unset { object, keys } => {
			let keys: Vec<_> = keys.iter().map(key).collect();
			Call::RemoveFields { object: to_path(object), keys: keys.try_into().unwrap() }
		},
		Op::Transfer { object, to } => Call::Transfer { object: to_path(object), to: (*to).into() },
		Op::Share { object } => Call::Share { object: to_path(object) },
		Op::Freeze { object } => Call::Freeze { object: to_path(object) },
		Op::Remove { object } => Call::Remove { object: to_path(object) },
		Op::RemoveAll { object } => Call::RemoveRecursive { object: to_path(object) },
	}
}

fn start(hashed: bool) -> Model {
	Model {
		root: Object::new(model::Owner::Account([1; 32]), None, hashed),
		nonces: BTreeMap::new(),
	}
}

fn step(tree: &mut Tree, model: &mut Model, who: Account, op: &Op) {
	let nonce = model.nonces.get(&who).copied().unwrap_or(0);
	let wrong = payload(&who.into(), nonce + 1, to_call(op));
	let before = tree.storage().namespace_root();
	assert!(matches!(run_payload(tree, &wrong), Err(ExecuteError::Refused(_))));
	assert_eq!(tree.storage().namespace_root(), before);
	let execution = run_payload(tree, &payload(&who.into(), nonce, to_call(op))).unwrap();
	let expected = model
		.apply(&who, op)
		.map_or_else(|error| format!("Failed({error})"), |()| "Applied".into());
	assert_eq!(format!("{:?}", execution.status), expected, "{op:?}");
	assert_eq!(execution.post_root, model::root(model.pairs()), "{op:?}");
}

/// Every node of every trie of the model with its number of references.
fn expected_nodes(model: &Model) -> BTreeMap<H256, i32> {
	let mut db = MemoryDB::<Blake2Hasher>::default();
	for path in model.paths() {
		let pairs =
			if path.is_empty() { model.pairs() } else { model.find(&path).unwrap().pairs() };
		let mut root = H256::zero();
		let mut trie = TrieDBMutBuilder::<LayoutV1<Blake2Hasher>>::new(&mut db, &mut root).build();
		for (key, value) in pairs {
			trie.insert(&key, &value).unwrap();
		}
		trie.commit();
	}
	db.drain()
		.into_iter()
		.filter(|(_, (_, count))| *count != 0)
		.map(|(hash, (_, count))| (hash, count))
		.collect()
}

fn compare_pages(
	tree: &mut Tree,
	model: &Model,
	path: &[Vec<u8>],
	limit: u32,
	cursor: Option<Key>,
	prefix: &[u8],
) {
	let object = model.find(path).unwrap();
	let id = tree.resolve(&to_path(path)).unwrap();
	assert_eq!(id, ObjectId(model::id(SUBTREE.0, path)));
	let prefix = if object.hashed { vec![] } else { prefix.to_vec() };
	let after = cursor.as_ref().map(|cursor| match object.hashed {
		true => [&sp_crypto_hashing::blake2_128(cursor.as_slice())[..], cursor.as_slice()].concat(),
		false => cursor.as_slice().to_vec(),
	});
	let wanted = |place: &Vec<u8>| {
		place.starts_with(&prefix) && after.as_ref().is_none_or(|after| place > after)
	};
	let request = PageRequest { prefix: prefix.clone(), cursor, limit };
	let fields = tree.fields(&id, &request).unwrap();
	let all: Vec<_> =
		object.fields.iter().filter(|(place, _)| wanted(place)).map(|(_, (key, _))| key).collect();
	let got: Vec<_> = fields.entries.iter().map(|(key, _)| key.as_slice()).collect();
	assert_eq!(got, all.iter().take(limit as usize).map(|key| &key[..]).collect::<Vec<_>>());
	assert_eq!(fields.next.is_some(), all.len() > limit as usize);
	let children = tree.children(&id, &request).unwrap();
	let all: Vec<_> = object.children.iter().filter(|(place, _)| wanted(place)).collect();
	for ((key, entry), (_, (name, child))) in children.entries.iter().zip(&all) {
		assert_eq!((key.as_slice(), entry.state_root), (&name[..], model::root(child.pairs())));
	}
	assert_eq!(children.entries.len(), all.len().min(limit as usize));
	let meta = tree.meta(&id).unwrap().unwrap();
	assert_eq!(
		(meta.fields, meta.children),
		(object.fields.len() as u64, object.children.len() as u64)
	);
}

fn sequence(length: usize) -> impl Strategy<Value = Vec<Raw>> {
	prop::collection::vec(any::<Raw>(), 1..length)
}

#[test]
fn random_calls_give_the_roots_of_the_model() {
	let length = if long() { 250 } else { 60 };
	random("model", 32, 3_000, (any::<bool>(), sequence(length)), |(hashed, raws)| {
		let nodes = CountedNodes::default();
		let flags = if hashed { ObjectFlags::hashed_keys() } else { ObjectFlags::default() };
		let new = dstp_primitives::tree::NewObject { object_type: ObjectType::Plain, flags };
		let (mut tree, mut model) = (fresh_as(&nodes, new), start(hashed));
		for raw in raws {
			let (who, op) = op(raw, &model, true);
			step(&mut tree, &mut model, who, &op);
			let paths = model.paths();
			let cursor = (raw.3 % 2 == 0).then(|| key(&keys()[raw.4 as usize % keys().len()]));
			let prefix = if raw.5 % 2 == 0 { &b"a"[..] } else { b"" };
			compare_pages(
				&mut tree,
				&model,
				&paths[raw.2 as usize % paths.len()],
				1 + u32::from(raw.4 % 5),
				cursor,
				prefix,
			);
		}
		prop_assert_eq!(nodes.counts(), expected_nodes(&model));
		Ok(())
	});
}

#[test]
fn after_everything_is_removed_only_the_root_is_stored() {
	random("removal", 12, 1_000, sequence(60), |raws| {
		let nodes = CountedNodes::default();
		let (mut tree, mut model) = (fresh(&nodes), start(false));
		for raw in raws {
			let (who, op) = op(raw, &model, false);
			step(&mut tree, &mut model, who, &op);
		}
		while let Some(path) =
			model.paths().into_iter().filter(|path| !path.is_empty()).max_by_key(Vec::len)
		{
			let model::Owner::Account(owner) = model.find(&path).unwrap().owner else {
				unreachable!()
			};
			step(&mut tree, &mut model, owner, &Op::RemoveAll { object: path });
		}
		let model::Owner::Account(owner) = model.root.owner else { unreachable!() };
		let all: Vec<_> = model.root.fields.values().map(|(key, _)| key.clone()).collect();
		if !all.is_empty() {
			step(&mut tree, &mut model, owner, &Op::Unset { object: vec![], keys: all });
		}
		prop_assert_eq!(model.root.fields.len() + model.root.children.len(), 0);
		prop_assert_eq!(nodes.counts(), expected_nodes(&model));
		// The facts, one nonce per signer, and the branches between them.
		prop_assert!(nodes.counts().len() <= 3 + 2 * model.nonces.len());
		Ok(())
	});
}

#[test]
fn a_large_object_is_removed_in_several_calls() {
	let nodes = CountedNodes::default();
	let (mut tree, mut model) = (fresh(&nodes), start(false));
	let who = [1; 32];
	step(
		&mut tree,
		&mut model,
		who,
		&Op::Create { parent: vec![], key: b"x".to_vec(), name: None, hashed: true },
	);
	let object = vec![b"x".to_vec()];
	for batch in 0..3u8 {
		let size = if batch == 2 { 4000 } else { 20 };
		let fields = (0..60u8).map(|n| (vec![batch, n], vec![n; size])).collect();
		step(&mut tree, &mut model, who, &Op::Set { object: object.clone(), fields });
	}
	for batch in 3..8u8 {
		let fields = (0..60u8).map(|n| (vec![batch, n], vec![n; 20])).collect();
		step(&mut tree, &mut model, who, &Op::Set { object: object.clone(), fields });
	}
	step(&mut tree, &mut model, who, &Op::Remove { object: object.clone() });
	let mut calls = 0;
	while model.find(&object).is_some() {
		step(&mut tree, &mut model, who, &Op::RemoveAll { object: object.clone() });
		calls += 1;
	}
	assert!((2..=4).contains(&calls), "{calls} calls");
	assert_eq!(nodes.counts(), expected_nodes(&model));
	assert!(matches!(
		run(&mut tree, &account(1), Call::Remove { object: to_path(&object) }),
		CallStatus::Failed(_)
	));
}
