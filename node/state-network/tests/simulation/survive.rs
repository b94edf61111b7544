//! What a follower must survive, one test per attack or accident.

use crate::{
	geo,
	hostile::Behaviour,
	network::{peer, LinkPlan, Network},
	seeds,
	world::{alice, create, key, path, set, World, EPOCH, FOLLOWED, SUBTREE},
	LOADED,
};
use dstp_primitives::{
	call::Call,
	head::HeadState,
	proof::{Query, TrustedRoot},
	Value,
};
use dstp_state_network::{
	server::answer,
	sync::{check_proof, Action, Failure, Fault, Follower, Now, Outcome, Phase, Target, MAX_PEERS},
	wire::{Protocol, SyncRequest, SyncResponse, Wire, XferRequest, XferResponse},
	Scores,
};
use rand::{rngs::StdRng, Rng, SeedableRng};

pub(crate) fn value(text: &str) -> Value {
	Value::try_from(text.as_bytes().to_vec()).unwrap()
}

// 1. Forged, stale and foreign data.

#[test]
fn every_flipped_bit_of_an_answer_is_noticed() {
	let world = geo();
	let mut rng = StdRng::seed_from_u64(5);
	let mut memory = crate::memory::Memory::new(world.archive.clone());
	let mut blamed = 0;
	for round in 0..300 {
		let mut follower = Follower::new(FOLLOWED, memory, Scores::default(), round).unwrap();
		let (now, newest) = (Now::default(), LOADED);
		follower.on_providers(now, &[peer(1)]);
		follower.on_hub_head(now, 1, world.states[newest as usize].clone());
		for _ in 0..20 {
			let Some(Action::Request { id, protocol, payload, .. }) =
				follower.take_actions().into_iter().find(is_request)
			else {
				break;
			};
			let mut bytes = answer(&world.copy(0, newest), protocol, &payload).unwrap();
			if protocol == Protocol::Sync {
				let at = rng.gen_range(0..bytes.len());
				bytes[at] ^= 1 << rng.gen_range(0..8);
				// What is stored is compared with the truth by the target.
				let outcome = follower.on_response(now, id, &bytes);
				assert_ne!(outcome, Outcome::Complete, "a flipped bit at {at} went unnoticed");
				blamed += u32::from(outcome == Outcome::Invalid);
				break;
			}
			follower.on_response(now, id, &bytes);
		}
		memory = follower.into_target();
	}
	// A flip of the kind of the answer can make a refusal of it; everything else is a lie.
	assert!(blamed > 290, "{blamed}");
}

fn is_request(action: &Action) -> bool {
	matches!(action, Action::Request { .. })
}

#[test]
fn a_proof_of_another_question_root_or_state_is_refused() {
	let world = geo();
	let query = Query {
		path: path("/C1/S1"),
		fields: vec![key("city 1"), key("none")].try_into().unwrap(),
		..Default::default()
	};
	let request =
		XferRequest::Proof { subtree: SUBTREE, epoch: EPOCH, seq: LOADED, query: query.clone() };
	let bytes = answer(&world.copy(0, LOADED), Protocol::Xfer, &request.to_bytes()).unwrap();
	let Ok(XferResponse::Proof(proof)) = XferResponse::from_bytes(&bytes) else {
		panic!("not served")
	};
	let root =
		|seq: u64| TrustedRoot { object: SUBTREE, root: world.states[seq as usize].state_root };
	let proven = check_proof((*proof).clone(), &query, root(LOADED)).unwrap();
	let fields = &proven.answer().object.as_ref().unwrap().fields;
	assert!(fields[0].1.is_some() && fields[1].1.is_none());
	assert_eq!(
		check_proof((*proof).clone(), &query, root(LOADED - 1)).err(),
		Some(Fault::BadProof)
	);
	let other = Query { path: path("/C1/S2"), ..query.clone() };
	assert_eq!(check_proof((*proof).clone(), &other, root(LOADED)).err(), Some(Fault::BadProof));
	let mut longer = *proof;
	longer.nodes.push(longer.nodes[0].clone());
	assert_eq!(check_proof(longer, &query, root(LOADED)).err(), Some(Fault::BadProof));
}

