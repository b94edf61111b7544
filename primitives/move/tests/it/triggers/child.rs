//! A process in which something may go wrong.

use std::{
	process::{Command, ExitStatus, Stdio},
	time::{Duration, Instant},
};

const VARIABLE: &str = "DSTP_MOVE_EFFECT";

/// What became of the child.
pub struct Effect {
	status: ExitStatus,
	took: Duration,
}

impl Effect {
	/// It panicked, was killed for a fault or for memory, or did not end in ten seconds.
	pub fn is_fatal(&self) -> bool {
		println!("{:?} after {:?}", self.status, self.took);
		!self.status.success()
	}
}

impl Effect {
	/// It took longer.
	pub fn is_slower_than(&self, time: Duration) -> bool {
		println!("{:?} after {:?}", self.status, self.took);
		self.took > time
	}
}

/// Runs `body` in a child with 2 GB of memory and ten seconds. `test` is the path of the test that calls this, which the child runs again
/// up to here.
pub fn effect(test: &str, body: impl FnOnce()) -> Effect {
	if std::env::var(VARIABLE).is_ok_and(|running| running == test) {
		body();
		std::process::exit(0);
	}
	let program = std::env::current_exe().unwrap();
	let started = Instant::now();
	let status = Command::new("sh")
		.args([
			"-c",
			"ulimit -v 2000000; ulimit -c 0; exec timeout 10 \"$0\" --exact \"$1\" --nocapture",
		])
		.arg(program)
		.arg(test)
		.env(VARIABLE, test)
		.env("RUST_BACKTRACE", "0")
		.stdout(Stdio::null())
		.stderr(Stdio::inherit())
		.status()
		.unwrap();
	Effect { status, took: started.elapsed() }
}
