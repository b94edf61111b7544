//! Signed calls through the engine, beside what checking their signatures takes by itself.

use crate::{
	data,
	measure::{cost, interleave, Contender, Pair},
	report::Row,
	Failure, Scale,
};
use codec::Decode;
use dstp_primitives::{call::SignedCall, Path};
use dstp_subtree::{Engine, Role};
use std::path;

/// Calls that share one sync of the log.
const GROUP: usize = 64;

/// Measures the rate.
pub fn run(scale: &Scale, dir: &path::Path) -> Result<Vec<Row>, Failure> {
	let (count, some) = (scale.fields, scale.calls);
	let mut engine = data::engine(&dir.join("engine"), Role::Serve)?;
	data::fill(&mut engine, count)?;
	let first = engine.next_nonce(&data::account())?;
	let rounds: Vec<Vec<Vec<u8>>> = (0..=scale.rounds)
		.map(|round| sign(first, count, some, round))
		.collect::<Result<_, Failure>>()?;
	let mut contenders: [Contender<'_>; 2] = [
		Box::new(|round| cost(|| submit(&mut engine, &rounds[round]))),
		Box::new(|round| cost(|| verify(&rounds[round]))),
	];
	let costs = interleave(scale.rounds, &mut contenders)?;
	let name =
		format!("signed calls through the engine (verify, execute, log synced by {GROUP}, seal)");
	Ok(vec![
		Row::pair(
			format!("{name}, against verifying sr25519 alone"),
			"calls/s",
			Pair::rates(some, &costs[0], &costs[1]),
		),
		Row::pair(
			"the same, with the database's own threads",
			"us CPU per call",
			Pair::cpu_us(some, &costs[0], &costs[1]),
		),
	])
}

fn sign(first: u64, count: usize, some: usize, round: usize) -> Result<Vec<Vec<u8>>, Failure> {
	let first = first + (round * some) as u64;
	let updates = data::updates(count, some, round);
	(first..)
		.zip(updates)
		.map(|(nonce, field)| Ok(data::signed(nonce, data::set_fields(Path::default(), &[field])?)))
		.collect()
}

fn submit(engine: &mut Engine, calls: &[Vec<u8>]) -> Result<(), Failure> {
	let gate = engine.gate();
	for group in calls.chunks(GROUP) {
		let checked = group.iter().map(|bytes| Ok(gate.check(bytes, data::hub().number)?));
		let checked = checked.collect::<Result<Vec<_>, Failure>>()?;
		for call in checked {
			engine.enqueue(call, data::hub(), 1)?;
		}
		engine.flush()?;
		engine.seal(1)?;
	}
	data::execute(engine, Vec::new(), GROUP)
}

fn verify(calls: &[Vec<u8>]) -> Result<(), Failure> {
	for bytes in calls {
		let call = SignedCall::decode(&mut &bytes[..])?;
		if !call.signature.verify(&call.payload.signing_bytes(), &call.payload.signer) {
			return Err("a signature does not hold".into());
		}
	}
	Ok(())
}
