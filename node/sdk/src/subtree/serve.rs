//! The subtrees that this node holds, and the task that drives those that it serves.

use super::{authority, hub::BestBlockAccounts, mailbox, metrics::Metrics, SubtreeApis, SyncJson};
use crate::{
	error::ExtensionError,
	extension::StartContext,
	runtime::{ApiOf, BlockHash, BlockOf, FullClient, NodeRuntime, OffchainStorage},
};
use dstp_primitives::{
	api::PoaApi,
	batch::HubPin,
	head::Head,
	mailbox::{HubView, Interests, Outbox, OutboxHead, MAX_OUTBOX_HEADS},
	mode::poa::PoaState,
	object::HeadStatus,
	subtree::{SubtreeStart, SubtreeView},
	tree::NewObject,
	ObjectId, Owner, StateRoot,
};
use dstp_subtree::{
	AccountLimits, Engine, EngineOptions, Genesis, HubOutcome, Reader, Role, SubtreeIdentity,
};
use parking_lot::{Mutex, RwLock};
use sp_api::ProvideRuntimeApi;
use sp_keystore::KeystorePtr;
use std::{
	collections::BTreeMap,
	path::PathBuf,
	sync::{
		atomic::{AtomicBool, Ordering},
		Arc,
	},
	time::{Duration, SystemTime, UNIX_EPOCH},
};

const LOG_TARGET: &str = "dstp";

/// How often the task looks for a new view of the hub and for batches that are due. A fraction of the shortest block time, so
/// that it adds little to the time until a commit.
const TURN: Duration = Duration::from_millis(200);

/// Heads per subtree in the outbox: the worker goes on with these while the node is busy.
const HEADS_AHEAD: usize = 4;

/// One subtree with its engine.
pub(super) struct Running {
	pub(super) engine: Mutex<Engine>,
	pub(super) reader: Reader,
	pub(super) identity: SubtreeIdentity,
	/// Root that the registration starts from: on two forks of the hub one epoch may have two.
	start: StateRoot,
	/// Whether the hub takes heads of this registration, as it was seen last.
	open: AtomicBool,
	/// How the synchronisation stands, where it follows.
	pub(super) sync: RwLock<SyncJson>,
}

impl Running {
	/// Whether the hub takes heads of this registration, as it was seen last.
	pub(super) fn is_open(&self) -> bool {
		self.open.load(Ordering::Relaxed)
	}
}

/// A subtree by the command line.
struct Slot {
	role: Role,
	/// `None` until the hub knows the subtree.
	running: RwLock<Option<Arc<Running>>>,
}

/// All subtrees that this node serves or follows.
pub(super) struct Served {
	genesis: BlockHash,
	folder: PathBuf,
	subtrees: BTreeMap<ObjectId, Slot>,
	pin: RwLock<HubPin>,
}

impl Served {
	pub(super) fn new<R: NodeRuntime>(
		roles: BTreeMap<ObjectId, Role>,
		context: &StartContext<R>,
	) -> Result<Self, ExtensionError> {
		Ok(Self {
			genesis: context.genesis_hash,
			folder: context.data_path.join("subtrees"),
			subtrees: roles
				.into_iter()
				.map(|(id, role)| (id, Slot { role, running: RwLock::default() }))
				.collect(),
			pin: RwLock::default(),
		})
	}

	/// Whether this node was told to serve or follow the subtree.
	pub(super) fn contains(&self, subtree: &ObjectId) -> bool {
		self.subtrees.contains_key(subtree)
	}

	/// The engine of a subtree; `None` until the hub knows the subtree.
	pub(super) fn get(&self, subtree: &ObjectId) -> Option<Arc<Running>> {
		self.subtrees.get(subtree).and_then(|slot| slot.running.read().clone())
	}

	/// All engines that run.
	pub(super) fn running(&self) -> Vec<Arc<Running>> {
		self.subtrees.values().filter_map(|slot| slot.running.read().clone()).collect()
	}

	/// All engines that execute calls.
	fn serving(&self) -> Vec<Arc<Running>> {
		let serving = self.subtrees.values().filter(|slot| slot.role == Role::Serve);
		serving.filter_map(|slot| slot.running.read().clone()).collect()
	}

	fn serves(&self, subtree: &ObjectId) -> bool {
		self.subtrees.get(subtree).is_some_and(|slot| slot.role == Role::Serve)
	}

