//! Followers that lie behind: what is still to be had, and when a copy starts again.

use crate::{
	geo,
	hostile::Behaviour,
	network::{LinkPlan, Network},
	seeds,
	survive::value,
	world::{key, set, World, EPOCH, SUBTREE},
	LOADED,
};
use dstp_state_network::{
	sync::KEPT_HEADS,
	wire::{HeadAnnouncement, Protocol, Served, Wire},
};
use rand::{rngs::StdRng, Rng, SeedableRng};

/// The history of [`World::geo`] and so many heads more.
fn longer(heads: u64) -> World {
	let mut world = World::geo(3);
	for number in 0..heads {
		world.seal(vec![set("/C0", vec![(key("count"), value(&format!("{number}")))])]);
	}
	world
}

/// Steps until the follower stands on the newest head; at each step these nodes announce a newer head than ever.
fn run_with_announcers(network: &mut Network<'_>, announcers: &[usize], limit_ms: u64) {
	let end = network.now_ms + limit_ms;
	let mut seq = 10_000;
	while !network.follower.is_synced() {
		assert!(network.now_ms < end, "{:?}", network.follower.phase());
		network.step();
		for announcer in announcers {
			seq += 1;
			let served = Served { subtree: SUBTREE, epoch: EPOCH, seq };
			let announcement = HeadAnnouncement { served, hash: Default::default() };
			let (now, peer) = (network.now(), network.nodes[*announcer].peer.clone());
			network.follower.on_announcement(now, &peer, &announcement.to_bytes());
		}
	}
}

/// A follower that is synchronised, and then so many heads behind providers that keep no more than they have to.
fn beyond_the_kept_heads<'a>(world: &'a World, behaviours: &[Behaviour]) -> Network<'a> {
	let mut network = Network::new(1, world, behaviours, LinkPlan::GOOD);
	network.nodes.iter_mut().for_each(|node| node.keeps = KEPT_HEADS - 1);
	let liars_are = |online, network: &mut Network<'_>| {
		let liars = network.nodes.iter_mut().filter(|node| node.behaviour != Behaviour::Honest);
		liars.for_each(|node| node.online = online);
	};
	liars_are(false, &mut network);
	network.finalise(LOADED, 0);
	network.run_until_synced(60_000);
	liars_are(true, &mut network);
	network.run_for(60_000);
	assert_eq!(network.follower.providers(), behaviours.len());
	network.finalise(LOADED + KEPT_HEADS + 50, 0);
	network.run_for(1);
	network
}

/// The first node loses its connection.
fn go_away(network: &mut Network<'_>) {
	network.nodes[0].online = false;
	let (now, peer) = (network.now(), network.nodes[0].peer.clone());
	network.follower.on_peer_disconnected(now, &peer);
}

/// It connects again.
fn come_back(network: &mut Network<'_>) {
	network.nodes[0].online = true;
	let (now, peer) = (network.now(), network.nodes[0].peer.clone());
	network.follower.on_peer_connected(now, &peer);
}

#[test]
fn new_heads_do_not_disturb_a_copy_whose_state_is_still_kept() {
	let world = geo();
	for seed in seeds(10, 500) {
		let mut rng = StdRng::seed_from_u64(seed);
		let mut network = Network::new(seed, world, &[Behaviour::Honest; 2], LinkPlan::GOOD);
		network.finalise(LOADED, 0);
		for seq in LOADED + 1..world.states.len() as u64 {
			let ranges = network.follower.counters().ranges + rng.gen_range(0..20);
			while network.follower.counters().ranges < ranges && !network.follower.is_synced() {
				network.step();
			}
			network.finalise(seq, 0);
		}
		network.run_until_synced(60_000);
		assert_eq!(network.follower.counters().copies, 1, "seed {seed}");
		let mut completed = network.follower.target().completed.clone();
		let count = completed.len();
		completed.sort();
		completed.dedup();
		assert_eq!(completed.len(), count, "seed {seed}: a range came twice");
	}
}

