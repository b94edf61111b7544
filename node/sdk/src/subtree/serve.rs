//! The subtrees that this node holds.

use super::{
	live::Live,
	writer::{Clock, Writer},
	SyncJson,
};
use crate::runtime::BlockHash;
use dstp_primitives::{
	batch::HubPin,
	subtree::{SubtreeStart, SubtreeView},
	tree::NewObject,
	ObjectId, Owner, StateRoot,
};
use dstp_subtree::{
	CallGate, Engine, EngineOptions, Genesis, OpenError, Reader, Role, SubtreeIdentity,
};
use parking_lot::{Mutex, MutexGuard, RwLock};
use sp_core::H256;
use std::{
	collections::BTreeMap,
	ops::{Deref, DerefMut},
	path::{Path, PathBuf},
	sync::{
		atomic::{AtomicBool, Ordering},
		Arc,
	},
};

const LOG_TARGET: &str = "dstp";

/// An engine that tells how it stands whenever it is let go, so that a question about that waits for nobody.
pub(super) struct EngineCell {
	engine: Mutex<Engine>,
	live: Arc<Live>,
}

impl EngineCell {
	fn new(engine: Engine, live: Arc<Live>) -> Self {
		live.publish(engine.status());
		Self { engine: Mutex::new(engine), live }
	}

	/// Waits for the engine; while a group of calls is written that takes as long as the disk.
	pub(super) fn lock(&self) -> EngineGuard<'_> {
		EngineGuard { engine: self.engine.lock(), live: &self.live, used: false }
	}
}

/// The engine, for one owner at a time.
pub(super) struct EngineGuard<'a> {
	engine: MutexGuard<'a, Engine>,
	live: &'a Live,
	used: bool,
}

impl Deref for EngineGuard<'_> {
	type Target = Engine;

	fn deref(&self) -> &Engine {
		&self.engine
	}
}

impl DerefMut for EngineGuard<'_> {
	fn deref_mut(&mut self) -> &mut Engine {
		self.used = true;
		&mut self.engine
	}
}

impl Drop for EngineGuard<'_> {
	fn drop(&mut self) {
		if self.used {
			self.live.publish(self.engine.status());
		}
	}
}

/// One subtree with its engine.
pub(super) struct Running {
	pub(super) engine: Arc<EngineCell>,
	/// Who executes calls; `None` where the node follows.
	pub(super) writer: Option<Writer>,
	pub(super) gate: CallGate,
	pub(super) reader: Reader,
	pub(super) identity: SubtreeIdentity,
	pub(super) live: Arc<Live>,
	/// Root that the registration starts from: on two forks of the hub one epoch may have two.
	start: StateRoot,
	/// How the synchronisation stands, where it follows.
	pub(super) sync: RwLock<SyncJson>,
}

impl Running {
	/// Whether the local copy has this very head. Before the first head there is only one state.
	pub(super) fn has_head(&self, seq: u64, hash: H256) -> bool {
		let own = || self.reader.head(Some(seq)).ok().flatten();
		seq == 0 || own().is_some_and(|head| head.hash() == hash)
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
	clock: Clock,
	/// The hub as it was seen last.
	pin: Arc<RwLock<HubPin>>,
	/// Whether only an earlier run of this node has seen the hub.
	outdated: AtomicBool,
}

impl Served {
	/// `folder`: where all of them are kept.
	pub(super) fn new(
		genesis: BlockHash,
		folder: PathBuf,
		roles: BTreeMap<ObjectId, Role>,
		clock: Clock,
	) -> Self {
		let slot = |(id, role)| (id, Slot { role, running: RwLock::default() });
		let subtrees = roles.into_iter().map(slot).collect();
		let (pin, outdated) = (Arc::default(), AtomicBool::new(false));
		Self { genesis, folder, subtrees, clock, pin, outdated }
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
	pub(super) fn serving(&self) -> Vec<Arc<Running>> {
		let serving = self.subtrees.values().filter(|slot| slot.role == Role::Serve);
		serving.filter_map(|slot| slot.running.read().clone()).collect()
	}

	/// Whether this node was told to serve the subtree.
	pub(super) fn serves(&self, subtree: &ObjectId) -> bool {
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

	pub(super) fn set_pin(&self, pin: HubPin) {
		*self.pin.write() = pin;
	}

	/// Whether what is known of the hub is from an earlier run of this node. Subtrees may have been closed, taken back or registered
	/// anew since then, so a call that is acknowledged now might never be committed. Reads go on.
	pub(super) fn is_outdated(&self) -> bool {
		self.outdated.load(Ordering::Acquire)
	}

	/// Notes that; `false` once the engines know what the hub says now.
	pub(super) fn set_outdated(&self, outdated: bool) {
		self.outdated.store(outdated, Ordering::Release);
	}

	/// Milliseconds since 1970.
	pub(super) fn now_ms(&self) -> u64 {
		(self.clock)()
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
		if let Some(former) = slot.running.write().take() {
			former.live.end("the subtree was registered anew; subscribe again");
		}
		let identity = SubtreeIdentity { genesis: self.genesis, subtree: view.subtree, epoch };
		let registration = format!("{epoch}-{}", hex::encode(&start[..8]));
		let folder = self.folder.join(hex::encode(view.subtree.0)).join(registration);
		match self.start(&folder, identity, view, slot.role, options.clone()) {
			Ok(running) => {
				let running = Arc::new(running);
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

	fn start(
		&self,
		folder: &Path,
		identity: SubtreeIdentity,
		view: &SubtreeView,
		role: Role,
		options: EngineOptions,
	) -> Result<Running, OpenError> {
		let live = Arc::new(Live::new(identity, role));
		let options = EngineOptions { watcher: live.clone(), ..options };
		let mut engine = Engine::open(folder, identity, genesis(view), role, options)?;
		engine.set_being_hosted(view.being_hosted);
		let (reader, gate) = (engine.reader(), engine.gate());
		let engine = Arc::new(EngineCell::new(engine, live.clone()));
		let writer = match role {
			Role::Serve => {
				let writer = Writer::spawn(engine.clone(), self.pin.clone(), self.clock.clone());
				Some(writer.map_err(|source| OpenError::Io {
					action: "start a thread for",
					path: folder.to_path_buf(),
					source,
				})?)
			},
			Role::Follow => None,
		};
		let start = view.start.root(&view.owner);
		Ok(Running { engine, writer, gate, reader, identity, live, start, sync: RwLock::default() })
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
