//! Taking over a state in ranges.

use crate::{
	common::*,
	store::{expected_counts, stored_counts},
};
use dstp_primitives::head::Head;
use dstp_subtree::{
	Engine, EngineOptions, Genesis, ImportError, ImportTarget, ReadError, Reader, Retention, Role,
	SubmitError, WantedRange,
};

pub const CALLS: u64 = 150;

pub fn source(dir: &std::path::Path) -> (Engine, Head) {
	let mut engine = serve(dir);
	run_workload(&mut engine, 0, CALLS, 10);
	commit_all(&mut engine);
	let head = engine.reader().head(None).unwrap().unwrap();
	(engine, head)
}

fn follower(dir: &std::path::Path) -> Engine {
	open(dir, Role::Follow, EngineOptions { retention: Retention::Last(1), ..Default::default() })
		.unwrap()
}

/// Fetches one wanted range from `source`, at most about `bytes` long.
pub fn fetch(engine: &mut Engine, source: &Reader, wanted: &WantedRange, bytes: usize) {
	let (proof, _) = source.range(wanted.root, wanted.after.as_deref(), bytes).unwrap();
	engine.import_range(wanted.object, wanted.after.clone(), proof).unwrap();
}

fn fetch_all(engine: &mut Engine, source: &Reader, bytes: usize) {
	loop {
		let wanted = engine.wanted_ranges(10).unwrap();
		if wanted.is_empty() {
			return;
		}
		wanted.iter().for_each(|wanted| fetch(engine, source, wanted, bytes));
	}
}

#[test]
fn an_imported_state_equals_an_executed_one() {
	let (from, to) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
	let (mut serving, head) = source(from.path());
	let mut engine = follower(to.path());
	engine.begin_import(ImportTarget::Head(head.clone())).unwrap();
	assert!(matches!(engine.reader().object(&identity().subtree, None), Err(ReadError::NotSynced)));
	assert!(matches!(engine.finish_import(), Err(ImportError::Incomplete { .. })));
	fetch_all(&mut engine, &serving.reader(), 300);
	assert!(engine.import_progress().unwrap().complete);
	engine.finish_import().unwrap();
	assert_eq!(engine.open_root(), workload_roots(CALLS)[CALLS as usize]);
	assert_eq!(engine.reader().head(None).unwrap(), Some(head));
	check_flat(&engine);
	// It goes on with batches.
	run_workload(&mut serving, CALLS, CALLS + 20, 10);
	for seq in [16, 17] {
		let head = serving.reader().head(Some(seq)).unwrap().unwrap();
		engine.apply_batch(head, serving.reader().batch(seq).unwrap().unwrap()).unwrap();
	}
	check_flat(&engine);
	drop(engine);
	assert_eq!(stored_counts(to.path()), expected_counts(CALLS + 20));
}

#[test]
fn a_restart_goes_on_where_the_import_was() {
	let (from, to) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
	let (serving, head) = source(from.path());
	let reader = serving.reader();
	let mut last = 0;
	let mut fetched = 0;
	loop {
		let mut engine = follower(to.path());
		let progress = engine.begin_import(ImportTarget::Head(head.clone())).unwrap();
		assert!(progress.entries >= last, "what was stored stays");
		last = progress.entries;
		if progress.complete && engine.wanted_ranges(1).unwrap().is_empty() {
			engine.finish_import().unwrap();
			break;
		}
		for wanted in engine.wanted_ranges(3).unwrap() {
			fetch(&mut engine, &reader, &wanted, 400);
			fetched += 1;
		}
	}
	assert!(fetched > 5);
	let engine = follower(to.path());
	assert_eq!(engine.open_root(), head.state_root);
	drop(engine);
	assert_eq!(stored_counts(to.path()), expected_counts(CALLS));
}

#[test]
fn forged_and_unwanted_ranges_change_nothing() {
	let (from, to) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
	let (serving, head) = source(from.path());
	let reader = serving.reader();
	let mut engine = follower(to.path());
	engine.begin_import(ImportTarget::Head(head.clone())).unwrap();
	let wanted = engine.wanted_ranges(10).unwrap().remove(0);
	let (good, _) = reader.range(wanted.root, None, 200).unwrap();
	let before = engine.import_progress().unwrap();
	for index in 0..good.nodes.len() {
		for offset in 0..good.nodes[index].len() {
			let mut forged = good.clone();
			forged.nodes[index][offset] ^= 1;
			let error = engine.import_range(wanted.object, None, forged).unwrap_err();
			assert!(error.is_peer_fault(), "{error}");
		}
		let mut shorter = good.clone();
		shorter.nodes.remove(index);
		assert!(engine.import_range(wanted.object, None, shorter).unwrap_err().is_peer_fault());
	}
	assert_eq!(engine.import_progress().unwrap(), before);
	let stranger = identity().subtree.child(&key("nowhere"));
	assert!(matches!(
		engine.import_range(stranger, None, good.clone()),
		Err(ImportError::NotWanted { .. })
	));
	engine.import_range(wanted.object, None, good.clone()).unwrap();
	assert!(
		matches!(
			engine.import_range(wanted.object, None, good),
			Err(ImportError::NotWanted { .. })
		),
		"twice"
	);
	fetch_all(&mut engine, &reader, 1 << 20);
	engine.finish_import().unwrap();
	let mut foreign = head;
	foreign.epoch += 1;
	assert!(matches!(
		engine.begin_import(ImportTarget::Head(foreign)),
		Err(ImportError::WrongTarget)
	));
}

#[test]
fn a_newer_head_replaces_an_import_that_is_under_way() {
	let (from, to) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
	let (mut serving, head) = source(from.path());
	let mut engine = follower(to.path());
	engine.begin_import(ImportTarget::Head(head)).unwrap();
	let wanted = engine.wanted_ranges(1).unwrap().remove(0);
	fetch(&mut engine, &serving.reader(), &wanted, 200);
	run_workload(&mut serving, CALLS, CALLS + 10, 10);
	let head = serving.reader().head(None).unwrap().unwrap();
	assert_eq!(engine.begin_import(ImportTarget::Head(head.clone())).unwrap().entries, 0);
	fetch_all(&mut engine, &serving.reader(), 1 << 20);
	engine.finish_import().unwrap();
	assert_eq!(engine.open_root(), head.state_root);
	drop(engine);
	assert_eq!(stored_counts(to.path()), expected_counts(CALLS + 10));
}

#[test]
fn a_subtree_that_the_hub_held_is_served_after_its_import() {
	let (from, to) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
	let (serving, head) = source(from.path());
	let open = || {
		let genesis = Genesis::Migrated(head.state_root);
		Engine::open(to.path(), identity(), genesis, Role::Serve, EngineOptions::default()).unwrap()
	};
	let mut engine = open();
	let early = engine.submit(&signed(1, CALLS, workload(CALLS)), hub(1), 1).unwrap_err();
	assert!(matches!(early, SubmitError::NotSynced) && early.is_transient());
	engine.begin_import(ImportTarget::Initial).unwrap();
	fetch_all(&mut engine, &serving.reader(), 1 << 20);
	engine.finish_import().unwrap();
	run_workload(&mut engine, CALLS, CALLS + 7, 5);
	assert_eq!(engine.reader().head(Some(1)).unwrap().unwrap().pre_root, head.state_root);
	assert!(matches!(engine.begin_import(ImportTarget::Initial), Err(ImportError::HasServed)));
	drop(engine);
	assert_eq!(open().open_root(), workload_roots(CALLS + 7)[CALLS as usize + 7]);
}
