//! Calls and views.

use super::{
	arguments, broken,
	budget::{charge, charge_outcome, Loading},
	types::{decode_type_arguments, modules_of},
	Budget, Context, Engine, Failed, Outcome, ViewOutcome,
};
use crate::{
	error::{module_name, MoveError},
	gas::Meter,
	guard,
	machine::{Callable, Declared, Machine},
	natives::Host,
	state::{module_id, Closure, Decoded, Root, TreeReader},
};
use dstp_primitives::{contract::ModuleLink, tree::ContractPlaces, ObjectId, ObjectTree, Storage};
use move_binary_format::{
	access::ModuleAccess, errors::Location, file_format::Visibility, CompiledModule,
};
use move_core_types::{
	identifier::{IdentStr, Identifier},
	language_storage::{ModuleId, TypeTag},
};
use move_vm_runtime::{
	native_extensions::NativeContextExtensions,
	session::{SerializedReturnValues, Session},
};
use move_vm_types::loaded_data::runtime_types::Type;
use std::sync::Arc;

/// A call of an entry function.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Call {
	/// Who signed, as the transaction says. The only `signer` that the function can get.
	pub signer: ObjectId,
	/// The function.
	pub function: Function,
	/// Where and when it runs.
	pub context: Context,
}

/// A call of a public or entry function that changes nothing.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct View {
	/// The function.
	pub function: Function,
	/// Where and when it runs.
	pub context: Context,
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
		let Call { signer, function, context } = call;
		self.execute(tree, function, Some(&signer), &context, budget).map(|(outcome, _)| outcome)
	}

	/// Runs a function and gives what it returns. Whatever it would change is forgotten.
	pub fn view<S: Storage>(
		&self,
		tree: &mut ObjectTree<S>,
		view: View,
		budget: &Budget,
	) -> Result<ViewOutcome, Failed> {
		let (outcome, values) = self.execute(tree, view.function, None, &view.context, budget)?;
		Ok(ViewOutcome { values, gas_used: outcome.gas_used })
	}

	/// Gives what a call changes, and what a view returns.
	fn execute<S: Storage>(
		&self,
		tree: &mut ObjectTree<S>,
		function: Function,
		signer: Option<&ObjectId>,
		context: &Context,
		budget: &Budget,
	) -> Result<(Outcome, Vec<Vec<u8>>), Failed> {
		let mut loading = Loading::new(budget);
		let failed = |error, price| Failed::after(error, price, budget.limit);
		let mut prepared =
			Prepared::new(function).map_err(|error| failed(error, loading.price()))?;
		let mut places = ContractPlaces::default();
		let closure = prepared.closure(tree, &mut places, &self.decoded, &mut loading);
		let price = loading.price();
		let early = |error| failed(error, price);
		let closure = closure.map_err(early)?;
		let (mut machine, warm) = self.machines.take(&closure).map_err(early)?;
		let storage = Readable { tree, places, closure: &closure };
		let caller = Caller { signer, context };
		let run = || prepared.serve(&mut machine, warm, storage, caller, budget, price);
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

/// What an execution reads.
struct Readable<'a, S> {
	tree: &'a mut ObjectTree<S>,
	places: ContractPlaces,
	closure: &'a Closure,
}

