//! A network in which time, loss and order are drawn from a seed.

use crate::{
	hostile::{respond, Behaviour},
	memory::Memory,
	world::{World, FOLLOWED},
};
use dstp_primitives::head::HeadState;
use dstp_state_network::{
	sync::{
		Action, Failure, Follower, Now, Outcome, Phase, RequestId, MAX_HEAD_GAP,
		MAX_IN_FLIGHT_PER_PEER, MAX_PEERS, MAX_TRIES,
	},
	wire::Protocol,
	Admission, Peer, Scores,
};
use rand::{rngs::StdRng, Rng, SeedableRng};
use std::{
	cmp::Reverse,
	collections::{BTreeMap, BinaryHeap},
};

const TICK_MS: u64 = 200;
const IDLE_MS: u64 = 10_000;
/// Scores start at some point of history.
const EPOCH_MS: u64 = 1_700_000_000_000;

/// How bad the links are.
#[derive(Clone, Copy, Debug)]
pub struct LinkPlan {
	/// Percent of requests or answers that vanish.
	pub loss: u32,
	/// Percent of answers that come twice.
	pub duplicates: u32,
	pub latency_ms: u64,
	pub jitter_ms: u64,
}

impl LinkPlan {
	pub const GOOD: Self = Self { loss: 0, duplicates: 0, latency_ms: 20, jitter_ms: 5 };
	pub const BAD: Self = Self { loss: 20, duplicates: 20, latency_ms: 80, jitter_ms: 1500 };
}

pub struct Node {
	pub peer: Peer,
	pub behaviour: Behaviour,
	/// Heads from this many before the newest on are kept.
	pub keeps: u64,
	pub transfers: u32,
	pub invalid: u32,
	pub online: bool,
	/// The transport closes idle connections.
	used_ms: Option<u64>,
	admission: Admission,
}

enum Event {
	Tick,
	Response(RequestId, usize, Vec<u8>),
	Failure(RequestId, Failure),
	Providers,
	HubHead(u32, HeadState),
}

pub struct Network<'a> {
	pub seed: u64,
	pub world: &'a World,
	pub now_ms: u64,
	pub nodes: Vec<Node>,
	pub follower: Follower<Memory>,
	pub scores: Scores,
	pub rng: StdRng,
	pub link: LinkPlan,
	pub synced: Vec<HeadState>,
	pub largest_answer: usize,
	pub requested: BTreeMap<Protocol, u64>,
	/// The newest head that nodes have.
	pub newest: u64,
	events: BinaryHeap<Reverse<(u64, u64)>>,
	queue: BTreeMap<(u64, u64), Event>,
	order: u64,
	hub_number: u32,
}

pub fn peer(number: usize) -> Peer {
	Peer::new((number as u32).to_be_bytes()).unwrap()
}

impl<'a> Network<'a> {
	pub fn new(seed: u64, world: &'a World, behaviours: &[Behaviour], link: LinkPlan) -> Self {
		let scores = Scores::default();
		let follower =
			Follower::new(FOLLOWED, Memory::new(world.archive.clone()), scores.clone(), seed)
				.unwrap();
		let node = |(index, behaviour): (usize, &Behaviour)| Node {
			peer: peer(index),
			behaviour: *behaviour,
			keeps: u64::MAX,
			transfers: 0,
			invalid: 0,
			online: true,
			used_ms: None,
			admission: Admission::default(),
		};
		let mut network = Self {
			seed,
			world,
			now_ms: 0,
			nodes: behaviours.iter().enumerate().map(node).collect(),
			follower,
			scores,
			rng: StdRng::seed_from_u64(seed),
			link,
			synced: Vec::new(),
			largest_answer: 0,
			requested: BTreeMap::new(),
			newest: 0,
			events: BinaryHeap::new(),
			queue: BTreeMap::new(),
			order: 0,
			hub_number: 0,
		};
		network.at(0, Event::Tick);
		network
	}

	fn at(&mut self, delay_ms: u64, event: Event) {
		self.order += 1;
		let key = (self.now_ms + delay_ms, self.order);
		self.events.push(Reverse(key));
		self.queue.insert(key, event);
	}

	pub fn now(&self) -> Now {
		Now { ms: self.now_ms, unix_ms: EPOCH_MS + self.now_ms }
	}

	/// The hub finalises a head of the world after a while; nodes have it from now on.
	pub fn finalise(&mut self, seq: u64, delay_ms: u64) {
		self.newest = self.newest.max(seq);
		self.hub_number += 1;
		let head = self.world.states[seq as usize].clone();
		self.at(delay_ms, Event::HubHead(self.hub_number, head));
	}

	/// The process of the follower ends and starts again on what was written.
	pub fn restart(&mut self, target: Memory) {
		let table = self.scores.lock().to_bytes();
		self.scores =
			Scores::new(dstp_state_network::score::ScoreTable::from_bytes(&table).unwrap());
		self.follower =
			Follower::new(FOLLOWED, target, self.scores.clone(), self.rng.gen()).unwrap();
		let head = self.follower_head();
		self.hub_number += 1;
		self.follower.on_hub_head(self.now(), self.hub_number, head);
		self.carry_out();
	}

	fn follower_head(&self) -> HeadState {
		self.world.states[self.newest as usize].clone()
	}

