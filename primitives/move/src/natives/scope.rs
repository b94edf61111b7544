//! One call of a native function.

use super::Host;
use crate::gas::NativeMeter;
use move_binary_format::errors::PartialVMResult;
use move_core_types::{
	gas_algebra::InternalGas, language_storage::TypeTag, value::MoveTypeLayout,
	vm_status::StatusCode,
};
use move_vm_runtime::native_functions::{NativeContext, NativeFunction};
use move_vm_types::{
	loaded_data::runtime_types::Type,
	natives::function::{NativeResult, PartialVMError},
	values::{VMValueCast, Value},
};
use std::{collections::VecDeque, rc::Rc, sync::Arc};

/// A native function.
pub(super) type Native = fn(&mut Scope) -> Returned;

/// What it returns, or why not.
pub(super) type Returned = Result<Vec<Value>, Stop>;

/// Why a native function returned nothing.
pub(super) enum Stop {
	/// It ended the call with this code.
	Abort(u64),
	/// The gas was not enough, the tree could not answer, or the machine is broken.
	Error(PartialVMError),
}

impl From<PartialVMError> for Stop {
	fn from(error: PartialVMError) -> Self {
		Self::Error(error)
	}
}

/// The arguments of a call, and what it may use.
pub(super) struct Scope<'a, 'b, 'c> {
	context: &'a mut NativeContext<'b, 'c>,
	meter: Rc<NativeMeter>,
	types: Vec<Type>,
	arguments: VecDeque<Value>,
}

/// A native function as the machine wants it.
pub(super) fn native_function(native: Native) -> NativeFunction {
	Arc::new(move |context: &mut NativeContext, types, arguments| {
		let meter = context.extensions().get::<Host>().meter();
		let returned = meter
			.charge(meter.schedule().native)
			.map_err(Stop::from)
			.and_then(|()| native(&mut Scope { context, meter: meter.clone(), types, arguments }));
		// What it cost is in the account of the meter.
		match returned {
			Ok(values) => Ok(NativeResult::ok(InternalGas::zero(), values.into_iter().collect())),
			Err(Stop::Abort(code)) => Ok(NativeResult::err(InternalGas::zero(), code)),
			Err(Stop::Error(error)) => Err(error),
		}
	})
}

/// One value is returned.
pub(super) fn one(value: Value) -> Returned {
	Ok(vec![value])
}

impl<'c> Scope<'_, '_, 'c> {
	/// What is paid from.
	pub(super) fn meter(&self) -> Rc<NativeMeter> {
		self.meter.clone()
	}

	/// What belongs to the call of the contract.
	pub(super) fn host(&mut self) -> &mut Host<'c> {
		self.context.extensions_mut().get_mut::<Host>()
	}

	/// The last argument that was not taken yet.
	pub(super) fn pop<T>(&mut self) -> PartialVMResult<T>
	where
		Value: VMValueCast<T>,
	{
		self.pop_value()?.value_as()
	}

	/// The same, whatever its type.
	pub(super) fn pop_value(&mut self) -> PartialVMResult<Value> {
		self.arguments.pop_back().ok_or_else(broken)
	}

	/// A type argument.
	pub(super) fn type_argument(&self, index: usize) -> PartialVMResult<&Type> {
		self.types.get(index).ok_or_else(broken)
	}

	/// Its name.
	pub(super) fn tag(&self, index: usize) -> PartialVMResult<TypeTag> {
		self.meter.charge_each(
			self.meter.schedule().type_node,
			crate::envelope::limits::ARGUMENT_NODES,
		)?;
		self.context.type_to_type_tag(self.type_argument(index)?)
	}

	/// Its layout; `None` if it cannot be written in BCS.
	pub(super) fn layout(&self, index: usize) -> PartialVMResult<Option<MoveTypeLayout>> {
		let nodes = crate::envelope::limits::ARGUMENT_NODES;
		self.meter.charge_each(self.meter.schedule().type_node, nodes)?;
		self.meter.laid_out();
		self.context.type_to_type_layout(self.type_argument(index)?)
	}
}

/// The machine gave a native function other arguments than its signature says.
pub(super) fn broken() -> PartialVMError {
	PartialVMError::new(StatusCode::UNKNOWN_INVARIANT_VIOLATION_ERROR)
}
