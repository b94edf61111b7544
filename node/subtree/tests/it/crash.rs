//! Kill -9 at every write boundary and at random times.
//!
//! A child process (this very test binary) submits calls and writes a line for each receipt into a pipe. The parent holds the
//! other end, kills the child, opens the folder and compares: every call that the pipe acknowledged is there once, and the root
//! is that of the same calls without any crash.

use crate::common::*;
use dstp_primitives::StateRoot;
use dstp_subtree::{Engine, EngineOptions, Faults, Retention, Role, Step};
use rand::{Rng, SeedableRng};
use std::{
	collections::BTreeMap,
	io::{self, BufRead, BufReader, Write},
	path::Path,
	process::{Child, Command, Stdio},
	sync::{
		atomic::{AtomicU32, Ordering},
		Arc, OnceLock,
	},
	time::Duration,
};

const DIR: &str = "DSTP_CRASH_DIR";
const STEP: &str = "DSTP_CRASH_STEP";
const AFTER: &str = "DSTP_CRASH_AFTER";
const KEEP_ALL: &str = "DSTP_CRASH_KEEP_ALL";

/// Calls per batch of the child.
const BATCH: u64 = 3;

/// Waits to be killed at the chosen boundary.
struct WaitForDeath {
	step: String,
	/// Passes of the boundary before the one at which to wait.
	left: AtomicU32,
}

impl Faults for WaitForDeath {
	fn at(&self, step: Step) -> io::Result<()> {
		if format!("{step:?}") == self.step && self.left.fetch_sub(1, Ordering::SeqCst) == 1 {
			say("at");
			loop {
				std::thread::park();
			}
		}
		Ok(())
	}

	fn tears_writes(&self) -> bool {
		true
	}
}

pub fn say(line: &str) {
	// Not `println!`, which the test harness may hold back. One write, so that a kill leaves the line whole or absent.
	let mut out = io::stdout();
	out.write_all(format!("{line}\n").as_bytes()).and_then(|()| out.flush()).unwrap();
}

fn options(keep_all: bool) -> EngineOptions {
	EngineOptions {
		retention: if keep_all { Retention::All } else { Retention::Last(4) },
		log_file_bytes: 8 * 1024,
		// Enough for a database that lags by milliseconds, which is all that a killed process can lose.
		log_retain_bytes: 96 * 1024,
		..Default::default()
	}
}

/// The child's part; without its environment it does nothing.
#[test]
fn child() {
	let Ok(dir) = std::env::var(DIR) else { return };
	say("");
	let step = std::env::var(STEP).unwrap();
	let left = AtomicU32::new(std::env::var(AFTER).unwrap().parse().unwrap());
	let keep_all = std::env::var(KEEP_ALL).unwrap() == "true";
	let options =
		EngineOptions { faults: Arc::new(WaitForDeath { step, left }), ..options(keep_all) };
	let mut engine = open(Path::new(&dir), Role::Serve, options).unwrap();
	let first = engine.next_nonce(&account(1)).unwrap();
	for nonce in first.. {
		let receipt = engine.submit(&signed(1, nonce, workload(nonce)), hub(1), nonce).unwrap();
		say(&format!("ack {nonce} {:?}", receipt.post_root));
		if nonce % BATCH == BATCH - 1 {
			engine.seal_now().unwrap();
		}
		if nonce % (4 * BATCH) == 0 {
			commit_all(&mut engine);
		}
	}
}

fn start(dir: &Path, step: &str, after: u32, keep_all: bool) -> Child {
	Command::new(std::env::current_exe().unwrap())
		.args(["crash::child", "--exact", "--nocapture", "--test-threads=1"])
		.env(DIR, dir)
		.env(STEP, step)
		.env(AFTER, after.to_string())
		.env(KEEP_ALL, keep_all.to_string())
		.stdout(Stdio::piped())
		.stderr(Stdio::inherit())
		.spawn()
		.unwrap()
}

#[derive(Default)]
struct Acks(BTreeMap<u64, String>);

