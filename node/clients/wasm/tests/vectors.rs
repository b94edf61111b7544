//! The vectors of the JavaScript client: made here from `dstp-primitives`, checked there through the Wasm module.
//!
//! `UPDATE_VECTORS=1 cargo test -p dstp-wasm --test vectors` rewrites them, after a change of format.

use codec::Encode;
use dstp_primitives::{
	call::{Call, CallContext, CallPayload, SignedCall},
	id::AccountId,
	object::{HeadStatus, ModeId, RemoteLocation},
	proof::{PageKind, PageQuery, Proof, Query, TrustedRoot},
	signature::Signature,
	tree::{Actor, NewObject, PageRequest},
	trie::{empty_root, NodeStore},
	Key, ObjectFlags, ObjectId, ObjectTree, ObjectType, Owner, Path, StateRoot, TrieStorage,
};
use serde_json::{json, Value as Json};
use sp_core::{ecdsa, ed25519, Pair, H256};
use std::{collections::BTreeMap, fs, path::PathBuf};

#[derive(Default)]
struct Nodes(BTreeMap<H256, Vec<u8>>);

impl NodeStore for Nodes {
	fn node(&self, hash: &H256) -> Option<Vec<u8>> {
		self.0.get(hash).cloned()
	}
}

fn key(text: &str) -> Key {
	Key::try_from(text).expect("a key")
}

fn path(text: &str) -> Path {
	Path::parse(text).expect("a path")
}

fn hex(bytes: &[u8]) -> String {
	format!("0x{}", hex::encode(bytes))
}

fn owner() -> AccountId {
	AccountId::new([7; 32])
}

fn named(label: &str) -> NewObject {
	let object_type = ObjectType::Named(label.as_bytes().to_vec().try_into().expect("a label"));
	NewObject { object_type, flags: ObjectFlags::default() }
}

/// Builds a namespace, keeps its nodes and gives its root.
fn namespace(
	root: ObjectId,
	nodes: &mut Nodes,
	build: impl FnOnce(&mut ObjectTree<TrieStorage<()>>, &Actor),
) -> StateRoot {
	let mut tree = ObjectTree::new(TrieStorage::new(root, empty_root(), ()));
	tree.init_namespace(Owner::Account(owner()), NewObject::default()).expect("an empty namespace");
	build(&mut tree, &Actor::Account(owner()));
	tree.commit_roots().expect("roots");
	tree.storage_mut().accept();
	let changes = tree.storage_mut().take_node_changes();
	nodes.0.extend(
		changes
			.into_iter()
			.filter(|(_, _, count)| *count > 0)
			.map(|(hash, bytes, _)| (hash, bytes)),
	);
	tree.storage().namespace_root()
}

fn remote(epoch: u64, seq: u64, status: HeadStatus) -> RemoteLocation {
	RemoteLocation { mode: ModeId::Native(1), epoch, era: 0, seq, status }
}

/// A global tree with `/geo` remote, and inside it `/DE/BE` with fields of all kinds.
fn world(nodes: &mut Nodes) -> (StateRoot, StateRoot) {
	let geo = ObjectId::ROOT.child(&key("geo"));
	let inside = namespace(geo, nodes, |tree, actor| {
		let country = tree.create(actor, &geo, &key("DE"), named("country")).expect("DE");
		let state = tree.create(actor, &country, &key("BE"), NewObject::default()).expect("BE");
		for name in ["BB", "BW", "BY", "HB"] {
			tree.create(actor, &country, &key(name), NewObject::default()).expect("a state");
		}
		let value = |bytes: &[u8]| bytes.to_vec().try_into().expect("a value");
		let mut fields = vec![
			(key("Berlin"), value(b"52.52,13.405")),
			(key("Berlin/Mitte"), value("Straße".as_bytes())),
			(key("binary"), value(&[0xff, 0x00, 0xfe])),
			(key("empty"), value(b"")),
			(key("large"), value(&[5; 400])),
		];
		fields.extend(
			(0..20).map(|n| (key(&format!("place {n:02}")), value(format!("{n}").as_bytes()))),
		);
		tree.set_fields(actor, &state, &fields).expect("fields");
	});
	let global = namespace(ObjectId::ROOT, nodes, |tree, actor| {
		let until = HeadStatus::Pending { until: 900 };
		tree.create_remote(actor, &ObjectId::ROOT, &key("geo"), inside, remote(3, 12, until))
			.expect("geo");
		let far = remote(u64::MAX, 0, HeadStatus::Initial);
		tree.create_remote(actor, &ObjectId::ROOT, &key("void"), empty_root(), far).expect("void");
		let flags = ObjectFlags::hashed_keys();
		tree.create(
			actor,
			&ObjectId::ROOT,
			&key("open"),
			NewObject { flags, ..NewObject::default() },
		)
		.expect("open");
	});
	(global, inside)
}

fn fields(names: &[&str]) -> Query {
	let fields = names.iter().map(|name| key(name)).collect::<Vec<_>>().try_into().expect("few");
	Query { path: path("/geo/DE/BE"), fields, ..Query::default() }
}

