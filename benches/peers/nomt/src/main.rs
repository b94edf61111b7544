//! Writes batches to a nomt database, durably, and says how long each took.
//!
//! Input: a count (u32), then for each update a key of 32 bytes, the length of the value (u32) and the value. Output: nanoseconds
//! (u64). All little-endian. The program ends with its input.

use nomt::{hasher::Blake3Hasher, KeyReadWrite, Nomt, Options, SessionParams};
use std::{
	error::Error,
	io::{self, Read, Write},
	thread,
	time::Instant,
};

fn number(input: &mut impl Read) -> io::Result<u32> {
	let mut bytes = [0; 4];
	input.read_exact(&mut bytes)?;
	Ok(u32::from_le_bytes(bytes))
}

fn main() -> Result<(), Box<dyn Error>> {
	let dir = std::env::args().nth(1).ok_or("usage: dstp-bench-nomt FOLDER")?;
	let mut options = Options::new();
	options.path(dir);
	// All processors, as the other contenders may use them.
	options.commit_concurrency(thread::available_parallelism()?.get());
	let nomt = Nomt::<Blake3Hasher>::open(options)?;
	let (mut input, mut output) = (io::stdin().lock(), io::stdout().lock());
	while let Ok(count) = number(&mut input) {
		let mut updates = Vec::new();
		for _ in 0..count {
			let mut key = [0; 32];
			input.read_exact(&mut key)?;
			let mut value = vec![0; number(&mut input)? as usize];
			input.read_exact(&mut value)?;
			updates.push((key, KeyReadWrite::Write(Some(value))));
		}
		let start = Instant::now();
		updates.sort_unstable_by_key(|(key, _)| *key);
		nomt.begin_session(SessionParams::default()).finish(updates)?.commit(&nomt)?;
		output.write_all(&(start.elapsed().as_nanos() as u64).to_le_bytes())?;
		output.flush()?;
	}
	Ok(())
}
