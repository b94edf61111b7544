//! Borrows that the verifier of the virtual machine is known to get wrong.
//!
//! At the end of a block the verifier gives every reference in a local the number of that local. It renames one after the other in the
//! same map; so if two references have changed places, the second name overwrites the first, and what borrows from what is lost. Code
//! that the verifier then accepts can use a reference to what is gone. A compiler moves references between locals, but it has no
//! reason to let two of them change places within a block.
//!
//! And it keeps at most ten edges between two references; beyond, it counts on what it does not keep in order.

use super::{limits::BORROWED_PLACES, Problem};
use move_binary_format::{
	access::ModuleAccess,
	control_flow_graph::{ControlFlowGraph, VMControlFlowGraph},
	file_format::{
		Bytecode, CodeUnit, FunctionDefinition, SignatureIndex, SignatureToken,
		StructDefinitionIndex, StructFieldInformation,
	},
	CompiledModule,
};
use std::collections::{BTreeMap, BTreeSet};

/// Checks all functions of a module.
pub fn check(module: &CompiledModule) -> Result<(), Problem> {
	for definition in module.function_defs() {
		let Some(code) = &definition.code else { continue };
		let name = module.identifier_at(module.function_handle_at(definition.function).name);
		check_function(module, definition, code)
			.map_err(|problem| format!("function {name}: {problem}"))?;
	}
	Ok(())
}

fn check_function(
	module: &CompiledModule,
	definition: &FunctionDefinition,
	code: &CodeUnit,
) -> Result<(), Problem> {
	let handle = module.function_handle_at(definition.function);
	let parameters = module.signature_at(handle.parameters);
	let references: BTreeSet<u8> = parameters
		.0
		.iter()
		.chain(&module.signature_at(code.locals).0)
		.zip(0u8..)
		.filter(|(token, _)| is_reference(token))
		.map(|(_, local)| local)
		.collect();
	let graph = VMControlFlowGraph::new(&code.code);
	check_places(code, &references, graph.blocks().len())?;
	for block in graph.blocks() {
		let range = usize::from(graph.block_start(block))..=usize::from(graph.block_end(block));
		let instructions = code.code.get(range).unwrap_or_default();
		check_block(module, instructions, &references)?;
	}
	Ok(())
}

fn is_reference(token: &SignatureToken) -> bool {
	matches!(token, SignatureToken::Reference(_) | SignatureToken::MutableReference(_))
}

/// An eleventh edge needs an eleventh place, an eleventh way to it, and a local that keeps it.
fn check_places(code: &CodeUnit, references: &BTreeSet<u8>, blocks: usize) -> Result<(), Problem> {
	let kept = code.code.iter().any(
		|instruction| matches!(instruction, Bytecode::StLoc(local) if references.contains(local)),
	);
	let places: BTreeSet<_> = code.code.iter().filter_map(place).collect();
	if kept && blocks > BORROWED_PLACES && places.len() > BORROWED_PLACES {
		return Err(format!(
			"it borrows {} places, branches and keeps references in variables; with branches, at most {BORROWED_PLACES} places are allowed: split it",
			places.len()
		));
	}
	Ok(())
}

/// What a borrow takes: the kind of the place and its number.
fn place(instruction: &Bytecode) -> Option<(u8, u16)> {
	Some(match instruction {
		Bytecode::MutBorrowLoc(local) | Bytecode::ImmBorrowLoc(local) => (0, u16::from(*local)),
		Bytecode::MutBorrowField(field) | Bytecode::ImmBorrowField(field) => (1, field.0),
		Bytecode::MutBorrowFieldGeneric(field) | Bytecode::ImmBorrowFieldGeneric(field) => {
			(2, field.0)
		},
		Bytecode::MutBorrowGlobal(definition) | Bytecode::ImmBorrowGlobal(definition) => {
			(3, definition.0)
		},
		Bytecode::MutBorrowGlobalGeneric(definition)
		| Bytecode::ImmBorrowGlobalGeneric(definition) => (4, definition.0),
		_ => return None,
	})
}

