//! Counts what the virtual machine does.

use super::NativeMeter;
use crate::envelope::{limits, types::Shapes};
use dstp_primitives::contract::GasSchedule;
use move_binary_format::errors::{PartialVMError, PartialVMResult};
use move_core_types::{
	gas_algebra::{InternalGas, NumArgs, NumBytes},
	language_storage::{ModuleId, TypeTag},
	vm_status::StatusCode,
};
use move_vm_types::{
	gas::{GasMeter, SimpleInstruction},
	views::{TypeView, ValueView},
};
use std::rc::Rc;

/// Deepest nesting of calls. The machine's own limit is 1,024 frames of up to 128 locals, which is more memory than a call needs.
pub const MAX_CALL_DEPTH: usize = 256;

/// Largest bound of one value. A resource of 64 KiB made of the smallest structs takes most of it in memory.
pub const MAX_VALUE_BYTES: u64 = 4 * 1024 * 1024;

/// Most memory that one call may take, counting what it gave back: fits several executions at once on a small machine.
pub const MAX_ALLOCATED_BYTES: u64 = 64 * 1024 * 1024;

/// What a value counts for at least that has a place of its own: about what the machine's own representation takes.
pub const NODE_BYTES: u64 = 32;

/// Gas left, and the other budgets of one execution.
pub struct Meter<'a> {
	schedule: &'a GasSchedule,
	shapes: &'a Shapes,
	limit: u64,
	left: u64,
	allocated: u64,
	bound: u64,
	/// Whether there may be a value with many parts to which the machine gives a small size.
	hollow: bool,
	/// Bytes of a resource that was read just now, until its type is told.
	loaded: Option<u64>,
	/// Nodes of types that the machine may keep.
	kept_nodes: u64,
	/// Nodes of the type arguments of each function that is running, the outermost first.
	frames: Vec<u64>,
	/// What native functions pay from.
	natives: Rc<NativeMeter>,
}

impl<'a> Meter<'a> {
	/// A meter for one execution with `limit` gas.
	pub fn new(schedule: &'a GasSchedule, shapes: &'a Shapes, limit: u64) -> Self {
		let (left, allocated, bound, hollow) = (limit, 0, NODE_BYTES, false);
		let (loaded, kept_nodes, frames) = (None, 0, Vec::new());
		let natives = Rc::new(NativeMeter::new(schedule));
		Self {
			schedule,
			shapes,
			limit,
			left,
			allocated,
			bound,
			hollow,
			loaded,
			kept_nodes,
			frames,
			natives,
		}
	}

	/// Gas used so far.
	pub fn used(&self) -> u64 {
		self.limit - self.left + self.natives.spent()
	}

	/// The meter of the native functions of this execution.
	pub(crate) fn natives(&self) -> Rc<NativeMeter> {
		self.natives.clone()
	}

	/// No value of this execution is larger, in bytes.
	pub fn bound(&self) -> u64 {
		self.bound
	}

	/// Nodes of types and layouts that the machine may have kept in memory during this execution.
	pub fn kept_nodes(&self) -> u64 {
		self.kept_nodes
	}

	/// Takes gas. Once there is too little, all of it is gone.
	pub fn charge(&mut self, amount: u64) -> PartialVMResult<()> {
		match self.left.checked_sub(amount) {
			Some(left) => {
				self.left = left;
				Ok(())
			},
			None => {
				self.left = 0;
				Err(PartialVMError::new(StatusCode::OUT_OF_GAS))
			},
		}
	}

	/// Takes `price` for each of `count`.
	pub fn charge_each(&mut self, price: u64, count: u64) -> PartialVMResult<()> {
		self.charge(price.saturating_mul(count))
	}

	/// Notes what the outermost function was given: bytes of the arguments, what they take in memory at most, and the nodes of its
	/// type arguments.
	pub(crate) fn start(
		&mut self,
		bytes: u64,
		memory: u64,
		type_nodes: u64,
	) -> PartialVMResult<()> {
		self.frames.push(type_nodes);
		self.charge_each(self.schedule.byte_read, bytes)?;
		self.hollow |= memory > bytes;
		self.raise(memory)
	}

	fn instruction(&mut self) -> PartialVMResult<()> {
		self.charge(self.schedule.instruction)
	}

	fn allocate(&mut self, bytes: u64) -> PartialVMResult<()> {
		self.allocated = self.allocated.saturating_add(bytes);
		if self.allocated > MAX_ALLOCATED_BYTES {
			return Err(limit_reached("the call takes more than 64 MiB of memory"));
		}
		Ok(())
	}

