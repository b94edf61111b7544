//! Sizes and counts of a module, and its canonical form.

use super::{limits::*, Problem};
use move_binary_format::{
	access::ModuleAccess,
	file_format::{Bytecode, FunctionDefinition, SignatureToken, StructFieldInformation},
	file_format_common::VERSION_5,
	CompiledModule,
};

/// Checks a module that was decoded from `code`. Every index in it has been checked by the decoder.
pub fn check(code: &[u8], module: &CompiledModule, may_have_natives: bool) -> Result<(), Problem> {
	check_form(code, module)?;
	check_counts(module)?;
	check_structs(module)?;
	for definition in module.function_defs() {
		check_function(module, definition, may_have_natives)?;
	}
	module.signatures().iter().flat_map(|list| &list.0).try_for_each(check_token)
}

fn at_most(what: &str, found: usize, most: usize) -> Result<(), Problem> {
	if found > most {
		return Err(format!("{found} {what}, and at most {most} are allowed"));
	}
	Ok(())
}

fn check_form(code: &[u8], module: &CompiledModule) -> Result<(), Problem> {
	at_most("bytes", code.len(), MODULE_BYTES)?;
	if module.version < VERSION_5 {
		return Err(format!(
			"bytecode version {}; compile it for version 5 or later",
			module.version
		));
	}
	if !module.metadata.is_empty() {
		return Err("metadata, which nothing here reads; compile without it".into());
	}
	let mut canonical = Vec::with_capacity(code.len());
	module
		.serialize_for_version(Some(module.version), &mut canonical)
		.map_err(|_| "it cannot be written again".to_string())?;
	(canonical == code)
		.then_some(())
		.ok_or_else(|| "its bytes are not the canonical form of its content".into())
}

fn check_counts(module: &CompiledModule) -> Result<(), Problem> {
	at_most("functions", module.function_defs().len(), FUNCTIONS)?;
	at_most("structs", module.struct_defs().len(), STRUCTS)?;
	let handles = [
		("modules named", module.module_handles().len()),
		("structs named", module.struct_handles().len()),
		("functions named", module.function_handles().len()),
		("fields named", module.field_handles().len()),
		("instantiated structs", module.struct_instantiations().len()),
		("instantiated functions", module.function_instantiations().len()),
		("instantiated fields", module.field_instantiations().len()),
		("signatures", module.signatures().len()),
		("identifiers", module.identifiers().len()),
		("addresses", module.address_identifiers().len()),
	];
	handles.into_iter().try_for_each(|(what, found)| at_most(what, found, HANDLES))?;
	for name in module.identifiers() {
		at_most("bytes in an identifier", name.len(), IDENTIFIER_BYTES)?;
	}
	at_most("constants", module.constant_pool().len(), CONSTANTS)?;
	for constant in module.constant_pool() {
		at_most("bytes in a constant", constant.data.len(), CONSTANT_BYTES)?;
		check_token(&constant.type_)?;
	}
	for list in module.signatures() {
		at_most("types in a list", list.0.len(), SIGNATURE_TYPES)?;
	}
	for handle in module.function_handles() {
		at_most("type parameters", handle.type_parameters.len(), TYPE_PARAMETERS)?;
	}
	for handle in module.struct_handles() {
		at_most("type parameters", handle.type_parameters.len(), TYPE_PARAMETERS)?;
	}
	Ok(())
}

fn check_structs(module: &CompiledModule) -> Result<(), Problem> {
	for definition in module.struct_defs() {
		match &definition.field_information {
			StructFieldInformation::Native => return Err("a native struct".into()),
			StructFieldInformation::Declared(fields) => {
				at_most("fields", fields.len(), FIELDS)?;
				fields.iter().try_for_each(|field| check_token(&field.signature.0))?;
			},
		}
	}
	Ok(())
}

fn check_function(
	module: &CompiledModule,
	definition: &FunctionDefinition,
	may_have_natives: bool,
) -> Result<(), Problem> {
	let handle = module.function_handle_at(definition.function);
	let name = module.identifier_at(handle.name);
	let named = |problem: Problem| format!("function {name}: {problem}");
	let Some(code) = &definition.code else {
		return may_have_natives
			.then_some(())
			.ok_or_else(|| named("native, and only the framework has native functions".into()));
	};
	let locals =
		module.signature_at(handle.parameters).len() + module.signature_at(code.locals).len();
	at_most("parameters and locals", locals, LOCALS).map_err(named)?;
	at_most("instructions", code.code.len(), INSTRUCTIONS).map_err(named)?;
	at_most("acquired resources", definition.acquires_global_resources.len(), ACQUIRES)
		.map_err(named)?;
	let operands = code.code.iter().filter_map(|instruction| match instruction {
		Bytecode::VecPack(_, count) | Bytecode::VecUnpack(_, count) => Some(*count),
		_ => None,
	});
	match operands.max() {
		Some(count) if count > VECTOR_OPERANDS => Err(named(format!(
			"a vector of {count} elements in one instruction, and at most {VECTOR_OPERANDS} are allowed"
		))),
		_ => Ok(()),
	}
}

fn check_token(token: &SignatureToken) -> Result<(), Problem> {
	let (mut nodes, mut depth) = (0, 0);
	for (_, level) in token.preorder_traversal_with_depth() {
		nodes += 1;
		depth = depth.max(level);
	}
	at_most("nodes in a type", nodes, TOKEN_NODES)?;
	at_most("levels in a type", depth, TOKEN_DEPTH)
}
