//! Publication and upgrade.

use super::{
	budget::{charge, charge_each, charge_outcome, Loading},
	guarded, Budget, Engine, Failed, Outcome,
};
use crate::{
	envelope,
	envelope::{limits::MODULE_BYTES, types::Shapes},
	error::{module_name, MoveError},
	gas::Meter,
	machine::new_machine,
	natives::FRAMEWORK,
	state::{module_link, move_address, shapes_of, Closure, Decoded, Root, Tags, TreeReader},
};
use dstp_primitives::{
	contract::{
		ContractChange, ModuleEntry, ModuleLink, UpgradePolicy, MAX_MODULE_LINKS,
		MODULE_ENTRY_VERSION,
	},
	tree::ContractPlaces,
	ObjectId, ObjectTree, Storage,
};
use move_binary_format::{access::ModuleAccess, CompiledModule};
use move_core_types::language_storage::ModuleId;
use move_vm_types::gas::UnmeteredGasMeter;
use std::collections::BTreeSet;

/// Most modules in one publication.
pub const MAX_BUNDLE_MODULES: usize = 16;

/// Most bytes of all modules of a publication.
pub const MAX_BUNDLE_BYTES: usize = 256 * 1024;

/// Modules that somebody wants to publish together, from a stranger.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Publication {
	/// Whose modules they are, as the transaction says. The modules name the same address.
	pub publisher: ObjectId,
	/// Bytecode, dependencies before what needs them.
	pub modules: Vec<Vec<u8>>,
	/// How they may be replaced later.
	pub policy: UpgradePolicy,
}

impl Engine {
	/// Checks modules and gives the changes that publish them, or that replace the modules of the same names.
	///
	/// Gas is taken for every step before it is done.
	pub fn publish<S: Storage>(
		&self,
		tree: &mut ObjectTree<S>,
		publication: Publication,
		budget: &Budget,
	) -> Result<Outcome, Failed> {
		let none = Shapes::default();
		let mut meter = Meter::new(&budget.schedule, &none, budget.limit);
		let result = publish(tree, &self.decoded, publication, budget, &mut meter);
		let gas_used = meter.used();
		result
			.map(|outcome| Outcome { gas_used, ..outcome })
			.map_err(|error| Failed::after(error, gas_used, budget.limit))
	}
}

fn publish<S: Storage>(
	tree: &mut ObjectTree<S>,
	decoded: &Decoded,
	publication: Publication,
	budget: &Budget,
	meter: &mut Meter,
) -> Result<Outcome, MoveError> {
	let (schedule, Publication { publisher, modules, policy }) = (&budget.schedule, publication);
	let bytes = check_size(&modules)?;
	charge_each(meter, schedule.byte_loaded, bytes as u64)?;
	let compiled =
		modules.iter().zip(0..).map(decode).collect::<Result<Vec<CompiledModule>, _>>()?;
	let first = module_name(&compiled[0].self_id());
	let mut places = ContractPlaces::default();
	let mut loading = Loading::new(budget);
	let closure = bundle_closure(tree, &mut places, decoded, &compiled, &mut loading);
	charge(meter, loading.price())?;
	let closure = closure?;
	let entries =
		guarded(&first, || check_modules(&publisher, policy, &modules, &compiled, &closure))?;
	for entry in &entries {
		charge(meter, schedule.module)?;
		charge_each(meter, schedule.verifier_unit, u64::from(entry.work))?;
	}
	verify(tree, places, &publisher, modules, &first, &closure)?;
	let changes = entries
		.into_iter()
		.map(|module| ContractChange::SetModule { address: publisher, module })
		.collect();
	let outcome = Outcome { changes, ..Default::default() };
	charge_outcome(meter, schedule, &outcome)?;
	Ok(outcome)
}

fn check_size(modules: &[Vec<u8>]) -> Result<usize, MoveError> {
	let bytes = modules.iter().map(Vec::len).sum();
	let lengths = modules.iter().all(|code| code.len() <= MODULE_BYTES);
	if modules.is_empty()
		|| modules.len() > MAX_BUNDLE_MODULES
		|| bytes > MAX_BUNDLE_BYTES
		|| !lengths
	{
		return Err(MoveError::BadRequest(format!(
			"a publication has 1 to {MAX_BUNDLE_MODULES} modules of at most {MODULE_BYTES} bytes each and {MAX_BUNDLE_BYTES} together; publish the others after these"
		)));
	}
	Ok(bytes)
}

fn decode((code, number): (&Vec<u8>, u32)) -> Result<CompiledModule, MoveError> {
	let module = format!("number {number} of the publication");
	guarded(&module, || {
		CompiledModule::deserialize(code).map_err(|error| MoveError::Rejected {
			module: module.clone(),
			reason: format!("{:?}", error.major_status()),
		})
	})
}

