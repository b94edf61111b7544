//! Errors of the `dstp_*` methods.

use dstp_primitives::{api::QueryError, proof::ProofError, ObjectId};
use dstp_rpc_types::tree::BadQuestion;
use jsonrpsee::types::{error::INVALID_PARAMS_CODE, ErrorObjectOwned};

/// Why a `dstp_*` method gives no answer.
#[derive(Debug, thiserror::Error)]
pub enum GlobalTreeError {
	/// The node lacks the block or its state.
	#[error("the state of block {0} is not here: it is unknown or pruned; leave 'at' out, or ask an archive node")]
	UnknownBlock(String),
	/// There is no such object on the hub.
	#[error("the hub hosts no object {0}; dstp_resolve tells whether it exists elsewhere")]
	ObjectNotFound(ObjectId),
	/// The state is on other nodes.
	#[error(
		"the state of {0} is remote; ask a node that serves or follows it with subtree_* methods"
	)]
	Remote(ObjectId),
	/// The question does not make sense.
	#[error(transparent)]
	BadQuestion(#[from] BadQuestion),
	/// The runtime refused.
	#[error(transparent)]
	Query(QueryError),
	/// No proof could be made, or it does not hold.
	#[error(transparent)]
	Proof(ProofError),
	/// The call into the runtime failed.
	#[error("the runtime did not answer: {0}")]
	Runtime(#[from] sp_api::ApiError),
	/// The database failed.
	#[error("the node's database did not answer: {0}")]
	Database(#[from] sp_blockchain::Error),
}

/// First code of this namespace, outside those of JSON-RPC and of Substrate's own methods.
const FIRST_CODE: i32 = 9_000;

impl GlobalTreeError {
	pub(crate) fn code(&self) -> i32 {
		match self {
			Self::UnknownBlock(_) => FIRST_CODE + 1,
			Self::ObjectNotFound(_) => FIRST_CODE + 2,
			Self::Remote(_) => FIRST_CODE + 3,
			Self::BadQuestion(_) => INVALID_PARAMS_CODE,
			Self::Query(_) => FIRST_CODE + 4,
			Self::Proof(_) => FIRST_CODE + 5,
			Self::Runtime(_) | Self::Database(_) => FIRST_CODE + 6,
		}
	}
}

impl From<GlobalTreeError> for ErrorObjectOwned {
	fn from(error: GlobalTreeError) -> Self {
		Self::owned(error.code(), error.to_string(), None::<()>)
	}
}
