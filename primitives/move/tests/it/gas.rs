//! Metering.

use crate::support::*;
use dstp_move::{Call, Engine, Failed, MoveError, Outcome};
use dstp_primitives::contract::GasSchedule;

const LOOPS: &str = include_str!("contracts/loops.move");

fn with_loops() -> Tree {
	let mut tree = namespace();
	publish(&mut tree, AUTHOR, &[LOOPS]).unwrap();
	tree
}

fn run(
	engine: &Engine,
	tree: &mut Tree,
	limit: u64,
	path: &str,
	arguments: Vec<Vec<u8>>,
) -> Result<Outcome, Failed> {
	let call = Call { signer: ALICE, function: function(path, arguments), context: context() };
	engine.call(tree, call, &budget(limit))
}

#[test]
fn a_call_costs_the_same_whatever_is_in_memory() {
	let mut tree = with_loops();
	let engine = Engine::new();
	let turns = || vec![bcs(10u64)];
	let cold = run(&engine, &mut tree, 10_000_000, "loops::count", turns()).unwrap();
	let warm = run(&engine, &mut tree, 10_000_000, "loops::count", turns()).unwrap();
	assert_eq!(engine.machines().len(), 1);
	assert_eq!(cold, warm);
	assert!(cold.gas_used > GasSchedule::V1.base);
}

#[test]
fn more_turns_cost_in_proportion() {
	let mut tree = with_loops();
	let engine = Engine::new();
	let mut cost = |turns: u64| {
		run(&engine, &mut tree, 100_000_000, "loops::count", vec![bcs(turns)]).unwrap().gas_used
	};
	let (none, few, many) = (cost(0), cost(100), cost(1_000));
	assert_eq!((few - none) * 10, many - none);
}

#[test]
fn a_limit_of_exactly_what_is_used_suffices_and_one_less_does_not() {
	let mut tree = with_loops();
	let engine = Engine::new();
	let mut at = |limit| run(&engine, &mut tree, limit, "loops::count", vec![bcs(50u64)]);
	let outcome = at(100_000_000).unwrap();
	assert_eq!(at(outcome.gas_used), Ok(outcome.clone()));
	let short = at(outcome.gas_used - 1).unwrap_err();
	assert_eq!(short, Failed { error: MoveError::OutOfGas, gas_used: outcome.gas_used - 1 });
}

#[test]
fn an_endless_loop_ends_with_its_gas() {
	let mut tree = with_loops();
	let failed = run(&Engine::new(), &mut tree, 50_000_000, "loops::for_ever", vec![]);
	assert_eq!(failed, Err(Failed { error: MoveError::OutOfGas, gas_used: 50_000_000 }));
}

#[test]
fn endless_recursion_ends_at_the_limit_of_depth() {
	let mut tree = with_loops();
	let failed =
		run(&Engine::new(), &mut tree, 1_000_000_000, "loops::recurse", vec![]).unwrap_err();
	assert!(
		matches!(&failed.error, MoveError::Failed { status, .. } if status == "CALL_STACK_OVERFLOW"),
		"{failed:?}"
	);
	assert!(failed.gas_used < 1_000_000);
	let deep = |tree: &mut Tree, depth: u64| {
		run(&Engine::new(), tree, 1_000_000_000, "loops::descend", vec![bcs(depth)])
	};
	assert!(deep(&mut tree, 250).is_ok());
	assert!(deep(&mut tree, 260).is_err());
}

#[test]
fn a_vector_cannot_fill_the_memory() {
	let mut tree = with_loops();
	for path in ["loops::push", "loops::double", "loops::nest"] {
		let failed = run(&Engine::new(), &mut tree, u64::MAX, path, vec![]).unwrap_err();
		assert!(
			matches!(&failed.error, MoveError::Failed { status, .. } if status.contains("MiB")),
			"{path}: {failed:?}"
		);
	}
}

#[test]
fn copies_behind_references_are_paid_by_their_size() {
	let mut tree = with_loops();
	let engine = Engine::new();
	let mut cost = |length: u64| {
		let arguments = vec![bcs(length), bcs(100u64)];
		run(&engine, &mut tree, u64::MAX, "loops::read_again", arguments).unwrap().gas_used
	};
	let (short, long) = (cost(1), cost(1_000));
	assert!(long > short + 100 * 1_000 * 8, "{short} {long}");
}

#[test]
fn bytes_that_are_copied_are_paid_as_bytes() {
	const LENGTH: u64 = 10_000;
	let mut tree = with_loops();
	let engine = Engine::new();
	let text = || vec![bcs(vec![7u8; LENGTH as usize])];
	for path in ["loops::store_text", "loops::store_parts"] {
		let stored = run(&engine, &mut tree, u64::MAX, path, text()).unwrap();
		commit(&mut tree, &stored);
	}
	// What a turn costs beside a loop's instructions.
	let mut per_turn = |path: &str, before: &[u64]| {
		let mut cost = |turns: u64| {
			let arguments = before.iter().chain([&turns]).map(|number| bcs(*number)).collect();
			run(&engine, &mut tree, u64::MAX, path, arguments).unwrap().gas_used
		};
		(cost(11) - cost(1)) / 10
	};
	let price = GasSchedule::V1.byte_copied * LENGTH;
	for path in ["loops::read_text", "loops::read_pushed_bytes"] {
		let before: &[u64] = if path.contains("pushed") { &[LENGTH] } else { &[] };
		let paid = per_turn(path, before);
		assert!(paid >= price && paid < price + price / 5, "{path}: {paid} instead of {price}");
	}
	// Each byte may be an empty vector, for all that the machine tells.
	assert!(per_turn("loops::read_parts", &[]) > 10 * price);
	// Numbers are compared at their own price beside a large value.
	assert!(per_turn("loops::compare_numbers", &[LENGTH]) < 1_000);
}

#[test]
fn gas_bounds_time() {
	let mut tree = with_loops();
	let engine = Engine::new();
	let gas = 200_000_000;
	for path in [
		"loops::for_ever",
		"loops::compare_for_ever",
		"loops::copy_for_ever",
		"loops::hollow_for_ever",
	] {
		// Not the clock, because other tests run meanwhile.
		let start = cpu_time::ThreadTime::now();
		let failed = run(&engine, &mut tree, gas, path, vec![]).unwrap_err();
		assert_eq!(failed.error, MoveError::OutOfGas, "{path}");
		let nanoseconds = start.elapsed().as_nanos() as u64;
		println!("{path}: {nanoseconds} ns for {gas} gas");
		// Thirty times what the schedule means, because machines are slower.
		assert!(nanoseconds < 30 * gas, "{path} took {nanoseconds} ns");
	}
}

#[test]
fn modules_are_read_only_as_far_as_the_limit_pays() {
	let mut tree = with_loops();
	let call = || Call {
		signer: ALICE,
		function: function("loops::count", vec![bcs(1u64)]),
		context: context(),
	};
	let engine = Engine::new();
	let failed = engine.call(&mut tree, call(), &budget(1)).unwrap_err();
	assert_eq!(failed, Failed { error: MoveError::OutOfGas, gas_used: 1 });
	assert!(engine.machines().is_empty(), "no machine was asked for");
	engine.call(&mut tree, call(), &plenty()).unwrap();
}