/// All checks but the machine's own. Gives what the tree will hold.
fn check_modules(
	publisher: &ObjectId,
	policy: UpgradePolicy,
	modules: &[Vec<u8>],
	compiled: &[CompiledModule],
	closure: &Closure,
) -> Result<Vec<ModuleEntry>, MoveError> {
	let mut shapes = Shapes::default();
	shapes_of(closure, &mut shapes)?;
	let mut entries = Vec::with_capacity(modules.len());
	for (module, code) in compiled.iter().zip(modules) {
		let id = module.self_id();
		check_owner(module, publisher)?;
		let work = envelope::check(code, module, *publisher == FRAMEWORK, &mut shapes)
			.map_err(|problem| rejected(&id, problem))?;
		let entry = entry(module, code, policy, work)?;
		check_policy(&id, closure)?;
		entries.push(entry);
	}
	for module in compiled {
		let id = module.self_id();
		shapes.relations().check(&id).map_err(|problem| rejected(&id, problem))?;
	}
	Ok(entries)
}

fn rejected(id: &ModuleId, reason: impl ToString) -> MoveError {
	MoveError::Rejected { module: module_name(id), reason: reason.to_string() }
}

/// What the machine needs to check the bundle: the old modules of the same names, and everything outside the bundle.
fn bundle_closure<S: Storage>(
	tree: &mut ObjectTree<S>,
	places: &mut ContractPlaces,
	decoded: &Decoded,
	bundle: &[CompiledModule],
	loading: &mut Loading,
) -> Result<Closure, MoveError> {
	let own: BTreeSet<ModuleId> = bundle.iter().map(|module| module.self_id()).collect();
	let named: BTreeSet<ModuleId> = bundle.iter().flat_map(links).collect();
	let others = named.difference(&own).map(|id| Root { id: id.clone(), needed: true });
	let roots = own.iter().map(|id| Root { id: id.clone(), needed: false }).chain(others);
	Closure::read(tree, places, decoded, roots, |module| loading.pay(module))
}

/// The other modules that a module names.
fn links(module: &CompiledModule) -> BTreeSet<ModuleId> {
	let own = module.self_id();
	let named = module.immediate_dependencies().into_iter().chain(module.immediate_friends());
	named.filter(|id| *id != own).collect()
}

fn entry(
	module: &CompiledModule,
	code: &[u8],
	policy: UpgradePolicy,
	work: u64,
) -> Result<ModuleEntry, MoveError> {
	let id = module.self_id();
	let link = |named: &ModuleId| {
		module_link(named).ok_or_else(|| rejected(&id, "names of modules have at most 64 bytes"))
	};
	let links = links(module).iter().map(link).collect::<Result<Vec<ModuleLink>, _>>()?;
	Ok(ModuleEntry {
		version: MODULE_ENTRY_VERSION,
		name: link(&id)?.name,
		policy,
		links: links.try_into().map_err(|_| {
			rejected(&id, format!("a module names at most {MAX_MODULE_LINKS} others"))
		})?,
		work: work.try_into().map_err(|_| rejected(&id, "its verification takes too long"))?,
		code: code
			.to_vec()
			.try_into()
			.map_err(|_| rejected(&id, "a module has at most 65536 bytes"))?,
	})
}

fn check_owner(module: &CompiledModule, publisher: &ObjectId) -> Result<(), MoveError> {
	let address = move_address(publisher);
	if *module.address() != address {
		return Err(rejected(
			&module.self_id(),
			format!("its address is not the publisher's, 0x{address}"),
		));
	}
	if module.immediate_friends().iter().any(|friend| *friend.address() != address) {
		return Err(rejected(&module.self_id(), "friends have the address of the module"));
	}
	Ok(())
}

fn check_policy(id: &ModuleId, closure: &Closure) -> Result<(), MoveError> {
	match closure.get(id).map(|old| old.entry.policy) {
		Some(UpgradePolicy::Immutable) => Err(rejected(id, "it is published as immutable")),
		Some(UpgradePolicy::Compatible) | None => Ok(()),
	}
}

/// The verifier, linking, compatibility with the old modules and the absence of cycles, by a machine of its own: a publication may
/// still be dropped, and a machine that saw it must not serve anyone else.
fn verify<S: Storage>(
	tree: &mut ObjectTree<S>,
	places: ContractPlaces,
	publisher: &ObjectId,
	modules: Vec<Vec<u8>>,
	first: &str,
	closure: &Closure,
) -> Result<(), MoveError> {
	guarded(first, || {
		let (tags, machine) = (Tags::default(), new_machine()?);
		let reader = TreeReader::new(tree, places, closure, &tags);
		let mut session = machine.new_session(&reader);
		session
			.publish_module_bundle(modules, move_address(publisher), &mut UnmeteredGasMeter)
			.map_err(|error| reader.explain(error))
	})
}
