//! Recursion that overflows the stack.

use super::{child::effect, forge::Forge, raw::Modules, refusal};
use crate::support::*;
use dstp_move::{state::MAX_CLOSURE_MODULES, Call, Engine, Failed, MoveError};
use dstp_primitives::contract::GasSchedule;
use move_binary_format::file_format::{Bytecode::*, SignatureToken as Type, StructDefinitionIndex};

/// Structs within structs, and a function that makes the largest, copies it and compares it.
fn nested(levels: u16) -> Forge {
	let mut module = Forge::new("m");
	let mut last = module.structure("S0", 0, vec![Type::U8]);
	for n in 1..levels {
		last = module.structure(&format!("S{n}"), 0, vec![Type::Struct(last)]);
	}
	let mut code = vec![LdU8(1)];
	code.extend((0..levels).map(|n| Pack(StructDefinitionIndex(n))));
	code.extend([StLoc(0), CopyLoc(0), MoveLoc(0), Eq, Pop, Ret]);
	module.function("f", 0, vec![], vec![Type::Struct(last)], code);
	module
}

#[test]
fn structs_nested_without_end_are_refused() {
	let module = nested(3_000);
	let shown = effect("triggers::stack::structs_nested_without_end_are_refused", || {
		let small = std::thread::Builder::new().stack_size(256 * 1024);
		small
			.spawn(move || drop(Modules::new(vec![module.code()]).call("m::f")))
			.unwrap()
			.join()
			.unwrap();
	});
	assert!(shown.is_fatal());
	let reason = refusal(vec![nested(100).code()]);
	assert!(reason.contains("levels"), "{reason}");
	let mut tree = namespace();
	publish_code(&mut tree, AUTHOR, vec![nested(31).code()]).unwrap();
	call(&mut tree, ALICE, "m::f", vec![]).unwrap();
}

/// Modules each of which names the one before.
fn chain(length: usize) -> Vec<Vec<u8>> {
	(0..length)
		.map(|n| {
			let mut module = Forge::new(&format!("m{n}"));
			module.structure("S", 0, vec![Type::U8]);
			if n > 0 {
				let before = module.foreign(&format!("m{}", n - 1), "S");
				module.function("f", 0, vec![], vec![Type::Struct(before)], vec![Ret]);
			} else {
				module.function("f", 0, vec![], vec![], vec![Ret]);
			}
			module.code()
		})
		.collect()
}

#[test]
fn a_chain_of_modules_has_an_end() {
	let shown = effect("triggers::stack::a_chain_of_modules_has_an_end", || {
		let small = std::thread::Builder::new().stack_size(512 * 1024);
		small.spawn(|| drop(Modules::new(chain(2_000)).call("m1999::f"))).unwrap().join().unwrap();
	});
	assert!(shown.is_fatal());
	let mut tree = namespace();
	let modules = chain(MAX_CLOSURE_MODULES + 2);
	for part in modules[..MAX_CLOSURE_MODULES].chunks(16) {
		publish_code(&mut tree, AUTHOR, part.to_vec()).unwrap();
	}
	call(&mut tree, ALICE, &format!("m{}::f", MAX_CLOSURE_MODULES - 1), vec![]).unwrap();
	publish_code(&mut tree, AUTHOR, vec![modules[MAX_CLOSURE_MODULES].clone()]).unwrap();
	let path = format!("m{MAX_CLOSURE_MODULES}::f");
	let call = Call { signer: ALICE, function: function(&path, vec![]), context: context() };
	let Failed { error, gas_used } = Engine::new().call(&mut tree, call, &plenty()).unwrap_err();
	assert!(matches!(error, MoveError::BadRequest(_)), "{error:?}");
	let read = MAX_CLOSURE_MODULES as u64 * GasSchedule::V1.module;
	assert!(gas_used > read, "{gas_used} gas for all the modules that were read");
	let refused = publish_code(&mut tree, AUTHOR, vec![modules[MAX_CLOSURE_MODULES + 1].clone()]);
	assert!(matches!(refused, Err(MoveError::BadRequest(_))), "{refused:?}");
}
