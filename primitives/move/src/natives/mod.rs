//! Functions of the framework that are written in Rust.
//!
//! Only modules at [`FRAMEWORK`] may declare a native function, and only one that stands in [`table`]: the verifier of the virtual
//! machine assumes that natives do what their signature says.
//!
//! # Rules
//!
//! - A native function pays for each step before it does it ([`NativeMeter`](crate::gas::NativeMeter)), by the size of what it was
//!   given; its work is bounded by what it paid.
//! - Input that does not fit ends the call with an abort code that the Move source of the module documents; the codes are those of
//!   `std::error`. Nothing panics, and an error of the machine's own means that the machine is broken.
//! - It sees its arguments, what the caller of the engine says of the call, and the tree; no clock, no randomness and nothing of the node.

mod coin;
mod context;
mod crypto;
mod event;
mod host;
mod object;
mod scope;
mod standard;

pub(crate) use host::Host;
pub use object::MAX_OBJECT_CHANGES;

use dstp_primitives::ObjectId;
use move_core_types::{account_address::AccountAddress, identifier::Identifier};
use move_vm_runtime::native_functions::NativeFunctionTable;
use scope::{native_function, Native};

/// The address of the framework: 31 zero bytes and a one. It is no account that anyone has a key of.
pub const FRAMEWORK: ObjectId = {
	let mut address = [0; 32];
	address[31] = 1;
	ObjectId(address)
};

/// All of them.
pub fn table() -> NativeFunctionTable {
	let identifier =
		|text: &str| Identifier::new(text).expect("the names in the lists are identifiers; qed");
	let entry = |(module, name, native): &(&str, &str, Native)| {
		let address = AccountAddress::new(FRAMEWORK.0);
		(address, identifier(module), identifier(name), native_function(*native))
	};
	[
		standard::NATIVES,
		context::NATIVES,
		event::NATIVES,
		object::NATIVES,
		crypto::NATIVES,
		coin::NATIVES,
	]
	.into_iter()
	.flatten()
	.map(entry)
	.collect()
}

/// Abort codes, in the categories of `std::error`.
pub mod abort {
	use codec::Encode;
	use dstp_primitives::TreeError;

	const fn code(category: u64, reason: u64) -> u64 {
		category << 16 | reason
	}

	/// A value cannot be written in BCS.
	pub const NOT_SERIALIZABLE: u64 = 0x1c5;
	/// `string`: an index is outside the bytes.
	pub const BAD_INDEX: u64 = code(2, 1);
	/// `string`: the bytes are not UTF-8.
	pub const BAD_UTF8: u64 = code(1, 1);
	/// `context`: nobody signed.
	pub const NO_SENDER: u64 = code(4, 1);
	/// `crypto`: a signature, a key or a hash does not have the length that it always has.
	pub const BAD_LENGTH: u64 = code(1, 1);
	/// `event`: only a struct is an event. `coin`: only a struct is a currency.
	pub const NOT_A_STRUCT: u64 = code(1, 1);
	/// `event`: there are too many, or they are too large.
	pub const MANY_EVENTS: u64 = code(9, 1);
	/// `object`: neither found nor created in this call.
	pub const UNKNOWN_OBJECT: u64 = code(6, 1);
	/// `object`: no such field.
	pub const NO_FIELD: u64 = code(6, 2);
	/// `object`: a field with this key exists.
	pub const FIELD_EXISTS: u64 = code(8, 1);
	/// `object`: the field has another type.
	pub const OTHER_TYPE: u64 = code(1, 1);
	/// `object`: a key has 1 to 64 bytes.
	pub const BAD_KEY: u64 = code(1, 2);
	/// `object`: a path has at most 8 keys.
	pub const BAD_PATH: u64 = code(1, 3);
	/// `object`: the object is open.
	pub const OPEN_OBJECT: u64 = code(3, 1);
	/// `object`: a value or its type is too large.
	pub const LARGE_FIELD: u64 = code(9, 1);
	/// `object`: too many changes, open objects or fields.
	pub const MANY_OBJECTS: u64 = code(9, 2);

	/// `object`: what the tree refuses, by the number of the error in the format of batches.
	pub fn refusal(error: &TreeError) -> u64 {
		let number = error.encode().first().copied().unwrap_or_default();
		code(3, 0x100 + u64::from(number))
	}

	/// `vector`: the function is an instruction of the machine and is not called.
	pub const INSTRUCTION: u64 = code(0xc, 1);
}
