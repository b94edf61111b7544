//! Reading the log at the start.

use super::{
	record::{decode_frame, decode_header, decode_payload, FRAME_BYTES, HEADER_BYTES},
	CallLog, Record, Segment,
};
use crate::{error::OpenError, options::Faults};
use sp_core::H256;
use std::{
	collections::VecDeque,
	fs::{File, OpenOptions},
	io::{self, BufReader, Read, Seek, SeekFrom},
	path::{Path, PathBuf},
	sync::Arc,
};

/// The log's files, checked by their headers only.
pub(crate) struct OpenedLog {
	dir: PathBuf,
	identity: H256,
	segments: VecDeque<Segment>,
}

/// Finds the log's files in `dir`; `None` if there are none.
pub(crate) fn open(dir: &Path, identity: H256) -> Result<Option<OpenedLog>, OpenError> {
	let mut segments = Vec::new();
	let failed = |source| OpenError::Io { action: "list", path: dir.to_path_buf(), source };
	let entries = match std::fs::read_dir(dir) {
		Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
		entries => entries.map_err(failed)?,
	};
	for entry in entries {
		let path = entry.map_err(failed)?.path();
		if let Some(base) = base_of(&path) {
			segments.push((base, path));
		}
	}
	segments.sort_unstable();
	drop_unfinished(&mut segments)?;
	let mut checked = VecDeque::with_capacity(segments.len());
	for (base, path) in segments {
		checked.push_back(check_header(base, path, identity)?);
	}
	Ok((!checked.is_empty()).then(|| OpenedLog {
		dir: dir.to_path_buf(),
		identity,
		segments: checked,
	}))
}

fn base_of(path: &Path) -> Option<u64> {
	path.file_name()?.to_str()?.strip_prefix("calls-")?.strip_suffix(".log")?.parse().ok()
}

/// A crash during a rotation leaves a last file without a whole header, and so without records.
fn drop_unfinished(segments: &mut Vec<(u64, PathBuf)>) -> Result<(), OpenError> {
	let Some((_, path)) = segments.last() else { return Ok(()) };
	let length = std::fs::metadata(path).map_err(|source| io_error("read", path, source))?.len();
	if length < HEADER_BYTES as u64 {
		std::fs::remove_file(path).map_err(|source| io_error("remove", path, source))?;
		segments.pop();
	}
	Ok(())
}

fn check_header(base: u64, path: PathBuf, identity: H256) -> Result<Segment, OpenError> {
	let read = || {
		let mut file = File::open(&path)?;
		let mut header = [0; HEADER_BYTES];
		file.read_exact(&mut header)?;
		Ok((header, file.metadata()?.len()))
	};
	let (header, bytes) = read().map_err(|source: io::Error| match source.kind() {
		io::ErrorKind::UnexpectedEof => damaged(&path, 0, "the file ends inside its header"),
		_ => io_error("read", &path, source),
	})?;
	let (found, found_base) = decode_header(&header).map_err(|reason| damaged(&path, 0, reason))?;
	if found != identity {
		return Err(OpenError::WrongIdentity {
			expected: format!("the log of subtree {identity:?}"),
			found: format!("the log of subtree {found:?}"),
		});
	}
	if found_base != base {
		return Err(damaged(&path, 0, "the file was renamed: its header names another position"));
	}
	Ok(Segment { path, base, bytes })
}

fn io_error(action: &'static str, path: &Path, source: io::Error) -> OpenError {
	OpenError::Io { action, path: path.to_path_buf(), source }
}

fn damaged(path: &Path, offset: u64, reason: &'static str) -> OpenError {
	OpenError::LogDamaged { file: path.to_path_buf(), offset, reason }
}

impl OpenedLog {
	/// Reads every record after `applied`, which is what the database holds durably; cuts a torn end; removes files that the
	/// database has outgrown; and gives the log for appending.
	pub fn replay(
		mut self,
		applied: u64,
		file_bytes: u64,
		faults: Arc<dyn Faults>,
		mut each: impl FnMut(u64, Record) -> Result<(), OpenError>,
	) -> Result<CallLog, OpenError> {
		while self.segments.len() > 1 && self.segments[1].base <= applied {
			let path = &self.segments[0].path;
			std::fs::remove_file(path).map_err(|source| io_error("remove", path, source))?;
			self.segments.pop_front();
		}
		let mut position = self.segments[0].base;
		if position > applied {
			return Err(OpenError::LogGap { database: applied, log: position });
		}
		let last = self.segments.len() - 1;
		for (index, segment) in self.segments.iter_mut().enumerate() {
			if segment.base != position {
				return Err(damaged(&segment.path, 0, "the records before this file are missing"));
			}
			let mut reader = SegmentReader::new(segment, index == last)?;
			while let Some(record) = reader.next(position + 1)? {
				position += 1;
				if position > applied {
					each(position, record)?;
				}
			}
			segment.bytes = reader.offset;
		}
		if position < applied {
			return Err(OpenError::LogBehind { database: applied, log: position });
		}
		self.append_to_last(position, file_bytes, faults)
	}