fn page(at: &str, kind: PageKind, prefix: &str, cursor: Option<&str>, limit: u32) -> Query {
	let request =
		PageRequest { prefix: prefix.as_bytes().to_vec(), cursor: cursor.map(key), limit };
	Query { path: path(at), page: Some(PageQuery { kind, request }), ..Query::default() }
}

fn proof_vectors() -> Json {
	let mut nodes = Nodes::default();
	let (global, inside) = world(&mut nodes);
	let from_global = TrustedRoot::global(global);
	let from_head = TrustedRoot { object: ObjectId::ROOT.child(&key("geo")), root: inside };
	let children = vec![key("geo"), key("nowhere")].try_into().expect("few");
	let cases = [
		("the root object", from_global, Query { children, ..Query::default() }),
		(
			"fields through a remote subtree",
			from_global,
			fields(&["Berlin", "Berlin/Mitte", "binary", "empty", "large"]),
		),
		("an absent field", from_global, fields(&["Atlantis", "Berlin"])),
		(
			"an absent object",
			from_global,
			Query { path: path("/geo/DE/ZZ/deeper"), ..Query::default() },
		),
		("an empty namespace", from_global, Query { path: path("/void"), ..Query::default() }),
		("hashed keys", from_global, Query { path: path("/open"), ..Query::default() }),
		(
			"from a head",
			from_head,
			Query { path: path("/DE/BE"), fields: fields(&["large"]).fields, ..Query::default() },
		),
		("all children", from_global, page("/geo/DE", PageKind::Children, "", None, 100)),
		("a first page", from_global, page("/geo/DE/BE", PageKind::Fields, "place ", None, 8)),
		(
			"a last page",
			from_global,
			page("/geo/DE/BE", PageKind::Fields, "place ", Some("place 11"), 8),
		),
		("an empty page", from_global, page("/geo/DE/BY", PageKind::Fields, "", None, 8)),
	];
	let vectors = cases.map(|(name, from, query)| {
		let (proof, _) = Proof::make(from, &nodes, query).expect(name);
		let mut request = json!({ "proof": hex(&proof.encode()), "root": hex(&from.root.0), "object": hex(&from.object.0) });
		let reply: Json = serde_json::from_str(&dstp_wasm::proof::check(request.to_string().as_bytes())).expect("JSON");
		request["name"] = json!(name);
		request["answer"] = reply["ok"].clone();
		assert!(request["answer"].is_object(), "{name}: {reply}");
		request
	});
	Json::from(vectors.to_vec())
}

/// The same operation as a client writes it and as Rust does.
fn calls() -> Vec<(Json, Call)> {
	let de = || path("/DE");
	vec![
		(
			json!({ "create": { "parent": "/", "key": hex(b"DE"), "objectType": hex(b"country"), "hashedKeys": true } }),
			Call::Create {
				parent: path("/"),
				key: key("DE"),
				object_type: named("country").object_type,
				flags: ObjectFlags::hashed_keys(),
			},
		),
		(
			json!({ "create": { "parent": ["0x4445"], "key": hex(b"a/b") } }),
			Call::Create {
				parent: de(),
				key: key("a/b"),
				object_type: ObjectType::Plain,
				flags: ObjectFlags::default(),
			},
		),
		(
			json!({ "setFields": { "object": "/DE", "fields": [[hex(b"Berlin"), "0x00ff"], [hex(b"x"), "0x"]] } }),
			Call::SetFields {
				object: de(),
				fields: vec![
					(key("Berlin"), vec![0, 255].try_into().expect("a value")),
					(key("x"), vec![].try_into().expect("a value")),
				]
				.try_into()
				.expect("few"),
			},
		),
		(
			json!({ "removeFields": { "object": "/DE", "keys": [hex(b"Berlin")] } }),
			Call::RemoveFields { object: de(), keys: vec![key("Berlin")].try_into().expect("few") },
		),
		(
			json!({ "transfer": { "object": "/DE", "to": hex(&[9; 32]) } }),
			Call::Transfer { object: de(), to: [9; 32].into() },
		),
		(json!({ "share": { "object": "/DE" } }), Call::Share { object: de() }),
		(json!({ "freeze": { "object": "/DE" } }), Call::Freeze { object: de() }),
		(json!({ "remove": { "object": "/DE" } }), Call::Remove { object: de() }),
		(json!({ "removeRecursive": { "object": "/DE" } }), Call::RemoveRecursive { object: de() }),
	]
}

