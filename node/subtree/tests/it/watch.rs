//! Who watches an engine learns of every head and of what it wrote.

use crate::common::*;
use dstp_primitives::{call::Call, object::META_KEY, proof::check_range, ObjectId};
use dstp_subtree::{
	CopiedRange, Engine, EngineOptions, HeadNews, ImportTarget, Reader, Role, Watcher,
};
use std::sync::{Arc, Mutex};

/// Field keys of one object with their values, as news told them.
type Fields = Vec<(String, Option<Vec<u8>>)>;

#[derive(Default)]
struct Notes(Mutex<Vec<(String, u64)>>, Mutex<Vec<Vec<(ObjectId, Fields)>>>);

impl Watcher for Notes {
	fn on_news(&self, news: HeadNews<'_>, reader: &Reader) {
		let newest = reader.kept().1;
		let kind = match news {
			HeadNews::Batch(batch) => {
				assert_eq!(batch.head.seq, newest, "the reader sees the head");
				let mut objects: Vec<(ObjectId, Fields)> = Vec::new();
				for (object, changes) in &*batch.changed {
					let mut fields = Vec::new();
					for (key, value) in changes {
						match key[0] {
							0 => fields.push((
								String::from_utf8(key[1..].to_vec()).unwrap(),
								value.as_ref().map(|value| value[1..].to_vec()),
							)),
							_ if key[..] == META_KEY && value.is_none() => {
								fields.push(("(removed)".into(), None));
							},
							_ => {},
						}
					}
					objects.push((*object, fields));
				}
				self.1.lock().unwrap().push(objects);
				"batch"
			},
			HeadNews::Copied { seq } => {
				assert_eq!(seq, newest);
				"copied"
			},
			HeadNews::Resealed { first } => return self.note("resealed", first),
		};
		self.note(kind, newest);
	}
}

impl Notes {
	fn note(&self, kind: &str, seq: u64) {
		self.0.lock().unwrap().push((kind.into(), seq));
	}

	fn kinds(&self) -> Vec<(String, u64)> {
		std::mem::take(&mut *self.0.lock().unwrap())
	}

	fn of(&self, object: &ObjectId) -> Option<Fields> {
		let batches = self.1.lock().unwrap();
		batches.last()?.iter().find(|(id, _)| id == object).map(|(_, fields)| fields.clone())
	}
}

fn watched(dir: &std::path::Path, role: Role) -> (Engine, Arc<Notes>) {
	let notes = Arc::new(Notes::default());
	let options = EngineOptions { watcher: notes.clone(), ..Default::default() };
	(open(dir, role, options).unwrap(), notes)
}

fn fields(pairs: &[(&str, &[u8])]) -> Vec<(String, Vec<u8>)> {
	pairs.iter().map(|(name, value)| ((*name).into(), value.to_vec())).collect()
}

#[test]
fn a_batch_tells_what_it_wrote_where_it_was_sealed_and_where_it_was_executed_again() {
	let (from, to) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
	let (mut serving, at_serving) = watched(from.path(), Role::Serve);
	let (mut following, at_following) = watched(to.path(), Role::Follow);
	let a = identity().subtree.child(&key("a"));
	let batches = [
		vec![create("/", "a"), set("/a", &fields(&[("x", b"1"), ("y", b"2")]))],
		vec![
			set("/a", &fields(&[("x", b"3")])),
			Call::RemoveFields { object: path("/a"), keys: vec![key("y")].try_into().unwrap() },
		],
		vec![Call::RemoveRecursive { object: path("/a") }],
	];
	let told: [Fields; 3] = [
		vec![("x".into(), Some(b"1".to_vec())), ("y".into(), Some(b"2".to_vec()))],
		vec![("x".into(), Some(b"3".to_vec())), ("y".into(), None)],
		vec![("x".into(), None), ("(removed)".into(), None)],
	];
	let mut nonce = 0;
	for ((seq, calls), told) in (1..).zip(batches).zip(told) {
		for call in calls {
			serving.submit(&signed(1, nonce, call), hub(1), 1).unwrap();
			nonce += 1;
		}
		let batch = serving.seal_now().unwrap().remove(0);
		following.apply_batch(batch.head, batch.entries).unwrap();
		for notes in [&at_serving, &at_following] {
			assert_eq!(notes.kinds(), vec![("batch".to_string(), seq)]);
			assert_eq!(notes.of(&a), Some(told.clone()));
		}
	}
}

#[test]
fn a_refused_batch_is_no_news() {
	let (from, to) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
	let (mut serving, _) = watched(from.path(), Role::Serve);
	let (mut following, notes) = watched(to.path(), Role::Follow);
	run_workload(&mut serving, 0, 5, 100);
	let batch = serving.seal_now().unwrap().remove(0);
	let mut wrong = batch.head.clone();
	wrong.state_root = Default::default();
	assert!(following.apply_batch(wrong, batch.entries).is_err());
	assert!(notes.kinds().is_empty());
}

#[test]
fn a_copied_state_is_one_piece_of_news() {
	let (from, to) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
	let (mut serving, _) = watched(from.path(), Role::Serve);
	serving.submit(&signed(1, 0, set("/", &fields(&[("x", b"1")]))), hub(1), 1).unwrap();
	let head = serving.seal_now().unwrap().remove(0).head;
	let (object, root) = (identity().subtree, head.state_root);
	let (proof, _) = serving.reader().range(root, None, 1 << 20).unwrap();
	let range = check_range(proof, root, None).unwrap();

	let (mut following, notes) = watched(to.path(), Role::Follow);
	following.begin_copy(ImportTarget::Head(head), vec![1]).unwrap();
	let whole = CopiedRange { object, link: None, root, from_start: true, range };
	following.copy_ranges(vec![whole], vec![2]).unwrap();
	assert!(notes.kinds().is_empty());
	following.finish_import().unwrap();
	assert_eq!(notes.kinds(), vec![("copied".to_string(), 1)]);
}

#[test]
fn heads_of_a_new_era_are_told_once() {
	let dir = tempfile::tempdir().unwrap();
	let (mut engine, notes) = watched(dir.path(), Role::Serve);
	run_workload(&mut engine, 0, 6, 2);
	assert_eq!(notes.kinds().len(), 3);
	let mut first = engine.reader().head(Some(1)).unwrap().unwrap().next_state();
	first.era = 4;
	engine.on_hub_head(&first).unwrap();
	engine.on_hub_head(&first).unwrap();
	assert_eq!(notes.kinds(), vec![("resealed".to_string(), 2)]);
}
