//! Weights of the object tree's calls and hooks.
//!
//! THESE ARE ESTIMATES, NOT MEASUREMENTS. They were written by hand from the number of reads and writes of each operation at its
//! worst case and about a microsecond of native work per trie node, times four for Wasm. `scripts/weights.sh` replaces this file by
//! what the benchmarks in `benchmarking.rs` measure.

#![allow(missing_docs)]

use core::marker::PhantomData;
use frame_support::{
	traits::Get,
	weights::{constants::ParityDbWeight, Weight},
};

/// Weights of calls without the roots that they cause, and of the parts of hooks.
pub trait WeightInfo {
	/// Creating the deepest object below a wide one of another owner.
	fn create() -> Weight;
	/// Setting `n` fields of `b` bytes of keys and values together.
	fn set_fields(n: u32, b: u32) -> Weight;
	/// Removing `n` fields.
	fn remove_fields(n: u32) -> Weight;
	/// Transferring, sharing or freezing an object.
	fn change_owner() -> Weight;
	/// Removing an object with `n` fields.
	fn remove(n: u32) -> Weight;
	/// Queueing a recursive removal while all but one place are taken.
	fn remove_recursive() -> Weight;
	/// Bringing the deepest object of a subtree that is taken back, with `n` entries of `b` bytes of keys and values together.
	fn stage(n: u32, b: u32) -> Weight;
	/// Computing the root of an object in whose trie `k` keys changed, and noting it above.
	fn compute_root(k: u32) -> Weight;
	/// Closing a block in which nothing changed.
	fn finalize_block() -> Weight;
	/// Looking whether something waits to be deleted.
	fn deletion_check() -> Weight;
	/// Deleting one piece of a waiting tree.
	fn deletion_piece() -> Weight;
}

/// For a runtime.
pub struct SubstrateWeight<T>(PhantomData<T>);

impl<T: frame_system::Config> WeightInfo for SubstrateWeight<T> {
	fn create() -> Weight {
		Estimate::create(T::DbWeight::get())
	}
	fn set_fields(n: u32, b: u32) -> Weight {
		Estimate::set_fields(T::DbWeight::get(), n, b)
	}
	fn remove_fields(n: u32) -> Weight {
		Estimate::remove_fields(T::DbWeight::get(), n)
	}
	fn change_owner() -> Weight {
		Estimate::change_owner(T::DbWeight::get())
	}
	fn remove(n: u32) -> Weight {
		Estimate::remove(T::DbWeight::get(), n)
	}
	fn remove_recursive() -> Weight {
		Estimate::remove_recursive(T::DbWeight::get())
	}
	fn stage(n: u32, b: u32) -> Weight {
		Estimate::stage(T::DbWeight::get(), n, b)
	}
	fn compute_root(k: u32) -> Weight {
		Estimate::compute_root(T::DbWeight::get(), k)
	}
	fn finalize_block() -> Weight {
		Estimate::finalize_block(T::DbWeight::get())
	}
	fn deletion_check() -> Weight {
		Estimate::deletion_check(T::DbWeight::get())
	}
	fn deletion_piece() -> Weight {
		Estimate::deletion_piece(T::DbWeight::get())
	}
}

/// For tests.
impl WeightInfo for () {
	fn create() -> Weight {
		Estimate::create(ParityDbWeight::get())
	}
	fn set_fields(n: u32, b: u32) -> Weight {
		Estimate::set_fields(ParityDbWeight::get(), n, b)
	}
	fn remove_fields(n: u32) -> Weight {
		Estimate::remove_fields(ParityDbWeight::get(), n)
	}
	fn change_owner() -> Weight {
		Estimate::change_owner(ParityDbWeight::get())
	}
	fn remove(n: u32) -> Weight {
		Estimate::remove(ParityDbWeight::get(), n)
	}
	fn remove_recursive() -> Weight {
		Estimate::remove_recursive(ParityDbWeight::get())
	}
	fn stage(n: u32, b: u32) -> Weight {
		Estimate::stage(ParityDbWeight::get(), n, b)
	}
	fn compute_root(k: u32) -> Weight {
		Estimate::compute_root(ParityDbWeight::get(), k)
	}
	fn finalize_block() -> Weight {
		Estimate::finalize_block(ParityDbWeight::get())
	}
	fn deletion_check() -> Weight {
		Estimate::deletion_check(ParityDbWeight::get())
	}
	fn deletion_piece() -> Weight {
		Estimate::deletion_piece(ParityDbWeight::get())
	}
}

