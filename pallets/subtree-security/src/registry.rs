//! The bodies of the calls.

use crate::{
	types::RecordVersion, BalanceOf, Config, Error, Event, HoldReason, ModeParams, ModeState,
	NextEpoch, Pallet, SubtreeInfo, Subtrees, RECORD_BYTES,
};
use alloc::{collections::BTreeSet, vec::Vec};
use dstp_primitives::{
	head::{Head, HeadState},
	hub::{ContentSize, RemoteObjects},
	mode::{ChangeBy, ModeContext, Modes, Verified},
	object::{HeadStatus, ModeId, RemoteLocation},
	subtree::SubtreeStart,
	AccountId, Key, ObjectFlags, ObjectId, ObjectType, StateRoot,
};
use frame_support::{
	dispatch::Pays,
	ensure,
	traits::{fungible::MutateHold, tokens::Precision, Get},
};
use sp_core::H256;
use sp_runtime::{
	traits::{SaturatedConversion, Saturating, Zero},
	DispatchError, DispatchResult,
};

/// What a commit costs its submitter.
pub(crate) struct Committed {
	/// Signatures that were checked.
	pub signature_checks: u32,
	/// Whether the fee is kept.
	pub pays_fee: Pays,
}

impl<T: Config> Pallet<T> {
	/// The present block.
	pub(crate) fn now() -> u32 {
		frame_system::Pallet::<T>::block_number().saturated_into()
	}

	/// Hash of block 0, which frame-system keeps for ever.
	pub(crate) fn genesis_hash() -> H256 {
		frame_system::Pallet::<T>::block_hash(
			frame_system::pallet_prelude::BlockNumberFor::<T>::zero(),
		)
	}

	/// Refuses runtimes that return every fee, and those whose modes share a number or have types beyond the limits.
	pub(crate) fn check_config() {
		assert!(
			T::FreeCommitIntervalBlocks::get() > 0,
			"FreeCommitIntervalBlocks of 0 returns the fee of every head"
		);
		let infos = T::Modes::infos();
		let ids: BTreeSet<_> = infos.iter().map(|info| info.id).collect();
		assert_eq!(ids.len(), infos.len(), "two security modes of this runtime have the same id");
		for info in infos {
			assert!(
				info.fits,
				"a type of the security mode {} can be larger than allowed",
				info.name
			);
		}
	}

	pub(crate) fn do_register(
		owner: AccountId,
		parent: ObjectId,
		key: Key,
		mode: ModeId,
		params: ModeParams,
		object_type: ObjectType,
		flags: ObjectFlags,
	) -> DispatchResult {
		let start = SubtreeStart::New { object_type, flags };
		let root = start.root(&owner);
		let location = Self::first_location(&mode)?;
		T::Tree::create_remote(&owner, &parent, &key, root, location).map_err(Into::into)?;
		Self::insert(owner, parent, key, mode, params, start, root)
	}

	pub(crate) fn do_register_hosted(
		owner: AccountId,
		parent: ObjectId,
		key: Key,
		mode: ModeId,
		params: ModeParams,
	) -> DispatchResult {
		let location = Self::first_location(&mode)?;
		let root =
			T::Tree::hosted_to_remote(&owner, &parent, &key, location).map_err(Into::into)?;
		Self::insert(owner, parent, key, mode, params, SubtreeStart::Hosted(root), root)
	}

	/// Where a new registration starts.
	fn first_location(mode: &ModeId) -> Result<RemoteLocation, DispatchError> {
		ensure!(T::Modes::info(mode).is_some(), Error::<T>::UnknownMode);
		Ok(RemoteLocation {
			mode: mode.clone(),
			epoch: NextEpoch::<T>::get(),
			era: 0,
			seq: 0,
			status: HeadStatus::Initial,
		})
	}

