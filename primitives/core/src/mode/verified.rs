//! The border between modes and the holders of heads: bytes in, checked facts out.

use super::{HeadRefusal, ModeBytes, ModeContext, ModeError, SecurityMode};
use crate::{
	head::Head,
	object::{HeadStatus, ModeId, RemoteLocation},
};
use alloc::vec::Vec;
use codec::DecodeLimit;

/// Most bytes of a mode's parameters: 64 members with keys, weights and rules fit.
pub const MAX_PARAMS_BYTES: u32 = 4 * 1024;

/// Most bytes of a mode's state. A holder reads and writes it with every head.
pub const MAX_STATE_BYTES: u32 = 4 * 1024;

/// Most bytes of evidence: 64 signatures with their indices fit.
pub const MAX_EVIDENCE_BYTES: u32 = 8 * 1024;

/// Most bytes of an update.
pub const MAX_UPDATE_BYTES: u32 = 4 * 1024;

/// Deepest nesting of a mode's types; those of PoA need 4.
const MAX_MODE_DEPTH: u32 = 8;

/// A mode's parameters and state as a holder keeps them.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct StoredMode<'a> {
	/// SCALE of [`SecurityMode::Params`].
	pub params: &'a [u8],
	/// SCALE of [`SecurityMode::State`].
	pub state: &'a [u8],
}

/// A head that follows the last one and that the subtree's mode accepted. [`Verified::by`] is the only way to make one.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Verified {
	head: Head,
	mode: ModeId,
	status: HeadStatus,
	mode_state: Vec<u8>,
	signature_checks: u32,
}

impl Verified {
	/// Checks that `head` follows `context.last` and asks the mode `M`.
	///
	/// Errors: the first [`HeadError`](crate::head::HeadError) if the head does not follow; otherwise the mode's own, and
	/// [`ModeError::BadStatus`] for a mode that calls a fresh head anything but pending or final.
	pub fn by<M: SecurityMode>(
		head: Head,
		context: &ModeContext,
		stored: StoredMode<'_>,
		evidence: &[u8],
	) -> Result<Self, HeadRefusal> {
		head.check_follows(context.genesis, context.subtree, &context.last, context.now)?;
		let (params, state) = decode_stored::<M>(stored)?;
		let evidence = decode_evidence::<M>(evidence)?;
		let accepted = M::verify(&head, context, &params, state, &evidence)?;
		// The others are the holder's to give: it would take a subtree with one of them for new, for closed, or for disputed.
		let fresh = matches!(accepted.status, HeadStatus::Pending { .. } | HeadStatus::Final);
		if !fresh {
			return Err(ModeError::BadStatus.into());
		}
		Ok(Self {
			head,
			mode: ModeId::Native(M::ID),
			status: accepted.status,
			mode_state: encode_state::<M>(&accepted.state)?,
			signature_checks: accepted.signature_checks,
		})
	}

	/// The head.
	pub fn head(&self) -> &Head {
		&self.head
	}

	/// How sure the holder may be of it.
	pub fn status(&self) -> HeadStatus {
		self.status
	}

	/// The mode's state from now on, at most [`MAX_STATE_BYTES`].
	pub fn mode_state(&self) -> &[u8] {
		&self.mode_state
	}

	/// Signatures that were checked.
	pub fn signature_checks(&self) -> u32 {
		self.signature_checks
	}

	/// What the holder's tree says of the subtree from now on.
	pub fn location(&self) -> RemoteLocation {
		RemoteLocation {
			mode: self.mode.clone(),
			epoch: self.head.epoch,
			era: self.head.era,
			seq: self.head.seq,
			status: self.status,
		}
	}
}

/// A mode's state after an update.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Updated {
	/// SCALE of [`SecurityMode::State`], at most [`MAX_STATE_BYTES`].
	pub state: Vec<u8>,
	/// Signatures that were checked.
	pub signature_checks: u32,
}

/// Who authorises an update.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum ChangeBy<'a> {
	/// The subtree's parties, by this evidence (SCALE of [`SecurityMode::Evidence`]).
	Evidence(&'a [u8]),
	/// The subtree's owner. The caller has checked that it is the owner.
	Owner,
}

/// Checks parameters and gives the first state, encoded.
pub fn start<M: SecurityMode>(params: &[u8], context: &ModeContext) -> Result<Vec<u8>, ModeError> {
	encode_state::<M>(&M::start(&decode_params::<M>(params)?, context)?)
}

/// Decides on an update and gives the new state, encoded.
pub fn change<M: SecurityMode>(
	update: &[u8],
	context: &ModeContext,
	stored: StoredMode<'_>,
	by: ChangeBy<'_>,
) -> Result<Updated, ModeError> {
	let (params, state) = decode_stored::<M>(stored)?;
	let update = decode(update, MAX_UPDATE_BYTES).ok_or(ModeError::MalformedUpdate)?;
	let (state, signature_checks) = match by {
		ChangeBy::Evidence(evidence) => {
			let evidence = decode_evidence::<M>(evidence)?;
			let changed = M::update(update, context, &params, state, &evidence)?;
			(changed.state, changed.signature_checks)
		},
		ChangeBy::Owner => (M::replace(update, context, &params, state)?, 0),
	};
	Ok(Updated { state: encode_state::<M>(&state)?, signature_checks })
}

/// Tells the mode that heads are taken again after a time in which all were refused, and gives the new state, encoded.
pub fn resume<M: SecurityMode>(
	context: &ModeContext,
	stored: StoredMode<'_>,
) -> Result<Vec<u8>, ModeError> {
	let (params, state) = decode_stored::<M>(stored)?;
	encode_state::<M>(&M::resume(context, &params, state))
}

/// Whether parameters and state of a subtree can be decoded.
pub fn check_stored<M: SecurityMode>(stored: StoredMode<'_>) -> Result<(), ModeError> {
	decode_stored::<M>(stored).map(drop)
}

/// Reads parameters from untrusted bytes.
pub fn decode_params<M: SecurityMode>(bytes: &[u8]) -> Result<M::Params, ModeError> {
	decode(bytes, MAX_PARAMS_BYTES).ok_or(ModeError::MalformedParams)
}

fn decode_evidence<M: SecurityMode>(bytes: &[u8]) -> Result<M::Evidence, ModeError> {
	decode(bytes, MAX_EVIDENCE_BYTES).ok_or(ModeError::MalformedEvidence)
}

fn decode_stored<M: SecurityMode>(
	stored: StoredMode<'_>,
) -> Result<(M::Params, M::State), ModeError> {
	let state = decode(stored.state, MAX_STATE_BYTES).ok_or(ModeError::MalformedState)?;
	Ok((decode_params::<M>(stored.params)?, state))
}

fn encode_state<M: SecurityMode>(state: &M::State) -> Result<Vec<u8>, ModeError> {
	let bytes = codec::Encode::encode(state);
	let fits = bytes.len() <= MAX_STATE_BYTES as usize;
	fits.then_some(bytes).ok_or(ModeError::MalformedState)
}

fn decode<T: ModeBytes>(bytes: &[u8], max_bytes: u32) -> Option<T> {
	if bytes.len() > max_bytes as usize {
		return None;
	}
	T::decode_all_with_depth_limit(MAX_MODE_DEPTH, &mut &bytes[..]).ok()
}
