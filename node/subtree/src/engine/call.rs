//! Calls on their way in, and what comes back.

use crate::identity::SubtreeIdentity;
use codec::{Decode, Encode};
use dstp_primitives::{
	call::{CallRefusal, CallStatus, SignedCall},
	AccountId, StateRoot,
};
use sp_core::H256;

/// Checks calls as far as that needs no state: bytes, context, signature. Cheap to copy, for any number of threads.
#[derive(Clone, Copy, Debug)]
pub struct CallGate {
	identity: SubtreeIdentity,
}

impl CallGate {
	/// A gate for one registration of a subtree.
	pub fn new(identity: SubtreeIdentity) -> Self {
		Self { identity }
	}

	/// Reads a SCALE-encoded signed call from untrusted bytes and checks everything but its nonce, at hub block `hub_number`.
	pub fn check(&self, bytes: &[u8], hub_number: u32) -> Result<CheckedCall, CallRefusal> {
		let call = SignedCall::from_bytes(bytes)?;
		call.check(&self.identity.context(hub_number))?;
		Ok(CheckedCall { call, bytes: bytes.len(), identity: self.identity })
	}
}

/// A call whose signature holds. Only [`CallGate::check`] makes one.
#[derive(Clone, Debug)]
pub struct CheckedCall {
	pub(super) call: SignedCall,
	pub(super) bytes: usize,
	pub(super) identity: SubtreeIdentity,
}

impl CheckedCall {
	/// The call.
	pub fn call(&self) -> &SignedCall {
		&self.call
	}

	/// Bytes of the encoded call.
	pub fn bytes(&self) -> usize {
		self.bytes
	}
}

/// What an acknowledged call became. The call is on the disk.
#[derive(Clone, PartialEq, Eq, Debug, Encode, Decode)]
pub struct Receipt {
	/// Hash of the call without its signature.
	pub call_id: H256,
	/// Who called.
	pub account: AccountId,
	/// The nonce that the call consumed.
	pub nonce: u64,
	/// Position in this node's log.
	pub position: u64,
	/// Number of the head that will commit to the call.
	pub seq: u64,
	/// Index in that head's batch.
	pub index: u32,
	/// When it was executed, in milliseconds since 1970.
	pub time_ms: u64,
	/// The hub block at which it was executed.
	pub hub_number: u32,
	/// Whether it was applied.
	pub status: CallStatus,
	/// Root of the subtree after it.
	pub post_root: StateRoot,
	/// Bytes of distinct trie nodes that its execution read.
	pub witness_bytes: u64,
}