	/// Takes the next epoch and stores the record of what stands in the tree already.
	fn insert(
		owner: AccountId,
		parent: ObjectId,
		key: Key,
		mode: ModeId,
		params: ModeParams,
		start: SubtreeStart,
		state_root: StateRoot,
	) -> DispatchResult {
		let subtree = parent.child(&key);
		ensure!(!Subtrees::<T>::contains_key(subtree), Error::<T>::SubtreeExists);
		let epoch = NextEpoch::<T>::get();
		NextEpoch::<T>::put(epoch.checked_add(1).ok_or(Error::<T>::Overflow)?);
		let now = Self::now();
		let head =
			HeadState { epoch, era: 0, seq: 0, hash: H256::zero(), state_root, hub_last: now };
		let context = Self::mode_context(subtree, &head);
		let state = T::Modes::start(&mode, &params, &context).map_err(Error::<T>::from)?;
		let deposit = Self::deposit_of(&mode, &params)?;
		T::Currency::hold(&HoldReason::Subtree.into(), &owner, deposit)?;
		let info = SubtreeInfo {
			version: RecordVersion::V1,
			parent,
			key: key.clone(),
			owner: owner.clone(),
			deposit,
			start,
			mode: mode.clone(),
			params,
			state: bounded_state::<T>(state)?,
			head,
			last: None,
			status: HeadStatus::Initial,
			committed_at: now,
			free_at: None,
		};
		Subtrees::<T>::insert(subtree, info);
		Self::deposit_event(Event::SubtreeRegistered {
			subtree,
			parent,
			key,
			owner,
			mode,
			epoch,
			state_root,
		});
		Ok(())
	}

	/// The deposit for a record. It covers the largest state of the mode, so that it never changes.
	fn deposit_of(mode: &ModeId, params: &ModeParams) -> Result<BalanceOf<T>, DispatchError> {
		let info = T::Modes::info(mode).ok_or(Error::<T>::UnknownMode)?;
		let params_bytes: u32 = params.len().saturated_into();
		let bytes = params_bytes.saturating_add(info.max_state_bytes).saturating_add(RECORD_BYTES);
		Ok(T::DepositPerByte::get().saturating_mul(bytes.into()))
	}

	pub(crate) fn mode_context(subtree: ObjectId, last: &HeadState) -> ModeContext {
		ModeContext { genesis: Self::genesis_hash(), subtree, last: last.clone(), now: Self::now() }
	}

	/// A subtree that can still change.
	fn open(subtree: ObjectId) -> Result<SubtreeInfo<BalanceOf<T>>, DispatchError> {
		let info = Subtrees::<T>::get(subtree).ok_or(Error::<T>::SubtreeNotFound)?;
		ensure!(info.status != HeadStatus::Closed, Error::<T>::SubtreeClosed);
		Ok(info)
	}

	pub(crate) fn do_commit_head(head: Head, evidence: &[u8]) -> Result<Committed, DispatchError> {
		let subtree = head.subtree;
		let info = Self::open(subtree)?;
		let context = Self::mode_context(subtree, &info.head);
		let pre_root = head.pre_root;
		let verified = T::Modes::verify(&info.mode, head, &context, info.stored_mode(), evidence)
			.map_err(|refusal| match refusal.into() {
			Error::<T>::WrongPreRoot if Self::had_root(&info, pre_root) => Error::RolledBack,
			error => error,
		})?;
		Self::apply(subtree, info, verified)
	}

	/// Whether the subtree is known to have had this root before its last head. Only the root right before it and the first one are.
	fn had_root(info: &SubtreeInfo<BalanceOf<T>>, root: StateRoot) -> bool {
		let Some(last) = &info.last else { return false };
		root == last.pre_root || root == info.start.root(&info.owner)
	}

