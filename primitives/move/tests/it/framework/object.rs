//! `object`: objects of the tree in the hands of contracts.

use super::with_contracts;
use crate::support::*;
use codec::Encode;
use dstp_move::{
	natives::{abort, MAX_OBJECT_CHANGES},
	Engine, MoveError, Outcome, View,
};
use dstp_primitives::{
	contract::{accounts_key, ContractChange, ContractField},
	object::{contract_field_key, KeyLayout, ObjectFlags},
	tree::Actor,
	trie::{NodeSet, Recording},
	AccountId, Key, ObjectId, ObjectTree, Owner, Storage, TreeError, TrieStorage,
};
use move_binary_format::{file_format::Bytecode, CompiledModule};

const BOX: &str = include_str!("../contracts/objects.move");

fn account(id: ObjectId) -> AccountId {
	AccountId::new(id.0)
}

fn key(text: &str) -> Key {
	Key::try_from(text).unwrap()
}

/// The object of the author below the root.
fn thing() -> ObjectId {
	SUBTREE.child(&key("thing"))
}

fn path() -> Vec<u8> {
	bcs(vec![b"thing".to_vec()])
}

fn with_thing() -> Tree {
	let mut tree = with_contracts(&[BOX]);
	run(&mut tree, AUTHOR, "create", vec![bcs(SUBTREE.0), bcs(b"thing".to_vec()), bcs(true)])
		.unwrap();
	tree
}

/// Calls a function of the contract and applies what it changes.
fn run(
	tree: &mut Tree,
	signer: ObjectId,
	name: &str,
	arguments: Vec<Vec<u8>>,
) -> Result<Outcome, MoveError> {
	let outcome = call(tree, signer, &format!("objects::{name}"), arguments)?;
	commit(tree, &outcome);
	Ok(outcome)
}

fn code(result: Result<Outcome, MoveError>) -> u64 {
	match result {
		Err(MoveError::Aborted { code, .. }) => code,
		other => panic!("{other:?}"),
	}
}

fn field(tree: &Tree, name: &str) -> Option<Vec<u8>> {
	let field = tree.contract_field(&thing(), &key(name)).unwrap();
	field.map(|ContractField { value, .. }| value.into_inner())
}

#[test]
fn an_object_has_the_id_that_the_tree_gives_it() {
	let tree = with_thing();
	let meta = tree.meta(&thing()).unwrap().unwrap();
	assert_eq!(meta.owner, Owner::Account(account(AUTHOR)));
	assert_eq!(meta.flags, ObjectFlags::hashed_keys());
	let mut tree = with_thing();
	let derived = view(&mut tree, "objects::child", vec![bcs(SUBTREE.0), bcs(b"thing".to_vec())]);
	assert_eq!(derived, Ok(vec![bcs(thing().0)]));
	assert_eq!(view(&mut tree, "objects::stands", vec![path()]), Ok(vec![vec![1]]));
	let other = bcs(vec![b"other".to_vec()]);
	assert_eq!(view(&mut tree, "objects::stands", vec![other]), Ok(vec![vec![0]]));
	let below = bcs(vec![b"other".to_vec(), b"below".to_vec()]);
	assert_eq!(view(&mut tree, "objects::stands", vec![below]), Ok(vec![vec![0]]));
}

/// The machine would drop what an entry function returns: an object that stays open keeps its fields, and the value that was taken
/// from one is there twice.
#[test]
fn an_open_object_does_not_leave_by_a_returned_value() {
	const LEAK: &str = "module author::leak {
		use dstp::object;
		public entry fun keep(owner: &signer, path: vector<vector<u8>>, key: vector<u8>): object::Open {
			let open = object::open(owner, object::find(path));
			object::remove<u64>(&mut open, key);
			open
		}
	}";
	let mut tree = with_contracts(&[BOX, LEAK]);
	run(&mut tree, AUTHOR, "create", vec![bcs(SUBTREE.0), bcs(b"thing".to_vec()), bcs(true)])
		.unwrap();
	run(&mut tree, AUTHOR, "put", vec![path(), bcs(b"f".to_vec()), bcs(5u64)]).unwrap();
	let refused = call(&mut tree, AUTHOR, "leak::keep", vec![path(), bcs(b"f".to_vec())]);
	assert!(
		matches!(refused, Err(MoveError::NotCallable { problem, .. }) if problem.contains("returns")),
		"{refused:?}"
	);
}

