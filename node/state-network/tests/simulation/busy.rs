//! Several followers in one node, whose requests count together at a provider.

use crate::{
	geo,
	memory::Memory,
	network::peer,
	seeds,
	world::{World, FOLLOWED},
	LOADED,
};
use dstp_state_network::{
	server::{answer, busy, Permit},
	sync::{Action, Failure, Follower, Now, Outcome, RequestId},
	wire::Protocol,
	Admission, Peer, Scores,
};
use rand::{rngs::StdRng, Rng, SeedableRng};
use std::collections::BTreeMap;

const TICK_MS: u64 = 200;

enum Event {
	Tick,
	/// A request of a follower arrives at the provider.
	Arrives(usize, RequestId, Protocol, Vec<u8>),
	/// The answer is sent.
	Sent(usize, RequestId, Permit, Vec<u8>),
	/// It arrives, or nothing does.
	Answered(usize, RequestId, Option<Vec<u8>>),
}

/// A node with followers, and one honest provider that takes a while for each answer.
struct Net<'a> {
	world: &'a World,
	now_ms: u64,
	rng: StdRng,
	followers: Vec<Follower<Memory>>,
	scores: Scores,
	admission: Admission,
	events: BTreeMap<(u64, u64), Event>,
	order: u64,
	refused: u32,
}

/// The provider.
fn provider() -> Peer {
	peer(1)
}

impl<'a> Net<'a> {
	fn new(seed: u64, world: &'a World, followers: usize) -> Self {
		let scores = Scores::default();
		let follower = |index| {
			let target = Memory::new(world.archive.clone());
			let mut follower = Follower::new(FOLLOWED, target, scores.clone(), index).unwrap();
			follower.on_hub_head(Now::default(), 1, world.states[LOADED as usize].clone());
			follower.on_providers(Now::default(), &[provider()]);
			follower
		};
		let mut net = Self {
			world,
			now_ms: 0,
			rng: StdRng::seed_from_u64(seed),
			followers: (0..followers as u64).map(follower).collect(),
			scores: scores.clone(),
			admission: Admission::default(),
			events: BTreeMap::new(),
			order: 0,
			refused: 0,
		};
		net.at(0, Event::Tick);
		net
	}

	fn at(&mut self, delay_ms: u64, event: Event) {
		self.order += 1;
		self.events.insert((self.now_ms + delay_ms, self.order), event);
	}

	fn step(&mut self) {
		let ((now_ms, _), event) = self.events.pop_first().expect("ticks never end");
		self.now_ms = now_ms;
		let now = Now { ms: now_ms, unix_ms: now_ms };
		let link_ms = self.rng.gen_range(5..15);
		match event {
			Event::Tick => {
				self.followers.iter_mut().for_each(|follower| follower.tick(now));
				self.at(TICK_MS, Event::Tick);
			},
			Event::Arrives(of, id, protocol, payload) => {
				let asker = peer(0);
				match self.admission.admit(&asker, protocol, payload.len(), now_ms) {
					Ok(mut permit) => {
						let copy = self.world.copy(0, LOADED);
						let bytes = answer(&copy, protocol, &payload).unwrap();
						self.admission.answered(&mut permit, bytes.len(), now_ms);
						let work_ms = self.rng.gen_range(50..200);
						self.at(work_ms, Event::Sent(of, id, permit, bytes));
					},
					Err(_) => {
						self.refused += 1;
						let told = self.admission.refuse(&asker, now_ms);
						let told = told.map(|permit| self.admission.release(permit, true, now_ms));
						let refusal = told.map(|()| busy(protocol));
						self.at(link_ms, Event::Answered(of, id, refusal));
					},
				}
			},
			Event::Sent(of, id, permit, bytes) => {
				self.admission.release(permit, true, now_ms);
				self.at(link_ms, Event::Answered(of, id, Some(bytes)));
			},
			Event::Answered(of, id, Some(bytes)) => {
				let outcome = self.followers[of].on_response(now, id, &bytes);
				assert_ne!(outcome, Outcome::Invalid);
			},
			Event::Answered(of, id, None) => {
				self.followers[of].on_failure(now, id, Failure::Refused);
			},
		}
		for of in 0..self.followers.len() {
			for action in self.followers[of].take_actions() {
				if let Action::Request { id, protocol, payload, .. } = action {
					let link_ms = self.rng.gen_range(5..15);
					self.at(link_ms, Event::Arrives(of, id, protocol, payload));
				}
			}
		}
	}
}

#[test]
fn an_honest_provider_of_several_subtrees_is_not_blamed_for_being_busy() {
	for seed in seeds(5, 200) {
		for followers in [3, 6] {
			let mut net = Net::new(seed, geo(), followers);
			while !net.followers.iter().all(|follower| follower.is_synced()) {
				net.step();
				let points = net.scores.lock().points(&provider(), net.now_ms);
				assert!(points >= 0, "seed {seed}: blamed after {} ms: {points}", net.now_ms);
				assert!(net.now_ms < 60_000, "seed {seed}: {followers} are not served");
			}
			assert!(net.refused > 0, "seed {seed}: never busy");
		}
	}
}
