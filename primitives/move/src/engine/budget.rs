//! Gas of a request, and what it comes to.

use super::Outcome;
use crate::{error::MoveError, gas::Meter, state::LoadedModule};
use dstp_primitives::contract::{ContractChange, GasSchedule};
use move_binary_format::errors::Location;

/// What a request may cost, and by which prices.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Budget {
	/// The prices in force where the request runs.
	pub schedule: GasSchedule,
	/// Most gas that it may use.
	pub limit: u64,
}

/// A request that came to nothing.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[error("{error}")]
pub struct Failed {
	/// Why.
	pub error: MoveError,
	/// Gas that it used all the same. A request that broke the machine pays its whole limit; one that the storage could not answer is
	/// to be repeated and pays nothing.
	pub gas_used: u64,
}

impl Failed {
	/// A failure after `used` gas of `limit`.
	pub(super) fn after(error: MoveError, used: u64, limit: u64) -> Self {
		let gas_used = match error {
			MoveError::Storage(_) => 0,
			MoveError::Invariant { .. } | MoveError::OutOfGas => limit,
			_ => used.min(limit),
		};
		Self { error, gas_used }
	}
}

/// The price of loading a module, whether it is in memory or not.
fn loading_price(schedule: &GasSchedule, module: &LoadedModule) -> u64 {
	let bytes = schedule.byte_loaded.saturating_mul(module.stored.len() as u64);
	let work = schedule.verifier_unit.saturating_mul(u64::from(module.entry.work));
	schedule.module.saturating_add(bytes).saturating_add(work)
}

/// What reading modules from the tree costs, while they are read.
pub(super) struct Loading<'a> {
	budget: &'a Budget,
	price: u64,
}

impl<'a> Loading<'a> {
	pub(super) fn new(budget: &'a Budget) -> Self {
		Self { budget, price: budget.schedule.base }
	}

	/// Counts a module. Errors: the limit does not pay for what was read, and no more is to be.
	pub(super) fn pay(&mut self, module: &LoadedModule) -> Result<(), MoveError> {
		self.price = self.price.saturating_add(loading_price(&self.budget.schedule, module));
		(self.price <= self.budget.limit).then_some(()).ok_or(MoveError::OutOfGas)
	}

	/// What every request costs, and all modules so far.
	pub(super) fn price(&self) -> u64 {
		self.price
	}
}

/// Takes the price of the resources and modules that an execution writes. Natives paid for the rest.
pub(super) fn charge_outcome(
	meter: &mut Meter,
	schedule: &GasSchedule,
	outcome: &Outcome,
) -> Result<(), MoveError> {
	for change in &outcome.changes {
		let bytes = match change {
			ContractChange::SetResource { type_tag, value, .. } => type_tag.len() + value.len(),
			ContractChange::RemoveResource { .. } => 0,
			ContractChange::SetModule { module, .. } => module.code.len(),
			// Natives paid for changes of objects.
			_ => continue,
		};
		charge(meter, schedule.write)?;
		charge_each(meter, schedule.byte_written, bytes as u64)?;
	}
	Ok(())
}

pub(super) fn charge(meter: &mut Meter, amount: u64) -> Result<(), MoveError> {
	meter.charge(amount).map_err(|error| error.finish(Location::Undefined).into())
}

pub(super) fn charge_each(meter: &mut Meter, price: u64, count: u64) -> Result<(), MoveError> {
	meter.charge_each(price, count).map_err(|error| error.finish(Location::Undefined).into())
}
