//! Damaged files: the engine opens with the state that was acknowledged, or says what is wrong. It never panics, although
//! ParityDB does.
//!
//! `DSTP_LONG=1` and `PROPTEST_CASES` ask for more cases, the first of them also for other ones each time; `DSTP_SEED=<number>`
//! repeats one.

use crate::common::*;
use dstp_primitives::{
	proof::{Query, TrustedRoot},
	tree::PageRequest,
	StateRoot,
};
use dstp_subtree::{Engine, EngineOptions, OpenError, Role};
use rand::{rngs::StdRng, Rng, SeedableRng};
use std::{
	collections::BTreeMap,
	fs, io,
	os::unix::fs::FileExt,
	panic::{self, AssertUnwindSafe},
	path::{Path, PathBuf},
	sync::OnceLock,
};

/// Calls of the workload that the folder holds; the last of them are in the log alone.
const CALLS: u64 = 40;

/// Calls between two heads.
const BATCH: u64 = 7;

/// Small, so that there are several.
const LOG_FILE_BYTES: u64 = 1_500;

fn options() -> EngineOptions {
	EngineOptions { log_file_bytes: LOG_FILE_BYTES, ..Default::default() }
}

/// The files of a closed folder.
struct Original {
	/// After each number of calls.
	roots: Vec<StateRoot>,
	/// Relative to the folder, in order.
	files: Vec<PathBuf>,
	/// Theirs, in the same order.
	contents: Vec<Vec<u8>>,
}

fn original() -> &'static Original {
	static ORIGINAL: OnceLock<Original> = OnceLock::new();
	ORIGINAL.get_or_init(|| {
		let dir = tempfile::tempdir().unwrap();
		let mut engine = open(dir.path(), Role::Serve, options()).unwrap();
		run_workload(&mut engine, 0, CALLS, BATCH);
		drop(engine);
		let mut files = Vec::new();
		list(dir.path(), Path::new(""), &mut files).unwrap();
		files.retain(|file| !file.ends_with("lock"));
		files.sort();
		let contents = files.iter().map(|file| fs::read(dir.path().join(file)).unwrap()).collect();
		Original { roots: workload_roots(CALLS), files, contents }
	})
}

fn list(top: &Path, below: &Path, files: &mut Vec<PathBuf>) -> io::Result<()> {
	for entry in fs::read_dir(top.join(below))? {
		let entry = entry?;
		let path = below.join(entry.file_name());
		if entry.file_type()?.is_dir() {
			list(top, &path, files)?;
		} else {
			files.push(path);
		}
	}
	Ok(())
}

impl Original {
	fn files_of(&self, folder: &str) -> Vec<&PathBuf> {
		self.files.iter().filter(|file| file.starts_with(folder)).collect()
	}

	/// A copy with one file changed.
	fn copy_with(&self, file: &Path, content: Option<&[u8]>) -> tempfile::TempDir {
		let copy = tempfile::tempdir().unwrap();
		for (other, whole) in self.files.iter().zip(&self.contents) {
			let to = copy.path().join(other);
			fs::create_dir_all(to.parent().unwrap()).unwrap();
			if other != file {
				write_sparse(&to, whole);
			} else if let Some(content) = content {
				write_sparse(&to, content);
			}
		}
		copy
	}

	fn content(&self, file: &Path) -> &[u8] {
		let at = self.files.iter().position(|other| other == file).unwrap();
		&self.contents[at]
	}
}

/// Leaves out empty pages: the files of the database have many of them.
fn write_sparse(path: &Path, content: &[u8]) {
	let file = fs::File::create(path).unwrap();
	file.set_len(content.len() as u64).unwrap();
	for (page, offset) in content.chunks(4096).zip((0..).step_by(4096)) {
		if page.iter().any(|byte| *byte != 0) {
			file.write_all_at(page, offset).unwrap();
		}
	}
}

/// What was done to a file.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Damage {
	Removed,
	Cut,
	Extended,
	/// Bits, bytes or whole pages changed in place.
	Changed,
	Spliced,
}

