//! Borrows that the verifier gets wrong.

use super::{child::effect, forge::Forge, raw, refusal};
use move_binary_format::file_format::{Bytecode::*, SignatureToken as Type};

/// Two references change places, and a second block uses them.
fn swapped() -> Forge {
	let mut module = Forge::new("m");
	let reference = || Type::MutableReference(Box::new(Type::U64));
	let code = vec![
		MutBorrowLoc(0),
		StLoc(2),
		MutBorrowLoc(1),
		StLoc(3),
		Branch(5),
		MoveLoc(2),
		MoveLoc(3),
		StLoc(2),
		StLoc(3),
		Branch(10),
		LdU64(1),
		MoveLoc(2),
		WriteRef,
		LdU64(2),
		MoveLoc(3),
		WriteRef,
		Ret,
	];
	module.function("f", 0, vec![Type::U64, Type::U64], vec![reference(), reference()], code);
	module
}

#[test]
fn references_that_change_places_are_refused() {
	let module = swapped();
	let shown = effect("triggers::references::references_that_change_places_are_refused", || {
		let _ = raw::verify(&module.0);
	});
	assert!(shown.is_fatal());
	let reason = refusal(vec![module.code()]);
	assert!(reason.contains("change places"), "{reason}");
}

#[test]
fn references_that_move_on_are_not() {
	let mut module = Forge::new("m");
	let reference = || Type::MutableReference(Box::new(Type::U64));
	let code = vec![
		MutBorrowLoc(0),
		StLoc(1),
		Branch(3),
		MoveLoc(1),
		StLoc(2),
		Branch(6),
		LdU64(1),
		MoveLoc(2),
		WriteRef,
		Ret,
	];
	module.function("f", 0, vec![Type::U64], vec![reference(), reference()], code);
	crate::support::publish_code(
		&mut crate::support::namespace(),
		crate::support::AUTHOR,
		vec![module.code()],
	)
	.unwrap();
}
