//! Pruning, counting, and reads at older heads.

use crate::common::*;
use dstp_primitives::{
	proof::{Query, TrustedRoot},
	tree::PageRequest,
	trie::Recording,
	ObjectId,
};
use dstp_subtree::{EngineOptions, ReadError, Retention, Role};
use parity_db::{ColumnOptions, Db, Options};
use std::{collections::BTreeMap, path::Path};

/// Every stored node with its count, read past the engine.
pub fn stored_counts(dir: &Path) -> BTreeMap<Vec<u8>, u32> {
	let mut options = Options::with_columns(&dir.join("db"), 6);
	for (index, column) in options.columns.iter_mut().enumerate() {
		*column = ColumnOptions {
			preimage: index == 0,
			ref_counted: index == 0,
			btree_index: index == 1 || index == 5,
			..Default::default()
		};
	}
	let db = Db::open(&options).unwrap();
	let mut counts = BTreeMap::new();
	db.iter_column_while(0, |state| {
		counts.insert(state.value, state.rc);
		true
	})
	.unwrap();
	counts
}

/// What they should be when only the state after `calls` calls of the workload is kept.
pub fn expected_counts(calls: u64) -> BTreeMap<Vec<u8>, u32> {
	let mut plain = Plain::new();
	for nonce in 0..calls {
		plain.run(&payload(1, nonce, workload(nonce)));
	}
	let changes = plain.0.storage_mut().take_node_changes();
	changes
		.into_iter()
		.filter(|(.., count)| *count > 0)
		.map(|(_, bytes, count)| (bytes, count as u32))
		.collect()
}

#[test]
fn pruning_leaves_exactly_the_kept_heads_readable() {
	let dir = tempfile::tempdir().unwrap();
	let options = EngineOptions { retention: Retention::Last(5), ..Default::default() };
	let mut engine = open(dir.path(), Role::Serve, options).unwrap();
	let reader = engine.reader();
	run_workload(&mut engine, 0, 120, 4);
	assert_eq!(reader.kept(), (0, 30), "nothing goes that the hub has not accepted");
	commit_all(&mut engine);
	assert_eq!(reader.kept(), (26, 30));
	let roots = workload_roots(120);
	for seq in 0..=31u64 {
		let found = reader.object(&identity().subtree, Some(seq));
		if (26..=30).contains(&seq) {
			let root = roots[4 * seq as usize];
			assert_eq!(found.unwrap().unwrap().root, root);
			let (_, proof, _) = reader.proof(Query::default(), Some(seq)).unwrap();
			proof.check(TrustedRoot { object: identity().subtree, root }).unwrap();
		} else {
			assert!(matches!(found, Err(ReadError::HeadNotKept { oldest: 26, newest: 30, .. })));
			assert!(reader.batch(seq).is_err() && reader.head(Some(seq)).is_err());
		}
	}
}

#[test]
fn counts_are_those_of_the_one_kept_state() {
	for calls in [3, 40, 200] {
		let dir = tempfile::tempdir().unwrap();
		let options = EngineOptions { retention: Retention::Last(1), ..Default::default() };
		let mut engine = open(dir.path(), Role::Serve, options).unwrap();
		run_workload(&mut engine, 0, calls, 7);
		engine.seal_now().unwrap();
		commit_all(&mut engine);
		let seq = engine.status().seq;
		assert_eq!(engine.reader().kept(), (seq, seq));
		drop(engine);
		assert_eq!(stored_counts(dir.path()), expected_counts(calls));
	}
}

/// Compares every read at every head with the plain tree at that point.
#[test]
fn older_heads_answer_as_they_were() {
	let dir = tempfile::tempdir().unwrap();
	let options = EngineOptions { retention: Retention::All, ..Default::default() };
	let mut engine = open(dir.path(), Role::Serve, options).unwrap();
	run_workload(&mut engine, 0, 80, 4);
	commit_all(&mut engine);
	let reader = engine.reader();
	assert_eq!(reader.kept(), (0, 20));
	let objects: Vec<ObjectId> = ["/", "/top0", "/top1/mid", "/top2/mid/low", "/top4", "/nowhere"]
		.iter()
		.map(|text| identity().subtree.descendant(&path(text)))
		.collect();
	let paths = ["/", "/top0", "/top1/mid", "/top2/mid/low", "/top4", "/nowhere"];
	let request = PageRequest { limit: 7, ..Default::default() };
	let mut plain = Plain::new();
	plain.0.storage_mut().record(Recording::Off);
	for seq in 0..=20u64 {
		for (object, text) in objects.iter().zip(paths) {
			let expected = plain.0.resolve(&path(text)).ok();
			let found = reader.object(object, Some(seq)).unwrap();
			assert_eq!(found.is_some(), expected.is_some(), "{text} at {seq}");
			let Some(expected) = expected else {
				assert!(matches!(
					reader.fields(object, &request, Some(seq)),
					Err(ReadError::ObjectNotFound(_))
				));
				continue;
			};
			let found = found.unwrap();
			assert_eq!(Some(found.meta), plain.0.meta(&expected).unwrap());
			assert_eq!(Some(found.state_root), plain.0.storage().object_root(&expected));
			assert_eq!(
				reader.fields(object, &request, Some(seq)).unwrap(),
				plain.0.fields(&expected, &request).unwrap()
			);
			assert_eq!(
				reader.children(object, &request, Some(seq)).unwrap(),
				plain.0.children(&expected, &request).unwrap()
			);
			let name = key("f13");
			assert_eq!(
				reader.field(object, &name, Some(seq)).unwrap(),
				plain.0.field(&expected, &name).unwrap()
			);
		}
		for nonce in 4 * seq..4 * seq + 4 {
			plain.run(&payload(1, nonce, workload(nonce)));
		}
	}
}

#[test]
fn pages_are_read_while_batches_are_stored() {
	let dir = tempfile::tempdir().unwrap();
	let mut engine = serve(dir.path());
	// Every call sets all fields to one value, so a page with two values would be of two heads.
	let fields = |value: u64| {
		(0..200).map(|i| (format!("{i:03}"), value.to_le_bytes().to_vec())).collect::<Vec<_>>()
	};
	engine.submit(&signed(1, 0, set("/", &fields(0))), hub(1), 1).unwrap();
	engine.seal_now().unwrap();
	let reader = engine.reader();
	std::thread::scope(|scope| {
		let pages = scope.spawn(move || {
			let request = PageRequest { limit: 1000, ..Default::default() };
			for _ in 0..200 {
				let page = reader.fields(&identity().subtree, &request, None).unwrap();
				assert_eq!(page.entries.len(), 200);
				assert!(page.entries.iter().all(|(_, value)| *value == page.entries[0].1));
			}
		});
		for nonce in 1..100 {
			engine.submit(&signed(1, nonce, set("/", &fields(nonce))), hub(1), 1).unwrap();
			engine.seal_now().unwrap();
		}
		pages.join().unwrap();
	});
}