#[test]
fn a_follower_beyond_the_kept_heads_copies_soon() {
	let world = longer(KEPT_HEADS + 50);
	let mut network = Network::new(1, &world, &[Behaviour::Honest; 2], LinkPlan::GOOD);
	network.nodes.iter_mut().for_each(|node| node.keeps = KEPT_HEADS - 1);
	network.finalise(LOADED, 0);
	network.run_until_synced(60_000);
	network.run_for(60_000);
	network.finalise(LOADED + KEPT_HEADS + 50, 0);
	// Not on the word of the first provider alone.
	network.run_for(10_000);
	assert_eq!(network.follower.counters().copies, 1);
	network.run_until_synced(10_000);
	let counters = network.follower.counters();
	assert_eq!((counters.copies, counters.batches, counters.invalid), (2, 0, 0));
	assert!(network.requested[&Protocol::Ctl] > 0);
}

#[test]
fn a_copy_of_a_head_beyond_the_kept_ones_starts_again_soon() {
	let world = longer(KEPT_HEADS + 50);
	let mut network = Network::new(1, &world, &[Behaviour::Honest; 2], LinkPlan::GOOD);
	network.nodes.iter_mut().for_each(|node| node.keeps = KEPT_HEADS - 1);
	network.finalise(LOADED, 0);
	while network.follower.counters().objects < 20 {
		network.step();
	}
	// The process was away while the hub went on.
	let written = network.follower.target().clone();
	network.newest = LOADED + KEPT_HEADS + 50;
	network.restart(written);
	network.run_for(10_000);
	assert_eq!(
		network.follower.counters().copies,
		0,
		"not on the word of the first provider alone"
	);
	network.run_until_synced(15_000);
	assert_eq!((network.follower.counters().copies, network.follower.counters().batches), (1, 0));
}

#[test]
fn a_silent_provider_does_not_stop_a_follower_beyond_the_kept_heads() {
	let world = longer(KEPT_HEADS + 50);
	for silent in 1..4 {
		let mut behaviours = vec![Behaviour::Honest];
		behaviours.extend(vec![Behaviour::Silent; silent]);
		let mut network = beyond_the_kept_heads(&world, &behaviours);
		network.run_until_synced(90_000);
		let counters = network.follower.counters();
		assert_eq!((counters.copies, counters.batches, counters.invalid), (2, 0, 0));
	}
}

#[test]
fn a_silent_provider_does_not_stop_a_copy_of_a_head_beyond_the_kept_ones() {
	let world = longer(KEPT_HEADS + 50);
	for silent in 1..4 {
		let mut behaviours = vec![Behaviour::Honest];
		behaviours.extend(vec![Behaviour::Silent; silent]);
		let mut network = Network::new(1, &world, &behaviours, LinkPlan::GOOD);
		network.nodes.iter_mut().for_each(|node| node.keeps = KEPT_HEADS - 1);
		network.finalise(LOADED, 0);
		while network.follower.counters().objects < 20 {
			network.step();
		}
		let written = network.follower.target().clone();
		network.newest = LOADED + KEPT_HEADS + 50;
		network.restart(written);
		network.run_until_synced(120_000);
		assert_eq!(network.follower.counters().copies, 1);
	}
}

#[test]
fn providers_that_announce_without_end_do_not_stop_a_follower() {
	let world = longer(KEPT_HEADS + 50);
	for behaviour in [Behaviour::Withhold, Behaviour::Silent, Behaviour::AlwaysBusy] {
		let behaviours = [Behaviour::Honest, behaviour, behaviour];
		let mut network = beyond_the_kept_heads(&world, &behaviours);
		run_with_announcers(&mut network, &[1, 2], 90_000);
		assert_eq!(network.follower.counters().copies, 2, "{behaviour:?}");
	}
}

