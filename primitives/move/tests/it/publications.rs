//! Publications and upgrades.

use crate::support::*;
use dstp_move::{Engine, MoveError, Publication};
use dstp_primitives::contract::UpgradePolicy;

const ONE: &str = "module author::one { public fun number(): u64 { 1 } }";
const TWO: &str = "module author::two { public fun number(): u64 { author::one::number() + 1 } }";

fn number(tree: &mut Tree, path: &str) -> u64 {
	let values = view(tree, path, vec![]).unwrap();
	u64::from_le_bytes(values[0].as_slice().try_into().unwrap())
}

fn rejected<T: std::fmt::Debug>(result: Result<T, MoveError>) -> String {
	match result {
		Err(MoveError::Rejected { reason, .. }) => reason,
		other => panic!("{other:?}"),
	}
}

#[test]
fn modules_that_need_one_another_are_published_together_or_one_by_one() {
	let mut tree = namespace();
	publish(&mut tree, AUTHOR, &[ONE, TWO]).unwrap();
	assert_eq!(number(&mut tree, "two::number"), 2);

	let mut tree = namespace();
	let both = compile(&[ONE, TWO]);
	let second = publish_code(&mut tree, AUTHOR, vec![both[1].clone()]);
	assert!(matches!(second, Err(MoveError::ModuleNotFound(_))));
	for module in both {
		publish_code(&mut tree, AUTHOR, vec![module]).unwrap();
	}
	assert_eq!(number(&mut tree, "two::number"), 2);
}

#[test]
fn an_upgrade_is_seen_by_the_next_call() {
	let mut tree = namespace();
	publish(&mut tree, AUTHOR, &[ONE, TWO]).unwrap();
	publish(&mut tree, AUTHOR, &[&ONE.replace("{ 1 }", "{ 10 }")]).unwrap();
	assert_eq!(number(&mut tree, "two::number"), 11);
}

#[test]
fn an_upgrade_keeps_structs_and_public_functions() {
	let mut tree = namespace();
	let old = "module author::m { struct S has key { a: u64 } public fun f(): u64 { 1 } }";
	publish(&mut tree, AUTHOR, &[old]).unwrap();
	for new in [
		"module author::m { struct S has key { a: u64, b: u64 } public fun f(): u64 { 1 } }",
		"module author::m { struct S has key { a: u128 } public fun f(): u64 { 1 } }",
		"module author::m { public fun f(): u64 { 1 } }",
		"module author::m { struct S has key { a: u64 } public fun f(): u8 { 1 } }",
		"module author::m { struct S has key { a: u64 } fun f(): u64 { 1 } }",
		"module author::m { struct S has key { a: u64 } }",
	] {
		let reason = rejected(publish(&mut tree, AUTHOR, &[new]));
		assert!(reason.contains("BACKWARD_INCOMPATIBLE"), "{reason}");
	}
	let new = "module author::m { struct S has key { a: u64 } struct T has key { b: u8 } public fun f(): u64 { 2 } public fun g() {} }";
	publish(&mut tree, AUTHOR, &[new]).unwrap();
}

#[test]
fn an_immutable_module_stays() {
	let mut tree = namespace();
	let publication =
		Publication { policy: UpgradePolicy::Immutable, ..publication(AUTHOR, compile(&[ONE])) };
	let outcome = Engine::new().publish(&mut tree, publication, &plenty()).unwrap();
	commit(&mut tree, &outcome);
	assert_eq!(rejected(publish(&mut tree, AUTHOR, &[ONE])), "it is published as immutable");
}

#[test]
fn a_module_has_the_address_of_its_publisher() {
	let mut tree = namespace();
	let reason = rejected(publish_code(&mut tree, BOB, compile(&[ONE])));
	assert!(reason.contains("publisher"), "{reason}");
}

#[test]
fn cycles_through_an_upgrade_are_refused() {
	let mut tree = namespace();
	let four = "module author::four { public fun number(): u64 { author::two::number() } }";
	publish(&mut tree, AUTHOR, &[ONE, TWO, four]).unwrap();
	// Compiled against a module that has the name of the other but needs nothing.
	let lure = "module author::four { public fun number(): u64 { 4 } }";
	let cycle = "module author::one { public fun number(): u64 { author::four::number() } }";
	let code = compile(&[lure, cycle]).remove(1);
	let reason = rejected(publish_code(&mut tree, AUTHOR, vec![code]));
	assert!(reason.contains("CYCLIC"), "{reason}");
}

#[test]
fn bytes_that_are_no_module_are_refused() {
	let mut tree = namespace();
	for code in [vec![], vec![0; 100], b"\xa1\x1c\xeb\x0b\x05\x00\x00\x00".to_vec()] {
		rejected(publish_code(&mut tree, AUTHOR, vec![code]));
	}
	assert!(matches!(publish_code(&mut tree, AUTHOR, vec![]), Err(MoveError::BadRequest(_))));
}

#[test]
fn only_the_framework_has_natives() {
	let mut tree = namespace();
	let reason =
		rejected(publish(&mut tree, AUTHOR, &["module author::n { native public fun f(); }"]));
	assert!(reason.contains("native"), "{reason}");
}
