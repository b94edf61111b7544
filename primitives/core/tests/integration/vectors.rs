//! Fixed bytes of every format. A difference is a change of format: it needs a new version, not new files.

use crate::{
	decoding::{calls, entry, head, signed},
	proofs::{queries, world},
	support::*,
};
use codec::Encode;
use dstp_primitives::{
	batch::{entry_value, BatchCommitment},
	contract::{
		accounts_key, address_key, ContractChange, ModuleEntry, ModuleLink, TypeTagBytes,
		UpgradePolicy, MODULE_ENTRY_VERSION,
	},
	digest::GlobalRoot,
	object::{
		account_key, child_key, encode_value, field_key, module_key, resource_key, tag, HeadStatus,
		KeyLayout, ModeId, RemoteLocation, META_KEY,
	},
	proof::{prove_range, Proof, TrustedRoot},
	tree::{namespace_root, Actor, NewObject},
	trie::empty_root,
	ChildEntry, Location, Meta, ObjectFlags, ObjectId, ObjectTree, ObjectType, Owner, TrieStorage,
};
use serde_json::{json, Value as Json};
use sp_core::{ecdsa, ed25519, sr25519, Blake2Hasher, Pair, H256};
use sp_crypto_hashing::{blake2_128, blake2_256};
use sp_trie::{LayoutV1, TrieConfiguration};
use std::{fs, path::PathBuf};

fn text(bytes: impl AsRef<[u8]>) -> String {
	format!("0x{}", hex::encode(bytes))
}

fn compare(name: &str, found: Json) {
	let file =
		PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("vectors").join(format!("{name}.json"));
	let found = serde_json::to_string_pretty(&found).unwrap() + "\n";
	if std::env::var("DSTP_UPDATE_VECTORS").is_ok_and(|value| value == "1") {
		fs::write(&file, found).unwrap();
		return;
	}
	let pinned =
		fs::read_to_string(&file).unwrap_or_else(|error| panic!("{}: {error}", file.display()));
	assert_eq!(found, pinned, "the format {name} changed; DSTP_UPDATE_VECTORS=1 rewrites the file");
}

fn names() -> Vec<Vec<u8>> {
	let mut names: Vec<Vec<u8>> =
		["geo", "DE", "account", "a/b", "%"].iter().map(|name| name.as_bytes().to_vec()).collect();
	names.extend([vec![0], vec![0xff; 64], "Zürich".as_bytes().to_vec()]);
	names
}

#[test]
fn ids() {
	let rows = names().into_iter().map(|name| {
		let child = ObjectId::ROOT.child(&key(&name));
		// By hand: the tag, the parent, the key.
		let by_hand = blake2_256(&[b"dstp/object/v1", &[0u8; 32][..], &name].concat());
		assert_eq!(child.0, by_hand);
		let grandchild = child.child(&key(&name));
		assert_eq!(grandchild.0, blake2_256(&[b"dstp/object/v1", &by_hand[..], &name].concat()));
		let path = dstp_primitives::Path::new(vec![key(&name), key(&name)]).unwrap();
		assert_eq!(ObjectId::ROOT.descendant(&path), grandchild);
		json!({
			"key": text(&name),
			"child_of_root": text(child.0),
			"grandchild": text(grandchild.0),
			"path": path.to_string(),
			"path_scale": text(path.encode()),
		})
	});
	// Keys do not run together: the parent's id has a fixed length.
	assert_ne!(ObjectId::ROOT.descendant(&path("/a/b")), ObjectId::ROOT.descendant(&path("/ab")));
	compare("ids", json!({ "root": text(ObjectId::ROOT.0), "children": rows.collect::<Vec<_>>() }));
}

