//! The virtual machine alone, as its crates have it.

use move_binary_format::{errors::VMError, CompiledModule};
use move_bytecode_verifier::{verify_module_with_config, VerifierConfig};
use move_core_types::{
	account_address::AccountAddress,
	identifier::Identifier,
	language_storage::{ModuleId, StructTag},
	resolver::{ModuleResolver, ResourceResolver},
};
use move_vm_runtime::move_vm::MoveVM;
use move_vm_types::gas::UnmeteredGasMeter;
use std::collections::HashMap;

/// The verifier without limits.
pub fn verify(module: &CompiledModule) -> Result<(), Box<VMError>> {
	verify_module_with_config(&VerifierConfig { max_loop_depth: None }, module).map_err(Box::new)
}

/// Modules that the machine takes as published.
pub struct Modules(HashMap<ModuleId, Vec<u8>>);

impl Modules {
	pub fn new(modules: Vec<Vec<u8>>) -> Self {
		let id = |code: &Vec<u8>| CompiledModule::deserialize(code).unwrap().self_id();
		Self(modules.into_iter().map(|code| (id(&code), code)).collect())
	}

	/// Calls `module::function` of the author without arguments.
	pub fn call(&self, path: &str) -> Result<(), Box<VMError>> {
		let (module, name) = path.split_once("::").unwrap();
		let identifier = |text: &str| Identifier::new(text).unwrap();
		let address = AccountAddress::new(crate::support::AUTHOR.0);
		let id = ModuleId::new(address, identifier(module));
		let vm = MoveVM::new([]).unwrap();
		let mut session = vm.new_session(self);
		let none: Vec<Vec<u8>> = vec![];
		session
			.execute_function_bypass_visibility(
				&id,
				&identifier(name),
				vec![],
				none,
				&mut UnmeteredGasMeter,
			)
			.map(drop)
			.map_err(Box::new)
	}
}

impl ModuleResolver for Modules {
	type Error = ();
	fn get_module(&self, id: &ModuleId) -> Result<Option<Vec<u8>>, ()> {
		Ok(self.0.get(id).cloned())
	}
}

impl ResourceResolver for Modules {
	type Error = ();
	fn get_resource(&self, _: &AccountAddress, _: &StructTag) -> Result<Option<Vec<u8>>, ()> {
		Ok(None)
	}
}
