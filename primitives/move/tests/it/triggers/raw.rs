//! The virtual machine alone, as its crates have it.

use dstp_move::natives;
use move_binary_format::{errors::VMError, CompiledModule};
use move_bytecode_verifier::{verify_module_with_config, VerifierConfig};
use move_core_types::{
	account_address::AccountAddress,
	identifier::Identifier,
	language_storage::{ModuleId, StructTag, TypeTag},
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
		self.call_with(path, vec![]).map(drop)
	}

	/// Loads a type from outside.
	pub fn load_type(&self, tag: &TypeTag) -> Result<(), Box<VMError>> {
		let vm = MoveVM::new([]).unwrap();
		let session = vm.new_session(self);
		session.load_type(tag).map(drop).map_err(Box::new)
	}

	/// Calls `module::function` of the author. Gives what it returns and how many accounts it changes.
	pub fn call_with(
		&self,
		path: &str,
		arguments: Vec<Vec<u8>>,
	) -> Result<(Vec<Vec<u8>>, usize), Box<VMError>> {
		let (module, name) = path.split_once("::").unwrap();
		let identifier = |text: &str| Identifier::new(text).unwrap();
		let address = AccountAddress::new(crate::support::AUTHOR.0);
		let id = ModuleId::new(address, identifier(module));
		let vm = MoveVM::new(natives::table()).unwrap();
		let mut session = vm.new_session(self);
		let returned = session
			.execute_function_bypass_visibility(
				&id,
				&identifier(name),
				vec![],
				arguments,
				&mut UnmeteredGasMeter,
			)
			.map_err(Box::new)?;
		let values = returned.return_values.into_iter().map(|(bytes, _)| bytes).collect();
		let (changes, _) = session.finish().map_err(Box::new)?;
		Ok((values, changes.into_inner().len()))
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