	/// There is a new value of this size.
	fn raise(&mut self, bytes: u64) -> PartialVMResult<()> {
		self.allocate(bytes)?;
		self.set_bound(self.bound.max(bytes))
	}

	/// Some value may have grown by this much.
	fn grow(&mut self, bytes: u64) -> PartialVMResult<()> {
		self.allocate(bytes)?;
		self.set_bound(self.bound.saturating_add(bytes))
	}

	fn set_bound(&mut self, bound: u64) -> PartialVMResult<()> {
		self.bound = bound;
		if bound > MAX_VALUE_BYTES {
			return Err(limit_reached("the call builds values of more than 4 MiB"));
		}
		Ok(())
	}

	/// A value is copied or looked at whose size the machine does not tell.
	fn copy_hidden(&mut self) -> PartialVMResult<()> {
		let bound = self.bound;
		self.charge_each(self.schedule.byte_copied, bound)?;
		self.allocate(bound)
	}

	/// Values become parts of another value. Parts of less than `hollow_below` can hide parts of their own. `part_bytes` gives what
	/// a part takes from the size that is told.
	fn assemble(
		&mut self,
		hollow_below: u64,
		parts: impl Iterator<Item = impl ValueView>,
		part_bytes: impl Fn(u64) -> u64,
	) -> PartialVMResult<()> {
		let mut bytes = NODE_BYTES;
		for part in parts {
			let told = told_bytes(&part);
			self.hollow |= told < hollow_below;
			bytes = bytes.saturating_add(part_bytes(told));
		}
		self.charge_each(self.schedule.byte_copied, bytes)?;
		if self.hollow {
			self.grow(bytes)
		} else {
			self.raise(bytes)
		}
	}

	/// An instruction that names a type, in which the type arguments of the running function are put in.
	fn typed(&mut self) -> PartialVMResult<()> {
		self.instruction()?;
		let nodes = self.frames.last().copied().unwrap_or_default();
		self.charge_each(self.schedule.type_node, nodes)
	}

	fn enter(&mut self, type_nodes: u64) -> PartialVMResult<()> {
		self.charge(self.schedule.frame)?;
		self.charge_each(self.schedule.type_node, type_nodes)?;
		if self.frames.len() >= MAX_CALL_DEPTH {
			return Err(PartialVMError::new(StatusCode::CALL_STACK_OVERFLOW));
		}
		self.frames.push(type_nodes);
		self.natives.lend(self.left, self.bound, self.hollow);
		Ok(())
	}
}

/// The size of a value as the machine tells it: 16 for an integer, 2 for a struct and its fields, nothing for a vector but its elements.
fn told_bytes(value: &impl ValueView) -> u64 {
	value.legacy_abstract_memory_size().into()
}

/// What a value takes that has a place of its own.
fn placed_bytes(told: u64) -> u64 {
	told.saturating_add(NODE_BYTES)
}

/// What an element of a vector takes. Those of primitive types stand side by side, without a place of their own.
fn element_bytes(ty: &impl TypeView, told: u64) -> u64 {
	if told != PLAIN_BYTES && told != ADDRESS_BYTES {
		return placed_bytes(told);
	}
	match ty.to_type_tag() {
		TypeTag::Bool | TypeTag::U8 => 1,
		TypeTag::U64 => 8,
		TypeTag::U128 => 16,
		TypeTag::Address => ADDRESS_BYTES,
		TypeTag::Signer | TypeTag::Vector(_) | TypeTag::Struct(_) => placed_bytes(told),
	}
}

fn limit_reached(message: &str) -> PartialVMError {
	PartialVMError::new(StatusCode::VM_MAX_VALUE_DEPTH_REACHED).with_message(message.into())
}

