//! What other nodes deserve, over a restart.

use dstp_state_network::{score::ScoreTable, Scores};
use std::{
	fs::{self, File},
	io::{self, Write},
	path::PathBuf,
	time::{Duration, Instant},
};

/// How often scores are written if they changed: what the last seconds taught is learned again quickly.
const INTERVAL: Duration = Duration::from_secs(5);

/// Who answered wrongly is written down at once, so that a crash does not forget a liar. But not more often than this, however many
/// liars there are: a full table has 400 KB.
const PAUSE: Duration = Duration::from_secs(1);

/// The scores and the file that keeps them.
pub(super) struct ScoreFile {
	path: PathBuf,
	scores: Scores,
	written: Vec<u8>,
	/// [`ScoreTable::invalid`] at that time.
	written_invalid: u64,
	written_at: Instant,
}

impl ScoreFile {
	/// Reads the file; without one, or with one that is damaged, all nodes are strangers.
	pub(super) fn open(path: PathBuf) -> Self {
		let written = fs::read(&path).unwrap_or_default();
		let scores = Scores::new(ScoreTable::from_bytes(&written).unwrap_or_default());
		Self { path, scores, written, written_invalid: 0, written_at: Instant::now() }
	}

	pub(super) fn scores(&self) -> Scores {
		self.scores.clone()
	}

	/// Writes the scores if it is time.
	pub(super) fn turn(&mut self) {
		let waited = self.written_at.elapsed();
		if waited < PAUSE {
			return;
		}
		let table = self.scores.lock();
		let invalid = table.invalid();
		if waited < INTERVAL && invalid == self.written_invalid {
			return;
		}
		let bytes = table.to_bytes();
		drop(table);
		(self.written_at, self.written_invalid) = (Instant::now(), invalid);
		if bytes == self.written {
			return;
		}
		match self.write(&bytes) {
			Ok(()) => self.written = bytes,
			Err(error) => {
				log::warn!(target: "dstp", "scores of nodes cannot be written to {}: {error}", self.path.display());
			},
		}
	}

	/// Replaces the file as a whole.
	fn write(&self, bytes: &[u8]) -> io::Result<()> {
		if let Some(folder) = self.path.parent() {
			fs::create_dir_all(folder)?;
		}
		let new = self.path.with_extension("new");
		let mut file = File::create(&new)?;
		file.write_all(bytes)?;
		// The new name must not reach the disk before the bytes.
		file.sync_all()?;
		fs::rename(&new, &self.path)
	}
}

#[cfg(test)]
mod tests {
	use super::*;
	use dstp_state_network::{score::Verdict, Peer};

	#[test]
	fn scores_outlive_a_restart_and_a_damaged_file_counts_as_none() {
		let folder = std::env::temp_dir().join(format!("dstp-scores-{}", std::process::id()));
		let path = folder.join("scores");
		let peer = Peer::new([1]).unwrap();
		let mut file = ScoreFile::open(path.clone());
		file.written_at -= PAUSE;
		file.scores().lock().judge(&peer, Verdict::Slow, 0);
		file.turn();
		assert!(!path.exists(), "slowness is written now and then");
		file.scores().lock().judge(&peer, Verdict::Invalid, 0);
		file.turn();
		let points = || ScoreFile::open(path.clone()).scores().lock().points(&peer, 0);
		let wrong = points();
		assert!(wrong < 0, "a wrong answer is written at once");
		file.scores().lock().judge(&peer, Verdict::Invalid, 0);
		file.turn();
		assert_eq!(points(), wrong, "but not more often than once a second");
		file.scores().lock().judge(&peer, Verdict::Slow, 0);
		file.written_at -= INTERVAL;
		file.turn();
		let at_last = ScoreFile::open(path.clone()).scores().lock().to_bytes();
		assert_eq!(at_last, file.scores().lock().to_bytes());
		file.scores().lock().judge(&Peer::new([2]).unwrap(), Verdict::Slow, 0);
		file.written_at -= PAUSE;
		file.turn();
		assert_eq!(fs::read(&path).unwrap(), at_last, "a wrong answer counts as new only once");
		fs::write(&path, b"damaged").unwrap();
		assert!(ScoreFile::open(path).scores().lock().is_empty());
		fs::remove_dir_all(folder).unwrap();
	}
}
