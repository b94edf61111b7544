//! Attacks on proofs.

use crate::support::*;
use dstp_primitives::{
	object::{HeadStatus, ModeId, RemoteLocation},
	proof::{PageAnswer, PageKind, PageQuery, Proof, ProofError, Query, ReadError, TrustedRoot},
	tree::{Actor, NewObject, PageRequest, StorageError, TreeError},
	trie::{empty_root, NodeSetError},
	ObjectFlags, ObjectId, ObjectTree, Owner, TrieStorage,
};
use proptest::prelude::*;
use sp_core::H256;
use sp_crypto_hashing::blake2_256;

/// A hub with `/apps/geo`, where `geo` is remote, and the subtree of `geo` with countries; all nodes in one store.
pub struct World {
	pub nodes: CountedNodes,
	pub global: TrustedRoot,
	pub remote: TrustedRoot,
}

pub fn location(seq: u64) -> RemoteLocation {
	RemoteLocation { mode: ModeId::Native(1), epoch: 3, era: 0, seq, status: HeadStatus::Final }
}

pub fn world() -> World {
	let nodes = CountedNodes::default();
	let geo = ObjectId::ROOT.child(&key("apps")).child(&key("geo"));
	let root = subtree(&nodes, geo, b"52.5");
	let mut hub = ObjectTree::new(TrieStorage::new(ObjectId::ROOT, empty_root(), &nodes));
	let hashed = NewObject { flags: ObjectFlags::hashed_keys(), ..Default::default() };
	hub.init_namespace(Owner::Shared, hashed).unwrap();
	let actor = Actor::Account(account(1));
	let apps = hub.create(&actor, &ObjectId::ROOT, &key("apps"), NewObject::default()).unwrap();
	for n in 0..20u8 {
		hub.create(&actor, &ObjectId::ROOT, &key([b'o', n]), NewObject::default()).unwrap();
		hub.create(&actor, &apps, &key([b'x', n]), NewObject::default()).unwrap();
	}
	hub.create_remote(&actor, &apps, &key("geo"), root, location(4)).unwrap();
	let global = store(&mut hub);
	drop(hub);
	World { nodes, global: TrustedRoot::global(global), remote: TrustedRoot { object: geo, root } }
}

fn subtree(nodes: &CountedNodes, geo: ObjectId, berlin: &[u8]) -> H256 {
	let mut tree = ObjectTree::new(TrieStorage::new(geo, empty_root(), nodes));
	tree.init_namespace(Owner::Account(account(1)), NewObject::default()).unwrap();
	let actor = Actor::Account(account(1));
	for (name, flags) in [
		("DE", ObjectFlags::default()),
		("FR", ObjectFlags::hashed_keys()),
		("XX", ObjectFlags::default()),
	] {
		let object = tree
			.create(&actor, &geo, &key(name), NewObject { flags, ..Default::default() })
			.unwrap();
		for n in 0..30u8 {
			let bytes = if n % 7 == 0 { vec![n; 50] } else { vec![n; 3] };
			tree.set_fields(&actor, &object, &[(key([b'c', b'a' + n]), value(bytes))]).unwrap();
			tree.create(&actor, &object, &key([b's', n]), NewObject::default()).unwrap();
		}
		tree.set_fields(&actor, &object, &[(key("Berlin"), value(berlin))]).unwrap();
	}
	store(&mut tree)
}

pub fn page(kind: PageKind, prefix: &str, cursor: Option<&str>, limit: u32) -> Option<PageQuery> {
	let request = PageRequest { prefix: prefix.into(), cursor: cursor.map(key), limit };
	Some(PageQuery { kind, request })
}

pub fn queries() -> Vec<Query> {
	let of = |at: &str, fields: &[&str], children: &[&str], page| Query {
		path: path(at),
		fields: fields.iter().map(key).collect::<Vec<_>>().try_into().unwrap(),
		children: children.iter().map(key).collect::<Vec<_>>().try_into().unwrap(),
		page,
	};
	vec![
		of("/", &["none"], &["apps", "none"], None),
		of("/apps", &[], &["geo"], page(PageKind::Children, "", None, 5)),
		of("/apps/geo/DE", &["Berlin", "cb", "absent"], &[], None),
		of("/apps/geo/DE", &[], &[], page(PageKind::Fields, "c", Some("cc"), 7)),
		of("/apps/geo/DE", &[], &[], page(PageKind::Fields, "c", Some("cw"), 100)),
		of("/apps/geo/DE", &[], &[], page(PageKind::Fields, "d", None, 10)),
		of("/apps/geo/FR", &["Berlin"], &["s"], page(PageKind::Fields, "", Some("cc"), 9)),
		of("/apps/geo/FR", &[], &[], page(PageKind::Children, "", None, 1000)),
		of("/apps/geo/ZZ/unknown", &["Berlin"], &[], None),
	]
}

