//! What always holds.

use crate::{BalanceOf, Config, HoldReason, NextEpoch, Pallet, Subtrees};
use alloc::collections::{BTreeMap, BTreeSet};
use dstp_primitives::{hub::RemoteObjects, mode::Modes, object::HeadStatus, AccountId};
use frame_support::{ensure, traits::fungible::InspectHold};
use sp_runtime::{traits::Saturating, TryRuntimeError};

impl<T: Config> Pallet<T> {
	/// Checks that
	///
	/// - every record stands under its own id, and the tree says the same of the subtree;
	/// - epochs are given out once, and the next one is new;
	/// - the last head, the head state and the status agree, and parameters and state can be decoded;
	/// - what is on hold for an account is the sum of its records' deposits.
	pub(crate) fn do_try_state() -> Result<(), TryRuntimeError> {
		let next_epoch = NextEpoch::<T>::get();
		let mut epochs = BTreeSet::new();
		let mut deposits = BTreeMap::<AccountId, BalanceOf<T>>::new();
		for (subtree, info) in Subtrees::<T>::iter() {
			ensure!(info.parent.child(&info.key) == subtree, "a record stands under another id");
			let in_tree = T::Tree::remote(&info.parent, &info.key);
			ensure!(
				in_tree == Some((info.head.state_root, info.location())),
				"the tree disagrees with the record of a subtree"
			);
			ensure!(epochs.insert(info.head.epoch), "two registrations have the same epoch");
			ensure!(info.head.epoch < next_epoch, "an epoch will be given out twice");
			match &info.last {
				Some(head) => ensure!(head.next_state() == info.head, "the last head is another"),
				None => ensure!(info.head.seq == 0, "the last head is missing"),
			}
			let initial = info.status == HeadStatus::Initial;
			ensure!(!initial || info.last.is_none(), "a subtree with a head counts as new");
			ensure!(
				T::Modes::check_stored(&info.mode, info.stored_mode()).is_ok(),
				"parameters or state of a mode cannot be decoded"
			);
			deposits.entry(info.owner).or_default().saturating_accrue(info.deposit);
		}
		for (owner, deposit) in deposits {
			let held = T::Currency::balance_on_hold(&HoldReason::Subtree.into(), &owner);
			ensure!(held == deposit, "an account's deposits are not what is on hold");
		}
		Ok(())
	}
}
