//! The call log: every executed call, in files that are synced before a receipt is given.
//!
//! A file `calls-<position>.log` starts with a header (magic, version, the subtree's identity, the position before its first
//! record) and holds records back to back; `position` counts all records of a registration, across files. Each record has
//! its length, the checksum of its payload, its position, and a checksum of these three. See [`record`].
//!
//! What a crash leaves is the beginning of the last group of records: the end of the last file is cut there. Everything else
//! that does not read is damage and an error, because a call behind it may have been acknowledged.

mod open;
mod record;
#[cfg(test)]
mod tests;

pub(crate) use open::{open, OpenedLog};
pub(crate) use record::Record;

use crate::{
	error::OpenError,
	options::{Faults, Step},
};
use record::{encode_header, encode_record, HEADER_BYTES};
use sp_core::H256;
use std::{
	collections::VecDeque,
	fs::{File, OpenOptions},
	io::{self, Write},
	path::{Path, PathBuf},
	sync::Arc,
};

/// One file of the log.
#[derive(Clone, Debug)]
pub(crate) struct Segment {
	/// Where.
	pub path: PathBuf,
	/// Position before its first record.
	pub base: u64,
	/// Its length in bytes.
	pub bytes: u64,
}

/// The log, open for appending.
pub(crate) struct CallLog {
	dir: PathBuf,
	identity: H256,
	/// Oldest first; the last one is being written.
	segments: VecDeque<Segment>,
	file: File,
	/// Position of the last record, buffered ones included.
	position: u64,
	/// Records that are not written yet.
	buffer: Vec<u8>,
	file_bytes: u64,
	faults: Arc<dyn Faults>,
}

impl CallLog {
	/// Appends to memory; gives the record's position. [`Self::flush`] makes it durable.
	pub fn append(&mut self, record: &Record) -> u64 {
		self.position += 1;
		encode_record(&mut self.buffer, self.position, record);
		self.position
	}

	/// Position of the last record.
	pub fn position(&self) -> u64 {
		self.position
	}

	/// Bytes of all files.
	pub fn bytes(&self) -> u64 {
		self.segments.iter().map(|segment| segment.bytes).sum()
	}

	/// Writes and syncs what was appended. After an error the log must not be used any more: what is on the disk is unknown.
	pub fn flush(&mut self) -> io::Result<()> {
		if self.buffer.is_empty() {
			return Ok(());
		}
		self.faults.at(Step::LogAppend)?;
		if self.faults.tears_writes() {
			let (first, second) = self.buffer.split_at(self.buffer.len() / 2);
			self.file.write_all(first)?;
			self.faults.at(Step::LogHalfWritten)?;
			self.file.write_all(second)?;
		} else {
			self.file.write_all(&self.buffer)?;
		}
		self.faults.at(Step::LogWritten)?;
		self.faults.sync(&self.file)?;
		if let Some(last) = self.segments.back_mut() {
			last.bytes += self.buffer.len() as u64;
		}
		self.buffer.clear();
		self.faults.at(Step::LogSynced)
	}

	/// Goes on in a new file if the current one is full. Nothing is buffered.
	pub fn rotate_if_full(&mut self) -> io::Result<()> {
		debug_assert!(self.buffer.is_empty());
		if self
			.segments
			.back()
			.is_some_and(|last| last.bytes < self.file_bytes.max(HEADER_BYTES as u64 + 1))
		{
			return Ok(());
		}
		let (segment, file) =
			create_segment(&self.dir, &self.identity, self.position, &*self.faults)?;
		self.segments.push_back(segment);
		self.file = file;
		self.faults.at(Step::LogRotated)
	}

	/// Removes the oldest files whose calls a synced database holds for sure: those before which the log has at least
	/// `retain_bytes` of newer records, all of them at or below `applied`.
	pub fn trim(&mut self, applied: u64, retain_bytes: u64) -> io::Result<()> {
		while self.segments.len() > 1 {
			let newer: u64 = self.segments.iter().skip(1).map(|segment| segment.bytes).sum();
			if newer < retain_bytes || self.segments[1].base > applied {
				return Ok(());
			}
			self.faults.at(Step::LogRemove)?;
			std::fs::remove_file(&self.segments[0].path)?;
			self.segments.pop_front();
			self.faults.at(Step::LogRemoved)?;
		}
		Ok(())
	}
}

/// Creates a log that goes on after `base`.
pub(crate) fn create(
	dir: &Path,
	identity: H256,
	base: u64,
	file_bytes: u64,
	faults: Arc<dyn Faults>,
) -> Result<CallLog, OpenError> {
	let failed = |action| move |source| OpenError::Io { action, path: dir.to_path_buf(), source };
	std::fs::create_dir_all(dir).map_err(failed("create"))?;
	let parent = dir.parent().unwrap_or(dir);
	let synced = File::open(parent).and_then(|parent| faults.sync_folder(&parent));
	synced.map_err(failed("make durable"))?;
	let (segment, file) =
		create_segment(dir, &identity, base, &*faults).map_err(failed("create a log file in"))?;
	let segments = VecDeque::from([segment]);
	Ok(CallLog {
		dir: dir.to_path_buf(),
		identity,
		segments,
		file,
		position: base,
		buffer: Vec::new(),
		file_bytes,
		faults,
	})
}

/// Writes a file with its header and makes its name durable. A file of that name without records is replaced.
fn create_segment(
	dir: &Path,
	identity: &H256,
	base: u64,
	faults: &dyn Faults,
) -> io::Result<(Segment, File)> {
	let path = segment_path(dir, base);
	let mut file = OpenOptions::new().write(true).create(true).truncate(true).open(&path)?;
	faults.at(Step::LogCreated)?;
	file.write_all(&encode_header(identity, base))?;
	faults.sync(&file)?;
	faults.sync_folder(&File::open(dir)?)?;
	Ok((Segment { path, base, bytes: HEADER_BYTES as u64 }, file))
}

fn segment_path(dir: &Path, base: u64) -> PathBuf {
	dir.join(format!("calls-{base:020}.log"))
}
