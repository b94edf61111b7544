//! What other nodes deserve.
//!
//! The transport forgets a ban within minutes, therefore the overlay keeps its own table, which outlives a restart. Only an
//! answer that is provably wrong leads to a ban. Slowness costs too, but never more than the preference of others, because an
//! honest node behind a bad link must not be lost.

use crate::peer::{Peer, MAX_PEER_BYTES};
use codec::{Decode, DecodeAll, Encode};
use std::{
	collections::BTreeMap,
	sync::{Arc, Mutex, MutexGuard, PoisonError},
};

/// Most nodes in the table. At about 100 bytes each it stays below 1 MB.
pub const MAX_SCORES: usize = 4096;

/// What a provably wrong answer costs. Two within a short time lead to a ban.
pub const INVALID_POINTS: i32 = -50;

/// What an answer that did not come in time costs.
pub const SLOW_POINTS: i32 = -5;

/// Slowness alone never leads below this.
pub const SLOW_FLOOR: i32 = -40;

/// The score at which a node is banned.
pub const BAN_POINTS: i32 = -100;

/// The best score. It is low, so that a long honest past pays for nothing.
pub const MAX_POINTS: i32 = 10;

/// One point is forgiven in this time, in milliseconds: a wrong answer within half an hour.
pub const FORGIVE_MS: u64 = 36_000;

/// Length of a first ban, in milliseconds; each further one is twice as long.
pub const FIRST_BAN_MS: u64 = 60 * 60 * 1000;

/// Longest ban: first ban times 2^5, more than a day.
const MAX_BAN_DOUBLINGS: u32 = 5;

const FORMAT_VERSION: u8 = 1;

/// How an answer was.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Verdict {
	/// Right and in time.
	Useful,
	/// Not in time.
	Slow,
	/// Provably wrong.
	Invalid,
}

#[derive(Clone, Default, PartialEq, Eq, Debug, Encode, Decode)]
struct Entry {
	points: i32,
	/// When `points` was right.
	at_ms: u64,
	banned_until_ms: u64,
	bans: u32,
}

impl Entry {
	fn forgive(&mut self, now_ms: u64) {
		let steps = now_ms.saturating_sub(self.at_ms) / FORGIVE_MS;
		if self.points < 0 {
			self.points =
				self.points.saturating_add(i32::try_from(steps).unwrap_or(i32::MAX)).min(0);
		}
		// The rest of an unfinished step counts on; a clock that went back starts anew.
		self.at_ms = if self.at_ms > now_ms { now_ms } else { self.at_ms + steps * FORGIVE_MS };
	}

	fn judge(&mut self, verdict: Verdict, now_ms: u64) {
		self.forgive(now_ms);
		match verdict {
			// Right answers earn no forgiveness for wrong ones, or a forger could alternate.
			Verdict::Useful if self.points >= 0 => self.points = (self.points + 1).min(MAX_POINTS),
			Verdict::Useful => {},
			Verdict::Slow => {
				self.points = self.points.min((self.points + SLOW_POINTS).max(SLOW_FLOOR))
			},
			Verdict::Invalid => self.points = self.points.min(0).saturating_add(INVALID_POINTS),
		}
		if self.points <= BAN_POINTS {
			let length = FIRST_BAN_MS << self.bans.min(MAX_BAN_DOUBLINGS);
			self.banned_until_ms = now_ms.saturating_add(length);
			self.bans = self.bans.saturating_add(1);
			self.points = INVALID_POINTS;
		}
	}

	/// How much is lost when the entry is forgotten.
	fn weight(&self, now_ms: u64) -> (bool, u32, u32) {
		(self.banned_until_ms > now_ms, self.bans, self.points.unsigned_abs())
	}
}

/// A bounded table of scores by node. Times are milliseconds since 1970.
#[derive(Clone, Default, Debug, Encode, Decode)]
pub struct ScoreTable {
	entries: BTreeMap<Peer, Entry>,
	/// Not worth keeping: it only tells whether there is something new.
	#[codec(skip)]
	invalid: u64,
}

impl ScoreTable {
	/// Notes how an answer of `peer` was. Gives whether the node is banned now.
	pub fn judge(&mut self, peer: &Peer, verdict: Verdict, now_ms: u64) -> bool {
		if !self.entries.contains_key(peer) && self.entries.len() >= MAX_SCORES {
			let lightest = self
				.entries
				.iter()
				.min_by_key(|(_, entry)| entry.weight(now_ms))
				.map(|(peer, _)| peer.clone());
			lightest.and_then(|peer| self.entries.remove(&peer));
		}
		self.invalid += u64::from(verdict == Verdict::Invalid);
		let fresh = Entry { at_ms: now_ms, ..Entry::default() };
		let entry = self.entries.entry(peer.clone()).or_insert(fresh);
		entry.judge(verdict, now_ms);
		entry.banned_until_ms > now_ms
	}

	/// From [`BAN_POINTS`] to [`MAX_POINTS`]; 0 for strangers.
	pub fn points(&self, peer: &Peer, now_ms: u64) -> i32 {
		self.entries.get(peer).map_or(0, |entry| {
			let mut entry = entry.clone();
			entry.forgive(now_ms);
			entry.points
		})
	}

	/// Whether nothing is asked of this node, and nothing answered to it.
	pub fn is_banned(&self, peer: &Peer, now_ms: u64) -> bool {
		self.entries.get(peer).is_some_and(|entry| entry.banned_until_ms > now_ms)
	}

	/// Wrong answers that were noted since the table was made or read. Whoever keeps the table in a file writes it at once when
	/// this has grown: a liar that is forgotten in a crash may lie again.
	pub fn invalid(&self) -> u64 {
		self.invalid
	}

