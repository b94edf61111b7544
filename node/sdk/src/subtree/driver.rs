//! The task that drives the engines that serve: what the hub knows goes in, heads go out.

use super::{
	hub::{BestBlockAccounts, HubSide, NodeHub},
	live::HubHead,
	metrics::Metrics,
	migrated::Migrations,
	serve::{Running, Served},
	signer::HeadSigner,
	writer, SubtreeApis,
};
use crate::{
	extension::StartContext,
	runtime::{ApiOf, BlockHash, BlockOf, NodeRuntime},
};
use dstp_primitives::{
	batch::HubPin,
	head::Head,
	mailbox::{HubView, Interests, Outbox, OutboxHead, MAX_OUTBOX_HEADS},
	object::HeadStatus,
	subtree::{ModeView, SubtreeView},
};
use dstp_subtree::{AccountLimits, EngineOptions, HubOutcome};
use sp_core::H256;
use sp_keystore::KeystorePtr;
use std::{sync::Arc, time::Duration};

const LOG_TARGET: &str = "dstp";

/// How often the task looks for a new view of the hub and for batches that are due. A fraction of the shortest block time, so
/// that it adds little to the time until a commit.
const TURN: Duration = Duration::from_millis(200);

/// How long one turn brings content from the hub, for all subtrees together, before it looks at everything else again.
const FETCH_BUDGET: Duration = Duration::from_millis(100);

/// Heads per subtree in the outbox: the worker goes on with these while the node is busy.
pub(super) const HEADS_AHEAD: usize = 4;

/// Drives all engines of a node, alone.
pub(super) struct Driver<H> {
	pub served: Arc<Served>,
	pub hub: H,
	pub keystore: KeystorePtr,
	pub signers: Vec<Box<dyn HeadSigner>>,
	pub options: EngineOptions,
	pub metrics: Option<Metrics>,
	/// Block of the last view that was taken in.
	seen: Option<BlockHash>,
	/// Block of the view that an earlier run left, until the worker has run in this one.
	stale: Option<BlockHash>,
	/// The final block that all subtrees know.
	finalised: Option<BlockHash>,
	/// Hashes of the newest heads when the outbox was filled last.
	newest: Vec<H256>,
	/// Subtrees whose content comes from the hub.
	migrations: Migrations,
	/// What stands in the outbox: the state of the mode that it was signed for, and the head.
	outbox: Vec<(Vec<u8>, Head)>,
}

/// Spawns the task that drives the engines.
pub(super) fn spawn<R: NodeRuntime>(
	served: Arc<Served>,
	interests: Interests,
	signers: Vec<Box<dyn HeadSigner>>,
	options: EngineOptions,
	context: &StartContext<R>,
) where
	ApiOf<R>: SubtreeApis<BlockOf<R>>,
{
	let hub = NodeHub::<R>::new(context, &interests);
	if interests.subtrees.is_empty() {
		return;
	}
	let metrics = context.metrics.as_ref().and_then(|registry| {
		let metrics = Metrics::new(registry);
		metrics
			.map_err(|error| log::warn!(target: LOG_TARGET, "no metrics of subtrees: {error}"))
			.ok()
	});
	let accounts = Arc::new(BestBlockAccounts::<R>::new(context.client.clone()));
	let admission = Arc::new(AccountLimits::new(accounts));
	let options = EngineOptions { admission, ..options };
	let mut driver = Driver::new(served, hub, context.keystore.clone(), signers, options);
	driver.metrics = metrics;
	// Engines wait for the disk.
	context.spawn_essential.spawn_blocking("subtrees", Some("dstp"), async move {
		loop {
			driver.turn();
			// A turn that brings content was long enough itself.
			if !driver.migrations.are_busy() {
				// The thread is this task's own, and a timer of the runtime panics where it meets the end of the node.
				std::thread::sleep(TURN);
			}
			// Here the task ends with the node.
			tokio::task::yield_now().await;
		}
	});
}

