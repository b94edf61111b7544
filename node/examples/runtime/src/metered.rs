//! A security mode of a team's own: one key signs all heads, but only so many in a period. As with PoA, readers trust the key for
//! everything inside the subtree; the hub checks the signature, the order of heads, and that they are no more than was agreed.

use alloc::vec::Vec;
use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use dstp_primitives::{
	head::Head,
	mode::{Accepted, Changed, ModeContext, ModeError, SecurityMode},
	object::HeadStatus,
	signature::Signature,
	AccountId,
};

/// The mode.
pub struct Metered;

/// The code of [`ModeError::Custom`] for a period of no blocks or without a head.
pub const EMPTY_PERIOD: u8 = 1;

/// What the owner fixes at registration.
#[derive(Clone, PartialEq, Eq, Debug, Encode, Decode, DecodeWithMemTracking, MaxEncodedLen)]
pub struct Params {
	/// Who signs.
	pub key: AccountId,
	/// Heads that are accepted in a period; at least 1.
	pub heads: u32,
	/// A period's length in hub blocks; at least 1.
	pub period_blocks: u32,
}

/// The present period. It starts with the first head after the last period's end.
#[derive(Clone, PartialEq, Eq, Debug, Encode, Decode, DecodeWithMemTracking, MaxEncodedLen)]
pub struct State {
	/// Its first hub block.
	pub start: u32,
	/// Heads accepted in it.
	pub heads: u32,
}

/// What the key signs. The head binds chain, subtree, epoch, era and number; the words in front keep it from meaning anything else.
pub fn head_payload(head: &Head) -> Vec<u8> {
	[b"my-team/metered-head/v1".to_vec(), head.encode()].concat()
}

impl SecurityMode for Metered {
	/// Numbers below 1024 are for modes of the SDK.
	const ID: u32 = 1024;
	const NAME: &'static str = "metered";
	const MAX_SIGNATURE_CHECKS: u32 = 1;

	type Params = Params;
	type State = State;
	type Evidence = Signature;
	type Update = ();

	fn start(params: &Params, context: &ModeContext) -> Result<State, ModeError> {
		// Everybody can sign for the zero key of ed25519.
		if params.key == AccountId::new([0; 32]) {
			return Err(ModeError::NoAuthority);
		}
		if params.heads == 0 || params.period_blocks == 0 {
			return Err(ModeError::Custom(EMPTY_PERIOD));
		}
		Ok(State { start: context.now, heads: 0 })
	}

	fn verify(
		head: &Head,
		context: &ModeContext,
		params: &Params,
		state: State,
		evidence: &Signature,
	) -> Result<Accepted<State>, ModeError> {
		let is_over = context.now.saturating_sub(state.start) >= params.period_blocks;
		let period = if is_over { State { start: context.now, heads: 0 } } else { state };
		if period.heads >= params.heads {
			return Err(ModeError::TooEarly); // Of all refusals this one lets the off-chain worker wait.
		}
		if !evidence.verify(&head_payload(head), &params.key) {
			return Err(ModeError::BadSignature);
		}
		let state = State { heads: period.heads.saturating_add(1), ..period };
		Ok(Accepted { state, status: HeadStatus::Final, signature_checks: 1 })
	}

	fn update(
		_: (),
		_: &ModeContext,
		_: &Params,
		_: State,
		_: &Signature,
	) -> Result<Changed<State>, ModeError> {
		Err(ModeError::NotSupported)
	}

	fn replace(_: (), _: &ModeContext, _: &Params, _: State) -> Result<State, ModeError> {
		Err(ModeError::NotSupported)
	}
}
