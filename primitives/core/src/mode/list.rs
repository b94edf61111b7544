//! The modes that a runtime knows.

use super::{
	change, check_stored, resume, start, ChangeBy, HeadRefusal, ModeContext, ModeError,
	SecurityMode, StoredMode, Updated, Verified, MAX_EVIDENCE_BYTES, MAX_PARAMS_BYTES,
	MAX_STATE_BYTES, MAX_UPDATE_BYTES,
};
use crate::{head::Head, object::ModeId};
use alloc::{vec, vec::Vec};
use codec::MaxEncodedLen;

/// Facts about a mode of a runtime.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct ModeInfo {
	/// [`SecurityMode::ID`].
	pub id: u32,
	/// [`SecurityMode::NAME`].
	pub name: &'static str,
	/// [`SecurityMode::MAX_SIGNATURE_CHECKS`].
	pub max_signature_checks: u32,
	/// Most bytes of an encoded state.
	pub max_state_bytes: u32,
	/// Whether parameters, state, evidence and updates stay within the limits of this module.
	pub fits: bool,
}

impl ModeInfo {
	/// The facts about `M`.
	pub fn of<M: SecurityMode>() -> Self {
		let fits = |bytes: usize, limit: u32| bytes <= limit as usize;
		let state = M::State::max_encoded_len();
		Self {
			id: M::ID,
			name: M::NAME,
			max_signature_checks: M::MAX_SIGNATURE_CHECKS,
			max_state_bytes: u32::try_from(state).unwrap_or(u32::MAX),
			fits: fits(M::Params::max_encoded_len(), MAX_PARAMS_BYTES)
				&& fits(state, MAX_STATE_BYTES)
				&& fits(M::Evidence::max_encoded_len(), MAX_EVIDENCE_BYTES)
				&& fits(M::Update::max_encoded_len(), MAX_UPDATE_BYTES),
		}
	}
}

/// A list of modes: a tuple of at most eight types that implement [`SecurityMode`].
///
/// All functions fail with [`ModeError::UnknownMode`] if the list lacks the mode.
pub trait Modes {
	/// The modes in their order. A runtime's `integrity_test` checks that ids differ and that each fits.
	fn infos() -> Vec<ModeInfo>;

	/// [`start`] of the mode with this id.
	fn start(mode: &ModeId, params: &[u8], context: &ModeContext) -> Result<Vec<u8>, ModeError>;

	/// [`Verified::by`] the mode with this id.
	fn verify(
		mode: &ModeId,
		head: Head,
		context: &ModeContext,
		stored: StoredMode<'_>,
		evidence: &[u8],
	) -> Result<Verified, HeadRefusal>;

	/// [`change`] of the mode with this id.
	fn change(
		mode: &ModeId,
		update: &[u8],
		context: &ModeContext,
		stored: StoredMode<'_>,
		by: ChangeBy<'_>,
	) -> Result<Updated, ModeError>;

	/// [`resume`] of the mode with this id.
	fn resume(
		mode: &ModeId,
		context: &ModeContext,
		stored: StoredMode<'_>,
	) -> Result<Vec<u8>, ModeError>;

	/// [`check_stored`] of the mode with this id.
	fn check_stored(mode: &ModeId, stored: StoredMode<'_>) -> Result<(), ModeError>;

	/// Facts about the mode with this id.
	fn info(mode: &ModeId) -> Option<ModeInfo> {
		let ModeId::Native(id) = mode else { return None };
		Self::infos().into_iter().find(|info| info.id == *id)
	}

	/// The most signature checks that a head or an update of any of the modes can cause.
	fn max_signature_checks() -> u32 {
		Self::infos().iter().map(|info| info.max_signature_checks).max().unwrap_or(0)
	}
}

macro_rules! impl_modes {
	($($mode:ident)*) => {
		impl<$($mode: SecurityMode),*> Modes for ($($mode,)*) {
			fn infos() -> Vec<ModeInfo> {
				vec![$(ModeInfo::of::<$mode>()),*]
			}

			fn start(mode: &ModeId, params: &[u8], context: &ModeContext) -> Result<Vec<u8>, ModeError> {
				match mode {
					$(ModeId::Native(id) if *id == $mode::ID => start::<$mode>(params, context),)*
					_ => Err(ModeError::UnknownMode),
				}
			}

			fn verify(
				mode: &ModeId,
				head: Head,
				context: &ModeContext,
				stored: StoredMode<'_>,
				evidence: &[u8],
			) -> Result<Verified, HeadRefusal> {
				match mode {
					$(ModeId::Native(id) if *id == $mode::ID =>
						Verified::by::<$mode>(head, context, stored, evidence),)*
					_ => Err(ModeError::UnknownMode.into()),
				}
			}

			fn change(
				mode: &ModeId,
				update: &[u8],
				context: &ModeContext,
				stored: StoredMode<'_>,
				by: ChangeBy<'_>,
			) -> Result<Updated, ModeError> {
				match mode {
					$(ModeId::Native(id) if *id == $mode::ID => change::<$mode>(update, context, stored, by),)*
					_ => Err(ModeError::UnknownMode),
				}
			}

			fn resume(
				mode: &ModeId,
				context: &ModeContext,
				stored: StoredMode<'_>,
			) -> Result<Vec<u8>, ModeError> {
				match mode {
					$(ModeId::Native(id) if *id == $mode::ID => resume::<$mode>(context, stored),)*
					_ => Err(ModeError::UnknownMode),
				}
			}

			fn check_stored(mode: &ModeId, stored: StoredMode<'_>) -> Result<(), ModeError> {
				match mode {
					$(ModeId::Native(id) if *id == $mode::ID => check_stored::<$mode>(stored),)*
					_ => Err(ModeError::UnknownMode),
				}
			}
		}
	};
}

impl_modes!(A);
impl_modes!(A B);
impl_modes!(A B C);
impl_modes!(A B C D);
impl_modes!(A B C D E);
impl_modes!(A B C D E F);
impl_modes!(A B C D E F G);
impl_modes!(A B C D E F G H);