/// Follows references that are moved, not copied, from local to local within one block.
fn check_block(
	module: &CompiledModule,
	instructions: &[Bytecode],
	references: &BTreeSet<u8>,
) -> Result<(), Problem> {
	// By local: the local that the reference in it was in when the block began, if it was in one.
	let mut origins: BTreeMap<u8, Option<u8>> =
		references.iter().map(|local| (*local, Some(*local))).collect();
	let mut stack: Vec<Option<u8>> = Vec::new();
	for instruction in instructions {
		match instruction {
			Bytecode::MoveLoc(local) => stack.push(origins.remove(local).flatten()),
			Bytecode::StLoc(local) => {
				let origin = stack.pop().flatten();
				if references.contains(local) {
					origins.insert(*local, origin);
				}
			},
			instruction => {
				let (taken, given) = stack_effect(module, instruction);
				stack.truncate(stack.len().saturating_sub(taken));
				stack.extend(std::iter::repeat_n(None, given));
			},
		}
	}
	let alive: BTreeSet<u8> = origins.values().flatten().copied().collect();
	let moved = origins.iter().filter_map(|(local, origin)| Some((*local, (*origin)?)));
	for (local, origin) in moved.filter(|(local, origin)| local != origin) {
		if alive.contains(&local) {
			return Err(format!(
				"the references in locals {origin} and {local} change places within a block; copy them instead"
			));
		}
	}
	Ok(())
}

/// How many values an instruction takes from the stack and puts on it.
fn stack_effect(module: &CompiledModule, instruction: &Bytecode) -> (usize, usize) {
	let types = |index: SignatureIndex| module.signature_at(index).len();
	match instruction {
		Bytecode::Call(index) => {
			let handle = module.function_handle_at(*index);
			(types(handle.parameters), types(handle.return_))
		},
		Bytecode::CallGeneric(index) => {
			let handle = module.function_handle_at(module.function_instantiation_at(*index).handle);
			(types(handle.parameters), types(handle.return_))
		},
		Bytecode::Pack(index) => (fields(module, *index), 1),
		Bytecode::PackGeneric(index) => {
			(fields(module, module.struct_instantiation_at(*index).def), 1)
		},
		Bytecode::Unpack(index) => (1, fields(module, *index)),
		Bytecode::UnpackGeneric(index) => {
			(1, fields(module, module.struct_instantiation_at(*index).def))
		},
		Bytecode::VecPack(_, count) => (*count as usize, 1),
		Bytecode::VecUnpack(_, count) => (1, *count as usize),
		instruction => simple_effect(instruction),
	}
}

fn fields(module: &CompiledModule, index: StructDefinitionIndex) -> usize {
	match &module.struct_def_at(index).field_information {
		StructFieldInformation::Declared(fields) => fields.len(),
		StructFieldInformation::Native => 0,
	}
}

fn simple_effect(instruction: &Bytecode) -> (usize, usize) {
	use Bytecode::*;
	match instruction {
		Ret | Branch(_) | Nop => (0, 0),
		Pop | BrTrue(_) | BrFalse(_) | StLoc(_) | Abort => (1, 0),
		LdU8(_) | LdU64(_) | LdU128(_) | LdConst(_) | LdTrue | LdFalse | CopyLoc(_)
		| MoveLoc(_) | MutBorrowLoc(_) | ImmBorrowLoc(_) => (0, 1),
		CastU8
		| CastU64
		| CastU128
		| ReadRef
		| FreezeRef
		| Not
		| MutBorrowField(_)
		| ImmBorrowField(_)
		| MutBorrowFieldGeneric(_)
		| ImmBorrowFieldGeneric(_)
		| MutBorrowGlobal(_)
		| ImmBorrowGlobal(_)
		| MutBorrowGlobalGeneric(_)
		| ImmBorrowGlobalGeneric(_)
		| Exists(_)
		| ExistsGeneric(_)
		| MoveFrom(_)
		| MoveFromGeneric(_)
		| VecLen(_)
		| VecPopBack(_) => (1, 1),
		WriteRef | MoveTo(_) | MoveToGeneric(_) | VecPushBack(_) => (2, 0),
		VecSwap(_) => (3, 0),
		Add | Sub | Mul | Mod | Div | BitOr | BitAnd | Xor | Shl | Shr | Or | And | Eq | Neq
		| Lt | Gt | Le | Ge | VecImmBorrow(_) | VecMutBorrow(_) => (2, 1),
		Call(_) | CallGeneric(_) | Pack(_) | PackGeneric(_) | Unpack(_) | UnpackGeneric(_)
		| VecPack(..) | VecUnpack(..) => (0, 0),
	}
}
