//! What calls weigh beside what was measured with short values: values that were there before, deposits of others, and keys that the
//! block deleted before.

use crate::{
	pallet::{Config, Dirty, Error, Pallet},
	WeightInfo,
};
use dstp_primitives::{
	id::MAX_KEY_BYTES,
	object::{Value, MAX_VALUE_BYTES},
	tree::MAX_BATCH_FIELDS,
	Key, ObjectId,
};
use frame_support::{ensure, traits::Get, weights::Weight};

/// Most bytes of a field's key and value.
pub(crate) const MAX_FIELD_BYTES: u32 = MAX_KEY_BYTES + MAX_VALUE_BYTES;

/// Most keys of one object's trie that calls delete in one block.
///
/// The database keeps them until the block ends, and whoever looks for an object's fields walks over them. The declared weight of a
/// removal of 256 fields, each of which is written, covers four looks for each.
pub(crate) const MAX_DELETED_KEYS: u32 = 4 * MAX_BATCH_FIELDS;

impl<T: Config> Pallet<T> {
	/// The most that `count` fields that were there before can have.
	pub(crate) fn most_old_bytes(count: u32) -> u32 {
		count.saturating_mul(MAX_FIELD_BYTES)
	}

	/// What it costs to read so many bytes of values that were there before.
	///
	/// The price of a byte was measured with values that are read and replaced by others of their length.
	pub(crate) fn old_values_weight(bytes: u32) -> Weight {
		T::WeightInfo::set_field(bytes).saturating_sub(T::WeightInfo::set_field(0))
	}

	/// What it costs to set fields that had `old_bytes` before, while the deposit stays as it is.
	pub(crate) fn set_weight(fields: &[(Key, Value)], old_bytes: u32) -> Weight {
		let bytes = fields.iter().map(|(_, value)| value.len()).sum::<usize>();
		let bytes = u32::try_from(bytes).unwrap_or(u32::MAX);
		let most = bytes.max(old_bytes);
		match fields.len() {
			0 | 1 => T::WeightInfo::set_field(most),
			// Batches were measured with short values, which say little about the price of a byte.
			count => T::WeightInfo::set_fields(count as u32, bytes)
				.saturating_add(Self::old_values_weight(most)),
		}
	}

	/// What it costs to remove `count` fields with `old_bytes` in them, while the deposit stays as it is.
	pub(crate) fn remove_fields_weight(count: u32, old_bytes: u32) -> Weight {
		T::WeightInfo::remove_fields(count)
			.saturating_add(Self::later_look(count))
			.saturating_add(Self::old_values_weight(old_bytes))
	}

	/// What it costs to remove an object of which `keys` fields and nonces with `old_bytes` in them are or were in this block, and whose
	/// deposit is the caller's.
	pub(crate) fn remove_weight(keys: u32, old_bytes: u32) -> Weight {
		let keys = keys.min(MAX_BATCH_FIELDS);
		T::WeightInfo::remove(keys)
			.saturating_add(Self::later_look(keys.saturating_add(1)))
			.saturating_add(Self::old_values_weight(old_bytes))
	}

	/// Deletions in the idle time of a block walk once over each key that calls of the block deleted. Who deletes pays for that.
	fn later_look(keys: u32) -> Weight {
		T::DbWeight::get().reads(keys.into())
	}

	/// How many keys of an object's trie were deleted in this block.
	pub(crate) fn deleted_keys(object: &ObjectId) -> u32 {
		Dirty::<T>::get(object).unwrap_or_default()
	}

	/// Refuses a call that deleted too much of an object.
	pub(crate) fn ensure_few_deleted(object: &ObjectId) -> Result<(), Error<T>> {
		ensure!(Self::deleted_keys(object) <= MAX_DELETED_KEYS, Error::<T>::BlockFull);
		Ok(())
	}
}
