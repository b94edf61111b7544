//! Machines that wait for calls.

use crate::{
	envelope::{limits::LOOP_DEPTH, types::Shapes},
	error::MoveError,
	natives,
	state::{shapes_of, Closure},
};
use move_bytecode_verifier::VerifierConfig;
use move_core_types::language_storage::ModuleId;
use move_vm_runtime::move_vm::MoveVM;
use std::{
	collections::{HashMap, HashSet},
	sync::{Arc, Mutex, PoisonError},
};

/// Most machines that wait: one for each core of a small machine, and some for other subtrees and forks.
pub const MAX_IDLE_MACHINES: usize = 8;

/// Most modules that one machine holds. A closure has at most 64, so it serves several applications.
pub const MAX_MACHINE_MODULES: usize = 256;

/// Most nodes of types and their layouts that a machine may have kept before it is dropped, about 100 MB. It never forgets one.
pub const MAX_MACHINE_NODES: u64 = 2_500_000;

/// A virtual machine and what it has in memory.
pub(crate) struct Machine {
	pub(crate) vm: MoveVM,
	pub(crate) shapes: Shapes,
	modules: HashMap<ModuleId, Arc<[u8]>>,
	verified: HashSet<ModuleId>,
	kept_nodes: u64,
	/// Whether what it knows of types belongs to the modules that it has.
	sound: bool,
}

impl Machine {
	fn new() -> Result<Self, MoveError> {
		let (shapes, modules, verified) = Default::default();
		Ok(Self { vm: new_machine()?, shapes, modules, verified, kept_nodes: 0, sound: true })
	}

	/// How many modules of the closure it has; `None` if it has another module under one of their names.
	fn fits(&self, closure: &Closure) -> Option<usize> {
		let mut known = 0;
		for (id, module) in closure.iter() {
			match self.modules.get(id) {
				Some(stored) if *stored == module.stored => known += 1,
				Some(_) => return None,
				None => {},
			}
		}
		(self.modules.len() + closure.len() - known <= MAX_MACHINE_MODULES).then_some(known)
	}

	/// Makes the closure known. It counts as in memory from now on, because a call that fails may have loaded any part of it.
	pub(crate) fn learn(&mut self, closure: &Closure) -> Result<(), MoveError> {
		self.sound = false;
		shapes_of(closure, &mut self.shapes)?;
		for (id, module) in closure.iter() {
			self.modules.entry(id.clone()).or_insert_with(|| module.stored.clone());
		}
		self.sound = true;
		Ok(())
	}
}

impl Machine {
	/// Whether everything of the closure is verified and in memory.
	pub(crate) fn is_warm(&self, closure: &Closure) -> bool {
		closure.iter().all(|(id, _)| self.verified.contains(id))
	}

	/// Notes that the machine has loaded all of the closure.
	pub(crate) fn note_verified(&mut self, closure: &Closure) {
		self.verified.extend(closure.iter().map(|(id, _)| id.clone()));
	}
}

/// A virtual machine with nothing in memory.
pub(crate) fn new_machine() -> Result<MoveVM, MoveError> {
	let config = VerifierConfig { max_loop_depth: Some(LOOP_DEPTH) };
	Ok(MoveVM::new_with_verifier_config(natives::table(), config)?)
}

/// Machines that wait for calls, of one engine.
#[derive(Default)]
pub struct Machines {
	idle: Mutex<Vec<Machine>>,
}

impl Machines {
	/// A machine for the closure: of those that fit, the one that has most of it in memory, or a new one. It is not in the pool
	/// meanwhile; whoever does not give it back drops it. It has to [learn](Machine::learn) the closure before it serves.
	pub(crate) fn take(&self, closure: &Closure) -> Result<Machine, MoveError> {
		let found = {
			let mut idle = self.lock();
			let best = idle
				.iter()
				.enumerate()
				.filter_map(|(index, machine)| Some((machine.fits(closure)?, index)))
				.max()
				.map(|(_, index)| index);
			best.map(|index| idle.remove(index))
		};
		found.map_or_else(Machine::new, Ok)
	}

	/// Gives a machine back after a call that may have made it keep this many nodes of types. The one that waited longest makes
	/// room.
	pub(crate) fn give_back(&self, mut machine: Machine, kept_nodes: u64) {
		machine.kept_nodes = machine.kept_nodes.saturating_add(kept_nodes);
		if !machine.sound || machine.kept_nodes > MAX_MACHINE_NODES {
			return;
		}
		let mut idle = self.lock();
		if idle.len() >= MAX_IDLE_MACHINES {
			idle.remove(0);
		}
		idle.push(machine);
	}

	/// Machines that wait now.
	pub fn len(&self) -> usize {
		self.lock().len()
	}

	/// Whether no machine waits.
	pub fn is_empty(&self) -> bool {
		self.len() == 0
	}

	fn lock(&self) -> std::sync::MutexGuard<'_, Vec<Machine>> {
		// Nothing that can panic happens under the lock, and a list of machines is never half-changed.
		self.idle.lock().unwrap_or_else(PoisonError::into_inner)
	}
}

impl std::fmt::Debug for Machines {
	fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
		f.debug_struct("Machines").field("idle", &self.len()).finish()
	}
}
