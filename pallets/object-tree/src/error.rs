//! Errors of the tree as errors of this pallet.

use crate::pallet::Error;
use dstp_primitives::{tree::StorageError, TreeError};

impl<T> From<TreeError> for Error<T> {
	fn from(error: TreeError) -> Self {
		match error {
			TreeError::ObjectNotFound => Self::ObjectNotFound,
			TreeError::ObjectExists => Self::ObjectExists,
			TreeError::NotOwner => Self::NotOwner,
			TreeError::Frozen => Self::Frozen,
			TreeError::SharedReadOnly => Self::SharedReadOnly,
			TreeError::ReservedKey => Self::ReservedKey,
			TreeError::TooDeep => Self::TooDeep,
			TreeError::HasChildren => Self::HasChildren,
			TreeError::HasManyFields => Self::HasManyFields,
			TreeError::DuplicateKey => Self::DuplicateKey,
			TreeError::EmptyBatch => Self::EmptyBatch,
			TreeError::BatchTooLong => Self::BatchTooLong,
			TreeError::ZeroOwner => Self::ZeroOwner,
			TreeError::SharedNeedsHashedKeys => Self::SharedNeedsHashedKeys,
			TreeError::IsRoot => Self::IsRoot,
			TreeError::IsRemote => Self::IsRemote,
			TreeError::NotRemote => Self::NotRemote,
			TreeError::PrefixOnHashedKeys => Self::PrefixOnHashedKeys,
			TreeError::BadPage => Self::BadPage,
			TreeError::Overflow => Self::Overflow,
			TreeError::WitnessTooLarge => Self::WitnessTooLarge,
			TreeError::HasContractFields => Self::HasContractFields,
			TreeError::Storage(error) => error.0.into(),
		}
	}
}

impl<T> From<StorageError> for Error<T> {
	fn from(error: StorageError) -> Self {
		match error {
			StorageError::TooManyDirty => Self::BlockFull,
			// A child trie of the hub is complete: a node that is missing is damage.
			StorageError::Corrupt | StorageError::MissingNode(_) => Self::CorruptState,
			// Only recordings have this limit; the hub makes none.
			StorageError::ReadLimit => Self::WitnessTooLarge,
		}
	}
}
