//! `proof check`: checks a proof file.
//!
//! The file is foreign: nothing in it is believed, and nothing is shown, but what follows from a root that the reader names, or
//! that a chain gives. Only who asks for it by name gets what the file says of itself, and the output says so.

use super::{
	node::{Header, Node},
	proof_file::ProofFile,
	proof_make::KeysArgs,
	text, Report, VerbError,
};
use crate::runtime::{BlockHash, BlockNumber};
use dstp_primitives::{
	proof::{Proof, Query, TrustedRoot},
	Path, StateRoot,
};
use dstp_rpc_types::{header::JsonHeader, proof::ProvenView};
use jsonrpsee::rpc_params;
use serde_json::json;
use sp_core::H256;

/// Checks a proof file and shows what it proves. Ends with status 1 if it does not hold.
///
/// A proof leads from a global root downwards. Whose root that is decides what it is worth: name one that you trust.
#[derive(Debug, clap::Args)]
#[command(group(clap::ArgGroup::new("anchor").required(true).args(["root", "header", "url", "unanchored"])))]
pub struct CheckCmd {
	/// The file; '-' for the standard input
	pub file: String,

	/// The object that the proof has to be about; without it any, and the output says which
	pub path: Option<Path>,

	/// What the proof has to answer: exactly these keys, if any are given.
	#[command(flatten)]
	pub keys: KeysArgs,

	/// The global root that you trust
	#[arg(long, value_name = "ROOT")]
	pub root: Option<StateRoot>,

	/// A header that you trust: SCALE in hex, or a file that holds that or the JSON of chain_getHeader
	#[arg(long, value_name = "HEADER")]
	pub header: Option<String>,

	/// A node that you trust: its chain has to have the block, finalised
	#[arg(long, value_name = "URL")]
	pub url: Option<String>,

	/// Take the root from the file itself. Anybody can write a file that holds in this way: it proves nothing about any chain
	#[arg(long)]
	pub unanchored: bool,

	/// Print one JSON object instead of text
	#[arg(long)]
	pub json: bool,
}

/// Where the root comes from.
struct Anchor {
	root: StateRoot,
	/// For programs: `root`, `header`, `chain` or `file`.
	kind: &'static str,
	/// The block that has the root, where that follows from what the reader trusts.
	block: Option<(BlockHash, BlockNumber)>,
	/// Hash of the chain's block 0, where a node of the chain was asked.
	genesis: Option<H256>,
	/// For people.
	source: String,
}

pub(super) async fn run(cmd: CheckCmd) -> Result<Report, VerbError> {
	let file = ProofFile::read(&cmd.file)?;
	let question = question(&cmd, &file)?;
	let anchor = anchor(&cmd, &file).await?;
	let proven = Proof::from_bytes(&file.proof)?
		.check_answers(&question, TrustedRoot::global(anchor.root))?;
	let view = serde_json::to_value(ProvenView::from(&proven))
		.map_err(|error| VerbError::ProofFile(error.to_string()))?;
	let json = json!({
		"holds": true,
		"anchored": !cmd.unanchored,
		"root": anchor.root,
		"rootFrom": anchor.kind,
		"blockHash": anchor.block.map(|(hash, _)| hash),
		"blockNumber": anchor.block.map(|(_, number)| number),
		"genesis": anchor.genesis,
		"proven": view,
	});
	let verdict = if cmd.unanchored { "NOT ANCHORED, follows from" } else { "proven against" };
	let what = text::answer(&question.path, &question, proven.answer());
	Ok(Report::new(
		format!(
			"{}\n{verdict} root {} ({})\n{what}",
			question.path,
			text::hash(anchor.root),
			anchor.source
		),
		json,
	))
}