/// Who calls, and where and when.
#[derive(Clone, Copy)]
struct Caller<'a> {
	/// Who signed; nobody in a view.
	signer: Option<&'a ObjectId>,
	context: &'a Context,
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

	/// The modules that the call may load. Its own has to exist, and those of the type arguments.
	fn closure<S: Storage>(
		&self,
		tree: &mut ObjectTree<S>,
		places: &mut ContractPlaces,
		decoded: &Decoded,
		loading: &mut Loading,
	) -> Result<Closure, MoveError> {
		let mut named = vec![self.module.clone()];
		self.type_arguments.iter().for_each(|tag| modules_of(tag, &mut named));
		let roots = named.into_iter().map(|id| Root { id, needed: true });
		Closure::read(tree, places, decoded, roots, |module| loading.pay(module))
	}

	fn problem(&self, problem: &'static str) -> MoveError {
		let (module, function) = (module_name(&self.module), self.name.to_string());
		MoveError::NotCallable { module, function, problem }
	}

	/// Runs the function in a machine. `warm`: it has all of the closure in memory. `price`: of loading the closure.
	fn serve<S: Storage>(
		&mut self,
		machine: &mut Machine,
		warm: bool,
		Readable { tree, places, closure }: Readable<'_, S>,
		caller: Caller<'_>,
		budget: &Budget,
		price: u64,
	) -> Served {
		if !warm {
			if let Err(error) = machine.learn(closure) {
				return Served { result: Err(error), used: price, kept_nodes: 0 };
			}
		}
		let mut meter = Meter::new(&budget.schedule, &machine.shapes, budget.limit);
		let reader = TreeReader::new(tree, places, closure, &machine.tags);
		let natives = Host::new(meter.natives(), caller.context, &reader, caller.signer.copied());
		let result = charge(&mut meter, price)
			.and_then(|()| self.run(machine, &reader, caller.signer, natives, &mut meter))
			.and_then(|(outcome, values)| {
				charge_outcome(&mut meter, &budget.schedule, &outcome)?;
				Ok((outcome, values))
			});
		let (used, kept_nodes) = (meter.used(), meter.kept_nodes());
		if result.is_ok() && !warm {
			machine.note_verified(closure);
		}
		Served { result, used, kept_nodes }
	}

	/// Runs the function: an entry function if somebody signed, else a public or entry one.
	fn run<'r, S: Storage>(
		&mut self,
		machine: &Machine,
		reader: &'r TreeReader<'_, S>,
		signer: Option<&ObjectId>,
		natives: Host<'r>,
		meter: &mut Meter,
	) -> Result<(Outcome, Vec<Vec<u8>>), MoveError> {
		let mut extensions = NativeContextExtensions::default();
		extensions.add(natives);
		let mut session = machine.vm.new_session_with_extensions(reader, extensions);
		let returned = self
			.run_in(machine, &mut session, reader, signer, meter)
			.map_err(|error| reader.explain(error))?;
		let values = returned.return_values.into_iter().map(|(bytes, _)| bytes).collect();
		if signer.is_none() {
			return Ok((Outcome::default(), values));
		}
		let (changes, _, mut extensions) =
			session.finish_with_extensions().map_err(|error| reader.explain(error))?;
		let natives: Host = extensions.remove();
		let (events, of_objects) =
			natives.into_effects().map_err(|problem| self.problem(problem))?;
		let mut outcome = Outcome::from_effects(changes, events, &machine.tags)?;
		outcome.changes.extend(of_objects);
		Ok((outcome, values))
	}

	fn run_in<S: Storage>(
		&mut self,
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
		let parameters = self.callable(machine, session, reader, signer.is_some())?;
		let arguments = std::mem::take(&mut self.arguments);
		let arguments = arguments::complete(&parameters, signer, arguments)
			.map_err(|problem| self.problem(problem))?;
		let bytes = arguments.iter().map(|argument| argument.len() as u64).sum();
		meter
			.start(bytes, arguments::memory(&parameters, &arguments), type_nodes)
			.map_err(|error| error.finish(Location::Undefined))?;
		let types = std::mem::take(&mut self.type_arguments);
		Ok(session.execute_function_bypass_visibility(
			&self.module,
			&self.name,
			types,
			arguments,
			meter,
		)?)
	}

	/// The parameters of the function, if it may be called.
	fn callable<S: Storage>(
		&self,
		machine: &Machine,
		session: &Session<'_, '_, TreeReader<'_, S>>,
		reader: &TreeReader<'_, S>,
		signed: bool,
	) -> Result<Arc<[Type]>, MoveError> {
		let simple = self.type_arguments.is_empty();
		if let Some(known) =
			simple.then(|| machine.functions.get(&self.module, &self.name)).flatten()
		{
			self.check_callable(Some(known.declared), signed)?;
			return Ok(known.parameters);
		}
		let compiled = machine.vm.load_module(&self.module, reader)?;
		let found = callable(&compiled, &self.name);
		self.check_callable(found, signed)?;
		let loaded = session.load_function(&self.module, &self.name, &self.type_arguments)?;
		let parameters = loaded
			.parameters
			.iter()
			.map(|ty| ty.subst(&loaded.type_arguments))
			.collect::<Result<Arc<[_]>, _>>()
			.map_err(|_| self.problem("has a parameter of an unknown type"))?;
		if let (true, Some(declared)) = (simple, found) {
			let callable = Callable { declared, parameters: parameters.clone() };
			machine.functions.keep(&self.module, &self.name, callable);
		}
		Ok(parameters)
	}

	/// `found`: how the function is declared, if there is one.
	fn check_callable(&self, found: Option<Declared>, signed: bool) -> Result<(), MoveError> {
		match found {
			None => Err(self.problem("does not exist")),
			Some(Declared { entry: false, .. }) if signed => {
				Err(self.problem("is no entry function; view it, or call another"))
			},
			// The machine would drop what it returns, and some values must not be dropped: an open object, a debt.
			Some(Declared { returns: true, .. }) if signed => {
				Err(self.problem("returns a value, which nobody takes; view it, or call another"))
			},
			Some(Declared { public: false, entry: false, .. }) => {
				Err(self.problem("is neither public nor an entry function"))
			},
			// The machine calls these from bytecode only.
			Some(Declared { native: true, .. }) => {
				Err(self.problem("is written in Rust; view a function that calls it"))
			},
			Some(_) => Ok(()),
		}
	}
}

/// How a function is declared.
fn callable(module: &CompiledModule, name: &IdentStr) -> Option<Declared> {
	let (definition, handle) = module
		.function_defs()
		.iter()
		.map(|definition| (definition, module.function_handle_at(definition.function)))
		.find(|(_, handle)| module.identifier_at(handle.name) == name)?;
	Some(Declared {
		public: definition.visibility == Visibility::Public,
		entry: definition.is_entry,
		native: definition.is_native(),
		returns: !module.signature_at(handle.return_).is_empty(),
	})
}
