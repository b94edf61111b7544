//! Calls that the hub has not accepted yet, counted by account.

use dstp_primitives::{batch::BatchEntry, AccountId};
use std::collections::{BTreeMap, HashMap};

/// Counts by head and by account. Bounded by the admission's limit in total.
#[derive(Default)]
pub(super) struct PendingCalls {
	/// By number of the head that commits to them.
	heads: BTreeMap<u64, HashMap<AccountId, u32>>,
	accounts: HashMap<AccountId, u32>,
	total: u32,
}

impl PendingCalls {
	pub fn total(&self) -> u32 {
		self.total
	}

	pub fn of(&self, account: &AccountId) -> u32 {
		self.accounts.get(account).copied().unwrap_or(0)
	}

	pub fn add(&mut self, seq: u64, account: &AccountId) {
		*self.heads.entry(seq).or_default().entry(account.clone()).or_default() += 1;
		*self.accounts.entry(account.clone()).or_default() += 1;
		self.total = self.total.saturating_add(1);
	}

	pub fn add_batch(&mut self, seq: u64, entries: &[BatchEntry]) {
		if !self.heads.contains_key(&seq) {
			entries.iter().for_each(|entry| self.add(seq, &entry.call.payload.signer));
		}
	}

	/// Forgets the calls of all heads up to `seq`.
	pub fn committed(&mut self, seq: u64) {
		let later = self.heads.split_off(&seq.saturating_add(1));
		for (account, count) in core::mem::replace(&mut self.heads, later).into_values().flatten() {
			self.total = self.total.saturating_sub(count);
			let left = self.accounts.get(&account).copied().unwrap_or(0).saturating_sub(count);
			match left {
				0 => self.accounts.remove(&account),
				left => self.accounts.insert(account, left),
			};
		}
	}
}
