//! What other nodes deserve, over a restart.

use dstp_state_network::{score::ScoreTable, Scores};
use std::{
	fs, io,
	path::PathBuf,
	time::{Duration, Instant},
};

/// How often scores are written if they changed: what the last seconds taught is learned again quickly.
const INTERVAL: Duration = Duration::from_secs(20);

/// The scores and the file that keeps them.
pub(super) struct ScoreFile {
	path: PathBuf,
	scores: Scores,
	written: Vec<u8>,
	written_at: Instant,
}

impl ScoreFile {
	/// Reads the file; without one, or with one that is damaged, all nodes are strangers.
	pub(super) fn open(path: PathBuf) -> Self {
		let written = fs::read(&path).unwrap_or_default();
		let scores = Scores::new(ScoreTable::from_bytes(&written).unwrap_or_default());
		Self { path, scores, written, written_at: Instant::now() }
	}

	pub(super) fn scores(&self) -> Scores {
		self.scores.clone()
	}

	/// Writes the scores if it is time.
	pub(super) fn turn(&mut self) {
		if self.written_at.elapsed() < INTERVAL {
			return;
		}
		self.written_at = Instant::now();
		let bytes = self.scores.lock().to_bytes();
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
		fs::write(&new, bytes)?;
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
		file.scores().lock().judge(&peer, Verdict::Invalid, 0);
		file.written_at -= INTERVAL;
		file.turn();
		assert!(ScoreFile::open(path.clone()).scores().lock().points(&peer, 0) < 0);
		fs::write(&path, b"damaged").unwrap();
		assert!(ScoreFile::open(path).scores().lock().is_empty());
		fs::remove_dir_all(folder).unwrap();
	}
}
