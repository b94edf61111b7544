//! Fixed bytes of every format. A difference is a change of format: it needs a new version, not new files.

use crate::{
	decoding::{calls, entry, head, signed},
	proofs::{queries, world},
	support::*,
};
use codec::Encode;
use dstp_primitives::{
	batch::{entry_value, BatchCommitment},
	digest::GlobalRoot,
	object::{
		account_key, child_key, encode_value, field_key, tag, HeadStatus, KeyLayout, ModeId,
		RemoteLocation, META_KEY,
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
