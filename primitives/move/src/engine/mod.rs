//! Publish, upgrade, call and view.
//!
//! ```text
//!  request ── closure of modules ── checks ── virtual machine ── changes, events
//!                   │                               │
//!                   └────────── ObjectTree ─────────┘   reads only
//! ```

mod arguments;
mod budget;
mod context;
mod execute;
mod outcome;
mod publish;
mod types;

pub use arguments::MAX_ARGUMENT_BYTES;
pub use budget::{Budget, Failed};
pub use context::Context;
pub use execute::{Call, Function, View};
pub use outcome::{Event, Outcome, ViewOutcome, MAX_EVENTS, MAX_EVENT_BYTES};
pub use publish::{Publication, MAX_BUNDLE_BYTES, MAX_BUNDLE_MODULES};
pub use types::{MAX_TYPE_ARGUMENTS, MAX_TYPE_TAG_DEPTH};

use crate::{error::MoveError, guard, machine::Machines, state::Decoded};

/// Runs Move contracts. See the [crate] for what it reads and gives.
///
/// An engine may serve many namespaces, forks and threads at once; what it keeps between calls changes no result.
#[derive(Debug, Default)]
pub struct Engine {
	machines: Machines,
	decoded: Decoded,
}

impl Engine {
	/// An engine with nothing in memory.
	pub fn new() -> Self {
		Self::default()
	}

	/// The machines that it keeps.
	pub fn machines(&self) -> &Machines {
		&self.machines
	}
}

/// Runs `body` guarded; a panic in it becomes an error that names `module`.
fn guarded<T>(
	module: impl ToString,
	body: impl FnOnce() -> Result<T, MoveError>,
) -> Result<T, MoveError> {
	guard::run(body).unwrap_or_else(|panicked| Err(broken(module, panicked)))
}

fn broken(module: impl ToString, guard::Panicked(text): guard::Panicked) -> MoveError {
	MoveError::Invariant { module: module.to_string(), problem: text }
}
