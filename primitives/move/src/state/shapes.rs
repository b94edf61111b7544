//! What types the modules of a closure define.

use super::Closure;
use crate::{
	envelope::types::Shapes,
	error::{module_name, MoveError},
};
use move_binary_format::{access::ModuleAccess, CompiledModule};
use move_core_types::language_storage::ModuleId;
use std::collections::{BTreeMap, BTreeSet};

/// Adds the structs of all modules of a closure that `shapes` does not know.
///
/// The modules passed the checks when they were published, so an error means that the tree is damaged.
pub(crate) fn shapes_of(closure: &Closure, shapes: &mut Shapes) -> Result<(), MoveError> {
	let mut new = BTreeMap::new();
	for (id, module) in closure.iter().filter(|(id, _)| !shapes.knows(id)) {
		let decoded = CompiledModule::deserialize(&module.entry.code)
			.map_err(|_| MoveError::Corrupt("module"))?;
		new.insert(id.clone(), decoded);
	}
	let mut open = BTreeSet::new();
	for id in new.keys() {
		add(id, &new, &mut open, shapes)?;
	}
	Ok(())
}

/// Adds a module after the modules that it depends on. Recursion is as deep as a closure has modules.
fn add(
	id: &ModuleId,
	new: &BTreeMap<ModuleId, CompiledModule>,
	open: &mut BTreeSet<ModuleId>,
	shapes: &mut Shapes,
) -> Result<(), MoveError> {
	let Some(module) = new.get(id) else { return Ok(()) };
	if shapes.knows(id) || !open.insert(id.clone()) {
		return Ok(());
	}
	for dependency in module.immediate_dependencies() {
		add(&dependency, new, open, shapes)?;
	}
	shapes.add(module).map_err(|problem| MoveError::Invariant { module: module_name(id), problem })
}