#[test]
fn a_forked_or_forged_head_is_never_followed() {
	let mut fork = World::geo(1);
	let mut rng = StdRng::seed_from_u64(77);
	(0..3).for_each(|_| fork.change(&mut rng));
	let world = geo();
	assert_eq!(fork.states[LOADED as usize], world.states[LOADED as usize]);
	assert_ne!(fork.states[LOADED as usize + 1], world.states[LOADED as usize + 1]);
	let mut network = Network::new(1, world, &[Behaviour::Honest], LinkPlan::GOOD);
	network.finalise(LOADED, 0);
	network.run_until_synced(60_000);
	let now = network.now();
	network.follower.on_hub_head(now, 50, world.states[LOADED as usize + 3].clone());
	let mut refused = 0;
	for _ in 0..4 {
		for action in network.follower.take_actions() {
			let Action::Request { id, protocol, payload, .. } = action else { continue };
			let bytes = answer(&fork.copy(0, LOADED + 3), protocol, &payload).unwrap();
			refused += u32::from(network.follower.on_response(now, id, &bytes) == Outcome::Invalid);
		}
	}
	assert!(refused > 0);
	assert_eq!(network.follower.local(), Some(&world.states[LOADED as usize]));
}

#[test]
fn a_genuine_head_with_other_entries_is_refused() {
	let world = geo();
	let mut network = Network::new(1, world, &[Behaviour::Honest], LinkPlan::GOOD);
	network.finalise(LOADED, 0);
	network.run_until_synced(60_000);
	let now = network.now();
	network.follower.on_hub_head(now, 50, world.states[LOADED as usize + 1].clone());
	let request = network.follower.take_actions().into_iter().find(is_request);
	let Some(Action::Request { id, protocol, payload, .. }) = request else { panic!("not asked") };
	let bytes = answer(&world.copy(0, LOADED + 1), protocol, &payload).unwrap();
	let Ok(SyncResponse::Batch(head, mut entries)) = SyncResponse::from_bytes(&bytes) else {
		panic!("not served")
	};
	entries[0].time_ms += 1;
	let forged = SyncResponse::Batch(head, entries).to_bytes();
	assert_eq!(network.follower.on_response(now, id, &forged), Outcome::Invalid);
	assert_eq!(network.follower.local(), Some(&world.states[LOADED as usize]));
}

// 2. A subtree that returns to an earlier state.

#[test]
fn a_subtree_that_reverts_ends_in_its_newest_head() {
	let mut world = World::geo(1);
	let recreate = || {
		vec![
			create("/", "back"),
			set("/back", vec![(key("a"), value("1")), (key("b"), value("2"))]),
			create("/back", "inner"),
		]
	};
	world.seal(recreate());
	let first = world.newest().clone();
	world.seal(vec![Call::RemoveRecursive { object: path("/back") }]);
	world.seal(recreate());
	world.seal(vec![Call::Transfer { object: path("/back"), to: alice() }]);
	let last = world.newest().seq;
	for seed in seeds(10, 1000) {
		let mut rng = StdRng::seed_from_u64(seed);
		let mut network =
			Network::new(seed, &world, &[Behaviour::Honest, Behaviour::StaleRoot], LinkPlan::BAD);
		network.nodes[0].keeps = rng.gen_range(0..3);
		network.finalise(first.seq, 0);
		for seq in first.seq + 1..=last {
			// Some come while the copy goes on, and out of order.
			network.finalise(seq, rng.gen_range(0..30_000));
		}
		network.run_until_synced(60 * 60_000);
		assert_eq!(network.follower.local(), Some(world.newest()), "seed {seed}");
	}
}

#[test]
fn an_older_hub_block_never_brings_an_older_head_back() {
	let world = geo();
	let mut network = Network::new(1, world, &[Behaviour::Honest], LinkPlan::GOOD);
	network.finalise(LOADED + 1, 0);
	network.run_until_synced(60_000);
	let now = network.now();
	network.follower.on_hub_head(now, 1, world.states[LOADED as usize].clone());
	network.run_for(10_000);
	assert_eq!(network.follower.local(), Some(&world.states[LOADED as usize + 1]));
	assert_eq!(network.follower.counters().copies, 1);
}

