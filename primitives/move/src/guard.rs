//! Runs code of the virtual machine so that nothing of it ends the process.
//!
//! Two things would. A node's panic hook exits the process unless the thread says that it may unwind. And an overflow of the stack
//! cannot be caught at all, so recursion over types and graphs gets a stack that the limits of this crate cannot exhaust. The stack
//! is changed, not the thread: externalities cannot leave their thread, and the consent to unwind is kept per thread.

use sp_panic_handler::AbortGuard;
use std::panic::{catch_unwind, AssertUnwindSafe};

/// Bytes of the stack. Only pages that are touched take memory.
pub const STACK_BYTES: usize = 256 * 1024 * 1024;

/// Bytes that are enough once all modules are verified and in memory: what is left to recurse over are types and values, of at most
/// 48 levels.
pub const WARM_STACK_BYTES: usize = 512 * 1024;

/// What a panic said.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Panicked(pub String);

/// Runs `body` on a large stack and catches its panic. After a panic, everything that `body` could change is suspect: drop it.
pub fn run<T>(body: impl FnOnce() -> T) -> Result<T, Panicked> {
	stacker::grow(STACK_BYTES, || caught(body))
}

/// The same for a call whose modules are all verified and in memory. It stays on the stack of the thread if that has
/// [`WARM_STACK_BYTES`] left, because a new one costs more than a small call.
pub fn run_warm<T>(body: impl FnOnce() -> T) -> Result<T, Panicked> {
	stacker::maybe_grow(WARM_STACK_BYTES, STACK_BYTES, || caught(body))
}

fn caught<T>(body: impl FnOnce() -> T) -> Result<T, Panicked> {
	let _unwind = AbortGuard::force_unwind();
	catch_unwind(AssertUnwindSafe(body)).map_err(|payload| {
		let text = payload
			.downcast_ref::<&'static str>()
			.map(|text| text.to_string())
			.or_else(|| payload.downcast_ref::<String>().cloned());
		Panicked(text.unwrap_or_else(|| "a panic without a text".into()))
	})
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
	use super::*;

	#[test]
	fn a_panic_becomes_an_error_with_its_text() {
		assert_eq!((run(|| 1), run_warm(|| 1)), (Ok(1), Ok(1)));
		assert_eq!(run(|| -> u8 { panic!("text") }), Err(Panicked("text".into())));
		assert_eq!(run_warm(|| -> u8 { panic!("text") }), Err(Panicked("text".into())));
		let number = 7;
		assert_eq!(run(|| -> u8 { panic!("text {number}") }), Err(Panicked("text 7".into())));
	}

	#[test]
	fn recursion_that_overflows_a_thread_has_room() {
		fn depth(n: u64) -> u64 {
			let local = std::hint::black_box([n; 64]);
			if n == 0 {
				local[0]
			} else {
				1 + depth(n - 1)
			}
		}
		let small = std::thread::Builder::new().stack_size(128 * 1024);
		let done = small.spawn(|| run(|| depth(100_000))).unwrap().join().unwrap();
		assert_eq!(done, Ok(100_000));
	}
}
