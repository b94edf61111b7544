//! Machines that wait for calls serve the code that the tree has, and no other.

use crate::support::*;
use dstp_move::{machine::MAX_IDLE_MACHINES, Engine};

const ONE: &str = "module author::one { public fun number(): u64 { 1 } }";
const TWO: &str = "module author::two { public fun number(): u64 { author::one::number() + 1 } }";

fn one_is(number: u64) -> String {
	ONE.replace("{ 1 }", &format!("{{ {number} }}"))
}

fn published(sources: &[&str]) -> Tree {
	let mut tree = namespace();
	publish(&mut tree, AUTHOR, sources).unwrap();
	tree
}

fn number(engine: &Engine, tree: &mut Tree, path: &str) -> u64 {
	let values = view_with(engine, tree, function(path, vec![])).unwrap();
	u64::from_le_bytes(values[0].as_slice().try_into().unwrap())
}

#[test]
fn one_machine_serves_all_that_agree() {
	let engine = Engine::new();
	let mut tree = published(&[ONE, TWO]);
	for _ in 0..3 {
		assert_eq!(number(&engine, &mut tree, "one::number"), 1);
		assert_eq!(number(&engine, &mut tree, "two::number"), 2);
	}
	assert_eq!(engine.machines().len(), 1);
	let mut same = published(&[ONE, TWO]);
	assert_eq!(number(&engine, &mut same, "two::number"), 2);
	assert_eq!(engine.machines().len(), 1);
}

#[test]
fn an_upgrade_is_seen_at_once_through_what_depends_on_it() {
	let engine = Engine::new();
	let mut tree = published(&[ONE, TWO]);
	assert_eq!(number(&engine, &mut tree, "two::number"), 2);
	publish(&mut tree, AUTHOR, &[&one_is(10)]).unwrap();
	assert_eq!(number(&engine, &mut tree, "two::number"), 11);
	assert_eq!(number(&engine, &mut tree, "one::number"), 10);
}

#[test]
fn forks_do_not_see_each_other() {
	let engine = Engine::new();
	let mut forks: Vec<Tree> = (1..=3).map(|n| published(&[&one_is(n), TWO])).collect();
	for _ in 0..3 {
		for (n, fork) in (1..).zip(&mut forks) {
			assert_eq!(number(&engine, fork, "two::number"), n + 1);
		}
	}
	assert_eq!(engine.machines().len(), 3);
}

#[test]
fn two_subtrees_may_have_modules_of_one_name() {
	let engine = Engine::new();
	let mut here = published(&[ONE, TWO]);
	let mut there = published(&["module author::one { struct S has drop { a: u8 } public fun number(): u64 { let S { a } = S { a: 9 }; (a as u64) } }"]);
	for _ in 0..2 {
		assert_eq!(number(&engine, &mut here, "one::number"), 1);
		assert_eq!(number(&engine, &mut there, "one::number"), 9);
		assert_eq!(number(&engine, &mut here, "two::number"), 2);
	}
}

#[test]
fn a_discarded_block_leaves_nothing() {
	let engine = Engine::new();
	let mut tree = published(&[ONE, TWO]);
	let upgrade = compile(&[&one_is(10)]);
	let outcome =
		engine.publish(&mut tree, publication(AUTHOR, upgrade.clone()), &plenty()).unwrap();
	assert_eq!(number(&engine, &mut tree, "two::number"), 2, "checked, not applied");
	tree.apply_contract(&outcome.changes).unwrap();
	assert_eq!(number(&engine, &mut tree, "two::number"), 11, "within the block");
	tree.storage_mut().discard();
	assert_eq!(number(&engine, &mut tree, "two::number"), 2);

	let new = compile(&[ONE, "module author::three { public fun number(): u64 { 3 } }"]).remove(1);
	let outcome = engine.publish(&mut tree, publication(AUTHOR, vec![new]), &plenty()).unwrap();
	tree.apply_contract(&outcome.changes).unwrap();
	assert_eq!(number(&engine, &mut tree, "three::number"), 3);
	tree.storage_mut().discard();
	assert!(view_with(&engine, &mut tree, function("three::number", vec![])).is_err());
}

#[test]
fn machines_that_wait_are_bounded() {
	let engine = Engine::new();
	for n in 0..MAX_IDLE_MACHINES as u64 + 3 {
		let mut tree = published(&[&one_is(n)]);
		assert_eq!(number(&engine, &mut tree, "one::number"), n);
	}
	assert_eq!(engine.machines().len(), MAX_IDLE_MACHINES);
}