#[test]
fn natives_are_not_viewed() {
	let mut tree = with_thing();
	let mut function = function("object::child", vec![bcs(SUBTREE.0), bcs(b"thing".to_vec())]);
	function.module.address = dstp_move::natives::FRAMEWORK;
	let engine = Engine::new();
	let view = View { function, context: context() };
	let refused = engine.view(&mut tree, view, &plenty()).unwrap_err().error;
	assert!(
		matches!(refused, MoveError::NotCallable { problem, .. } if problem.contains("Rust")),
		"{refused:?}"
	);
}

#[test]
fn fields_are_added_changed_read_and_removed() {
	let mut tree = with_thing();
	run(&mut tree, AUTHOR, "put", vec![path(), bcs(b"f".to_vec()), bcs(5u64)]).unwrap();
	assert_eq!(field(&tree, "f"), Some(bcs(5u64)));
	assert_eq!(tree.meta(&thing()).unwrap().unwrap().fields, 1);
	let outcome = run(&mut tree, AUTHOR, "raise", vec![path(), bcs(b"f".to_vec())]).unwrap();
	assert!(
		matches!(&outcome.changes[..], [ContractChange::SetField { object, .. }] if *object == thing())
	);
	assert_eq!(field(&tree, "f"), Some(bcs(6u64)));
	let read = view(&mut tree, "objects::read", vec![path(), bcs(b"f".to_vec())]);
	assert_eq!(read, Ok(vec![bcs(6u64)]));
	let looked =
		run(&mut tree, AUTHOR, "look", vec![path(), bcs(b"f".to_vec()), bcs(6u64)]).unwrap();
	assert!(looked.changes.is_empty(), "reading writes nothing");
	run(&mut tree, AUTHOR, "take", vec![path(), bcs(b"f".to_vec())]).unwrap();
	assert_eq!((field(&tree, "f"), tree.meta(&thing()).unwrap().unwrap().fields), (None, 0));
}

#[test]
fn a_field_keeps_its_type() {
	let mut tree = with_thing();
	let f = || bcs(b"f".to_vec());
	run(&mut tree, AUTHOR, "put", vec![path(), f(), bcs(5u64)]).unwrap();
	assert_eq!(
		code(run(&mut tree, AUTHOR, "put", vec![path(), f(), bcs(5u64)])),
		abort::FIELD_EXISTS
	);
	assert_eq!(code(run(&mut tree, AUTHOR, "put_text", vec![path(), f()])), abort::FIELD_EXISTS);
	assert_eq!(code(run(&mut tree, AUTHOR, "look_text", vec![path(), f()])), abort::OTHER_TYPE);
	assert_eq!(code(run(&mut tree, AUTHOR, "take_text", vec![path(), f()])), abort::OTHER_TYPE);
	let g = || bcs(b"g".to_vec());
	let in_memory = run(&mut tree, AUTHOR, "put_and_take_text", vec![path(), g()]);
	assert_eq!(code(in_memory), abort::OTHER_TYPE);
	let looked = run(&mut tree, BOB, "look", vec![path(), f(), bcs(5u64)]);
	assert_eq!(code(looked), abort::refusal(&TreeError::NotOwner), "nobody else opens it");
	assert_eq!(
		code(run(&mut tree, AUTHOR, "take", vec![path(), bcs(b"g".to_vec())])),
		abort::NO_FIELD
	);
	run(&mut tree, AUTHOR, "turn_into_text", vec![path(), f()]).unwrap();
	assert_eq!(field(&tree, "f"), Some(bcs(b"text".to_vec())));
	assert_eq!(code(run(&mut tree, AUTHOR, "raise", vec![path(), f()])), abort::OTHER_TYPE);
}

#[test]
fn what_is_added_and_removed_in_one_call_leaves_nothing() {
	let mut tree = with_thing();
	let outcome = run(&mut tree, AUTHOR, "come_and_go", vec![path(), bcs(b"f".to_vec())]).unwrap();
	assert!(outcome.changes.is_empty(), "{outcome:?}");
}

