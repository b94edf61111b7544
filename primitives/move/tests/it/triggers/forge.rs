//! Modules made by hand, which no compiler would make.

use crate::support::AUTHOR;
use move_binary_format::file_format::*;
use move_core_types::{account_address::AccountAddress, identifier::Identifier};

/// A module under construction.
#[derive(Clone)]
pub struct Forge(pub CompiledModule);

impl Forge {
	/// An empty module of the author.
	pub fn new(name: &str) -> Self {
		let mut module = empty_module();
		module.version = 5;
		module.identifiers = vec![Identifier::new(name).unwrap()];
		module.address_identifiers = vec![AccountAddress::new(AUTHOR.0)];
		Self(module)
	}

	pub fn code(&self) -> Vec<u8> {
		let mut code = Vec::new();
		self.0.serialize_for_version(Some(self.0.version), &mut code).unwrap();
		code
	}

	pub fn identifier(&mut self, name: &str) -> IdentifierIndex {
		let name = Identifier::new(name).unwrap();
		let known = self.0.identifiers.iter().position(|other| *other == name);
		IdentifierIndex(known.unwrap_or_else(|| {
			self.0.identifiers.push(name);
			self.0.identifiers.len() - 1
		}) as u16)
	}

	pub fn signature(&mut self, tokens: Vec<SignatureToken>) -> SignatureIndex {
		let list = Signature(tokens);
		let known = self.0.signatures.iter().position(|other| *other == list);
		SignatureIndex(known.unwrap_or_else(|| {
			self.0.signatures.push(list);
			self.0.signatures.len() - 1
		}) as u16)
	}

	/// A struct with all abilities and type parameters without any.
	pub fn structure(
		&mut self,
		name: &str,
		parameters: usize,
		fields: Vec<SignatureToken>,
	) -> StructHandleIndex {
		let name = self.identifier(name);
		let fields = (0..)
			.zip(fields)
			.map(|(n, token)| FieldDefinition {
				name: self.identifier(&format!("f{n}")),
				signature: TypeSignature(token),
			})
			.collect();
		let parameter = StructTypeParameter { constraints: AbilitySet::EMPTY, is_phantom: false };
		self.0.struct_handles.push(StructHandle {
			module: ModuleHandleIndex(0),
			name,
			abilities: AbilitySet::ALL,
			type_parameters: vec![parameter; parameters],
		});
		let struct_handle = StructHandleIndex(self.0.struct_handles.len() as u16 - 1);
		let field_information = StructFieldInformation::Declared(fields);
		self.0.struct_defs.push(StructDefinition { struct_handle, field_information });
		struct_handle
	}

	/// A struct of another module of the author, with all abilities.
	pub fn foreign(&mut self, module: &str, name: &str) -> StructHandleIndex {
		let (module, name) = (self.identifier(module), self.identifier(name));
		let handle = ModuleHandle { address: AddressIdentifierIndex(0), name: module };
		self.0.module_handles.push(handle);
		self.0.struct_handles.push(StructHandle {
			module: ModuleHandleIndex(self.0.module_handles.len() as u16 - 1),
			name,
			abilities: AbilitySet::ALL,
			type_parameters: vec![],
		});
		StructHandleIndex(self.0.struct_handles.len() as u16 - 1)
	}

	/// A public entry function.
	pub fn function(
		&mut self,
		name: &str,
		type_parameters: usize,
		parameters: Vec<SignatureToken>,
		locals: Vec<SignatureToken>,
		code: Vec<Bytecode>,
	) -> FunctionHandleIndex {
		let name = self.identifier(name);
		let parameters = self.signature(parameters);
		let (locals, none) = (self.signature(locals), self.signature(vec![]));
		self.0.function_handles.push(FunctionHandle {
			module: ModuleHandleIndex(0),
			name,
			parameters,
			return_: none,
			type_parameters: vec![AbilitySet::EMPTY; type_parameters],
		});
		let function = FunctionHandleIndex(self.0.function_handles.len() as u16 - 1);
		self.0.function_defs.push(FunctionDefinition {
			function,
			visibility: Visibility::Public,
			is_entry: true,
			acquires_global_resources: vec![],
			code: Some(CodeUnit { locals, code }),
		});
		function
	}
}
