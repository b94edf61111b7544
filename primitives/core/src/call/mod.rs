//! Signed calls into a remote subtree and their execution.
//!
//! # Trust model
//!
//! A [`SignedCall`] comes from strangers: its decoding is bounded, and [`SignedCall::check`] binds it to one chain, subtree and
//! registration. [`execute`] is the only way a call changes a subtree; the serving node, every follower and a dispute run it.

mod execute;
#[cfg(test)]
mod tests;
mod types;

pub use execute::{
	execute, next_nonce, ExecuteError, Execution, MAX_REMOVALS_PER_CALL, MAX_WITNESS_BYTES,
};
pub use types::{
	Call, CallContext, CallPayload, CallRefusal, CallStatus, SignedCall, CALL_TAG, MAX_CALL_BYTES,
	MAX_VALIDITY_BLOCKS,
};
