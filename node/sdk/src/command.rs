//! Runs what the command line says.

use crate::{
	builder::NodeBuilder,
	chain_spec,
	cli::{Cli, ExportChainSpecCmd, NoArgs, NoVerbs, Subcommand},
	consensus::Consensus,
	dev,
	error::{Error, ExtensionError},
	runtime::NodeRuntime,
	service::Parts,
};
use sc_cli::SubstrateCli;
use std::{ffi::OsString, io::Write, process::ExitCode};

type Compose<R, A> = Box<dyn FnOnce(NodeBuilder<R>, A) -> Result<NodeBuilder<R>, ExtensionError>>;
type RunVerb<V> = Box<dyn FnOnce(V) -> Result<(), ExtensionError>>;

/// A node program: command line, standard subcommands and the node itself.
///
/// ```no_run
/// # fn node<Hub: dstp_node_sdk::NodeRuntime>() -> std::process::ExitCode {
/// dstp_node_sdk::App::<Hub>::new().main()
/// # }
/// ```
pub struct App<R: NodeRuntime, A: clap::Args = NoArgs, V: clap::Subcommand = NoVerbs> {
	compose: Compose<R, A>,
	run_verb: RunVerb<V>,
}

impl<R: NodeRuntime> Default for App<R> {
	fn default() -> Self {
		Self::new()
	}
}

impl<R: NodeRuntime> App<R> {
	/// A program with the standard command line and no extensions.
	pub fn new() -> Self {
		App {
			compose: Box::new(|node, NoArgs {}| Ok(node)),
			run_verb: Box::new(|verb| match verb {}),
		}
	}
}

impl<R: NodeRuntime, A: clap::Args, V: clap::Subcommand> App<R, A, V> {
	/// Composes the node: `compose` gets the builder and the values of the flags that `B` adds,
	/// and returns the builder with the team's extensions. For no flags take [`NoArgs`].
	pub fn compose<B: clap::Args>(
		self,
		compose: impl FnOnce(NodeBuilder<R>, B) -> Result<NodeBuilder<R>, ExtensionError> + 'static,
	) -> App<R, B, V> {
		App { compose: Box::new(compose), run_verb: self.run_verb }
	}

	/// Adds the subcommands `W`, which `run` executes. They start no node.
	pub fn verbs<W: clap::Subcommand>(
		self,
		run: impl FnOnce(W) -> Result<(), ExtensionError> + 'static,
	) -> App<R, A, W> {
		App { compose: self.compose, run_verb: Box::new(run) }
	}

	/// Reads the command line and does what it says. Returns when the node stops.
	///
	/// Errors are written to the standard error output as a sentence, with the remedy if known.
	pub fn main(self) -> ExitCode {
		let cli = match Cli::<R, A, V>::parse_from(std::env::args_os()) {
			Ok(cli) => cli,
			Err(error) => error.exit(),
		};
		match self.run(cli) {
			Ok(()) => ExitCode::SUCCESS,
			Err(error) => {
				eprintln!("Error: {error}");
				if let Some(remedy) = error.remedy() {
					eprintln!("{remedy}");
				}
				ExitCode::FAILURE
			},
		}
	}

	/// Does what a command line says.
	///
	/// # Errors
	///
	/// Any [`Error`] of the subcommand or the node.
	pub fn run_from<I, T>(self, arguments: I) -> Result<(), Error>
	where
		I: IntoIterator<Item = T>,
		T: Into<OsString> + Clone,
	{
		let cli = Cli::parse_from(arguments).map_err(sc_cli::Error::from)?;
		self.run(cli)
	}

	fn run(self, mut cli: Cli<R, A, V>) -> Result<(), Error> {
		match cli.subcommand.take() {
			Some(Subcommand::Custom(verb)) => (self.run_verb)(verb).map_err(Error::Application),
			Some(subcommand) => run_subcommand(&cli, subcommand),
			None => run_node(cli, self.compose),
		}
	}
}

