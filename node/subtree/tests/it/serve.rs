//! Serving: receipts, batches, bounds, refusals, restarts.

use crate::common::*;
use dstp_primitives::{
	batch::{BatchCommitment, MAX_BATCH_BYTES},
	call::{CallRefusal, CallStatus},
	tree::TreeError,
	AccountId,
};
use dstp_subtree::{
	AccountLimits, AdmissionRefusal, EngineOptions, Faults, HubAccounts, NonceError, OpenError,
	Role, Step, StopReason, SubmitError,
};
use std::{
	collections::{HashMap, HashSet},
	fs::File,
	io,
	os::unix::fs::{DirEntryExt, MetadataExt},
	path::PathBuf,
	sync::{Arc, Mutex},
};

#[test]
fn engines_move_between_threads_and_readers_are_shared() {
	fn is_send<T: Send>() {}
	fn is_shared<T: Send + Sync + Clone>() {}
	is_send::<dstp_subtree::Engine>();
	is_shared::<dstp_subtree::Reader>();
}

#[test]
fn receipts_name_the_root_that_the_head_commits_to() {
	let dir = tempfile::tempdir().unwrap();
	let mut engine = serve(dir.path());
	let roots = workload_roots(10);
	let mut receipts = Vec::new();
	for nonce in 0..10 {
		receipts
			.push(engine.submit(&signed(1, nonce, workload(nonce)), hub(5), 1000 + nonce).unwrap());
	}
	for (nonce, receipt) in (0u64..).zip(&receipts) {
		assert_eq!((receipt.nonce, receipt.index, receipt.seq), (nonce, nonce as u32, 1));
		assert_eq!(receipt.post_root, roots[nonce as usize + 1]);
		assert!(receipt.witness_bytes > 0);
	}
	assert_eq!(receipts[4].status, CallStatus::Failed(TreeError::ObjectNotFound));
	let sealed = engine.seal_now().unwrap().remove(0);
	assert_eq!((sealed.head.seq, sealed.head.batch_len), (1, 10));
	assert_eq!((sealed.head.pre_root, sealed.head.state_root), (roots[0], roots[10]));
	assert_eq!(BatchCommitment::new(&sealed.entries).unwrap().root, sealed.head.batch_root);
	assert_eq!(engine.reader().head(None).unwrap(), Some(sealed.head.clone()));
	assert_eq!(engine.reader().batch(1).unwrap(), Some(sealed.entries));
	assert_eq!(engine.uncommitted_heads(10).unwrap(), vec![sealed.head]);
	check_flat(&engine);
}

#[test]
fn batches_are_sealed_by_count_and_by_time() {
	let dir = tempfile::tempdir().unwrap();
	let options = EngineOptions { batch_calls: 4, batch_ms: 500, ..Default::default() };
	let mut engine = open(dir.path(), Role::Serve, options).unwrap();
	assert!(engine.seal(0).unwrap().is_empty(), "an empty batch is never sealed");
	for nonce in 0..3 {
		engine.submit(&signed(1, nonce, workload(nonce)), hub(1), 100).unwrap();
	}
	assert!(engine.seal(599).unwrap().is_empty());
	assert_eq!(engine.seal(600).unwrap()[0].head.batch_len, 3);
	for nonce in 3..12 {
		engine.submit(&signed(1, nonce, workload(nonce)), hub(1), 700).unwrap();
	}
	// Two batches were full, the ninth call opened a third.
	let sealed = engine.seal(700).unwrap();
	assert_eq!(sealed.iter().map(|batch| batch.head.batch_len).collect::<Vec<_>>(), vec![4, 4]);
	assert_eq!(engine.status().open_calls, 1);
	assert!(engine.seal(9999).unwrap().is_empty(), "heads wait for the hub: only full batches");
	commit_all(&mut engine);
	assert_eq!(engine.seal(9999).unwrap()[0].head.batch_len, 1);
}

#[test]
fn large_calls_never_overfill_a_batch() {
	let dir = tempfile::tempdir().unwrap();
	let mut engine = serve(dir.path());
	for nonce in 0..9u64 {
		let fields: Vec<_> =
			(0..15).map(|i| (format!("k{i}"), vec![nonce as u8; 16 * 1024])).collect();
		engine.submit(&signed(1, nonce, set("/", &fields)), hub(1), 1).unwrap();
	}
	let sealed = engine.seal_now().unwrap();
	assert_eq!(sealed.iter().map(|batch| batch.head.batch_len).sum::<u32>(), 9);
	assert!(
		sealed.len() > 1 && sealed.iter().all(|batch| batch.head.batch_bytes <= MAX_BATCH_BYTES)
	);
}