	/// Nodes in the table.
	pub fn len(&self) -> usize {
		self.entries.len()
	}

	/// Whether no node has a score.
	pub fn is_empty(&self) -> bool {
		self.entries.is_empty()
	}

	/// For a file.
	pub fn to_bytes(&self) -> Vec<u8> {
		(FORMAT_VERSION, self).encode()
	}

	/// From a file; `None` if it is damaged or of another version. Start with an empty table then.
	pub fn from_bytes(bytes: &[u8]) -> Option<Self> {
		let (version, table) = <(u8, Self)>::decode_all(&mut &bytes[..]).ok()?;
		let fits = table.entries.len() <= MAX_SCORES
			&& table.entries.iter().all(|(peer, entry)| {
				peer.as_bytes().len() <= MAX_PEER_BYTES
					&& (BAN_POINTS..=MAX_POINTS).contains(&entry.points)
			});
		(version == FORMAT_VERSION && fits).then_some(table)
	}
}

/// One table for everything that a node follows and serves.
#[derive(Clone, Default, Debug)]
pub struct Scores(Arc<Mutex<ScoreTable>>);

impl Scores {
	/// Goes on with a table from before.
	pub fn new(table: ScoreTable) -> Self {
		Self(Arc::new(Mutex::new(table)))
	}

	/// The table. Every change to it is one step, so a panic elsewhere leaves it usable.
	pub fn lock(&self) -> MutexGuard<'_, ScoreTable> {
		self.0.lock().unwrap_or_else(PoisonError::into_inner)
	}
}

#[cfg(test)]
mod tests {
	use super::*;

	fn peer(number: u32) -> Peer {
		Peer::new(number.to_be_bytes()).expect("4 bytes are few; qed")
	}

	#[test]
	fn two_wrong_answers_lead_to_a_ban_that_ends() {
		let mut table = ScoreTable::default();
		assert!(!table.judge(&peer(1), Verdict::Invalid, 0));
		assert!(table.judge(&peer(1), Verdict::Invalid, 1000));
		assert!(table.is_banned(&peer(1), FIRST_BAN_MS));
		assert!(!table.is_banned(&peer(1), 1001 + FIRST_BAN_MS));
		assert!(!table.is_banned(&peer(2), 0));
	}

	#[test]
	fn slowness_never_bans_and_is_forgiven() {
		let mut table = ScoreTable::default();
		for _ in 0..1000 {
			assert!(!table.judge(&peer(1), Verdict::Slow, 0));
		}
		assert_eq!(table.points(&peer(1), 0), SLOW_FLOOR);
		assert_eq!(table.points(&peer(1), 1000 * FORGIVE_MS), 0);
	}

	#[test]
	fn right_answers_do_not_pay_for_wrong_ones() {
		let mut table = ScoreTable::default();
		for _ in 0..100 {
			table.judge(&peer(1), Verdict::Useful, 0);
		}
		assert_eq!(table.points(&peer(1), 0), MAX_POINTS);
		table.judge(&peer(1), Verdict::Invalid, 0);
		table.judge(&peer(1), Verdict::Useful, 0);
		assert!(table.judge(&peer(1), Verdict::Invalid, 0));
	}

	#[test]
	fn a_clock_that_goes_back_is_harmless() {
		let mut table = ScoreTable::default();
		table.judge(&peer(1), Verdict::Invalid, u64::MAX);
		assert_eq!(table.points(&peer(1), 0), INVALID_POINTS);
		table.judge(&peer(1), Verdict::Slow, 0);
		assert_eq!(table.points(&peer(1), 1000 * FORGIVE_MS), 0);
	}

	#[test]
	fn the_table_is_bounded_and_keeps_bans() {
		let mut table = ScoreTable::default();
		table.judge(&peer(0), Verdict::Invalid, 0);
		table.judge(&peer(0), Verdict::Invalid, 0);
		for number in 1..2 * MAX_SCORES as u32 {
			table.judge(&peer(number), Verdict::Slow, 0);
		}
		assert_eq!(table.len(), MAX_SCORES);
		assert!(table.is_banned(&peer(0), 1));
	}

	#[test]
	fn the_table_survives_a_restart_and_refuses_damage() {
		let mut table = ScoreTable::default();
		table.judge(&peer(1), Verdict::Invalid, 7);
		let bytes = table.to_bytes();
		let read = ScoreTable::from_bytes(&bytes).unwrap();
		assert_eq!((&read.entries, read.invalid()), (&table.entries, 0));
		assert!(ScoreTable::from_bytes(&bytes[1..]).is_none());
		assert!(ScoreTable::from_bytes(&[]).is_none());
	}

	#[test]
	fn points_that_nobody_can_have_are_damage() {
		for (points, expected) in
			[(BAN_POINTS - 1, false), (BAN_POINTS, true), (MAX_POINTS, true), (i32::MAX, false)]
		{
			let entry =
				Entry { points, at_ms: u64::MAX, banned_until_ms: u64::MAX, bans: u32::MAX };
			let table = ScoreTable { entries: [(peer(1), entry)].into(), invalid: 0 };
			let read = ScoreTable::from_bytes(&table.to_bytes());
			assert_eq!(read.is_some(), expected, "{points}");
			let Some(read) = read else { continue };
			for verdict in [Verdict::Useful, Verdict::Slow, Verdict::Invalid] {
				read.clone().judge(&peer(1), verdict, 7);
			}
		}
	}

	#[test]
	fn wrong_answers_are_counted() {
		let mut table = ScoreTable::default();
		for verdict in [Verdict::Useful, Verdict::Slow, Verdict::Invalid, Verdict::Invalid] {
			table.judge(&peer(1), verdict, 0);
		}
		assert_eq!(table.invalid(), 2);
	}
}
