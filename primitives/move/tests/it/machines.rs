//! Machines that wait for calls serve the code that the tree has, and no other.

use crate::{
	support::*,
	triggers::{forge::Forge, panics::with_bad_module},
};
use dstp_move::{
	machine::{MAX_IDLE_MACHINES, MAX_MACHINE_BYTES},
	Engine, Failed, MoveError, View,
};
use move_binary_format::file_format::{Bytecode, Constant, SignatureToken};
use std::{sync::Arc, time::Duration};

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

#[test]
fn the_modules_of_one_machine_are_bounded_by_their_bytes() {
	const CONSTANTS: usize = 4;
	const CONSTANT_BYTES: usize = 15_000;
	let module = |n: usize| {
		let mut module = Forge::new(&format!("m{n}"));
		let length = [(CONSTANT_BYTES & 0x7f) as u8 | 0x80, (CONSTANT_BYTES >> 7) as u8];
		for byte in 0..CONSTANTS as u8 {
			let data = [&length[..], &vec![byte; CONSTANT_BYTES]].concat();
			let type_ = SignatureToken::Vector(Box::new(SignatureToken::U8));
			module.0.constant_pool.push(Constant { type_, data });
		}
		module.function("f", 0, vec![], vec![], vec![Bytecode::Ret]);
		module.code()
	};
	let (engine, mut tree) = (Engine::new(), namespace());
	let enough = MAX_MACHINE_BYTES / (CONSTANTS * CONSTANT_BYTES) + 1;
	for n in 0..enough {
		publish_code(&mut tree, AUTHOR, vec![module(n)]).unwrap();
		call_with(&engine, &mut tree, ALICE, function(&format!("m{n}::f"), vec![])).unwrap();
	}
	assert_eq!(engine.machines().len(), 2);
}

#[test]
fn a_module_runs_or_not_whatever_is_in_memory() {
	const NEEDED: &str = "module author::needed { public fun number(): u64 { 1 } }";
	const FRIEND: &str = "module author::friendly {}";
	const MIDDLE: &str = "module author::middle {
		friend author::friendly;
		public fun number(): u64 { author::needed::number() }
	}";
	const OUTER: &str =
		"module author::outer { public fun number(): u64 { author::middle::number() } }";
	let mut tree = published(&[NEEDED, FRIEND, MIDDLE, OUTER]);
	assert_eq!(number(&Engine::new(), &mut tree, "middle::number"), 1);
	// Now what the middle needs is a friend of its friend, which the upgrade of the friend cannot know.
	let upgrade = "module author::friendly { friend author::needed; }";
	publish(&mut tree, AUTHOR, &[NEEDED, upgrade]).unwrap();

	let call = |engine: &Engine, tree: &mut Tree, path: &str| {
		let view = View { function: function(path, vec![]), context: context() };
		engine.view(tree, view, &plenty())
	};
	let alone = call(&Engine::new(), &mut tree, "middle::number");
	let engine = Engine::new();
	let outer = call(&engine, &mut tree, "outer::number");
	assert_eq!(call(&engine, &mut tree, "middle::number"), alone);
	assert_eq!(call(&engine, &mut tree, "outer::number"), outer);
	assert_eq!(call(&Engine::new(), &mut tree, "outer::number"), outer);
	let Failed { error, gas_used } = alone.unwrap_err();
	assert!(matches!(&error, MoveError::Rejected { module, .. } if module.ends_with("::middle")));
	assert!(gas_used > 0);

	// All of it at once is refused.
	let mut modules = compile(&[NEEDED, upgrade]);
	modules.extend(compile(&[NEEDED, FRIEND, MIDDLE]).pop());
	let refused = publish_code(&mut namespace(), AUTHOR, modules);
	assert!(matches!(refused, Err(MoveError::Rejected { .. })), "{refused:?}");
}

/// Threads that call, upgrade and break one engine, each over trees of its own.
#[test]
fn threads_share_machines_and_nothing_else() {
	const THREADS: u64 = 4;
	const ROUNDS: u64 = 200;
	let engine = Arc::new(Engine::new());
	let (done, all_done) = std::sync::mpsc::channel();
	let threads: Vec<_> = (0..THREADS)
		.map(|thread| {
			let (engine, done) = (engine.clone(), done.clone());
			std::thread::spawn(move || {
				take_turns(&engine, thread, ROUNDS);
				done.send(()).unwrap();
			})
		})
		.collect();
	drop(done);
	// A thread that waits for ever, or one that panicked, is found here.
	for _ in 0..THREADS {
		all_done.recv_timeout(Duration::from_secs(120)).expect("all threads end");
	}
	threads.into_iter().for_each(|thread| thread.join().unwrap());
	assert!((1..=MAX_IDLE_MACHINES).contains(&engine.machines().len()));
	let mut tree = published(&[&one_is(0), TWO]);
	assert_eq!(number(&engine, &mut tree, "two::number"), 1);
}

/// Calls modules that another thread has too, modules of the same names that no other has, and one on which the machine panics.
fn take_turns(engine: &Engine, thread: u64, rounds: u64) {
	let (shared, mut own) = (thread / 2, 100 * (thread + 1));
	let mut here = published(&[&one_is(shared), TWO]);
	let mut there = published(&[&one_is(own), TWO]);
	let mut broken = with_bad_module();
	for round in 0..rounds {
		assert_eq!(number(engine, &mut here, "two::number"), shared + 1);
		assert_eq!(number(engine, &mut there, "one::number"), own);
		if round % 50 == 49 {
			own += 1;
			publish(&mut there, AUTHOR, &[&one_is(own)]).unwrap();
		}
		if round % 20 == 0 {
			let bad = function("m::f", vec![bcs(1u64), bcs(2u64)]);
			let failed = call_with(engine, &mut broken, ALICE, bad);
			assert!(matches!(failed, Err(MoveError::Invariant { .. })), "{failed:?}");
		}
	}
}