#[test]
fn only_who_may_write_opens_an_object() {
	let mut tree = with_thing();
	let put =
		|tree: &mut Tree, who| run(tree, who, "put", vec![path(), bcs(b"f".to_vec()), bcs(1u64)]);
	assert_eq!(code(put(&mut tree, BOB)), abort::refusal(&TreeError::NotOwner));
	run(&mut tree, AUTHOR, "transfer", vec![path(), bcs(BOB.0)]).unwrap();
	assert_eq!(code(put(&mut tree, AUTHOR)), 0x30102);
	put(&mut tree, BOB).unwrap();
	let zero = run(&mut tree, BOB, "transfer", vec![path(), bcs([0u8; 32])]);
	assert_eq!(code(zero), abort::refusal(&TreeError::ZeroOwner));
	run(&mut tree, BOB, "freeze_it", vec![path()]).unwrap();
	let raised = run(&mut tree, BOB, "raise", vec![path(), bcs(b"f".to_vec())]);
	assert_eq!(code(raised), abort::refusal(&TreeError::Frozen));
	let read = view(&mut tree, "objects::read", vec![path(), bcs(b"f".to_vec())]);
	assert_eq!(read, Ok(vec![bcs(1u64)]), "everybody reads");
}

#[test]
fn sharing_needs_hashed_keys_and_lets_strangers_create() {
	let mut tree = with_thing();
	let create = |tree: &mut Tree, who, parent: ObjectId, name: &str, hashed: bool| {
		let arguments = vec![bcs(parent.0), bcs(name.as_bytes().to_vec()), bcs(hashed)];
		run(tree, who, "create", arguments)
	};
	create(&mut tree, AUTHOR, SUBTREE, "raw", false).unwrap();
	let shared = run(&mut tree, AUTHOR, "share", vec![bcs(vec![b"raw".to_vec()])]);
	assert_eq!(code(shared), abort::refusal(&TreeError::SharedNeedsHashedKeys));
	assert_eq!(code(create(&mut tree, BOB, SUBTREE, "b", true)), 0x30102);
	assert_eq!(code(create(&mut tree, AUTHOR, SUBTREE, "raw", true)), 0x30101);
	assert_eq!(code(create(&mut tree, AUTHOR, SUBTREE, "account", true)), 0x30105);
	assert_eq!(code(create(&mut tree, AUTHOR, SUBTREE, "", true)), abort::BAD_KEY);
	assert_eq!(code(create(&mut tree, AUTHOR, SUBTREE, &"k".repeat(65), true)), abort::BAD_KEY);
	assert_eq!(code(create(&mut tree, AUTHOR, thing(), "x", true)), abort::UNKNOWN_OBJECT);
	run(&mut tree, AUTHOR, "share", vec![path()]).unwrap();
	let below = run(&mut tree, BOB, "create_below", vec![path(), bcs(b"b".to_vec())]).unwrap();
	assert!(
		matches!(&below.changes[..], [ContractChange::CreateObject { parent, .. }] if *parent == thing())
	);
	let meta = tree.meta(&thing().child(&key("b"))).unwrap().unwrap();
	assert_eq!(meta.owner, Owner::Account(account(BOB)));
}

#[test]
fn an_object_is_open_once() {
	let mut tree = with_thing();
	run(&mut tree, AUTHOR, "put", vec![path(), bcs(b"f".to_vec()), bcs(5u64)]).unwrap();
	for name in ["open_twice", "read_while_open", "transfer_while_open", "freeze_while_open"] {
		let refused = run(&mut tree, AUTHOR, name, vec![path(), bcs(b"f".to_vec())]);
		assert_eq!(code(refused), abort::OPEN_OBJECT, "{name}");
	}
	run(&mut tree, AUTHOR, "open_again_after_close", vec![path(), bcs(b"f".to_vec())]).unwrap();
	assert_eq!(field(&tree, "f"), Some(bcs(7u64)));
}

