//! Panics of the machine.

use super::{child::effect, references::swapped};
use crate::support::*;
use dstp_move::{Call, Engine, MoveError};
use dstp_primitives::contract::{ContractChange, ModuleEntry, UpgradePolicy, MODULE_ENTRY_VERSION};

/// A namespace in whose tree stands a module on which the verifier panics, as if a check had been forgotten.
pub fn with_bad_module() -> Tree {
	let mut tree = namespace();
	publish(&mut tree, AUTHOR, &["module author::fine { public entry fun f() {} }"]).unwrap();
	let module = ModuleEntry {
		version: MODULE_ENTRY_VERSION,
		name: b"m".to_vec().try_into().unwrap(),
		policy: UpgradePolicy::Compatible,
		links: Default::default(),
		work: 1,
		code: swapped().code().try_into().unwrap(),
	};
	tree.apply_contract(&[ContractChange::SetModule { address: AUTHOR, module }]).unwrap();
	tree
}

fn panic_and_go_on() {
	let (mut tree, engine) = (with_bad_module(), Engine::new());
	let fine =
		|tree: &mut Tree| call_with(&engine, tree, ALICE, function("fine::f", vec![])).unwrap();
	fine(&mut tree);
	let bad = Call {
		signer: ALICE,
		function: function("m::f", vec![bcs(1u64), bcs(2u64)]),
		context: context(),
	};
	let failed = engine.call(&mut tree, bad, &budget(1_000_000)).unwrap_err();
	assert_eq!(failed.gas_used, 1_000_000);
	let MoveError::Invariant { module, .. } = failed.error else { panic!("{:?}", failed.error) };
	assert!(module.ends_with("::m"));
	assert!(engine.machines().is_empty(), "the machine that panicked is gone");
	fine(&mut tree);
	assert_eq!(engine.machines().len(), 1);
}

#[test]
fn a_machine_that_panics_is_dropped_and_the_engine_goes_on() {
	panic_and_go_on();
}

#[test]
fn the_panic_hook_of_a_node_ends_it_otherwise() {
	let shown = effect("triggers::panics::the_panic_hook_of_a_node_ends_it_otherwise", || {
		sp_panic_handler::set("nowhere", "none");
		let _ = std::panic::catch_unwind(|| super::raw::verify(&swapped().0));
	});
	assert!(shown.is_fatal());
}

#[test]
fn a_panic_does_not_end_a_node() {
	let shown = effect("triggers::panics::a_panic_does_not_end_a_node", || {
		sp_panic_handler::set("nowhere", "none");
		panic_and_go_on();
	});
	assert!(!shown.is_fatal());
}
