//! A fresh follower copies the whole data set from this process, in turns with local insertions of the same data: by its calls, and
//! at once.

use crate::{
	data,
	follower::{self, Report},
	measure::Pair,
	places::Places,
	report::{Row, Target},
	tree::ALONE,
	Failure, Scale,
};
use codec::{Decode, Encode};
use dstp_primitives::{
	batch::BatchEntry,
	head::Head,
	proof::{Proof, Query, RangeProof, TrieRange},
	ObjectId,
};
use dstp_state_network::{
	server::answer,
	wire::{Protocol, Served, TrieCursor},
	Source,
};
use dstp_subtree::{Reader, Role};
use std::{
	io::Write,
	net::{TcpListener, TcpStream},
	path::Path,
	process::{Command, Stdio},
};

const MIB: f64 = (1024 * 1024) as f64;

/// Measures all of them.
pub fn run(scale: &Scale, dir: &Path) -> Result<Vec<Row>, Failure> {
	let places = Places::load(scale)?;
	let mut engine = data::engine(&dir.join("serving"), Role::Serve)?;
	let calls = data::checked(&engine, places.calls()?)?;
	data::execute(&mut engine, calls, 64)?;
	let listener = TcpListener::bind("127.0.0.1:0")?;
	let address = listener.local_addr()?.to_string();
	let copy = Copy(engine.reader());
	// It ends with the process, which ends with the figures.
	std::thread::spawn(move || {
		for stream in listener.incoming().map_while(Result::ok) {
			if let Err(error) = serve(&copy, stream) {
				eprintln!("a follower was lost: {error}");
			}
		}
	});

	let (mut syncs, mut inserts, mut bulks) = (Vec::new(), Vec::new(), Vec::new());
	for round in 0..=scale.sync_rounds {
		let into = |name: &str| dir.join(format!("{name}-{round}"));
		let sync = child(scale, &["child-follow", &address], &into("follower"))?;
		let insert = child(scale, &["child-insert"], &into("calls"))?;
		let bulk = child(scale, &["child-insert-at-once"], &into("bulk"))?;
		if round > 0 {
			syncs.push(sync);
			inserts.push(insert);
			bulks.push(bulk);
		}
		["follower", "calls", "bulk"].map(into).iter().try_for_each(std::fs::remove_dir_all)?;
	}
	Ok(rows(&places, &syncs, &inserts, &bulks))
}

fn rows(places: &Places, syncs: &[Report], inserts: &[Report], bulks: &[Report]) -> Vec<Row> {
	let all = |reports: &[Report], figure: fn(&Report) -> u64, unit: f64| -> Vec<f64> {
		reports.iter().map(|report| figure(report) as f64 / unit).collect()
	};
	let cpu = |peer: &[Report]| {
		Pair::of(&all(syncs, |report| report.cpu_ns, 1e6), &all(peer, |report| report.cpu_ns, 1e6))
	};
	let wall = Pair::of(
		&all(syncs, |report| report.wall_ns, 1e6),
		&all(syncs, |report| report.copy_ns, 1e6),
	);
	let peak = syncs.iter().map(|report| report.peak_bytes).max().unwrap_or_default();
	let bytes = syncs.first().map_or(0, |report| report.answer_bytes);
	let name = format!("full sync of {} to a fresh follower", places.describe());
	vec![
		Row::pair(
			format!(
				"{name}, against executing its calls locally (their signatures checked before)"
			),
			"ms CPU",
			cpu(inserts),
		)
		.with(Target::AtMost(3.0)),
		Row::pair(
			format!("{name}, against writing the same at once, one root, by {ALONE}"),
			"ms CPU",
			cpu(bulks),
		),
		Row::pair(
			format!("{name}, against a TCP copy of its {:.1} MiB", bytes as f64 / MIB),
			"ms",
			wall,
		),
		Row::single(
			"most memory of that follower (engine and sync, without a node)",
			"MiB",
			peak as f64 / MIB,
		)
		.with(Target::AtMost(1024.0)),
	]
}

/// Runs this program again for one part, in a new folder.
fn child(scale: &Scale, arguments: &[&str], dir: &Path) -> Result<Report, Failure> {
	let mut command = Command::new(std::env::current_exe()?);
	command.args(arguments).arg("--dir").arg(dir).args(scale.arguments());
	let output = command.stderr(Stdio::inherit()).output()?;
	if !output.status.success() {
		return Err(format!("{} ended with {}", arguments[0], output.status).into());
	}
	Ok(Report::decode(&mut &output.stdout[..])?)
}

/// Says how it went to the process that started this one.
pub fn tell(report: Report) -> Result<(), Failure> {
	Ok(std::io::stdout().write_all(&report.encode())?)
}

/// Answers one follower until it leaves.
fn serve(copy: &Copy, mut stream: TcpStream) -> Result<(), Failure> {
	stream.set_nodelay(true)?;
	let head = copy.0.head(None)?.ok_or("there is no head")?;
	follower::send(&mut stream, 0, &head.encode())?;
	while let Some((kind, request)) = follower::receive(&mut stream)? {
		if kind == follower::COPY {
			let mut left = u64::decode(&mut &request[..])?;
			let part = vec![7; 64 * 1024];
			while left > 0 {
				let length = left.min(part.len() as u64) as usize;
				stream.write_all(&part[..length])?;
				left -= length as u64;
			}
			continue;
		}
		let protocol = Protocol::ALL.into_iter().find(|protocol| follower::kind(*protocol) == kind);
		let protocol = protocol.ok_or("a frame of an unknown kind")?;
		follower::send(&mut stream, kind, &answer(copy, protocol, &request)?)?;
	}
	Ok(())
}

/// What this process has to offer.
struct Copy(Reader);

impl Copy {
	fn newest(&self) -> Option<Head> {
		self.0.head(None).ok().flatten()
	}
}

impl Source for Copy {
	fn served(&self, subtree: &ObjectId) -> Option<Served> {
		let head = self.newest().filter(|head| head.subtree == *subtree)?;
		Some(Served { subtree: *subtree, epoch: head.epoch, seq: head.seq })
	}

	fn head(&self, _: &ObjectId, _: u64, seq: u64) -> Option<Head> {
		self.0.head(Some(seq)).ok().flatten()
	}

	fn batch(&self, _: &ObjectId, _: u64, seq: u64) -> Option<(Head, Vec<BatchEntry>)> {
		let head = self.0.head(Some(seq)).ok().flatten()?;
		Some((head, self.0.batch(seq).ok().flatten()?))
	}

	fn range(
		&self,
		_: &ObjectId,
		_: u64,
		_: u64,
		cursor: &TrieCursor,
		max_bytes: usize,
	) -> Option<(RangeProof, TrieRange)> {
		let after = cursor.after.as_ref().map(|key| key.as_slice());
		self.0.range(cursor.root, after, max_bytes).ok()
	}

	fn proof(&self, _: &ObjectId, _: u64, seq: u64, query: Query) -> Option<Proof> {
		self.0.proof(query, Some(seq)).ok().map(|(_, proof, _)| proof)
	}
}
