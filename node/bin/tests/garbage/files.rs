//! Damaged files in the folder of a node.

use super::{cases, Random};
use crate::harness::run_to_end;
use std::{
	fs,
	path::{Path, PathBuf},
};

/// Opens the database and says what is in it, or why not. Ends by itself.
fn check(base: &Path) -> crate::harness::Output {
	run_to_end(&["check-block", "0", "--dev", "-d", base.to_str().unwrap()])
}

pub(super) fn list(folder: &Path, files: &mut Vec<PathBuf>) {
	for entry in fs::read_dir(folder).unwrap() {
		let path = entry.unwrap().path();
		if path.is_dir() {
			list(&path, files);
		} else if !path.ends_with("lock") {
			files.push(path);
		}
	}
}

pub(super) fn copy(from: &Path, to: &Path) {
	fs::create_dir_all(to).unwrap();
	for entry in fs::read_dir(from).unwrap() {
		let path = entry.unwrap().path();
		let target = to.join(path.file_name().unwrap());
		if path.is_dir() {
			copy(&path, &target);
		} else {
			fs::copy(&path, target).unwrap();
		}
	}
}

pub(super) fn damage(random: &mut Random, bytes: &mut Vec<u8>) {
	let at = random.below(bytes.len());
	match random.below(5) {
		0 => bytes.clear(),
		1 => bytes.truncate(at),
		2 => bytes.iter_mut().take(16).for_each(|byte| *byte ^= 0xff),
		3 => bytes.iter_mut().for_each(|byte| *byte = random.below(256) as u8),
		_ => {
			for _ in 0..1 + bytes.len() / 50 {
				let at = random.below(bytes.len());
				if let Some(byte) = bytes.get_mut(at) {
					*byte ^= 1 << random.below(8);
				}
			}
		},
	}
}

#[test]
fn a_damaged_database_is_refused_or_repaired() {
	let folder = tempfile::tempdir().unwrap();
	let whole = folder.path().join("whole");
	let output = check(&whole);
	assert!(output.status.success(), "{}", output.stderr);
	let mut files = Vec::new();
	list(&whole, &mut files);
	assert!(!files.is_empty());
	let mut random = Random::new("files");
	for case in 0..cases(2, 200) {
		let damaged = folder.path().join(format!("damaged-{case}"));
		copy(&whole, &damaged);
		let file = files[random.below(files.len())].strip_prefix(&whole).unwrap().to_path_buf();
		let mut bytes = fs::read(damaged.join(&file)).unwrap();
		damage(&mut random, &mut bytes);
		fs::write(damaged.join(&file), bytes).unwrap();
		let output = check(&damaged);
		let text = &output.stderr;
		assert!(!text.contains("panicked"), "{}: {text}", file.display());
		assert!(output.status.success() || text.contains("Error: "), "{}: {text}", file.display());
		fs::remove_dir_all(&damaged).unwrap();
	}
}

#[test]
fn a_database_whose_index_leads_nowhere_is_named() {
	let folder = tempfile::tempdir().unwrap();
	let output = check(folder.path());
	assert!(output.status.success(), "{}", output.stderr);
	let mut files = Vec::new();
	list(folder.path(), &mut files);
	let is_index =
		|file: &&PathBuf| file.file_name().unwrap().to_string_lossy().starts_with("index_");
	for file in files.iter().filter(is_index) {
		let mut bytes = fs::read(file).unwrap();
		// After 16 KiB of facts come entries of 8 bytes: the lowest names a table, the next ones a place in it.
		for entry in bytes[16 * 1024..].chunks_exact_mut(8).filter(|entry| *entry != [0; 8]) {
			entry[..3].copy_from_slice(&[0xfe, 0xff, 0xff]);
		}
		fs::write(file, bytes).unwrap();
	}
	let output = check(folder.path());
	let text = &output.stderr;
	assert_eq!(output.status.code(), Some(1), "{text}");
	assert!(text.contains(folder.path().to_str().unwrap()), "names the folder: {text}");
	assert!(text.contains("is damaged") && text.contains("from a copy"), "{text}");
	assert!(
		!text.contains("purge"),
		"nobody knows yet that the chain's is the damaged one: {text}"
	);
	assert!(!text.contains("panicked") && !text.contains("backtrace"), "{text}");
}
