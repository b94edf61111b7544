//! Types that grow.

use super::{child::effect, forge::Forge, raw::Modules, refusal};
use crate::support::*;
use dstp_move::MoveError;
use move_binary_format::file_format::{
	Bytecode::*, FunctionInstantiation, FunctionInstantiationIndex, SignatureToken as Type,
	StructDefinitionIndex,
};
use move_core_types::language_storage::TypeTag;

/// `S0 { u8 }`, `Sn { a: Sn-1, b: Sn-1 }`, and a function that asks whether the largest exists.
fn doubling(levels: usize) -> Forge {
	let mut module = Forge::new("m");
	let mut last = module.structure("S0", 0, vec![Type::U8]);
	for n in 1..levels {
		last = module.structure(&format!("S{n}"), 0, vec![Type::Struct(last), Type::Struct(last)]);
	}
	let largest = StructDefinitionIndex(levels as u16 - 1);
	let constant =
		move_binary_format::file_format::Constant { type_: Type::Address, data: vec![7; 32] };
	module.0.constant_pool.push(constant);
	let address = move_binary_format::file_format::ConstantPoolIndex(0);
	module.function("f", 0, vec![], vec![], vec![LdConst(address), Exists(largest), Pop, Ret]);
	module
}

#[test]
fn structs_that_double_are_refused() {
	let module = doubling(40);
	let shown = effect("triggers::types::structs_that_double_are_refused", || {
		let _ = Modules::new(vec![module.code()]).call("m::f");
	});
	assert!(shown.is_fatal());
	assert!(refusal(vec![module.code()]).contains("nodes"));
	publish_code(&mut namespace(), AUTHOR, vec![doubling(7).code()]).unwrap();
}

#[test]
fn structs_that_double_over_modules_are_refused() {
	let mut modules = Vec::new();
	for n in 0..12 {
		let mut module = Forge::new(&format!("m{n}"));
		let inner = match n {
			0 => Type::U8,
			_ => Type::Struct(module.foreign(&format!("m{}", n - 1), "S")),
		};
		module.structure("S", 0, vec![inner.clone(), inner]);
		modules.push(module.code());
	}
	assert!(refusal(modules.clone()).contains("nodes"));
	modules.truncate(7);
	publish_code(&mut namespace(), AUTHOR, modules).unwrap();
}

/// `fn<T>() { fn+1<Pair<T, T>>() }`, many times.
fn doubling_calls(levels: usize) -> Forge {
	let mut module = Forge::new("m");
	let pair = module.structure("Pair", 2, vec![Type::TypeParameter(0), Type::TypeParameter(1)]);
	let both = vec![Type::TypeParameter(0), Type::TypeParameter(0)];
	let pair_of_t = module.signature(vec![Type::StructInstantiation(pair, both)]);
	let mut last = module.function("g0", 1, vec![], vec![], vec![Ret]);
	for n in 1..levels {
		module
			.0
			.function_instantiations
			.push(FunctionInstantiation { handle: last, type_parameters: pair_of_t });
		let index = FunctionInstantiationIndex(module.0.function_instantiations.len() as u16 - 1);
		last = module.function(&format!("g{n}"), 1, vec![], vec![], vec![CallGeneric(index), Ret]);
	}
	let byte = module.signature(vec![Type::U8]);
	module
		.0
		.function_instantiations
		.push(FunctionInstantiation { handle: last, type_parameters: byte });
	let index = FunctionInstantiationIndex(module.0.function_instantiations.len() as u16 - 1);
	module.function("f", 0, vec![], vec![], vec![CallGeneric(index), Ret]);
	module
}

#[test]
fn type_arguments_that_double_end_the_call() {
	let module = doubling_calls(40);
	let shown = effect("triggers::types::type_arguments_that_double_end_the_call", || {
		let _ = Modules::new(vec![module.code()]).call("m::f");
	});
	assert!(shown.is_fatal());
	let mut tree = namespace();
	publish_code(&mut tree, AUTHOR, vec![module.code()]).unwrap();
	let failed = call(&mut tree, ALICE, "m::f", vec![]);
	assert!(
		matches!(&failed, Err(MoveError::Failed { status, .. }) if status.contains("64 nodes")),
		"{failed:?}"
	);
	let mut tree = namespace();
	publish_code(&mut tree, AUTHOR, vec![doubling_calls(4).code()]).unwrap();
	call(&mut tree, ALICE, "m::f", vec![]).unwrap();
}

#[test]
fn type_arguments_of_a_caller_are_nested_eight_levels_at_most() {
	let shown = effect(
		"triggers::types::type_arguments_of_a_caller_are_nested_eight_levels_at_most",
		|| {
			let mut tag = TypeTag::U8;
			for _ in 0..200_000 {
				tag = TypeTag::Vector(Box::new(tag));
			}
			let _ = Modules::new(vec![]).load_type(&tag);
		},
	);
	assert!(shown.is_fatal());
	let mut tree = namespace();
	publish(&mut tree, AUTHOR, &["module author::g { public entry fun f<T>() {} }"]).unwrap();
	let mut nested = |levels: usize| {
		// Variant 6 is a vector, variant 1 is u8.
		let tag = [vec![6; levels - 1], vec![1]].concat();
		let function =
			dstp_move::Function { type_arguments: vec![tag], ..function("g::f", vec![]) };
		call_with(&dstp_move::Engine::new(), &mut tree, ALICE, function)
	};
	nested(8).unwrap();
	for levels in [9, 24, 25, 400, 100_000] {
		assert!(matches!(nested(levels), Err(MoveError::BadRequest(_))), "{levels}");
	}
}

#[test]
fn a_type_argument_names_few_modules() {
	let mut tree = namespace();
	publish(&mut tree, AUTHOR, &["module author::g { public entry fun f<T>() {} }"]).unwrap();
	// `author::g::S<0xb0..00::a::S, 0xb0..01::a::S, ...>`: a variant, the address, two names, the type arguments.
	let inner = |n: u8| [&[7][..], &[0xb0; 31], &[n], &[1, b'a', 1, b'S', 0]].concat();
	let mut named = |count: u8| {
		let head = [&[7][..], &AUTHOR.0, &[1, b'g', 1, b'S', count]].concat();
		let tag = [head, (0..count).flat_map(inner).collect()].concat();
		let function =
			dstp_move::Function { type_arguments: vec![tag], ..function("g::f", vec![]) };
		call_with(&dstp_move::Engine::new(), &mut tree, ALICE, function)
	};
	assert!(matches!(named(1), Err(MoveError::ModuleNotFound(_))));
	assert!(matches!(named(100), Err(MoveError::BadRequest(_))));
}

#[test]
fn a_signer_is_no_type_argument() {
	let mut tree = namespace();
	publish(&mut tree, AUTHOR, &["module author::g { public entry fun f<T: drop>() {} }"]).unwrap();
	// Variant 5 is a signer.
	let function =
		dstp_move::Function { type_arguments: vec![vec![5]], ..function("g::f", vec![]) };
	let refused = call_with(&dstp_move::Engine::new(), &mut tree, ALICE, function);
	assert!(matches!(refused, Err(MoveError::BadRequest(_))));
}
