//! Verbs: what a user does from the command line with a node that runs.
//!
//! `subtree create | call | get | status | host` and `proof make | check` talk to the RPC server of a node and start none
//! themselves; `proof check` needs no node at all. Each prints text for people, or with `--json` one JSON object; what only
//! says how far it is goes to the standard error output. A verb that fails ends with status 1 and a sentence.
//!
//! A program takes them with [`App::verbs`](crate::App::verbs) and tells by [`HubTransactions`] how its runtime's
//! transactions look:
//!
//! ```no_run
//! # use dstp_node_sdk::{verbs::{self, HubTransactions}, App};
//! # fn node<Hub: HubTransactions>() -> std::process::ExitCode {
//! App::<Hub>::new().verbs(verbs::run::<Hub>).main()
//! # }
//! ```
//!
//! # Trust model
//!
//! The node at `--url` is believed for everything but proofs: `subtree get --field`, `proof make` and `proof check` check
//! what it sends with `dstp-primitives`, against a root that the output names together with its source.

mod args;
mod call;
mod create;
mod error;
mod get;
mod host;
mod node;
mod place;
mod proof_check;
mod proof_file;
mod proof_make;
mod signer;
mod status;
mod text;
mod transaction;

pub use args::{BytesArg, FieldArg, KeyArg, ListKind, NodeArgs, PageArgs, SignerArgs};
pub use call::{CallCmd, CallVerb};
pub use create::CreateCmd;
pub use error::VerbError;
pub use get::GetCmd;
pub use host::{HostCmd, HostError};
pub use proof_check::CheckCmd;
pub use proof_make::MakeCmd;
pub use status::StatusCmd;
pub use transaction::{HubCall, HubTransactions, Terms};

use crate::{error::ExtensionError, output};
use serde_json::Value;

/// The verbs of a node program.
#[derive(Debug, clap::Subcommand)]
pub enum Verbs {
	/// Create, call, read and look at remote subtrees
	#[command(subcommand)]
	Subtree(SubtreeVerb),

	/// Make and check proofs of state
	#[command(subcommand)]
	Proof(ProofVerb),
}

/// What to do with a remote subtree.
#[derive(Debug, clap::Subcommand)]
pub enum SubtreeVerb {
	/// Register a remote subtree on the hub, under Proof of Authority
	Create(CreateCmd),

	/// Change a remote subtree by a signed call
	Call(CallCmd),

	/// Read an object, its fields and children
	Get(GetCmd),

	/// Show what the hub and a node know of a subtree
	Status(StatusCmd),

	/// Take a remote subtree back to the hub, with its content
	Host(HostCmd),
}

/// What to do with a proof.
#[derive(Debug, clap::Subcommand)]
pub enum ProofVerb {
	/// Write a file that proves state to whoever trusts a header of the hub
	Make(MakeCmd),

	/// Check such a file, without a node if wanted
	Check(CheckCmd),
}

/// What a verb has to say.
struct Report {
	/// For people; without the last line feed.
	text: String,
	/// For programs.
	json: Value,
	/// Set if the verb did not reach what it was called for, although it has something to show.
	failure: Option<VerbError>,
}

impl Report {
	fn new(text: String, json: Value) -> Self {
		Self { text, json, failure: None }
	}
}

/// Does what a verb says and prints the result.
///
/// # Errors
///
/// [`VerbError`]: a sentence with the fact and the remedy.
pub fn run<H: HubTransactions>(verb: Verbs) -> Result<(), ExtensionError> {
	let runtime = tokio::runtime::Runtime::new()?;
	let (json, report) = runtime.block_on(dispatch::<H>(verb));
	let report = report?;
	let text =
		if json { output::printable_json(&report.json) } else { output::printable(&report.text) };
	if !text.is_empty() {
		output::print(&text)
			.map_err(|source| VerbError::File { path: "the standard output".into(), source })?;
	}
	report.failure.map_or(Ok(()), |failure| Err(failure.into()))
}

async fn dispatch<H: HubTransactions>(verb: Verbs) -> (bool, Result<Report, VerbError>) {
	match verb {
		Verbs::Subtree(SubtreeVerb::Create(cmd)) => (cmd.node.json, create::run::<H>(cmd).await),
		Verbs::Subtree(SubtreeVerb::Call(cmd)) => (cmd.node.json, call::run(cmd).await),
		Verbs::Subtree(SubtreeVerb::Get(cmd)) => (cmd.node.json, get::run(cmd).await),
		Verbs::Subtree(SubtreeVerb::Status(cmd)) => (cmd.node.json, status::run(cmd).await),
		Verbs::Subtree(SubtreeVerb::Host(cmd)) => (cmd.node.json, host::run::<H>(cmd).await),
		Verbs::Proof(ProofVerb::Make(cmd)) => (cmd.node.json, proof_make::run(cmd).await),
		Verbs::Proof(ProofVerb::Check(cmd)) => (cmd.json, proof_check::run(cmd).await),
	}
}
