//! Modules that were decoded before.

use super::LoadedModule;
use move_core_types::language_storage::ModuleId;
use std::{
	collections::HashMap,
	sync::{Mutex, MutexGuard, PoisonError},
};

/// Most bytes of modules that are remembered, as they stand in the tree; decoded, they take about twice as much. Enough for
/// ten of the largest closures.
const MAX_DECODED_BYTES: usize = 8 * 1024 * 1024;

/// Remembers what the bytes of modules were decoded to.
///
/// It is asked by name and gives a proposal: whoever takes it compares its bytes with those that the tree has. So what it
/// remembers changes no result, only time.
#[derive(Default)]
pub struct Decoded(Mutex<Modules>);

#[derive(Default)]
struct Modules {
	by_name: HashMap<ModuleId, LoadedModule>,
	bytes: usize,
}

impl Decoded {
	/// The module that had this name last.
	pub(super) fn get(&self, id: &ModuleId) -> Option<LoadedModule> {
		self.lock().by_name.get(id).cloned()
	}

	/// Remembers a module, and forgets all others if they become too many.
	pub(super) fn keep(&self, id: &ModuleId, module: &LoadedModule) {
		let mut modules = self.lock();
		if modules.bytes + module.stored.len() > MAX_DECODED_BYTES {
			*modules = Modules::default();
		}
		modules.bytes += module.stored.len();
		if let Some(old) = modules.by_name.insert(id.clone(), module.clone()) {
			modules.bytes -= old.stored.len();
		}
	}

	fn lock(&self) -> MutexGuard<'_, Modules> {
		// Nothing that can panic happens under the lock between two changes that belong together.
		self.0.lock().unwrap_or_else(PoisonError::into_inner)
	}
}

impl std::fmt::Debug for Decoded {
	fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
		f.debug_struct("Decoded").field("modules", &self.lock().by_name.len()).finish()
	}
}