fn damage(rng: &mut StdRng, bytes: &mut Vec<u8>, other: &[u8]) -> Damage {
	let at = rng.gen_range(0..=bytes.len());
	match rng.gen_range(0..7) {
		0 => {
			bytes.truncate(if rng.gen_bool(0.3) { 0 } else { at });
			Damage::Cut
		},
		1 => {
			let zeros = rng.gen_bool(0.5);
			let tail = rng.gen_range(1..200);
			bytes.extend((0..tail).map(|_| if zeros { 0 } else { rng.gen::<u8>() }));
			Damage::Extended
		},
		2 => {
			let from = rng.gen_range(0..=other.len());
			bytes.truncate(at);
			bytes.extend_from_slice(&other[from..]);
			Damage::Spliced
		},
		3 => {
			let end = (at + rng.gen_range(1..4096)).min(bytes.len());
			let byte = if rng.gen_bool(0.5) { 0 } else { 0xff };
			bytes[at..end].fill(byte);
			Damage::Changed
		},
		_ => {
			for _ in 0..rng.gen_range(1..20) {
				if let Some(last) = bytes.len().checked_sub(1) {
					// Files of the database are mostly empty pages: more often where there is something.
					let at = if rng.gen_bool(0.5) {
						rng.gen_range(0..=last)
					} else {
						rng.gen_range(0..=last.min(2000))
					};
					bytes[at] ^= 1 << rng.gen_range(0..8);
				}
			}
			Damage::Changed
		},
	}
}

/// Runs cases with seeds of their own, which a failure names.
fn cases(name: &str, short: u64, long: u64, case: impl Fn(&mut StdRng)) {
	let number = |name: &str| std::env::var(name).ok().and_then(|text| text.parse::<u64>().ok());
	let asked_long = std::env::var("DSTP_LONG").is_ok_and(|value| value == "1");
	let count = number("PROPTEST_CASES").unwrap_or(if asked_long { long } else { short });
	let (first, count) = match number("DSTP_SEED") {
		Some(seed) => (seed, 1),
		None if asked_long => (rand::random::<u64>() >> 1, count),
		None => (0, count),
	};
	println!("{name}: {count} cases from DSTP_SEED={first}");
	for seed in first..first + count {
		let run = AssertUnwindSafe(|| case(&mut StdRng::seed_from_u64(seed)));
		if let Err(cause) = panic::catch_unwind(run) {
			eprintln!("{name}: DSTP_SEED={seed} repeats this");
			panic::resume_unwind(cause);
		}
	}
}

/// Damages one file of `folder` and opens the copy.
fn open_damaged(
	rng: &mut StdRng,
	folder: &str,
) -> (PathBuf, Damage, Result<Engine, OpenError>, tempfile::TempDir) {
	let original = original();
	let files = original.files_of(folder);
	let file = files[rng.gen_range(0..files.len())].clone();
	let mut bytes = original.content(&file).to_vec();
	let removed = rng.gen_bool(0.1);
	let kind = match removed {
		true => Damage::Removed,
		false => {
			let other = original.content(files[rng.gen_range(0..files.len())]);
			damage(rng, &mut bytes, other)
		},
	};
	let copy = original.copy_with(&file, (!removed).then_some(&bytes[..]));
	let opened = open(copy.path(), Role::Serve, options());
	(file, kind, opened, copy)
}

/// What opens holds a prefix of the calls and nothing else.
fn check_prefix(engine: &Engine) -> u64 {
	let calls = engine.next_nonce(&account(1)).unwrap();
	assert!(calls <= CALLS);
	assert_eq!(engine.open_root(), original().roots[calls as usize], "after {calls} calls");
	calls
}

#[test]
fn a_damaged_log_is_named_or_loses_its_end_only() {
	let last = original().files_of("log").into_iter().max().unwrap().clone();
	assert!(original().files_of("log").len() > 2);
	cases("log", 20, 10_000, |rng| {
		let (file, kind, opened, copy) = open_damaged(rng, "log");
		match opened {
			Ok(mut engine) => {
				let calls = check_prefix(&engine);
				// Only the end of the last file can be torn by a crash. Everywhere else a lost call is an error.
				assert!(calls == CALLS || file == last, "{calls} calls after {kind:?} of {file:?}");
				check_flat(&engine);
				// It goes on, and what it acknowledges now is there after the next start.
				run_workload(&mut engine, calls, CALLS, 100);
				drop(engine);
				let engine = open(copy.path(), Role::Serve, options()).unwrap();
				assert_eq!(check_prefix(&engine), CALLS);
			},
			Err(error) => {
				let text = error.to_string();
				assert!(
					matches!(
						error,
						OpenError::LogDamaged { .. }
							| OpenError::LogGap { .. }
							| OpenError::LogBehind { .. }
					),
					"{kind:?} of {file:?}: {text}"
				);
				assert!(text.contains("restore"), "{text}");
			},
		}
	});
}

