//! The rules of PoA.

use super::{
	first_set_id, head_payload, rotation_payload, AuthoritySet, Poa, PoaEvidence, PoaParams,
	PoaState, MAX_AUTHORITIES,
};
use crate::{
	head::Head,
	id::AccountId,
	mode::{Accepted, Changed, ModeContext, ModeError, SecurityMode},
	object::HeadStatus,
	signature::Signature,
};

/// How a payload may have been signed.
#[derive(Clone, Copy)]
enum Form {
	/// By a node, as it is.
	Plain,
	/// By a node or by a wallet, which puts `<Bytes>` around it.
	PlainOrWrapped,
}

impl Form {
	fn verify(self, signature: &Signature, message: &[u8], signer: &AccountId) -> bool {
		match self {
			Self::Plain => signature.verify(message, signer),
			Self::PlainOrWrapped => signature.verify_wrapped(message, signer),
		}
	}
}

impl PoaState {
	/// Checks evidence against the current set: cheap facts of all signatures first, then each signature. Gives their number.
	fn check(&self, evidence: &PoaEvidence, payload: &[u8], form: Form) -> Result<u32, ModeError> {
		if evidence.set_id != self.set_id {
			let replaced = evidence.set_id < self.set_id;
			return Err(if replaced { ModeError::RotatedSet } else { ModeError::UnknownSet });
		}
		let signatures = &evidence.signatures;
		if !signatures.windows(2).all(|pair| pair[0].0 < pair[1].0) {
			return Err(ModeError::UnsortedSignatures);
		}
		if signatures.iter().any(|(index, _)| usize::from(*index) >= self.authorities.keys.len()) {
			return Err(ModeError::UnknownSigner);
		}
		if signatures.len() < usize::from(self.authorities.threshold) {
			return Err(ModeError::TooFewSignatures);
		}
		for (index, signature) in signatures {
			let signer = &self.authorities.keys[usize::from(*index)];
			if !form.verify(signature, payload, signer) {
				return Err(ModeError::BadSignature);
			}
		}
		u32::try_from(signatures.len()).map_err(|_| ModeError::Overflow)
	}

	/// Another set takes over.
	fn succeed(self, next: AuthoritySet, now: u32) -> Result<Self, ModeError> {
		next.check()?;
		let set_id = self.set_id.checked_add(1).ok_or(ModeError::Overflow)?;
		Ok(Self { set_id, authorities: next, active_block: now, ..self })
	}
}

impl SecurityMode for Poa {
	const ID: u32 = 1;
	const NAME: &'static str = "poa";
	/// Twice the signatures, because a rotation may be signed in either of two forms.
	const MAX_SIGNATURE_CHECKS: u32 = 2 * MAX_AUTHORITIES;

	type Params = PoaParams;
	type State = PoaState;
	type Evidence = PoaEvidence;
	/// The next set.
	type Update = AuthoritySet;

	fn start(params: &PoaParams, context: &ModeContext) -> Result<PoaState, ModeError> {
		params.authorities.check()?;
		if params.max_silence_blocks.is_some_and(|silence| silence <= params.min_interval_blocks) {
			return Err(ModeError::BadInterval);
		}
		Ok(PoaState {
			set_id: first_set_id(context.last.era),
			authorities: params.authorities.clone(),
			last_head_block: None,
			active_block: context.now,
		})
	}

	fn verify(
		head: &Head,
		context: &ModeContext,
		params: &PoaParams,
		state: PoaState,
		evidence: &PoaEvidence,
	) -> Result<Accepted<PoaState>, ModeError> {
		let earliest = state
			.last_head_block
			.map_or(0, |block| u64::from(block) + u64::from(params.min_interval_blocks));
		if u64::from(context.now) < earliest {
			return Err(ModeError::TooEarly);
		}
		let payload = head_payload(state.set_id, head);
		let signature_checks = state.check(evidence, &payload, Form::Plain)?;
		Ok(Accepted {
			state: PoaState {
				last_head_block: Some(context.now),
				active_block: context.now,
				..state
			},
			status: HeadStatus::Final,
			signature_checks,
		})
	}

	fn update(
		next: AuthoritySet,
		context: &ModeContext,
		_params: &PoaParams,
		state: PoaState,
		evidence: &PoaEvidence,
	) -> Result<Changed<PoaState>, ModeError> {
		let payload = rotation_payload(context, state.set_id, &next);
		let signatures = state.check(evidence, &payload, Form::PlainOrWrapped)?;
		let state = state.succeed(next, context.now)?;
		Ok(Changed { state, signature_checks: 2 * signatures })
	}

	fn replace(
		next: AuthoritySet,
		context: &ModeContext,
		params: &PoaParams,
		state: PoaState,
	) -> Result<PoaState, ModeError> {
		let silence = params.max_silence_blocks.ok_or(ModeError::SilenceNotAgreed)?;
		if context.now.saturating_sub(state.active_block) <= silence {
			return Err(ModeError::NotSilent);
		}
		state.succeed(next, context.now)
	}

	/// Whoever could not commit was not silent.
	fn resume(context: &ModeContext, _params: &PoaParams, state: PoaState) -> PoaState {
		PoaState { active_block: context.now, ..state }
	}
}
