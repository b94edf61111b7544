//! Kill -9 at every write boundary and at random times.
//!
//! A child process (this very test binary) submits calls and writes a line for each receipt into a pipe. The parent holds the
//! other end, kills the child, opens the folder and compares: every call that the pipe acknowledged is there once, and the root
//! is that of the same calls without any crash.

use crate::common::*;
use dstp_primitives::StateRoot;
use dstp_subtree::{Engine, EngineOptions, Faults, ImportTarget, Retention, Role, Step};
use rand::{Rng, SeedableRng};
use std::{
	collections::BTreeMap,
	fs,
	io::{self, BufRead, BufReader, Write},
	path::Path,
	process::{Child, Command, Stdio},
	sync::{
		atomic::{AtomicU32, Ordering},
		Arc, OnceLock,
	},
	time::{Duration, Instant},
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

/// A disk that syncs in microseconds lets a child come far before it is killed; the parent knows the roots of so many.
const MOST_CALLS: u64 = 12_000;

pub fn say(line: &str) {
	// Not `println!`, which the test harness may hold back. One write, so that a kill leaves the line whole or absent.
	let mut out = io::stdout();
	out.write_all(format!("{line}\n").as_bytes()).and_then(|()| out.flush()).unwrap();
}

/// Boundaries that a child passes only if the log is short.
fn removes_log(step: &str) -> bool {
	step == format!("{:?}", Step::LogRemove) || step == format!("{:?}", Step::LogRemoved)
}

fn options(step: &str, keep_all: bool) -> EngineOptions {
	EngineOptions {
		retention: if keep_all { Retention::All } else { Retention::Last(4) },
		log_file_bytes: 8 * 1024,
		// A killed process loses the commits that ParityDB has in memory, 16 MiB at most: the log has to have more, as it has by
		// default. A short one holds where the database has caught up before the kill.
		log_retain_bytes: if removes_log(step) { 96 * 1024 } else { 64 * 1024 * 1024 },
		..Default::default()
	}
}

/// Boundaries of a follower that throws its state away.
fn throws_away(step: Step) -> bool {
	matches!(step, Step::StoreMoved | Step::StoreReplaced)
}

/// The child's part; without its environment it does nothing.
#[test]
fn child() {
	let Ok(dir) = std::env::var(DIR) else { return };
	say("");
	let step = std::env::var(STEP).unwrap();
	let left = AtomicU32::new(std::env::var(AFTER).unwrap().parse().unwrap());
	let keep_all = std::env::var(KEEP_ALL).unwrap() == "true";
	let follows = Step::ALL.iter().any(|at| throws_away(*at) && format!("{at:?}") == step);
	let options = options(&step, keep_all);
	let options = EngineOptions { faults: Arc::new(WaitForDeath { step, left }), ..options };
	if follows {
		let mut engine = open(Path::new(&dir), Role::Follow, options).unwrap();
		loop {
			engine.begin_copy(ImportTarget::Initial, vec![1]).unwrap();
		}
	}
	let mut engine = open(Path::new(&dir), Role::Serve, options).unwrap();
	let first = engine.next_nonce(&account(1)).unwrap();
	for nonce in first..MOST_CALLS {
		let receipt = engine.submit(&signed(1, nonce, workload(nonce)), hub(1), nonce).unwrap();
		say(&format!("ack {nonce} {:?}", receipt.post_root));
		if nonce % BATCH == BATCH - 1 {
			engine.seal_now().unwrap();
		}
		if nonce % (4 * BATCH) == 0 {
			commit_all(&mut engine);
		}
	}
	loop {
		std::thread::park();
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

	/// How many calls were acknowledged.
	fn acknowledged(&self) -> u64 {
		self.0.last_key_value().map_or(0, |(nonce, _)| nonce + 1)
	}
}

fn roots() -> &'static [StateRoot] {
	static ROOTS: OnceLock<Vec<StateRoot>> = OnceLock::new();
	ROOTS.get_or_init(|| workload_roots(MOST_CALLS))
}

/// Until the database has written the state after the last acknowledged call, which the child sealed before it came to where it
/// waits. ParityDB writes its commits in their order, and keeps 64 MiB of them in its log before it moves them to its tables.
fn until_written(dir: &Path, acks: &Acks) {
	let root = roots()[acks.acknowledged() as usize];
	let has_root = |bytes: &[u8]| bytes.windows(32).any(|part| part == root.as_bytes());
	let begin = Instant::now();
	loop {
		let files = fs::read_dir(dir.join("db")).unwrap().map(|file| file.unwrap());
		let mut logs = files.filter(|file| file.file_name().to_string_lossy().starts_with("log"));
		if logs.any(|file| has_root(&fs::read(file.path()).unwrap())) {
			return;
		}
		assert!(begin.elapsed() < Duration::from_secs(120), "the database writes in time");
		std::thread::sleep(Duration::from_millis(10));
	}
}

fn verify(dir: &Path, acks: &Acks, options: EngineOptions) {
	let keep_all = options.retention == Retention::All;
	let engine = open(dir, Role::Serve, options).unwrap();
	let next = engine.next_nonce(&account(1)).unwrap();
	let acknowledged = acks.acknowledged();
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
	for step in Step::ALL.into_iter().filter(|step| !throws_away(*step)) {
		let dir = tempfile::tempdir().unwrap();
		let mut acks = Acks::default();
		let keep_all = !matches!(step, Step::Prune | Step::Pruned);
		let step = format!("{step:?}");
		for round in 0..3u32 {
			let mut child = start(dir.path(), &step, 1 + 2 * round, keep_all);
			let mut reached = false;
			for line in BufReader::new(child.stdout.take().unwrap()).lines() {
				if acks.read(&line.unwrap()) {
					reached = true;
					if removes_log(&step) {
						until_written(dir.path(), &acks);
					}
					// SIGKILL on Unix.
					child.kill().unwrap();
				}
			}
			child.wait().unwrap();
			assert!(reached, "{step} was never passed");
			verify(dir.path(), &acks, options(&step, keep_all));
		}
	}
}

#[test]
fn killed_while_a_state_is_thrown_away() {
	for step in Step::ALL.into_iter().filter(|step| throws_away(*step)) {
		let dir = tempfile::tempdir().unwrap();
		let former = dir.path().join("db.former");
		for round in 0..3u32 {
			let mut child = start(dir.path(), &format!("{step:?}"), 1 + round, false);
			let lines = BufReader::new(child.stdout.take().unwrap()).lines();
			let at = |line: io::Result<String>| line.is_ok_and(|line| line == "at");
			assert!(lines.into_iter().any(at), "{step:?} was never passed");
			child.kill().unwrap();
			child.wait().unwrap();
			assert!(former.exists());
			let replaced = dir.path().join("db").exists();
			assert_eq!(replaced, step == Step::StoreReplaced, "never half of one under its name");
			// As a kill in the middle of the deletion leaves it.
			fs::remove_file(former.join("metadata")).unwrap();
			let mut engine = open(dir.path(), Role::Follow, EngineOptions::default()).unwrap();
			assert!(!former.exists(), "what is left is deleted");
			engine.begin_copy(ImportTarget::Initial, vec![2]).unwrap();
			assert!(!former.exists());
			drop(engine);
			let engine = open(dir.path(), Role::Follow, EngineOptions::default()).unwrap();
			assert_eq!(engine.copy_walk(), Some(&[2][..]));
		}
	}
}

#[test]
fn killed_at_random_times() {
	let long = std::env::var("DSTP_LONG").is_ok_and(|value| value == "1");
	let asked = std::env::var("DSTP_SEED").ok().map(|seed| seed.parse().unwrap());
	let seed: u64 = asked.unwrap_or_else(|| if long { rand::random() } else { 0 });
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
		verify(dir.path(), &acks, options("", false));
	}
}
