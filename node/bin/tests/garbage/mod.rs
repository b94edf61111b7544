//! Garbage from files and clients against the real program: an error with a remedy, never a panic.
//!
//! `DSTP_LONG=1` asks for more cases from a seed of the clock, `DSTP_SEED=<number>` repeats a run. Without them the cases are
//! always the same.

mod chain_spec;
mod data_files;
mod files;
mod limits;
mod parameters;

/// Pseudo-random numbers (xorshift), so that a run can be repeated.
pub struct Random(u64);

impl Random {
	/// Seeded by `DSTP_SEED`, else in the long form by the clock; prints the seed.
	pub fn new(name: &str) -> Self {
		let asked = std::env::var("DSTP_SEED").ok().and_then(|text| text.parse().ok());
		let seed: u64 = asked.unwrap_or_else(|| match long() {
			true => {
				let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
				now.expect("the clock is past 1970").as_nanos() as u64
			},
			// Any with many bits: from a small number the generator gives small ones at first.
			false => 0x9e37_79b9_7f4a_7c15,
		});
		println!("{name}: DSTP_SEED={seed}");
		Self(seed.max(1))
	}

	/// A number below `end`.
	pub fn below(&mut self, end: usize) -> usize {
		self.0 ^= self.0 << 13;
		self.0 ^= self.0 >> 7;
		self.0 ^= self.0 << 17;
		(self.0 % end.max(1) as u64) as usize
	}
}

fn long() -> bool {
	std::env::var("DSTP_LONG").is_ok_and(|value| value == "1")
}

/// How many cases to run.
pub fn cases(short: usize, many: usize) -> usize {
	if long() {
		many
	} else {
		short
	}
}
