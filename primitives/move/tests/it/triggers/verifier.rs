//! What ends or stalls the verifier.

use super::{child::effect, forge::Forge, raw, raw::Modules, refusal};
use crate::support::*;
use cpu_time::ThreadTime;
use move_binary_format::file_format::{Bytecode::*, SignatureToken as Type};

#[test]
fn a_vector_of_a_huge_count_is_refused() {
	let mut module = Forge::new("m");
	let bytes = module.signature(vec![Type::U8]);
	// The count of values on the stack wraps to none.
	let code = vec![VecPack(bytes, 0), VecUnpack(bytes, u64::MAX), LdU8(0), Ret];
	module.function("f", 0, vec![], vec![], code);
	let shown = effect("triggers::verifier::a_vector_of_a_huge_count_is_refused", || {
		let _ = raw::verify(&module.0);
	});
	assert!(shown.is_fatal());
	assert!(refusal(vec![module.code()]).contains("a vector of 18446744073709551615 elements"));
}

/// Two ways, on which a local borrows from different places, meet.
fn join_of_borrows(parameters: usize, locals: usize) -> Forge {
	let mut module = Forge::new("m");
	let mut types = vec![Type::U64; locals];
	types[0] = Type::Reference(Box::new(Type::U64));
	let local = parameters as u8;
	let ways = [
		LdTrue,
		BrFalse(5),
		ImmBorrowLoc(0),
		StLoc(local),
		Branch(7),
		ImmBorrowLoc(1),
		StLoc(local),
	];
	let code = [&ways[..], &[MoveLoc(local), ReadRef, Pop, Ret]].concat();
	module.function("f", 0, vec![Type::U64; parameters], types, code);
	module
}

#[test]
fn a_function_of_256_locals_is_refused() {
	raw::verify(&join_of_borrows(128, 127).0).unwrap();
	let module = join_of_borrows(128, 128);
	// The number of locals wraps to none, so that the state after a join has none.
	let shown = effect("triggers::verifier::a_function_of_256_locals_is_refused", || {
		let _ = raw::verify(&module.0);
	});
	assert!(shown.is_fatal());
	assert!(refusal(vec![module.code()]).contains("256 parameters and locals"));
	let fine = join_of_borrows(120, 8).code();
	publish_code(&mut namespace(), AUTHOR, vec![fine]).unwrap();
}

#[test]
fn a_function_of_65535_instructions_is_refused() {
	let function = |length: usize| {
		let mut module = Forge::new("m");
		let mut code = vec![Nop; length - 1];
		code.push(Ret);
		module.function("f", 0, vec![], vec![], code);
		module
	};
	let module = function(65_535);
	let shown = effect("triggers::verifier::a_function_of_65535_instructions_is_refused", || {
		let _ = raw::verify(&module.0);
	});
	assert!(shown.is_fatal());
	refusal(vec![module.code()]);
	assert!(refusal(vec![function(5_000).code()]).contains("5000 instructions"));
}

/// Loops within loops around a chain of references that move on by one with every turn.
fn nested_loops(levels: u16, references: u8) -> Forge {
	let mut module = Forge::new("m");
	let mut code = vec![MutBorrowLoc(0), StLoc(1)];
	for local in 2..=references {
		code.extend([CopyLoc(local - 1), StLoc(local)]);
	}
	let first = code.len() as u16;
	code.extend((0..levels).map(|_| Nop));
	code.extend([LdTrue, BrFalse(first + levels + 4), CopyLoc(references), StLoc(1)]);
	for local in (2..=references).rev() {
		code.extend([CopyLoc(local - 1), StLoc(local)]);
	}
	code.extend((0..levels).rev().flat_map(|level| [LdTrue, BrTrue(first + level)]));
	code.push(Ret);
	let reference = Type::MutableReference(Box::new(Type::U64));
	let locals = vec![reference; usize::from(references)];
	module.function("f", 0, vec![Type::U64], locals, code);
	module
}

/// The effect is time: the verifier repeats an inner loop for every change of an outer one.
#[test]
fn nested_loops_beyond_five_levels_are_refused() {
	let took = |levels| {
		let module = nested_loops(levels, 60).0;
		let started = ThreadTime::now();
		raw::verify(&module).unwrap();
		started.elapsed()
	};
	let (few, many) = (took(1), took(60));
	println!("{few:?} for one loop, {many:?} for sixty");
	assert!(many > 4 * few, "{few:?} {many:?}");
	assert!(refusal(vec![nested_loops(6, 4).code()]).contains("LOOP_MAX_DEPTH_REACHED"));
	publish_code(&mut namespace(), AUTHOR, vec![nested_loops(5, 4).code()]).unwrap();
}

/// The verifier passes it. The machine itself looks for it in its table of natives, by address and names, and refuses to load the module;
/// so what a native of a stranger could do cannot be shown.
#[test]
fn natives_belong_to_the_framework() {
	let mut module = Forge::new("m");
	module.function("f", 0, vec![], vec![], vec![]);
	module.0.function_defs[0].code = None;
	raw::verify(&module.0).unwrap();
	let unknown = Modules::new(vec![module.code()]).call("m::f").unwrap_err();
	assert!(format!("{unknown:?}").contains("MISSING_DEPENDENCY"), "{unknown:?}");
	assert!(refusal(vec![module.code()]).contains("native"));
}

#[test]
fn bytes_have_one_form() {
	let mut module = Forge::new("m");
	module.function("f", 0, vec![], vec![], vec![Ret]);
	let code = module.code();
	for trailing in [vec![0], vec![1, 2, 3]] {
		let longer = [code.clone(), trailing].concat();
		refusal(vec![longer]);
	}
	module.0.metadata.push(move_core_types::metadata::Metadata { key: vec![1], value: vec![2] });
	assert!(refusal(vec![module.code()]).contains("metadata"));
}
