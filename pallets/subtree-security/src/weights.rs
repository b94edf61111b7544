//! Weights of `pallet_subtree_security`, measured.
//!
//! Written by `scripts/weights.sh`, which runs the benchmarks in `benchmarking.rs`: change those, not this file.
//! Date 2026-11-20, steps 6, repeat 5, processor `AMD EPYC`, frame-benchmarking-cli 64.0.0.
//!
//! Estimated by hand until the script runs again, because their benchmarks are newer: `register_hosted`, `restore`,
//! `finish_hosting`, `cancel_hosting`, and the accesses of `commit_head`.

#![cfg_attr(rustfmt, rustfmt_skip)]
#![allow(missing_docs, unused_variables)]

use core::marker::PhantomData;
use frame_support::{
	traits::Get,
	weights::{constants::ParityDbWeight, RuntimeDbWeight, Weight},
};

/// What the benchmarks measure.
pub trait WeightInfo {
	fn register() -> Weight;
	fn register_hosted() -> Weight;
	fn commit_head(s: u32) -> Weight;
	fn update_mode(s: u32) -> Weight;
	fn replace_authorities() -> Weight;
	fn close() -> Weight;
	fn remove() -> Weight;
	fn restore() -> Weight;
	fn start_hosting() -> Weight;
	fn finish_hosting() -> Weight;
	fn cancel_hosting() -> Weight;
}

/// For a runtime.
pub struct SubstrateWeight<T>(PhantomData<T>);

impl<T: frame_system::Config> WeightInfo for SubstrateWeight<T> {
	fn register() -> Weight {
		Measured::register(T::DbWeight::get())
	}
	fn register_hosted() -> Weight {
		Measured::register_hosted(T::DbWeight::get())
	}
	fn commit_head(s: u32) -> Weight {
		Measured::commit_head(T::DbWeight::get(), s)
	}
	fn update_mode(s: u32) -> Weight {
		Measured::update_mode(T::DbWeight::get(), s)
	}
	fn replace_authorities() -> Weight {
		Measured::replace_authorities(T::DbWeight::get())
	}
	fn close() -> Weight {
		Measured::close(T::DbWeight::get())
	}
	fn remove() -> Weight {
		Measured::remove(T::DbWeight::get())
	}
	fn restore() -> Weight {
		Measured::restore(T::DbWeight::get())
	}
	fn start_hosting() -> Weight {
		Measured::start_hosting(T::DbWeight::get())
	}
	fn finish_hosting() -> Weight {
		Measured::finish_hosting(T::DbWeight::get())
	}
	fn cancel_hosting() -> Weight {
		Measured::cancel_hosting(T::DbWeight::get())
	}
}

/// For tests.
impl WeightInfo for () {
	fn register() -> Weight {
		Measured::register(ParityDbWeight::get())
	}
	fn register_hosted() -> Weight {
		Measured::register_hosted(ParityDbWeight::get())
	}
	fn commit_head(s: u32) -> Weight {
		Measured::commit_head(ParityDbWeight::get(), s)
	}
	fn update_mode(s: u32) -> Weight {
		Measured::update_mode(ParityDbWeight::get(), s)
	}
	fn replace_authorities() -> Weight {
		Measured::replace_authorities(ParityDbWeight::get())
	}
	fn close() -> Weight {
		Measured::close(ParityDbWeight::get())
	}
	fn remove() -> Weight {
		Measured::remove(ParityDbWeight::get())
	}
	fn restore() -> Weight {
		Measured::restore(ParityDbWeight::get())
	}
	fn start_hosting() -> Weight {
		Measured::start_hosting(ParityDbWeight::get())
	}
	fn finish_hosting() -> Weight {
		Measured::finish_hosting(ParityDbWeight::get())
	}
	fn cancel_hosting() -> Weight {
		Measured::cancel_hosting(ParityDbWeight::get())
	}
}

/// Times, in picoseconds, and proof sizes as they were measured; reads and writes at the price of a database.
struct Measured;

impl Measured {
	fn register(db: RuntimeDbWeight) -> Weight {
		// Proof in bytes, as measured: 2386. Shortest time: 334_542_000.
		Weight::from_parts(389_935_000, 22430)
			.saturating_add(db.reads_writes(17, 15))
	}
	fn register_hosted(db: RuntimeDbWeight) -> Weight {
		Weight::from_parts(410_000_000, 34718)
			.saturating_add(db.reads_writes(29, 27))
	}
	/// `s` is from 1 to 16.
	fn commit_head(db: RuntimeDbWeight, s: u32) -> Weight {
		// Proof in bytes, as measured: 3590. Shortest time: 202_404_000.
		Weight::from_parts(209_449_858, 22430)
			.saturating_add(Weight::from_parts(35_244_015, 0).saturating_mul(s.into()))
			.saturating_add(db.reads_writes(15, 3))
	}
	/// `s` is from 2 to 32.
	fn update_mode(db: RuntimeDbWeight, s: u32) -> Weight {
		// Proof in bytes, as measured: 1412. Shortest time: 168_684_000.
		Weight::from_parts(117_123_174, 12356)
			.saturating_add(Weight::from_parts(36_674_869, 0).saturating_mul(s.into()))
			.saturating_add(db.reads_writes(2, 1))
	}
	fn replace_authorities(db: RuntimeDbWeight) -> Weight {
		// Proof in bytes, as measured: 1412. Shortest time: 57_726_000.
		Weight::from_parts(81_592_000, 12356)
			.saturating_add(db.reads_writes(2, 1))
	}
	fn close(db: RuntimeDbWeight) -> Weight {
		// Proof in bytes, as measured: 3536. Shortest time: 149_925_000.
		Weight::from_parts(183_736_000, 22430)
			.saturating_add(db.reads_writes(13, 2))
	}
	fn remove(db: RuntimeDbWeight) -> Weight {
		// Proof in bytes, as measured: 3948. Shortest time: 221_373_000.
		Weight::from_parts(249_695_000, 22430)
			.saturating_add(db.reads_writes(17, 14))
	}
	fn restore(db: RuntimeDbWeight) -> Weight {
		Weight::from_parts(660_000_000, 57148)
			.saturating_add(db.reads_writes(46, 41))
	}
	fn start_hosting(db: RuntimeDbWeight) -> Weight {
		// Proof in bytes, as measured: 3796. Shortest time: 142_995_000.
		Weight::from_parts(169_605_000, 22430)
			.saturating_add(db.reads_writes(16, 3))
	}
	fn finish_hosting(db: RuntimeDbWeight) -> Weight {
		Weight::from_parts(270_000_000, 34718)
			.saturating_add(db.reads_writes(29, 26))
	}
	fn cancel_hosting(db: RuntimeDbWeight) -> Weight {
		Weight::from_parts(184_000_000, 22430)
			.saturating_add(db.reads_writes(13, 6))
	}
}