// 3. Accept, then drop; serve some, withhold some.

#[test]
fn withholding_and_silent_nodes_only_delay() {
	let world = geo();
	for seed in seeds(10, 500) {
		let mut behaviours = vec![Behaviour::Withhold; 10];
		behaviours.extend([Behaviour::WithholdSome; 5]);
		behaviours.extend([Behaviour::Silent; 10]);
		behaviours.push(Behaviour::Honest);
		let mut network = Network::new(seed, world, &behaviours, LinkPlan::GOOD);
		network.finalise(LOADED, 0);
		network.run_until_synced(10 * 60_000);
		assert!(network.nodes.iter().all(|node| node.invalid == 0), "seed {seed}");
	}
}

#[test]
fn a_state_that_nobody_keeps_is_replaced_by_the_newest_and_what_is_valid_stays() {
	let mut world = World::wide(1000);
	world.seal(vec![set("/5", vec![(key("number"), value("changed"))])]);
	for seed in seeds(3, 100) {
		let mut network =
			Network::new(seed, &world, &[Behaviour::Honest, Behaviour::Withhold], LinkPlan::GOOD);
		network.nodes[0].keeps = 0;
		network.finalise(0, 0);
		while network.follower.counters().objects < 400 {
			network.step();
		}
		network.finalise(1, 0);
		network.run_until_synced(10 * 60_000);
		assert_eq!(network.follower.counters().copies, 2);
		// Only the root and the object that changed come again.
		let completed = network.follower.target().completed.len();
		assert!(completed <= 1_001 + 2, "seed {seed}: {completed}");
	}
}

// 5. Lengths, bombs, slowness.

#[test]
fn oversized_bombs_and_slow_answers_leave_memory_flat() {
	let world = geo();
	let behaviours = [
		Behaviour::Oversized,
		Behaviour::HugeLength,
		Behaviour::Bomb,
		Behaviour::Trickle,
		Behaviour::Silent,
	];
	let mut behaviours: Vec<_> = behaviours.iter().cycle().take(MAX_PEERS - 1).copied().collect();
	behaviours.push(Behaviour::Honest);
	let mut network = Network::new(11, world, &behaviours, LinkPlan::GOOD);
	network.finalise(LOADED, 0);
	network.run_until_synced(30 * 60_000);
	assert!(network.largest_answer > 2 << 20);
}

#[test]
fn a_single_entry_at_a_time_is_a_fault() {
	let mut network =
		Network::new(1, geo(), &[Behaviour::Short, Behaviour::Honest], LinkPlan::GOOD);
	network.finalise(LOADED, 0);
	network.run_until_synced(60_000);
	assert!(network.nodes[0].invalid > 0);
}

#[test]
fn the_batch_that_takes_most_memory_still_decodes() {
	let mut world = World::empty();
	let fields: Vec<_> = (0..=255u8)
		.map(|byte| (dstp_primitives::Key::new(vec![byte]).unwrap(), Value::default()))
		.collect();
	world.seal((0..900).map(|_| set("/", fields.clone())).collect());
	let request = SyncRequest::Batch { subtree: SUBTREE, epoch: EPOCH, seq: 1 };
	let bytes = answer(&world.copy(0, 1), Protocol::Sync, &request.to_bytes()).unwrap();
	assert!(matches!(SyncResponse::from_bytes(&bytes), Ok(SyncResponse::Batch(..))));
}

// 6. Cold peers, black holes, restarts.

#[test]
fn a_cold_peer_is_dialled_by_one_request_at_a_time() {
	let mut follower = Follower::new(
		FOLLOWED,
		crate::memory::Memory::new(geo().archive.clone()),
		Scores::default(),
		1,
	)
	.unwrap();
	let now = |ms| Now { ms, unix_ms: ms };
	follower.on_hub_head(now(0), 1, geo().states[1].clone());
	for _ in 0..5 {
		follower.on_providers(now(0), &[peer(1)]);
		follower.on_peer_connected(now(0), &peer(1));
	}
	let requests: Vec<_> = follower.take_actions().into_iter().filter(is_request).collect();
	assert!(matches!(
		requests[..],
		[Action::Request { connect: true, protocol: Protocol::Ctl, .. }]
	));
	// The dial vanishes: the own time limit ends it, and the next one waits.
	follower.tick(now(1_999));
	assert!(!follower.take_actions().iter().any(is_request));
	follower.tick(now(2_000));
	assert!(!follower.take_actions().iter().any(is_request));
	follower.tick(now(10_000));
	assert_eq!(follower.take_actions().iter().filter(|action| is_request(action)).count(), 1);
}

