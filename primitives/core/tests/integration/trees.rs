//! Attacks on the tree itself: rights, limits, bookkeeping.

use crate::support::*;
use dstp_primitives::{
	call::{execute, next_nonce, Call, CallStatus, MAX_WITNESS_BYTES},
	id::MAX_DEPTH,
	proof::{Proof, Query, TrustedRoot},
	signature::Signature,
	tree::{
		Actor, NewObject, PageRequest, Storage, StorageError, TreeError, MAX_PAGE_BYTES,
		MAX_REMOVAL_BYTES,
	},
	trie::{NodeSet, Recording},
	AccountId, ObjectFlags, ObjectTree, Owner, TrieStorage,
};
use sp_core::{ecdsa, ed25519, sr25519, Pair, H256};

fn hashed() -> NewObject {
	NewObject { flags: ObjectFlags::hashed_keys(), ..Default::default() }
}

/// Every call that could change `object`, which has a child `kid` and a field `x`.
fn all_calls(object: &str) -> Vec<Call> {
	vec![
		create(object, "new"),
		set(object, &[("x", b"2")]),
		unset(object, &["x"]),
		Call::Transfer { object: path(object), to: account(2) },
		Call::Share { object: path(object) },
		Call::Freeze { object: path(object) },
		Call::Remove { object: path(object) },
		Call::RemoveRecursive { object: path(object) },
		Call::Remove { object: path(&format!("{object}/kid")) },
		Call::RemoveRecursive { object: path(&format!("{object}/kid")) },
	]
}

#[test]
fn a_frozen_object_is_changed_by_no_call() {
	let nodes = CountedNodes::default();
	let mut tree = fresh(&nodes);
	let owner = account(1);
	assert_eq!(
		run(&mut tree, &owner, create_as("/", "a", ObjectFlags::hashed_keys())),
		CallStatus::Applied
	);
	run(&mut tree, &owner, create("/a", "kid"));
	run(&mut tree, &owner, set("/a", &[("x", b"1")]));
	run(&mut tree, &owner, Call::Freeze { object: path("/a") });
	let object = tree.resolve(&path("/a")).unwrap();
	let before = tree.meta(&object).unwrap();
	for call in all_calls("/a") {
		assert_eq!(run(&mut tree, &owner, call), failed(TreeError::Frozen));
	}
	// Through the parent, and under the system's name.
	assert_eq!(
		run(&mut tree, &owner, Call::RemoveRecursive { object: path("/") }),
		failed(TreeError::IsRoot)
	);
	for actor in [Actor::System, Actor::Account(owner.clone())] {
		assert_eq!(tree.remove(&actor, &object), Err(TreeError::Frozen));
		assert_eq!(tree.freeze(&actor, &object), Err(TreeError::Frozen));
		let location = crate::proofs::location(0);
		assert_eq!(
			tree.create_remote(&actor, &object, &key("r"), H256::zero(), location),
			Err(TreeError::Frozen)
		);
	}
	assert_eq!(tree.meta(&object).unwrap(), before);
	// Descendants still change, and so does the frozen object's root.
	let root = tree.storage().object_root(&object);
	assert_eq!(run(&mut tree, &owner, set("/a/kid", &[("x", b"1")])), CallStatus::Applied);
	assert_ne!(tree.storage().object_root(&object), root);
	assert_eq!(tree.meta(&object).unwrap(), before);
	// A parent with a frozen descendant stays.
	run(&mut tree, &owner, create("/", "b"));
	run(&mut tree, &owner, create("/b", "c"));
	run(&mut tree, &owner, Call::Freeze { object: path("/b/c") });
	assert_eq!(
		run(&mut tree, &owner, Call::RemoveRecursive { object: path("/b") }),
		failed(TreeError::Frozen)
	);
}

