//! Real modules with random changes: nothing panics past the guard, nothing runs beyond its gas, and two runs agree.

use crate::support::*;
use dstp_move::{Call, Engine};
use move_binary_format::{
	access::ModuleAccess,
	file_format::{Bytecode, CompiledModule},
};
use rand::{rngs::StdRng, seq::SliceRandom, Rng, SeedableRng};

const SOURCES: [&str; 2] =
	[include_str!("contracts/counter.move"), include_str!("contracts/loops.move")];

/// Changes a few instructions: to others of the module, or to another operand.
fn mutate(module: &CompiledModule, random: &mut StdRng) -> Vec<u8> {
	let mut module = module.clone();
	let pool: Vec<Bytecode> = module
		.function_defs
		.iter()
		.filter_map(|function| function.code.as_ref())
		.flat_map(|code| code.code.clone())
		.collect();
	for _ in 0..random.gen_range(1..=3) {
		let function = random.gen_range(0..module.function_defs.len());
		let Some(code) = &mut module.function_defs[function].code else { continue };
		let at = random.gen_range(0..code.code.len());
		let chosen = pool.choose(random).unwrap().clone();
		match random.gen_range(0..4) {
			0 => code.code[at] = chosen,
			1 => code.code.insert(at, chosen),
			2 if code.code.len() > 1 => drop(code.code.remove(at)),
			_ => code.code[at] = shifted(&code.code[at], random),
		}
	}
	let mut bytes = Vec::new();
	let written = module.serialize_for_version(Some(module.version), &mut bytes);
	if written.is_err() || random.gen_ratio(1, 4) {
		for _ in 0..random.gen_range(1..=4) {
			let length = bytes.len().max(1);
			bytes.resize(length, 0);
			bytes[random.gen_range(0..length)] = random.gen();
		}
	}
	bytes
}

fn shifted(instruction: &Bytecode, random: &mut StdRng) -> Bytecode {
	use Bytecode::*;
	let local = random.gen_range(0..4);
	match instruction {
		CopyLoc(_) => MoveLoc(local),
		MoveLoc(_) => CopyLoc(local),
		StLoc(_) => StLoc(local),
		ImmBorrowLoc(_) => MutBorrowLoc(local),
		MutBorrowLoc(_) => ImmBorrowLoc(local),
		LdU64(_) => LdU64(random.gen()),
		Branch(to) | BrTrue(to) => BrFalse(to.saturating_add(random.gen_range(0..3))),
		BrFalse(to) => BrTrue(to.saturating_sub(random.gen_range(0..3))),
		other => other.clone(),
	}
}

/// Calls every entry function of a module twice, once by a machine that has seen others.
fn call_all(engine: &Engine, tree: &mut Tree, code: &[u8]) {
	let module = CompiledModule::deserialize(code).unwrap();
	for definition in module.function_defs().iter().filter(|definition| definition.is_entry) {
		let handle = module.function_handle_at(definition.function);
		let parameters = module.signature_at(handle.parameters).0.iter();
		let arguments =
			parameters.filter(|token| !token.is_reference()).map(|_| bcs(3u64)).collect::<Vec<_>>();
		let path = format!("{}::{}", module.self_id().name(), module.identifier_at(handle.name));
		let call = || Call {
			signer: ALICE,
			function: function(&path, arguments.clone()),
			context: context(),
		};
		let one = engine.call(tree, call(), &budget(2_000_000));
		let other = Engine::new().call(tree, call(), &budget(2_000_000));
		assert_eq!(one, other, "{path}");
	}
}

#[test]
fn mutants_are_refused_or_run_the_same_twice() {
	let count = std::env::var("DSTP_LONG").map_or(2_000, |_| 100_000);
	let seed = 7;
	println!("seed {seed}, {count} mutants");
	let mut random = StdRng::seed_from_u64(seed);
	let modules: Vec<_> = SOURCES
		.iter()
		.map(|source| CompiledModule::deserialize(&compile(&[source])[0]).unwrap())
		.collect();
	let engine = Engine::new();
	let (mut tree, mut decoded, mut verified) = (namespace(), 0, 0);
	for _ in 0..count {
		let code = mutate(modules.choose(&mut random).unwrap(), &mut random);
		decoded += usize::from(CompiledModule::deserialize(&code).is_ok());
		let publication = publication(AUTHOR, vec![code.clone()]);
		let Ok(outcome) = engine.publish(&mut tree, publication, &plenty()) else { continue };
		verified += 1;
		tree.apply_contract(&outcome.changes).unwrap();
		call_all(&engine, &mut tree, &code);
		tree.storage_mut().discard();
	}
	println!("{decoded} decoded, {verified} verified");
	assert!(decoded * 5 >= count && verified * 100 >= count, "{decoded} {verified}");
}