#[test]
fn ten_thousand_false_providers_do_not_fill_memory_nor_flood_the_network() {
	let world = geo();
	let mut follower = Follower::new(
		FOLLOWED,
		crate::memory::Memory::new(world.archive.clone()),
		Scores::default(),
		1,
	)
	.unwrap();
	let mut out = std::collections::BTreeMap::new();
	let mut greeted = 0;
	for ms in (0..20_000u64).step_by(100) {
		let now = Now { ms, unix_ms: ms };
		let all: Vec<_> = (0..10_000).map(|number| peer(number + ms as usize)).collect();
		follower.on_providers(now, &all);
		follower.tick(now);
		for action in follower.take_actions() {
			if let Action::Request { id, .. } = action {
				greeted += 1;
				out.insert(id, ms);
			}
		}
		let refused: Vec<_> =
			out.iter().filter(|(_, sent)| **sent + 300 < ms).map(|(id, _)| *id).collect();
		for id in refused {
			out.remove(&id);
			follower.on_failure(now, id, Failure::Unreachable);
		}
		assert!(follower.usage().peers <= MAX_PEERS);
	}
	assert!(greeted < 300, "{greeted}");
}

#[test]
fn a_provider_that_restarts_mid_transfer_is_used_again() {
	let world = geo();
	for seed in seeds(10, 200) {
		let mut network = Network::new(seed, world, &[Behaviour::Honest], LinkPlan::GOOD);
		network.finalise(LOADED, 0);
		while network.follower.counters().objects < 20 {
			network.step();
		}
		network.nodes[0].online = false;
		let now = network.now();
		network.follower.on_peer_disconnected(now, &peer(0));
		network.run_for(30_000);
		network.nodes[0].online = true;
		network.run_until_synced(10 * 60_000);
		assert_eq!(network.follower.counters().copies, 1);
	}
}

// 9. Crashes, full disks, skewed clocks.

#[test]
fn a_restart_in_the_middle_fetches_nothing_twice() {
	let world = geo();
	for seed in seeds(20, 1000) {
		let mut rng = StdRng::seed_from_u64(seed);
		let mut network =
			Network::new(seed, world, &[Behaviour::Honest, Behaviour::ForgeMiddle], LinkPlan::GOOD);
		network.finalise(LOADED, 0);
		for _ in 0..3 {
			let goal = network.follower.counters().ranges + rng.gen_range(1..60);
			while network.follower.counters().ranges < goal && !network.follower.is_synced() {
				network.step();
			}
			let target = network.follower.target().clone();
			network.restart(target);
		}
		network.run_until_synced(10 * 60_000);
		let mut completed = network.follower.target().completed.clone();
		let count = completed.len();
		completed.sort();
		completed.dedup();
		assert_eq!(completed.len(), count, "seed {seed}: a complete trie came again");
	}
}

#[test]
fn a_crash_that_loses_the_last_writes_is_repaired() {
	let world = geo();
	for seed in seeds(10, 500) {
		let mut rng = StdRng::seed_from_u64(seed);
		let mut network = Network::new(seed, world, &[Behaviour::Honest], LinkPlan::BAD);
		network.finalise(LOADED, 0);
		let mut snapshot = network.follower.target().clone();
		for round in 0..100 {
			if network.follower.is_synced() {
				break;
			}
			(0..rng.gen_range(1..40)).for_each(|_| network.step());
			match round % 5 {
				2 => snapshot = network.follower.target().clone(),
				4 => network.restart(snapshot.clone()),
				_ => {},
			}
		}
		network.run_until_synced(60 * 60_000);
	}
}

