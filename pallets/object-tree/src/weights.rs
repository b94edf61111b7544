//! Weights of `pallet_object_tree`, measured.
//!
//! Written by `scripts/weights.sh`, which runs the benchmarks in `benchmarking.rs`: change those, not this file.
//! Date 2026-11-20, steps 10, repeat 5, processor `AMD EPYC`, frame-benchmarking-cli 64.0.0.
//!
//! Estimated by hand until the script runs again, because the benchmark has changed since: `deletion_piece`.

#![cfg_attr(rustfmt, rustfmt_skip)]
#![allow(missing_docs, unused_variables)]

use core::marker::PhantomData;
use frame_support::{
	traits::Get,
	weights::{constants::ParityDbWeight, RuntimeDbWeight, Weight},
};

/// What the benchmarks measure.
pub trait WeightInfo {
	fn create() -> Weight;
	fn set_field(b: u32) -> Weight;
	fn set_fields(n: u32, b: u32) -> Weight;
	fn settle() -> Weight;
	fn remove_fields(n: u32) -> Weight;
	fn change_owner() -> Weight;
	fn remove(n: u32) -> Weight;
	fn remove_recursive() -> Weight;
	fn stage(n: u32, b: u32) -> Weight;
	fn look_up(o: u32) -> Weight;
	fn compute_roots(o: u32) -> Weight;
	fn compute_wide_root(k: u32) -> Weight;
	fn finalize_block() -> Weight;
	fn deletion_check() -> Weight;
	fn deletion_piece() -> Weight;
}

/// For a runtime.
pub struct SubstrateWeight<T>(PhantomData<T>);

impl<T: frame_system::Config> WeightInfo for SubstrateWeight<T> {
	fn create() -> Weight {
		Measured::create(T::DbWeight::get())
	}
	fn set_field(b: u32) -> Weight {
		Measured::set_field(T::DbWeight::get(), b)
	}
	fn set_fields(n: u32, b: u32) -> Weight {
		Measured::set_fields(T::DbWeight::get(), n, b)
	}
	fn settle() -> Weight {
		Measured::settle(T::DbWeight::get())
	}
	fn remove_fields(n: u32) -> Weight {
		Measured::remove_fields(T::DbWeight::get(), n)
	}
	fn change_owner() -> Weight {
		Measured::change_owner(T::DbWeight::get())
	}
	fn remove(n: u32) -> Weight {
		Measured::remove(T::DbWeight::get(), n)
	}
	fn remove_recursive() -> Weight {
		Measured::remove_recursive(T::DbWeight::get())
	}
	fn stage(n: u32, b: u32) -> Weight {
		Measured::stage(T::DbWeight::get(), n, b)
	}
	fn look_up(o: u32) -> Weight {
		Measured::look_up(T::DbWeight::get(), o)
	}
	fn compute_roots(o: u32) -> Weight {
		Measured::compute_roots(T::DbWeight::get(), o)
	}
	fn compute_wide_root(k: u32) -> Weight {
		Measured::compute_wide_root(T::DbWeight::get(), k)
	}
	fn finalize_block() -> Weight {
		Measured::finalize_block(T::DbWeight::get())
	}
	fn deletion_check() -> Weight {
		Measured::deletion_check(T::DbWeight::get())
	}
	fn deletion_piece() -> Weight {
		Measured::deletion_piece(T::DbWeight::get())
	}
}