fn make(world: &World, query: &Query) -> Proof {
	let (proof, answer) = Proof::make(world.global, &world.nodes, query.clone()).unwrap();
	let proven =
		Proof::from_bytes(&codec::Encode::encode(&proof)).unwrap().check(world.global).unwrap();
	assert_eq!(proven.answer(), &answer);
	assert_eq!(proven.query(), query);
	proof
}

#[test]
fn proofs_lead_through_two_namespaces() {
	let world = world();
	let proof = make(&world, &queries()[2]);
	let proven = proof.check(world.global).unwrap();
	let heads: Vec<_> = proven.answer().remote_hops().map(|(id, at)| (*id, at.seq)).collect();
	assert_eq!(heads, [(world.remote.object, 4)]);
	let object = proven.answer().object.as_ref().unwrap();
	assert_eq!(object.fields[0].1.as_ref().unwrap()[..], b"52.5"[..]);
	assert_eq!(object.fields[2].1, None);
}

#[test]
fn a_missing_extra_repeated_or_moved_node_is_refused() {
	let world = world();
	let spare = make(&world, &Query { path: path("/apps/x\u{1}"), ..Default::default() }).nodes;
	for query in queries() {
		let proof = make(&world, &query);
		let hash = |node: &Vec<u8>| blake2_256(node);
		for at in 0..proof.nodes.len() {
			let mut less = proof.clone();
			less.nodes.remove(at);
			assert!(matches!(
				less.check(world.global),
				Err(ProofError::Read(ReadError::Storage(StorageError::MissingNode(_))))
			));
			let mut twice = proof.clone();
			twice.nodes.insert(at, twice.nodes[at].clone());
			assert_eq!(
				twice.check(world.global),
				Err(ProofError::Nodes(NodeSetError::NotAscending))
			);
			if at > 0 {
				let mut moved = proof.clone();
				moved.nodes.swap(at - 1, at);
				assert_eq!(
					moved.check(world.global),
					Err(ProofError::Nodes(NodeSetError::NotAscending))
				);
			}
		}
		for node in spare.iter().filter(|node| !proof.nodes.contains(node)) {
			let mut more = proof.clone();
			more.nodes.push(node.clone());
			more.nodes.sort_by_key(hash);
			assert_eq!(more.check(world.global), Err(ProofError::UnusedNodes));
		}
	}
}

#[test]
fn a_proof_does_not_fit_another_question() {
	let world = world();
	let all = queries();
	for asked in &all {
		let proof = make(&world, asked);
		for other in all.iter().filter(|other| *other != asked) {
			let forged = Proof { query: other.clone(), ..proof.clone() };
			if let Ok(proven) = forged.check(world.global) {
				let (_, truth) = Proof::make(world.global, &world.nodes, other.clone()).unwrap();
				assert_eq!(proven.answer(), &truth);
			}
		}
	}
	// The segment of one object under the path of another.
	let (de, fr) = (make(&world, &all[2]), make(&world, &all[6]));
	let mut swapped = Proof { query: de.query, nodes: fr.nodes, ..fr };
	swapped.query.path = path("/apps/geo/XX");
	assert!(swapped.check(world.global).is_err());
}

#[test]
fn a_proof_holds_for_its_root_and_position_only() {
	let world = world();
	let query = Query {
		path: path("/DE"),
		fields: vec![key("Berlin")].try_into().unwrap(),
		..Default::default()
	};
	let (proof, _) = Proof::make(world.remote, &world.nodes, query).unwrap();
	let newer = CountedNodes::default();
	let root = subtree(&newer, world.remote.object, b"52.6");
	assert_ne!(root, world.remote.root);
	assert!(
		proof.clone().check(TrustedRoot { root, ..world.remote }).is_err(),
		"the root is stale"
	);
	assert!(proof.clone().check(world.global).is_err());
	assert!(proof.clone().check(TrustedRoot { root: empty_root(), ..world.remote }).is_err());
	// With another position the answer names other objects: what it is about follows from the trusted root.
	let elsewhere =
		proof.clone().check(TrustedRoot { object: ObjectId::ROOT, ..world.remote }).unwrap();
	let here = proof.check(world.remote).unwrap();
	assert_ne!(
		elsewhere.answer().object.as_ref().unwrap().object,
		here.answer().object.as_ref().unwrap().object
	);
}

