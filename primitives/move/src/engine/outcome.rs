//! What an execution gives.

use crate::{
	error::MoveError,
	state::{tree_address, Tags},
};
use dstp_primitives::contract::{ContractChange, ContractValue, TypeTagBytes};
use move_core_types::{
	effects::{ChangeSet, Op},
	language_storage::StructTag,
};

/// Most events of one call, so that they fit a block beside others.
pub const MAX_EVENTS: usize = 256;

/// Most bytes of all events of one call.
pub const MAX_EVENT_BYTES: usize = 64 * 1024;

/// What a contract told the world.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Event {
	/// Its type, a struct, in BCS.
	pub type_tag: Vec<u8>,
	/// Its content, in BCS.
	pub value: Vec<u8>,
}

/// What came of a publication or a call. Nothing of it happened yet.
#[derive(Clone, Default, PartialEq, Eq, Debug)]
pub struct Outcome {
	/// Changes for [`apply_contract`](dstp_primitives::ObjectTree::apply_contract), in their order: first those of
	/// resources, by address and type, then those of objects as they were made. An object that a call freezes stops none of its
	/// resources.
	pub changes: Vec<ContractChange>,
	/// Events in the order in which they were emitted.
	pub events: Vec<Event>,
	/// Gas that it used.
	pub gas_used: u64,
}

/// What a view returned.
#[derive(Clone, Default, PartialEq, Eq, Debug)]
pub struct ViewOutcome {
	/// The returned values in BCS, references followed.
	pub values: Vec<Vec<u8>>,
	/// Gas that it used.
	pub gas_used: u64,
}

impl Outcome {
	/// From what the virtual machine gives. Errors: [`MoveError::BadRequest`] for a resource or type that is too large.
	pub(super) fn from_effects(
		changes: ChangeSet,
		events: Vec<Event>,
		tags: &Tags,
	) -> Result<Self, MoveError> {
		let mut outcome = Self { events, ..Self::default() };
		for (address, account) in changes.into_inner() {
			for (tag, op) in account.into_resources() {
				let type_tag = encoded_type(&tag, tags)?;
				let address = tree_address(&address);
				outcome.changes.push(match op {
					Op::New(value) | Op::Modify(value) => {
						let value = bounded(&tag, value)?;
						ContractChange::SetResource { address, type_tag, value }
					},
					Op::Delete => ContractChange::RemoveResource { address, type_tag },
				});
			}
		}
		Ok(outcome)
	}
}

fn encoded_type(tag: &StructTag, tags: &Tags) -> Result<TypeTagBytes, MoveError> {
	tags.get(tag).map(|stored| stored.bytes.clone()).ok_or_else(|| {
		MoveError::BadRequest(format!("the type {} has too many arguments to be stored", tag.name))
	})
}

fn bounded(tag: &StructTag, value: Vec<u8>) -> Result<ContractValue, MoveError> {
	let length = value.len();
	value.try_into().map_err(|_| {
		MoveError::BadRequest(format!(
			"a resource holds at most 65536 bytes; {} would hold {length}: split it over several addresses",
			tag.name
		))
	})
}