/// Reads what there is of the newest head, and proves it.
fn read_everything(engine: &Engine) {
	let reader = engine.reader();
	let (_, newest) = reader.kept();
	let page = PageRequest { limit: 100, ..Default::default() };
	for name in ["/", "/top0", "/top1/mid", "/top2/mid/low", "/none"] {
		let query = Query {
			path: path(name),
			fields: (0..20).map(|n| key(&format!("f{n}"))).collect::<Vec<_>>().try_into().unwrap(),
			..Default::default()
		};
		if let Ok((_, proof, _)) = reader.proof(query, Some(newest)) {
			let root = original().roots[(newest * BATCH).min(CALLS) as usize];
			// Whoever asked finds out if the copy's nodes are not those of the head.
			let _ = proof.check(TrustedRoot { object: identity().subtree, root });
		}
		let object = identity().subtree.descendant(&path(name));
		let _ = reader.fields(&object, &page, None);
		let _ = reader.children(&object, &page, None);
		let _ = reader.object(&object, None);
	}
	for seq in 0..=newest {
		let _ = (reader.head(Some(seq)), reader.batch(seq));
	}
}

/// What a refusal to open a damaged database says.
fn check_refusal(error: &OpenError, copy: &Path) {
	let text = error.to_string();
	assert!(["restore", "remove", "move"].iter().any(|remedy| text.contains(remedy)), "{text}");
	if let OpenError::Damaged { .. } = error {
		assert!(text.contains(copy.join("db").to_str().unwrap()), "{text}");
		assert!(text.contains("a node that follows copies the state again"), "{text}");
	}
}

#[test]
fn a_damaged_database_is_refused_or_ends_at_the_right_root() {
	cases("database", 12, 5_000, |rng| {
		let (_, _, opened, copy) = open_damaged(rng, "db");
		match opened {
			Err(error) => check_refusal(&error, copy.path()),
			Ok(engine) => {
				// A nonce that cannot be read is an error.
				if engine.next_nonce(&account(1)).is_ok() {
					check_prefix(&engine);
				}
				read_everything(&engine);
			},
		}
	});
}

#[test]
fn a_file_of_every_kind_may_be_damaged_in_every_way() {
	let original = original();
	// Indexes, tables and the description of the columns; the largest of each kind, as the others may be empty.
	let kind = |file: &Path| {
		let name = file.file_name().unwrap().to_string_lossy().into_owned();
		name.split('_').next().unwrap().to_owned()
	};
	let mut kinds = BTreeMap::new();
	for file in original.files_of("db") {
		let used = original.content(file).iter().filter(|byte| **byte != 0).count();
		let most = kinds.entry(kind(file)).or_insert((used, file));
		*most = (*most).max((used, file));
	}
	assert!(kinds.keys().map(String::as_str).eq(["index", "metadata", "table"]), "{kinds:?}");
	for (_, file) in kinds.into_values() {
		let whole = original.content(file);
		// Empty pages stay empty, so that the copy is not written in full.
		let flip = |byte: &u8| if *byte == 0 { 0 } else { byte ^ 0xa5 };
		let noise = |bytes: &[u8]| bytes.iter().map(flip).collect::<Vec<_>>();
		let half = whole.len() / 2;
		let cases = [
			None,
			Some(Vec::new()),
			Some(whole[..half].to_vec()),
			Some(whole[..whole.len() - whole.len().min(1)].to_vec()),
			Some(noise(whole)),
			Some([whole, &[0xff; 100]].concat()),
		];
		for content in cases {
			let copy = original.copy_with(file, content.as_deref());
			match open(copy.path(), Role::Serve, options()) {
				Err(error) => check_refusal(&error, copy.path()),
				Ok(engine) => read_everything(&engine),
			}
		}
	}
}

#[test]
fn a_database_whose_index_leads_nowhere_is_named_and_made_again_from_the_log() {
	let original = original();
	// The index of the column that is read first, with entries that lead behind the end of every table.
	let file = original
		.files_of("db")
		.into_iter()
		.find(|file| file.file_name().unwrap().to_string_lossy().starts_with("index_04_"));
	let file = file.expect("the column of facts has an index");
	let mut bytes = original.content(file).to_vec();
	for entry in bytes[16 * 1024..].chunks_exact_mut(8).filter(|entry| *entry != [0; 8]) {
		// The lowest byte is the kind of table, the next bits are the place in it.
		entry[1] = 0xff;
		entry[2] = 0xff;
		entry[0] = 0xfe;
	}
	let copy = original.copy_with(file, Some(&bytes));
	let error = open(copy.path(), Role::Serve, options()).err().expect("the index leads nowhere");
	assert!(matches!(error, OpenError::Damaged { .. }), "{error}");
	check_refusal(&error, copy.path());
	// What the message advises: the log has all calls.
	fs::rename(copy.path().join("db"), copy.path().join("damaged")).unwrap();
	let engine = open(copy.path(), Role::Serve, options()).unwrap();
	assert_eq!(check_prefix(&engine), CALLS);
}