#[test]
fn a_second_reference_to_a_field_is_refused_by_the_verifier() {
	let source = "module author::twice {
		use dstp::object;
		public fun f(o: &mut object::Open) {
			let one = object::borrow_mut<u64>(o, b\"f\");
			*one = 1;
			let other = object::borrow_mut<u64>(o, b\"f\");
			*other = 2;
		}
	}";
	let mut tree = with_thing();
	let code = super::package::compile_contracts(&[source]).remove(0);
	let mut module = CompiledModule::deserialize(&code).unwrap();
	// What no compiler writes: the first reference is used after the second was taken.
	let body = &mut module.function_defs[0].code.as_mut().unwrap().code;
	let write = body.iter().position(|code| *code == Bytecode::WriteRef).unwrap();
	let first: Vec<_> = body.drain(write - 2..=write).collect();
	let end = body.len() - 1;
	body.splice(end..end, first);
	let mut changed = Vec::new();
	module.serialize(&mut changed).unwrap();
	publish_code(&mut tree, AUTHOR, vec![code]).unwrap();
	let refused = publish_code(&mut tree, AUTHOR, vec![changed]);
	assert!(
		matches!(&refused, Err(MoveError::Rejected { reason, .. }) if reason.contains("BORROW")),
		"{refused:?}"
	);
}

#[test]
fn an_open_object_is_neither_kept_nor_dropped() {
	let module = |body: &str| {
		format!(
			"module author::bad {{
				use dstp::object::Open;
				{body}
			}}"
		)
	};
	let fine = module("public fun f(o: Open) { dstp::object::close(o) }");
	assert!(super::package::compiles(&[&fine]));
	for body in ["struct Keep has key { open: Open }", "public fun f(_o: Open) {}"] {
		assert!(!super::package::compiles(&[&module(body)]), "{body}");
	}
}

#[test]
fn open_objects_fields_and_changes_are_bounded() {
	let mut tree = with_thing();
	let mut many = |name: &str, count: u64| {
		let arguments = vec![path(), bcs(count)];
		call(&mut tree, AUTHOR, &format!("objects::{name}"), arguments)
	};
	assert_eq!(many("many_fields", 256).unwrap().changes.len(), 256);
	assert_eq!(code(many("many_fields", 257)), abort::MANY_OBJECTS);
	assert_eq!(many("many_children", 256).unwrap().changes.len(), MAX_OBJECT_CHANGES);
	assert_eq!(code(many("many_children", 257)), abort::MANY_OBJECTS);
	many("deep", 64).unwrap();
	assert_eq!(code(many("deep", 65)), abort::MANY_OBJECTS);
	let mut large = |half: usize| {
		let arguments = vec![path(), bcs(vec![7u8; half])];
		call(&mut tree, AUTHOR, "objects::large", arguments)
	};
	// Two vectors with a length of three bytes each.
	let largest = large(32 * 1024 - 3).unwrap();
	assert!(
		matches!(&largest.changes[..], [ContractChange::SetField { value, .. }] if value.len() == 64 * 1024)
	);
	assert_eq!(code(large(32 * 1024 - 2)), abort::LARGE_FIELD);
	let long = vec![bcs(vec![b"k".to_vec(); 9])];
	let refused = view(&mut tree, "objects::stands", long);
	assert!(
		matches!(refused, Err(MoveError::Aborted { code: abort::BAD_PATH, .. })),
		"{refused:?}"
	);
}

#[test]
fn a_failed_call_leaves_nothing() {
	let mut tree = with_thing();
	let before = tree.storage().namespace_root();
	let failed = call(&mut tree, AUTHOR, "objects::put_and_abort", vec![path()]);
	assert_eq!(code(failed), 99);
	tree.commit_roots().unwrap();
	assert_eq!(tree.storage().namespace_root(), before);
	assert_eq!(field(&tree, "f"), None);
}

