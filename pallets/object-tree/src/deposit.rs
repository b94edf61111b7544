//! Who pays for an object, and how much.

use crate::pallet::{Config, Error, HoldReason, Objects, Pallet};
use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use dstp_primitives::{hub::FIELD_OVERHEAD_BYTES, AccountId, ObjectId};
use frame_support::{
	ensure,
	traits::{
		fungible::{Inspect, MutateHold},
		tokens::Precision,
		Get,
	},
};
use scale_info::TypeInfo;
use sp_runtime::{
	traits::{SaturatedConversion, Saturating},
	DispatchError, DispatchResult,
};

/// The amounts of the currency that deposits are paid in.
pub type BalanceOf<T> = <<T as Config>::Currency as Inspect<AccountId>>::Balance;

/// What an account paid.
#[derive(
	Clone, PartialEq, Eq, Debug, Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo,
)]
pub struct Deposit<Balance> {
	/// The account.
	pub who: AccountId,
	/// The amount that is held there.
	pub amount: Balance,
}

impl<T: Config> Pallet<T> {
	/// The deposit for an object with this many fields and bytes in them.
	pub fn deposit_for(fields: u64, bytes: u64) -> BalanceOf<T> {
		let charged = fields.saturating_mul(FIELD_OVERHEAD_BYTES).saturating_add(bytes);
		let per_byte = T::DepositPerByte::get();
		T::DepositPerObject::get()
			.saturating_add(per_byte.saturating_mul(charged.saturated_into::<BalanceOf<T>>()))
	}

	/// Lets `payer` pay for an object whose fields changed by `delta` bytes, and whoever paid before get it back. Tells whether
	/// anything changed; if not, nothing is written.
	pub(crate) fn charge(
		object: &ObjectId,
		payer: Option<&AccountId>,
		fields: u64,
		delta: i64,
	) -> Result<bool, DispatchError> {
		let mut info = Objects::<T>::get(object).ok_or(Error::<T>::CorruptState)?;
		let bytes = info.bytes.checked_add_signed(delta).ok_or(Error::<T>::CorruptState)?;
		let amount = Self::deposit_for(fields, bytes);
		let new = payer.map(|who| Deposit { who: who.clone(), amount });
		if (info.bytes, &info.deposit) == (bytes, &new) {
			return Ok(false);
		}
		Self::move_deposit(info.deposit.take(), new.as_ref())?;
		(info.bytes, info.deposit) = (bytes, new);
		Objects::<T>::insert(object, info);
		Ok(true)
	}

	/// Notes that fields of `bytes` went, and gives their share back to whoever paid for the object: what is more than the price of
	/// what is left. If prices have risen since, that is nothing: nobody is made to pay more for what somebody else removes.
	pub(crate) fn refund(object: &ObjectId, fields: u64, bytes: u64) -> DispatchResult {
		let mut info = Objects::<T>::get(object).ok_or(Error::<T>::CorruptState)?;
		info.bytes = info.bytes.checked_sub(bytes).ok_or(Error::<T>::CorruptState)?;
		let price = Self::deposit_for(fields, info.bytes);
		if let Some(paid) = info.deposit.take() {
			let left = Deposit { who: paid.who.clone(), amount: paid.amount.min(price) };
			Self::move_deposit(Some(paid), Some(&left))?;
			info.deposit = Some(left);
		}
		Objects::<T>::insert(object, info);
		Ok(())
	}

	/// Replaces one deposit by another.
	///
	/// Of the same account only the difference moves. Of two, the new one pays in full before the old one is released.
	pub(crate) fn move_deposit(
		old: Option<Deposit<BalanceOf<T>>>,
		new: Option<&Deposit<BalanceOf<T>>>,
	) -> DispatchResult {
		let (old, new) = match (old, new) {
			(Some(old), Some(new)) if old.who == new.who => {
				let more = new.amount.saturating_sub(old.amount);
				let less = old.amount.saturating_sub(new.amount);
				(Some((old.who, less)), Some((&new.who, more)))
			},
			(old, new) => {
				(old.map(|old| (old.who, old.amount)), new.map(|new| (&new.who, new.amount)))
			},
		};
		if let Some((who, amount)) = new {
			T::Currency::hold(&HoldReason::Object.into(), who, amount)?;
		}
		if let Some((who, amount)) = old {
			let reason = HoldReason::Object.into();
			let released = T::Currency::release(&reason, &who, amount, Precision::Exact)?;
			ensure!(released == amount, DispatchError::from(Error::<T>::CorruptState));
		}
		Ok(())
	}
}
