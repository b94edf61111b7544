//! Objects that are open, with the fields that contracts hold references to.

use dstp_primitives::{contract::TypeTagBytes, AccountId, Key, ObjectId};
use move_core_types::value::MoveTypeLayout;
use move_vm_types::values::GlobalValue;
use std::collections::BTreeMap;

/// Most objects that are open at once. Contracts hold each in a local variable.
pub(super) const MAX_OPEN_OBJECTS: usize = 64;

/// Most fields of one open object that were touched since it was opened.
pub(super) const MAX_OPEN_FIELDS: usize = 256;

/// A field in memory.
pub(super) struct OpenField {
	/// Type of the value, in BCS.
	pub(super) type_tag: TypeTagBytes,
	/// Layout of the struct that holds the value, and so of the value.
	pub(super) layout: MoveTypeLayout,
	/// The struct, or nothing if the field was removed or never existed.
	pub(super) value: GlobalValue,
}

/// An object that somebody may write to.
pub(super) struct OpenObject {
	/// Who opened it.
	pub(super) actor: AccountId,
	/// The fields that were touched.
	pub(super) fields: BTreeMap<Key, OpenField>,
}

/// All objects that are open now.
pub(super) type OpenObjects = BTreeMap<ObjectId, OpenObject>;