#[test]
fn keys() {
	let rows = names().into_iter().map(|name| {
		let raw = key(&name);
		assert_eq!(field_key(KeyLayout::Raw, &raw), [&[0], &name[..]].concat());
		assert_eq!(
			child_key(KeyLayout::Hashed, &raw),
			[&[1], &blake2_128(&name)[..], &name].concat()
		);
		json!({
			"key": text(&name),
			"field_raw": text(field_key(KeyLayout::Raw, &raw)),
			"field_hashed": text(field_key(KeyLayout::Hashed, &raw)),
			"child_raw": text(child_key(KeyLayout::Raw, &raw)),
			"child_hashed": text(child_key(KeyLayout::Hashed, &raw)),
		})
	});
	let account = account(1);
	compare(
		"keys",
		json!({
			"names": rows.collect::<Vec<_>>(),
			"meta": text(META_KEY),
			"account_raw": text(account_key(KeyLayout::Raw, &account)),
			"account_hashed": text(account_key(KeyLayout::Hashed, &account)),
		}),
	);
}

fn metas() -> Vec<(&'static str, Meta)> {
	let named = ObjectType::Named(b"city".to_vec().try_into().unwrap());
	let mut busy = Meta::new(Owner::Account(account(3)), named, ObjectFlags::hashed_keys());
	(busy.fields, busy.children, busy.revision) = (300, 2, u64::MAX);
	let plain = |owner| Meta::new(owner, ObjectType::Plain, ObjectFlags::default());
	vec![
		("system", plain(Owner::System)),
		("account", plain(Owner::Account(account(1)))),
		("shared", Meta::new(Owner::Shared, ObjectType::Plain, ObjectFlags::hashed_keys())),
		("frozen", plain(Owner::Frozen)),
		("named, hashed, with counts", busy),
	]
}

fn entries() -> Vec<(&'static str, ChildEntry)> {
	let remote = |mode, status| ChildEntry {
		version: 1,
		state_root: H256::repeat_byte(2),
		location: Location::Remote(RemoteLocation { mode, epoch: 5, era: 6, seq: 7, status }),
	};
	let contract =
		ModeId::Contract { address: [4; 32], module: b"mode".to_vec().try_into().unwrap() };
	vec![
		("hosted", ChildEntry::hosted(H256::repeat_byte(1))),
		("initial", remote(ModeId::Native(1), HeadStatus::Initial)),
		("pending", remote(ModeId::Native(1), HeadStatus::Pending { until: 100 })),
		("challenged", remote(ModeId::Native(1024), HeadStatus::Challenged)),
		("final", remote(contract, HeadStatus::Final)),
		("closed", remote(ModeId::Native(2), HeadStatus::Closed)),
	]
}

#[test]
fn values() {
	let hosted = [&[3, 1][..], &[1; 32], &[0]].concat();
	assert_eq!(entries()[0].1.to_value(), hosted);
	let frozen = [&[7, 3, 0, 0][..], &[0; 24]].concat();
	assert_eq!(metas()[3].1.to_value(), frozen);
	compare(
		"values",
		json!({
			"meta": metas().iter().map(|(name, meta)| json!({ "name": name, "value": text(meta.to_value()) })).collect::<Vec<_>>(),
			"child": entries().iter().map(|(name, entry)| json!({ "name": name, "value": text(entry.to_value()) })).collect::<Vec<_>>(),
			"nonce_7": text(encode_value(tag::NONCE, &7u64)),
		}),
	);
}

/// The address that owns what [`contract_state`] lists.
const CONTRACTS: ObjectId = ObjectId([0xaa; 32]);

/// A struct type in BCS, by hand: the address, two names and the type arguments.
fn type_tag(module: &str, name: &str, arguments: &[&[u8]]) -> TypeTagBytes {
	let text = |text: &str| [&[text.len() as u8], text.as_bytes()].concat();
	let mut bytes = [&CONTRACTS.0[..], &text(module), &text(name)].concat();
	bytes.push(arguments.len() as u8);
	arguments.iter().for_each(|argument| bytes.extend_from_slice(argument));
	bytes.try_into().unwrap()
}