impl Acks {
	/// Notes an acknowledgement; gives whether the child waits to be killed.
	fn read(&mut self, line: &str) -> bool {
		if let Some(ack) = line.strip_prefix("ack ") {
			let (nonce, root) = ack.split_once(' ').unwrap();
			let known = self.0.insert(nonce.parse().unwrap(), root.into());
			assert_eq!(known, None, "a call was acknowledged twice");
		}
		line == "at"
	}
}

fn roots() -> &'static [StateRoot] {
	static ROOTS: OnceLock<Vec<StateRoot>> = OnceLock::new();
	ROOTS.get_or_init(|| workload_roots(12_000))
}

fn verify(dir: &Path, acks: &Acks, keep_all: bool) {
	let engine = open(dir, Role::Serve, options(keep_all)).unwrap();
	let next = engine.next_nonce(&account(1)).unwrap();
	let acknowledged = acks.0.last_key_value().map_or(0, |(nonce, _)| nonce + 1);
	assert!(next >= acknowledged, "{acknowledged} calls were acknowledged, {next} are here");
	for (nonce, root) in &acks.0 {
		assert_eq!(*root, format!("{:?}", roots()[*nonce as usize + 1]));
	}
	assert_eq!(engine.open_root(), roots()[next as usize]);
	let present = calls_in(&engine);
	let first = present.first().copied().unwrap_or(next);
	assert_eq!(present, (first..next).collect::<Vec<_>>(), "each call is there once, in order");
	assert!(!keep_all || first == 0);
	check_flat(&engine);
}

/// Nonces of all calls in kept batches and the open one.
fn calls_in(engine: &Engine) -> Vec<u64> {
	let reader = engine.reader();
	let (oldest, newest) = reader.kept();
	let batches = (oldest.max(1)..=newest).filter_map(|seq| reader.batch(seq).unwrap());
	let entries: Vec<_> = batches.flatten().chain(engine.open_entries().iter().cloned()).collect();
	for entry in &entries {
		assert_eq!(entry.post_root, roots()[entry.call.payload.nonce as usize + 1]);
	}
	entries.iter().map(|entry| entry.call.payload.nonce).collect()
}

#[test]
fn killed_at_every_write_boundary_three_times() {
	for step in Step::ALL {
		let dir = tempfile::tempdir().unwrap();
		let mut acks = Acks::default();
		let keep_all = !matches!(step, Step::Prune | Step::Pruned);
		for round in 0..3u32 {
			let mut child = start(dir.path(), &format!("{step:?}"), 1 + 2 * round, keep_all);
			let mut reached = false;
			for line in BufReader::new(child.stdout.take().unwrap()).lines() {
				if acks.read(&line.unwrap()) {
					reached = true;
					// SIGKILL on Unix.
					child.kill().unwrap();
				}
			}
			child.wait().unwrap();
			assert!(reached, "{step:?} was never passed");
			verify(dir.path(), &acks, keep_all);
		}
	}
}

#[test]
fn killed_at_random_times() {
	let seed: u64 =
		std::env::var("DSTP_SEED").map_or_else(|_| rand::random(), |seed| seed.parse().unwrap());
	let rounds: u32 =
		std::env::var("DSTP_CRASH_ROUNDS").map_or(8, |rounds| rounds.parse().unwrap());
	println!("DSTP_SEED={seed}");
	let mut random = rand::rngs::StdRng::seed_from_u64(seed);
	let dir = tempfile::tempdir().unwrap();
	let mut acks = Acks::default();
	for _ in 0..rounds {
		let mut child = start(dir.path(), "", 0, false);
		let lines = BufReader::new(child.stdout.take().unwrap()).lines();
		let delay = Duration::from_millis(random.gen_range(5..250));
		let reader = std::thread::spawn(move || lines.map_while(Result::ok).collect::<Vec<_>>());
		std::thread::sleep(delay);
		child.kill().unwrap();
		child.wait().unwrap();
		for line in reader.join().unwrap() {
			acks.read(&line);
		}
		verify(dir.path(), &acks, false);
	}
}