	/// The subtrees that this node was told to follow.
	pub(super) fn followed(&self) -> Vec<ObjectId> {
		let followed = self.subtrees.iter().filter(|(_, slot)| slot.role == Role::Follow);
		followed.map(|(id, _)| *id).collect()
	}

	/// The hub as it was seen last.
	pub(super) fn pin(&self) -> HubPin {
		*self.pin.read()
	}

	/// The engine of the registration in `view`, opened if it is not.
	pub(super) fn open(&self, view: &SubtreeView, options: &EngineOptions) -> Option<Arc<Running>> {
		let slot = self.subtrees.get(&view.subtree)?;
		let (epoch, start) = (view.head.epoch, view.start.root(&view.owner));
		let same =
			|running: &&Arc<Running>| running.identity.epoch == epoch && running.start == start;
		if let Some(running) = slot.running.read().as_ref().filter(same) {
			return Some(running.clone());
		}
		// The former registration has ended: its calls can never be committed.
		*slot.running.write() = None;
		let identity = SubtreeIdentity { genesis: self.genesis, subtree: view.subtree, epoch };
		let registration = format!("{epoch}-{}", hex::encode(&start[..8]));
		let folder = self.folder.join(hex::encode(view.subtree.0)).join(registration);
		match Engine::open(&folder, identity, genesis(view), slot.role, options.clone()) {
			Ok(engine) => {
				let reader = engine.reader();
				let running = Arc::new(Running {
					engine: Mutex::new(engine),
					reader,
					identity,
					start,
					open: AtomicBool::new(true),
					sync: RwLock::default(),
				});
				*slot.running.write() = Some(running.clone());
				log::info!(target: LOG_TARGET, "role {} for subtree {} (registration {epoch})", slot.role, view.subtree);
				Some(running)
			},
			Err(error) => {
				log::error!(target: LOG_TARGET, "subtree {} cannot be opened: {error}", view.subtree);
				None
			},
		}
	}
}

fn genesis(view: &SubtreeView) -> Genesis {
	match &view.start {
		SubtreeStart::New { object_type, flags } => Genesis::Empty {
			owner: Owner::Account(view.owner.clone()),
			object: NewObject { object_type: object_type.clone(), flags: *flags },
		},
		SubtreeStart::Hosted(root) => Genesis::Migrated(*root),
	}
}

/// Milliseconds since 1970.
pub(super) fn now_ms() -> u64 {
	let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
	u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
}

/// Drives all engines of a node, alone: what the hub knows goes in, heads go out.
struct Driver<R: NodeRuntime> {
	served: Arc<Served>,
	client: Arc<FullClient<R>>,
	keystore: KeystorePtr,
	storage: OffchainStorage<R>,
	options: EngineOptions,
	/// Block of the last view that was taken in.
	seen: Option<BlockHash>,
	/// What stands in the outbox: number of the signing set, and the head.
	outbox: Vec<(u64, Head)>,
	metrics: Option<Metrics>,
}

/// Spawns the task that drives the engines.
pub(super) fn spawn<R: NodeRuntime>(
	served: Arc<Served>,
	interests: Interests,
	context: &StartContext<R>,
) where
	ApiOf<R>: SubtreeApis<BlockOf<R>>,
{
	let mut storage = context.offchain_storage.clone();
	mailbox::write(&mut storage, &interests);
	// What an earlier run left may belong to subtrees that another node serves now.
	mailbox::write(&mut storage, &Outbox::default());
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
	let mut driver = Driver::<R> {
		served,
		client: context.client.clone(),
		keystore: context.keystore.clone(),
		storage,
		options: EngineOptions {
			admission: Arc::new(AccountLimits::new(accounts)),
			..Default::default()
		},
		seen: None,
		outbox: Vec::new(),
		metrics,
	};
	// Engines wait for the disk.
	context.spawn_essential.spawn_blocking("subtrees", Some("dstp"), async move {
		loop {
			driver.turn();
			tokio::time::sleep(TURN).await;
		}
	});
}

