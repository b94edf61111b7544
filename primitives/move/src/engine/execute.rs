//! Calls and views.

use super::{
	arguments, guarded, new_machine,
	types::{decode_type_arguments, modules_of},
	Engine, Outcome, ViewOutcome,
};
use crate::{
	error::{module_name, MoveError},
	state::{module_id, Closure, TreeReader},
};
use dstp_primitives::{contract::ModuleLink, ObjectId, ObjectTree, Storage};
use move_binary_format::{access::ModuleAccess, file_format::Visibility, CompiledModule};
use move_core_types::{
	identifier::{IdentStr, Identifier},
	language_storage::{ModuleId, TypeTag},
};
use move_vm_runtime::{
	move_vm::MoveVM,
	session::{SerializedReturnValues, Session},
};
use move_vm_types::gas::UnmeteredGasMeter;

/// A call of an entry function.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Call {
	/// Who signed, as the transaction says. The only `signer` that the function can get.
	pub signer: ObjectId,
	/// The function.
	pub function: Function,
}

/// A call of a public or entry function that changes nothing.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct View {
	/// The function.
	pub function: Function,
}

/// A function with its arguments, from a stranger.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Function {
	/// The module.
	pub module: ModuleLink,
	/// The function in it.
	pub name: String,
	/// Type arguments, each in BCS.
	pub type_arguments: Vec<Vec<u8>>,
	/// Arguments without the signer, each in BCS.
	pub arguments: Vec<Vec<u8>>,
}

impl Engine {
	/// Runs an entry function. The tree is read, not changed.
	pub fn call<S: Storage>(
		&self,
		tree: &mut ObjectTree<S>,
		call: Call,
	) -> Result<Outcome, MoveError> {
		let prepared = Prepared::new(call.function)?;
		let closure = prepared.closure(tree)?;
		guarded(module_name(&prepared.module), || {
			let (reader, machine) = (TreeReader::new(tree, &closure), new_machine()?);
			let mut session = machine.new_session(&reader);
			prepared
				.run(&machine, &mut session, &reader, Some(&call.signer))
				.map_err(|error| reader.explain(error))?;
			let (changes, events) = session.finish().map_err(|error| reader.explain(error))?;
			Outcome::from_effects(changes, events)
		})
	}

	/// Runs a function and gives what it returns. Whatever it would change is forgotten.
	pub fn view<S: Storage>(
		&self,
		tree: &mut ObjectTree<S>,
		view: View,
	) -> Result<ViewOutcome, MoveError> {
		let prepared = Prepared::new(view.function)?;
		let closure = prepared.closure(tree)?;
		guarded(module_name(&prepared.module), || {
			let (reader, machine) = (TreeReader::new(tree, &closure), new_machine()?);
			let mut session = machine.new_session(&reader);
			let returned = prepared
				.run(&machine, &mut session, &reader, None)
				.map_err(|error| reader.explain(error))?;
			Ok(ViewOutcome {
				values: returned.return_values.into_iter().map(|(bytes, _)| bytes).collect(),
			})
		})
	}
}

/// A function whose names and types were read.
struct Prepared {
	module: ModuleId,
	name: Identifier,
	type_arguments: Vec<TypeTag>,
	arguments: Vec<Vec<u8>>,
}

impl Prepared {
	fn new(function: Function) -> Result<Self, MoveError> {
		let name = |text: &str| MoveError::BadRequest(format!("{text:?} is no name in Move"));
		let module = module_id(&function.module)
			.ok_or_else(|| name(&String::from_utf8_lossy(&function.module.name)))?;
		Ok(Self {
			module,
			name: Identifier::new(function.name.as_str()).map_err(|_| name(&function.name))?,
			type_arguments: decode_type_arguments(&function.type_arguments)?,
			arguments: function.arguments,
		})
	}

	/// The modules that the call may load. The first has to exist, and those of the type arguments.
	fn closure<S: Storage>(&self, tree: &mut ObjectTree<S>) -> Result<Closure, MoveError> {
		let mut roots = vec![self.module.clone()];
		self.type_arguments.iter().for_each(|tag| modules_of(tag, &mut roots));
		let closure = Closure::read(tree, roots.clone())?;
		match roots.iter().find(|id| closure.get(id).is_none()) {
			Some(missing) => Err(MoveError::ModuleNotFound(module_name(missing))),
			None => Ok(closure),
		}
	}

	fn problem(&self, problem: &'static str) -> MoveError {
		let (module, function) = (module_name(&self.module), self.name.to_string());
		MoveError::NotCallable { module, function, problem }
	}

	/// Runs the function: an entry function if somebody signed, else a public or entry one.
	fn run<S: Storage>(
		&self,
		machine: &MoveVM,
		session: &mut Session<'_, '_, TreeReader<'_, S>>,
		reader: &TreeReader<'_, S>,
		signer: Option<&ObjectId>,
	) -> Result<SerializedReturnValues, MoveError> {
		let compiled = machine.load_module(&self.module, reader)?;
		let (public, entry) =
			callable(&compiled, &self.name).ok_or_else(|| self.problem("does not exist"))?;
		if signer.is_some() && !entry {
			return Err(self.problem("is no entry function; view it, or call another"));
		}
		if !public && !entry {
			return Err(self.problem("is neither public nor an entry function"));
		}
		let loaded = session.load_function(&self.module, &self.name, &self.type_arguments)?;
		let parameters = loaded
			.parameters
			.iter()
			.map(|ty| ty.subst(&loaded.type_arguments))
			.collect::<Result<Vec<_>, _>>()
			.map_err(|_| self.problem("has a parameter of an unknown type"))?;
		let arguments = arguments::complete(&parameters, signer, self.arguments.clone())
			.map_err(|problem| self.problem(problem))?;
		let mut gas = UnmeteredGasMeter;
		Ok(session.execute_function_bypass_visibility(
			&self.module,
			&self.name,
			self.type_arguments.clone(),
			arguments,
			&mut gas,
		)?)
	}
}

/// Whether a function is public, and whether it is an entry function.
fn callable(module: &CompiledModule, name: &IdentStr) -> Option<(bool, bool)> {
	let definition = module.function_defs().iter().find(|definition| {
		let handle = module.function_handle_at(definition.function);
		module.identifier_at(handle.name) == name
	})?;
	Some((definition.visibility == Visibility::Public, definition.is_entry))
}
