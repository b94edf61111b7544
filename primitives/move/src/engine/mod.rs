//! Publish, upgrade, call and view.
//!
//! ```text
//!  request ── closure of modules ── checks ── virtual machine ── changes, events
//!                   │                               │
//!                   └────────── ObjectTree ─────────┘   reads only
//! ```

mod arguments;
mod execute;
mod outcome;
mod publish;
mod types;

pub use execute::{Call, Function, View};
pub use outcome::{Event, Outcome, ViewOutcome};
pub use publish::{Publication, MAX_BUNDLE_MODULES};
pub use types::{MAX_TYPE_ARGUMENTS, MAX_TYPE_TAG_DEPTH};

use crate::{error::MoveError, guard, natives};
use move_bytecode_verifier::VerifierConfig;
use move_vm_runtime::move_vm::MoveVM;

/// Deepest nesting of loops in one function. The verifier's work grows with every level.
const MAX_LOOP_DEPTH: usize = 5;

/// Runs Move contracts. See the [crate] for what it reads and gives.
#[derive(Clone, Copy, Debug, Default)]
pub struct Engine;

impl Engine {
	/// An engine.
	pub fn new() -> Self {
		Self
	}
}

fn new_machine() -> Result<MoveVM, MoveError> {
	let config = VerifierConfig { max_loop_depth: Some(MAX_LOOP_DEPTH) };
	Ok(MoveVM::new_with_verifier_config(natives::table(), config)?)
}

/// Runs `body` guarded; a panic in it becomes an error that names `module`.
fn guarded<T>(
	module: impl ToString,
	body: impl FnOnce() -> Result<T, MoveError>,
) -> Result<T, MoveError> {
	guard::run(body).unwrap_or_else(|guard::Panicked(text)| {
		Err(MoveError::Invariant { module: module.to_string(), problem: text })
	})
}
