//! Clocks, and pairs of figures.
//!
//! Contenders take turns on the same input (A B A B ...), and each turn's ratio is taken by itself: what slows the machine for a
//! while slows both. Between turns the databases' own threads come to rest, so that nobody pays for the work of another.

use crate::Failure;
use cpu_time::ProcessTime;
use std::time::{Duration, Instant};

/// What a piece of work took.
#[derive(Clone, Copy, Default)]
pub struct Cost {
	/// From its start to its end.
	pub wall: Duration,
	/// Of all threads of this process, until the databases were at rest again.
	pub cpu: Duration,
}

/// Does the work and says what it took.
pub fn cost(work: impl FnOnce() -> Result<(), Failure>) -> Result<Cost, Failure> {
	settle();
	let (cpu, wall) = (ProcessTime::now(), Instant::now());
	work()?;
	let wall = wall.elapsed();
	settle();
	Ok(Cost { wall, cpu: cpu.elapsed() })
}

/// How long a step of [`settle`] is, and how much of it may be used while at rest.
const SETTLE_STEP: Duration = Duration::from_millis(20);
const AT_REST: Duration = Duration::from_millis(2);

/// Waits until no thread of this process works any more: databases write what they were given later. At most 20 s.
pub fn settle() {
	let mut quiet = 0;
	for _ in 0..1000 {
		let before = ProcessTime::now();
		std::thread::sleep(SETTLE_STEP);
		quiet = if before.elapsed() < AT_REST { quiet + 1 } else { 0 };
		if quiet == 3 {
			return;
		}
	}
}

/// One contender.
pub type Contender<'a> = Box<dyn FnMut(usize) -> Result<Cost, Failure> + 'a>;

/// Lets all contenders do each round in turn. Gives their costs by contender, then round. The first round warms up and is left
/// out.
pub fn interleave(
	rounds: usize,
	contenders: &mut [Contender<'_>],
) -> Result<Vec<Vec<Cost>>, Failure> {
	let mut costs = vec![Vec::with_capacity(rounds); contenders.len()];
	for round in 0..=rounds {
		for (contender, costs) in contenders.iter_mut().zip(&mut costs) {
			let cost = contender(round)?;
			if round > 0 {
				costs.push(cost);
			}
		}
	}
	Ok(costs)
}

/// Medians of what both showed, and of the ratios round by round.
#[derive(Clone, Copy)]
pub struct Pair {
	/// Ours.
	pub ours: f64,
	/// The peer's.
	pub peer: f64,
	/// Ours by the peer's.
	pub ratio: f64,
}

impl Pair {
	/// From figures of the same rounds.
	pub fn of(ours: &[f64], peer: &[f64]) -> Self {
		let ratios: Vec<f64> = ours.iter().zip(peer).map(|(ours, peer)| ours / peer).collect();
		Self { ours: median(ours), peer: median(peer), ratio: median(&ratios) }
	}

	/// Of amounts per second of wall time.
	pub fn rates(amount: usize, ours: &[Cost], peer: &[Cost]) -> Self {
		let rate = |costs: &[Cost]| -> Vec<f64> {
			costs.iter().map(|cost| amount as f64 / cost.wall.as_secs_f64()).collect()
		};
		Self::of(&rate(ours), &rate(peer))
	}

	/// Of microseconds of processor time per piece.
	pub fn cpu_us(amount: usize, ours: &[Cost], peer: &[Cost]) -> Self {
		let each = |costs: &[Cost]| -> Vec<f64> {
			costs.iter().map(|cost| cost.cpu.as_secs_f64() * 1e6 / amount as f64).collect()
		};
		Self::of(&each(ours), &each(peer))
	}

	/// Of microseconds of wall time per piece.
	pub fn wall_us(amount: usize, ours: &[Cost], peer: &[Cost]) -> Self {
		let each = |costs: &[Cost]| -> Vec<f64> {
			costs.iter().map(|cost| cost.wall.as_secs_f64() * 1e6 / amount as f64).collect()
		};
		Self::of(&each(ours), &each(peer))
	}
}

/// The middle figure; 0 of none.
pub fn median(figures: &[f64]) -> f64 {
	let mut sorted = figures.to_vec();
	sorted.sort_by(f64::total_cmp);
	sorted.get(sorted.len() / 2).copied().unwrap_or_default()
}

/// Most memory that this process ever held at once, in bytes, as Linux counts it.
pub fn peak_memory_bytes() -> Result<u64, Failure> {
	let status = std::fs::read_to_string("/proc/self/status")?;
	let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
	let kib = line.and_then(|line| line.trim().strip_suffix("kB")?.trim().parse::<u64>().ok());
	kib.map(|kib| kib * 1024).ok_or_else(|| "/proc/self/status names no VmHWM".into())
}

#[cfg(test)]
mod tests {
	use super::*;

	#[test]
	fn a_pair_takes_the_median_of_ratios_not_the_ratio_of_medians() {
		let pair = Pair::of(&[1.0, 10.0, 100.0], &[2.0, 10.0, 400.0]);
		assert_eq!((pair.ours, pair.peer, pair.ratio), (10.0, 10.0, 0.5));
	}

	#[test]
	fn the_first_round_is_left_out() {
		let mut rounds = Vec::new();
		let mut contender: [Contender<'_>; 1] = [Box::new(|round| {
			rounds.push(round);
			Ok(Cost::default())
		})];
		assert_eq!(interleave(2, &mut contender).expect("nothing fails")[0].len(), 2);
		drop(contender);
		assert_eq!(rounds, [0, 1, 2]);
	}
}
