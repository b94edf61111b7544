//! What can go wrong, by who asked.

use crate::{admission::AdmissionRefusal, options::Role};
use dstp_primitives::{
	call::{CallRefusal, CallStatus},
	head::HeadError,
	proof::{ProofError, RangeError},
	tree::{StorageError, TreeError},
	ObjectId, StateRoot,
};
use sp_core::H256;
use std::{io, path::PathBuf};

/// Why an engine does not start.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
	/// A file or folder could not be read or written.
	#[error("cannot {action} {path}: {source}; check the permissions, the free space and the limit of open files")]
	Io {
		/// What was tried.
		action: &'static str,
		/// Where.
		path: PathBuf,
		/// The cause.
		source: io::Error,
	},
	/// Another process has the database open.
	#[error("the database in {0} is in use; stop the other process or choose another folder")]
	InUse(PathBuf),
	/// The database cannot be opened, or what stands first in it cannot be read.
	#[error(
		"the database in {folder} is damaged ({source}); restore it from a copy, which the call log beside it brings up to date, or \
		 move it away: a node that follows copies the state again, and one that serves executes the calls of its log again if \
		 the log still has all of them and the subtree started empty. One that started with content of the hub and has taken \
		 calls needs the copy"
	)]
	Damaged {
		/// Its folder.
		folder: PathBuf,
		/// The cause.
		source: parity_db::Error,
	},
	/// The database cannot be read.
	#[error(
		"the database is not readable: {0}; restore it from a copy and keep the call log beside it. A node that only follows may \
		 remove the folder and synchronise again"
	)]
	Database(#[source] parity_db::Error),
	/// The database holds something that cannot be decoded.
	#[error(
		"the database is damaged: {0}; restore it from a copy and keep the call log beside it. A node that only follows may remove \
		 the folder and synchronise again"
	)]
	Corrupt(&'static str),
	/// The folder holds another subtree, or another registration of it.
	#[error(
		"the folder holds {found}, not {expected}; choose another folder, or move this one away"
	)]
	WrongIdentity {
		/// What the caller wanted.
		expected: String,
		/// What is there.
		found: String,
	},
	/// The log is damaged where no crash can have damaged it.
	#[error(
		"the call log {file} is damaged at byte {offset}: {reason}; restore the file from a copy. Cutting it at this byte \
		 loses acknowledged calls"
	)]
	LogDamaged {
		/// The file.
		file: PathBuf,
		/// Where the damaged record starts.
		offset: u64,
		/// What is wrong with it.
		reason: &'static str,
	},
	/// Calls between the database and the log are missing.
	#[error(
		"the database holds calls up to {database} and the log starts after call {log}; the calls between are missing: \
		 restore the log's files"
	)]
	LogGap {
		/// Last position in the database.
		database: u64,
		/// Position before the log's first.
		log: u64,
	},
	/// The log ends before the database does, or is gone.
	#[error("the log ends at call {log} and the database holds call {database}; the log is an old copy: restore the newest")]
	LogBehind {
		/// Last position in the database.
		database: u64,
		/// Last position in the log.
		log: u64,
	},
	/// A call that was executed again gave another result than the one acknowledged.
	#[error(
		"call {position} of the log now gives root {found:?} instead of {logged:?}; this program executes calls differently, \
		 or the database is damaged: go back to the former version, or restore the database"
	)]
	RootMismatch {
		/// Which call or seal.
		position: u64,
		/// The acknowledged root.
		logged: StateRoot,
		/// The root now.
		found: StateRoot,
	},
	/// A logged call can no longer be executed.
	#[error("call {position} of the log cannot be executed again: {reason}; restore the database")]
	Replay {
		/// Which call or seal.
		position: u64,
		/// Why.
		reason: String,
	},
	/// The folder has served.
	#[error("this folder has served the subtree and cannot follow it; choose another folder to follow in")]
	HasServed,
	/// An option is out of its range.
	#[error("an option is out of range: {0}")]
	Options(&'static str),
}

/// Why an engine takes nothing more.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum StopReason {
	/// A write failed; what is on the disk is unknown until the next start.
	#[error(
		"writing failed ({0}); free or repair the disk and restart: what was acknowledged is safe"
	)]
	WriteFailed(String),
	/// The state cannot be read.
	#[error(
		"the state cannot be read ({0}); restart, and if that does not help restore the database"
	)]
	Unreadable(String),
	/// The hub has another head with a number of ours, or one beyond ours that we should have sealed.
	#[error(
		"the hub accepted head {seq} with hash {hub:?}, this node has {ours:?}: another node serves the same subtree, or this \
		 folder is an old copy; stop one of the two, move the folder of the wrong one away (it may hold calls that are nowhere \
		 else) and let it follow first"
	)]
	Diverged {
		/// Number of the head.
		seq: u64,
		/// Hash at the hub.
		hub: H256,
		/// Hash here; `None`: there is none.
		ours: Option<H256>,
	},
	/// The hub stands before the oldest head that is kept here.
	#[error(
		"the hub stands at head {hub}, and this folder keeps heads from {oldest} on, because those before were final: the hub's chain on \
		 this node was rewound, or is not synchronised; keep the folder, which holds acknowledged calls, and restart when the hub \
		 has head {oldest} again. If it was rewound for good, the calls of the heads before are only in an older copy of the \
		 folder and on nodes that keep more heads"
	)]
	Rewound {
		/// The hub's newest head.
		hub: u64,
		/// The oldest that is kept here.
		oldest: u64,
	},
	/// The subtree was registered anew.
	#[error("the hub knows registration {hub} of this subtree, this folder holds {ours}; start with a new folder")]
	OtherEpoch {
		/// The hub's.
		hub: u64,
		/// Ours.
		ours: u64,
	},
}