/// For tests.
impl WeightInfo for () {
	fn create() -> Weight {
		Measured::create(ParityDbWeight::get())
	}
	fn set_field(b: u32) -> Weight {
		Measured::set_field(ParityDbWeight::get(), b)
	}
	fn set_fields(n: u32, b: u32) -> Weight {
		Measured::set_fields(ParityDbWeight::get(), n, b)
	}
	fn settle() -> Weight {
		Measured::settle(ParityDbWeight::get())
	}
	fn remove_fields(n: u32) -> Weight {
		Measured::remove_fields(ParityDbWeight::get(), n)
	}
	fn change_owner() -> Weight {
		Measured::change_owner(ParityDbWeight::get())
	}
	fn remove(n: u32) -> Weight {
		Measured::remove(ParityDbWeight::get(), n)
	}
	fn remove_recursive() -> Weight {
		Measured::remove_recursive(ParityDbWeight::get())
	}
	fn stage(n: u32, b: u32) -> Weight {
		Measured::stage(ParityDbWeight::get(), n, b)
	}
	fn look_up(o: u32) -> Weight {
		Measured::look_up(ParityDbWeight::get(), o)
	}
	fn compute_roots(o: u32) -> Weight {
		Measured::compute_roots(ParityDbWeight::get(), o)
	}
	fn compute_wide_root(k: u32) -> Weight {
		Measured::compute_wide_root(ParityDbWeight::get(), k)
	}
	fn finalize_block() -> Weight {
		Measured::finalize_block(ParityDbWeight::get())
	}
	fn deletion_check() -> Weight {
		Measured::deletion_check(ParityDbWeight::get())
	}
	fn deletion_piece() -> Weight {
		Measured::deletion_piece(ParityDbWeight::get())
	}
}

/// Times, in picoseconds, and proof sizes as they were measured; reads and writes at the price of a database.
struct Measured;

