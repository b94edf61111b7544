//! Machines that wait for calls.

use super::Functions;
use crate::{
	envelope::{limits::LOOP_DEPTH, types::Shapes},
	error::{module_name, MoveError},
	natives,
	state::{shapes_of, Closure, Tags},
};
use move_bytecode_verifier::VerifierConfig;
use move_core_types::language_storage::ModuleId;
use move_vm_runtime::move_vm::MoveVM;
use std::{
	collections::HashMap,
	sync::{Arc, Mutex, PoisonError},
};

/// Most machines that wait: one for each core of a small machine, and some for other subtrees and forks.
pub const MAX_IDLE_MACHINES: usize = 8;

/// Most modules that one machine holds. A closure has at most 64, so it serves several applications.
pub const MAX_MACHINE_MODULES: usize = 256;

/// Most bytes of modules that one machine holds, as they stand in the tree. In memory they are several times as much; five of the largest
/// closures fit.
pub const MAX_MACHINE_BYTES: usize = 4 * 1024 * 1024;

/// Most nodes of types and their layouts that a machine may have kept before it is dropped, about 100 MB. It never forgets one.
pub const MAX_MACHINE_NODES: u64 = 2_500_000;

/// A virtual machine and what it has in memory.
pub(crate) struct Machine {
	pub(crate) vm: MoveVM,
	pub(crate) shapes: Shapes,
	pub(crate) functions: Functions,
	pub(crate) tags: Tags,
	modules: HashMap<ModuleId, Held>,
	bytes: usize,
	kept_nodes: u64,
	/// Whether what it knows of types belongs to the modules that it has.
	sound: bool,
}

/// A module in a machine.
struct Held {
	stored: Arc<[u8]>,
	/// Whether the machine certainly has it in memory, verified and linked.
	verified: bool,
}

/// How much of a closure a machine has.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Fit {
	known: usize,
	warm: bool,
}

impl Machine {
	fn new() -> Result<Self, MoveError> {
		let (shapes, functions, tags, modules, bytes) = Default::default();
		Ok(Self {
			vm: new_machine()?,
			shapes,
			functions,
			tags,
			modules,
			bytes,
			kept_nodes: 0,
			sound: true,
		})
	}

	/// How much of the closure it has; `None` if it has another module under one of the names.
	fn fits(&self, closure: &Closure) -> Option<Fit> {
		let (mut known, mut verified, mut bytes) = (0, 0, self.bytes);
		for (id, module) in closure.iter() {
			match self.modules.get(id) {
				Some(held) if same(&held.stored, &module.stored) => {
					known += 1;
					verified += usize::from(held.verified);
				},
				Some(_) => return None,
				None => bytes += module.stored.len(),
			}
		}
		let modules = self.modules.len() + closure.len() - known;
		(modules <= MAX_MACHINE_MODULES && bytes <= MAX_MACHINE_BYTES)
			.then_some(Fit { known, warm: verified == closure.len() })
	}

	/// Makes the closure known. It counts as in memory from now on, because a call that fails may have loaded any part of it.
	pub(crate) fn learn(&mut self, closure: &Closure) -> Result<(), MoveError> {
		self.sound = false;
		shapes_of(closure, &mut self.shapes)?;
		for (id, module) in closure.iter() {
			if !self.modules.contains_key(id) {
				self.shapes
					.relations()
					.check(id)
					.map_err(|reason| MoveError::Rejected { module: module_name(id), reason })?;
				let held = Held { stored: module.stored.clone(), verified: false };
				self.bytes += module.stored.len();
				self.modules.insert(id.clone(), held);
			}
		}
		self.sound = true;
		Ok(())
	}

	/// Notes that the machine has loaded all of the closure, which it has learnt.
	pub(crate) fn note_verified(&mut self, closure: &Closure) {
		for (id, _) in closure.iter() {
			if let Some(held) = self.modules.get_mut(id) {
				held.verified = true;
			}
		}
	}
}

/// Mostly both are one and the same.
fn same(one: &Arc<[u8]>, other: &Arc<[u8]>) -> bool {
	Arc::ptr_eq(one, other) || one == other
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
	/// A machine for the closure: of those that fit, the one that has most of it in memory, or a new one; and whether all of the
	/// closure is verified and in memory. It is not in the pool meanwhile; whoever does not give it back drops it. If it is not
	/// warm, it has to [learn](Machine::learn) the closure before it serves.
	pub(crate) fn take(&self, closure: &Closure) -> Result<(Machine, bool), MoveError> {
		let found = {
			let mut idle = self.lock();
			let best = idle
				.iter()
				.enumerate()
				.filter_map(|(index, machine)| Some((machine.fits(closure)?, index)))
				.max();
			best.map(|(fit, index)| (idle.remove(index), fit.warm))
		};
		found.map_or_else(|| Ok((Machine::new()?, false)), Ok)
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
