//! How modules need one another, and whose friends they are.
//!
//! The virtual machine refuses a module that needs one of its friends, each directly or through others. But it looks only when it
//! loads a module for itself, not when it loads it for another. An upgrade of a friend can bring this about in a module that was
//! fine, and then a machine which has the module in memory runs it and one which has not refuses it. Therefore the engine looks itself,
//! at every module that a machine is given. Such a module stays refused, because an upgrade cannot take a friend back.

use super::Problem;
use move_binary_format::{access::ModuleAccess, CompiledModule};
use move_core_types::language_storage::ModuleId;
use std::collections::{BTreeMap, BTreeSet};

/// What a module names.
#[derive(Clone, Default, Debug)]
struct Named {
	needed: Vec<ModuleId>,
	friends: Vec<ModuleId>,
}

/// What modules name.
#[derive(Clone, Default, Debug)]
pub struct Relations(BTreeMap<ModuleId, Named>);

impl Relations {
	/// Learns a module.
	pub fn add(&mut self, module: &CompiledModule) {
		let (needed, friends) = (module.immediate_dependencies(), module.immediate_friends());
		self.0.insert(module.self_id(), Named { needed, friends });
	}

	/// Checks that no module is on both sides of this one. All modules that it leads to are known.
	pub fn check(&self, id: &ModuleId) -> Result<(), Problem> {
		let needed = self.reached(id, |named| &named.needed);
		let friends = self.reached(id, |named| &named.friends);
		if needed.contains(id) {
			return Err("a CYCLIC chain of modules that need one another leads back to it".into());
		}
		if friends.contains(id) {
			return Err("a CYCLIC chain of friends leads back to it".into());
		}
		match needed.intersection(&friends).next() {
			Some(both) => Err(format!(
				"it needs module {} and has it as a friend, each directly or through others",
				both.name()
			)),
			None => Ok(()),
		}
	}

	fn reached<'a>(
		&'a self,
		id: &'a ModuleId,
		next: impl Fn(&'a Named) -> &'a [ModuleId],
	) -> BTreeSet<&'a ModuleId> {
		let (mut reached, mut open) = (BTreeSet::new(), vec![id]);
		while let Some(id) = open.pop() {
			let Some(named) = self.0.get(id) else { continue };
			open.extend(next(named).iter().filter(|id| reached.insert(*id)));
		}
		reached
	}
}