#[test]
fn refused_calls_change_nothing() {
	let dir = tempfile::tempdir().unwrap();
	let mut engine = serve(dir.path());
	engine.submit(&signed(1, 0, workload(0)), hub(1), 1).unwrap();
	let before = engine.status();
	let mut refused = |bytes: &[u8], number: u32| match engine.submit(bytes, hub(number), 1) {
		Err(SubmitError::Refused(refusal)) => refusal,
		other => panic!("{other:?}"),
	};
	assert_eq!(refused(&signed(1, 0, workload(0)), 1), CallRefusal::WrongNonce { expected: 1 });
	assert_eq!(refused(&signed(1, 2, workload(1)), 1), CallRefusal::WrongNonce { expected: 1 });
	assert_eq!(refused(&signed(1, 1, workload(1)), VALID_UNTIL + 1), CallRefusal::Expired);
	assert_eq!(refused(b"garbage", 1), CallRefusal::Malformed);
	let mut forged = signed(1, 1, workload(1));
	let last = forged.len() - 1;
	forged[last] ^= 1;
	assert_eq!(refused(&forged, 1), CallRefusal::BadSignature);
	assert_eq!(engine.status(), before);
}

#[test]
fn time_and_hub_blocks_never_fall() {
	let dir = tempfile::tempdir().unwrap();
	let mut engine = serve(dir.path());
	engine.submit(&signed(1, 0, workload(0)), hub(9), 5000).unwrap();
	engine.seal_now().unwrap();
	drop(engine);
	let mut engine = serve(dir.path());
	let receipt = engine.submit(&signed(1, 1, workload(1)), hub(8), 4000).unwrap();
	assert_eq!((receipt.hub_number, receipt.time_ms), (9, 5000));
}

struct Only(AccountId);

impl HubAccounts for Only {
	fn exists(&self, account: &AccountId) -> bool {
		*account == self.0
	}
}

#[test]
fn admission_limits_what_waits_for_the_hub() {
	let dir = tempfile::tempdir().unwrap();
	let limits = AccountLimits { per_account: 3, total: 100, accounts: Arc::new(Only(account(1))) };
	let options =
		EngineOptions { admission: Arc::new(limits), uncommitted_heads: 2, ..Default::default() };
	let mut engine = open(dir.path(), Role::Serve, options.clone()).unwrap();
	let unknown = engine.submit(&signed(2, 0, create("/", "x")), hub(1), 1);
	assert!(matches!(unknown, Err(SubmitError::NotAdmitted(AdmissionRefusal::NoAccount(_)))));
	run_workload(&mut engine, 0, 3, 3);
	let refused = engine.submit(&signed(1, 3, workload(3)), hub(1), 1).unwrap_err();
	assert!(
		matches!(refused, SubmitError::NotAdmitted(AdmissionRefusal::AccountLimit { limit: 3 }))
			&& refused.is_transient()
	);
	drop(engine);
	let mut engine = open(dir.path(), Role::Serve, options).unwrap();
	assert_eq!(engine.status().pending_calls, 3, "the count survives a restart");
	commit_all(&mut engine);
	run_workload(&mut engine, 3, 5, 1);
	let refused = engine.submit(&signed(1, 5, workload(5)), hub(1), 1).unwrap_err();
	assert!(matches!(refused, SubmitError::HubBehind(2)) && refused.is_transient());
}

#[test]
fn a_group_shares_one_sync_and_waits_for_it() {
	let dir = tempfile::tempdir().unwrap();
	let options = EngineOptions { unflushed_calls: 3, ..Default::default() };
	let mut engine = open(dir.path(), Role::Serve, options).unwrap();
	let gate = engine.gate();
	let checked = |nonce| gate.check(&signed(1, nonce, workload(nonce)), 1).unwrap();
	for nonce in 0..3 {
		engine.enqueue(checked(nonce), hub(1), 1).unwrap();
	}
	assert!(matches!(engine.enqueue(checked(3), hub(1), 1), Err(SubmitError::Unflushed(3))));
	assert_eq!(
		engine.flush().unwrap().iter().map(|receipt| receipt.nonce).collect::<Vec<_>>(),
		vec![0, 1, 2]
	);
	assert!(engine.flush().unwrap().is_empty());
	engine.enqueue(checked(3), hub(1), 1).unwrap();
	let own = engine.submit(&signed(1, 4, workload(4)), hub(1), 1).unwrap();
	assert_eq!(own.nonce, 4);
	assert_eq!(engine.flush().unwrap()[0].nonce, 3, "the receipts of others are kept");
}

#[test]
fn a_restart_goes_on_where_it_was() {
	let dir = tempfile::tempdir().unwrap();
	let roots = workload_roots(60);
	for start in (0..60).step_by(7) {
		let end = (start + 7).min(60);
		let mut engine = serve(dir.path());
		assert_eq!(engine.open_root(), roots[start as usize]);
		assert_eq!(engine.next_nonce(&account(1)).unwrap(), start);
		run_workload(&mut engine, start, end, 5);
	}
	let engine = serve(dir.path());
	assert_eq!((engine.status().seq, engine.open_root()), (12, roots[60]));
	check_flat(&engine);
}

