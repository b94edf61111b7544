//! The execution of one call.

use super::{Call, CallPayload, CallRefusal, CallStatus};
use crate::{
	id::{AccountId, StateRoot},
	object::{account_key, decode_value, encode_value, tag, KeyLayout},
	tree::{Actor, NewObject, ObjectTree, Storage, StorageError, TreeError},
	trie::{NodeStore, Recording, TrieStorage},
};
use core::fmt;

/// Bytes of distinct trie nodes after which a call fails.
///
/// The witness of a call that fails so is larger by one lookup (the nodes on the way to a key of 81 bytes, about 92 kB at
/// worst, and its value) and by the reads that count the nonce. So it stays below a quarter of a block of 5 MiB, and a dispute
/// carries it in one extrinsic.
pub const MAX_WITNESS_BYTES: u64 = 1024 * 1024;

/// Most fields and objects that one recursive removal removes.
pub const MAX_REMOVALS_PER_CALL: u32 = 256;

/// What an execution did.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Execution {
	/// Whether the call was applied.
	pub status: CallStatus,
	/// Root of the subtree after it.
	pub post_root: StateRoot,
	/// Bytes of distinct nodes read.
	pub witness_bytes: u64,
}

/// Why a call was not executed. Nothing changed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum ExecuteError {
	/// The call does not fit the state, and enters no batch.
	Refused(CallRefusal),
	/// The storage lacks a node or is damaged.
	Storage(StorageError),
}

impl fmt::Display for ExecuteError {
	fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
		match self {
			Self::Refused(refusal) => fmt::Display::fmt(refusal, f),
			Self::Storage(error) => fmt::Display::fmt(error, f),
		}
	}
}

impl core::error::Error for ExecuteError {}

impl From<StorageError> for ExecuteError {
	fn from(error: StorageError) -> Self {
		Self::Storage(error)
	}
}

/// The nonce that an account's next call into this subtree has to carry.
pub fn next_nonce<S: Storage>(
	tree: &ObjectTree<S>,
	account: &AccountId,
) -> Result<u64, StorageError> {
	let Some(key) = nonce_key(tree, account)? else { return Ok(0) };
	let bytes = tree.storage().get(&tree.namespace(), &key)?;
	bytes.map_or(Ok(0), |bytes| decode_value(tag::NONCE, &bytes).map_err(|_| StorageError::Corrupt))
}

fn nonce_key<S: Storage>(
	tree: &ObjectTree<S>,
	account: &AccountId,
) -> Result<Option<alloc::vec::Vec<u8>>, StorageError> {
	let layout = layout_of_root(tree)?;
	Ok(layout.map(|layout| account_key(layout, account)))
}

fn layout_of_root<S: Storage>(tree: &ObjectTree<S>) -> Result<Option<KeyLayout>, StorageError> {
	match tree.meta(&tree.namespace()) {
		Ok(meta) => Ok(meta.map(|meta| meta.flags.key_layout())),
		Err(TreeError::Storage(error)) => Err(error.0),
		Err(_) => Err(StorageError::Corrupt),
	}
}

/// Executes a call whose context and signature were checked.
///
/// On success the tree stands on `post_root` and the recording holds the witness of this call, which is counted even if
/// `recording` is [`Recording::Off`]: its limit is part of the result. A call that fails consumes its nonce and changes nothing
/// else; one whose witness is too large fails as soon as that shows.
pub fn execute<N: NodeStore>(
	tree: &mut ObjectTree<TrieStorage<N>>,
	payload: &CallPayload,
	recording: Recording,
) -> Result<Execution, ExecuteError> {
	tree.storage_mut().forget_surplus();
	tree.storage_mut().record(match recording {
		Recording::Off => Recording::counting(),
		recording => recording,
	});
	let result = execute_recorded(tree, payload);
	match result {
		Ok(_) => tree.storage_mut().accept(),
		Err(_) => tree.storage_mut().discard(),
	}
	result
}