	/// Writes an accepted head. The only place that moves a subtree's root.
	fn apply(
		subtree: ObjectId,
		mut info: SubtreeInfo<BalanceOf<T>>,
		verified: Verified,
	) -> Result<Committed, DispatchError> {
		let free = Self::has_free_turn(&info);
		let head = verified.head();
		let written =
			T::Tree::set_remote(&info.parent, &info.key, head.state_root, verified.location());
		match written {
			Ok(()) => (),
			Err(error) if free && T::Tree::is_block_full(&error) => {
				return Ok(Self::postpone(subtree, info, &verified));
			},
			Err(error) => return Err(error.into()),
		}
		// Until then the hub may need the nodes again.
		let final_for_good = verified.status() == HeadStatus::Final;
		if final_for_good && matches!(info.start, SubtreeStart::Hosted(_)) {
			T::Tree::drop_hosted(&info.parent, &info.key).map_err(Into::into)?;
		}
		info.head = head.next_state();
		info.last = Some(head.clone());
		info.status = verified.status();
		info.state = bounded_state::<T>(verified.mode_state().to_vec())?;
		info.committed_at = Self::now();
		if free {
			info.free_at = Some(info.committed_at);
		}
		Self::deposit_event(Event::HeadAccepted {
			subtree,
			epoch: info.head.epoch,
			era: info.head.era,
			seq: info.head.seq,
			hash: info.head.hash,
			state_root: info.head.state_root,
			status: info.status,
		});
		Subtrees::<T>::insert(subtree, info);
		Ok(Committed {
			signature_checks: verified.signature_checks(),
			pays_fee: if free { Pays::No } else { Pays::Yes },
		})
	}

	/// Whether the fee of the subtree's next head is returned.
	fn has_free_turn(info: &SubtreeInfo<BalanceOf<T>>) -> bool {
		let interval = T::FreeCommitIntervalBlocks::get();
		info.free_at.is_none_or(|last| Self::now().saturating_sub(last) >= interval)
	}

	/// Notes that a good head found the block full.
	///
	/// It counts as success, because an error would undo the note that the subtree's turn is taken: then the same head could be sent
	/// and checked any number of times for nothing.
	fn postpone(
		subtree: ObjectId,
		mut info: SubtreeInfo<BalanceOf<T>>,
		verified: &Verified,
	) -> Committed {
		let head = verified.head();
		info.free_at = Some(Self::now());
		Subtrees::<T>::insert(subtree, info);
		Self::deposit_event(Event::HeadPostponed { subtree, epoch: head.epoch, seq: head.seq });
		Committed { signature_checks: verified.signature_checks(), pays_fee: Pays::No }
	}

	pub(crate) fn do_update_mode(
		subtree: ObjectId,
		update: &[u8],
		evidence: &[u8],
	) -> Result<u32, DispatchError> {
		let info = Self::open(subtree)?;
		let epoch = info.head.epoch;
		let checks = Self::change_mode(subtree, info, update, ChangeBy::Evidence(evidence))?;
		Self::deposit_event(Event::ModeUpdated { subtree, epoch });
		Ok(checks)
	}

	pub(crate) fn do_replace_authorities(
		who: &AccountId,
		subtree: ObjectId,
		update: &[u8],
	) -> DispatchResult {
		let info = Self::open(subtree)?;
		ensure!(info.owner == *who, Error::<T>::NotSubtreeOwner);
		// As long as it lasts no head is accepted, so the owner could make authorities silent that are not.
		let being_hosted = T::Tree::is_being_hosted(&info.parent, &info.key);
		ensure!(!being_hosted, Error::<T>::BeingHosted);
		let epoch = info.head.epoch;
		Self::change_mode(subtree, info, update, ChangeBy::Owner)?;
		Self::deposit_event(Event::AuthoritiesReplaced { subtree, epoch });
		Ok(())
	}

	/// Gives the number of signatures that were checked.
	fn change_mode(
		subtree: ObjectId,
		mut info: SubtreeInfo<BalanceOf<T>>,
		update: &[u8],
		by: ChangeBy<'_>,
	) -> Result<u32, DispatchError> {
		let context = Self::mode_context(subtree, &info.head);
		let updated = T::Modes::change(&info.mode, update, &context, info.stored_mode(), by)
			.map_err(Error::<T>::from)?;
		info.state = bounded_state::<T>(updated.state)?;
		Subtrees::<T>::insert(subtree, info);
		Ok(updated.signature_checks)
	}

	pub(crate) fn do_close(who: &AccountId, subtree: ObjectId) -> DispatchResult {
		let mut info = Self::open(subtree)?;
		ensure!(info.owner == *who, Error::<T>::NotSubtreeOwner);
		info.status = HeadStatus::Closed;
		T::Tree::close_remote(&info.parent, &info.key).map_err(Into::into)?;
		let (epoch, seq) = (info.head.epoch, info.head.seq);
		Subtrees::<T>::insert(subtree, info);
		Self::deposit_event(Event::SubtreeClosed { subtree, epoch, seq });
		Ok(())
	}

