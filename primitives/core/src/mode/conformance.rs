//! What every security mode has to do, as a test suite.
//!
//! ```ignore
//! #[test]
//! fn my_mode_conforms() {
//!     dstp_primitives::mode::conformance::check(&MyFixture);
//! }
//! ```
//!
//! [`check`] panics with the violated rule. It knows nothing of a mode but what a [`Fixture`] tells it.

use super::{
	change, resume, start, ChangeBy, HeadRefusal, ModeContext, ModeError, ModeInfo, SecurityMode,
	StoredMode, Verified,
};
use crate::{
	head::{Head, HeadState, HEAD_VERSION},
	id::ObjectId,
	object::ModeId,
};
use alloc::vec::Vec;
use codec::{DecodeAll, Encode};
use sp_core::H256;

/// An update of a mode and its evidence.
pub type UpdateOf<M> = (<M as SecurityMode>::Update, <M as SecurityMode>::Evidence);

/// An honest party of a mode.
pub trait Fixture {
	/// The mode.
	type Mode: SecurityMode;

	/// Valid parameters.
	fn params(&self) -> <Self::Mode as SecurityMode>::Params;

	/// Honest evidence for `head` in the present `state`, also after [`Self::update`].
	fn evidence(
		&self,
		head: &Head,
		context: &ModeContext,
		state: &<Self::Mode as SecurityMode>::State,
	) -> <Self::Mode as SecurityMode>::Evidence;

	/// An update that changes the state, and honest evidence for it; `None` if the mode has none.
	fn update(
		&self,
		context: &ModeContext,
		state: &<Self::Mode as SecurityMode>::State,
	) -> Option<UpdateOf<Self::Mode>>;

	/// What the subtree's owner may put in place of the present `state` without the parties' evidence, and after how many hub blocks
	/// without a sign of life; `None` if the mode never lets the owner do that.
	fn replacement(
		&self,
		_context: &ModeContext,
		_state: &<Self::Mode as SecurityMode>::State,
	) -> Option<(<Self::Mode as SecurityMode>::Update, u32)> {
		None
	}

	/// Hub blocks that the mode wants between two heads.
	fn interval_blocks(&self) -> u32 {
		1
	}
}

/// Runs all checks. Panics at the first rule that the mode violates.
pub fn check<F: Fixture>(fixture: &F) {
	let info = ModeInfo::of::<F::Mode>();
	assert!(
		info.fits,
		"the largest parameters, states, evidence and updates stay within the limits"
	);
	assert!(!info.name.is_empty() && info.name.len() <= 32, "a mode has a short name");
	honest_heads_are_accepted(fixture);
	evidence_binds_every_field(fixture);
	evidence_is_for_one_head(fixture);
	damaged_bytes_are_refused(fixture);
	updates_are_for_one_state(fixture);
	owners_replace_only_what_is_silent(fixture);
}

/// A holder of one subtree, without a tree.
struct Holder {
	context: ModeContext,
	params: Vec<u8>,
	state: Vec<u8>,
}

impl Holder {
	fn new<F: Fixture>(fixture: &F) -> Self {
		let last = HeadState {
			epoch: 7,
			era: 0,
			seq: 0,
			hash: H256::zero(),
			state_root: H256([1; 32]),
			hub_last: 100,
		};
		let context =
			ModeContext { genesis: H256([9; 32]), subtree: ObjectId([5; 32]), last, now: 100 };
		let params = fixture.params().encode();
		let state = start::<F::Mode>(&params, &context).expect("valid parameters are accepted");
		Self { context, params, state }
	}

	fn stored(&self) -> StoredMode<'_> {
		StoredMode { params: &self.params, state: &self.state }
	}

	fn next_head(&self, mark: u8) -> Head {
		let last = &self.context.last;
		Head {
			version: HEAD_VERSION,
			genesis: self.context.genesis,
			subtree: self.context.subtree,
			epoch: last.epoch,
			era: last.era,
			seq: last.seq + 1,
			prev: last.hash,
			pre_root: last.state_root,
			state_root: H256([mark; 32]),
			batch_root: H256([mark ^ 0xff; 32]),
			batch_len: 2,
			batch_bytes: 400,
			hub_first: last.hub_last,
			hub_last: self.context.now,
		}
	}

	fn evidence<F: Fixture>(&self, fixture: &F, head: &Head) -> Vec<u8> {
		fixture.evidence(head, &self.context, &self.decoded_state::<F>()).encode()
	}

	fn decoded_state<F: Fixture>(&self) -> <F::Mode as SecurityMode>::State {
		let state = <F::Mode as SecurityMode>::State::decode_all(&mut &self.state[..]);
		state.expect("a state can be decoded")
	}

	fn verify<F: Fixture>(&self, head: &Head, evidence: &[u8]) -> Result<Verified, HeadRefusal> {
		Verified::by::<F::Mode>(head.clone(), &self.context, self.stored(), evidence)
	}

	/// Asks the mode alone, as if the head followed.
	fn ask<F: Fixture>(&self, head: &Head, evidence: &[u8]) -> Result<(), ModeError> {
		let params =
			super::decode_params::<F::Mode>(&self.params).expect("valid parameters decode");
		let evidence = <F::Mode as SecurityMode>::Evidence::decode_all(&mut &evidence[..])
			.expect("honest evidence decodes");
		F::Mode::verify(head, &self.context, &params, self.decoded_state::<F>(), &evidence)
			.map(drop)
	}

	fn accept(&mut self, verified: &Verified, interval_blocks: u32) {
		self.context.last = verified.head().next_state();
		self.state = verified.mode_state().to_vec();
		self.context.now += interval_blocks;
	}
}

