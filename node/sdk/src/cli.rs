//! The command line of a node.
//!
//! [`Cli`] has all flags and subcommands of a Substrate node. A team adds flags of its own with
//! `A` and subcommands of its own with `V`; both are empty by default.

use crate::{consensus::Sealing, runtime::NodeRuntime};
use clap::{CommandFactory, FromArgMatches};
use sc_cli::{ChainSpec, SubstrateCli};
use std::{ffi::OsString, marker::PhantomData};

/// Examples below `--help`.
const EXAMPLES: &str = "\
Examples:
  --dev                          a development chain that forgets everything when it stops
  --dev --seal instant           the same, with a block for each transaction at once
  --dev --seal interval=1000     the same, with a block every second
  --chain local --alice          one of the two validators of a local network";

/// The command line: subcommands, and the flags of a node that runs.
#[derive(clap::Parser)]
pub struct Cli<R: NodeRuntime, A: clap::Args = NoArgs, V: clap::Subcommand = NoVerbs> {
	/// What to do; without a subcommand a node runs.
	#[command(subcommand)]
	pub subcommand: Option<Subcommand<V>>,

	/// Substrate's flags of a node that runs.
	#[command(flatten)]
	pub run: sc_cli::RunCmd,

	/// Make blocks without consensus, for development: `instant` makes a block for each transaction
	/// at once, `interval=<ms>` makes one at fixed intervals, `manual` waits for the RPC method
	/// `engine_createBlock`. Blocks are final at once. Works with --dev only.
	#[arg(long, value_name = "instant|interval=<MS>|manual")]
	pub seal: Option<Sealing>,

	/// The team's own flags.
	#[command(flatten)]
	pub args: A,

	#[arg(skip)]
	runtime: PhantomData<fn() -> R>,
}

/// The standard subcommands, and those of the team.
#[derive(Debug, clap::Subcommand)]
pub enum Subcommand<V: clap::Subcommand> {
	/// Generate, inspect and insert keys
	#[command(subcommand)]
	Key(sc_cli::KeySubcommand),

	/// Write a chain spec (the older form; prefer export-chain-spec)
	BuildSpec(sc_cli::BuildSpecCmd),

	/// Write a chain spec
	ExportChainSpec(ExportChainSpecCmd),

	/// Check a block again
	CheckBlock(sc_cli::CheckBlockCmd),

	/// Write blocks to a file
	ExportBlocks(sc_cli::ExportBlocksCmd),

	/// Write the state of a block as a chain spec
	ExportState(sc_cli::ExportStateCmd),

	/// Read blocks from a file
	ImportBlocks(sc_cli::ImportBlocksCmd),

	/// Remove the whole chain, and the subtrees that were served or followed on it
	PurgeChain(PurgeChainCmd),

	/// Go back to an earlier block
	Revert(sc_cli::RevertCmd),

	/// Show what the database holds
	ChainInfo(sc_cli::ChainInfoCmd),

	/// The team's own.
	#[command(flatten)]
	Custom(V),
}

/// Writes a chain spec.
#[derive(Debug, clap::Args)]
pub struct ExportChainSpecCmd {
	/// Substrate's flags of this subcommand.
	#[command(flatten)]
	pub standard: sc_cli::ExportChainSpecCmd,

	/// Leave out the runtime's Wasm: short enough to read and to compare, but no node starts
	/// from it.
	#[arg(long, conflicts_with = "raw")]
	pub without_code: bool,
}

/// Removes the chain and the subtrees.
#[derive(Debug, clap::Args)]
pub struct PurgeChainCmd {
	/// Substrate's flags of this subcommand.
	#[command(flatten)]
	pub standard: sc_cli::PurgeChainCmd,

	/// Leave the subtrees: for a chain that comes again, the same, from other nodes. On a chain that starts anew they are of no
	/// use, and serving them fails.
	#[arg(long)]
	pub keep_subtrees: bool,
}

/// No flags beside the standard ones.
#[derive(Debug, Clone, Copy, Default, clap::Args)]
pub struct NoArgs {}

/// No subcommands beside the standard ones.
#[derive(Debug, Clone, Copy)]
pub enum NoVerbs {}

impl FromArgMatches for NoVerbs {
	fn from_arg_matches(_: &clap::ArgMatches) -> Result<Self, clap::Error> {
		Err(clap::Error::new(clap::error::ErrorKind::MissingSubcommand))
	}

	fn update_from_arg_matches(&mut self, _: &clap::ArgMatches) -> Result<(), clap::Error> {
		match *self {}
	}
}

impl clap::Subcommand for NoVerbs {
	fn augment_subcommands(command: clap::Command) -> clap::Command {
		command
	}

	fn augment_subcommands_for_update(command: clap::Command) -> clap::Command {
		command
	}

	fn has_subcommand(_: &str) -> bool {
		false
	}
}

impl<R: NodeRuntime, A: clap::Args, V: clap::Subcommand> Cli<R, A, V> {
	/// Reads the command line.
	///
	/// # Errors
	///
	/// [`clap::Error`], also for `--help` and `--version`: call its `exit`.
	pub fn parse_from<I, T>(arguments: I) -> Result<Self, clap::Error>
	where
		I: IntoIterator<Item = T>,
		T: Into<OsString> + Clone,
	{
		let command = Self::setup_command(Self::command())
            .after_help(EXAMPLES)
            // DSTP's off-chain worker commits and synchronises, so it runs on every node and not
            // on validators only.
            .mut_arg("enabled", |argument| argument.default_value("always"));
		Self::from_arg_matches(&command.try_get_matches_from(arguments)?)
	}
}

impl<R: NodeRuntime, A: clap::Args, V: clap::Subcommand> SubstrateCli for Cli<R, A, V> {
	fn impl_name() -> String {
		R::NAME.into()
	}

	fn impl_version() -> String {
		R::VERSION.into()
	}

	fn description() -> String {
		format!("{}: a node of the Distributed State Tree Protocol.", R::NAME)
	}

	fn author() -> String {
		format!("the authors of {}", R::NAME)
	}

	fn support_url() -> String {
		format!("the repository from which {} was built", R::NAME)
	}

	fn copyright_start_year() -> i32 {
		2026
	}

	fn load_spec(&self, id: &str) -> Result<Box<dyn ChainSpec>, String> {
		R::chain_spec(id)
	}
}
