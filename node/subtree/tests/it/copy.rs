//! Taking over a state whose walk is the caller's.

use crate::{
	common::*,
	store::{expected_counts, stored_counts},
};
use codec::{Decode, Encode};
use dstp_primitives::{
	object::{raw_key, KeyLayout, PREFIX_CHILD},
	proof::check_range,
	tree::Link,
	ChildEntry, Key, ObjectId, StateRoot,
};
use dstp_subtree::{
	CopiedRange, Engine, EngineOptions, ImportError, ImportTarget, ReadError, Reader, Retention,
	Role,
};

const CALLS: u64 = 150;

/// What is missing: object, parent and key, depth, root, last key that is here.
type Job = (ObjectId, Option<(ObjectId, Vec<u8>)>, u8, StateRoot, Option<Vec<u8>>);

fn follower(dir: &std::path::Path) -> Engine {
	open(dir, Role::Follow, EngineOptions { retention: Retention::Last(1), ..Default::default() })
		.unwrap()
}

/// One range of the last job; the children of a complete object become jobs.
fn step(engine: &mut Engine, source: &Reader, jobs: &mut Vec<Job>) {
	let (object, above, depth, root, after) = jobs.pop().unwrap();
	let (proof, _) = source.range(root, after.as_deref(), 60).unwrap();
	let range = check_range(proof, root, after.as_deref()).unwrap();
	if !range.complete {
		let last = range.entries.last().map(|(key, _)| key.clone());
		jobs.push((object, above.clone(), depth, root, last));
	}
	let known = engine.copied_entries(&object, &[PREFIX_CHILD], 1000).unwrap();
	let all = known.into_iter().chain(range.entries.clone());
	let children = all.filter(|(key, _)| range.complete && key[0] == PREFIX_CHILD);
	for (trie_key, value) in children {
		let key = raw_key(KeyLayout::Raw, PREFIX_CHILD, &trie_key).unwrap();
		let root = ChildEntry::from_value(&value).unwrap().state_root;
		jobs.push((
			object.child(&key),
			Some((object, key.as_slice().to_vec())),
			depth + 1,
			root,
			None,
		));
	}
	let link = above.map(|(parent, key)| Link { parent, key: Key::new(key).unwrap(), depth });
	let range = CopiedRange { object, link, root, from_start: after.is_none(), range };
	engine.copy_ranges(vec![range], jobs.encode()).unwrap();
}

#[test]
fn a_copied_state_equals_an_executed_one_and_a_restart_goes_on() {
	let (from, to) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
	let mut serving = serve(from.path());
	run_workload(&mut serving, 0, CALLS, 10);
	commit_all(&mut serving);
	let source = serving.reader();
	let head = source.head(None).unwrap().unwrap();
	let subtree = identity().subtree;

	let mut engine = follower(to.path());
	assert_eq!(engine.copy_walk(), None);
	let jobs: Vec<Job> = vec![(subtree, None, 0, head.state_root, None)];
	engine.begin_copy(ImportTarget::Head(head.clone()), jobs.encode()).unwrap();
	assert!(matches!(engine.reader().object(&subtree, None), Err(ReadError::NotSynced)));
	let mut steps = 0;
	loop {
		let walk = engine.copy_walk().expect("a copy is under way").to_vec();
		let mut jobs = Vec::<Job>::decode(&mut &walk[..]).unwrap();
		if jobs.is_empty() {
			break;
		}
		step(&mut engine, &source, &mut jobs);
		steps += 1;
		if steps % 5 == 0 {
			drop(engine);
			engine = follower(to.path());
		}
	}
	assert!(steps > 10, "it was restarted: {steps} steps");
	engine.finish_import().unwrap();
	assert_eq!(engine.copy_walk(), None);
	assert_eq!(engine.open_root(), head.state_root);
	check_flat(&engine);

	run_workload(&mut serving, CALLS, CALLS + 10, 10);
	let next = serving.reader().head(Some(16)).unwrap().unwrap();
	engine.apply_batch(next, serving.reader().batch(16).unwrap().unwrap()).unwrap();
	check_flat(&engine);
	drop(engine);
	assert_eq!(stored_counts(to.path()), expected_counts(CALLS + 10));
}

#[test]
fn a_range_that_continues_nothing_or_gives_another_root_is_refused() {
	let (from, to) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
	let mut serving = serve(from.path());
	run_workload(&mut serving, 0, CALLS, 10);
	commit_all(&mut serving);
	let head = serving.reader().head(None).unwrap().unwrap();
	let (object, root) = (identity().subtree, head.state_root);
	let (proof, _) = serving.reader().range(root, None, 1 << 20).unwrap();
	let range = check_range(proof, root, None).unwrap();
	let whole = CopiedRange { object, link: None, root, from_start: true, range };

	let mut engine = follower(to.path());
	let early = engine.copy_ranges(vec![whole.clone()], vec![1]);
	assert!(matches!(early, Err(ImportError::NotImporting)));
	engine.begin_copy(ImportTarget::Head(head), vec![1]).unwrap();
	let mut short = whole.clone();
	short.range.entries.pop();
	let error = engine.copy_ranges(vec![short], vec![2]).unwrap_err();
	assert!(matches!(error, ImportError::Malformed { .. }), "{error}");
	let late = CopiedRange { from_start: false, object: object.child(&key("x")), ..whole.clone() };
	let error = engine.copy_ranges(vec![late], vec![2]).unwrap_err();
	assert!(matches!(error, ImportError::NotWanted { .. }), "{error}");
	assert_eq!(engine.copy_walk(), Some(&[1][..]));
	engine.copy_ranges(vec![whole], vec![2]).unwrap();
	assert_eq!(engine.copy_walk(), Some(&[2][..]));
}