/// What the reader asks: what the file says was asked, where the command line says nothing else.
fn question(cmd: &CheckCmd, file: &ProofFile) -> Result<Query, VerbError> {
	let stated = file.query()?;
	let path = cmd.path.clone().unwrap_or_else(|| stated.path.clone());
	if cmd.keys.fields.is_empty() && cmd.keys.children.is_empty() {
		return Ok(Query { path, ..stated });
	}
	Ok(Query { page: stated.page, ..cmd.keys.query(path)? })
}

async fn anchor(cmd: &CheckCmd, file: &ProofFile) -> Result<Anchor, VerbError> {
	if let Some(root) = cmd.root {
		let source = "the one that you gave".into();
		return Ok(Anchor { root, kind: "root", block: None, genesis: None, source });
	}
	if let Some(header) = &cmd.header {
		let header = trusted_header(header)?;
		let source = format!("from the header that you gave, of block {}", header.number);
		return Ok(Anchor { source, ..of_block("header", &header)? });
	}
	if let Some(url) = &cmd.url {
		let header = on_chain(&Node::connect(url).await?, file).await?;
		let source = format!("of block {}, which the node at {url} calls final", header.number);
		return Ok(Anchor { genesis: Some(file.genesis), source, ..of_block("chain", &header)? });
	}
	let header = file.checked_header()?;
	let source = format!(
		"from the file, not checked against a chain: it says block {}, {:?}; trust it only if you know that hash, or give --root, --header or --url",
		header.number, header.hash
	);
	Ok(Anchor { block: None, source, ..of_block("file", &header)? })
}

fn of_block(kind: &'static str, header: &Header) -> Result<Anchor, VerbError> {
	let block = Some((header.hash, header.number));
	Ok(Anchor { root: root_of(header)?, kind, block, genesis: None, source: String::new() })
}

fn root_of(header: &Header) -> Result<StateRoot, VerbError> {
	header
		.global_root
		.ok_or_else(|| VerbError::ProofFile("the header carries no global root".into()))
}

/// A header as SCALE in hex or as JSON, in place or in a file.
fn trusted_header(given: &str) -> Result<Header, VerbError> {
	let mut text = given.trim().to_owned();
	if !text.starts_with("0x") && !text.starts_with('{') {
		let failed = |source| VerbError::File { path: given.into(), source };
		text = std::fs::read_to_string(given).map_err(failed)?.trim().to_owned();
	}
	if let Some(digits) = text.strip_prefix("0x") {
		let scale = hex::decode(digits).map_err(|_| {
			VerbError::BadParameters("a header is an even number of hex digits after 0x".into())
		})?;
		return Header::from_scale(scale);
	}
	let json: JsonHeader = serde_json::from_str(&text).map_err(|error| {
		VerbError::BadParameters(format!(
			"--header takes SCALE in hex or the JSON of chain_getHeader: {error}"
		))
	})?;
	Header::from_json(&json)
}

/// The header of the file's block, if the node's chain has it and has finalised it.
async fn on_chain(node: &Node, file: &ProofFile) -> Result<Header, VerbError> {
	let refuse = |message: String| VerbError::ProofFile(message);
	let genesis = node.genesis().await?;
	if genesis != file.genesis {
		return Err(refuse(format!(
			"the proof is from the chain with genesis {:?}, and the node at {} is on another, with {genesis:?}: ask a node of that chain",
			file.genesis,
			node.url()
		)));
	}
	let (hash, number) = (file.block_hash, file.block_number);
	let finalized = node.finalized().await?;
	let finalized = node.header(Some(finalized)).await?.map_or(0, |header| header.number);
	if finalized < number {
		return Err(refuse(format!(
			"block {number} is not final at {}, whose last final block is {finalized}; wait, or ask another node",
			node.url()
		)));
	}
	let on_chain: Option<H256> = node.ask("chain_getBlockHash", rpc_params![number]).await?;
	let header = node.header(Some(hash)).await?.filter(|header| header.hash == hash);
	header.filter(|_| on_chain == Some(hash)).ok_or_else(|| {
		refuse(format!(
			"block {hash:?} is not the chain's block {number}: the proof is about a state that was never final"
		))
	})
}
