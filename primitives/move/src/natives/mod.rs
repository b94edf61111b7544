//! Functions of the framework that are written in Rust.
//!
//! Only modules at [`FRAMEWORK`] may declare a native function, and only one that stands in this list: the verifier of the virtual
//! machine assumes that natives do what their signature says, and their work is done before it is paid for.

use dstp_primitives::ObjectId;
use move_binary_format::errors::PartialVMResult;
use move_core_types::{
	account_address::AccountAddress, gas_algebra::InternalGas, identifier::Identifier,
};
use move_vm_runtime::native_functions::{NativeContext, NativeFunction, NativeFunctionTable};
use move_vm_types::{
	loaded_data::runtime_types::Type,
	natives::function::{NativeResult, PartialVMError, StatusCode},
	values::{SignerRef, VMValueCast, Value},
};
use std::{collections::VecDeque, sync::Arc};

/// The address of the framework: 31 zero bytes and a one. It is no account that anyone has a key of.
pub const FRAMEWORK: ObjectId = {
	let mut address = [0; 32];
	address[31] = 1;
	ObjectId(address)
};

/// All of them.
pub fn table() -> NativeFunctionTable {
	let identifier =
		|text: &str| Identifier::new(text).expect("the names below are identifiers; qed");
	let native = |module, name, function: fn(VecDeque<Value>) -> PartialVMResult<NativeResult>| {
		let function: NativeFunction =
			Arc::new(move |_: &mut NativeContext, _: Vec<Type>, arguments| function(arguments));
		(AccountAddress::new(FRAMEWORK.0), identifier(module), identifier(name), function)
	};
	vec![native("signer", "borrow_address", borrow_address)]
}

/// `signer::borrow_address(&signer): &address`.
fn borrow_address(arguments: VecDeque<Value>) -> PartialVMResult<NativeResult> {
	let signer: SignerRef = only(arguments)?;
	Ok(NativeResult::ok(InternalGas::zero(), [signer.borrow_signer()?].into_iter().collect()))
}

fn only<T>(mut arguments: VecDeque<Value>) -> PartialVMResult<T>
where
	Value: VMValueCast<T>,
{
	match (arguments.pop_back(), arguments.is_empty()) {
		(Some(argument), true) => argument.value_as(),
		_ => Err(PartialVMError::new(StatusCode::UNKNOWN_INVARIANT_VIOLATION_ERROR)),
	}
}
