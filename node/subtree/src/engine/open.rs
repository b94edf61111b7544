//! Starting: the database, then what the log has beyond it.

use super::{executor::Executor, import::ImportRun, pending::PendingCalls, Engine};
use crate::{
	error::OpenError,
	identity::{Genesis, SubtreeIdentity},
	log::{self, Record},
	options::{EngineOptions, Role},
	store::{Applied, BatchChange, Store},
};
use dstp_primitives::{batch::BatchEntry, head::Head, trie::empty_root, ObjectTree, TrieStorage};
use std::{path::Path, sync::Arc};

impl Engine {
	/// Opens the subtree in `dir`, or creates it. Calls in the log that the database lacks are executed again.
	///
	/// `dir` holds two folders, `db` and `log`. Errors say what the operator can do; none of them changes what is stored.
	pub fn open(
		dir: &Path,
		identity: SubtreeIdentity,
		genesis: Genesis,
		role: Role,
		options: EngineOptions,
	) -> Result<Self, OpenError> {
		options.check().map_err(OpenError::Options)?;
		std::fs::create_dir_all(dir).map_err(|source| OpenError::Io {
			action: "create",
			path: dir.to_path_buf(),
			source,
		})?;
		let opened = log::open(&dir.join("log"), identity.hash())?;
		if role == Role::Follow && opened.is_some() {
			return Err(OpenError::HasServed);
		}
		let store = Arc::new(Store::open(
			&dir.join("db"),
			identity,
			genesis.root(),
			options.faults.clone(),
		)?);
		let mut engine = Self::over(store, identity, role, options)?;
		if !engine.applied.ready && engine.import.is_none() {
			engine.create_root(genesis)?;
		}
		if role == Role::Serve {
			engine.open_log(dir, opened)?;
		} else if engine.store.has_served().map_err(OpenError::Database)? {
			return Err(OpenError::HasServed);
		}
		engine.count_pending().map_err(OpenError::Database)?;
		Ok(engine)
	}

	fn over(
		store: Arc<Store>,
		identity: SubtreeIdentity,
		role: Role,
		options: EngineOptions,
	) -> Result<Self, OpenError> {
		let applied = store.applied();
		let import = store.read().import().map_err(OpenError::Database)?.map(ImportRun::from);
		Ok(Self {
			executor: Executor::new(&store, &identity, &applied),
			identity,
			role,
			options,
			store,
			log: None,
			applied,
			finalised: applied.oldest,
			open_since_ms: 0,
			pending: PendingCalls::default(),
			unsynced: Vec::new(),
			synced: Vec::new(),
			sealed: Vec::new(),
			calls: 0,
			batches: 0,
			import,
			being_hosted: false,
			stopped: None,
		})
	}

	/// Writes the state before the first head, if it is known without an import.
	fn create_root(&mut self, genesis: Genesis) -> Result<(), OpenError> {
		let Genesis::Empty { owner, object } = genesis else { return Ok(()) };
		let mut tree = ObjectTree::new(TrieStorage::new(self.identity.subtree, empty_root(), ()));
		let created = tree.init_namespace(owner, object).and_then(|()| tree.commit_roots());
		created.map_err(|_| OpenError::Corrupt("the root object cannot be created"))?;
		tree.storage_mut().accept();
		let applied = Applied { ready: true, ..self.applied };
		let ops = BatchChange::take(&mut tree).into_ops_without_history();
		self.store.commit(ops, applied).map_err(OpenError::Database)?;
		self.restart_at(applied);
		Ok(())
	}

	pub(super) fn restart_at(&mut self, applied: Applied) {
		(self.applied, self.finalised) = (applied, applied.oldest);
		self.executor = Executor::new(&self.store, &self.identity, &self.applied);
	}

	fn open_log(&mut self, dir: &Path, opened: Option<log::OpenedLog>) -> Result<(), OpenError> {
		let (file_bytes, faults) = (self.options.log_file_bytes, self.options.faults.clone());
		let database = self.applied.position;
		let served = self.store.has_served().map_err(OpenError::Database)?;
		let log = match opened {
			None if served => return Err(OpenError::LogBehind { database, log: 0 }),
			None => {
				log::create(&dir.join("log"), self.identity.hash(), database, file_bytes, faults)?
			},
			Some(opened) => {
				opened.replay(database, file_bytes, faults, |at, record| self.replay(at, record))?
			},
		};
		self.log = Some(log);
		self.store.set_served().map_err(OpenError::Database)
	}

	fn replay(&mut self, position: u64, record: Record) -> Result<(), OpenError> {
		match record {
			Record::Call(entry) => self.replay_call(position, *entry),
			Record::Seal(head) => self.replay_seal(position, head),
			Record::Reseal(head) => {
				self.applied.era = head.era;
				self.store_reseal(vec![head]).map_err(OpenError::Database)
			},
		}
	}

	fn replay_call(&mut self, position: u64, entry: BatchEntry) -> Result<(), OpenError> {
		let (status, logged) = (entry.status, entry.post_root);
		let execution = self
			.executor
			.execute(entry.call, entry.hub, entry.time_ms)
			.map_err(|error| OpenError::Replay { position, reason: error.to_string() })?;
		if execution.status != status || execution.post_root != logged {
			return Err(OpenError::RootMismatch { position, logged, found: execution.post_root });
		}
		Ok(())
	}

	fn replay_seal(&mut self, position: u64, head: Head) -> Result<(), OpenError> {
		self.applied.era = head.era;
		let found = self.executor.head(&self.identity, &self.applied);
		if found.as_ref() != Some(&head) {
			let found = found.map_or(self.applied.root, |found| found.state_root);
			if found == head.state_root {
				return Err(OpenError::Replay {
					position,
					reason: "the sealed head is another one".into(),
				});
			}
			return Err(OpenError::RootMismatch { position, logged: head.state_root, found });
		}
		self.store_batch(head, position).map(drop).map_err(OpenError::Database)
	}

	fn count_pending(&mut self) -> Result<(), parity_db::Error> {
		let inner = self.store.read();
		for seq in self.applied.committed + 1..=self.applied.seq {
			self.pending.add_batch(seq, &inner.batch(seq)?.unwrap_or_default());
		}
		self.pending.add_batch(self.applied.seq + 1, self.executor.entries());
		Ok(())
	}
}
