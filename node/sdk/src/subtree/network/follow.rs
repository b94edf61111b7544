//! Followed subtrees: what the hub finalised goes to their followers.
//!
//! When a follower starts is for [`CaughtUp`] to say.

use super::{
	caught_up::CaughtUp,
	peers::{Peers, MAX_INPUTS},
	scores::ScoreFile,
	source::offer,
	target::{EngineTarget, FinalisedHeads},
};
use crate::{
	extension::StartContext,
	runtime::{ApiOf, BlockOf, FullClient, NodeRuntime, OffchainStorage},
	subtree::{
		mailbox,
		metrics::SyncMetrics,
		serve::{Running, Served},
		SubtreeApis, SyncJson,
	},
};
use dstp_primitives::{
	api::SubtreeSecurityApi, mailbox::HubView, object::HeadStatus, subtree::SubtreeView, ObjectId,
};
use dstp_state_network::{
	adapter::{self, Input, Progress, ProtocolNames, Providing},
	sync::{Counters, Followed, Phase},
	wire::HeadAnnouncement,
	Follower,
};
use dstp_subtree::EngineOptions;
use parking_lot::Mutex;
use sc_network::service::traits::NetworkService;
use sc_network_sync::SyncingService;
use sc_service::SpawnTaskHandle;
use sp_api::ProvideRuntimeApi;
use sp_blockchain::HeaderBackend;
use sp_consensus::SyncOracle;
use std::{collections::BTreeMap, sync::Arc, time::Duration};

const LOG_TARGET: &str = "dstp";

/// How often the task looks for finalised blocks and new heads.
const TURN: Duration = Duration::from_millis(200);

/// A follower that runs.
struct Task {
	epoch: u64,
	running: Arc<Running>,
	heads: Arc<FinalisedHeads>,
	inputs: async_channel::Sender<Input>,
	/// Number of the last head, once the hub takes no more and until subscribers know.
	last: Option<u64>,
}

/// Watches finality for all followed subtrees, and what there is to announce of all copies.
pub(super) struct Sync<R: NodeRuntime> {
	served: Arc<Served>,
	names: ProtocolNames,
	scores: ScoreFile,
	peers: Arc<Peers>,
	options: EngineOptions,
	provided: async_channel::Sender<Providing>,
	announce: async_channel::Sender<HeadAnnouncement>,
	client: Arc<FullClient<R>>,
	network: Arc<dyn NetworkService>,
	hub: Arc<SyncingService<BlockOf<R>>>,
	storage: OffchainStorage<R>,
	spawn: SpawnTaskHandle,
	metrics: Option<Arc<SyncMetrics>>,
	caught_up: CaughtUp,
	tasks: BTreeMap<ObjectId, Task>,
	/// Registration and number of the newest head that was announced, by subtree.
	announced: BTreeMap<ObjectId, (u64, u64)>,
}