impl GasMeter for Meter<'_> {
	fn charge_simple_instr(&mut self, instruction: SimpleInstruction) -> PartialVMResult<()> {
		if instruction == SimpleInstruction::Ret {
			self.frames.pop();
		}
		self.instruction()
	}

	fn charge_call(
		&mut self,
		_: &ModuleId,
		_: &str,
		_: impl ExactSizeIterator<Item = impl ValueView>,
	) -> PartialVMResult<()> {
		self.enter(0)
	}

	fn charge_call_generic(
		&mut self,
		_: &ModuleId,
		_: &str,
		types: impl ExactSizeIterator<Item = impl TypeView>,
		_: impl ExactSizeIterator<Item = impl ValueView>,
	) -> PartialVMResult<()> {
		let mut nodes = 0;
		for ty in types {
			nodes += self.shapes.check_argument(&ty.to_type_tag()).map_err(|problem| {
				PartialVMError::new(StatusCode::VM_MAX_TYPE_DEPTH_REACHED)
					.with_message(problem.into())
			})?;
		}
		self.kept_nodes += nodes;
		self.enter(nodes)
	}

	fn charge_ld_const(&mut self, size: NumBytes) -> PartialVMResult<()> {
		// A byte of a constant can be an empty vector.
		let bytes = u64::from(size).saturating_mul(NODE_BYTES);
		self.instruction()?;
		self.charge_each(self.schedule.byte_copied, bytes)?;
		self.hollow |= bytes > HOLLOW_BYTES;
		self.raise(bytes)
	}

	fn charge_copy_loc(&mut self, value: impl ValueView) -> PartialVMResult<()> {
		self.instruction()?;
		match told_bytes(&value) {
			_ if self.hollow => self.copy_hidden(),
			told if told <= SMALL_BYTES => Ok(()),
			told => {
				self.charge_each(self.schedule.byte_copied, told)?;
				self.allocate(told)
			},
		}
	}

	fn charge_move_loc(&mut self, _: impl ValueView) -> PartialVMResult<()> {
		self.instruction()
	}

	fn charge_store_loc(&mut self, _: impl ValueView) -> PartialVMResult<()> {
		self.instruction()
	}

	fn charge_pack(
		&mut self,
		_: bool,
		parts: impl ExactSizeIterator<Item = impl ValueView>,
	) -> PartialVMResult<()> {
		self.instruction()?;
		self.assemble(1, parts, placed_bytes)
	}

	fn charge_unpack(
		&mut self,
		_: bool,
		parts: impl ExactSizeIterator<Item = impl ValueView>,
	) -> PartialVMResult<()> {
		self.charge_each(self.schedule.instruction, 1 + parts.len() as u64)
	}

	fn charge_read_ref(&mut self, _: impl ValueView) -> PartialVMResult<()> {
		self.instruction()?;
		self.copy_hidden()
	}

	fn charge_write_ref(&mut self, value: impl ValueView) -> PartialVMResult<()> {
		self.instruction()?;
		self.replace(&value)
	}

	fn charge_eq(&mut self, left: impl ValueView, right: impl ValueView) -> PartialVMResult<()> {
		self.instruction()?;
		let (left, right) = (told_bytes(&left), told_bytes(&right));
		let hidden = self.hollow || left == REFERENCE_BYTES || right == REFERENCE_BYTES;
		let bytes = if hidden { self.bound } else { left.max(right) };
		self.charge_each(self.schedule.byte_copied, bytes)
	}

	fn charge_neq(&mut self, left: impl ValueView, right: impl ValueView) -> PartialVMResult<()> {
		self.charge_eq(left, right)
	}

	fn charge_borrow_global(
		&mut self,
		_: bool,
		_: bool,
		ty: impl TypeView,
		_: bool,
	) -> PartialVMResult<()> {
		self.global(ty)
	}

	fn charge_exists(&mut self, _: bool, ty: impl TypeView, _: bool) -> PartialVMResult<()> {
		self.global(ty)
	}

	fn charge_move_from(
		&mut self,
		_: bool,
		ty: impl TypeView,
		_: Option<impl ValueView>,
	) -> PartialVMResult<()> {
		self.global(ty)
	}

	fn charge_move_to(
		&mut self,
		_: bool,
		ty: impl TypeView,
		_: impl ValueView,
		_: bool,
	) -> PartialVMResult<()> {
		self.global(ty)
	}

	fn charge_vec_pack<'a>(
		&mut self,
		ty: impl TypeView + 'a,
		elements: impl ExactSizeIterator<Item = impl ValueView>,
	) -> PartialVMResult<()> {
		self.typed()?;
		self.assemble(PLAIN_BYTES, elements, |told| element_bytes(&ty, told))
	}

	fn charge_vec_len(&mut self, _: impl TypeView) -> PartialVMResult<()> {
		self.typed()
	}

	fn charge_vec_borrow(&mut self, _: bool, _: impl TypeView, _: bool) -> PartialVMResult<()> {
		self.typed()
	}

	fn charge_vec_push_back(
		&mut self,
		ty: impl TypeView,
		element: impl ValueView,
	) -> PartialVMResult<()> {
		self.typed()?;
		let told = told_bytes(&element);
		self.hollow |= told < PLAIN_BYTES;
		let bytes = element_bytes(&ty, told);
		// A vector that is full moves to a place of twice its size.
		self.allocate(bytes.saturating_mul(2))?;
		self.charge_each(self.schedule.byte_copied, bytes)?;
		self.grow(bytes)
	}

	fn charge_vec_pop_back(
		&mut self,
		_: impl TypeView,
		_: Option<impl ValueView>,
	) -> PartialVMResult<()> {
		// The vector may stand in another one, and be empty now.
		self.hollow = true;
		self.typed()
	}

	fn charge_vec_unpack(&mut self, _: impl TypeView, elements: NumArgs) -> PartialVMResult<()> {
		self.typed()?;
		self.charge_each(self.schedule.instruction, u64::from(elements))
	}

	fn charge_vec_swap(&mut self, _: impl TypeView) -> PartialVMResult<()> {
		self.typed()
	}

	fn charge_load_resource(&mut self, loaded: Option<NumBytes>) -> PartialVMResult<()> {
		let bytes = loaded.map(u64::from).unwrap_or_default();
		self.kept_nodes += limits::LAYOUT_NODES + limits::PARAMETER_USES * limits::ARGUMENT_NODES;
		self.charge(self.schedule.read)?;
		self.charge_each(self.schedule.byte_read, bytes)?;
		// The type comes with the instruction, which is charged next.
		self.loaded = Some(bytes);
		Ok(())
	}

	fn charge_native_function(&mut self, amount: InternalGas) -> PartialVMResult<()> {
		self.frames.pop();
		let (account, hollow) = self.natives.settle();
		self.charge(account.spent)?;
		self.charge(u64::from(amount))?;
		self.hollow = hollow;
		self.kept_nodes += account.kept_nodes;
		self.allocate(account.allocated)?;
		self.set_bound(self.bound.max(account.largest))
	}
}