#[test]
fn silence_alone_does_not_throw_a_copy_away() {
	let world = longer(KEPT_HEADS + 50);
	let mut network = beyond_the_kept_heads(&world, &[Behaviour::Honest; 2]);
	// All that is sent is lost: nobody says that the batches are gone.
	let link = std::mem::replace(&mut network.link, LinkPlan { loss: 100, ..LinkPlan::GOOD });
	network.run_for(5 * 60_000);
	assert_eq!(network.follower.counters().copies, 1);
	network.link = link;
	network.run_until_synced(60_000);
	assert_eq!(network.follower.counters().copies, 2);
}

#[test]
fn a_follower_within_the_kept_heads_does_not_throw_its_copy_away_on_the_word_of_a_liar() {
	let world = longer(20);
	let mut network =
		Network::new(1, &world, &[Behaviour::Honest, Behaviour::Withhold], LinkPlan::GOOD);
	network.finalise(LOADED, 0);
	network.run_until_synced(60_000);
	go_away(&mut network);
	network.finalise(LOADED + 20, 0);
	network.run_for(50_000);
	assert_eq!(network.follower.counters().copies, 1);
	come_back(&mut network);
	network.run_until_synced(60_000);
	assert_eq!((network.follower.counters().copies, network.follower.counters().batches), (1, 20));
}

#[test]
fn a_hub_that_goes_on_does_not_keep_a_follower_waiting_for_batches_that_nobody_has() {
	let world = longer(60);
	let mut network = Network::new(1, &world, &[Behaviour::Honest], LinkPlan::GOOD);
	network.finalise(LOADED, 0);
	network.run_until_synced(60_000);
	// The only provider copied the state two heads ago: what came before it has not got.
	network.nodes[0].keeps = 2;
	network.finalise(LOADED + 10, 0);
	for seq in 11..=30 {
		network.run_for(6_000);
		network.finalise(LOADED + seq, 0);
	}
	network.run_until_synced(10_000);
	assert_eq!(network.follower.counters().copies, 2);
}

#[test]
fn heads_that_lead_no_further_back_are_no_progress() {
	let world = longer(60);
	let mut network = Network::new(1, &world, &[Behaviour::Honest], LinkPlan::GOOD);
	network.finalise(LOADED, 0);
	network.run_until_synced(60_000);
	network.nodes[0].keeps = 2;
	network.finalise(LOADED + 10, 0);
	// The hub finalises two heads at a time, and the provider gives the one between.
	for step in 1..=20 {
		network.run_for(6_000);
		network.finalise(LOADED + 10 + 2 * step, 0);
	}
	network.run_until_synced(10_000);
	assert_eq!(network.follower.counters().copies, 2);
}

#[test]
fn a_liar_does_not_make_a_copy_start_again_while_the_honest_provider_is_away() {
	let world = geo();
	for seed in seeds(5, 100) {
		let behaviours = [Behaviour::Honest, Behaviour::Withhold];
		let mut network = Network::new(seed, world, &behaviours, LinkPlan::GOOD);
		network.finalise(LOADED, 0);
		while network.follower.counters().objects < 20 {
			network.step();
		}
		go_away(&mut network);
		network.finalise(LOADED + 1, 0);
		network.run_for(20_000);
		come_back(&mut network);
		network.run_until_synced(60_000);
		assert_eq!(network.follower.counters().copies, 1, "seed {seed}");
	}
}

#[test]
fn a_provider_that_comes_back_under_another_key_is_used() {
	let world = geo();
	for seed in seeds(5, 100) {
		let mut network = Network::new(seed, world, &[Behaviour::Honest; 2], LinkPlan::GOOD);
		network.nodes[1].online = false;
		network.finalise(LOADED, 0);
		while network.follower.counters().objects < 20 {
			network.step();
		}
		network.nodes[0].online = false;
		network.run_for(5_000);
		network.nodes[1].online = true;
		network.run_until_synced(5 * 60_000);
		assert_eq!(network.follower.counters().copies, 1, "seed {seed}");
	}
}
