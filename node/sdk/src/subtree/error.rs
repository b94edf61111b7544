//! Errors of the `subtree_*` methods.

use crate::global_tree::{BadQuestion, GlobalTreeError};
use dstp_primitives::{call::CallRefusal, proof::ProofError, ObjectId};
use dstp_subtree::{NonceError, ReadError, SubmitError};
use jsonrpsee::types::ErrorObjectOwned;

/// Why a `subtree_*` method gives no answer.
#[derive(Debug, thiserror::Error)]
pub enum SubtreeRpcError {
	/// The hub knows no such subtree.
	#[error("no remote subtree {0} is registered on the hub")]
	NotRegistered(ObjectId),
	/// The node was not told to hold it.
	#[error("this node holds no copy of {0}; ask another, or start a node with --follow")]
	NotHere(ObjectId),
	/// The node was told to hold it, but has not seen it on the hub.
	#[error("subtree {0} is not registered on the hub, as far as this node has synchronised it; try again later")]
	NotYet(ObjectId),
	/// No copy has such an object.
	#[error("no subtree of this node has an object {0}; subtree_status tells which it holds and how far they are")]
	ObjectNotFound(ObjectId),
	/// The subtree takes no calls any more.
	#[error("subtree {0} is closed or removed on the hub; its last head stays readable")]
	Closed(ObjectId),
	/// What the node knows of the hub is from an earlier run.
	#[error(
		"this node has seen no new block of the hub since it started, and subtree {0} may have left it meanwhile; submit again when one \
		 has come, and if none comes check that --offchain-worker is not 'never'"
	)]
	Outdated(ObjectId),
	/// Too many calls wait.
	#[error("{0} calls wait to be executed already; submit this one again in a moment")]
	Busy(usize),
	/// Each subscription may hold memory for a subscriber that does not read.
	#[error(
		"{of} has {most} subscriptions of subtrees already; unsubscribe from one and submit or subscribe again"
	)]
	TooManySubscriptions {
		/// Whose they are.
		of: &'static str,
		/// How many there may be.
		most: u32,
	},
	/// The node goes down.
	#[error(
		"the node stops; submit the call again, here or at another node that serves the subtree"
	)]
	Stopping,
	/// The call is refused.
	#[error(transparent)]
	Submit(#[from] SubmitError),
	/// The bytes are no call.
	#[error(transparent)]
	Call(#[from] CallRefusal),
	/// The copy has no answer.
	#[error(transparent)]
	Read(#[from] ReadError),
	/// The next nonce is not known.
	#[error(transparent)]
	Nonce(#[from] NonceError),
	/// No proof could be made.
	#[error(transparent)]
	Proof(ProofError),
	/// The hub's part failed.
	#[error(transparent)]
	Hub(#[from] GlobalTreeError),
}

impl From<BadQuestion> for SubtreeRpcError {
	fn from(error: BadQuestion) -> Self {
		Self::Hub(error.into())
	}
}

/// First code of this namespace.
const FIRST_CODE: i32 = 9_100;

impl SubtreeRpcError {
	fn code(&self) -> i32 {
		match self {
			Self::Hub(error) => error.code(),
			Self::NotRegistered(_) => FIRST_CODE + 1,
			Self::NotHere(_) | Self::NotYet(_) | Self::Closed(_) => FIRST_CODE + 2,
			Self::Submit(error) if error.is_transient() => FIRST_CODE + 6,
			Self::Submit(SubmitError::OutcomeUnknown(_)) | Self::Nonce(NonceError::Unknown(_)) => {
				FIRST_CODE + 7
			},
			Self::Submit(_) | Self::Call(_) => FIRST_CODE + 3,
			Self::Read(ReadError::Storage(_) | ReadError::Database(_)) => FIRST_CODE + 5,
			Self::ObjectNotFound(_) | Self::Read(_) | Self::Proof(_) => FIRST_CODE + 4,
			Self::Nonce(NonceError::Storage(_)) => FIRST_CODE + 5,
			Self::Busy(_)
			| Self::Stopping
			| Self::Outdated(_)
			| Self::TooManySubscriptions { .. } => FIRST_CODE + 6,
		}
	}
}

impl From<SubtreeRpcError> for ErrorObjectOwned {
	fn from(error: SubtreeRpcError) -> Self {
		Self::owned(error.code(), error.to_string(), None::<()>)
	}
}

#[cfg(test)]
mod tests {
	use super::*;
	use dstp_subtree::StopReason;

	#[test]
	fn what_may_be_submitted_again_has_a_code_of_its_own() {
		let subtree = ObjectId::ROOT;
		for later in [
			SubtreeRpcError::Outdated(subtree),
			SubtreeRpcError::Busy(1),
			SubtreeRpcError::Stopping,
			SubtreeRpcError::TooManySubscriptions { of: "this connection", most: 64 },
			SubmitError::BeingHosted.into(),
			SubmitError::HubBehind(5).into(),
			SubmitError::NotFinal(5).into(),
			SubmitError::Unflushed(1).into(),
		] {
			assert_eq!(later.code(), 9_106, "{later}");
			assert!(later.to_string().contains("submit"), "{later}");
		}
		for never in [SubmitError::NotServing.into(), SubtreeRpcError::Call(CallRefusal::Malformed)]
		{
			assert_eq!(never.code(), 9_103, "{never}");
		}
	}

	#[test]
	fn a_call_that_may_be_on_the_disk_is_not_called_refused() {
		let reason = StopReason::WriteFailed("the disk is full".into());
		let stopped = SubtreeRpcError::from(SubmitError::Stopped(reason.clone()));
		assert_eq!(stopped.code(), 9_103, "{stopped}");
		for unknown in [
			SubtreeRpcError::from(SubmitError::OutcomeUnknown(reason.clone())),
			NonceError::Unknown(reason).into(),
		] {
			assert_eq!(unknown.code(), 9_107, "{unknown}");
			assert!(unknown.to_string().contains("when the node runs again"), "{unknown}");
		}
	}
}
