//! Borrows that the verifier gets wrong.

use super::{child::effect, forge::Forge, raw, refusal};
use crate::support::*;
use move_binary_format::file_format::{
	Bytecode::*, FieldHandle, FieldHandleIndex, SignatureToken as Type, StructDefinitionIndex,
};
use move_core_types::vm_status::StatusCode;

/// Two references change places, and a second block uses them.
pub fn swapped() -> Forge {
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
	publish_code(&mut namespace(), AUTHOR, vec![module.code()]).unwrap();
}

/// A reference that may lead to any of `places` fields, by as many branches.
fn branching(places: u16) -> Forge {
	let mut module = Forge::new("m");
	let fields = vec![Type::U64; usize::from(places)];
	let wide = Type::Struct(module.structure("Wide", 0, fields));
	module.0.field_handles =
		(0..places).map(|field| FieldHandle { owner: StructDefinitionIndex(0), field }).collect();
	let mut code = vec![CopyLoc(0), MutBorrowField(FieldHandleIndex(0)), StLoc(1)];
	for field in 1..places {
		let after = code.len() as u16 + 5;
		let borrow = MutBorrowField(FieldHandleIndex(field));
		code.extend([LdTrue, BrFalse(after), CopyLoc(0), borrow, StLoc(1)]);
	}
	code.extend([LdU64(1), MoveLoc(1), WriteRef, Ret]);
	let parameter = Type::MutableReference(Box::new(wide));
	let local = Type::MutableReference(Box::new(Type::U64));
	module.function("f", 0, vec![parameter], vec![local], code);
	module.0.function_defs[0].is_entry = false;
	module
}

/// There is no effect to show: instead of an eleventh edge the verifier keeps one that leads everywhere, so it refuses what is sound, and
/// no module was found that it takes and should not. The guard keeps modules away from that part of it, and says why.
#[test]
fn more_than_ten_borrowed_places_in_branches_are_refused() {
	let refused = raw::verify(&branching(12).0).unwrap_err();
	assert_eq!(refused.major_status(), StatusCode::BORROWFIELD_EXISTS_MUTABLE_BORROW_ERROR);
	let reason = refusal(vec![branching(12).code()]);
	assert!(reason.contains("borrows 12 places"), "{reason}");
	publish_code(&mut namespace(), AUTHOR, vec![branching(10).code()]).unwrap();
}
