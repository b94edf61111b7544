//! Calls and views.

use super::{
	arguments, broken,
	budget::{charge_loading, charge_outcome, within},
	types::{decode_type_arguments, modules_of},
	Budget, Engine, Failed, Outcome, ViewOutcome,
};
use crate::{
	error::{module_name, MoveError},
	gas::Meter,
	guard,
	machine::Machine,
	state::{module_id, Closure, TreeReader},
};
use dstp_primitives::{contract::ModuleLink, ObjectId, ObjectTree, Storage};
use move_binary_format::{
	access::ModuleAccess, errors::Location, file_format::Visibility, CompiledModule,
};
use move_core_types::{
	identifier::{IdentStr, Identifier},
	language_storage::{ModuleId, TypeTag},
};
use move_vm_runtime::session::{SerializedReturnValues, Session};

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
		budget: &Budget,
	) -> Result<Outcome, Failed> {
		self.execute(tree, call.function, Some(&call.signer), budget).map(|(outcome, _)| outcome)
	}

	/// Runs a function and gives what it returns. Whatever it would change is forgotten.
	pub fn view<S: Storage>(
		&self,
		tree: &mut ObjectTree<S>,
		view: View,
		budget: &Budget,
	) -> Result<ViewOutcome, Failed> {
		let (outcome, values) = self.execute(tree, view.function, None, budget)?;
		Ok(ViewOutcome { values, gas_used: outcome.gas_used })
	}

	/// Gives what a call changes, and what a view returns.
	fn execute<S: Storage>(
		&self,
		tree: &mut ObjectTree<S>,
		function: Function,
		signer: Option<&ObjectId>,
		budget: &Budget,
	) -> Result<(Outcome, Vec<Vec<u8>>), Failed> {
		let early = |error| Failed::after(error, 0, budget.limit);
		let prepared = Prepared::new(function).map_err(early)?;
		let closure = prepared.closure(tree, budget).map_err(early)?;
		let mut machine = self.machines.take(&closure).map_err(early)?;
		let warm = machine.is_warm(&closure);
		let run = || prepared.serve(&mut machine, tree, &closure, signer, budget);
		let ran = if warm { guard::run_warm(run) } else { guard::run(run) };
		let Served { result, used, kept_nodes } =
			ran.map_err(|panicked| early(broken(module_name(&prepared.module), panicked)))?;
		if !matches!(result, Err(MoveError::Invariant { .. })) {
			self.machines.give_back(machine, kept_nodes);
		}
		let (mut outcome, values) =
			result.map_err(|error| Failed::after(error, used, budget.limit))?;
		outcome.gas_used = used;
		Ok((outcome, values))
	}
}

/// What a machine gives when it has served a call.
struct Served {
	/// What a call changes, and what a view returns.
	result: Result<(Outcome, Vec<Vec<u8>>), MoveError>,
	/// Gas used.
	used: u64,
	/// Nodes of types that the machine may keep.
	kept_nodes: u64,
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
	fn closure<S: Storage>(
		&self,
		tree: &mut ObjectTree<S>,
		budget: &Budget,
	) -> Result<Closure, MoveError> {
		let mut roots = vec![self.module.clone()];
		self.type_arguments.iter().for_each(|tag| modules_of(tag, &mut roots));
		let closure = Closure::read(tree, roots.clone(), within(budget))?;
		match roots.iter().find(|id| closure.get(id).is_none()) {
			Some(missing) => Err(MoveError::ModuleNotFound(module_name(missing))),
			None => Ok(closure),
		}
	}

	fn problem(&self, problem: &'static str) -> MoveError {
		let (module, function) = (module_name(&self.module), self.name.to_string());
		MoveError::NotCallable { module, function, problem }
	}

	/// Runs the function in a machine.
	fn serve<S: Storage>(
		&self,
		machine: &mut Machine,
		tree: &mut ObjectTree<S>,
		closure: &Closure,
		signer: Option<&ObjectId>,
		budget: &Budget,
	) -> Served {
		if let Err(error) = machine.learn(closure) {
			return Served { result: Err(error), used: 0, kept_nodes: 0 };
		}
		let mut meter = Meter::new(&budget.schedule, &machine.shapes, budget.limit);
		let reader = TreeReader::new(tree, closure);
		let result = charge_loading(&mut meter, &budget.schedule, closure)
			.and_then(|()| self.run(machine, &reader, signer, &mut meter))
			.and_then(|(outcome, values)| {
				charge_outcome(&mut meter, &budget.schedule, &outcome)?;
				Ok((outcome, values))
			});
		let (used, kept_nodes) = (meter.used(), meter.kept_nodes());
		if result.is_ok() {
			machine.note_verified(closure);
		}
		Served { result, used, kept_nodes }
	}

	/// Runs the function: an entry function if somebody signed, else a public or entry one.
	fn run<S: Storage>(
		&self,
		machine: &Machine,
		reader: &TreeReader<'_, S>,
		signer: Option<&ObjectId>,
		meter: &mut Meter,
	) -> Result<(Outcome, Vec<Vec<u8>>), MoveError> {
		let mut session = machine.vm.new_session(reader);
		let returned = self
			.run_in(machine, &mut session, reader, signer, meter)
			.map_err(|error| reader.explain(error))?;
		let values = returned.return_values.into_iter().map(|(bytes, _)| bytes).collect();
		if signer.is_none() {
			return Ok((Outcome::default(), values));
		}
		let (changes, events) = session.finish().map_err(|error| reader.explain(error))?;
		Ok((Outcome::from_effects(changes, events)?, values))
	}

	fn run_in<S: Storage>(
		&self,
		machine: &Machine,
		session: &mut Session<'_, '_, TreeReader<'_, S>>,
		reader: &TreeReader<'_, S>,
		signer: Option<&ObjectId>,
		meter: &mut Meter,
	) -> Result<SerializedReturnValues, MoveError> {
		let mut type_nodes = 0;
		for tag in &self.type_arguments {
			type_nodes += machine
				.shapes
				.check_argument(tag)
				.map_err(|problem| MoveError::BadRequest(problem.into()))?;
		}
		let compiled = machine.vm.load_module(&self.module, reader)?;
		self.check_callable(&compiled, signer.is_some())?;
		let loaded = session.load_function(&self.module, &self.name, &self.type_arguments)?;
		let parameters = loaded
			.parameters
			.iter()
			.map(|ty| ty.subst(&loaded.type_arguments))
			.collect::<Result<Vec<_>, _>>()
			.map_err(|_| self.problem("has a parameter of an unknown type"))?;
		let arguments = arguments::complete(&parameters, signer, self.arguments.clone())
			.map_err(|problem| self.problem(problem))?;
		let bytes = arguments.iter().map(|argument| argument.len() as u64).sum();
		meter
			.start(bytes, arguments::memory(&parameters, &arguments), type_nodes)
			.map_err(|error| error.finish(Location::Undefined))?;
		let (name, types) = (&self.name, self.type_arguments.clone());
		Ok(session.execute_function_bypass_visibility(
			&self.module,
			name,
			types,
			arguments,
			meter,
		)?)
	}

	fn check_callable(&self, module: &CompiledModule, signed: bool) -> Result<(), MoveError> {
		match callable(module, &self.name) {
			None => Err(self.problem("does not exist")),
			Some((_, false)) if signed => {
				Err(self.problem("is no entry function; view it, or call another"))
			},
			Some((false, false)) => Err(self.problem("is neither public nor an entry function")),
			Some(_) => Ok(()),
		}
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