fn contract_resources() -> Vec<(&'static str, TypeTagBytes, Vec<u8>)> {
	// Variant 6 is a vector, variant 1 is u8.
	let of_bytes = type_tag("box", "Box", &[&[6, 1]]);
	vec![
		("coin::Balance { value: 1000000 }", type_tag("coin", "Balance", &[]), {
			1_000_000u64.to_le_bytes().to_vec()
		}),
		("box::Box<vector<u8>> { inner: [1, 2, 3] }", of_bytes, vec![3, 1, 2, 3]),
	]
}

fn contract_modules() -> Vec<ModuleEntry> {
	let module = |name: &[u8], policy, links: Vec<ModuleLink>| ModuleEntry {
		version: MODULE_ENTRY_VERSION,
		name: name.to_vec().try_into().unwrap(),
		policy,
		links: links.try_into().unwrap(),
		work: 300,
		code: vec![0xa1, 0x1c, 0xeb, 0x0b].try_into().unwrap(),
	};
	let link = ModuleLink { address: CONTRACTS, name: b"coin".to_vec().try_into().unwrap() };
	vec![
		module(b"coin", UpgradePolicy::Immutable, vec![]),
		module(b"box", UpgradePolicy::Compatible, vec![link]),
	]
}

#[test]
fn contracts() {
	let resources: Vec<_> = contract_resources()
		.into_iter()
		.map(|(name, type_tag, value)| {
			// By hand: the prefix and the hash; the tag, and two lists of bytes of less than 64.
			let key = [&[2], &blake2_256(&type_tag)[..]].concat();
			assert_eq!(resource_key(&type_tag), key);
			let length = |bytes: &[u8]| u8::try_from(bytes.len() << 2).unwrap();
			let tag_list = match type_tag.len() {
				short @ ..64 => vec![(short as u8) << 2],
				long => (((long as u16) << 2) | 1).to_le_bytes().to_vec(),
			};
			let stored =
				[&[4], &tag_list[..], &type_tag[..], &[length(&value)], &value[..]].concat();
			(name, type_tag, value, key, stored)
		})
		.collect();
	let modules = contract_modules();
	let immutable = "05 01 10 636f696e 00 00 2c010000 10 a11ceb0b".replace(' ', "");
	assert_eq!(modules[0].to_value(), hex::decode(immutable).unwrap());
	let link = format!("{} 10 636f696e", "aa".repeat(32));
	let compatible = format!("05 01 0c 626f78 01 04 {link} 2c010000 10 a11ceb0b").replace(' ', "");
	assert_eq!(modules[1].to_value(), hex::decode(compatible).unwrap());

	let nodes = CountedNodes::default();
	let mut tree = fresh(&nodes);
	let changes: Vec<_> =
		resources
			.iter()
			.map(|(_, type_tag, value, ..)| ContractChange::SetResource {
				address: CONTRACTS,
				type_tag: type_tag.clone(),
				value: value.clone().try_into().unwrap(),
			})
			.chain(modules.iter().map(|module| ContractChange::SetModule {
				address: CONTRACTS,
				module: module.clone(),
			}))
			.collect();
	tree.apply_contract(&changes).unwrap();
	for (_, _, _, key, stored) in &resources {
		assert_eq!(tree.contract_value(&CONTRACTS, key).unwrap().as_ref(), Some(stored));
	}
	for module in &modules {
		let key = [&[3], &blake2_256(&module.name)[..]].concat();
		assert_eq!(module_key(&module.name), key);
		assert_eq!(tree.contract_value(&CONTRACTS, &key), Ok(Some(module.to_value())));
	}
	store(&mut tree);
	let accounts = SUBTREE.child(&accounts_key());
	let object = accounts.child(&address_key(&CONTRACTS));
	// The object's trie, by hand: it belongs to the system, has four entries and was changed four times.
	let meta = format!("07 00 00 00 {:0<16} {:0<16} {:0<16}", "04", "", "04").replace(' ', "");
	let pairs = resources
		.iter()
		.map(|(.., key, stored)| (key.clone(), stored.clone()))
		.chain(modules.iter().map(|module| (module_key(&module.name), module.to_value())))
		.chain([(vec![5], hex::decode(meta).unwrap())]);
	let by_hand = LayoutV1::<Blake2Hasher>::trie_root(pairs.collect::<Vec<_>>());
	assert_eq!(tree.storage().object_root(&object), Some(by_hand));

	compare(
		"contracts",
		json!({
			"address": text(CONTRACTS.0),
			"namespace": text(SUBTREE.0),
			"accounts_object": text(accounts.0),
			"accounts_entry_key": text(child_key(KeyLayout::Raw, &accounts_key())),
			"address_object": text(object.0),
			"address_entry_key": text(child_key(KeyLayout::Hashed, &address_key(&CONTRACTS))),
			"address_root": text(by_hand),
			"resources": resources.iter().map(|(name, type_tag, value, key, stored)| json!({
				"name": name,
				"type_bcs": text(type_tag),
				"value_bcs": text(value),
				"key": text(key),
				"value": text(stored),
			})).collect::<Vec<_>>(),
			"modules": modules.iter().map(|module| json!({
				"name": String::from_utf8(module.name.to_vec()).unwrap(),
				"key": text(module_key(&module.name)),
				"value": text(module.to_value()),
			})).collect::<Vec<_>>(),
		}),
	);
}