/// Work in picoseconds, proof size in bytes, reads and writes.
struct Estimate;

type Db = frame_support::weights::RuntimeDbWeight;

impl Estimate {
	fn create(db: Db) -> Weight {
		Weight::from_parts(120_000_000, 24_000).saturating_add(db.reads_writes(25, 18))
	}
	fn set_fields(db: Db, n: u32, b: u32) -> Weight {
		let n = u64::from(n);
		Weight::from_parts(80_000_000, 16_000)
			.saturating_add(Weight::from_parts(8_000_000, 3_000).saturating_mul(n))
			.saturating_add(Weight::from_parts(1_500, 1).saturating_mul(b.into()))
			.saturating_add(db.reads_writes(13u64.saturating_add(n), 5u64.saturating_add(n)))
	}
	fn remove_fields(db: Db, n: u32) -> Weight {
		let n = u64::from(n);
		Weight::from_parts(80_000_000, 16_000)
			// The old values are read to know their size: at most 16 KiB each.
			.saturating_add(Weight::from_parts(12_000_000, 20_000).saturating_mul(n))
			.saturating_add(db.reads_writes(13u64.saturating_add(n), 5u64.saturating_add(n)))
	}
	fn change_owner(db: Db) -> Weight {
		Weight::from_parts(80_000_000, 16_000).saturating_add(db.reads_writes(23, 16))
	}
	fn remove(db: Db, n: u32) -> Weight {
		let n = u64::from(n);
		Weight::from_parts(120_000_000, 24_000)
			.saturating_add(Weight::from_parts(16_000_000, 20_000).saturating_mul(n))
			.saturating_add(db.reads_writes(26u64.saturating_add(n), 17u64.saturating_add(n)))
	}
	fn remove_recursive(db: Db) -> Weight {
		Weight::from_parts(120_000_000, 24_000).saturating_add(db.reads_writes(32, 4))
	}
	fn stage(db: Db, n: u32, b: u32) -> Weight {
		let n = u64::from(n);
		Weight::from_parts(160_000_000, 48_000)
			.saturating_add(Weight::from_parts(6_000_000, 2_000).saturating_mul(n))
			.saturating_add(Weight::from_parts(1_500, 1).saturating_mul(b.into()))
			.saturating_add(db.reads_writes(32, 16u64.saturating_add(n)))
	}
	fn compute_root(db: Db, k: u32) -> Weight {
		// The nodes on the way to a key in a trie of a million keys, read, hashed and written once.
		let k = u64::from(k);
		Weight::from_parts(30_000_000, 4_000)
			.saturating_add(Weight::from_parts(12_000_000, 3_000).saturating_mul(k))
			.saturating_add(db.reads_writes(2, 2))
	}
	fn finalize_block(db: Db) -> Weight {
		Weight::from_parts(20_000_000, 4_000).saturating_add(db.reads_writes(4, 4))
	}
	fn deletion_check(db: Db) -> Weight {
		Weight::from_parts(10_000_000, 4_000).saturating_add(db.reads(4))
	}
	fn deletion_piece(db: Db) -> Weight {
		// Each step walks down from the top of the tree.
		let steps = u64::from(crate::removal::STEPS_PER_PIECE);
		Weight::from_parts(100_000_000, 24_000)
			.saturating_add(Weight::from_parts(80_000_000, 60_000).saturating_mul(steps))
			.saturating_add(db.reads_writes(26, 18))
			.saturating_add(db.reads_writes(30, 7).saturating_mul(steps))
	}
}
