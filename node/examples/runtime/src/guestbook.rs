//! A pallet of a team's own: every account may leave one line in a book, against a deposit.

pub use pallet::*;

#[frame_support::pallet]
pub mod pallet {
	use frame_support::{
		pallet_prelude::*,
		traits::{fungible::MutateHold, tokens::Precision::BestEffort},
	};
	use frame_system::pallet_prelude::*;

	/// Longest line, in bytes.
	pub const MAX_LINE_BYTES: u32 = 128;

	/// A line of text, at most [`MAX_LINE_BYTES`].
	pub type Line = BoundedVec<u8, ConstU32<MAX_LINE_BYTES>>;

	/// What is stored of a line.
	///
	/// Its first byte is between 0x02 and 0x0f, where no node of a trie starts: caches of trie nodes are keyed by
	/// hash alone, and a value that starts with bytes of a user's choice could be read as a node.
	#[derive(Encode, Decode, Clone, PartialEq, Eq, Debug, TypeInfo, MaxEncodedLen)]
	pub enum Entry {
		/// The first version.
		#[codec(index = 2)]
		V1(Line),
	}

	#[pallet::pallet]
	pub struct Pallet<T>(_);

	#[pallet::config]
	pub trait Config: frame_system::Config<RuntimeEvent: From<Event<Self>>> {
		/// Holds deposits.
		type Currency: MutateHold<Self::AccountId, Balance = u128, Reason: From<HoldReason>>;
		/// What a line costs as long as it stands, however long it is.
		#[pallet::constant]
		type Deposit: Get<u128>;
	}

	/// Why money is held.
	#[pallet::composite_enum]
	pub enum HoldReason {
		/// A line stands in the book.
		Line,
	}

	/// The line of each account that wrote one.
	#[pallet::storage]
	pub type Lines<T: Config> = StorageMap<_, Blake2_128Concat, T::AccountId, Entry>;

	#[pallet::event]
	#[pallet::generate_deposit(fn deposit_event)]
	pub enum Event<T: Config> {
		/// An account wrote its line, or erased it.
		Written {
			/// Who.
			who: T::AccountId,
		},
	}

	#[pallet::call]
	impl<T: Config> Pallet<T> {
		/// Writes the caller's line, in the place of an earlier one. An empty line erases it and gives the deposit back.
		#[pallet::call_index(0)]
		#[pallet::weight(T::DbWeight::get().reads_writes(3, 3))]
		pub fn write(origin: OriginFor<T>, line: Line) -> DispatchResult {
			let who = ensure_signed(origin)?;
			let reason = HoldReason::Line.into();
			if line.is_empty() {
				Lines::<T>::remove(&who);
				T::Currency::release_all(&reason, &who, BestEffort)?;
			} else {
				T::Currency::set_on_hold(&reason, &who, T::Deposit::get())?;
				Lines::<T>::insert(&who, Entry::V1(line));
			}
			Self::deposit_event(Event::Written { who });
			Ok(())
		}
	}
}