	/// Lets one thing happen.
	pub fn step(&mut self) {
		let Reverse(key) = self.events.pop().expect("ticks never end");
		self.now_ms = key.0;
		let now = self.now();
		match self.queue.remove(&key).unwrap() {
			Event::Tick => {
				self.follower.tick(now);
				self.at(TICK_MS, Event::Tick);
			},
			Event::Response(id, node, bytes) => {
				let outcome = self.follower.on_response(now, id, &bytes);
				let honest = self.nodes[node].behaviour == Behaviour::Honest;
				assert!(
					!(honest && outcome == Outcome::Invalid),
					"seed {}: an honest node was blamed",
					self.seed
				);
			},
			Event::Failure(id, failure) => {
				self.follower.on_failure(now, id, failure);
			},
			Event::Providers => {
				let all: Vec<_> = self.nodes.iter().map(|node| node.peer.clone()).collect();
				self.follower.on_providers(now, &all);
			},
			Event::HubHead(number, head) => self.follower.on_hub_head(now, number, head),
		}
		self.carry_out();
		self.check_memory();
	}

	/// Runs until the follower stands on the newest head.
	pub fn run_until_synced(&mut self, limit_ms: u64) {
		let end = self.now_ms + limit_ms;
		let goal = self.follower_head();
		while self.follower.local() != Some(&goal) {
			assert!(
				self.now_ms < end,
				"seed {}: not synced after {limit_ms} ms: {:?}, {:?}, {:?}",
				self.seed,
				self.follower.phase(),
				self.follower.counters(),
				self.follower.usage()
			);
			assert!(
				!matches!(self.follower.phase(), Phase::Halted(_)),
				"seed {}: halted",
				self.seed
			);
			self.step();
		}
	}

	pub fn run_for(&mut self, ms: u64) {
		let end = self.now_ms + ms;
		while self.now_ms < end {
			self.step();
		}
	}

	fn check_memory(&self) {
		let usage = self.follower.usage();
		let bounded = usage.peers <= MAX_PEERS
			&& usage.in_flight <= MAX_PEERS * MAX_IN_FLIGHT_PER_PEER as usize
			&& usage.tries <= MAX_TRIES
			&& usage.frames <= 8 * MAX_TRIES + 1
			&& usage.heads as u64 <= MAX_HEAD_GAP + 1
			&& usage.batch_bytes <= 4 << 20;
		assert!(bounded, "seed {}: {usage:?}", self.seed);
	}

	fn carry_out(&mut self) {
		for action in self.follower.take_actions() {
			match action {
				Action::Request { id, peer, protocol, payload, connect, .. } => {
					self.send(id, &peer, protocol, &payload, connect)
				},
				Action::FindProviders => self.at(50, Event::Providers),
				Action::Report { peer, outcome, fault } => {
					let unix_ms = self.now().unix_ms;
					let node = self
						.nodes
						.iter_mut()
						.find(|node| node.peer == peer)
						.expect("only known nodes are judged");
					if outcome == Outcome::Invalid {
						assert!(fault.is_some());
						node.invalid += 1;
						let scores = self.scores.lock();
						assert!(
							scores.points(&peer, unix_ms) < 0 || scores.is_banned(&peer, unix_ms)
						);
					}
				},
				Action::Disconnect(peer) => {
					assert!(self.scores.lock().is_banned(&peer, self.now().unix_ms))
				},
				Action::Synced(head) => self.synced.push(head),
				Action::Halted(_) => {},
			}
		}
	}

	fn send(
		&mut self,
		id: RequestId,
		peer: &Peer,
		protocol: Protocol,
		payload: &[u8],
		connect: bool,
	) {
		*self.requested.entry(protocol).or_default() += 1;
		let index = self
			.nodes
			.iter()
			.position(|node| node.peer == *peer)
			.expect("only known nodes are asked");
		let delay = 2 * self.link.latency_ms + self.rng.gen_range(0..=self.link.jitter_ms);
		if !self.nodes[index].online {
			return self.at(delay, Event::Failure(id, Failure::Unreachable));
		}
		let open = self.nodes[index]
			.used_ms
			.is_some_and(|used| self.now_ms.saturating_sub(used) < IDLE_MS);
		if !open && !connect {
			return self.at(0, Event::Failure(id, Failure::NotConnected));
		}
		self.nodes[index].used_ms = Some(self.now_ms + delay);
		if self.rng.gen_range(0..100) < self.link.loss {
			return;
		}
		let newest = self.newest;
		let now_ms = self.now_ms;
		let node = &mut self.nodes[index];
		let Ok(mut permit) = node.admission.admit(peer, protocol, payload.len(), now_ms) else {
			return self.at(delay, Event::Failure(id, Failure::Refused));
		};
		let kept = (newest.saturating_sub(node.keeps), newest);
		let request = (protocol, payload);
		let answer =
			respond(node.behaviour, self.world, kept, request, node.transfers, &mut self.rng);
		node.transfers += u32::from(protocol == Protocol::Sync);
		node.admission.answered(&mut permit, answer.as_ref().map_or(0, Vec::len), now_ms);
		node.admission.release(permit, true, now_ms);
		let bandwidth =
			if protocol == Protocol::Ctl { 4 << 20 } else { node.behaviour.bandwidth() };
		let Some(bytes) = answer else { return };
		self.largest_answer = self.largest_answer.max(bytes.len());
		let delay = delay + bytes.len() as u64 * 1000 / bandwidth;
		if self.rng.gen_range(0..100) < self.link.duplicates {
			let later = delay + self.rng.gen_range(0..20_000);
			self.at(later, Event::Response(id, index, bytes.clone()));
		}
		self.at(delay, Event::Response(id, index, bytes));
	}
}