fn execute_recorded<N: NodeStore>(
	tree: &mut ObjectTree<TrieStorage<N>>,
	payload: &CallPayload,
) -> Result<Execution, ExecuteError> {
	let expected = next_nonce(tree, &payload.signer)?;
	if payload.nonce != expected {
		return Err(ExecuteError::Refused(CallRefusal::WrongNonce { expected }));
	}
	tree.storage_mut().limit_reads(MAX_WITNESS_BYTES);
	let result = attempt(tree, payload);
	tree.storage_mut().limit_reads(u64::MAX);
	let failure = match result {
		Ok(()) => None,
		Err(TreeError::Storage(error)) if error.0 == StorageError::ReadLimit => {
			Some(TreeError::WitnessTooLarge)
		},
		Err(TreeError::Storage(error)) => return Err(error.0.into()),
		Err(failure) => Some(failure),
	};
	if failure.is_some() {
		tree.storage_mut().discard();
		write_nonce(tree, payload)?;
		commit(tree)?;
	}
	let status = failure.map_or(CallStatus::Applied, CallStatus::Failed);
	let (_, witness_bytes) = tree.storage().recorded();
	Ok(Execution { status, post_root: tree.storage().namespace_root(), witness_bytes })
}

/// Applies the operation and the nonce, and computes roots, because that reads nodes too.
fn attempt<N: NodeStore>(
	tree: &mut ObjectTree<TrieStorage<N>>,
	payload: &CallPayload,
) -> Result<(), TreeError> {
	dispatch(tree, payload)?;
	write_nonce(tree, payload)?;
	tree.commit_roots().map(drop)
}

fn commit<N: NodeStore>(tree: &mut ObjectTree<TrieStorage<N>>) -> Result<(), ExecuteError> {
	match tree.commit_roots() {
		Ok(_) => Ok(()),
		Err(TreeError::Storage(error)) => Err(error.0.into()),
		Err(_) => Err(StorageError::Corrupt.into()),
	}
}

fn write_nonce<N: NodeStore>(
	tree: &mut ObjectTree<TrieStorage<N>>,
	payload: &CallPayload,
) -> Result<(), StorageError> {
	let key = nonce_key(tree, &payload.signer)?.ok_or(StorageError::Corrupt)?;
	let next = payload.nonce.checked_add(1).ok_or(StorageError::Corrupt)?;
	let root = tree.namespace();
	tree.storage_mut().mark_dirty(&root)?;
	tree.storage_mut().put(&root, &key, encode_value(tag::NONCE, &next))
}

fn dispatch<N: NodeStore>(
	tree: &mut ObjectTree<TrieStorage<N>>,
	payload: &CallPayload,
) -> Result<(), TreeError> {
	let actor = Actor::Account(payload.signer.clone());
	match &payload.call {
		Call::Create { parent, key, object_type, flags } => {
			let parent = tree.resolve(parent)?;
			let new = NewObject { object_type: object_type.clone(), flags: *flags };
			tree.create(&actor, &parent, key, new).map(drop)
		},
		Call::SetFields { object, fields } => {
			let object = tree.resolve(object)?;
			tree.set_fields(&actor, &object, fields).map(drop)
		},
		Call::RemoveFields { object, keys } => {
			let object = tree.resolve(object)?;
			tree.remove_fields(&actor, &object, keys).map(drop)
		},
		Call::Transfer { object, to } => {
			let object = tree.resolve(object)?;
			tree.transfer(&actor, &object, to)
		},
		Call::Share { object } => {
			let object = tree.resolve(object)?;
			tree.share(&actor, &object)
		},
		Call::Freeze { object } => {
			let object = tree.resolve(object)?;
			tree.freeze(&actor, &object)
		},
		Call::Remove { object } => {
			let object = tree.resolve(object)?;
			tree.remove(&actor, &object)
		},
		Call::RemoveRecursive { object } => {
			let object = tree.resolve(object)?;
			let progress = tree.remove_recursive(&actor, &object, MAX_REMOVALS_PER_CALL)?;
			progress.stopped.map_or(Ok(()), |(_, refusal)| Err(refusal))
		},
	}
}
