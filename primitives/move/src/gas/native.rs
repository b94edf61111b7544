//! What functions that are written in Rust pay.

use super::{meter::read_memory, NODE_BYTES};
use crate::envelope::{limits, types::flat_layout_nodes};
use dstp_primitives::contract::GasSchedule;
use move_binary_format::errors::{PartialVMError, PartialVMResult};
use move_core_types::{value::MoveTypeLayout, vm_status::StatusCode};
use std::cell::Cell;

/// The meter as a native function sees it.
///
/// The virtual machine asks the price of a native function when its work is done. So the meter lends what is left when a function
/// is called, the function pays from it before each step, and the meter takes the account when the function ends.
#[derive(Debug)]
pub struct NativeMeter {
	schedule: GasSchedule,
	left: Cell<u64>,
	bound: Cell<u64>,
	hollow: Cell<bool>,
	spent: Cell<u64>,
	allocated: Cell<u64>,
	largest: Cell<u64>,
	kept_nodes: Cell<u64>,
}

/// What a native function did.
#[derive(Clone, Copy, Default, PartialEq, Eq, Debug)]
pub(crate) struct NativeAccount {
	/// Gas.
	pub(crate) spent: u64,
	/// Memory taken, in bytes.
	pub(crate) allocated: u64,
	/// The largest value made, in bytes.
	pub(crate) largest: u64,
	/// Nodes of types that the machine may keep.
	pub(crate) kept_nodes: u64,
}

impl NativeMeter {
	/// A meter that was lent nothing yet.
	pub(crate) fn new(schedule: &GasSchedule) -> Self {
		Self {
			schedule: schedule.clone(),
			left: Cell::new(0),
			bound: Cell::new(NODE_BYTES),
			hollow: Cell::new(false),
			spent: Cell::new(0),
			allocated: Cell::new(0),
			largest: Cell::new(0),
			kept_nodes: Cell::new(0),
		}
	}

	/// Notes the state of the meter before a call.
	pub(crate) fn lend(&self, left: u64, bound: u64, hollow: bool) {
		self.left.set(left);
		self.bound.set(bound);
		self.hollow.set(hollow);
	}

	/// Gas that was spent and is not in an account yet.
	pub(crate) fn spent(&self) -> u64 {
		self.spent.get()
	}

	/// Ends a call. Gives the account and whether there may be values now whose size the machine does not tell.
	pub(crate) fn settle(&self) -> (NativeAccount, bool) {
		let account = NativeAccount {
			spent: self.spent.take(),
			allocated: self.allocated.take(),
			largest: self.largest.take(),
			kept_nodes: self.kept_nodes.take(),
		};
		(account, self.hollow.get())
	}

	/// The prices.
	pub fn schedule(&self) -> &GasSchedule {
		&self.schedule
	}

	/// Takes gas. Once there is too little, all of it is gone.
	pub fn charge(&self, amount: u64) -> PartialVMResult<()> {
		let spent = self.spent.get().saturating_add(amount);
		self.spent.set(spent.min(self.left.get()));
		if spent > self.left.get() {
			return Err(PartialVMError::new(StatusCode::OUT_OF_GAS));
		}
		Ok(())
	}

	/// Takes `price` for each of `count`.
	pub fn charge_each(&self, price: u64, count: u64) -> PartialVMResult<()> {
		self.charge(price.saturating_mul(count))
	}

	/// A value behind a reference, of a size that the machine does not tell, is copied.
	pub fn charge_hidden_copy(&self) -> PartialVMResult<()> {
		self.charge_each(self.schedule.byte_copied, self.bound.get())?;
		self.allocated.set(self.allocated.get().saturating_add(self.bound.get()));
		Ok(())
	}

	/// A value is written in BCS that has this size, as the machine tells it.
	pub fn charge_value(&self, told: u64) -> PartialVMResult<()> {
		let bytes = if self.hollow.get() { self.bound.get() } else { told };
		self.charge_each(self.schedule.byte_copied, bytes)
	}

	/// The function makes a value of this many bytes.
	pub fn made(&self, bytes: u64) {
		self.take(bytes.saturating_add(NODE_BYTES));
	}

	/// The function makes a value of this layout from this many bytes of BCS.
	pub fn decoded(&self, bytes: u64, layout: &MoveTypeLayout) {
		let (memory, hollow) = read_memory(bytes, || flat_layout_nodes(layout));
		self.hollow.set(self.hollow.get() || hollow);
		self.take(memory);
	}

	/// There is a new value that takes this much memory.
	fn take(&self, bytes: u64) {
		self.allocated.set(self.allocated.get().saturating_add(bytes));
		self.largest.set(self.largest.get().max(bytes));
	}

	/// The function asks the machine for the layout of a type, which it keeps. Type arguments of calls have limits.
	pub fn laid_out(&self) {
		self.kept_nodes.set(self.kept_nodes.get() + 2 * limits::ARGUMENT_NODES);
	}
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
	use super::*;
	use move_core_types::value::MoveStructLayout;

	#[test]
	fn a_function_spends_what_it_was_lent_and_no_more() {
		let meter = NativeMeter::new(&GasSchedule::V1);
		meter.lend(100, 64, false);
		meter.charge(60).unwrap();
		assert_eq!(meter.charge(41).unwrap_err().major_status(), StatusCode::OUT_OF_GAS);
		assert_eq!(meter.spent(), 100, "all of it is gone");
		assert_eq!(meter.settle().0.spent, 100);
		assert_eq!(meter.spent(), 0);
		assert!(meter.charge_each(u64::MAX, 2).is_err());
	}

	#[test]
	fn what_a_function_reads_takes_what_its_type_can_take() {
		use MoveTypeLayout::{Struct, Vector, U8};
		let of = |field| Struct(MoveStructLayout::Runtime(vec![field]));
		let bytes = || Vector(Box::new(U8));
		let read = |length, layout| {
			let meter = NativeMeter::new(&GasSchedule::V1);
			meter.decoded(length, &layout);
			let (account, hollow) = meter.settle();
			assert_eq!(account.allocated, account.largest);
			(account.largest, hollow)
		};
		assert_eq!(read(1_000, of(bytes())), (1_000 + 3 * NODE_BYTES, false));
		assert_eq!(read(1_000, of(Vector(Box::new(bytes())))), (1_000 * NODE_BYTES, true));
		assert_eq!(read(1_000, of(Vector(Box::new(of(U8))))), (1_000 * NODE_BYTES, true));
		assert_eq!(read(10, of(Vector(Box::new(bytes())))), (10 * NODE_BYTES, false));
	}
}