fn call_vectors() -> Json {
	let ed = ed25519::Pair::from_string("//Alice", None).expect("a key");
	let ec = ecdsa::Pair::from_string("//Alice", None).expect("a key");
	let vector = |(nonce, (call_json, call)): (u64, (Json, Call))| {
		let ec_account = AccountId::new(sp_crypto_hashing::blake2_256(&ec.public().0));
		let signers = [("ed25519", AccountId::new(ed.public().0)), ("ecdsa", ec_account)];
		signers.map(|(kind, signer)| {
			let payload = CallPayload {
				genesis: H256::repeat_byte(1),
				subtree: ObjectId::ROOT.child(&key("geo")),
				epoch: u64::MAX,
				signer: signer.clone(),
				nonce,
				valid_until: 500,
				call: call.clone(),
			};
			let signature = match kind {
				"ed25519" => Signature::from(ed.sign(&payload.signing_bytes())),
				_ => Signature::from(ec.sign(&payload.signing_bytes())),
			};
			json!({
				"kind": kind,
				"request": {
					"genesis": hex(&payload.genesis.0), "subtree": hex(&payload.subtree.0),
					"epoch": payload.epoch.to_string(), "signer": hex(signer.as_ref()), "nonce": nonce, "validUntil": 500,
					"call": call_json,
				},
				"signingBytes": hex(&payload.signing_bytes()),
				"id": hex(&payload.id().0),
				"signed": hex(&SignedCall { payload, signature }.encode()),
			})
		})
	};
	(0u64..).zip(calls()).flat_map(vector).collect()
}

fn vectors_folder() -> PathBuf {
	PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../js/test/vectors")
}

fn assert_pinned(name: &str, vectors: Json) {
	let file = vectors_folder().join(name);
	if std::env::var_os("UPDATE_VECTORS").is_some() {
		let text = serde_json::to_string_pretty(&vectors).expect("JSON");
		fs::write(&file, text + "\n").expect("the vectors can be written");
	}
	let pinned: Json =
		serde_json::from_slice(&fs::read(&file).expect("the vectors are there")).expect("JSON");
	assert_eq!(
		pinned, vectors,
		"{name} changed. If the format was meant to change, set UPDATE_VECTORS=1"
	);
}

#[test]
fn proofs_are_as_pinned() {
	assert_pinned("proofs.json", proof_vectors());
}

#[test]
fn calls_are_as_pinned() {
	assert_pinned("calls.json", call_vectors());
}

#[test]
fn requests_give_the_bytes_that_rust_gives() {
	for vector in call_vectors().as_array().expect("a list") {
		let reply: Json = serde_json::from_str(&dstp_wasm::call::payload(
			vector["request"].to_string().as_bytes(),
		))
		.expect("JSON");
		assert_eq!(reply["ok"]["signingBytes"], vector["signingBytes"], "{reply}");
		assert_eq!(reply["ok"]["id"], vector["id"]);
	}
}

/// What polkadot.js signed (`node/clients/js/test/signed.test.js` writes it), plain and as wallets wrap it.
#[test]
fn calls_that_javascript_signed_are_accepted() {
	let signed: Json = serde_json::from_slice(
		&fs::read(vectors_folder().join("signed.json")).expect("the vectors are there"),
	)
	.expect("JSON");
	let signed = signed.as_array().expect("a list");
	assert_eq!(signed.len(), 6);
	for vector in signed {
		let bytes = hex::decode(&vector["call"].as_str().expect("hex")[2..]).expect("hex");
		let call = SignedCall::from_bytes(&bytes).expect("a signed call");
		let CallPayload { genesis, subtree, epoch, .. } = call.payload;
		let context = CallContext { genesis, subtree, epoch, hub_number: 1 };
		assert_eq!(call.check(&context), Ok(()), "{vector}");
	}
}

#[test]
fn bad_requests_are_refused_with_a_reason() {
	let request = |call: Json| {
		let mut request = call_vectors()[0]["request"].clone();
		request["call"] = call;
		dstp_wasm::call::payload(request.to_string().as_bytes())
	};
	let many: Vec<_> = (0..257).map(|n| json!([hex(format!("{n}").as_bytes()), "0x"])).collect();
	let large: Vec<_> =
		(0..17).map(|n| json!([hex(format!("{n}").as_bytes()), hex(&[0; 16 * 1024])])).collect();
	for (call, reason) in [
		(json!({ "setFields": { "object": "/", "fields": [] } }), "1 to 256"),
		(json!({ "setFields": { "object": "/", "fields": many } }), "1 to 256"),
		(json!({ "setFields": { "object": "/", "fields": large } }), "262144 bytes"),
		(
			json!({ "setFields": { "object": "/", "fields": [[hex(b"k"), hex(&[0; 16 * 1024 + 1])]] } }),
			"16384 bytes",
		),
		(json!({ "removeFields": { "object": "/", "keys": ["0x"] } }), "a key is empty"),
		(
			json!({ "create": { "parent": "/", "key": "0x01", "objectType": hex(&[0; 65]) } }),
			"64 bytes",
		),
		(json!({ "explode": {} }), "unknown variant"),
		(json!({ "share": { "object": "/", "more": 1 } }), "unknown field"),
	] {
		let reply = request(call);
		assert!(reply.starts_with(r#"{"error":"#) && reply.contains(reason), "{reply}");
	}
	let short = json!({ "payload": "0x", "kind": "sr25519", "signature": "0x00" });
	assert!(dstp_wasm::call::signed(short.to_string().as_bytes()).contains("call payload"));
}
