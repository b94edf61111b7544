//! Why a mode refuses.

use crate::head::HeadError;
use codec::{Decode, Encode};
use core::fmt;
use scale_info::TypeInfo;

macro_rules! mode_errors {
	($($(#[$doc:meta])* $name:ident = $index:literal, $text:literal;)*) => {
		/// Why a security mode refuses parameters, a head or an update. Nothing is kept of what was refused.
		#[derive(Clone, Copy, PartialEq, Eq, Debug, Encode, Decode, TypeInfo)]
		pub enum ModeError {
			$($(#[$doc])* #[doc = $text] #[codec(index = $index)] $name,)*
			/// A mode that is not part of this crate refused, with a code of its own.
			#[codec(index = 255)]
			Custom(u8),
		}

		impl fmt::Display for ModeError {
			fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
				match self {
					$(Self::$name => f.write_str($text),)*
					Self::Custom(code) => write!(f, "the security mode refused with its own code {code}"),
				}
			}
		}
	};
}

mode_errors! {
	UnknownMode = 0, "this chain has no security mode with that id; its runtime lists those it has";
	MalformedParams = 1, "the bytes are not parameters of this mode";
	MalformedState = 2, "the stored state of the mode cannot be decoded";
	MalformedEvidence = 3, "the bytes are not evidence of this mode";
	MalformedUpdate = 4, "the bytes are not an update of this mode";
	NotSupported = 5, "this mode does not allow this change";
	NoAuthority = 6, "a set of authorities has 1 to 16 keys, and none for which anybody can sign";
	DuplicateAuthority = 7, "a key occurs twice in the set of authorities";
	BadThreshold = 8, "the threshold is at least 1 and at most the number of authorities";
	BadInterval = 9, "the longest silence is longer than the shortest interval between heads";
	RotatedSet = 10, "the signatures are from a set of authorities that was replaced";
	UnknownSet = 11, "there is no set of authorities with this number yet";
	UnsortedSignatures = 12, "signatures are ordered by their signer's index, each signer once";
	UnknownSigner = 13, "a signer's index is outside the set of authorities";
	TooFewSignatures = 14, "fewer authorities signed than the threshold demands";
	BadSignature = 15, "a signature does not fit its authority and the payload";
	TooEarly = 16, "the shortest interval since the last head has not passed";
	SilenceNotAgreed = 17, "the owner cannot replace these authorities: no longest silence was agreed at registration";
	NotSilent = 18, "the authorities have not been silent for longer than agreed";
	Overflow = 19, "a counter would overflow";
	BadStatus = 20, "the mode gave a fresh head a status that only the subtree's holder gives";
}

impl core::error::Error for ModeError {}

/// Why a head was not accepted.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum HeadRefusal {
	/// It does not follow the last one.
	Head(HeadError),
	/// The mode refuses it.
	Mode(ModeError),
}

impl fmt::Display for HeadRefusal {
	fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
		match self {
			Self::Head(error) => fmt::Display::fmt(error, f),
			Self::Mode(error) => fmt::Display::fmt(error, f),
		}
	}
}

impl core::error::Error for HeadRefusal {}

impl From<HeadError> for HeadRefusal {
	fn from(error: HeadError) -> Self {
		Self::Head(error)
	}
}

impl From<ModeError> for HeadRefusal {
	fn from(error: ModeError) -> Self {
		Self::Mode(error)
	}
}
