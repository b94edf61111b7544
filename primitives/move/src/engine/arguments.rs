//! Which arguments a caller may give.
//!
//! The virtual machine deserialises whatever fits the parameter's type, a `signer` or a coin as well. So only primitive types and
//! vectors of them are taken from a caller, and the signer is put in by the engine.

use crate::{gas::NODE_BYTES, state::move_address};
use dstp_primitives::ObjectId;
use move_vm_types::loaded_data::runtime_types::Type;

/// Most bytes of all arguments of a call together.
pub const MAX_ARGUMENT_BYTES: usize = 64 * 1024;

/// Deepest nesting of vectors in an argument.
const MAX_VECTOR_DEPTH: usize = 4;

/// What is wrong with a function or with the arguments for it.
type Problem = &'static str;

/// Puts the signer before the arguments, if the function wants one. `signer`: who signed; `None` in a view.
pub(super) fn complete(
	parameters: &[Type],
	signer: Option<&ObjectId>,
	arguments: Vec<Vec<u8>>,
) -> Result<Vec<Vec<u8>>, Problem> {
	if arguments.iter().map(Vec::len).sum::<usize>() > MAX_ARGUMENT_BYTES {
		return Err("takes at most 65536 bytes of arguments");
	}
	let signers = parameters.iter().take_while(|ty| is_signer(ty)).count();
	let mut complete = Vec::with_capacity(parameters.len());
	match (signers, signer) {
		(0, _) => {},
		(1, Some(signer)) => complete.push(move_address(signer).to_vec()),
		(1, None) => return Err("needs a signer, which a view does not have"),
		_ => return Err("has more than one signer, and a call has one"),
	}
	if !parameters[signers..].iter().all(|ty| is_plain(ty, MAX_VECTOR_DEPTH)) {
		return Err("has a parameter that is neither a signer in front nor a primitive type nor a vector of such");
	}
	complete.extend(arguments);
	(complete.len() == parameters.len())
		.then_some(complete)
		.ok_or("takes another number of arguments")
}

/// What the arguments take in memory at most: a byte of a vector of vectors can be an empty vector.
pub(super) fn memory(parameters: &[Type], arguments: &[Vec<u8>]) -> u64 {
	let of = |(ty, bytes): (&Type, &Vec<u8>)| {
		let nested = matches!(ty, Type::Vector(inner) if matches!(**inner, Type::Vector(_)));
		bytes.len() as u64 * if nested { NODE_BYTES } else { 1 }
	};
	parameters.iter().zip(arguments).map(of).sum()
}

fn is_signer(ty: &Type) -> bool {
	match ty {
		Type::Signer => true,
		Type::Reference(inner) => **inner == Type::Signer,
		_ => false,
	}
}

fn is_plain(ty: &Type, levels: usize) -> bool {
	match ty {
		Type::Bool | Type::U8 | Type::U64 | Type::U128 | Type::Address => true,
		Type::Vector(inner) => levels > 0 && is_plain(inner, levels - 1),
		_ => false,
	}
}
