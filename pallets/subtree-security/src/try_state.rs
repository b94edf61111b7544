//! What always holds.

use crate::{
	BalanceOf, Config, HoldReason, NextEpoch, Pallet, SubtreeInfo, Subtrees, WaitingAtGenesis,
};
use alloc::collections::{BTreeMap, BTreeSet};
use dstp_primitives::{
	hub::RemoteObjects,
	mode::Modes,
	object::{HeadStatus, RemoteLocation},
	AccountId,
};
use frame_support::{ensure, traits::fungible::InspectHold};
use sp_runtime::{
	traits::{Saturating, Zero},
	TryRuntimeError,
};

impl<T: Config> Pallet<T> {
	/// Checks that
	///
	/// - every record stands under its own id, and the tree says the same of the subtree;
	/// - epochs are given out once, and the next one is new;
	/// - the last head, the head state and the status agree, and parameters and state can be decoded;
	/// - what is on hold for an account is the sum of its records' deposits, and nothing for an account without one;
	/// - no fee was returned in the future.
	pub(crate) fn do_try_state() -> Result<(), TryRuntimeError> {
		ensure!(
			!WaitingAtGenesis::<T>::exists(),
			"subtrees of genesis were never registered: name this pallet as the tree's OnGenesis"
		);
		let next_epoch = NextEpoch::<T>::get();
		let mut epochs = BTreeSet::new();
		let mut deposits = BTreeMap::<AccountId, BalanceOf<T>>::new();
		for (subtree, info) in Subtrees::<T>::iter() {
			ensure!(info.parent.child(&info.key) == subtree, "a record stands under another id");
			let in_tree = T::Tree::remote(&info.parent, &info.key);
			ensure!(
				in_tree == Some((info.head.state_root, location_of(&info))),
				"the tree disagrees with the record of a subtree"
			);
			ensure!(epochs.insert(info.head.epoch), "two registrations have the same epoch");
			ensure!(info.head.epoch < next_epoch, "an epoch will be given out twice");
			match &info.last {
				Some(head) => ensure!(head.next_state() == info.head, "the last head is another"),
				None => ensure!(info.head.seq == 0, "the last head is missing"),
			}
			ensure!(info.free_at <= Some(Self::now()), "a fee was returned in the future");
			let initial = info.status == HeadStatus::Initial;
			ensure!(!initial || info.last.is_none(), "a subtree with a head counts as new");
			ensure!(
				T::Modes::check_stored(&info.mode, info.stored_mode()).is_ok(),
				"parameters or state of a mode cannot be decoded"
			);
			deposits.entry(info.owner).or_default().saturating_accrue(info.deposit);
		}
		let on_hold =
			|who: &AccountId| T::Currency::balance_on_hold(&HoldReason::Subtree.into(), who);
		for (owner, deposit) in &deposits {
			ensure!(on_hold(owner) == *deposit, "an account's deposits are not what is on hold");
		}
		for who in frame_system::Account::<T>::iter_keys() {
			ensure!(
				deposits.contains_key(&who) || on_hold(&who).is_zero(),
				"an account without subtrees has a deposit on hold"
			);
		}
		Ok(())
	}
}

/// What the tree says of a subtree.
fn location_of<Balance>(info: &SubtreeInfo<Balance>) -> RemoteLocation {
	RemoteLocation {
		mode: info.mode.clone(),
		epoch: info.head.epoch,
		era: info.head.era,
		seq: info.head.seq,
		status: info.status,
	}
}