#[test]
fn strangers_change_nothing() {
	let nodes = CountedNodes::default();
	let mut tree = fresh(&nodes);
	let owner = account(1);
	run(&mut tree, &owner, create_as("/", "a", ObjectFlags::hashed_keys()));
	run(&mut tree, &owner, create("/a", "kid"));
	run(&mut tree, &owner, set("/a", &[("x", b"1")]));
	let object = tree.resolve(&path("/a")).unwrap();
	let root = tree.storage().object_root(&object);
	for call in all_calls("/a") {
		assert_eq!(run(&mut tree, &account(9), call), failed(TreeError::NotOwner));
	}
	assert_eq!(tree.storage().object_root(&object), root);
	let zero = Call::Transfer { object: path("/a"), to: AccountId::new([0; 32]) };
	assert_eq!(run(&mut tree, &owner, zero), failed(TreeError::ZeroOwner));
	assert_eq!(
		run(&mut tree, &owner, Call::Transfer { object: path("/a"), to: account(9) }),
		CallStatus::Applied
	);
	assert_eq!(run(&mut tree, &owner, set("/a", &[("x", b"2")])), failed(TreeError::NotOwner));
}

#[test]
fn a_shared_object_takes_children_of_everybody_and_nothing_else() {
	let nodes = CountedNodes::default();
	let mut tree = fresh(&nodes);
	let owner = account(1);
	run(&mut tree, &owner, create("/", "raw"));
	assert_eq!(
		run(&mut tree, &owner, Call::Share { object: path("/raw") }),
		failed(TreeError::SharedNeedsHashedKeys)
	);
	run(&mut tree, &owner, create_as("/", "a", ObjectFlags::hashed_keys()));
	run(&mut tree, &owner, set("/a", &[("x", b"1")]));
	run(&mut tree, &owner, create("/a", "kid"));
	run(&mut tree, &owner, Call::Share { object: path("/a") });
	for call in all_calls("/a").into_iter().skip(1).take(7) {
		assert_eq!(run(&mut tree, &owner, call), failed(TreeError::SharedReadOnly));
	}
	assert_eq!(run(&mut tree, &account(9), create("/a", "theirs")), CallStatus::Applied);
	assert_eq!(
		run(&mut tree, &owner, Call::Remove { object: path("/a/theirs") }),
		failed(TreeError::NotOwner)
	);
	assert_eq!(
		run(&mut tree, &account(9), Call::Remove { object: path("/a/theirs") }),
		CallStatus::Applied
	);
}

#[test]
fn bad_batches_change_nothing() {
	let nodes = CountedNodes::default();
	let mut tree = fresh(&nodes);
	let owner = account(1);
	assert_eq!(run(&mut tree, &owner, set("/", &[])), failed(TreeError::EmptyBatch));
	assert_eq!(run(&mut tree, &owner, unset("/", &[])), failed(TreeError::EmptyBatch));
	assert_eq!(
		run(&mut tree, &owner, set("/", &[("a", b"1"), ("b", b"2"), ("a", b"1")])),
		failed(TreeError::DuplicateKey)
	);
	assert_eq!(run(&mut tree, &owner, unset("/", &["a", "a"])), failed(TreeError::DuplicateKey));
	let meta = tree.meta(&SUBTREE).unwrap().unwrap();
	assert_eq!((meta.fields, meta.revision), (0, 0));
	let fields: Vec<_> = (0..257u16).map(|n| (key(n.to_be_bytes()), value(*b"x"))).collect();
	assert_eq!(
		tree.set_fields(&Actor::Account(owner), &SUBTREE, &fields),
		Err(TreeError::BatchTooLong)
	);
}

#[test]
fn depth_and_keys_are_bounded() {
	let nodes = CountedNodes::default();
	let mut tree = fresh(&nodes);
	let owner = account(1);
	let long = "k".repeat(64);
	let mut at = String::from("/");
	for _ in 0..MAX_DEPTH {
		assert_eq!(run(&mut tree, &owner, create(&at, &long)), CallStatus::Applied);
		at = format!("{}/{long}", at.trim_end_matches('/'));
	}
	assert_eq!(run(&mut tree, &owner, create(&at, "x")), failed(TreeError::TooDeep));
	assert_eq!(run(&mut tree, &owner, set(&at, &[("x", &[1; 16 * 1024])])), CallStatus::Applied);
	let below = "/a".repeat(32);
	assert_eq!(
		run(&mut tree, &owner, set(&below, &[("x", b"1")])),
		failed(TreeError::ObjectNotFound)
	);
	assert_eq!(run(&mut tree, &owner, create("/", "account")), failed(TreeError::ReservedKey));
	assert_eq!(run(&mut tree, &owner, create(&format!("/{long}"), "account")), CallStatus::Applied);
	assert_eq!(
		run(&mut tree, &owner, Call::RemoveRecursive { object: path(&format!("/{long}")) }),
		CallStatus::Applied
	);
}