#[test]
fn a_page_hides_nothing() {
	let world = world();
	let query = queries()[3].clone();
	let honest = make(&world, &query);
	let listed = |proof: Proof| match proof
		.check(world.global)
		.unwrap()
		.answer()
		.object
		.clone()
		.unwrap()
		.page
	{
		Some(PageAnswer::Fields(page)) => page,
		other => panic!("{other:?}"),
	};
	let page = listed(honest.clone());
	assert_eq!(page.entries.len(), 7);
	assert_eq!(page.next, Some(page.entries[6].0.clone()));
	// A state in which one entry is missing has another root, whether the entry is first, in the middle or last.
	for gone in [0, 3, 6] {
		let nodes = CountedNodes::default();
		let geo = world.remote.object;
		subtree(&nodes, geo, b"52.5");
		let mut tree = ObjectTree::new(TrieStorage::new(geo, world.remote.root, &nodes));
		let de = tree.resolve(&path("/DE")).unwrap();
		tree.remove_fields(&Actor::Account(account(1)), &de, &[page.entries[gone].0.clone()])
			.unwrap();
		let root = store(&mut tree);
		let inner = Query { path: path("/DE"), ..query.clone() };
		let (forged, answer) =
			Proof::make(TrustedRoot { object: geo, root }, &nodes, inner.clone()).unwrap();
		assert!(answer.object.is_some());
		assert!(forged.check(world.remote).is_err());
		// The honest nodes above and the forged ones below do not meet either.
		let (above, _) = Proof::make(world.remote, &world.nodes, inner).unwrap();
		let (below, _) =
			Proof::make(TrustedRoot { object: geo, root }, &nodes, above.query.clone()).unwrap();
		let mut mixed = above.clone();
		mixed.nodes.extend(below.nodes);
		mixed.nodes.sort_by_key(|node| blake2_256(node));
		mixed.nodes.dedup();
		assert!(mixed.check(world.remote).is_err());
	}
	// A shorter page is another question; the same nodes do not answer it, because some are left over or `next` is there.
	let mut shorter = honest;
	shorter.query.page.as_mut().unwrap().request.limit = 6;
	if let Ok(proven) = shorter.check(world.global) {
		let Some(PageAnswer::Fields(short)) = proven.answer().object.clone().unwrap().page else {
			panic!()
		};
		assert_eq!(short.next, Some(page.entries[5].0.clone()));
	}
}

#[test]
fn pages_of_hashed_objects_are_complete_and_have_no_prefix() {
	let world = world();
	let proven = make(&world, &queries()[7]).check(world.global).unwrap();
	let Some(PageAnswer::Children(page)) = proven.answer().object.clone().unwrap().page else {
		panic!()
	};
	assert_eq!((page.entries.len(), page.next), (30, None));
	let refused =
		Query { page: self::page(PageKind::Fields, "c", None, 5), ..queries()[6].clone() };
	let error = Proof::make(world.global, &world.nodes, refused).unwrap_err();
	assert_eq!(error, ProofError::Read(ReadError::Refused(TreeError::PrefixOnHashedKeys)));
}

#[test]
fn an_inner_node_is_no_leaf() {
	let world = world();
	let proof = make(&world, &queries()[2]);
	let alone: Vec<_> =
		(0..proof.nodes.len()).map(|at| H256(blake2_256(&proof.nodes[at]))).collect();
	for root in alone {
		// Every node of the path as if it were the root: the path does not lead anywhere, and nothing is proven absent.
		if root == world.global.root {
			continue;
		}
		let from = TrustedRoot { object: ObjectId::ROOT, root };
		assert!(proof.clone().check(from).is_err());
	}
}

#[test]
fn mutated_proofs_never_tell_a_lie() {
	let world = world();
	let encoded: Vec<_> =
		queries().iter().map(|query| codec::Encode::encode(&make(&world, query))).collect();
	let changes =
		prop::collection::vec((any::<u8>(), any::<prop::sample::Index>(), any::<u8>()), 1..4);
	random("proofs", 1_500, 200_000, (0..encoded.len(), changes), |(which, changes)| {
		let mut bytes = encoded[which].clone();
		for (kind, at, new) in changes {
			crate::decoding::mutate(&mut bytes, kind, at, new);
		}
		let Ok(proof) = Proof::from_bytes(&bytes) else { return Ok(()) };
		let query = proof.query.clone();
		if let Ok(proven) = proof.check(world.global) {
			let (_, truth) = Proof::make(world.global, &world.nodes, query).unwrap();
			prop_assert_eq!(proven.answer(), &truth);
		}
		Ok(())
	});
}