/// Fails one kind of write for ever once it is armed, like a full disk.
struct FullDisk(Mutex<Option<Step>>);

impl Faults for FullDisk {
	fn at(&self, step: Step) -> io::Result<()> {
		match *self.0.lock().unwrap() {
			Some(full) if full == step => Err(io::Error::from(io::ErrorKind::StorageFull)),
			_ => Ok(()),
		}
	}

	fn tears_writes(&self) -> bool {
		true
	}
}

#[test]
fn a_full_disk_gives_no_receipt_and_stops_the_engine() {
	for step in [Step::LogAppend, Step::LogHalfWritten, Step::LogWritten, Step::DbCommit] {
		let dir = tempfile::tempdir().unwrap();
		let disk = Arc::new(FullDisk(Mutex::new(None)));
		let options = EngineOptions { faults: disk.clone(), ..Default::default() };
		let mut engine = open(dir.path(), Role::Serve, options).unwrap();
		run_workload(&mut engine, 0, 5, 100);
		*disk.0.lock().unwrap() = Some(step);
		let failed = match step {
			Step::DbCommit => engine.seal_now().map(drop),
			_ => engine.submit(&signed(1, 5, workload(5)), hub(1), 1).map(drop),
		};
		match (step, failed) {
			// Nobody waits for an answer: the calls were acknowledged before.
			(Step::DbCommit, Err(SubmitError::Stopped(StopReason::WriteFailed(_)))) => {},
			(_, Err(SubmitError::OutcomeUnknown(StopReason::WriteFailed(_)))) => {},
			(step, other) => panic!("{step:?}: {other:?}"),
		}
		let unknown = engine.next_nonce(&account(1)).unwrap_err();
		assert!(matches!(unknown, NonceError::Unknown(_)), "{step:?}: {unknown}");
		*disk.0.lock().unwrap() = None;
		let next = engine.submit(&signed(1, 6, workload(6)), hub(1), 1).unwrap_err();
		assert!(next.to_string().contains("restart") && !next.is_transient(), "{next}");
		assert!(engine.status().stopped.is_some());
		drop(engine);
		let engine = serve(dir.path());
		let nonce = engine.next_nonce(&account(1)).unwrap();
		assert!(nonce == 5 || nonce == 6 && step == Step::LogWritten, "{step:?}: {nonce}");
		assert_eq!(engine.open_root(), workload_roots(nonce)[nonce as usize]);
	}
}

/// Knows what a power cut would leave of the log: file by file, the bytes that were synced, if its name was.
#[derive(Default)]
struct PowerCut {
	/// By inode: bytes.
	synced: Mutex<HashMap<u64, u64>>,
	/// Inodes of the files whose names were there when their folder was synced.
	named: Mutex<HashSet<u64>>,
	log: PathBuf,
}

impl Faults for PowerCut {
	fn at(&self, _: Step) -> io::Result<()> {
		Ok(())
	}

	fn sync(&self, file: &File) -> io::Result<()> {
		let facts = file.metadata()?;
		self.synced.lock().unwrap().insert(facts.ino(), facts.len());
		Ok(())
	}

	fn sync_folder(&self, folder: &File) -> io::Result<()> {
		if folder.metadata()?.ino() == std::fs::metadata(&self.log)?.ino() {
			let files = std::fs::read_dir(&self.log)?.map(|file| file.unwrap().ino());
			*self.named.lock().unwrap() = files.collect();
		}
		Ok(())
	}
}

impl PowerCut {
	/// Leaves of the log what is durable.
	fn cut(&self) {
		for file in std::fs::read_dir(&self.log).unwrap().map(Result::unwrap) {
			let synced = self.synced.lock().unwrap().get(&file.ino()).copied();
			match synced.filter(|_| self.named.lock().unwrap().contains(&file.ino())) {
				Some(bytes) => {
					let file = File::options().write(true).open(file.path()).unwrap();
					file.set_len(bytes).unwrap();
				},
				None => std::fs::remove_file(file.path()).unwrap(),
			}
		}
	}
}

