//! What a security mode is.

use super::ModeError;
use crate::{
	head::{Head, HeadState},
	id::ObjectId,
	object::HeadStatus,
};
use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use sp_core::H256;

/// What a mode's own types have to be: SCALE with a bound.
pub trait ModeBytes: Encode + Decode + DecodeWithMemTracking + MaxEncodedLen {}

impl<T: Encode + Decode + DecodeWithMemTracking + MaxEncodedLen> ModeBytes for T {}

/// Where and when a mode is asked.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ModeContext {
	/// Hash of the hub's block 0.
	pub genesis: H256,
	/// Root object of the subtree.
	pub subtree: ObjectId,
	/// The subtree before what the mode is asked about; carries epoch and era.
	pub last: HeadState,
	/// The hub block that asks.
	pub now: u32,
}

/// A head that a mode accepted.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Accepted<State> {
	/// The mode's state from now on.
	pub state: State,
	/// How sure the holder may be of the head from now on: pending or final.
	pub status: HeadStatus,
	/// Signatures that were checked; at most [`SecurityMode::MAX_SIGNATURE_CHECKS`]. What the submitter's call weighs.
	pub signature_checks: u32,
}

/// A change of its state that a mode allowed.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Changed<State> {
	/// The mode's state from now on.
	pub state: State,
	/// Signatures that were checked; at most [`SecurityMode::MAX_SIGNATURE_CHECKS`].
	pub signature_checks: u32,
}

/// The rule by which heads of a remote subtree are accepted.
///
/// Implementations are pure: the same input gives the same answer, now and when a dispute or a later node repeats it. They never
/// panic, whatever they are given, and they accept a head only on evidence that binds every field of it; the suite in
/// [`conformance`](super::conformance) checks both. Contexts are made by the holder and can be trusted.
pub trait SecurityMode {
	/// The mode's number in [`ModeId::Native`](crate::object::ModeId::Native). Below 1024: modes of this SDK.
	const ID: u32;

	/// A name for people, a few lower-case letters.
	const NAME: &'static str;

	/// Most signature checks in one call of [`Self::verify`] or [`Self::update`], or other work of the same cost.
	const MAX_SIGNATURE_CHECKS: u32;

	/// What is fixed at registration.
	type Params: ModeBytes;

	/// What heads and updates change. Holds what verification needs.
	type State: ModeBytes;

	/// What authorises a head or an update.
	type Evidence: ModeBytes;

	/// A change of the state other than by a head, for example another set of authorities.
	type Update: ModeBytes;

	/// Checks the parameters of a new subtree and gives its first state.
	fn start(params: &Self::Params, context: &ModeContext) -> Result<Self::State, ModeError>;

	/// Decides on a head that follows the last one ([`Head::check_follows`] has passed).
	fn verify(
		head: &Head,
		context: &ModeContext,
		params: &Self::Params,
		state: Self::State,
		evidence: &Self::Evidence,
	) -> Result<Accepted<Self::State>, ModeError>;

	/// Decides on an update that the subtree's own parties authorise by evidence. Anybody may submit it.
	fn update(
		update: Self::Update,
		context: &ModeContext,
		params: &Self::Params,
		state: Self::State,
		evidence: &Self::Evidence,
	) -> Result<Changed<Self::State>, ModeError>;

	/// Decides on an update that the subtree's owner asks for without the evidence of its parties.
	fn replace(
		update: Self::Update,
		context: &ModeContext,
		params: &Self::Params,
		state: Self::State,
	) -> Result<Self::State, ModeError>;

	/// The state from `context.now` on, when the holder takes heads again after a time in which it refused all of them, however good they
	/// were. A mode that draws conclusions from silence counts it anew; others have nothing to do.
	fn resume(_context: &ModeContext, _params: &Self::Params, state: Self::State) -> Self::State {
		state
	}
}
