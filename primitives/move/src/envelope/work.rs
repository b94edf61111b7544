//! An upper bound of the verifier's work, from the bytecode alone.
//!
//! The verifier interprets every function abstractly, block by block, with a state that holds all locals and all borrows between
//! references. A block behind a back edge is interpreted again as long as the state at its head changes. The state of locals can change
//! once per local and back edge around the block, borrows wander from reference to reference turn by turn, and every interpretation
//! copies and joins the state.

use super::{limits::*, Problem};
use move_binary_format::{
	access::ModuleAccess,
	control_flow_graph::{ControlFlowGraph, VMControlFlowGraph},
	file_format::{Bytecode, FunctionDefinition, SignatureToken},
	CompiledModule,
};

/// A borrow wanders through this many references in about the time of one turn of a loop; measured.
const REFERENCES_PER_TURN: u64 = 16;

/// Units of the verifier's work on a module, each about 30 ns. Errors: more than [`WORK`], or a function with too many blocks.
pub fn measure(module: &CompiledModule) -> Result<u64, Problem> {
	let mut units = module_units(module);
	for definition in module.function_defs() {
		// The count itself takes time, so it ends where the module is refused.
		if units > WORK {
			break;
		}
		units = units.saturating_add(function_units(module, definition)?);
	}
	if units > WORK {
		return Err(format!(
			"its verification takes at least {units} units of work, and at most {WORK} are allowed; split its largest functions"
		));
	}
	Ok(units)
}

/// Passes over tables, and the table of functions that the verifier builds once for each function.
fn module_units(module: &CompiledModule) -> u64 {
	let functions = module.function_defs().len() as u64;
	let tokens: usize = module
		.signatures()
		.iter()
		.flat_map(|list| &list.0)
		.map(|token| token.preorder_traversal().count())
		.sum();
	2 * functions * functions + 4 * tokens as u64 + module.identifiers().len() as u64
}

fn function_units(
	module: &CompiledModule,
	definition: &FunctionDefinition,
) -> Result<u64, Problem> {
	let Some(code) = &definition.code else { return Ok(0) };
	let handle = module.function_handle_at(definition.function);
	let parameters = module.signature_at(handle.parameters);
	let types = || parameters.0.iter().chain(&module.signature_at(code.locals).0);
	let locals = types().count() as u64;
	let references = types().filter(|ty| is_reference(ty)).count() as u64;
	let graph = VMControlFlowGraph::new(&code.code);
	let blocks = graph.blocks();
	if blocks.len() > BLOCKS {
		let name = module.identifier_at(handle.name);
		return Err(format!(
			"function {name}: {} blocks, and at most {BLOCKS} are allowed",
			blocks.len()
		));
	}
	let back_edges: Vec<(u64, u64)> = code
		.code
		.iter()
		.zip(0u64..)
		.filter_map(|(instruction, at)| {
			let target = u64::from(*instruction.offset()?);
			(target <= at).then_some((target, at))
		})
		.collect();
	let mut units = 0u64;
	for block in blocks {
		let start = u64::from(graph.block_start(block));
		let end = u64::from(graph.block_end(block));
		let around = back_edges.iter().filter(|(head, tail)| *head <= start && end <= *tail);
		let around = around.count() as u64;
		let repeats = match back_edges.is_empty() {
			true => 1,
			false => (1 + around) * (2 + references / REFERENCES_PER_TURN),
		};
		let state = 4 + locals + references * references / 4 + 4 * references;
		let acquires = definition.acquires_global_resources.len() as u64;
		let instructions: u64 = (start..=end)
			.map(|at| instruction_units(module, &code.code[at as usize], references + acquires))
			.sum();
		units = units.saturating_add(repeats.saturating_mul(state.saturating_add(instructions)));
	}
	Ok(units)
}

/// What one instruction costs beside the state: those that look at all references, or build types, cost more.
fn instruction_units(module: &CompiledModule, instruction: &Bytecode, references: u64) -> u64 {
	match instruction {
		Bytecode::Call(index) => {
			let handle = module.function_handle_at(*index);
			let types = module.signature_at(handle.parameters).len()
				+ module.signature_at(handle.return_).len();
			4 + types as u64 * (4 + references)
		},
		Bytecode::CallGeneric(index) => {
			let instance = module.function_instantiation_at(*index);
			let handle = module.function_handle_at(instance.handle);
			let types = module.signature_at(handle.parameters).len()
				+ module.signature_at(handle.return_).len();
			let arguments: usize = module
				.signature_at(instance.type_parameters)
				.0
				.iter()
				.map(|token| token.preorder_traversal().count())
				.sum();
			4 + types as u64 * (4 + references + arguments as u64 * TYPE_PARAMETERS as u64)
		},
		Bytecode::Ret => 4 + references * references,
		Bytecode::VecPack(_, count) | Bytecode::VecUnpack(_, count) => 4 + count,
		instruction if touches_references(instruction) => 4 + references * 4,
		_ => 2,
	}
}

fn touches_references(instruction: &Bytecode) -> bool {
	!matches!(
		instruction,
		Bytecode::LdU8(_)
			| Bytecode::LdU64(_)
			| Bytecode::LdU128(_)
			| Bytecode::LdTrue
			| Bytecode::LdFalse
			| Bytecode::LdConst(_)
			| Bytecode::Nop
			| Bytecode::Add
			| Bytecode::Sub
			| Bytecode::Branch(_)
			| Bytecode::BrTrue(_)
			| Bytecode::BrFalse(_)
	)
}

fn is_reference(token: &SignatureToken) -> bool {
	matches!(token, SignatureToken::Reference(_) | SignatureToken::MutableReference(_))
}