#[test]
fn an_object_that_comes_back_is_empty() {
	let nodes = CountedNodes::default();
	let mut tree = fresh(&nodes);
	let owner = account(1);
	run(&mut tree, &owner, create("/", "a"));
	run(&mut tree, &owner, create("/a", "kid"));
	run(&mut tree, &owner, set("/a", &[("x", &[1; 100])]));
	assert_eq!(run(&mut tree, &owner, create("/", "a")), failed(TreeError::ObjectExists));
	assert_eq!(
		run(&mut tree, &owner, Call::Remove { object: path("/a") }),
		failed(TreeError::HasChildren)
	);
	run(&mut tree, &owner, Call::RemoveRecursive { object: path("/a") });
	assert_eq!(
		run(&mut tree, &owner, set("/a/kid", &[("x", b"1")])),
		failed(TreeError::ObjectNotFound)
	);
	run(&mut tree, &owner, create("/", "a"));
	let object = tree.resolve(&path("/a")).unwrap();
	assert_eq!(tree.field(&object, &key("x")), Ok(None));
	assert_eq!(tree.child(&object, &key("kid")), Ok(None));
	assert_eq!(tree.resolve(&path("/a/kid")), Err(TreeError::ObjectNotFound));
}

#[test]
fn one_operation_may_create_remove_and_create_again_and_be_undone() {
	let nodes = CountedNodes::default();
	let mut tree = fresh(&nodes);
	let actor = Actor::Account(account(1));
	let old = tree.create(&actor, &SUBTREE, &key("old"), Default::default()).unwrap();
	tree.set_fields(&actor, &old, &[(key("x"), value([1; 50]))]).unwrap();
	let before = store(&mut tree);
	let counts = nodes.counts();
	for round in 0..4 {
		tree.remove(&actor, &old).unwrap();
		let again = tree.create(&actor, &SUBTREE, &key("old"), hashed()).unwrap();
		assert_eq!(again, old);
		assert_eq!(tree.field(&again, &key("x")), Ok(None));
		tree.set_fields(&actor, &again, &[(key("y"), value([2; 50]))]).unwrap();
		let kid = tree.create(&actor, &again, &key("kid"), Default::default()).unwrap();
		if round % 2 == 0 {
			tree.commit_roots().unwrap();
			tree.set_fields(&actor, &kid, &[(key("z"), value([3; 50]))]).unwrap();
		}
		if round > 1 {
			tree.remove_recursive(&actor, &again, 100).unwrap();
			tree.commit_roots().unwrap();
		}
		tree.storage_mut().discard();
		assert_eq!(tree.storage().namespace_root(), before);
		assert_eq!(tree.field(&old, &key("x")).unwrap(), Some(value([1; 50])));
		assert_eq!(tree.meta(&kid), Ok(None));
		assert_eq!(tree.commit_roots(), Ok(vec![]));
		assert!(tree.storage_mut().take_node_changes().is_empty());
	}
	tree.remove(&actor, &old).unwrap();
	tree.create(&actor, &SUBTREE, &key("old"), Default::default()).unwrap();
	tree.set_fields(&actor, &old, &[(key("x"), value([1; 50]))]).unwrap();
	store(&mut tree);
	// The object is what it was; only the root object's facts, its entries' node and itself are new.
	let kept = nodes.counts().keys().filter(|hash| counts.contains_key(hash)).count();
	assert_eq!(nodes.counts().len(), counts.len());
	assert!(kept + 3 >= counts.len(), "{kept} of {}", counts.len());
}

