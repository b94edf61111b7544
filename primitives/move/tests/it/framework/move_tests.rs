//! Unit tests that are written in Move: those of the framework, in `framework/tests`, and those of the standard library.
//!
//! They run through the engine, with its natives, gas and tree. The published runner brings a machine and a storage of its own, in
//! which this framework's natives have no tree to work on, and no gas. So the modules are compiled for tests, published on a new
//! namespace like any others, and each test is called as if it were an entry function.

use super::{empty_namespace, package::*};
use crate::support::*;
use dstp_move::{Call, Engine, Function, MoveError};
use dstp_primitives::{contract::ModuleLink, ObjectId};
use move_binary_format::{
	access::ModuleAccess,
	file_format::{
		Bytecode, CodeUnit, FunctionDefinition, Signature, SignatureIndex, SignatureToken,
	},
	CompiledModule,
};
use move_compiler::{
	diagnostics::{report_warnings, unwrap_or_report_diagnostics},
	unit_test::{
		plan_builder::construct_test_plan, ExpectedFailure, ModuleTestPlan, TestCase, TestPlan,
	},
	Compiler, Flags, PASS_CFGIR,
};
use move_core_types::{language_storage::ModuleId, value::MoveValue};
use std::collections::{BTreeMap, BTreeSet};

/// Compiles modules and their tests.
fn plan(targets: Vec<String>) -> TestPlan {
	let (files, compiled) = Compiler::from_files(targets, Vec::new(), names())
		.set_flags(Flags::testing())
		.run::<PASS_CFGIR>()
		.unwrap();
	let (_, compiler) = unwrap_or_report_diagnostics(&files, compiled);
	let (mut compiler, program) = compiler.into_ast();
	let tests = construct_test_plan(compiler.compilation_env(), None, &program).unwrap();
	let (units, warnings) =
		unwrap_or_report_diagnostics(&files, compiler.at_cfgir(program).build());
	report_warnings(&files, warnings);
	TestPlan::new(tests, files, units)
}

/// Makes the tests of a module callable. A module compiled for tests names `unit_test`, which makes signers and is nothing that the
/// engine has; here it aborts.
fn prepare(module: &mut CompiledModule, tests: Option<&ModuleTestPlan>) {
	let names: BTreeSet<String> =
		tests.into_iter().flat_map(|plan| plan.tests.keys().cloned()).collect();
	let is_unit_test = module.self_id().name().as_str() == "unit_test";
	let (handles, identifiers) = (module.function_handles.clone(), module.identifiers.clone());
	let empty = module.signatures.iter().position(|list| list.0.is_empty()).unwrap_or_else(|| {
		module.signatures.push(Signature(Vec::new()));
		module.signatures.len() - 1
	});
	for definition in &mut module.function_defs {
		let name = &identifiers[handles[definition.function.0 as usize].name.0 as usize];
		definition.is_entry |= names.contains(name.as_str());
		if is_unit_test {
			let code = vec![Bytecode::LdU64(0), Bytecode::Abort];
			definition.code = Some(CodeUnit { locals: SignatureIndex(empty as u16), code });
		}
	}
}

/// Whether a function wants a signer in front. Attributes of tests name its address.
fn wants_signer(module: &CompiledModule, function: &str) -> bool {
	let handle = |definition: &FunctionDefinition| module.function_handle_at(definition.function);
	let definition = module
		.function_defs()
		.iter()
		.find(|definition| module.identifier_at(handle(definition).name).as_str() == function)
		.unwrap();
	match module.signature_at(handle(definition).parameters).0.first() {
		Some(SignatureToken::Reference(inner)) => **inner == SignatureToken::Signer,
		first => first == Some(&SignatureToken::Signer),
	}
}

/// What became of the tests of some modules.
#[derive(Default)]
struct Tally {
	passed: usize,
	failed: Vec<String>,
	/// Modules that the envelope refuses, and why.
	refused: BTreeMap<ModuleId, String>,
}

impl Tally {
	/// Publishes modules one by one, after what they depend on.
	fn publish(
		&mut self,
		tree: &mut Tree,
		modules: &mut BTreeMap<ModuleId, CompiledModule>,
		id: &ModuleId,
	) {
		let Some(module) = modules.remove(id) else { return };
		for dependency in module.immediate_dependencies() {
			self.publish(tree, modules, &dependency);
		}
		let mut code = Vec::new();
		module.serialize(&mut code).unwrap();
		match publish_code(tree, ObjectId(id.address().into_bytes()), vec![code]) {
			Ok(()) => {},
			Err(error) => drop(self.refused.insert(id.clone(), error.to_string())),
		}
	}
}