impl<H: HubSide> Driver<H> {
	pub fn new(
		served: Arc<Served>,
		hub: H,
		keystore: KeystorePtr,
		signers: Vec<Box<dyn HeadSigner>>,
		options: EngineOptions,
	) -> Self {
		let stale = hub.view().map(|view| view.block_hash);
		served.set_outdated(stale.is_some());
		Self {
			served,
			hub,
			keystore,
			signers,
			options,
			metrics: None,
			seen: None,
			stale,
			finalised: None,
			newest: Vec::new(),
			migrations: Migrations::default(),
			outbox: Vec::new(),
		}
	}

	/// Looks at the hub and at the engines once.
	pub fn turn(&mut self) {
		let view = self.hub.view().filter(|view| self.seen != Some(view.block_hash));
		if let Some(view) = &view {
			self.take_in(view);
			self.seen = Some(view.block_hash);
			if self.stale != self.seen {
				self.stale = None;
				self.served.set_outdated(false);
			}
		}
		self.migrations.turn(&self.hub, &self.served, FETCH_BUDGET);
		self.watch_finality();
		let serving = self.served.serving();
		for running in &serving {
			writer::seal(&mut running.engine.lock(), self.served.now_ms());
		}
		let newest: Vec<_> =
			serving.iter().map(|running| running.live.status().head_hash).collect();
		if newest != self.newest || view.is_some() {
			self.newest = newest;
			self.fill_outbox();
		}
		if let Some(metrics) = &mut self.metrics {
			for running in self.served.running() {
				metrics.report(&running.live.status());
			}
		}
	}

	/// Tells the engines what the hub knows.
	fn take_in(&mut self, view: &HubView) {
		self.served.set_pin(HubPin { number: view.number, global_root: view.global_root });
		let served = self.served.clone();
		let serves = |subtree: &&SubtreeView| served.serves(&subtree.subtree);
		for subtree in view.subtrees.iter().filter(serves) {
			let before = self.served.get(&subtree.subtree);
			let Some(running) = self.served.open(subtree, &self.options) else { continue };
			if !before.is_some_and(|before| Arc::ptr_eq(&before, &running)) {
				// A new engine has to be told what is final, also where the hub finalises nothing more.
				self.finalised = None;
			}
			let outcome = {
				let mut engine = running.engine.lock();
				engine.set_being_hosted(subtree.being_hosted);
				engine.on_hub_head(&subtree.head)
			};
			let (id, seq) = (subtree.subtree, subtree.head.seq);
			match outcome {
				Ok(HubOutcome::Unchanged) => {},
				Ok(HubOutcome::Behind { .. }) => {
					if subtree.status != HeadStatus::Closed {
						self.migrations.note(&running, seq);
					}
					continue;
				},
				Ok(HubOutcome::Committed { seq }) => {
					log::info!(target: LOG_TARGET, "subtree {id}: head {seq} is on the hub");
				},
				Ok(outcome) => log::info!(target: LOG_TARGET, "subtree {id}: {outcome:?}"),
				Err(error) => {
					log::error!(target: LOG_TARGET, "subtree {id}: {error}");
					continue;
				},
			}
			running.live.committed(HubHead { seq, block: view.block_hash, number: view.number });
		}
		self.note_closed(view);
	}

	/// Notes which registrations take no heads any more, or take some again after a reorganisation of the hub.
	fn note_closed(&self, view: &HubView) {
		for running in self.served.serving() {
			let identity = running.identity;
			let open = view.subtrees.iter().any(|subtree| {
				subtree.subtree == identity.subtree
					&& subtree.head.epoch == identity.epoch
					&& subtree.status != HeadStatus::Closed
			});
			if running.live.set_open(open) && !open {
				log::warn!(target: LOG_TARGET, "subtree {} is closed or removed; no calls are taken", identity.subtree);
			}
		}
	}