#[test]
fn a_full_disk_delays_and_loses_nothing() {
	let world = geo();
	for seed in seeds(10, 500) {
		let mut rng = StdRng::seed_from_u64(seed);
		let mut network = Network::new(seed, world, &[Behaviour::Honest], LinkPlan::GOOD);
		network.finalise(LOADED, 0);
		network.finalise(LOADED + 3, 5_000);
		for _ in 0..8 {
			let mut target = network.follower.target().clone();
			target.failures = rng.gen_range(0..4);
			network.restart(target);
			(0..rng.gen_range(1..60)).for_each(|_| network.step());
		}
		network.run_until_synced(60 * 60_000);
		assert_eq!(network.nodes[0].invalid, 0);
	}
}

#[test]
fn a_clock_that_jumps_does_not_stop_the_follower() {
	let world = geo();
	let mut follower = Follower::new(
		FOLLOWED,
		crate::memory::Memory::new(world.archive.clone()),
		Scores::default(),
		1,
	)
	.unwrap();
	follower.on_hub_head(
		Now { ms: 0, unix_ms: u64::MAX },
		1,
		world.states[LOADED as usize].clone(),
	);
	follower.on_providers(Now { ms: 0, unix_ms: u64::MAX }, &[peer(1)]);
	for round in 0..10_000u64 {
		let now = Now { ms: round * 10, unix_ms: if round % 2 == 0 { 0 } else { u64::MAX } };
		follower.tick(now);
		for action in follower.take_actions() {
			let Action::Request { id, protocol, payload, .. } = action else { continue };
			let bytes = answer(&world.copy(0, LOADED), protocol, &payload).unwrap();
			follower.on_response(now, id, &bytes);
		}
		if follower.is_synced() {
			return;
		}
	}
	panic!("not synced: {:?}", follower.phase());
}

// What the hub finalised cannot be executed here.

#[test]
fn a_batch_that_executes_differently_halts_until_the_hub_shows_another_era() {
	let world = geo();
	let mut network = Network::new(1, world, &[Behaviour::Honest], LinkPlan::GOOD);
	network.finalise(LOADED, 0);
	network.run_until_synced(60_000);
	let mut target = network.follower.target().clone();
	target.diverge_at = Some(LOADED + 2);
	network.restart(target);
	network.finalise(LOADED + 3, 0);
	network.run_for(20_000);
	assert!(matches!(network.follower.phase(), Phase::Halted(_)));
	assert_eq!(network.nodes[0].invalid, 0);
	assert_eq!(network.follower.target().head().unwrap().map(|head| head.seq), Some(LOADED + 1));
	let next = HeadState { era: 1, ..world.states[LOADED as usize + 4].clone() };
	let now = network.now();
	network.follower.on_hub_head(now, 100, next);
	assert!(matches!(network.follower.phase(), Phase::Copying(_)));
}

// Scale.

#[test]
fn five_thousand_child_tries_come_with_few_requests_and_little_memory() {
	let world = World::wide(5_000);
	let mut network =
		Network::new(1, &world, &[Behaviour::Honest, Behaviour::Honest], LinkPlan::GOOD);
	network.finalise(0, 0);
	let mut restarts = 0;
	while !network.follower.is_synced() {
		network.step();
		if network.follower.counters().objects > 2_000 && restarts == 0 {
			restarts += 1;
			let target = network.follower.target().clone();
			network.restart(target);
		}
		assert!(network.now_ms < 600_000, "{:?}", network.follower.usage());
	}
	let target = network.follower.target();
	assert_eq!(target.completed.len(), 5_001);
	assert!(target.largest_resume < 64 * 1024, "{}", target.largest_resume);
	let requests = network.requested[&Protocol::Sync];
	assert!(requests < 250, "{requests}");
}

#[test]
fn a_follower_far_behind_catches_up_head_by_head() {
	let mut world = World::geo(3);
	for number in 0..600 {
		world.seal(vec![set("/C0", vec![(key("count"), value(&format!("{number}")))])]);
	}
	let mut network =
		Network::new(1, &world, &[Behaviour::Honest, Behaviour::ForgeMiddle], LinkPlan::GOOD);
	network.finalise(LOADED, 0);
	network.run_until_synced(60_000);
	network.finalise(LOADED + 600, 0);
	network.run_until_synced(30 * 60_000);
	let counters = network.follower.counters();
	assert_eq!((counters.batches, counters.copies), (600, 1));
}
