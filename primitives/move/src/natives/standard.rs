//! Natives of the standard library of Move: `signer`, `bcs`, `hash`, `string` and `vector`.

use super::{
	abort,
	scope::{one, Native, Returned, Scope, Stop},
};
use crate::gas::NativeMeter;
use move_binary_format::errors::PartialVMResult;
use move_vm_types::values::{Reference, SignerRef, Value, VectorRef};
use sp_crypto_hashing::sha2_256;

/// Module, name, and the function.
pub(super) const NATIVES: &[(&str, &str, Native)] = &[
	("signer", "borrow_address", borrow_address),
	("bcs", "to_bytes", to_bytes),
	("hash", "sha2_256", |scope| hash(scope, sha2_256)),
	("hash", "sha3_256", |scope| hash(scope, sha3_256)),
	("string", "internal_check_utf8", check_utf8),
	("string", "internal_is_char_boundary", is_char_boundary),
	("string", "internal_sub_string", sub_string),
	("string", "internal_index_of", index_of),
	("vector", "empty", instruction),
	("vector", "length", instruction),
	("vector", "borrow", instruction),
	("vector", "borrow_mut", instruction),
	("vector", "push_back", instruction),
	("vector", "pop_back", instruction),
	("vector", "destroy_empty", instruction),
	("vector", "swap", instruction),
];

/// `borrow_address(s: &signer): &address`
fn borrow_address(scope: &mut Scope) -> Returned {
	one(scope.pop::<SignerRef>()?.borrow_signer()?)
}

/// `to_bytes<T>(value: &T): vector<u8>`. Aborts with [`abort::NOT_SERIALIZABLE`].
fn to_bytes(scope: &mut Scope) -> Returned {
	let value: Reference = scope.pop()?;
	let not_serializable = Stop::Abort(abort::NOT_SERIALIZABLE);
	let Some(layout) = scope.layout(0)? else { return Err(not_serializable) };
	let meter = scope.meter();
	meter.charge_hidden_copy()?;
	let value = value.read_ref()?;
	match value.simple_serialize(&layout) {
		Some(bytes) => new_bytes(&meter, bytes),
		None => Err(not_serializable),
	}
}

/// `f(data: vector<u8>): vector<u8>`
pub(super) fn hash(scope: &mut Scope, hash: fn(&[u8]) -> [u8; 32]) -> Returned {
	let data: Vec<u8> = scope.pop()?;
	let meter = scope.meter();
	meter.charge(meter.schedule().hash)?;
	meter.charge_each(meter.schedule().byte_hashed, data.len() as u64)?;
	new_bytes(&meter, hash(&data).to_vec())
}

fn sha3_256(data: &[u8]) -> [u8; 32] {
	use sha3::{Digest, Sha3_256};
	Sha3_256::digest(data).into()
}

/// `internal_check_utf8(bytes: &vector<u8>): bool`
fn check_utf8(scope: &mut Scope) -> Returned {
	let bytes: VectorRef = scope.pop()?;
	let bytes = bytes.as_bytes_ref();
	charge_bytes(&scope.meter(), bytes.len())?;
	one(Value::bool(std::str::from_utf8(&bytes).is_ok()))
}

/// `internal_is_char_boundary(bytes: &vector<u8>, index: u64): bool`
fn is_char_boundary(scope: &mut Scope) -> Returned {
	let index: u64 = scope.pop()?;
	let bytes: VectorRef = scope.pop()?;
	let bytes = bytes.as_bytes_ref();
	let within = usize::try_from(index).ok().filter(|index| *index <= bytes.len());
	// A byte inside a character starts with the bits 10.
	let starts =
		|index: usize| bytes.get(index).is_none_or(|byte| byte & 0b1100_0000 != 0b1000_0000);
	one(Value::bool(within.is_some_and(starts)))
}

/// `internal_sub_string(bytes: &vector<u8>, from: u64, to: u64): vector<u8>`. Aborts with [`abort::BAD_INDEX`].
fn sub_string(scope: &mut Scope) -> Returned {
	let (to, from): (u64, u64) = (scope.pop()?, scope.pop()?);
	let bytes: VectorRef = scope.pop()?;
	let bytes = bytes.as_bytes_ref();
	let range = usize::try_from(from).ok().zip(usize::try_from(to).ok());
	let part = range.and_then(|(from, to)| bytes.get(from..to));
	let part = part.ok_or(Stop::Abort(abort::BAD_INDEX))?;
	let meter = scope.meter();
	charge_bytes(&meter, part.len())?;
	new_bytes(&meter, part.to_vec())
}

/// `internal_index_of(bytes: &vector<u8>, other: &vector<u8>): u64`, the length if it is not found. The search takes linear time.
/// Aborts with [`abort::BAD_UTF8`].
fn index_of(scope: &mut Scope) -> Returned {
	let (other, bytes): (VectorRef, VectorRef) = (scope.pop()?, scope.pop()?);
	let (other, bytes) = (other.as_bytes_ref(), bytes.as_bytes_ref());
	charge_bytes(&scope.meter(), bytes.len().saturating_add(other.len()))?;
	let text = |bytes| std::str::from_utf8(bytes).map_err(|_| Stop::Abort(abort::BAD_UTF8));
	let found = text(&bytes)?.find(text(&other)?);
	one(Value::u64(found.unwrap_or(bytes.len()) as u64))
}

/// Compilers write an instruction for these functions of `vector`. Only bytecode that was made by hand calls them.
fn instruction(_: &mut Scope) -> Returned {
	Err(Stop::Abort(abort::INSTRUCTION))
}

/// Reads or writes this many bytes.
pub(super) fn charge_bytes(meter: &NativeMeter, count: usize) -> PartialVMResult<()> {
	meter.charge_each(meter.schedule().byte_copied, count as u64)
}

/// Returns a new vector of bytes.
pub(super) fn new_bytes(meter: &NativeMeter, bytes: Vec<u8>) -> Returned {
	meter.made(bytes.len() as u64);
	one(Value::vector_u8(bytes))
}