fn run(targets: Vec<String>) -> Tally {
	let (plan, mut tree, mut tally) = (plan(targets), empty_namespace(), Tally::default());
	let mut modules: BTreeMap<_, _> = plan
		.module_info
		.iter()
		.map(|(id, named)| {
			let mut module = named.module.clone();
			prepare(&mut module, plan.module_tests.get(id));
			(id.clone(), module)
		})
		.collect();
	for id in plan.module_info.keys() {
		tally.publish(&mut tree, &mut modules, id);
	}
	let engine = Engine::new();
	for (id, tests) in plan.module_tests.iter().filter(|(id, _)| !tally.refused.contains_key(id)) {
		for (name, test) in &tests.tests {
			let signed = wants_signer(&plan.module_info[id].module, name);
			match run_test(&engine, &mut tree, id, test, signed) {
				Ok(()) => tally.passed += 1,
				Err(problem) => tally.failed.push(format!("{}::{name}: {problem}", id.name())),
			}
		}
	}
	tally
}

/// Nothing is applied, so every test starts with the same tree.
fn run_test(
	engine: &Engine,
	tree: &mut Tree,
	id: &ModuleId,
	test: &TestCase,
	signed: bool,
) -> Result<(), String> {
	let (mut signer, mut arguments) = (ObjectId([0; 32]), Vec::new());
	for (index, argument) in test.arguments.iter().enumerate() {
		match argument {
			MoveValue::Address(address) if signed && index == 0 => {
				signer = ObjectId(address.into_bytes());
			},
			other => arguments.push(other.simple_serialize().unwrap()),
		}
	}
	let name = id.name().as_bytes().to_vec().try_into().unwrap();
	let function = Function {
		module: ModuleLink { address: ObjectId(id.address().into_bytes()), name },
		name: test.test_name.clone(),
		type_arguments: Vec::new(),
		arguments,
	};
	let call = Call { signer, function, context: context() };
	let result = engine.call(tree, call, &plenty()).map_err(|failed| failed.error);
	match (&test.expected_failure, result) {
		(None, Ok(_)) => Ok(()),
		(
			Some(ExpectedFailure::Expected),
			Err(MoveError::Aborted { .. } | MoveError::Failed { .. }),
		) => Ok(()),
		(
			Some(ExpectedFailure::ExpectedWithCode(expected)),
			Err(MoveError::Aborted { code, .. }),
		) if code == *expected => Ok(()),
		(expected, result) => Err(format!("expected {expected:?}, {result:?}")),
	}
}

#[test]
fn tests_of_the_framework_pass() {
	let targets = [stdlib().join("sources"), folder().join("sources"), folder().join("tests")];
	let tally = run(targets.iter().flat_map(|folder| sources(folder)).collect());
	assert_eq!((tally.failed, tally.refused), (Vec::new(), BTreeMap::new()));
	assert!(tally.passed >= 15, "{} tests were found", tally.passed);
}

/// Modules of tests that the envelope refuses, each with a part of the reason: types of 127 levels, made to see the limit of the
/// machine, and a function with more borrowed places than the verifier is trusted with.
const REFUSED: [(&str, &str); 2] = [("bcs_tests", "levels"), ("vector_tests", "11 places")];

/// Tests of long loops, which may end at the limit of memory: what a call gave back counts.
const LONG: [&str; 2] = ["test_set_bit_and_index_odd_size", "test_shift_left"];

#[test]
fn tests_of_the_standard_library_pass() {
	let targets = [stdlib().join("sources"), stdlib().join("tests")];
	let tally = run(targets.iter().flat_map(|folder| sources(folder)).collect());
	let is_long = |problem: &String| {
		LONG.iter().any(|name| problem.contains(name)) && problem.contains("64 MiB of memory")
	};
	let failed: Vec<_> = tally.failed.iter().filter(|problem| !is_long(problem)).collect();
	assert_eq!(failed, Vec::<&String>::new());
	assert!(tally.passed >= 72, "{} tests passed", tally.passed);
	let refused: Vec<_> = tally.refused.iter().collect();
	assert_eq!(refused.len(), REFUSED.len(), "{refused:?}");
	for ((id, reason), (name, part)) in refused.into_iter().zip(REFUSED) {
		assert!(id.name().as_str() == name && reason.contains(part), "{id}: {reason}");
	}
}