#[test]
fn changes_are_made_in_their_order() {
	let mut tree = with_thing();
	let outcome =
		run(&mut tree, AUTHOR, "a_whole_life", vec![bcs(b"life".to_vec()), bcs(BOB.0)]).unwrap();
	let kinds: Vec<_> = outcome
		.changes
		.iter()
		.map(|change| match change {
			ContractChange::CreateObject { .. } => "create",
			ContractChange::SetField { .. } => "set",
			ContractChange::TransferObject { .. } => "transfer",
			ContractChange::FreezeObject { .. } => "freeze",
			_ => "other",
		})
		.collect();
	assert_eq!(kinds, ["create", "set", "set", "transfer"]);
	let life = SUBTREE.child(&key("life"));
	assert_eq!(tree.meta(&life).unwrap().unwrap().owner, Owner::Account(account(BOB)));
}

#[test]
fn a_call_runs_again_from_its_witness() {
	let mut tree = with_thing();
	run(&mut tree, AUTHOR, "put", vec![path(), bcs(b"f".to_vec()), bcs(5u64)]).unwrap();
	let root = tree.storage().namespace_root();
	// A tree that knows no object but its root, as another node has it.
	tree.storage_mut().record(Recording::keeping());
	let outcome =
		call(&mut tree, AUTHOR, "objects::raise", vec![path(), bcs(b"f".to_vec())]).unwrap();
	let nodes = tree.storage_mut().record(Recording::Off).into_nodes();
	let mut witness =
		ObjectTree::new(TrieStorage::new(SUBTREE, root, NodeSet::from_trusted(nodes)));
	let call = dstp_move::Call {
		signer: AUTHOR,
		function: function("objects::raise", vec![path(), bcs(b"f".to_vec())]),
		context: context(),
	};
	let again = Engine::new().call(&mut witness, call, &plenty()).unwrap();
	assert_eq!(again, outcome);
	witness.apply_contract(&again.changes).unwrap();
}

#[test]
fn an_object_with_fields_of_contracts_is_not_removed() {
	let mut tree = with_thing();
	run(&mut tree, AUTHOR, "put", vec![path(), bcs(b"f".to_vec()), bcs(5u64)]).unwrap();
	let author = Actor::Account(account(AUTHOR));
	assert_eq!(tree.remove(&author, &thing()), Err(TreeError::HasContractFields));
	let progress = tree.remove_recursive(&author, &thing(), 100).unwrap();
	assert_eq!(progress.stopped, Some((thing(), TreeError::HasContractFields)));
	run(&mut tree, AUTHOR, "take", vec![path(), bcs(b"f".to_vec())]).unwrap();
	tree.remove(&author, &thing()).unwrap();
}

#[test]
fn what_belongs_to_the_system_is_read_and_not_written() {
	let mut tree = with_thing();
	let accounts = bcs(vec![accounts_key().as_slice().to_vec()]);
	let put = run(&mut tree, AUTHOR, "put", vec![accounts, bcs(b"f".to_vec()), bcs(1u64)]);
	assert_eq!(code(put), 0x30102);
}

#[test]
fn the_format_of_a_field_is_fixed() {
	let mut tree = with_thing();
	run(&mut tree, AUTHOR, "put", vec![path(), bcs(b"f".to_vec()), bcs(5u64)]).unwrap();
	let stored = |object: &ObjectId, key: &[u8]| tree.storage().get(object, key).unwrap();
	// Prefix, and in an object with hashed keys blake2-128 of the key, and the key.
	let hashed = [&[0x04][..], &sp_crypto_hashing::blake2_128(b"f"), b"f"].concat();
	// Tag, length and bytes of the type (2: u64), length and bytes of the value.
	assert_eq!(stored(&thing(), &hashed), Some(vec![0x06, 4, 2, 32, 5, 0, 0, 0, 0, 0, 0, 0]));
	assert_eq!(contract_field_key(KeyLayout::Hashed, &key("f")), hashed);
	assert_eq!(contract_field_key(KeyLayout::Raw, &key("f")), [0x04, b'f']);
	let indices = [
		ContractChange::RemoveField { actor: account(BOB), object: BOB, key: key("f") },
		ContractChange::TransferObject { actor: account(BOB), object: BOB, to: account(BOB) },
		ContractChange::ShareObject { actor: account(BOB), object: BOB },
		ContractChange::FreezeObject { actor: account(BOB), object: BOB },
	]
	.map(|change| change.encode()[0]);
	assert_eq!(indices, [5, 6, 7, 8]);
}
