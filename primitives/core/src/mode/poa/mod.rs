//! Proof of authority: named keys vouch for each head.
//!
//! A set of 1 to 16 keys with a threshold k: a head is accepted if k of them signed it, and is final at once. The hub cannot
//! undo it and accepts no dispute.
//!
//! # Trust model
//!
//! Readers trust k authorities for everything inside the subtree: that calls were executed by the rules, that the batch can be
//! read, that state is not thrown away. The hub checks the signatures and the order of heads, nothing of their content. So k dishonest
//! authorities can write any state into their subtree, but not outside of it, and not in another order or a second time; n - k + 1
//! silent ones stop the subtree, for at most the agreed silence, after which the owner may name another set. Whoever trusts a
//! subtree where a silence is agreed therefore trusts the owner too: after that many hub blocks without a sign of life, also when the
//! hub's blocks were full, the owner alone decides who signs. With nothing to commit, a rotation to the same keys is a sign of life.
//! Blocks in which the hub took no heads of the subtree because the owner was taking its state back do not count: the silence begins
//! anew when that is cancelled.

#[cfg(all(test, feature = "runtime"))]
mod tests;
mod types;
#[cfg(feature = "runtime")]
mod verify;

pub use types::{
	first_set_id, head_payload, rotation_payload, AuthoritySet, Poa, PoaEvidence, PoaParams,
	PoaState, HEAD_TAG, MAX_AUTHORITIES, ROTATION_TAG,
};