impl<R: NodeRuntime> Driver<R>
where
	ApiOf<R>: SubtreeApis<BlockOf<R>>,
{
	fn turn(&mut self) {
		let view = mailbox::read::<HubView>(&self.storage);
		let view = view.filter(|view| self.seen != Some(view.block_hash));
		if let Some(view) = &view {
			self.take_in(view);
			self.seen = Some(view.block_hash);
		}
		let sealed =
			self.served.serving().iter().map(|running| seal(running)).fold(false, |a, b| a | b);
		if sealed || view.is_some() {
			self.fill_outbox();
		}
		if let Some(metrics) = &self.metrics {
			for running in self.served.running() {
				metrics.report(&running.engine.lock().status());
			}
		}
	}

	/// Tells the engines what the hub knows.
	fn take_in(&mut self, view: &HubView) {
		*self.served.pin.write() = HubPin { number: view.number, global_root: view.global_root };
		let serves = |subtree: &&SubtreeView| self.served.serves(&subtree.subtree);
		for subtree in view.subtrees.iter().filter(serves) {
			let Some(running) = self.served.open(subtree, &self.options) else { continue };
			let outcome = running.engine.lock().on_hub_head(&subtree.head);
			let id = subtree.subtree;
			match outcome {
				Ok(HubOutcome::Unchanged) => {},
				Ok(HubOutcome::Committed { seq }) => {
					log::info!(target: LOG_TARGET, "subtree {id}: head {seq} is on the hub");
				},
				Ok(outcome) => log::info!(target: LOG_TARGET, "subtree {id}: {outcome:?}"),
				Err(error) => log::error!(target: LOG_TARGET, "subtree {id}: {error}"),
			}
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
			if running.open.swap(open, Ordering::Relaxed) && !open {
				log::warn!(target: LOG_TARGET, "subtree {} is closed or removed; no calls are taken", identity.subtree);
			}
		}
	}

	/// Replaces the outbox by the heads that the hub lacks, signed, if they are others than before: of each subtree the
	/// oldest first, so that none keeps the others out.
	fn fill_outbox(&mut self) {
		let open = self.served.serving().into_iter().filter(|running| running.is_open());
		let waiting: Vec<_> = open.filter_map(|running| self.waiting(&running)).collect();
		let rounds = (0..HEADS_AHEAD).flat_map(|round| {
			let of_round = move |(state, heads): &'_ (PoaState, Vec<Head>)| {
				Some((state.clone(), heads.get(round)?.clone()))
			};
			waiting.iter().filter_map(of_round)
		});
		let wanted: Vec<_> = rounds.collect();
		let named = wanted.iter().map(|(state, head)| (state.set_id, head));
		if named.eq(self.outbox.iter().map(|(set_id, head)| (*set_id, head))) {
			return;
		}
		// What cannot be signed now is tried again at the next view: the key may come later.
		let signed: Vec<_> = wanted
			.into_iter()
			.filter_map(|(state, head)| Some((state.set_id, self.sign(&state, head)?)))
			.take(MAX_OUTBOX_HEADS as usize)
			.collect();
		self.outbox = signed.iter().map(|(set_id, out)| (*set_id, out.head.clone())).collect();
		let mut heads: Vec<_> = signed.into_iter().map(|(_, out)| out).collect();
		heads.sort_by_key(|out| (out.head.subtree, out.head.seq));
		match heads.try_into() {
			Ok(heads) => mailbox::write(&mut self.storage, &Outbox { heads }),
			Err(_) => {
				log::error!(target: LOG_TARGET, "the outbox holds at most {MAX_OUTBOX_HEADS} heads")
			},
		}
	}

	/// The oldest heads of a subtree that the hub lacks, and who has to sign them.
	fn waiting(&self, running: &Running) -> Option<(PoaState, Vec<Head>)> {
		let heads = running.engine.lock().uncommitted_heads(HEADS_AHEAD).unwrap_or_default();
		let state = self.authorities(&heads.first()?.subtree)?;
		Some((state, heads))
	}

	fn authorities(&self, subtree: &ObjectId) -> Option<PoaState> {
		let best = sp_blockchain::HeaderBackend::info(&*self.client).best_hash;
		self.client.runtime_api().poa(best, *subtree).ok().flatten().map(|(_, state)| state)
	}

	fn sign(&self, state: &PoaState, head: Head) -> Option<OutboxHead> {
		let evidence = authority::evidence(&self.keystore, state, &head);
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

/// Seals what is due; whether there is a new head.
fn seal(running: &Running) -> bool {
	let sealed = running.engine.lock().seal(now_ms());
	match sealed {
		Ok(batches) => {
			for batch in &batches {
				let (seq, calls) = (batch.head.seq, batch.entries.len());
				log::info!(target: LOG_TARGET, "subtree {}: sealed head {seq} of {calls} calls", batch.head.subtree);
			}
			!batches.is_empty()
		},
		// Said once already when the engine stopped; a subtree that waits for its state seals nothing.
		Err(_) => false,
	}
}
