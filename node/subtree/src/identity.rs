//! Which subtree a directory holds.

use codec::{Decode, Encode};
use dstp_primitives::{
	call::CallContext,
	tree::{namespace_root, NewObject},
	ObjectId, Owner, StateRoot,
};
use sp_core::H256;
use sp_crypto_hashing::blake2_256;

/// One registration of one remote subtree on one chain.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Encode, Decode)]
pub struct SubtreeIdentity {
	/// Hash of the hub's block 0.
	pub genesis: H256,
	/// Root object of the subtree.
	pub subtree: ObjectId,
	/// The registration, unique on the hub for ever.
	pub epoch: u64,
}

impl SubtreeIdentity {
	/// What a call has to fit at hub block `hub_number`.
	pub fn context(&self, hub_number: u32) -> CallContext {
		CallContext { genesis: self.genesis, subtree: self.subtree, epoch: self.epoch, hub_number }
	}

	/// blake2-256 of the SCALE encoding; names the subtree in the log's files.
	pub(crate) fn hash(&self) -> H256 {
		H256(blake2_256(&self.encode()))
	}
}

/// The state before the first head of a registration.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Genesis {
	/// Nothing but the root object.
	Empty {
		/// Who registered the subtree.
		owner: Owner,
		/// What its root object is.
		object: NewObject,
	},
	/// A state that the hub held itself before it became remote. It has to be imported before calls are accepted.
	Migrated(StateRoot),
}

impl Genesis {
	/// The root that the hub knows before the first head.
	pub fn root(&self) -> StateRoot {
		match self {
			Self::Empty { owner, object } => namespace_root(owner.clone(), object.clone()),
			Self::Migrated(root) => *root,
		}
	}
}
