//! Measures how fast this implementation is: `make bench`.
//!
//! Every figure stands beside that of a peer or a floor that did the same work in the same run, in turns with ours. The rows go to
//! the screen as a table and to a file as JSON.
//!
//! | Module | Measures |
//! |---|---|
//! | [`batch`] | many updates of one object, with one root and with a root for each |
//! | [`calls`] | signed calls through the engine |
//! | [`copies`] | full sync of the data set to a fresh follower |
//! | [`hub`] | extrinsics in the hub's runtime |
//! | [`proofs`] | proofs of one field among many |

mod bare;
mod batch;
mod calls;
mod copies;
mod data;
mod follower;
mod hub;
mod measure;
mod nomt;
mod places;
mod proofs;
mod report;
mod tree;

use clap::{Args, Parser, Subcommand, ValueEnum};
use report::Row;
use std::{
	error::Error,
	path::{Path, PathBuf},
	process::ExitCode,
	time::Instant,
};

/// What went wrong, in a sentence.
type Failure = Box<dyn Error + Send + Sync>;

/// One part of the table.
#[derive(Clone, Copy, PartialEq, Eq, Debug, ValueEnum)]
enum Part {
	/// A batch of updates with one root.
	Batch,
	/// The same with a root per call.
	Roots,
	/// Signed calls through the engine.
	Calls,
	/// Full sync of a fresh follower.
	Sync,
	/// Extrinsics of the hub.
	Hub,
	/// Proofs.
	Proofs,
}

const PARTS: [Part; 6] =
	[Part::Batch, Part::Roots, Part::Calls, Part::Sync, Part::Hub, Part::Proofs];

#[derive(Parser)]
#[command(about = "Measures how fast DSTP is, beside peers and floors in the same run")]
struct Cli {
	#[command(flatten)]
	input: Input,
	/// Only this part; may be given several times.
	#[arg(long, value_enum)]
	only: Vec<Part>,
	/// The program of benches/peers/nomt; without it nomt is left out.
	#[arg(long, value_name = "PROGRAM")]
	nomt: Option<PathBuf>,
	/// Where the rows go as JSON.
	#[arg(long, value_name = "FILE")]
	out: Option<PathBuf>,
	/// Where databases are made, in a new folder that is removed at the end.
	#[arg(long, value_name = "FOLDER", global = true)]
	dir: Option<PathBuf>,
	#[command(subcommand)]
	child: Option<ChildPart>,
}

/// How much is measured, and on what.
#[derive(Args)]
struct Input {
	/// Small sizes: shows in seconds that everything works. Its figures mean nothing.
	#[arg(long, global = true)]
	quick: bool,
	/// The places of the tour, as scripts/bench-places.mjs writes them; without them, synthetic ones of the same shape.
	#[arg(long, value_name = "FILE", global = true)]
	places: Option<PathBuf>,
}

/// What this program starts itself for.
#[derive(Subcommand)]
enum ChildPart {
	/// Copies a subtree from the given address.
	#[command(name = "child-follow", hide = true)]
	Follow {
		/// Where the provider listens.
		address: String,
	},
	/// Executes the calls of all places.
	#[command(name = "child-insert", hide = true)]
	Insert,
	/// Writes all places at once.
	#[command(name = "child-insert-at-once", hide = true)]
	InsertAtOnce,
}

/// The sizes.
struct Scale {
	quick: bool,
	places: Option<PathBuf>,
	/// Fields of the one object.
	fields: usize,
	/// Updates of one batch.
	updates: usize,
	/// Signed calls of one round.
	calls: usize,
	/// Proofs of one round.
	proofs: usize,
	/// Extrinsics of one block.
	extrinsics: usize,
	/// Turns of most parts.
	rounds: usize,
	/// Turns of the sync.
	sync_rounds: usize,
	/// Countries, states and cities of synthetic places.
	shape: (usize, usize, usize),
}

impl Scale {
	fn new(input: Input) -> Self {
		let Input { quick, places } = input;
		let size = |full, small| if quick { small } else { full };
		Self {
			quick,
			places,
			fields: size(150_000, 3_000),
			updates: size(10_000, 600),
			calls: size(4_096, 128),
			proofs: size(1_000, 20),
			extrinsics: size(200, 10),
			rounds: size(11, 1),
			sync_rounds: size(5, 1),
			shape: if quick { (5, 20, 2_000) } else { (250, 4_963, 148_038) },
		}
	}

	/// For a child that shall do the same.
	fn arguments(&self) -> Vec<std::ffi::OsString> {
		let quick = self.quick.then(|| "--quick".into());
		let places = self.places.iter().flat_map(|file| ["--places".into(), file.into()]);
		quick.into_iter().chain(places).collect()
	}
}

fn measure(
	part: Part,
	scale: &Scale,
	dir: &Path,
	nomt: Option<&Path>,
) -> Result<Vec<Row>, Failure> {
	match part {
		Part::Batch => batch::one_root(scale, dir, nomt),
		Part::Roots => batch::root_per_call(scale, dir),
		Part::Calls => calls::run(scale, dir),
		Part::Sync => copies::run(scale, dir),
		Part::Hub => hub::run(scale, dir),
		Part::Proofs => proofs::run(scale, dir),
	}
}

fn run() -> Result<(), Failure> {
	let Cli { input, only, nomt, out, dir, child } = Cli::parse();
	let scale = Scale::new(input);
	let missing = "a child needs --dir";
	match child {
		Some(ChildPart::Follow { address }) => {
			return copies::tell(follower::follow(&dir.ok_or(missing)?, &address)?)
		},
		Some(ChildPart::Insert) => {
			return copies::tell(follower::insert(&dir.ok_or(missing)?, &scale)?)
		},
		Some(ChildPart::InsertAtOnce) => {
			return copies::tell(follower::insert_at_once(&dir.ok_or(missing)?, &scale)?)
		},
		None => {},
	}
	let parts = PARTS.iter().filter(|part| only.is_empty() || only.contains(part));
	let mut rows = Vec::new();
	for part in parts {
		eprint!("{:8} ", format!("{part:?}").to_lowercase());
		let start = Instant::now();
		let folder = match &dir {
			Some(dir) => tempfile::tempdir_in(dir)?,
			None => tempfile::tempdir()?,
		};
		rows.extend(measure(*part, &scale, folder.path(), nomt.as_deref())?);
		eprintln!("done in {:.0} s", start.elapsed().as_secs_f64());
	}
	report::print(&rows);
	if let Some(file) = out {
		report::write_json(&rows, &file)?;
		println!("written to {}", file.display());
	}
	Ok(())
}

fn main() -> ExitCode {
	match run() {
		Ok(()) => ExitCode::SUCCESS,
		Err(error) => {
			eprintln!("dstp-bench: {error}");
			ExitCode::FAILURE
		},
	}
}