	/// Notes which heads are final. What cannot be asked now is asked at the next final block.
	fn watch_finality(&mut self) {
		let (block, number) = self.hub.finalised();
		if self.finalised == Some(block) {
			return;
		}
		for running in self.served.serving() {
			let identity = running.identity;
			let head = self.hub.head_at(block, identity.subtree).map(|view| view.head);
			let head = head.filter(|head| head.epoch == identity.epoch);
			// Another node with the same keys may have committed other heads: then this node's are not final.
			if let Some(head) = head.filter(|head| running.has_head(head.seq, head.hash)) {
				if let Err(error) = running.engine.lock().mark_final(head.seq) {
					log::debug!(target: LOG_TARGET, "subtree {}: {error}", identity.subtree);
				}
				running.live.finalised(HubHead { seq: head.seq, block, number });
			}
		}
		self.finalised = Some(block);
	}

	/// Replaces the outbox by the heads that the hub lacks, signed, if they are others than before: of each subtree the
	/// oldest first, so that none keeps the others out.
	fn fill_outbox(&mut self) {
		let open = self.served.serving().into_iter().filter(|running| running.live.is_open());
		let waiting: Vec<_> = open.filter_map(|running| self.waiting(&running)).collect();
		let rounds = (0..HEADS_AHEAD).flat_map(|round| {
			let of_round = move |(mode, heads): &'_ (ModeView, Vec<Head>)| {
				Some((mode.clone(), heads.get(round)?.clone()))
			};
			waiting.iter().filter_map(of_round)
		});
		let wanted: Vec<_> = rounds.collect();
		let named = wanted.iter().map(|(mode, head)| (&mode.state, head));
		if named.eq(self.outbox.iter().map(|(state, head)| (state, head))) {
			return;
		}
		// What cannot be signed now is tried again at the next view: the key may come later.
		let signed: Vec<_> = wanted
			.into_iter()
			.filter_map(|(mode, head)| Some((self.sign(&mode, head)?, mode.state)))
			.take(MAX_OUTBOX_HEADS as usize)
			.collect();
		self.outbox = signed.iter().map(|(out, state)| (state.clone(), out.head.clone())).collect();
		let mut heads: Vec<_> = signed.into_iter().map(|(out, _)| out).collect();
		heads.sort_by_key(|out| (out.head.subtree, out.head.seq));
		match heads.try_into() {
			Ok(heads) => self.hub.put(&Outbox { heads }),
			Err(_) => {
				log::error!(target: LOG_TARGET, "the outbox holds at most {MAX_OUTBOX_HEADS} heads")
			},
		}
	}

	/// The oldest heads of a subtree that the hub lacks, and the mode by which the hub will judge them.
	fn waiting(&self, running: &Running) -> Option<(ModeView, Vec<Head>)> {
		let heads = running.engine.lock().uncommitted_heads(HEADS_AHEAD).unwrap_or_default();
		let mode = self.hub.mode(heads.first()?.subtree)?;
		Some((mode, heads))
	}

	fn sign(&self, mode: &ModeView, head: Head) -> Option<OutboxHead> {
		let Some(signer) = self.signers.iter().find(|signer| signer.mode() == mode.mode) else {
			log::warn!(
				target: LOG_TARGET,
				"head {} of {} cannot be committed: this node has no signer for the security mode '{}'; add one with \
				 Subtrees::signer",
				head.seq, head.subtree, String::from_utf8_lossy(&mode.name),
			);
			return None;
		};
		let evidence = signer.evidence(&head, mode, &*self.keystore);
		let evidence = evidence.and_then(|bytes| bytes.try_into().ok());
		if evidence.is_none() {
			log::warn!(
				target: LOG_TARGET,
				"head {} of {} cannot be committed: the keystore lacks keys of type `dsub` of the subtree's authorities; \
				 insert them with author_insertKey",
				head.seq, head.subtree,
			);
		}
		Some(OutboxHead { head, evidence: evidence? })
	}
}
