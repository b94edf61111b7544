//! Errors of primitives as errors of the pallet, one for one.

use crate::Error;
use dstp_primitives::{
	head::HeadError,
	mode::{HeadRefusal, ModeError},
};

impl<T> From<HeadError> for Error<T> {
	fn from(error: HeadError) -> Self {
		match error {
			HeadError::UnknownVersion => Self::UnknownVersion,
			HeadError::WrongChain => Self::WrongChain,
			HeadError::WrongSubtree => Self::WrongSubtree,
			HeadError::WrongEpoch => Self::WrongEpoch,
			HeadError::WrongEra => Self::WrongEra,
			HeadError::SeqReplayed => Self::SeqReplayed,
			HeadError::HeadForked => Self::HeadForked,
			HeadError::SeqGap => Self::SeqGap,
			HeadError::WrongPrev => Self::WrongPrev,
			HeadError::WrongPreRoot => Self::WrongPreRoot,
			HeadError::BadBatchSize => Self::BadBatchSize,
			HeadError::BadHubRange => Self::BadHubRange,
		}
	}
}

impl<T> From<ModeError> for Error<T> {
	fn from(error: ModeError) -> Self {
		match error {
			ModeError::UnknownMode => Self::UnknownMode,
			ModeError::MalformedParams => Self::MalformedParams,
			ModeError::MalformedState => Self::MalformedState,
			ModeError::MalformedEvidence => Self::MalformedEvidence,
			ModeError::MalformedUpdate => Self::MalformedUpdate,
			ModeError::NotSupported => Self::ChangeNotSupported,
			ModeError::NoAuthority => Self::NoAuthority,
			ModeError::DuplicateAuthority => Self::DuplicateAuthority,
			ModeError::BadThreshold => Self::BadThreshold,
			ModeError::BadInterval => Self::BadInterval,
			ModeError::RotatedSet => Self::RotatedSet,
			ModeError::UnknownSet => Self::UnknownSet,
			ModeError::UnsortedSignatures => Self::UnsortedSignatures,
			ModeError::UnknownSigner => Self::UnknownSigner,
			ModeError::TooFewSignatures => Self::TooFewSignatures,
			ModeError::BadSignature => Self::BadSignature,
			ModeError::TooEarly => Self::TooEarly,
			ModeError::SilenceNotAgreed => Self::SilenceNotAgreed,
			ModeError::NotSilent => Self::NotSilent,
			ModeError::Overflow => Self::Overflow,
			ModeError::BadStatus => Self::BadStatus,
			ModeError::Custom(code) => Self::ModeRefused(code),
		}
	}
}

impl<T> From<HeadRefusal> for Error<T> {
	fn from(refusal: HeadRefusal) -> Self {
		match refusal {
			HeadRefusal::Head(error) => error.into(),
			HeadRefusal::Mode(error) => error.into(),
		}
	}
}