impl Measured {
	fn create(db: RuntimeDbWeight) -> Weight {
		// Proof in bytes, as measured: 2506. Shortest time: 230_035_000.
		Weight::from_parts(272_619_000, 25110)
			.saturating_add(db.reads_writes(17, 16))
	}
	/// `b` is from 1 to 16384.
	fn set_field(db: RuntimeDbWeight, b: u32) -> Weight {
		// Proof in bytes, as measured: 3232 + 1 b. Shortest time: 141_422_000.
		Weight::from_parts(164_159_067, 25110)
			.saturating_add(Weight::from_parts(1_358, 0).saturating_mul(b.into()))
			.saturating_add(Weight::from_parts(0, 1).saturating_mul(b.into()))
			.saturating_add(db.reads_writes(12, 2))
	}
	/// `n` is from 1 to 256.
	/// `b` is from 0 to 16384.
	fn set_fields(db: RuntimeDbWeight, n: u32, b: u32) -> Weight {
		// Proof in bytes, as measured: 1288 + 126 n. Shortest time: 170_135_000.
		Weight::from_parts(203_816_088, 36324)
			.saturating_add(Weight::from_parts(6_652_778, 0).saturating_mul(n.into()))
			.saturating_add(Weight::from_parts(34, 0).saturating_mul(b.into()))
			.saturating_add(Weight::from_parts(0, 149).saturating_mul(n.into()))
			.saturating_add(db.reads_writes(11, 1))
			.saturating_add(db.reads(1).saturating_mul(n.into()))
			.saturating_add(db.writes(1).saturating_mul(n.into()))
	}
	fn settle(db: RuntimeDbWeight) -> Weight {
		// Proof in bytes, as measured: 683. Shortest time: 76_264_000.
		Weight::from_parts(82_844_000, 6110)
			.saturating_add(db.reads_writes(4, 4))
	}
	/// `n` is from 1 to 256.
	fn remove_fields(db: RuntimeDbWeight, n: u32) -> Weight {
		// Proof in bytes, as measured: 9092 + 93 n. Shortest time: 195_574_000.
		Weight::from_parts(263_670_875, 25110)
			.saturating_add(Weight::from_parts(5_694_438, 0).saturating_mul(n.into()))
			.saturating_add(Weight::from_parts(0, 140).saturating_mul(n.into()))
			.saturating_add(db.reads_writes(12, 3))
			.saturating_add(db.reads(1).saturating_mul(n.into()))
			.saturating_add(db.writes(1).saturating_mul(n.into()))
	}
	fn change_owner(db: RuntimeDbWeight) -> Weight {
		// Proof in bytes, as measured: 2963. Shortest time: 173_931_000.
		Weight::from_parts(202_945_000, 25110)
			.saturating_add(db.reads_writes(16, 11))
	}
	/// `n` is from 0 to 256.
	fn remove(db: RuntimeDbWeight, n: u32) -> Weight {
		// Proof in bytes, as measured: 2924 + 117 n. Shortest time: 253_010_000.
		Weight::from_parts(286_481_248, 25110)
			.saturating_add(Weight::from_parts(8_814_728, 0).saturating_mul(n.into()))
			.saturating_add(Weight::from_parts(0, 143).saturating_mul(n.into()))
			.saturating_add(db.reads_writes(16, 14))
			.saturating_add(db.reads(1).saturating_mul(n.into()))
			.saturating_add(db.writes(1).saturating_mul(n.into()))
	}
	fn remove_recursive(db: RuntimeDbWeight) -> Weight {
		// Proof in bytes, as measured: 10855. Shortest time: 359_930_000.
		Weight::from_parts(429_064_000, 167650)
			.saturating_add(db.reads_writes(79, 3))
	}
	/// `n` is from 1 to 256.
	/// `b` is from 0 to 262144.
	fn stage(db: RuntimeDbWeight, n: u32, b: u32) -> Weight {
		// Proof in bytes, as measured: 2727. Shortest time: 107_791_000.
		Weight::from_parts(111_868_000, 22430)
			.saturating_add(Weight::from_parts(2_751_320, 0).saturating_mul(n.into()))
			.saturating_add(Weight::from_parts(456, 0).saturating_mul(b.into()))
			.saturating_add(Weight::from_parts(0, 11).saturating_mul(n.into()))
			.saturating_add(db.reads_writes(15, 13))
			.saturating_add(db.writes(1).saturating_mul(n.into()))
	}
	/// `o` is from 2 to 9.
	fn look_up(db: RuntimeDbWeight, o: u32) -> Weight {
		// Proof in bytes, as measured: 0 + 213 o. Shortest time: 22_664_000.
		Weight::from_parts(24_026_000, 1489)
			.saturating_add(Weight::from_parts(8_161_284, 0).saturating_mul(o.into()))
			.saturating_add(Weight::from_parts(0, 2680).saturating_mul(o.into()))
			.saturating_add(db.reads_writes(1, 0))
			.saturating_add(db.reads(1).saturating_mul(o.into()))
	}
	/// `o` is from 2 to 9.
	fn compute_roots(db: RuntimeDbWeight, o: u32) -> Weight {
		// Proof in bytes, as measured: 0 + 455 o. Shortest time: 125_278_000.
		Weight::from_parts(74_460_351, 4063)
			.saturating_add(Weight::from_parts(32_698_044, 0).saturating_mul(o.into()))
			.saturating_add(Weight::from_parts(0, 2680).saturating_mul(o.into()))
			.saturating_add(db.reads_writes(0, 0))
			.saturating_add(db.reads(3).saturating_mul(o.into()))
			.saturating_add(db.writes(2).saturating_mul(o.into()))
	}
	/// `k` is from 1 to 256.
	fn compute_wide_root(db: RuntimeDbWeight, k: u32) -> Weight {
		// Proof in bytes, as measured: 598. Shortest time: 128_193_000.
		Weight::from_parts(163_570_195, 6350)
			.saturating_add(Weight::from_parts(7_956_297, 0).saturating_mul(k.into()))
			.saturating_add(db.reads_writes(6, 4))
	}
	fn finalize_block(db: RuntimeDbWeight) -> Weight {
		// Proof in bytes, as measured: 214. Shortest time: 10_125_000.
		Weight::from_parts(11_047_000, 3497)
			.saturating_add(db.reads_writes(2, 3))
	}
	fn deletion_check(db: RuntimeDbWeight) -> Weight {
		// Proof in bytes, as measured: 307. Shortest time: 9_814_000.
		Weight::from_parts(10_706_000, 3554)
			.saturating_add(db.reads_writes(4, 0))
	}
	fn deletion_piece(db: RuntimeDbWeight) -> Weight {
		// Proof in bytes, as measured: 29791. Shortest time: 5_700_515_000.
		Weight::from_parts(8_679_415_000, 363170)
			.saturating_add(db.reads_writes(461, 268))
	}
}
