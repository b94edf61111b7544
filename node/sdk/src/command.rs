//! Runs what the command line says.

use crate::{
	builder::NodeBuilder,
	chain_spec,
	cli::{Cli, ExportChainSpecCmd, NoArgs, NoVerbs, PurgeChainCmd, Subcommand},
	consensus::Consensus,
	dev,
	error::{Error, ExtensionError},
	output, panics, rpc,
	runtime::NodeRuntime,
	service::Parts,
	subtree,
};
use sc_cli::{CliConfiguration, Runner, SubstrateCli};
use sc_service::Configuration;
use std::{
	ffi::OsString,
	fs::{File, TryLockError},
	path::{Path, PathBuf},
	process::ExitCode,
};

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
				output::complain(&format!("Error: {error}"));
				if let Some(remedy) = error.remedy() {
					output::complain(remedy);
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
	let runner = runner(&cli, &cli.run)?;
	runner.run_node_until_exit(|mut config| async move {
		rpc::bound(&mut config.rpc);
		let properties = config.chain_spec.properties();
		let builder = NodeBuilder::<R>::new(config).consensus(consensus);
		let node = compose(builder, cli.args).map_err(Error::Application)?.start()?;
		if is_dev {
			dev::print_banner(&node, consensus, &properties);
		}
		Ok::<_, Error>(node.task_manager)
	})
}

/// What Substrate prepares for a command.
fn runner<C: SubstrateCli, D: CliConfiguration>(cli: &C, command: &D) -> sc_cli::Result<Runner<C>> {
	let runner = cli.create_runner(command)?;
	panics::set_hook(runner.config().data_path.clone());
	Ok(runner)
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
		Subcommand::BuildSpec(cmd) => {
			runner(cli, &cmd)?.sync_run(|config| Ok(cmd.run(config.chain_spec, config.network)?))
		},
		Subcommand::ExportChainSpec(cmd) => export_chain_spec::<R>(cmd),
		Subcommand::CheckBlock(cmd) => runner(cli, &cmd)?.async_run(|config| {
			let parts = Parts::<R>::new(&config)?;
			let engine = Consensus::AuraGrandpa.engine(&config, &parts)?;
			let run = cmd.run(parts.client, engine.import_queue);
			Ok((into_error(run), parts.task_manager))
		}),
		Subcommand::ExportBlocks(cmd) => runner(cli, &cmd)?.async_run(|config| {
			let parts = Parts::<R>::new(&config)?;
			Ok((into_error(cmd.run(parts.client, config.database)), parts.task_manager))
		}),
		Subcommand::ExportState(cmd) => runner(cli, &cmd)?.async_run(|config| {
			let parts = Parts::<R>::new(&config)?;
			Ok((into_error(cmd.run(parts.client, config.chain_spec)), parts.task_manager))
		}),
		Subcommand::ImportBlocks(cmd) => runner(cli, &cmd)?.async_run(|config| {
			let parts = Parts::<R>::new(&config)?;
			let engine = Consensus::AuraGrandpa.engine(&config, &parts)?;
			let run = cmd.run(parts.client, engine.import_queue);
			Ok((into_error(run), parts.task_manager))
		}),
		Subcommand::PurgeChain(cmd) => {
			runner(cli, &cmd.standard)?.sync_run(|config| Ok(purge_chain(cmd, config)?))
		},
		Subcommand::Revert(cmd) => runner(cli, &cmd)?.async_run(|config| {
			let parts = Parts::<R>::new(&config)?;
			let revert_grandpa = Box::new(|client, _, blocks| {
				sc_consensus_grandpa::revert(client, blocks)?;
				Ok(())
			});
			let run = cmd.run(parts.client, parts.backend, Some(revert_grandpa));
			Ok((into_error(run), parts.task_manager))
		}),
		Subcommand::ChainInfo(cmd) => {
			runner(cli, &cmd)?.sync_run(|config| Ok(cmd.run::<R::Block>(&config)?))
		},
		Subcommand::Custom(_) => unreachable!("the team's own subcommands never come here; qed"),
	}
}

/// Removes what Substrate removes, then the subtrees' folder: what a subtree holds belongs to heads on the chain that is gone, and
/// stays if that one could not be removed.
fn purge_chain(cmd: PurgeChainCmd, config: Configuration) -> sc_cli::Result<()> {
	let subtrees = subtree::folder(&config.data_path);
	let mut standard = cmd.standard;
	let has_subtrees = subtrees.try_exists()?;
	// A node that starts meanwhile finds its subtrees in use.
	let _locks = if has_subtrees { lock_subtrees(&subtrees)? } else { Vec::new() };
	let removes_subtrees = has_subtrees && !cmd.keep_subtrees;
	if removes_subtrees {
		let chain = config.database.path().unwrap_or(&config.data_path);
		let question = format!(
			"This removes the chain in {chain:?} and the subtrees in {subtrees:?}. Calls of a subtree that this node serves may be \
			 nowhere else; --keep-subtrees leaves them. Go on? [y/N]:"
		);
		if !standard.yes && !confirmed(&question)? {
			return Ok(output::print("Aborted")?);
		}
		standard.yes = true;
	}
	standard.run(config.database)?;
	if removes_subtrees {
		std::fs::remove_dir_all(&subtrees)?;
		output::print(&format!("{subtrees:?} removed."))?;
	}
	Ok(())
}

/// Takes the locks of all subtrees' databases, as ParityDB does on opening.
///
/// # Errors
///
/// [`sc_cli::Error::Input`] if somebody else has one of them.
fn lock_subtrees(subtrees: &Path) -> sc_cli::Result<Vec<File>> {
	let mut locks = Vec::new();
	for subtree in folders_in(subtrees)? {
		for registration in folders_in(&subtree)? {
			let path = registration.join("db").join("lock");
			if !path.try_exists()? {
				continue;
			}
			let lock = File::open(path)?;
			match lock.try_lock() {
				Ok(()) => locks.push(lock),
				Err(TryLockError::WouldBlock) => {
					return Err(sc_cli::Error::Input(format!(
						"a running node has the subtree in {registration:?} open: stop the node first"
					)))
				},
				Err(TryLockError::Error(error)) => return Err(error.into()),
			}
		}
	}
	Ok(locks)
}

fn folders_in(folder: &Path) -> std::io::Result<Vec<PathBuf>> {
	let mut folders = Vec::new();
	for entry in std::fs::read_dir(folder)? {
		let path = entry?.path();
		if path.is_dir() {
			folders.push(path);
		}
	}
	Ok(folders)
}

/// Asks at the terminal. Nobody there means no.
fn confirmed(question: &str) -> std::io::Result<bool> {
	output::print(question)?;
	let mut answer = String::new();
	std::io::stdin().read_line(&mut answer)?;
	Ok(answer.trim().starts_with(['y', 'Y']))
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
		None => output::print(text.trim_end_matches('\n')),
	}
	.map_err(|error| sc_cli::Error::from(error).into())
}