fn honest_heads_are_accepted<F: Fixture>(fixture: &F) {
	let mut holder = Holder::new(fixture);
	for mark in 1..=5 {
		let head = holder.next_head(mark);
		let evidence = holder.evidence(fixture, &head);
		let verified = holder.verify::<F>(&head, &evidence).expect("an honest head is accepted");
		assert_eq!(Ok(&verified), holder.verify::<F>(&head, &evidence).as_ref(), "answers repeat");
		assert_eq!(verified.head(), &head, "what is applied is the head that was asked about");
		let location = verified.location();
		assert_eq!(location.mode, ModeId::Native(F::Mode::ID));
		assert_eq!((location.epoch, location.era, location.seq), (head.epoch, head.era, head.seq));
		assert!(
			verified.signature_checks() <= F::Mode::MAX_SIGNATURE_CHECKS,
			"no more signatures are checked than declared"
		);
		holder.accept(&verified, fixture.interval_blocks());
		assert_eq!(holder.decoded_state::<F>().encode(), holder.state, "a state has one encoding");
	}
}

fn evidence_binds_every_field<F: Fixture>(fixture: &F) {
	let holder = Holder::new(fixture);
	let head = holder.next_head(1);
	let evidence = holder.evidence(fixture, &head);
	assert_eq!(holder.ask::<F>(&head, &evidence), Ok(()), "the honest head itself is accepted");
	let bytes = head.encode();
	for position in 0..bytes.len() {
		let mut changed = bytes.clone();
		changed[position] ^= 1;
		let other = Head::decode_all(&mut &changed[..]).expect("a head has fixed-size fields only");
		let answer = holder.ask::<F>(&other, &evidence);
		assert!(answer.is_err(), "evidence binds byte {position} of the head");
	}
}

fn evidence_is_for_one_head<F: Fixture>(fixture: &F) {
	let mut holder = Holder::new(fixture);
	let first = holder.next_head(1);
	let fork = holder.next_head(2);
	let evidence = holder.evidence(fixture, &first);
	assert!(
		holder.verify::<F>(&fork, &evidence).is_err(),
		"evidence is not for a fork of the head"
	);
	let verified = holder.verify::<F>(&first, &evidence).expect("an honest head is accepted");
	holder.accept(&verified, fixture.interval_blocks());
	assert!(holder.verify::<F>(&first, &evidence).is_err(), "a head is accepted once");
	let second = holder.next_head(3);
	assert!(holder.verify::<F>(&second, &evidence).is_err(), "evidence is not for a later head");
}

fn damaged_bytes_are_refused<F: Fixture>(fixture: &F) {
	let holder = Holder::new(fixture);
	let head = holder.next_head(1);
	let evidence = holder.evidence(fixture, &head);
	let malformed_evidence = Err(HeadRefusal::Mode(ModeError::MalformedEvidence));
	for bytes in cut_or_extended(&evidence) {
		assert_eq!(holder.verify::<F>(&head, &bytes), malformed_evidence, "evidence is read whole");
	}
	for bytes in flipped(&evidence) {
		if let Ok(verified) = holder.verify::<F>(&head, &bytes) {
			assert_eq!(verified.head(), &head);
		}
	}
	for params in cut_or_extended(&holder.params) {
		let answer = start::<F::Mode>(&params, &holder.context);
		assert_eq!(answer, Err(ModeError::MalformedParams), "parameters are read whole");
	}
	for params in flipped(&holder.params) {
		if let Ok(state) = start::<F::Mode>(&params, &holder.context) {
			let stored = StoredMode { params: &params, state: &state };
			let _ = Verified::by::<F::Mode>(head.clone(), &holder.context, stored, &evidence);
		}
	}
	for state in cut_or_extended(&holder.state).chain(flipped(&holder.state)) {
		let stored = StoredMode { params: &holder.params, state: &state };
		let _ = Verified::by::<F::Mode>(head.clone(), &holder.context, stored, &evidence);
	}
}

