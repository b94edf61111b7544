//! Calls and views.

use crate::support::*;
use dstp_move::{Call, Engine, Failed, MoveError};
use dstp_primitives::{
	contract::ContractChange,
	object::{module_key, resource_key},
	trie::{NodeSet, Recording},
	ObjectTree, TreeError, TrieStorage,
};

const COUNTER: &str = include_str!("contracts/counter.move");

fn with_counter() -> Tree {
	let mut tree = namespace();
	publish(&mut tree, AUTHOR, &[COUNTER]).unwrap();
	tree
}

#[test]
fn a_resource_is_written_by_a_call_and_read_by_a_view() {
	let mut tree = with_counter();
	let before = tree.storage().namespace_root();
	let outcome = call(&mut tree, ALICE, "counter::create", vec![]).unwrap();
	assert_eq!(tree.storage().namespace_root(), before, "the engine itself writes nothing");
	commit(&mut tree, &outcome);
	let outcome = call(&mut tree, ALICE, "counter::add", vec![bcs(5u64)]).unwrap();
	assert!(matches!(&outcome.changes[..],
		[ContractChange::SetResource { address: ALICE, value, .. }] if value.as_slice() == bcs(5u64)));
	commit(&mut tree, &outcome);
	assert_eq!(view(&mut tree, "counter::value", vec![bcs(ALICE.0)]), Ok(vec![bcs(5u64)]));

	let outcome = call(&mut tree, ALICE, "counter::close", vec![]).unwrap();
	assert!(matches!(outcome.changes[..], [ContractChange::RemoveResource { address: ALICE, .. }]));
	commit(&mut tree, &outcome);
	assert!(matches!(
		view(&mut tree, "counter::value", vec![bcs(ALICE.0)]),
		Err(MoveError::Failed { .. })
	));
}

/// The pinned bytes of `primitives/core/vectors/contracts.json` are those that the engine writes.
#[test]
fn resources_and_modules_stand_where_the_vectors_say() {
	let vectors = include_str!("../../../core/vectors/contracts.json");
	let hex = |bytes: &[u8]| bytes.iter().map(|byte| format!("{byte:02x}")).collect::<String>();
	let pinned = |bytes: &[u8]| assert!(vectors.contains(&format!("\"0x{}\"", hex(bytes))));
	let mut tree = namespace();
	publish(&mut tree, AUTHOR, &[include_str!("contracts/coin.move")]).unwrap();
	let outcome = call(&mut tree, AUTHOR, "coin::open", vec![bcs(1_000_000u64)]).unwrap();
	commit(&mut tree, &outcome);
	let [ContractChange::SetResource { address, type_tag, value }] = &outcome.changes[..] else {
		panic!("{outcome:?}")
	};
	assert_eq!(*address, AUTHOR);
	let key = resource_key(type_tag);
	let stored = tree.contract_value(&AUTHOR, &key).unwrap().unwrap();
	for bytes in [&address.0[..], type_tag, value, &key, &stored, &module_key(b"coin")] {
		pinned(bytes);
	}
	assert!(tree.contract_value(&AUTHOR, &module_key(b"coin")).unwrap().is_some());
}

#[test]
fn a_failed_call_has_no_changes_and_says_why() {
	let mut tree = with_counter();
	let created = call(&mut tree, ALICE, "counter::create", vec![]).unwrap();
	commit(&mut tree, &created);
	let module = format!("0x{}::counter", "aa".repeat(32));
	assert_eq!(
		call(&mut tree, ALICE, "counter::close", vec![]),
		Err(MoveError::Aborted { module: module.clone(), code: 7 })
	);
	let missing = call(&mut tree, BOB, "counter::add", vec![bcs(1u64)]);
	assert!(
		matches!(missing, Err(MoveError::Failed { module: m, status }) if m == module && status == "MISSING_DATA")
	);
	let overflow = |tree: &mut Tree| call(tree, ALICE, "counter::add", vec![bcs(u64::MAX)]);
	let outcome = overflow(&mut tree).unwrap();
	commit(&mut tree, &outcome);
	assert!(
		matches!(overflow(&mut tree), Err(MoveError::Failed { status, .. }) if status == "ARITHMETIC_ERROR")
	);
}

#[test]
fn nobody_signs_for_another() {
	let mut tree = with_counter();
	let forged = call(&mut tree, BOB, "counter::create", vec![bcs(ALICE.0)]);
	assert!(matches!(
		forged,
		Err(MoveError::NotCallable { problem: "takes another number of arguments", .. })
	));
	let outcome = call(&mut tree, BOB, "counter::create", vec![]).unwrap();
	assert!(matches!(outcome.changes[..], [ContractChange::SetResource { address: BOB, .. }]));
	let unsigned = view(&mut tree, "counter::create", vec![bcs(ALICE.0)]);
	assert!(matches!(unsigned, Err(MoveError::NotCallable { .. })));
}

#[test]
fn a_struct_cannot_be_forged_from_bytes() {
	let mut tree = with_counter();
	let forged = view(&mut tree, "counter::take", vec![bcs(1_000_000u64)]);
	assert!(
		matches!(forged, Err(MoveError::NotCallable { problem, .. }) if problem.contains("primitive"))
	);
}

#[test]
fn only_what_is_meant_for_it_is_called() {
	let mut tree = with_counter();
	let refused = |result: Result<_, MoveError>, text: &str| match result {
		Err(MoveError::NotCallable { problem, .. }) => assert!(problem.contains(text), "{problem}"),
		_ => panic!("called"),
	};
	refused(call(&mut tree, ALICE, "counter::value", vec![bcs(ALICE.0)]).map(drop), "entry");
	refused(view(&mut tree, "counter::secret", vec![]).map(drop), "public");
	refused(view(&mut tree, "counter::two_signers", vec![]).map(drop), "signer");
	refused(call(&mut tree, ALICE, "counter::nothing", vec![]).map(drop), "exist");
	assert!(matches!(
		call(&mut tree, ALICE, "nothing::at_all", vec![]),
		Err(MoveError::ModuleNotFound(_))
	));
	let wrong = call(&mut tree, ALICE, "counter::add", vec![vec![1]]);
	assert!(matches!(wrong, Err(MoveError::BadRequest(_))), "{wrong:?}");
}

#[test]
fn a_call_runs_again_from_its_witness_and_not_without_it() {
	let mut tree = with_counter();
	let outcome = call(&mut tree, ALICE, "counter::create", vec![]).unwrap();
	let root = commit(&mut tree, &outcome);

	tree.storage_mut().record(Recording::keeping());
	let outcome = call(&mut tree, ALICE, "counter::add", vec![bcs(3u64)]).unwrap();
	let nodes = tree.storage_mut().record(Recording::Off).into_nodes();

	let again = |nodes: Vec<Vec<u8>>| {
		let store = NodeSet::from_trusted(nodes);
		let mut witness = ObjectTree::new(TrieStorage::new(SUBTREE, root, store));
		let call = Call {
			signer: ALICE,
			function: function("counter::add", vec![bcs(3u64)]),
			context: context(),
		};
		Engine::new().call(&mut witness, call, &plenty())
	};
	assert_eq!(again(nodes.clone()), Ok(outcome));
	for missing in 0..nodes.len() {
		let mut fewer = nodes.clone();
		fewer.remove(missing);
		let Failed { error, gas_used } = again(fewer).unwrap_err();
		assert!(matches!(error, MoveError::Storage(TreeError::Storage(_))), "{error:?}");
		assert_eq!(gas_used, 0);
	}
}
