//! Why a verb fails.

use super::HostError;
use dstp_primitives::{proof::ProofError, ObjectId, Path, PathError};
use dstp_rpc_types::header::HeaderError;

/// Why a verb did not do what it was called for. The text says what to do about it.
#[derive(Debug, thiserror::Error)]
pub enum VerbError {
	/// `--url` is no address of a node.
	#[error("'{0}' is no address of a node's RPC server; write it like ws://127.0.0.1:9944 (TLS is not built in: use a tunnel for wss://)")]
	BadUrl(String),
	/// Nothing answers there.
	#[error("no node answers at {url} ({reason}); start one, or name another with --url")]
	Unreachable {
		/// Where.
		url: String,
		/// What the connection said.
		reason: String,
	},
	/// The connection ended or the node did not answer in time.
	#[error("the node at {url} stopped answering ({reason}); look at its log and try again")]
	Disconnected {
		/// Where.
		url: String,
		/// What the connection said.
		reason: String,
	},
	/// Something answers, but it is no DSTP node.
	#[error("the node at {url} has no RPC method {method}: name a DSTP node with --url, one that allows the method")]
	NoMethod {
		/// Where.
		url: String,
		/// Which method.
		method: &'static str,
	},
	/// The node refused; it says why.
	#[error("{message}")]
	Refused {
		/// Code of the answer.
		code: i32,
		/// The node's sentence.
		message: String,
	},
	/// The node's answer is not what the method gives.
	#[error("the node's answer to {method} is not understood ({reason}): its version differs from this program's; use the program that the node runs")]
	BadAnswer {
		/// Which method.
		method: &'static str,
		/// What is wrong with it.
		reason: String,
	},
	/// The chain is not that of this program's runtime.
	#[error("the chain at {url} runs {found}, and this program makes transactions for {expected}: use the program that the chain's nodes run")]
	WrongChain {
		/// Where.
		url: String,
		/// What runs there.
		found: String,
		/// What was expected.
		expected: String,
	},
	/// A path is none.
	#[error(transparent)]
	Path(#[from] PathError),
	/// No secret was given.
	#[error("no key to sign with: give --suri, or set the environment variable DSTP_SURI ({0})")]
	NoKey(String),
	/// The secret is none.
	#[error("the secret is not a phrase, a seed or a derivation such as //Alice: {0}")]
	BadKey(String),
	/// The parameters of the mode are refused.
	#[error("{0}")]
	BadParameters(String),
	/// The root of the tree cannot be a subtree.
	#[error("the root of the tree is the hub's own; name an object below it")]
	Root,
	/// Something stands there already.
	#[error("the hub hosts an object at {0} already; choose another path, remove it first, or make it remote with its content by --hosted")]
	Exists(Path),
	/// A subtree stands there already.
	#[error("a remote subtree is registered at {path} already, with epoch {epoch}; 'subtree status {path}' shows it")]
	Registered {
		/// Where.
		path: Path,
		/// Number of the registration.
		epoch: u64,
	},
	/// The hub decides nothing there.
	#[error("{path} lies inside the remote subtree {subtree}: create objects there with 'subtree call create {path}'")]
	InsideSubtree {
		/// Where.
		path: Path,
		/// The subtree's path.
		subtree: Path,
	},
	/// An object above is missing.
	#[error("there is no object {0} to register below; create it first, or add --parents")]
	NoParent(Path),
	/// The signer may not create there.
	#[error("only its owner ({owner}) may create objects below {path}, and the signer is {signer}: sign with the owner's key, or choose another path")]
	NotOwner {
		/// The object above.
		path: Path,
		/// Who owns it.
		owner: String,
		/// Who signs.
		signer: String,
	},
	/// There is no subtree to call.
	#[error("no remote subtree is registered at {0} or above; create one with 'subtree create'")]
	NotRegistered(Path),
	/// The hub holds the object itself.
	#[error("the hub itself hosts {0}: calls change remote subtrees, and a hosted object is changed by transactions of the pallet ObjectTree")]
	Hosted(Path),
	/// There is no object.
	#[error("there is no object at {0}")]
	Absent(Path),
	/// There is no such object.
	#[error("there is no subtree with the id {0} on the hub; check the path or the id")]
	UnknownSubtree(ObjectId),
	/// The transaction did not do what it should.
	#[error("the hub put the transaction {hash} into block {block}, where it failed: {reason}")]
	TransactionFailed {
		/// Hash of the transaction.
		hash: String,
		/// Hash of the block.
		block: String,
		/// The error of the runtime.
		reason: String,
	},
	/// The transaction left the pool.
	#[error("the node dropped the transaction ({0}); check the account's balance and nonce, and try again")]
	TransactionDropped(String),
	/// The hub took longer than the verb waits.
	#[error("the transaction {hash} is not {wanted} after {seconds} s, but may still get that far: look with 'subtree status', or wait longer with --timeout")]
	Late {
		/// Hash of the transaction.
		hash: String,
		/// What was waited for.
		wanted: &'static str,
		/// How long it was waited.
		seconds: u64,
	},
	/// The call was executed and refused.
	#[error("the call failed and changed nothing but the nonce: {0}")]
	CallFailed(String),
	/// The call was executed, and nobody knows yet whether it stays.
	#[error("the call was executed and is on the node's disk, but it is not final ({0}); look with 'subtree status', or wait longer with --timeout")]
	CallNotFinal(String),
	/// A proof does not hold.
	#[error("the proof does not hold: {0}")]
	Proof(#[from] ProofError),
	/// A header is none.
	#[error("the header is not understood: {0}")]
	Header(#[from] HeaderError),
	/// A file is not a proof file, or says things that do not fit each other.
	#[error("{0}")]
	ProofFile(String),
	/// A subtree is not taken back.
	#[error(transparent)]
	Host(#[from] HostError),
	/// A file cannot be read or written.
	#[error("{path}: {source}")]
	File {
		/// Which.
		path: String,
		/// Why.
		source: std::io::Error,
	},
}
