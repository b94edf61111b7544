//! What a machine knows of functions that it served before.

use move_core_types::{
	identifier::{IdentStr, Identifier},
	language_storage::ModuleId,
};
use move_vm_types::loaded_data::runtime_types::Type;
use std::{cell::RefCell, collections::HashMap, sync::Arc};

/// Functions without type parameters, of the modules of one machine. It has no others, so these do not change.
#[derive(Default)]
pub(crate) struct Functions(RefCell<HashMap<ModuleId, HashMap<Identifier, Callable>>>);

/// How a function is declared, as far as it says who may call it.
#[derive(Clone, Copy)]
pub(crate) struct Declared {
	/// Whether it is public.
	pub(crate) public: bool,
	/// Whether it is an entry function.
	pub(crate) entry: bool,
	/// Whether it is written in Rust.
	pub(crate) native: bool,
	/// Whether it returns anything.
	pub(crate) returns: bool,
}

/// What has to be known of a function before it is called.
#[derive(Clone)]
pub(crate) struct Callable {
	/// How it is declared.
	pub(crate) declared: Declared,
	/// Types of its parameters, with type arguments put in.
	pub(crate) parameters: Arc<[Type]>,
}

impl Functions {
	pub(crate) fn get(&self, module: &ModuleId, name: &IdentStr) -> Option<Callable> {
		self.0.borrow().get(module)?.get(name).cloned()
	}

	pub(crate) fn keep(&self, module: &ModuleId, name: &IdentStr, callable: Callable) {
		let mut modules = self.0.borrow_mut();
		modules.entry(module.clone()).or_default().insert(name.to_owned(), callable);
	}
}
