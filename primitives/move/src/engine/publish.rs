//! Publication and upgrade.

use super::{guarded, new_machine, Engine, Outcome};
use crate::{
	error::{module_name, MoveError},
	natives::FRAMEWORK,
	state::{module_link, move_address, Closure, TreeReader},
};
use dstp_primitives::{
	contract::{
		ContractChange, ModuleEntry, ModuleLink, UpgradePolicy, MAX_MODULE_LINKS,
		MODULE_ENTRY_VERSION,
	},
	ObjectId, ObjectTree, Storage,
};
use move_binary_format::{access::ModuleAccess, CompiledModule};
use move_core_types::language_storage::ModuleId;
use move_vm_types::gas::UnmeteredGasMeter;
use std::collections::BTreeSet;

/// Most modules in one publication.
pub const MAX_BUNDLE_MODULES: usize = 16;

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
	pub fn publish<S: Storage>(
		&self,
		tree: &mut ObjectTree<S>,
		publication: Publication,
	) -> Result<Outcome, MoveError> {
		let Publication { publisher, modules, policy } = publication;
		if modules.is_empty() || modules.len() > MAX_BUNDLE_MODULES {
			return Err(MoveError::BadRequest(format!(
				"a publication has 1 to {MAX_BUNDLE_MODULES} modules"
			)));
		}
		let compiled = modules
			.iter()
			.enumerate()
			.map(|(index, code)| decode(index, code))
			.collect::<Result<Vec<_>, _>>()?;
		let closure = bundle_closure(tree, &compiled)?;
		let entries = compiled
			.iter()
			.zip(&modules)
			.map(|(module, code)| entry(module, code, policy))
			.collect::<Result<Vec<_>, _>>()?;
		for (module, entry) in compiled.iter().zip(&entries) {
			check_owner(module, &publisher)?;
			check_policy(module, entry, &closure)?;
		}
		verify(tree, &publisher, modules, &compiled[0].self_id(), &closure)?;
		let changes = entries
			.into_iter()
			.map(|module| ContractChange::SetModule { address: publisher, module })
			.collect();
		Ok(Outcome { changes, events: Vec::new() })
	}
}

fn decode(index: usize, code: &[u8]) -> Result<CompiledModule, MoveError> {
	let place = format!("number {index} of the publication");
	guarded(&place, || {
		CompiledModule::deserialize(code).map_err(|error| MoveError::Rejected {
			module: place.clone(),
			reason: format!("{:?}", error.major_status()),
		})
	})
}

fn rejected(id: &ModuleId, reason: impl ToString) -> MoveError {
	MoveError::Rejected { module: module_name(id), reason: reason.to_string() }
}

/// What the machine needs to check the bundle: the old modules of the same names, and everything outside the bundle.
fn bundle_closure<S: Storage>(
	tree: &mut ObjectTree<S>,
	bundle: &[CompiledModule],
) -> Result<Closure, MoveError> {
	let own: BTreeSet<ModuleId> = bundle.iter().map(|module| module.self_id()).collect();
	let named: BTreeSet<ModuleId> = bundle.iter().flat_map(links).collect();
	let closure = Closure::read(tree, own.union(&named).cloned())?;
	match named.difference(&own).find(|id| closure.get(id).is_none()) {
		Some(missing) => Err(MoveError::ModuleNotFound(module_name(missing))),
		None => Ok(closure),
	}
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
	if *publisher != FRAMEWORK && module.function_defs().iter().any(|function| function.is_native())
	{
		return Err(rejected(&module.self_id(), "only the framework declares native functions"));
	}
	Ok(())
}

fn check_policy(
	module: &CompiledModule,
	new: &ModuleEntry,
	closure: &Closure,
) -> Result<(), MoveError> {
	let id = module.self_id();
	let Some(old) = closure.get(&id) else { return Ok(()) };
	match (old.entry.policy, new.policy) {
		(UpgradePolicy::Immutable, _) => Err(rejected(&id, "it is published as immutable")),
		(UpgradePolicy::Compatible, _) => Ok(()),
	}
}

/// The verifier, linking, compatibility with the old modules and the absence of cycles, by a machine of its own: a publication may
/// still be dropped, and a machine that saw it must not serve anyone else.
fn verify<S: Storage>(
	tree: &mut ObjectTree<S>,
	publisher: &ObjectId,
	modules: Vec<Vec<u8>>,
	first: &ModuleId,
	closure: &Closure,
) -> Result<(), MoveError> {
	guarded(module_name(first), || {
		let (reader, machine) = (TreeReader::new(tree, closure), new_machine()?);
		let mut session = machine.new_session(&reader);
		session
			.publish_module_bundle(modules, move_address(publisher), &mut UnmeteredGasMeter)
			.map_err(|error| reader.explain(error))
	})
}