#[test]
fn discard_forgets_what_a_half_computed_root_wrote_above() {
	let nodes = CountedNodes::default();
	let mut tree = fresh(&nodes);
	let actor = Actor::Account(account(1));
	let objects: Vec<_> = ["a", "b"]
		.iter()
		.map(|name| tree.create(&actor, &SUBTREE, &key(name), hashed()).unwrap())
		.collect();
	for object in &objects {
		tree.set_fields(
			&actor,
			object,
			&[(key("x"), value([object.0[0]; 50])), (key("y"), value([object.0[1]; 60]))],
		)
		.unwrap();
	}
	let before = store(&mut tree);
	let entries = |tree: &Tree| {
		["a", "b"].map(|name| tree.child(&SUBTREE, &key(name)).unwrap().unwrap().state_root)
	};
	let roots = entries(&tree);
	// One of the two cannot be computed: the one whose turn is last.
	let last = *objects.iter().max().unwrap();
	for object in &objects {
		tree.transfer(&actor, object, &account(2)).unwrap();
	}
	let missing = tree.storage().object_root(&last).unwrap();
	let node = nodes.take(&missing).unwrap();
	assert_eq!(tree.commit_roots(), Err(StorageError::MissingNode(missing).into()));
	tree.storage_mut().discard();
	nodes.0.lock().unwrap().insert(missing, node);
	assert_eq!(entries(&tree), roots, "nothing is left of the half that was computed");
	tree.set_fields(&actor, &SUBTREE, &[(key("n"), value(*b"1"))]).unwrap();
	tree.remove_fields(&actor, &SUBTREE, &[key("n")]).unwrap();
	tree.storage_mut().discard();
	assert_eq!(store(&mut tree), before);
}

#[test]
fn a_removed_object_was_marked_dirty() {
	let mut tree =
		ObjectTree::new(TrieStorage::new(SUBTREE, dstp_primitives::trie::empty_root(), ()));
	tree.init_namespace(Owner::System, Default::default()).unwrap();
	let object = tree.create(&Actor::System, &SUBTREE, &key("a"), Default::default()).unwrap();
	tree.commit_roots().unwrap();
	tree.storage_mut().accept();
	tree.remove(&Actor::System, &object).unwrap();
	let mut dirty = tree.storage_mut().take_dirty();
	dirty.sort();
	let mut expected = vec![SUBTREE, object];
	expected.sort();
	assert_eq!(dirty, expected);
}

#[test]
fn paging_survives_deletion_and_is_pinned_by_a_root() {
	let nodes = CountedNodes::default();
	let mut tree = fresh(&nodes);
	let actor = Actor::Account(account(1));
	let fields: Vec<_> = (0..20u8).map(|n| (key([b'k', 2 * n]), value([n]))).collect();
	tree.set_fields(&actor, &SUBTREE, &fields).unwrap();
	let pinned = store(&mut tree);
	let request = |cursor: Option<&dstp_primitives::Key>| PageRequest {
		prefix: vec![],
		cursor: cursor.cloned(),
		limit: 5,
	};
	let first = tree.fields(&SUBTREE, &request(None)).unwrap();
	let cursor = first.next.clone().unwrap();
	// Old nodes stay, as in a database that keeps its history.
	let changes = [(key([b'k', 1]), value([9])), (key([b'k', 9]), value([9]))];
	tree.set_fields(&actor, &SUBTREE, &changes).unwrap();
	tree.remove_fields(&actor, &SUBTREE, &[cursor.clone(), key([b'k', 12])]).unwrap();
	let second = tree.fields(&SUBTREE, &request(Some(&cursor))).unwrap();
	let keys: Vec<_> = second.entries.iter().map(|(key, _)| key.as_slice()[1]).collect();
	assert_eq!(
		keys,
		[9, 10, 14, 16, 18],
		"uncommitted changes are seen, and the deleted cursor keeps its place"
	);
	tree.commit_roots().unwrap();
	tree.storage_mut().accept();
	assert_eq!(tree.fields(&SUBTREE, &request(Some(&cursor))).unwrap(), second);
	let old = ObjectTree::new(TrieStorage::new(SUBTREE, pinned, &nodes));
	let page = old.fields(&SUBTREE, &request(Some(&cursor))).unwrap();
	assert_eq!(
		page.entries.iter().map(|(key, _)| key.as_slice()[1]).collect::<Vec<_>>(),
		[10, 12, 14, 16, 18]
	);
	for limit in [0, 1001] {
		assert_eq!(
			tree.fields(&SUBTREE, &PageRequest { limit, ..request(None) }),
			Err(TreeError::BadPage)
		);
	}
	let long = PageRequest { prefix: vec![b'k'; 65], ..request(None) };
	assert_eq!(tree.fields(&SUBTREE, &long), Err(TreeError::BadPage));
}