/// Why a call got no receipt.
#[derive(Debug, thiserror::Error)]
pub enum SubmitError {
	/// The call does not fit. It can never be executed as it is, except for a nonce that comes too early.
	#[error(transparent)]
	Refused(#[from] CallRefusal),
	/// The call may not enter.
	#[error(transparent)]
	NotAdmitted(#[from] AdmissionRefusal),
	/// This engine follows.
	#[error("this node follows the subtree; submit the call to a node that serves it")]
	NotServing,
	/// The state is not here yet.
	#[error("the state of the subtree is not here yet; submit again when it is synchronised")]
	NotSynced,
	/// Too many calls wait for the next flush.
	#[error("{0} calls wait to be written; submit again in a moment")]
	Unflushed(usize),
	/// The hub takes the content back.
	#[error(
		"the hub takes the content of this subtree back and accepts no heads of it; change the hosted object by transactions when \
		 that is complete, or submit again if its owner cancels it"
	)]
	BeingHosted,
	/// The hub does not keep up.
	#[error("{0} heads wait for the hub; submit again when it has accepted some")]
	HubBehind(u64),
	/// Finality stands.
	#[error(
		"{0} heads are not final on the hub, and all of them are kept until they are; submit again when the hub has finalised some"
	)]
	NotFinal(u64),
	/// The call was executed and not acknowledged: it may be on the disk.
	#[error(
		"the call was executed, and whether it is on the disk is not known ({0}); when the node runs again ask for the account's next \
		 nonce: above that of the call it says that the call is there, else submit the same call again"
	)]
	OutcomeUnknown(StopReason),
	/// The engine takes nothing more.
	#[error("the engine has stopped: {0}")]
	Stopped(#[from] StopReason),
}

impl SubmitError {
	/// Whether the same call may be accepted later.
	pub fn is_transient(&self) -> bool {
		match self {
			Self::NotSynced
			| Self::BeingHosted
			| Self::Unflushed(_)
			| Self::HubBehind(_)
			| Self::NotFinal(_) => true,
			Self::NotAdmitted(refusal) => refusal.is_transient(),
			Self::Refused(_) | Self::NotServing | Self::OutcomeUnknown(_) | Self::Stopped(_) => {
				false
			},
		}
	}
}

/// Why the next nonce of an account is not known.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum NonceError {
	/// Calls were executed of which nobody knows whether they are on the disk.
	#[error("which of the last calls are on the disk is not known ({0}); ask again when the node runs again")]
	Unknown(StopReason),
	/// The state cannot be read.
	#[error(transparent)]
	Storage(StorageError),
}

/// Why the hub's word was not taken in.
#[derive(Debug, thiserror::Error)]
pub enum HubError {
	/// The engine takes nothing more.
	#[error("the engine has stopped: {0}")]
	Stopped(#[from] StopReason),
}

/// Why a batch was not applied. Nothing changed.
#[derive(Debug, thiserror::Error)]
pub enum ApplyError {
	/// This engine serves.
	#[error("this node serves the subtree and takes no batches of others")]
	NotFollowing,
	/// The state is not here yet.
	#[error("an import is under way; apply batches when it is finished")]
	NotSynced,
	/// The head does not follow ours.
	#[error("the head does not follow head {newest} of this node: {source}")]
	Head {
		/// Our newest.
		newest: u64,
		/// Why not.
		source: HeadError,
	},
	/// The entries are not those that the head commits to.
	#[error("the entries are not those that the head commits to")]
	WrongEntries,
	/// A call in the batch does not fit.
	#[error("call {index} of the batch is refused: {source}")]
	Refused {
		/// Which entry.
		index: u32,
		/// Why.
		source: CallRefusal,
	},
	/// Time or hub blocks fall.
	#[error("call {index} of the batch was executed before the one ahead of it")]
	TimeFalls {
		/// Which entry.
		index: u32,
	},
	/// A call gives another result.
	#[error("call {index} of the batch gives {found_status:?} and root {found:?}, the batch says {status:?} and {root:?}")]
	Mismatch {
		/// Which entry.
		index: u32,
		/// Status in the batch.
		status: Box<CallStatus>,
		/// Root in the batch.
		root: StateRoot,
		/// Status here.
		found_status: Box<CallStatus>,
		/// Root here.
		found: StateRoot,
	},
	/// The head's root is not that of its last call.
	#[error("the head names root {root:?}, its last call gives {found:?}")]
	WrongStateRoot {
		/// In the head.
		root: StateRoot,
		/// After the last call.
		found: StateRoot,
	},
	/// The head's range of hub blocks is not that of its calls.
	#[error(
		"the head names hub blocks {first} to {last}, and its first and last call name others"
	)]
	WrongHubBlocks {
		/// The first, in the head.
		first: u32,
		/// The last, in the head.
		last: u32,
	},
	/// An entry claims what today's calls cannot have: gas, or reads from the hub.
	#[error("call {index} of the batch claims gas or hub reads, which its operation cannot have")]
	Superfluous {
		/// Which entry.
		index: u32,
	},
	/// The engine takes nothing more.
	#[error("the engine has stopped: {0}")]
	Stopped(#[from] StopReason),
}

