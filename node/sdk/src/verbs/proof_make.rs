//! `proof make`: writes a file that proves state.

use super::{
	get::too_many_keys,
	node::Node,
	place::{self, Place},
	proof_file::ProofFile,
	text, KeyArg, NodeArgs, PageArgs, Report, VerbError,
};
use crate::{
	global_tree::{Bytes, ProofJson, ProofParams},
	runtime::BlockHash,
	subtree::SubtreeProofJson,
};
use dstp_primitives::{
	proof::{Proof, Query, TrustedRoot},
	Path,
};
use jsonrpsee::rpc_params;
use serde_json::json;
use std::path::PathBuf;

/// Writes a file that proves an object, fields and children, or that they do not exist, at the last final block.
#[derive(Debug, clap::Args)]
pub struct MakeCmd {
	/// The object: keys from the root of the tree, percent-encoded, such as /geo/DE
	pub path: Path,

	/// What to prove of it.
	#[command(flatten)]
	pub keys: KeysArgs,

	/// A page that is proven to be complete.
	#[command(flatten)]
	pub page: PageArgs,

	/// The file to write; without it the standard output
	#[arg(long, short, value_name = "FILE")]
	pub output: Option<PathBuf>,

	/// Which node.
	#[command(flatten)]
	pub node: NodeArgs,
}

/// Fields and children of an object.
#[derive(Debug, clap::Args)]
pub struct KeysArgs {
	/// A field (text, or 0x and hex). May be repeated
	#[arg(long = "field", value_name = "KEY")]
	pub fields: Vec<KeyArg>,

	/// A child (text, or 0x and hex). May be repeated
	#[arg(long = "child", value_name = "KEY")]
	pub children: Vec<KeyArg>,
}

impl KeysArgs {
	/// The question about `path`, without a page.
	pub(super) fn query(&self, path: Path) -> Result<Query, VerbError> {
		let keys = |keys: &[KeyArg]| keys.iter().map(|key| key.0.clone()).collect::<Vec<_>>();
		Ok(Query {
			path,
			fields: keys(&self.fields).try_into().map_err(|_| too_many_keys())?,
			children: keys(&self.children).try_into().map_err(|_| too_many_keys())?,
			page: None,
		})
	}
}

pub(super) async fn run(cmd: MakeCmd) -> Result<Report, VerbError> {
	let query = Query { page: cmd.page.query(), ..cmd.keys.query(cmd.path.clone())? };
	let node = Node::connect(&cmd.node.url).await?;
	let (block, proof) = prove(&node, &query).await?;
	let header = node.header(Some(block)).await?.filter(|header| header.hash == block);
	let header = header.ok_or_else(|| {
		VerbError::ProofFile(format!("the node gives no header with the hash {block:?}"))
	})?;
	let root = header.global_root.ok_or_else(|| {
		let message = "the header of block 0 carries no global root; wait until a block is final";
		VerbError::ProofFile(message.into())
	})?;
	let proven = Proof::from_bytes(&proof)?.check_answers(&query, TrustedRoot::global(root))?;
	let number = header.number;
	let file = ProofFile::new(node.genesis().await?, header, root, &query, proof);
	let json =
		serde_json::to_value(&file).map_err(|error| VerbError::ProofFile(error.to_string()))?;
	let Some(path) = &cmd.output else {
		return Ok(Report::new(format!("{json:#}"), json));
	};
	let name = path.display().to_string();
	std::fs::write(path, format!("{json:#}\n"))
		.map_err(|source| VerbError::File { path: name.clone(), source })?;
	let what = text::answer(&query.path, &query, proven.answer());
	Ok(Report::new(
		format!(
			"wrote {name}: {} at block {number}, which this node calls final\n{what}",
			query.path
		),
		json!({ "file": name, "blockHash": block, "blockNumber": number, "globalRoot": root }),
	))
}

/// The block whose global root is proven, and the proof.
async fn prove(node: &Node, query: &Query) -> Result<(BlockHash, Bytes), VerbError> {
	let params = ProofParams::from(query);
	if let Place::Remote(_) = place::find(node, &query.path).await? {
		let answer: SubtreeProofJson = node.ask("subtree_proof", rpc_params![params]).await?;
		let block = answer.block.ok_or_else(|| VerbError::BadAnswer {
			method: "subtree_proof",
			reason: "a proof from the root of the tree names its block".into(),
		})?;
		return Ok((block.block_hash, Bytes(answer.proof.0)));
	}
	let at = node.finalized().await?;
	let answer: ProofJson = node.ask("dstp_proof", rpc_params![params, at]).await?;
	Ok((at, answer.proof))
}
