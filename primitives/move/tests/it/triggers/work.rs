//! Verification that takes far longer than its bytes.

use super::{child::effect, forge::Forge, raw, refusal};
use cpu_time::ThreadTime;
use dstp_move::envelope::{limits::WORK, work};
use move_binary_format::{
	file_format::{Bytecode, Bytecode::*, SignatureToken as Type},
	CompiledModule,
};
use std::time::Duration;

/// More than the verification of any module that is allowed takes.
const LONG: Duration = Duration::from_millis(400);

fn reference() -> Type {
	Type::MutableReference(Box::new(Type::U64))
}

/// Loops in which borrows wander from local to local, one step for each time that the verifier looks at a loop.
fn wandering(functions: usize, references: u8, diamonds: usize) -> Forge {
	let mut module = Forge::new("m");
	for n in 0..functions {
		let mut code: Vec<Bytecode> = Vec::new();
		for local in 1..=references {
			code.extend([MutBorrowLoc(0), StLoc(local)]);
		}
		code.truncate(2);
		for local in 2..=references {
			code.extend([CopyLoc(local - 1), StLoc(local)]);
		}
		let head = code.len() as u16;
		for _ in 0..diamonds {
			let after = code.len() as u16 + 4;
			code.extend([LdTrue, BrFalse(after), CopyLoc(references), StLoc(1)]);
			for local in (2..=references).rev() {
				code.extend([CopyLoc(local - 1), StLoc(local)]);
			}
		}
		code.extend([LdTrue, BrTrue(head), Ret]);
		let locals = vec![reference(); usize::from(references)];
		module.function(&format!("f{n}"), 0, vec![Type::U64], locals, code);
	}
	module
}

/// Straight code of many blocks with many locals.
fn many_blocks(functions: usize, blocks: u16, locals: usize) -> Forge {
	let mut module = Forge::new("m");
	for n in 0..functions {
		let mut code: Vec<Bytecode> = Vec::new();
		for _ in 0..blocks {
			let after = code.len() as u16 + 2;
			code.extend([LdTrue, BrFalse(after)]);
		}
		code.push(Ret);
		module.function(&format!("f{n}"), 0, vec![Type::U64; locals], vec![], code);
	}
	module
}

/// Many calls that take references while many are alive.
fn many_borrows(functions: usize, references: u8, calls: usize) -> Forge {
	let mut module = Forge::new("m");
	let callee =
		module.function("g", 0, vec![Type::Reference(Box::new(Type::U64))], vec![], vec![Ret]);
	for n in 0..functions {
		let mut code: Vec<Bytecode> = Vec::new();
		for local in 1..=references {
			code.extend([ImmBorrowLoc(0), StLoc(local)]);
		}
		for _ in 0..calls {
			code.extend([CopyLoc(1), Call(callee)]);
		}
		code.push(Ret);
		let locals = vec![Type::Reference(Box::new(Type::U64)); usize::from(references)];
		module.function(&format!("f{n}"), 0, vec![Type::U64], locals, code);
	}
	module
}

fn verified_in(module: &CompiledModule) -> Duration {
	let started = ThreadTime::now();
	raw::verify(module).unwrap();
	started.elapsed()
}

/// The largest module of a kind that is allowed.
fn largest(mut make: impl FnMut(usize) -> Forge) -> CompiledModule {
	let fits = |module: &Forge| {
		let allowed = work::measure(&module.0).is_ok_and(|units| units <= WORK);
		allowed && module.code().len() <= 64 * 1024
	};
	let mut last = make(1);
	assert!(fits(&last), "{:?}", work::measure(&last.0));
	for functions in [2, 4, 8, 16, 32, 64, 128, 256] {
		let next = make(functions);
		if !fits(&next) {
			break;
		}
		last = next;
	}
	last.0
}

#[test]
fn what_takes_too_long_to_verify_is_refused() {
	let module = wandering(8, 110, 16);
	let shown = effect("triggers::work::what_takes_too_long_to_verify_is_refused", || {
		let _ = raw::verify(&module.0);
	});
	assert!(shown.is_slower_than(LONG));
	let reason = refusal(vec![module.code()]);
	assert!(reason.contains("units of work"), "{reason}");
}

#[test]
fn verification_at_the_limits_is_bounded() {
	let kinds = [
		("wandering, 8 references", largest(|n| wandering(n, 8, 4))),
		("wandering, 24 references", largest(|n| wandering(n, 24, 4))),
		("wandering, 48 references", largest(|n| wandering(n, 48, 2))),
		("wandering, 80 references", largest(|n| wandering(n, 80, 1))),
		("wandering, 100 references", largest(|n| wandering(n, 100, 1))),
		("many blocks", largest(|n| many_blocks(n, 250, 120))),
		("many small functions", largest(|n| many_blocks(2 * n, 1, 1))),
		("many borrows", largest(|n| many_borrows(n, 100, 100))),
	];
	for (kind, module) in kinds {
		let units = work::measure(&module).unwrap();
		let took = verified_in(&module);
		println!(
			"{kind}: {units} units, {took:?}, {:.1} ns per unit",
			took.as_nanos() as f64 / units as f64
		);
		assert!(took < LONG, "{kind}: {took:?}");
	}
}
