//! What becomes of a panic: Substrate ends the program with an error and asks for a bug report. Two kinds deserve better.

use crate::output;
use std::{
	panic::{self, PanicHookInfo},
	path::{Path, PathBuf},
};

/// Sets the hook. The one that Substrate sets is there already, and takes all other panics.
pub(crate) fn set_hook(data_path: PathBuf) {
	let others = panic::take_hook();
	panic::set_hook(Box::new(move |info| {
		if is_timer_after_the_end(info) {
			return;
		}
		if info.location().is_some_and(|place| place.file().contains("parity-db")) {
			name_damaged_database(info, &data_path);
			std::process::exit(1);
		}
		others(info)
	}));
}

/// Whether a task waited for a timer when its runtime had ended. Substrate runs long work on threads that tokio does not wait for: they
/// notice the end of the node at their next step, and a timer in that step panics. Nothing is lost, and the node has ended
/// as it was told to.
fn is_timer_after_the_end(info: &PanicHookInfo<'_>) -> bool {
	info.payload_as_str()
		.is_some_and(|reason| reason.contains("context was found, but it is being shutdown"))
}

/// ParityDB panics where a file of its own leads nowhere: names the folder and the remedy.
///
/// ParityDB's own threads do not say whose they are, the chain's database or a subtree's. So nothing is to be removed.
fn name_damaged_database(info: &PanicHookInfo<'_>, data_path: &Path) {
	let reason = info.payload_as_str().unwrap_or("it does not say why");
	output::complain(&format!(
		"Error: a database below {} is damaged ({reason}): the chain's, or that of a subtree in 'subtrees'. A node without \
		 --serve and --follow opens the chain's alone, and so tells which. Restore that one from a copy. Without one, move it \
		 elsewhere instead of removing it: the chain, and a subtree that is followed, come again from other nodes; what a \
		 serving node has acknowledged and not committed is nowhere else.",
		data_path.display()
	));
}

#[cfg(test)]
mod tests {
	use super::*;
	use std::{
		process::{exit, Command, Stdio},
		sync::mpsc,
		thread,
		time::Duration,
	};

	/// In the child process: what is to panic there.
	const CHILD: &str = "DSTP_PANICS";

	/// The child's status if nothing panicked.
	const STILL_THERE: i32 = 7;

	/// The child's part; without its environment it does nothing.
	#[test]
	fn child() {
		let Ok(what) = std::env::var(CHILD) else { return };
		// As Substrate's hook does.
		panic::set_hook(Box::new(|_| exit(1)));
		set_hook(PathBuf::from("data"));
		if what == "anything" {
			panic!("anything");
		}
		let runtime = tokio::runtime::Runtime::new().unwrap();
		let handle = runtime.handle().clone();
		let (ended, end) = mpsc::channel();
		let late = thread::spawn(move || {
			end.recv().unwrap();
			handle.block_on(async { tokio::time::sleep(Duration::from_millis(1)).await });
		});
		runtime.shutdown_timeout(Duration::from_secs(10));
		ended.send(()).unwrap();
		exit(if late.join().is_err() { 0 } else { STILL_THERE });
	}

	fn status(what: &str) -> Option<i32> {
		let mut child = Command::new(std::env::current_exe().unwrap());
		child.args(["panics::tests::child", "--exact", "--nocapture", "--test-threads=1"]);
		child.env(CHILD, what).stdout(Stdio::null()).status().unwrap().code()
	}

	#[test]
	fn a_timer_after_the_end_is_no_error() {
		assert_eq!(status("timer"), Some(0));
		assert_eq!(status("anything"), Some(1));
	}
}
