//! The tests of the framework that are written in Move, in `framework/tests`.
//!
//! They are ordinary modules of the author and run through the engine, with its natives, gas and tree. The published runner of unit
//! tests has a machine and a storage of its own, in which this framework's natives have no tree to work on. So each entry function is
//! a test: it is called with the author as its signer on a new namespace, and has to end well, or, if its name ends in
//! `_aborts_<code>`, to abort with that code.

use super::{package::*, with_framework};
use crate::support::*;
use dstp_move::{engine::Function, MoveError};
use move_binary_format::{access::ModuleAccess, CompiledModule};

/// The entry functions of a module.
fn tests(code: &[u8]) -> Vec<Function> {
	let module = CompiledModule::deserialize(code).unwrap();
	let entries = module.function_defs().iter().filter(|definition| definition.is_entry);
	entries
		.map(|definition| {
			let name = module.identifier_at(module.function_handle_at(definition.function).name);
			function(&format!("{}::{name}", module.name()), Vec::new())
		})
		.collect()
}

fn expected_code(name: &str) -> Option<u64> {
	name.split_once("_aborts_").map(|(_, code)| code.parse().unwrap())
}

#[test]
fn tests_in_move_pass() {
	let texts: Vec<String> = sources(&folder().join("tests"))
		.iter()
		.map(|path| std::fs::read_to_string(path).unwrap())
		.collect();
	let mut count = 0;
	for text in &texts {
		let code = compile_contracts(&[text]);
		let mut tree = with_framework();
		publish_code(&mut tree, AUTHOR, code.clone()).unwrap();
		for test in tests(&code[0]) {
			let name = test.name.clone();
			// Nothing is applied, so every test starts with the same tree.
			let result = call_with(&dstp_move::Engine::new(), &mut tree, AUTHOR, test);
			match (expected_code(&name), result) {
				(None, Ok(_)) => {},
				(Some(expected), Err(MoveError::Aborted { code, .. })) if code == expected => {},
				(_, result) => panic!("{name}: {result:?}"),
			}
			count += 1;
		}
	}
	assert!(count >= 15, "{count} tests were found");
}