#[test]
fn a_page_of_large_values_ends_early_and_can_be_proven() {
	let nodes = CountedNodes::default();
	let mut tree = fresh(&nodes);
	let actor = Actor::Account(account(1));
	for n in 0..200u8 {
		tree.set_fields(
			&actor,
			&SUBTREE,
			&[(key([n]), value([&[n; 16 * 1024 - 1][..], &[1]].concat()))],
		)
		.unwrap();
	}
	let root = store(&mut tree);
	let mut request = PageRequest { limit: 1000, ..Default::default() };
	let mut total = 0;
	loop {
		let page = tree.fields(&SUBTREE, &request).unwrap();
		let bytes: usize = page.entries.iter().map(|(_, value)| value.len()).sum();
		assert!(bytes <= MAX_PAGE_BYTES + 16 * 1024);
		let query = Query {
			page: Some(dstp_primitives::proof::PageQuery {
				kind: dstp_primitives::proof::PageKind::Fields,
				request: request.clone(),
			}),
			..Default::default()
		};
		let from = TrustedRoot { object: SUBTREE, root };
		let (proof, _) = Proof::make(from, &nodes, query).unwrap();
		proof.check(from).unwrap();
		total += page.entries.len();
		request.cursor = page.next;
		if request.cursor.is_none() {
			break;
		}
	}
	assert_eq!(total, 200);
}

/// An object with 256 fields of the largest size, 4 MiB in all.
fn large_object(tree: &mut Tree) {
	let actor = Actor::Account(account(1));
	let object = tree.create(&actor, &SUBTREE, &key("big"), Default::default()).unwrap();
	for n in 0..=255u8 {
		tree.set_fields(
			&actor,
			&object,
			&[(key([n]), value([&[n; 16 * 1024 - 1][..], &[1]].concat()))],
		)
		.unwrap();
	}
	store(tree);
}

#[test]
fn the_witness_of_a_call_that_reads_too_much_is_bounded_too() {
	let nodes = CountedNodes::default();
	let mut tree = fresh(&nodes);
	large_object(&mut tree);
	let fields: Vec<_> = (0..=255u8).map(|n| (key([n]), value(*b"x"))).collect();
	let calls = [
		Call::SetFields { object: path("/big"), fields: fields.clone().try_into().unwrap() },
		Call::RemoveFields {
			object: path("/big"),
			keys: fields.into_iter().map(|(key, _)| key).collect::<Vec<_>>().try_into().unwrap(),
		},
		Call::Remove { object: path("/big") },
	];
	for (nonce, call) in calls.into_iter().enumerate() {
		let pre_root = tree.storage().namespace_root();
		let payload = payload(&account(1), nonce as u64, call);
		let execution = execute(&mut tree, &payload, Recording::keeping()).unwrap();
		assert_eq!(execution.status, failed(TreeError::WitnessTooLarge));
		assert!(execution.witness_bytes > MAX_WITNESS_BYTES);
		assert!(
			execution.witness_bytes <= MAX_WITNESS_BYTES + 20_000,
			"{} bytes",
			execution.witness_bytes
		);
		let witness = NodeSet::from_trusted(tree.storage_mut().record(Recording::Off).into_nodes());
		for recording in [Recording::Off, Recording::counting(), Recording::keeping()] {
			let mut verifier = ObjectTree::new(TrieStorage::new(SUBTREE, pre_root, &witness));
			assert_eq!(execute(&mut verifier, &payload, recording), Ok(execution.clone()));
		}
		let changes = tree.storage_mut().take_node_changes();
		nodes.apply(changes);
	}
	assert_eq!(next_nonce(&tree, &account(1)), Ok(3));
}