/// Runs a node until it is told to stop.
fn run_node<R, A, V>(cli: Cli<R, A, V>, compose: Compose<R, A>) -> Result<(), Error>
where
	R: NodeRuntime,
	A: clap::Args,
	V: clap::Subcommand,
{
	let is_dev = cli.run.shared_params.is_dev();
	let consensus = match cli.seal {
		Some(_) if !is_dev => return Err(Error::SealWithoutDev),
		Some(sealing) => Consensus::DevSeal(sealing),
		None => Consensus::AuraGrandpa,
	};
	let runner = cli.create_runner(&cli.run)?;
	runner.run_node_until_exit(|config| async move {
		let properties = config.chain_spec.properties();
		let builder = NodeBuilder::<R>::new(config).consensus(consensus);
		let node = compose(builder, cli.args).map_err(Error::Application)?.start()?;
		if is_dev {
			dev::print_banner(&node, consensus, &properties);
		}
		Ok::<_, Error>(node.task_manager)
	})
}

/// Runs a standard subcommand.
fn run_subcommand<R, A, V>(cli: &Cli<R, A, V>, subcommand: Subcommand<V>) -> Result<(), Error>
where
	R: NodeRuntime,
	A: clap::Args,
	V: clap::Subcommand,
{
	match subcommand {
		Subcommand::Key(cmd) => Ok(cmd.run(cli)?),
		Subcommand::BuildSpec(cmd) => cli
			.create_runner(&cmd)?
			.sync_run(|config| Ok(cmd.run(config.chain_spec, config.network)?)),
		Subcommand::ExportChainSpec(cmd) => export_chain_spec::<R>(cmd),
		Subcommand::CheckBlock(cmd) => cli.create_runner(&cmd)?.async_run(|config| {
			let parts = Parts::<R>::new(&config)?;
			let engine = Consensus::AuraGrandpa.engine(&config, &parts)?;
			let run = cmd.run(parts.client, engine.import_queue);
			Ok((into_error(run), parts.task_manager))
		}),
		Subcommand::ExportBlocks(cmd) => cli.create_runner(&cmd)?.async_run(|config| {
			let parts = Parts::<R>::new(&config)?;
			Ok((into_error(cmd.run(parts.client, config.database)), parts.task_manager))
		}),
		Subcommand::ExportState(cmd) => cli.create_runner(&cmd)?.async_run(|config| {
			let parts = Parts::<R>::new(&config)?;
			Ok((into_error(cmd.run(parts.client, config.chain_spec)), parts.task_manager))
		}),
		Subcommand::ImportBlocks(cmd) => cli.create_runner(&cmd)?.async_run(|config| {
			let parts = Parts::<R>::new(&config)?;
			let engine = Consensus::AuraGrandpa.engine(&config, &parts)?;
			let run = cmd.run(parts.client, engine.import_queue);
			Ok((into_error(run), parts.task_manager))
		}),
		Subcommand::PurgeChain(cmd) => {
			cli.create_runner(&cmd)?.sync_run(|config| Ok(cmd.run(config.database)?))
		},
		Subcommand::Revert(cmd) => cli.create_runner(&cmd)?.async_run(|config| {
			let parts = Parts::<R>::new(&config)?;
			let revert_grandpa = Box::new(|client, _, blocks| {
				sc_consensus_grandpa::revert(client, blocks)?;
				Ok(())
			});
			let run = cmd.run(parts.client, parts.backend, Some(revert_grandpa));
			Ok((into_error(run), parts.task_manager))
		}),
		Subcommand::ChainInfo(cmd) => {
			cli.create_runner(&cmd)?.sync_run(|config| Ok(cmd.run::<R::Block>(&config)?))
		},
		Subcommand::Custom(_) => unreachable!("the team's own subcommands never come here; qed"),
	}
}

async fn into_error(
	run: impl std::future::Future<Output = sc_cli::Result<()>>,
) -> Result<(), Error> {
	Ok(run.await?)
}

fn export_chain_spec<R: NodeRuntime>(cmd: ExportChainSpecCmd) -> Result<(), Error> {
	let spec = R::chain_spec(&cmd.standard.chain).map_err(sc_cli::Error::Input)?;
	if !cmd.without_code {
		return Ok(cmd.standard.run(spec)?);
	}
	let text = chain_spec::without_code(&*spec).map_err(sc_cli::Error::Input)?;
	match &cmd.standard.output {
		Some(path) => std::fs::write(path, text),
		None => std::io::stdout().write_all(text.as_bytes()),
	}
	.map_err(|error| sc_cli::Error::from(error).into())
}
