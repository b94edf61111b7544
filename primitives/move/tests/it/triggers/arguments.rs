//! What the machine takes from the bytes of a caller, and what it calls a compatible upgrade. Nothing here ends a process: the effect is
//! a value that should not exist, so that no process of its own is needed.

use super::raw::Modules;
use crate::support::*;
use dstp_move::MoveError;
use move_binary_format::{compatibility::Compatibility, normalized, CompiledModule};

const COUNTER: &str = include_str!("../contracts/counter.move");

fn modules() -> Modules {
	Modules::new([compile(&[SIGNER]), compile(&[COUNTER])].concat())
}

#[test]
fn the_machine_makes_a_signer_from_bytes_and_the_engine_does_not() {
	let (_, changed) = modules().call_with("counter::create", vec![bcs(ALICE.0)]).unwrap();
	assert_eq!(changed, 1, "a resource of somebody who signed nothing");
	let mut tree = namespace();
	publish(&mut tree, AUTHOR, &[COUNTER]).unwrap();
	let forged = call(&mut tree, BOB, "counter::create", vec![bcs(ALICE.0)]);
	assert!(matches!(forged, Err(MoveError::NotCallable { .. })), "{forged:?}");
	let forged = view(&mut tree, "counter::create", vec![bcs(ALICE.0)]);
	assert!(matches!(forged, Err(MoveError::NotCallable { .. })), "{forged:?}");
}

#[test]
fn the_machine_makes_a_struct_from_bytes_and_the_engine_does_not() {
	let (values, _) = modules().call_with("counter::take", vec![bcs(1_000_000u64)]).unwrap();
	assert_eq!(values, vec![bcs(1_000_000u64)], "a counter that nobody counted up");
	let mut tree = namespace();
	publish(&mut tree, AUTHOR, &[COUNTER]).unwrap();
	let forged = view(&mut tree, "counter::take", vec![bcs(1_000_000u64)]);
	assert!(matches!(forged, Err(MoveError::NotCallable { .. })), "{forged:?}");
}

/// To the machine's check of layouts a struct that is gone has not changed. Its check of links sees it, and the engine asks for both.
#[test]
fn the_layout_of_a_removed_struct_passes_and_the_upgrade_does_not() {
	let old = compile(&["module author::m { struct S has key { a: u64 } }"]).remove(0);
	let new = compile(&["module author::m {}"]).remove(0);
	let normal = |code| normalized::Module::new(&CompiledModule::deserialize(code).unwrap());
	let found = Compatibility::check(&normal(&old), &normal(&new));
	assert!(found.struct_layout && !found.struct_and_function_linking);
	let mut tree = namespace();
	publish_code(&mut tree, AUTHOR, vec![old]).unwrap();
	let refused = publish_code(&mut tree, AUTHOR, vec![new]);
	assert!(matches!(refused, Err(MoveError::Rejected { .. })), "{refused:?}");
}
