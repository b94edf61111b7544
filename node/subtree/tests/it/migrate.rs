//! Content that the hub hosted, on its way into an engine that is to serve it: restarts, and kill -9 in the middle.
//!
//! A child process (this very test binary) takes the content over and says each step; the parent kills it, again and again.

use crate::{
	common::*,
	crash::say,
	import::{fetch, source, CALLS},
	store::{expected_counts, stored_counts},
};
use dstp_primitives::StateRoot;
use dstp_subtree::{Engine, EngineOptions, Genesis, ImportTarget, ReadError, Role, SubmitError};
use rand::{Rng, SeedableRng};
use std::{
	io::{BufRead, BufReader, Write},
	path::Path,
	process::{Child, Command, Stdio},
};

const DIR: &str = "DSTP_MIGRATE_DIR";

fn migrated(dir: &Path, root: StateRoot) -> Engine {
	let (genesis, options) = (Genesis::Migrated(root), EngineOptions::default());
	Engine::open(dir, identity(), genesis, Role::Serve, options).unwrap()
}

/// The child's part; without its environment it does nothing.
#[test]
fn child() {
	let Ok(dir) = std::env::var(DIR) else { return };
	say("");
	let from = tempfile::tempdir().unwrap();
	let (serving, head) = source(from.path());
	let mut engine = migrated(Path::new(&dir), head.state_root);
	if !engine.status().synced {
		engine.begin_import(ImportTarget::Initial).unwrap();
		loop {
			let wanted = engine.wanted_ranges(3).unwrap();
			if wanted.is_empty() {
				break;
			}
			for wanted in wanted {
				fetch(&mut engine, &serving.reader(), &wanted, 300);
				say_and_wait("step");
			}
		}
		engine.finish_import().unwrap();
	}
	say_and_wait("complete");
	let nonce = engine.next_nonce(&account(1)).unwrap();
	engine.submit(&signed(1, nonce, workload(nonce)), hub(1), nonce).unwrap();
	say("served");
	loop {
		std::thread::park();
	}
}

/// Goes on when the parent has read the line and answers: the child never runs ahead of the one who is to kill it.
fn say_and_wait(line: &str) {
	say(line);
	std::io::stdin().read_line(&mut String::new()).unwrap();
}

fn start(dir: &Path) -> Child {
	Command::new(std::env::current_exe().unwrap())
		.args(["migrate::child", "--exact", "--nocapture", "--test-threads=1"])
		.env(DIR, dir)
		.stdin(Stdio::piped())
		.stdout(Stdio::piped())
		.stderr(Stdio::inherit())
		.spawn()
		.unwrap()
}

/// Runs the child until it has said as many lines that count, and kills it; the last one of them. It dies on its way to
/// the next step (a write may be cut in two) or, with `at_rest`, before it took that way.
fn run(dir: &Path, lines: usize, at_rest: bool) -> String {
	let mut child = start(dir);
	let mut go_on = child.stdin.take().unwrap();
	let said = BufReader::new(child.stdout.take().unwrap()).lines().map_while(Result::ok);
	let mut counted = said.filter(|line| ["step", "complete", "served"].contains(&&**line));
	let mut last = String::new();
	for line in 1..=lines {
		last = counted.next().expect("the child goes on");
		if last == "served" {
			break;
		}
		if line < lines || !at_rest {
			go_on.write_all(b"\n").unwrap();
		}
	}
	child.kill().unwrap();
	child.wait().unwrap();
	last
}

#[test]
fn content_comes_whole_however_often_the_process_is_killed() {
	let (from, to) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
	let (serving, head) = source(from.path());
	drop(serving);
	let mut random = rand::rngs::StdRng::seed_from_u64(7);
	let (mut kills, mut last) = (0, String::new());
	while last != "served" {
		// Each time it comes a little further; in the end it is through.
		kills += 1;
		last = run(to.path(), random.gen_range(1..10) + kills, random.gen());
		let mut engine = migrated(to.path(), head.state_root);
		if engine.status().synced {
			assert!(engine.reader().object(&identity().subtree, None).unwrap().is_some());
			continue;
		}
		assert!(matches!(
			engine.reader().object(&identity().subtree, None),
			Err(ReadError::NotSynced)
		));
		let early = engine.submit(&signed(1, CALLS, workload(CALLS)), hub(1), 1);
		assert!(matches!(early, Err(SubmitError::NotSynced)));
	}
	assert!(kills > 3, "it was killed in the middle");
	let engine = migrated(to.path(), head.state_root);
	let next = engine.next_nonce(&account(1)).unwrap();
	assert!(next > CALLS, "the acknowledged call is there");
	assert_eq!(engine.open_root(), workload_roots(next)[next as usize]);
	drop(engine);
	// What was sealed by nobody is in no count.
	assert_eq!(stored_counts(to.path()), expected_counts(CALLS));
	// Where the database is lost the log does not help alone: its calls changed content that the hub gave.
	std::fs::rename(to.path().join("db"), to.path().join("lost")).unwrap();
	let (genesis, options) = (Genesis::Migrated(head.state_root), EngineOptions::default());
	let lost = Engine::open(to.path(), identity(), genesis, Role::Serve, options).err().unwrap();
	assert!(lost.to_string().contains("restore the database"), "{lost}");
}

#[test]
fn calls_are_refused_while_the_hub_takes_the_content_back() {
	let dir = tempfile::tempdir().unwrap();
	let mut engine = serve(dir.path());
	run_workload(&mut engine, 0, 3, 10);
	engine.set_being_hosted(true);
	assert!(engine.status().being_hosted);
	let refused = engine.submit(&signed(1, 3, workload(3)), hub(1), 3).unwrap_err();
	assert!(matches!(refused, SubmitError::BeingHosted) && refused.is_transient(), "{refused}");
	assert!(refused.to_string().contains("takes the content of this subtree back"));
	assert_eq!(engine.seal_now().unwrap().len(), 1, "what was acknowledged is sealed");
	engine.set_being_hosted(false);
	assert_eq!(engine.submit(&signed(1, 3, workload(3)), hub(1), 3).unwrap().nonce, 3);
}