#[test]
fn roots() {
	// A namespace with one object in it, first by hand: pairs in hex, roots from the list of pairs.
	let pair = |key: &str, value: &str| {
		(hex::decode(key).unwrap(), hex::decode(value.replace(' ', "")).unwrap())
	};
	let account_1 = "01".repeat(32);
	let meta = |fields: u8, children: u8, revision: u8| {
		let count = |n: u8| format!("{n:02x}00000000000000");
		format!("07 01{account_1} 00 00 {} {} {}", count(fields), count(children), count(revision))
	};
	let below = LayoutV1::<Blake2Hasher>::trie_root(vec![
		pair("0078", &format!("02{}", "31".repeat(40))),
		pair("0079", "0232"),
		pair("05", &meta(2, 0, 1)),
	]);
	let child_entry = format!("03 01 {} 00", hex::encode(below));
	let above = LayoutV1::<Blake2Hasher>::trie_root(vec![
		pair("0161", &child_entry),
		pair("05", &meta(0, 1, 1)),
	]);

	let nodes = CountedNodes::default();
	let mut tree = fresh(&nodes);
	let actor = Actor::Account(account(1));
	let object = tree.create(&actor, &SUBTREE, &key("a"), NewObject::default()).unwrap();
	tree.set_fields(&actor, &object, &[(key("x"), value([0x31; 40])), (key("y"), value(*b"2"))])
		.unwrap();
	assert_eq!(store(&mut tree), above);
	assert_eq!(tree.storage().object_root(&object), Some(below));

	let world = world();
	let fresh_root = |flags| {
		namespace_root(Owner::Account(account(1)), NewObject { flags, ..Default::default() })
	};
	compare(
		"roots",
		json!({
			"empty": text(empty_root()),
			"new_namespace_raw": text(fresh_root(ObjectFlags::default())),
			"new_namespace_hashed": text(fresh_root(ObjectFlags::hashed_keys())),
			"object": text(below),
			"namespace": text(above),
			"remote": text(world.remote.root),
			"global": text(world.global.root),
		}),
	);
}

#[test]
fn proofs() {
	let world = world();
	let rows = queries().into_iter().map(|query| {
		let (proof, answer) = Proof::make(world.global, &world.nodes, query).unwrap();
		let bytes = proof.encode();
		assert_eq!(Proof::from_bytes(&bytes).unwrap().check(world.global).unwrap().answer(), &answer);
		json!({ "path": proof.query.path.to_string(), "proof": text(&bytes), "answer": text(answer.encode()) })
	});
	let inner = TrustedRoot { object: world.remote.object, root: world.remote.root };
	let (first, range) = prove_range(&world.nodes, inner.root, None, 150).unwrap();
	assert!(!range.entries.is_empty());
	compare(
		"proofs",
		json!({
			"global_root": text(world.global.root),
			"proofs": rows.collect::<Vec<_>>(),
			"range_root": text(inner.root),
			"range_from_start": text(first.encode()),
			"range_entries": range.entries.iter().map(|(key, value)| json!([text(key), text(value)])).collect::<Vec<_>>(),
		}),
	);
}

