#![allow(clippy::unwrap_used)]

use super::*;
use crate::options::NoFaults;
use std::fs;

const IDENTITY: H256 = H256([7; 32]);

fn head(seq: u64) -> Record {
	Record::Seal(dstp_primitives::head::Head {
		version: 1,
		genesis: H256::zero(),
		subtree: Default::default(),
		epoch: 1,
		era: 0,
		seq,
		prev: H256::zero(),
		pre_root: H256::zero(),
		state_root: H256::zero(),
		batch_root: H256::zero(),
		batch_len: 1,
		batch_bytes: 1,
		hub_first: 0,
		hub_last: 0,
	})
}

fn fresh(dir: &Path, file_bytes: u64) -> CallLog {
	create(dir, IDENTITY, 0, file_bytes, Arc::new(NoFaults)).unwrap()
}

fn read(dir: &Path, applied: u64) -> Result<(Vec<(u64, Record)>, CallLog), OpenError> {
	let mut records = Vec::new();
	let log = open(dir, IDENTITY)?.expect("there is a log").replay(
		applied,
		1 << 20,
		Arc::new(NoFaults),
		|at, record| {
			records.push((at, record));
			Ok(())
		},
	)?;
	Ok((records, log))
}

fn filled(dir: &Path, count: u64, file_bytes: u64) -> CallLog {
	let mut log = fresh(dir, file_bytes);
	for seq in 1..=count {
		log.append(&head(seq));
		log.flush().unwrap();
		log.rotate_if_full().unwrap();
	}
	log
}

fn file(dir: &Path) -> PathBuf {
	segment_path(dir, 0)
}

#[test]
fn records_come_back_in_order_and_the_log_goes_on() {
	let dir = tempfile::tempdir().unwrap();
	drop(filled(dir.path(), 3, 1 << 20));
	let (records, mut log) = read(dir.path(), 1).unwrap();
	assert_eq!(records, vec![(2, head(2)), (3, head(3))]);
	assert_eq!(log.append(&head(4)), 4);
	log.flush().unwrap();
	assert_eq!(read(dir.path(), 0).unwrap().0.len(), 4);
}

#[test]
fn a_torn_end_is_cut_at_every_length() {
	let dir = tempfile::tempdir().unwrap();
	drop(filled(dir.path(), 3, 1 << 20));
	let whole = fs::read(file(dir.path())).unwrap();
	let record = (whole.len() - HEADER_BYTES) / 3;
	for cut in 1..record {
		fs::write(file(dir.path()), &whole[..whole.len() - cut]).unwrap();
		let (records, mut log) = read(dir.path(), 0).unwrap();
		assert_eq!(records.len(), 2, "cut by {cut}");
		log.append(&head(3));
		log.flush().unwrap();
		assert_eq!(fs::read(file(dir.path())).unwrap(), whole);
	}
	let mut zeros = whole.clone();
	zeros.extend_from_slice(&[0; 5000]);
	fs::write(file(dir.path()), &zeros).unwrap();
	assert_eq!(read(dir.path(), 0).unwrap().0.len(), 3);
	assert_eq!(fs::read(file(dir.path())).unwrap(), whole);
}

#[test]
fn every_flipped_byte_is_found() {
	let dir = tempfile::tempdir().unwrap();
	drop(filled(dir.path(), 3, 1 << 20));
	let whole = fs::read(file(dir.path())).unwrap();
	for offset in 0..whole.len() {
		let mut bytes = whole.clone();
		bytes[offset] ^= 0x10;
		fs::write(file(dir.path()), &bytes).unwrap();
		match read(dir.path(), 0) {
			Err(OpenError::LogDamaged { file: named, offset: at, .. }) => {
				assert_eq!(named, file(dir.path()));
				assert!(at as usize <= offset && offset < at as usize + whole.len() / 3);
			},
			Err(other) => panic!("byte {offset}: {other}"),
			Ok(_) => panic!("byte {offset} was flipped unnoticed"),
		}
	}
}

#[test]
fn files_rotate_and_old_ones_go_once_the_database_is_ahead() {
	let dir = tempfile::tempdir().unwrap();
	let mut log = filled(dir.path(), 10, 1);
	assert_eq!(log.segments.len(), 11);
	log.trim(5, 0).unwrap();
	assert_eq!(
		log.segments.front().unwrap().base,
		5,
		"nothing that the database may lack is removed"
	);
	log.trim(10, u64::MAX).unwrap();
	assert_eq!(log.segments.len(), 6, "what may not be synced in the database is kept");
	drop(log);
	assert!(matches!(read(dir.path(), 4), Err(OpenError::LogGap { database: 4, log: 5 })));
	assert!(matches!(
		read(dir.path(), 11),
		Err(OpenError::LogGap { .. } | OpenError::LogBehind { .. })
	));
}

#[test]
fn a_file_that_a_crash_left_without_header_is_dropped() {
	let dir = tempfile::tempdir().unwrap();
	drop(filled(dir.path(), 2, 1 << 20));
	fs::write(segment_path(dir.path(), 2), b"DSTP").unwrap();
	let (records, log) = read(dir.path(), 0).unwrap();
	assert_eq!((records.len(), log.segments.len()), (2, 1));
}

#[test]
fn missing_and_foreign_files_are_refused() {
	let dir = tempfile::tempdir().unwrap();
	drop(filled(dir.path(), 4, 1));
	assert!(matches!(open(dir.path(), H256::zero()), Err(OpenError::WrongIdentity { .. })));
	fs::remove_file(segment_path(dir.path(), 2)).unwrap();
	assert!(matches!(read(dir.path(), 0), Err(OpenError::LogDamaged { .. })));
	fs::remove_file(segment_path(dir.path(), 0)).unwrap();
	fs::rename(segment_path(dir.path(), 1), segment_path(dir.path(), 0)).unwrap();
	assert!(matches!(read(dir.path(), 0), Err(OpenError::LogDamaged { offset: 0, .. })));
}