/// A value of this size or less is copied at the price of an instruction: it has at most sixteen parts, if nothing is hollow.
const SMALL_BYTES: u64 = 32;

/// The size of an integer. A smaller element of a vector is a vector, or a struct with one in it.
const PLAIN_BYTES: u64 = 16;

/// The size of an address.
const ADDRESS_BYTES: u64 = 32;

/// The size of a reference, whatever it leads to.
const REFERENCE_BYTES: u64 = 8;

/// What comes from outside and takes more than this may have many parts: 32 bytes in BCS.
const HOLLOW_BYTES: u64 = 32 * NODE_BYTES;

/// What a value takes in memory at most that was read from this many bytes of BCS, and whether it may have many parts to which the
/// machine gives a small size. `flat_nodes`: of its type, as [`Shapes::flat_nodes`] tells.
pub(super) fn read_memory(bytes: u64, flat_nodes: impl FnOnce() -> Option<u64>) -> (u64, bool) {
	// A byte can be an empty vector, unless the vectors in it have primitive elements.
	let worst = bytes.saturating_mul(NODE_BYTES);
	if worst <= HOLLOW_BYTES {
		return (worst, false);
	}
	match flat_nodes() {
		Some(nodes) => {
			let places = nodes.saturating_mul(NODE_BYTES);
			(worst.min(places.saturating_add(bytes)), places > HOLLOW_BYTES)
		},
		None => (worst, true),
	}
}

impl Meter<'_> {
	fn global(&mut self, ty: impl TypeView) -> PartialVMResult<()> {
		self.typed()?;
		self.charge(self.schedule.resource)?;
		match self.loaded.take() {
			Some(bytes) => self.place(bytes, ty),
			None => Ok(()),
		}
	}

	/// A resource of this type was read, and takes memory now.
	fn place(&mut self, bytes: u64, ty: impl TypeView) -> PartialVMResult<()> {
		let (memory, hollow) = read_memory(bytes, || self.shapes.flat_nodes(&ty.to_type_tag()));
		self.hollow |= hollow;
		self.raise(memory)
	}

	/// A value takes the place of another of its type. Only what contains vectors can be larger than what it replaces.
	fn replace(&mut self, value: &impl ValueView) -> PartialVMResult<()> {
		let told = told_bytes(value);
		self.hollow |= told < PLAIN_BYTES;
		if told <= SMALL_BYTES {
			return Ok(());
		}
		self.grow(told)
	}
}
