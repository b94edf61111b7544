//! Why an operation on an object is refused.

use super::StorageError;
use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use core::fmt;
use scale_info::TypeInfo;

macro_rules! tree_errors {
	($($(#[$doc:meta])* $name:ident = $index:literal, $text:literal;)*) => {
		/// Why an operation on an object is refused. Nothing is kept of a refused operation.
		///
		/// The index of a variant is part of the batch format: receipts commit to it.
		#[derive(
			Clone, Copy, PartialEq, Eq, Debug, Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo,
		)]
		pub enum TreeError {
			$($(#[$doc])* #[doc = $text] #[codec(index = $index)] $name,)*
			/// The storage could not answer. Never part of a receipt: the execution is repeated elsewhere or later.
			#[codec(skip)]
			Storage(StorageErrorCode),
		}

		impl fmt::Display for TreeError {
			fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
				match self {
					$(Self::$name => f.write_str($text),)*
					Self::Storage(error) => fmt::Display::fmt(&error.0, f),
				}
			}
		}
	};
}

/// A [`StorageError`] inside a [`TreeError`].
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct StorageErrorCode(pub StorageError);

tree_errors! {
	ObjectNotFound = 0, "there is no such object here";
	ObjectExists = 1, "an object with this key stands below this parent already";
	NotOwner = 2, "only the object's owner may do this";
	Frozen = 3, "the object is frozen: its fields, children and owner never change again";
	SharedReadOnly = 4, "the object is shared: everybody may create children below it, and nothing else";
	ReservedKey = 5, "this key is reserved for the system";
	TooDeep = 6, "objects stand at most 8 levels below the root of their namespace";
	HasChildren = 7, "the object has children; remove them first or remove recursively";
	HasManyFields = 8, "the object has more fields than one operation may remove; remove recursively";
	DuplicateKey = 9, "a key occurs twice in one batch";
	EmptyBatch = 10, "the batch names no field";
	BatchTooLong = 11, "a batch names at most 256 fields";
	ZeroOwner = 12, "anybody can sign for this account, so it owns nothing; freeze the object instead";
	SharedNeedsHashedKeys = 13, "an object that is to be shared is created with hashed keys";
	IsRoot = 14, "the root of a namespace is neither created nor removed from inside";
	IsRemote = 15, "the object's state is remote: it changes by heads, not by calls";
	NotRemote = 16, "the object's state is not remote";
	PrefixOnHashedKeys = 17, "this object's keys are hashed: it has no pages by prefix";
	BadPage = 18, "a page has a limit of 1 to 1000 and a prefix of at most 64 bytes";
	Overflow = 19, "a counter would overflow";
	WitnessTooLarge = 20, "the call reads more of the state than a proof of it may hold; split it";
	HasContractFields = 21, "contracts keep fields in the object; let them take the fields out first";
}

impl From<StorageError> for TreeError {
	fn from(error: StorageError) -> Self {
		Self::Storage(StorageErrorCode(error))
	}
}

impl From<crate::object::ValueError> for TreeError {
	fn from(_: crate::object::ValueError) -> Self {
		StorageError::Corrupt.into()
	}
}

impl core::error::Error for TreeError {}
