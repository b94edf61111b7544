//! Known defects of the virtual machine. Each test shows first what a module does to the machine without this crate, in a process of
//! its own, and then that the engine refuses it and goes on.

mod arguments;
mod child;
pub mod forge;
pub mod panics;
mod raw;
mod references;
mod stack;
mod types;
mod verifier;
mod work;

use crate::support::*;
use dstp_move::MoveError;

/// Publishes hand-made modules; gives the reason of the refusal.
fn refusal(modules: Vec<Vec<u8>>) -> String {
	let mut tree = namespace();
	let reason = match publish_code(&mut tree, AUTHOR, modules) {
		Err(MoveError::Rejected { reason, .. } | MoveError::BadRequest(reason)) => reason,
		other => panic!("{other:?}"),
	};
	publish(&mut tree, AUTHOR, &["module author::fine {}"]).unwrap();
	reason
}