impl<R: NodeRuntime> Sync<R>
where
	ApiOf<R>: SubtreeApis<BlockOf<R>>,
{
	pub(super) fn new(
		served: Arc<Served>,
		names: ProtocolNames,
		scores: ScoreFile,
		peers: Arc<Peers>,
		options: EngineOptions,
		(provided, announce): (
			async_channel::Sender<Providing>,
			async_channel::Sender<HeadAnnouncement>,
		),
		context: &StartContext<R>,
	) -> Self {
		let storage = context.offchain_storage.clone();
		Self {
			caught_up: CaughtUp::new(mailbox::read(&storage).as_ref()),
			served,
			names,
			scores,
			peers,
			options,
			provided,
			announce,
			client: context.client.clone(),
			network: context.network.clone(),
			hub: context.sync.clone(),
			storage,
			spawn: context.spawn.clone(),
			metrics: metrics(context),
			tasks: BTreeMap::new(),
			announced: BTreeMap::new(),
		}
	}

	/// Runs as long as the node.
	pub(super) async fn run(mut self) {
		loop {
			self.watch_finality();
			self.end_closed();
			self.announce();
			self.scores.turn();
			tokio::time::sleep(TURN).await;
		}
	}

	/// Tells the followers of a block that was finalised, once the worker has come as far.
	fn watch_finality(&mut self) {
		let info = self.client.info();
		let (hash, number) = (info.finalized_hash, info.finalized_number);
		let view = || mailbox::read::<HubView>(&self.storage);
		if !self.caught_up.is_news(self.hub.is_major_syncing(), hash, number, view) {
			return;
		}
		let mut told = true;
		for subtree in self.served.followed() {
			match self.client.runtime_api().head(hash, subtree) {
				Ok(Some(view)) => told &= self.tell(number, view),
				Ok(None) => {
					if let Some(task) = self.tasks.get_mut(&subtree) {
						task.last = Some(0);
					}
				},
				Err(error) => {
					log::warn!(target: LOG_TARGET, "the hub does not tell the head of {subtree}: {error}");
					told = false;
				},
			}
		}
		if told {
			self.caught_up.told(hash);
		}
	}

	/// Tells the follower of one subtree, and starts it if it does not run; whether it knows now.
	fn tell(&mut self, number: u32, view: SubtreeView) -> bool {
		let (subtree, epoch) = (view.subtree, view.head.epoch);
		if self.tasks.get(&subtree).is_none_or(|task| task.epoch != epoch) {
			if !self.caught_up.may_start(self.hub.is_major_syncing()) {
				return true;
			}
			if let Some(old) = self.tasks.remove(&subtree) {
				old.inputs.close();
			}
			if let Some(task) = self.start(&view) {
				self.tasks.insert(subtree, task);
			}
		}
		// One that cannot start would fail at each turn; the next finalised block will do.
		let Some(task) = self.tasks.get_mut(&subtree) else { return true };
		task.running.sync.write().hub_seq = view.head.seq;
		// The engine may be busy with the disk: it is waited for only when there is something new.
		if task.running.live.status().being_hosted != view.being_hosted {
			task.running.engine.lock().set_being_hosted(view.being_hosted);
		}
		task.last = (view.status == HeadStatus::Closed).then_some(view.head.seq);
		if let Some(head) = view.last {
			task.heads.insert(head);
		}
		task.inputs.try_send(Input::HubHead(number, view.head)).is_ok()
	}

	fn start(&self, view: &SubtreeView) -> Option<Task> {
		let running = self.served.open(view, &self.options)?;
		let heads = Arc::new(FinalisedHeads::default());
		let target = EngineTarget::new(running.clone(), heads.clone(), view.head.seq > 0);
		let subtree = view.subtree;
		let followed = Followed { genesis: running.identity.genesis, subtree };
		let follower = Follower::new(followed, target, self.scores.scores(), rand::random());
		let follower = follower.map_err(|error| {
			log::error!(target: LOG_TARGET, "subtree {subtree} cannot be followed: {error}");
		});
		let (inputs, receiver) = async_channel::bounded(MAX_INPUTS);
		self.peers.join(subtree, inputs.clone());
		let metrics = self.metrics.clone();
		let shown = Shown { running: running.clone(), metrics, last: Mutex::default() };
		let follow = adapter::follow(
			self.network.clone(),
			self.names.clone(),
			followed,
			follower.ok()?,
			receiver,
			move |progress| shown.take(progress),
		);
		let follow = futures::FutureExt::map(follow, drop);
		// The follower stores what it gets.
		self.spawn.spawn_blocking("subtree-follow", Some("dstp"), follow);
		Some(Task { epoch: view.head.epoch, running, heads, inputs, last: None })
	}

	/// Tells the subscribers of a subtree that the hub has closed or removed, once the last head is here.
	fn end_closed(&mut self) {
		for task in self.tasks.values_mut() {
			let status = task.running.live.status();
			if task.last.is_some_and(|last| status.synced && status.seq >= last) {
				task.last = None;
				task.running.live.end(
					"the subtree is closed or removed on the hub, and nothing more will come; its last head can be read here",
				);
			}
		}
	}

	/// Announces each copy when it is complete, and each of its heads.
	fn announce(&mut self) {
		for running in self.served.running() {
			let (subtree, epoch) = (running.identity.subtree, running.identity.epoch);
			let last = self.announced.get(&subtree).copied();
			if last == Some((epoch, running.reader.kept().1)) {
				continue;
			}
			let Some(offer) = offer(&running) else { continue };
			// A queue that is full belongs to a network that is going down.
			let providing = Providing::Subtree(subtree);
			if last.is_none() && self.provided.try_send(providing).is_err() {
				continue;
			}
			self.announced.insert(subtree, (epoch, offer.served.seq));
			let _ = self.announce.try_send(offer);
		}
	}
}

fn metrics<R: NodeRuntime>(context: &StartContext<R>) -> Option<Arc<SyncMetrics>> {
	let metrics = SyncMetrics::new(context.metrics.as_ref()?);
	let metrics = metrics.map_err(|error| {
		log::warn!(target: LOG_TARGET, "no metrics of followed subtrees: {error}");
	});
	metrics.ok().map(Arc::new)
}

/// Where a follower's progress is shown: `subtree_status`, Prometheus, and the log for what an operator wants to know.
struct Shown {
	running: Arc<Running>,
	metrics: Option<Arc<SyncMetrics>>,
	/// What Prometheus has.
	last: Mutex<Counters>,
}

impl Shown {
	fn take(&self, progress: Progress) {
		let subtree = self.running.identity.subtree;
		match progress {
			Progress::Synced(head) => {
				log::info!(target: LOG_TARGET, "subtree {subtree}: synchronised to head {}", head.seq);
			},
			Progress::Halted(reason) => {
				log::error!(target: LOG_TARGET, "subtree {subtree} is not followed any more: {reason}");
			},
			Progress::Status { phase, providers, counters, .. } => {
				let peers = u32::try_from(providers).unwrap_or(u32::MAX);
				if let Some(metrics) = &self.metrics {
					metrics.report(&subtree, peers, &self.last.lock(), &counters);
					*self.last.lock() = counters;
				}
				self.keep(phase, peers, counters);
			},
		}
	}

	/// Keeps what `subtree_status` shows.
	fn keep(&self, phase: Phase, peers: u32, counters: Counters) {
		let (phase, reason) = match phase {
			Phase::Idle => ("idle", None),
			Phase::Copying(_) => ("copying", None),
			Phase::Following => ("following", None),
			Phase::Halted(reason) => ("halted", Some(reason)),
		};
		let mut sync = self.running.sync.write();
		*sync = SyncJson {
			hub_seq: sync.hub_seq,
			phase: phase.into(),
			reason,
			peers,
			bytes: counters.bytes,
			objects: counters.objects,
			entries: counters.entries,
			batches: counters.batches,
			calls: counters.calls,
			invalid: counters.invalid,
		};
	}
}