#[test]
fn call_bytes() {
	let rows = calls().into_iter().map(|call| {
		let signed = signed(call);
		let bytes = signed.payload.signing_bytes();
		let by_hand = [
			b"dstp/call/v1",
			&[0; 32][..],
			&[7; 32],
			&1u64.to_le_bytes(),
			&[1; 32],
			&3u64.to_le_bytes(),
			&10u32.to_le_bytes(),
		];
		assert!(bytes.starts_with(&by_hand.concat()));
		assert_eq!(signed.payload.id().0, blake2_256(&bytes));
		json!({
			"call": text(signed.payload.call.encode()),
			"signing_bytes": text(&bytes),
			"id": text(signed.payload.id()),
			"signed_with_sr25519_09": text(signed.encode()),
		})
	});
	let bytes = signed(calls()[0].clone()).payload.signing_bytes();
	// Both of these schemes are deterministic.
	let ed = ed25519::Pair::from_seed(&[1; 32]).sign(&bytes);
	let ec = ecdsa::Pair::from_seed(&[1; 32]).sign(&bytes);
	let sr = sr25519::Pair::from_seed(&[1; 32]);
	compare(
		"calls",
		json!({
			"calls": rows.collect::<Vec<_>>(),
			"signatures": {
				"ed25519": text(dstp_primitives::signature::Signature::from(ed).encode()),
				"ecdsa": text(dstp_primitives::signature::Signature::from(ec).encode()),
				"sr25519_public": text(sr.public().0),
			},
		}),
	);
}

#[test]
fn batches() {
	let batch: Vec<_> = calls().into_iter().map(entry).collect();
	let commitment = BatchCommitment::new(&batch).unwrap();
	let by_hand = (0u32..)
		.zip(&batch)
		.map(|(index, entry)| (index.to_be_bytes(), [&[9], &entry.encode()[..]].concat()));
	assert_eq!(commitment.root, LayoutV1::<Blake2Hasher>::trie_root(by_hand.collect::<Vec<_>>()));
	compare(
		"batches",
		json!({
			"entries": batch.iter().map(|entry| text(entry_value(entry))).collect::<Vec<_>>(),
			"root": text(commitment.root),
			"len": commitment.len,
			"bytes": commitment.bytes,
		}),
	);
}

#[test]
fn heads() {
	let head = head();
	assert_eq!(head.hash().0, blake2_256(&head.encode()));
	let digest = GlobalRoot::new(H256::repeat_byte(9));
	assert_eq!(digest.encode(), [&[1u8][..], &[9; 32]].concat());
	compare(
		"heads",
		json!({
			"head": text(head.encode()),
			"hash": text(head.hash()),
			"digest_engine": text(dstp_primitives::digest::ENGINE_ID),
			"digest_payload": text(digest.encode()),
		}),
	);
}

#[test]
fn the_subtree_has_one_root_wherever_it_is_built() {
	let build = |namespace: ObjectId| {
		let nodes = CountedNodes::default();
		let mut tree = ObjectTree::new(TrieStorage::new(namespace, empty_root(), &nodes));
		tree.init_namespace(Owner::Account(account(1)), NewObject::default()).unwrap();
		let actor = Actor::Account(account(1));
		let a = tree.create(&actor, &namespace, &key("a"), NewObject::default()).unwrap();
		tree.set_fields(&actor, &a, &[(key("x"), value([1; 40]))]).unwrap();
		store(&mut tree)
	};
	assert_eq!(build(ObjectId::ROOT), build(SUBTREE), "no id is part of a root");
}
