//! The file that carries a proof.
//!
//! JSON, and complete: the question, the proof, the block whose state is proven, and that block's header, so that whoever
//! trusts the block's hash needs nothing else. What is not the proof itself is only a claim until it was checked.

use super::{node::Header, VerbError};
use crate::{
	global_tree::{BadQuestion, Bytes, ProofParams},
	runtime::{BlockHash, BlockNumber},
};
use dstp_primitives::{proof::Query, StateRoot};
use serde::{Deserialize, Serialize};
use sp_core::H256;
use std::io::Read;

/// First field of every file.
const FORMAT: &str = "dstp-proof/1";

/// Largest file that is read: a proof of the largest size in hex, its question and a header.
const MAX_FILE_BYTES: u64 = 16 * 1024 * 1024;

/// What stands in the file.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct ProofFile {
	/// [`FORMAT`].
	format: String,
	/// Hash of the hub's block 0.
	pub genesis: H256,
	/// The block whose state is proven.
	pub block_hash: BlockHash,
	/// Its number.
	pub block_number: BlockNumber,
	/// Its header in SCALE.
	pub header: Bytes,
	/// The global root in that header.
	pub global_root: StateRoot,
	/// What was asked.
	question: ProofParams,
	/// The proof in SCALE.
	pub proof: Bytes,
}

impl ProofFile {
	/// Puts a file together. The header has a global root.
	pub fn new(
		genesis: H256,
		header: Header,
		global_root: StateRoot,
		query: &Query,
		proof: Bytes,
	) -> Self {
		Self {
			format: FORMAT.into(),
			genesis,
			block_hash: header.hash,
			block_number: header.number,
			header: Bytes(header.scale),
			global_root,
			question: query.into(),
			proof,
		}
	}

	/// Reads a file; `-` is the standard input.
	pub fn read(path: &str) -> Result<Self, VerbError> {
		let failed = |source| VerbError::File { path: path.into(), source };
		let mut text = Vec::new();
		if path == "-" {
			std::io::stdin()
				.lock()
				.take(MAX_FILE_BYTES + 1)
				.read_to_end(&mut text)
				.map_err(failed)?;
		} else {
			let file = std::fs::File::open(path).map_err(failed)?;
			file.take(MAX_FILE_BYTES + 1).read_to_end(&mut text).map_err(failed)?;
		}
		if text.len() as u64 > MAX_FILE_BYTES {
			return Err(VerbError::ProofFile(format!(
				"{path} has more than {MAX_FILE_BYTES} bytes: it is no proof file"
			)));
		}
		let file: Self = serde_json::from_slice(&text).map_err(|error| {
			VerbError::ProofFile(format!("{path} is no proof file of 'proof make': {error}"))
		})?;
		if file.format != FORMAT {
			let message = format!(
				"{path} has the format '{}' and this program reads '{FORMAT}': use the program that wrote it",
				file.format
			);
			return Err(VerbError::ProofFile(message));
		}
		Ok(file)
	}

	/// What was asked.
	pub fn query(&self) -> Result<Query, VerbError> {
		let question = self.question.clone().try_into();
		question.map_err(|error: BadQuestion| VerbError::ProofFile(error.to_string()))
	}

	/// Reads the file's header and compares everything that the file says about the block with it.
	pub fn checked_header(&self) -> Result<Header, VerbError> {
		let header = Header::from_scale(self.header.0.clone())?;
		let claimed = (self.block_hash, self.block_number, Some(self.global_root));
		if (header.hash, header.number, header.global_root) != claimed {
			let message = "the file's block hash, number or global root is not that of its header";
			return Err(VerbError::ProofFile(message.into()));
		}
		Ok(header)
	}
}
