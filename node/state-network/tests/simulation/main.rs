//! Followers in a simulated network. Every run is decided by its seed, which a failing assertion names; `DSTP_SEED=n` runs that
//! one alone, `DSTP_LONG=1` many more.

// Helpers of tests may fail loudly too.
#![allow(clippy::unwrap_used, clippy::type_complexity)]

mod behind;
mod busy;
mod hostile;
mod memory;
mod network;
mod survive;
mod wire_damage;
mod wire_vectors;
mod world;

use hostile::{Behaviour, HOSTILE, LIARS};
use network::{LinkPlan, Network};
use rand::{rngs::StdRng, seq::SliceRandom, Rng, SeedableRng};
use std::sync::OnceLock;
use world::World;

/// One history for all runs that change nothing: 13 heads, and ten more with small changes.
pub(crate) fn geo() -> &'static World {
	static WORLD: OnceLock<World> = OnceLock::new();
	WORLD.get_or_init(|| {
		let mut world = World::geo(1);
		let mut rng = StdRng::seed_from_u64(2);
		(0..10).for_each(|_| world.change(&mut rng));
		world
	})
}

/// The number of the last head of [`geo`] before the small changes.
pub(crate) const LOADED: u64 = 13;

pub(crate) fn seeds(short: u64, long: u64) -> impl Iterator<Item = u64> {
	let one = std::env::var("DSTP_SEED").ok().and_then(|seed| seed.parse().ok());
	let count = if std::env::var("DSTP_LONG").is_ok() { long } else { short };
	let (start, end) = one.map_or((0, count), |seed: u64| (seed, seed + 1));
	start..end
}

#[test]
fn a_fresh_follower_copies_everything_and_then_follows_batch_by_batch() {
	let world = geo();
	let mut network = Network::new(0, world, &[Behaviour::Honest], LinkPlan::GOOD);
	network.finalise(LOADED, 0);
	network.run_until_synced(60_000);
	assert_eq!(network.follower.counters().batches, 0);
	for seq in LOADED + 1..world.states.len() as u64 {
		network.finalise(seq, 0);
		network.run_until_synced(10_000);
	}
	let counters = network.follower.counters();
	assert_eq!(counters.batches, world.states.len() as u64 - 1 - LOADED);
	assert_eq!((counters.copies, counters.invalid, counters.timeouts), (1, 0, 0));
	network.run_for(1000);
	assert_eq!(network.synced.last(), Some(world.newest()));
}

#[test]
fn one_honest_provider_suffices_against_any_mix() {
	let world = geo();
	for seed in seeds(60, 20_000) {
		let mut rng = StdRng::seed_from_u64(seed);
		let mut behaviours = vec![Behaviour::Honest];
		behaviours.extend((0..rng.gen_range(1..10)).map(|_| *HOSTILE.choose(&mut rng).unwrap()));
		behaviours.shuffle(&mut rng);
		let link = if rng.gen() { LinkPlan::GOOD } else { LinkPlan::BAD };
		let mut network = Network::new(seed, world, &behaviours, link);
		network.finalise(LOADED, 0);
		for seq in LOADED + 1..=LOADED + 5 {
			network.finalise(seq, rng.gen_range(0..60_000));
		}
		network.run_until_synced(60 * 60_000);
		for node in &network.nodes {
			let lied = LIARS.contains(&node.behaviour) && node.transfers > 1 && link.loss == 0;
			// A late lie may still be under way when the follower is done.
			assert!(!lied || node.invalid > 0, "seed {seed}: {:?} was not blamed", node.behaviour);
		}
	}
}

#[test]
fn every_kind_of_hostile_node_alone_beside_an_honest_one() {
	let world = geo();
	for behaviour in HOSTILE {
		let mut network = Network::new(7, world, &[behaviour, Behaviour::Honest], LinkPlan::GOOD);
		network.finalise(LOADED, 0);
		network.run_until_synced(10 * 60_000);
		let hostile = &network.nodes[0];
		assert!(hostile.transfers > 0, "{behaviour:?} was never asked");
		let points = network.scores.lock().points(&hostile.peer, network.now().unix_ms);
		match behaviour {
			Behaviour::Withhold | Behaviour::WithholdSome | Behaviour::AlwaysBusy => {
				assert!(points >= 0)
			},
			_ => assert!(points < 0, "{behaviour:?} kept its score: {points}"),
		}
		assert!(network.scores.lock().points(&network.nodes[1].peer, network.now().unix_ms) > 0);
	}
}

#[test]
fn the_same_seed_gives_the_same_run() {
	let run = |seed| {
		let mut network = Network::new(
			seed,
			geo(),
			&[Behaviour::Honest, Behaviour::ForgeOneIn(3)],
			LinkPlan::BAD,
		);
		network.finalise(LOADED, 0);
		network.run_until_synced(60 * 60_000);
		(network.now_ms, network.follower.counters())
	};
	for seed in seeds(3, 100) {
		assert_eq!(run(seed), run(seed), "seed {seed}");
	}
}
