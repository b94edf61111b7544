//! The subtrees that this node serves, and the task that drives them.

use super::{authority, hub::BestBlockAccounts, mailbox, SubtreeApis};
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
	ObjectId, Owner,
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
	sync::Arc,
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
}

/// All subtrees that this node serves.
pub(super) struct Served {
	genesis: BlockHash,
	folder: PathBuf,
	/// `None` until the hub knows the subtree.
	subtrees: BTreeMap<ObjectId, RwLock<Option<Arc<Running>>>>,
	pin: RwLock<HubPin>,
}

impl Served {
	pub(super) fn new<R: NodeRuntime>(
		ids: Vec<ObjectId>,
		context: &StartContext<R>,
	) -> Result<Self, ExtensionError> {
		Ok(Self {
			genesis: context.genesis_hash,
			folder: context.data_path.join("subtrees"),
			subtrees: ids.into_iter().map(|id| (id, RwLock::default())).collect(),
			pin: RwLock::default(),
		})
	}

	/// Whether this node was told to serve the subtree.
	pub(super) fn contains(&self, subtree: &ObjectId) -> bool {
		self.subtrees.contains_key(subtree)
	}

	/// The engine of a subtree; `None` until the hub knows the subtree.
	pub(super) fn get(&self, subtree: &ObjectId) -> Option<Arc<Running>> {
		self.subtrees.get(subtree).and_then(|slot| slot.read().clone())
	}

	/// All engines that run.
	pub(super) fn running(&self) -> Vec<Arc<Running>> {
		self.subtrees.values().filter_map(|slot| slot.read().clone()).collect()
	}

	/// The hub as it was seen last.
	pub(super) fn pin(&self) -> HubPin {
		*self.pin.read()
	}

	/// The engine of the registration in `view`, opened if it is not.
	fn open(&self, view: &SubtreeView, options: &EngineOptions) -> Option<Arc<Running>> {
		let slot = self.subtrees.get(&view.subtree)?;
		let epoch = view.head.epoch;
		if let Some(running) =
			slot.read().as_ref().filter(|running| running.identity.epoch == epoch)
		{
			return Some(running.clone());
		}
		let identity = SubtreeIdentity { genesis: self.genesis, subtree: view.subtree, epoch };
		let folder = self.folder.join(hex::encode(view.subtree.0)).join(epoch.to_string());
		match Engine::open(&folder, identity, genesis(view), Role::Serve, options.clone()) {
			Ok(engine) => {
				let reader = engine.reader();
				let running = Arc::new(Running { engine: Mutex::new(engine), reader, identity });
				*slot.write() = Some(running.clone());
				log::info!(target: LOG_TARGET, "serving subtree {} (registration {epoch})", view.subtree);
				Some(running)
			},
			Err(error) => {
				log::error!(target: LOG_TARGET, "subtree {} cannot be served: {error}", view.subtree);
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
	if interests.subtrees.is_empty() {
		return;
	}
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
			self.served.running().iter().map(|running| seal(running)).fold(false, |a, b| a | b);
		if sealed || view.is_some() {
			self.fill_outbox();
		}
	}

	/// Tells the engines what the hub knows.
	fn take_in(&mut self, view: &HubView) {
		*self.served.pin.write() = HubPin { number: view.number, global_root: view.global_root };
		for subtree in &view.subtrees {
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
			if subtree.status == HeadStatus::Closed {
				log::debug!(target: LOG_TARGET, "subtree {id} is closed");
			}
		}
	}

	/// Replaces the outbox by all heads that the hub lacks, signed, if they are others than before.
	fn fill_outbox(&mut self) {
		let mut wanted = Vec::new();
		for running in self.served.running() {
			let heads = running.engine.lock().uncommitted_heads(HEADS_AHEAD).unwrap_or_default();
			let Some(first) = heads.first() else { continue };
			let Some(state) = self.authorities(&first.subtree) else { continue };
			wanted.extend(heads.into_iter().map(|head| (state.clone(), head)));
		}
		wanted.truncate(MAX_OUTBOX_HEADS as usize);
		let names: Vec<_> =
			wanted.iter().map(|(state, head)| (state.set_id, head.clone())).collect();
		if names == self.outbox {
			return;
		}
		let heads: Vec<_> =
			wanted.into_iter().filter_map(|(state, head)| self.sign(&state, head)).collect();
		let Ok(heads) = heads.try_into() else { return };
		mailbox::write(&mut self.storage, &Outbox { heads });
		self.outbox = names;
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
