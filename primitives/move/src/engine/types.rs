//! Type arguments from strangers.

use crate::error::MoveError;
use dstp_primitives::contract::MAX_TYPE_TAG_BYTES;
use move_core_types::language_storage::{ModuleId, TypeTag};

/// Most type arguments of a call.
pub const MAX_TYPE_ARGUMENTS: usize = 8;

/// Deepest nesting of a type argument: `vector<u8>` has depth 2.
pub const MAX_TYPE_TAG_DEPTH: usize = 8;

/// Levels of the decoder for one level of a type: the variant, the struct, and the address or name in it.
const DECODER_LEVELS: usize = 3;

/// Reads type arguments. The decoder stops at a depth of its own before it recurses further.
pub(super) fn decode_type_arguments(encoded: &[Vec<u8>]) -> Result<Vec<TypeTag>, MoveError> {
	if encoded.len() > MAX_TYPE_ARGUMENTS {
		return Err(MoveError::BadRequest(format!(
			"a call has at most {MAX_TYPE_ARGUMENTS} type arguments"
		)));
	}
	encoded.iter().map(|bytes| decode_type(bytes)).collect()
}

fn decode_type(bytes: &[u8]) -> Result<TypeTag, MoveError> {
	let malformed = || {
		MoveError::BadRequest(format!(
			"a type argument is a Move type in BCS of at most {MAX_TYPE_TAG_BYTES} bytes, nested at most {MAX_TYPE_TAG_DEPTH} levels deep"
		))
	};
	// Each struct in it names a module that is looked for in the tree.
	if bytes.len() > MAX_TYPE_TAG_BYTES as usize {
		return Err(malformed());
	}
	let tag: TypeTag = bcs::from_bytes_with_limit(bytes, MAX_TYPE_TAG_DEPTH * DECODER_LEVELS)
		.map_err(|_| malformed())?;
	if depth(&tag) > MAX_TYPE_TAG_DEPTH || mentions_signer(&tag) {
		return Err(malformed());
	}
	Ok(tag)
}

fn depth(tag: &TypeTag) -> usize {
	1 + match tag {
		TypeTag::Vector(inner) => depth(inner),
		TypeTag::Struct(tag) => tag.type_params.iter().map(depth).max().unwrap_or(0),
		_ => 0,
	}
}

fn mentions_signer(tag: &TypeTag) -> bool {
	match tag {
		TypeTag::Signer => true,
		TypeTag::Vector(inner) => mentions_signer(inner),
		TypeTag::Struct(tag) => tag.type_params.iter().any(mentions_signer),
		_ => false,
	}
}

/// The modules that define the structs in a type.
pub(super) fn modules_of(tag: &TypeTag, modules: &mut Vec<ModuleId>) {
	match tag {
		TypeTag::Vector(inner) => modules_of(inner, modules),
		TypeTag::Struct(tag) => {
			modules.push(tag.module_id());
			tag.type_params.iter().for_each(|tag| modules_of(tag, modules));
		},
		_ => {},
	}
}