	fn append_to_last(
		self,
		position: u64,
		file_bytes: u64,
		faults: Arc<dyn Faults>,
	) -> Result<CallLog, OpenError> {
		let last = self.segments.back().expect("a log has a file; qed");
		let cut = || {
			let mut file = OpenOptions::new().write(true).open(&last.path)?;
			if file.metadata()?.len() != last.bytes {
				file.set_len(last.bytes)?;
			}
			// What was read may have been written and never synced, and the executor builds on it now.
			faults.sync(&file)?;
			file.seek(SeekFrom::End(0))?;
			Ok(file)
		};
		let file = cut().map_err(|source| io_error("write", &last.path, source))?;
		Ok(CallLog {
			dir: self.dir,
			identity: self.identity,
			segments: self.segments,
			file,
			position,
			buffer: Vec::new(),
			file_bytes,
			faults,
		})
	}
}

struct SegmentReader<'a> {
	path: &'a Path,
	file: BufReader<File>,
	/// Where the next record starts.
	offset: u64,
	length: u64,
	/// Whether its end may be torn.
	last: bool,
}

impl<'a> SegmentReader<'a> {
	fn new(segment: &'a Segment, last: bool) -> Result<Self, OpenError> {
		let open = || {
			let mut file = File::open(&segment.path)?;
			let length = file.metadata()?.len();
			file.seek(SeekFrom::Start(HEADER_BYTES as u64))?;
			Ok((file, length))
		};
		let (file, length) = open().map_err(|source| io_error("read", &segment.path, source))?;
		Ok(Self {
			path: &segment.path,
			file: BufReader::new(file),
			offset: HEADER_BYTES as u64,
			length,
			last,
		})
	}

	/// The record at `position`, or `None` at the end.
	fn next(&mut self, position: u64) -> Result<Option<Record>, OpenError> {
		let left = self.length - self.offset;
		if left == 0 {
			return Ok(None);
		}
		if left < FRAME_BYTES as u64 {
			return self.torn("the file ends inside a record's frame");
		}
		let mut frame = [0; FRAME_BYTES];
		self.read(&mut frame)?;
		let frame = match decode_frame(&frame) {
			Ok(frame) => frame,
			// A file system may have made the file longer before it wrote the bytes.
			Err(_) if frame == [0; FRAME_BYTES] && self.only_zeros()? => {
				return self.torn("the file ends in zeros")
			},
			Err(reason) => return Err(damaged(self.path, self.offset, reason)),
		};
		if frame.position != position {
			return Err(damaged(self.path, self.offset, "the record has the wrong position"));
		}
		if left - (FRAME_BYTES as u64) < frame.length as u64 {
			return self.torn("the file ends inside a record");
		}
		let mut payload = vec![0; frame.length];
		self.read(&mut payload)?;
		let record = decode_payload(&frame, &payload)
			.map_err(|reason| damaged(self.path, self.offset, reason))?;
		self.offset += (FRAME_BYTES + frame.length) as u64;
		Ok(Some(record))
	}

	fn torn(&self, reason: &'static str) -> Result<Option<Record>, OpenError> {
		if !self.last {
			return Err(damaged(self.path, self.offset, reason));
		}
		log::info!(
			target: "dstp::subtree",
			"the call log {} is cut at byte {}: {reason}; a crash left calls there that were never acknowledged",
			self.path.display(),
			self.offset,
		);
		Ok(None)
	}

	fn read(&mut self, into: &mut [u8]) -> Result<(), OpenError> {
		self.file.read_exact(into).map_err(|source| io_error("read", self.path, source))
	}

	fn only_zeros(&mut self) -> Result<bool, OpenError> {
		let mut chunk = [0; 4096];
		loop {
			match self
				.file
				.read(&mut chunk)
				.map_err(|source| io_error("read", self.path, source))?
			{
				0 => return Ok(true),
				read if chunk[..read].iter().any(|byte| *byte != 0) => return Ok(false),
				_ => {},
			}
		}
	}
}