impl ApplyError {
	/// Whether the entries are not what the head commits to, so that the peer who sent them lied. A head that does not hold
	/// although its entries fit is the fault of whoever signed it.
	pub fn is_peer_fault(&self) -> bool {
		matches!(self, Self::WrongEntries)
	}

	/// Whether the head itself is wrong: the authority signed a state that its calls do not give.
	pub fn is_authority_fault(&self) -> bool {
		matches!(
			self,
			Self::Refused { .. }
				| Self::TimeFalls { .. }
				| Self::Mismatch { .. }
				| Self::WrongStateRoot { .. }
				| Self::WrongHubBlocks { .. }
				| Self::Superfluous { .. }
		)
	}
}

/// Why a piece of an imported state was not taken. Nothing changed.
#[derive(Debug, thiserror::Error)]
pub enum ImportError {
	/// No import is under way.
	#[error("no import is under way; begin one first")]
	NotImporting,
	/// This folder holds calls of its own.
	#[error("a folder that has served calls cannot import; choose another folder")]
	HasServed,
	/// The target belongs to another subtree or registration.
	#[error("the head belongs to another chain, subtree or registration")]
	WrongTarget,
	/// Nobody asked for this range (any more).
	#[error("the range is not wanted: it continues object {object} at another key, or the object is complete")]
	NotWanted {
		/// Whose range.
		object: ObjectId,
	},
	/// The range is not proven.
	#[error(transparent)]
	Range(#[from] RangeError),
	/// The object's contents contradict the tree's rules; whoever computed the root is at fault, not the peer.
	#[error("object {object} is proven but not well formed: {reason}")]
	Malformed {
		/// Which object.
		object: ObjectId,
		/// What is wrong.
		reason: &'static str,
	},
	/// Ranges are missing.
	#[error("the import is not complete: {missing} objects are under way or wait")]
	Incomplete {
		/// How many, at least.
		missing: usize,
	},
	/// The engine takes nothing more.
	#[error("the engine has stopped: {0}")]
	Stopped(#[from] StopReason),
}

impl ImportError {
	/// Whether the peer sent what is not so.
	pub fn is_peer_fault(&self) -> bool {
		matches!(self, Self::Range(_))
	}
}

/// Why a read was not answered.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
	/// The head is not here: pruned, or not there yet.
	#[error("head {seq} is not kept here; heads {oldest} to {newest} are")]
	HeadNotKept {
		/// The one asked for.
		seq: u64,
		/// The oldest that is.
		oldest: u64,
		/// The newest that is.
		newest: u64,
	},
	/// The state is not here yet.
	#[error("the state of the subtree is not here yet; read again when it is synchronised")]
	NotSynced,
	/// There is no such object at that head.
	#[error("there is no object {0} at this head")]
	ObjectNotFound(ObjectId),
	/// The question itself is refused.
	#[error(transparent)]
	Refused(TreeError),
	/// The answer does not fit into a proof, or the question is not allowed.
	#[error(transparent)]
	Proof(ProofError),
	/// A range cannot be made.
	#[error(transparent)]
	Range(RangeError),
	/// The store is damaged.
	#[error(
		"the store cannot be read: {0}; restore the database from a copy and keep the call log beside it. A node that only follows \
		 may remove the folder and synchronise again"
	)]
	Storage(StorageError),
	/// The database fails.
	#[error("the database cannot be read: {0}")]
	Database(String),
}

impl From<TreeError> for ReadError {
	fn from(error: TreeError) -> Self {
		match error {
			TreeError::Storage(code) => Self::Storage(code.0),
			refused => Self::Refused(refused),
		}
	}
}

impl From<dstp_primitives::proof::ReadError> for ReadError {
	fn from(error: dstp_primitives::proof::ReadError) -> Self {
		match error {
			dstp_primitives::proof::ReadError::Storage(error) => Self::Storage(error),
			dstp_primitives::proof::ReadError::Refused(error) => Self::Refused(error),
		}
	}
}

impl std::fmt::Display for Role {
	fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
		f.write_str(match self {
			Self::Serve => "serve",
			Self::Follow => "follow",
		})
	}
}