	pub(crate) fn do_restore(who: &AccountId, subtree: ObjectId) -> DispatchResult {
		let info = Self::open(subtree)?;
		ensure!(info.owner == *who, Error::<T>::NotSubtreeOwner);
		let untouched = info.last.is_none() && matches!(info.start, SubtreeStart::Hosted(_));
		ensure!(untouched, Error::<T>::NotRestorable);
		T::Tree::restore_hosted(&info.parent, &info.key).map_err(Into::into)?;
		let epoch = Self::forget(subtree, &info)?;
		Self::deposit_event(Event::SubtreeRestored { subtree, epoch });
		Ok(())
	}

	pub(crate) fn do_start_hosting(
		who: &AccountId,
		subtree: ObjectId,
		size: ContentSize,
	) -> DispatchResult {
		let info = Self::open(subtree)?;
		ensure!(info.owner == *who, Error::<T>::NotSubtreeOwner);
		let settled = matches!(info.status, HeadStatus::Initial | HeadStatus::Final);
		ensure!(settled, Error::<T>::HeadNotFinal);
		T::Tree::start_hosting(who, &info.parent, &info.key, size).map_err(Into::into)?;
		Self::deposit_event(Event::HostingStarted { subtree, epoch: info.head.epoch });
		Ok(())
	}

	pub(crate) fn do_finish_hosting(who: &AccountId, subtree: ObjectId) -> DispatchResult {
		let info = Self::open(subtree)?;
		ensure!(info.owner == *who, Error::<T>::NotSubtreeOwner);
		let state_root = T::Tree::finish_hosting(&info.parent, &info.key).map_err(Into::into)?;
		let epoch = Self::forget(subtree, &info)?;
		let seq = info.head.seq;
		Self::deposit_event(Event::SubtreeHosted { subtree, epoch, seq, state_root });
		Ok(())
	}

	pub(crate) fn do_cancel_hosting(who: &AccountId, subtree: ObjectId) -> DispatchResult {
		let mut info = Self::open(subtree)?;
		ensure!(info.owner == *who, Error::<T>::NotSubtreeOwner);
		T::Tree::cancel_hosting(&info.parent, &info.key).map_err(Into::into)?;
		let (epoch, context) = (info.head.epoch, Self::mode_context(subtree, &info.head));
		let state = T::Modes::resume(&info.mode, &context, info.stored_mode());
		info.state = bounded_state::<T>(state.map_err(Error::<T>::from)?)?;
		Subtrees::<T>::insert(subtree, info);
		Self::deposit_event(Event::HostingCancelled { subtree, epoch });
		Ok(())
	}

	/// Deletes a record and returns its deposit. Gives the epoch that ended.
	fn forget(subtree: ObjectId, info: &SubtreeInfo<BalanceOf<T>>) -> Result<u64, DispatchError> {
		let reason = HoldReason::Subtree.into();
		T::Currency::release(&reason, &info.owner, info.deposit, Precision::Exact)?;
		Subtrees::<T>::remove(subtree);
		Ok(info.head.epoch)
	}

	pub(crate) fn do_remove(who: &AccountId, subtree: ObjectId) -> DispatchResult {
		let info = Subtrees::<T>::get(subtree).ok_or(Error::<T>::SubtreeNotFound)?;
		ensure!(info.owner == *who, Error::<T>::NotSubtreeOwner);
		ensure!(info.status == HeadStatus::Closed, Error::<T>::SubtreeNotClosed);
		T::Tree::remove_remote(who, &info.parent, &info.key).map_err(Into::into)?;
		let epoch = Self::forget(subtree, &info)?;
		Self::deposit_event(Event::SubtreeRemoved { subtree, epoch });
		Ok(())
	}
}

fn bounded_state<T: Config>(state: Vec<u8>) -> Result<ModeState, DispatchError> {
	ModeState::try_from(state).map_err(|_| Error::<T>::MalformedState.into())
}