fn updates_are_for_one_state<F: Fixture>(fixture: &F) {
	let mut holder = Holder::new(fixture);
	let head = holder.next_head(1);
	let old_evidence = holder.evidence(fixture, &head);
	let Some((update, evidence)) = fixture.update(&holder.context, &holder.decoded_state::<F>())
	else {
		return;
	};
	let (update, evidence) = (update.encode(), evidence.encode());
	let ask = |holder: &Holder, update: &[u8], evidence: &[u8]| {
		change::<F::Mode>(update, &holder.context, holder.stored(), ChangeBy::Evidence(evidence))
	};
	for bytes in cut_or_extended(&update) {
		assert_eq!(ask(&holder, &bytes, &evidence), Err(ModeError::MalformedUpdate));
	}
	for bytes in cut_or_extended(&evidence) {
		assert_eq!(ask(&holder, &update, &bytes), Err(ModeError::MalformedEvidence));
	}
	for bytes in flipped(&update) {
		assert!(ask(&holder, &bytes, &evidence).is_err(), "evidence binds the whole update");
	}
	assert!(ask(&holder, &update, &old_evidence).is_err(), "a head's evidence is not an update's");
	assert!(holder.verify::<F>(&head, &evidence).is_err(), "an update's evidence is not a head's");
	let mut elsewhere = holder.context.clone();
	elsewhere.genesis.0[0] ^= 1;
	let stored = holder.stored();
	for context in [
		elsewhere,
		ModeContext { subtree: ObjectId([6; 32]), ..holder.context.clone() },
		ModeContext {
			last: HeadState { epoch: 8, ..holder.context.last.clone() },
			..holder.context.clone()
		},
	] {
		let answer = change::<F::Mode>(&update, &context, stored, ChangeBy::Evidence(&evidence));
		assert!(answer.is_err(), "an update binds {context:?}");
	}
	let updated = ask(&holder, &update, &evidence).expect("an honest update is accepted");
	assert!(updated.signature_checks <= F::Mode::MAX_SIGNATURE_CHECKS);
	assert_ne!(updated.state, holder.state, "an update changes the state");
	holder.state = updated.state;
	assert!(ask(&holder, &update, &evidence).is_err(), "an update is accepted once");
	assert!(
		holder.verify::<F>(&head, &old_evidence).is_err(),
		"evidence of the old state is refused"
	);
	let evidence = holder.evidence(fixture, &head);
	holder.verify::<F>(&head, &evidence).expect("an honest head is accepted after an update");
}

fn owners_replace_only_what_is_silent<F: Fixture>(fixture: &F) {
	let mut holder = Holder::new(fixture);
	let ask = |holder: &Holder, update: &[u8]| {
		change::<F::Mode>(update, &holder.context, holder.stored(), ChangeBy::Owner)
	};
	let Some((update, silence)) =
		fixture.replacement(&holder.context, &holder.decoded_state::<F>())
	else {
		holder.context.now = u32::MAX;
		if let Some((update, _)) = fixture.update(&holder.context, &holder.decoded_state::<F>()) {
			assert!(ask(&holder, &update.encode()).is_err(), "an owner replaces nothing");
		}
		return;
	};
	let update = update.encode();
	let wait = |holder: &mut Holder| holder.context.now += silence;
	wait(&mut holder);
	for bytes in cut_or_extended(&update) {
		assert_eq!(ask(&holder, &bytes), Err(ModeError::MalformedUpdate));
	}
	for bytes in flipped(&update) {
		let _ = ask(&holder, &bytes);
	}
	ask(&holder, &update).expect("whoever was silent for long enough is replaced");
	let head = holder.next_head(1);
	let evidence = holder.evidence(fixture, &head);
	let verified = holder.verify::<F>(&head, &evidence).expect("an honest head is accepted");
	holder.accept(&verified, fixture.interval_blocks());
	assert!(ask(&holder, &update).is_err(), "a head is a sign of life");
	wait(&mut holder);
	holder.state = resume::<F::Mode>(&holder.context, holder.stored()).expect("a state goes on");
	assert!(ask(&holder, &update).is_err(), "whoever could not commit was not silent");
	let head = holder.next_head(2);
	let evidence = holder.evidence(fixture, &head);
	assert!(holder.verify::<F>(&head, &evidence).is_ok(), "the same parties go on after a break");
	wait(&mut holder);
	let updated = ask(&holder, &update).expect("whoever was silent for long enough is replaced");
	assert_eq!(updated.signature_checks, 0, "an owner gives no evidence");
	assert_ne!(updated.state, holder.state, "a replacement changes the state");
	holder.state = updated.state;
	assert!(
		holder.verify::<F>(&head, &evidence).is_err(),
		"evidence of the parties before is refused"
	);
	assert!(ask(&holder, &update).is_err(), "new parties have their time");
}

/// All proper prefixes, and one byte too many.
fn cut_or_extended(bytes: &[u8]) -> impl Iterator<Item = Vec<u8>> + '_ {
	(0..bytes.len()).map(|end| bytes[..end].to_vec()).chain([[bytes, &[0]].concat()])
}

/// One bit of each byte turned.
fn flipped(bytes: &[u8]) -> impl Iterator<Item = Vec<u8>> + '_ {
	(0..bytes.len()).map(|position| {
		let mut changed = bytes.to_vec();
		changed[position] ^= 1 << (position % 8);
		changed
	})
}