#[test]
fn a_power_cut_takes_no_acknowledged_call() {
	let dir = tempfile::tempdir().unwrap();
	let disk = Arc::new(PowerCut { log: dir.path().join("log"), ..Default::default() });
	let roots = workload_roots(40);
	// Small files, so that the log goes on in new ones.
	let options =
		EngineOptions { faults: disk.clone(), log_file_bytes: 2 * 1024, ..Default::default() };
	for start in (0..40u64).step_by(5) {
		let mut engine = open(dir.path(), Role::Serve, options.clone()).unwrap();
		assert_eq!(engine.open_root(), roots[start as usize]);
		for nonce in start..start + 5 {
			engine.submit(&signed(1, nonce, workload(nonce)), hub(1), nonce).unwrap();
		}
		if start % 10 == 0 {
			engine.seal_now().unwrap();
		}
		// Executed, and lost without harm: nobody has a receipt.
		let late = engine.gate().check(&signed(1, start + 5, workload(start + 5)), 1).unwrap();
		engine.enqueue(late, hub(1), start).unwrap();
		drop(engine);
		disk.cut();
	}
	let first = dir.path().join(format!("log/calls-{:020}.log", 0));
	assert!(!first.exists(), "the log went on in new files");
	assert_eq!(serve(dir.path()).open_root(), roots[40]);
}

#[test]
fn wrong_folders_are_refused_by_name() {
	let dir = tempfile::tempdir().unwrap();
	let mut engine = serve(dir.path());
	run_workload(&mut engine, 0, 3, 2);
	let in_use = open(dir.path(), Role::Serve, EngineOptions::default());
	assert!(matches!(in_use, Err(OpenError::InUse(_))));
	drop(engine);
	let follow = open(dir.path(), Role::Follow, EngineOptions::default());
	assert!(matches!(follow, Err(OpenError::HasServed)));
	let mut other = identity();
	other.epoch += 1;
	let wrong = dstp_subtree::Engine::open(
		dir.path(),
		other,
		genesis(),
		Role::Serve,
		EngineOptions::default(),
	);
	assert!(matches!(wrong, Err(OpenError::WrongIdentity { .. })));
	let options = EngineOptions { batch_calls: 0, ..Default::default() };
	assert!(matches!(open(dir.path(), Role::Serve, options), Err(OpenError::Options(_))));
	let log = dir.path().join("log");
	std::fs::rename(&log, dir.path().join("elsewhere")).unwrap();
	assert!(matches!(
		open(dir.path(), Role::Serve, EngineOptions::default()),
		Err(OpenError::LogBehind { .. })
	));
	let follow = open(dir.path(), Role::Follow, EngineOptions::default());
	assert!(matches!(follow, Err(OpenError::HasServed)));
}

#[test]
fn a_database_that_the_system_refuses_is_not_called_damaged() {
	let dir = tempfile::tempdir().unwrap();
	drop(serve(dir.path()));
	let lock = dir.path().join("db/lock");
	std::fs::remove_file(&lock).unwrap();
	std::fs::create_dir(&lock).unwrap();
	let error = open(dir.path(), Role::Serve, EngineOptions::default()).err().expect("no lock");
	assert!(matches!(error, OpenError::Io { .. }), "{error}");
	let text = error.to_string();
	assert!(text.contains("cannot open the database in") && !text.contains("damaged"), "{text}");
	std::fs::remove_dir(&lock).unwrap();
	drop(serve(dir.path()));
}

fn only_log_file(dir: &std::path::Path) -> std::path::PathBuf {
	std::fs::read_dir(dir.join("log")).unwrap().next().unwrap().unwrap().path()
}

#[test]
fn a_flipped_byte_in_the_log_is_named_with_file_and_offset() {
	let dir = tempfile::tempdir().unwrap();
	let mut engine = serve(dir.path());
	run_workload(&mut engine, 0, 10, 4);
	drop(engine);
	let file = only_log_file(dir.path());
	let mut bytes = std::fs::read(&file).unwrap();
	let middle = bytes.len() / 2;
	bytes[middle] ^= 1;
	std::fs::write(&file, &bytes).unwrap();
	let error =
		open(dir.path(), Role::Serve, EngineOptions::default()).err().expect("it is damaged");
	assert!(
		matches!(&error, OpenError::LogDamaged { file: named, offset, .. } if *named == file && *offset > 0)
	);
	assert!(error.to_string().contains(&file.display().to_string()));
	bytes[middle] ^= 1;
	std::fs::write(&file, &bytes).unwrap();
	assert_eq!(serve(dir.path()).next_nonce(&account(1)).unwrap(), 10);
}

#[test]
fn a_torn_log_tail_loses_only_what_was_not_acknowledged() {
	let dir = tempfile::tempdir().unwrap();
	let mut engine = serve(dir.path());
	run_workload(&mut engine, 0, 10, 4);
	drop(engine);
	let file = only_log_file(dir.path());
	let bytes = std::fs::read(&file).unwrap();
	std::fs::write(&file, &bytes[..bytes.len() - 3]).unwrap();
	let mut engine = serve(dir.path());
	assert_eq!(engine.next_nonce(&account(1)).unwrap(), 9);
	run_workload(&mut engine, 9, 12, 4);
	assert_eq!(engine.open_root(), workload_roots(12)[12]);
}