#[test]
fn large_values_can_always_be_removed_recursively() {
	let nodes = CountedNodes::default();
	let mut tree = fresh(&nodes);
	large_object(&mut tree);
	let mut calls = 0;
	while tree.child(&SUBTREE, &key("big")).unwrap().is_some() {
		assert_eq!(
			run(&mut tree, &account(1), Call::RemoveRecursive { object: path("/big") }),
			CallStatus::Applied
		);
		calls += 1;
		assert!(calls <= 1 + 4 * 1024 * 1024 / MAX_REMOVAL_BYTES, "{calls} calls");
	}
	assert!(nodes.counts().len() <= 4);
}

#[test]
fn a_long_lived_namespace_forgets_positions_not_content() {
	let nodes = CountedNodes::default();
	let mut tree = fresh(&nodes);
	let owner = account(1);
	run(&mut tree, &owner, create("/", "a"));
	let object = tree.resolve(&path("/a")).unwrap();
	tree.storage_mut().forget_surplus();
	assert!(tree.meta(&object).unwrap().is_some(), "few objects are remembered");
	assert_eq!(run(&mut tree, &owner, set("/a", &[("x", b"1")])), CallStatus::Applied);
	let actor = Actor::Account(owner.clone());
	for n in 0..65_536u32 {
		tree.create(&actor, &object, &key(n.to_be_bytes()), Default::default()).unwrap();
	}
	tree.storage_mut().forget_surplus();
	assert!(tree.meta(&object).unwrap().is_some(), "nothing is forgotten while there are changes");
	let root = store(&mut tree);
	tree.storage_mut().forget_surplus();
	assert_eq!(tree.meta(&object).unwrap(), None);
	assert_eq!(tree.storage().namespace_root(), root);
	assert_eq!(run(&mut tree, &owner, set("/a", &[("x", b"2")])), CallStatus::Applied);
	assert_eq!(tree.field(&object, &key("x")).unwrap(), Some(value(*b"2")));
}

#[test]
fn a_signature_has_one_form() {
	let message = b"dstp/call/v1 and so on";
	let pair = ecdsa::Pair::from_seed(&[5; 32]);
	let signer = AccountId::new(sp_crypto_hashing::blake2_256(&pair.public().0));
	let signature = pair.sign(message).0;
	assert!(Signature::Ecdsa(signature).verify(message, &signer));
	let mut twin = signature;
	twin[64] += 27;
	assert!(!Signature::Ecdsa(twin).verify(message, &signer), "the recovery id has one form");
	let mut high = signature;
	high[32..64].copy_from_slice(&negated(&signature[32..64]));
	high[64] ^= 1;
	assert!(!Signature::Ecdsa(high).verify(message, &signer), "s is low");
	for bits in 0..65 * 8 {
		let mut changed = signature;
		changed[bits / 8] ^= 1 << (bits % 8);
		assert!(!Signature::Ecdsa(changed).verify(message, &signer));
	}
	let (one, two) = (sr25519::Pair::from_seed(&[6; 32]), ed25519::Pair::from_seed(&[6; 32]));
	let (one_id, two_id) = (AccountId::new(one.public().0), AccountId::new(two.public().0));
	assert!(Signature::from(one.sign(message)).verify(message, &one_id));
	assert!(Signature::from(two.sign(message)).verify(message, &two_id));
	assert!(
		!Signature::Sr25519(two.sign(message).0).verify(message, &two_id),
		"the kind is part of the signature"
	);
	assert!(!Signature::from(one.sign(message)).verify(b"another message", &one_id));
	assert!(!Signature::from(one.sign(message)).verify(message, &two_id));
}

/// The order of secp256k1 minus `s`.
fn negated(s: &[u8]) -> [u8; 32] {
	let order =
		hex::decode("fffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141").unwrap();
	let mut out = [0u8; 32];
	let mut borrow = 0i16;
	for at in (0..32).rev() {
		let digit = i16::from(order[at]) - i16::from(s[at]) - borrow;
		borrow = i16::from(digit < 0);
		out[at] = digit.rem_euclid(256) as u8;
	}
	out
}
