//! Weights of the calls.
//!
//! These are estimates by hand, not measurements: each storage item is counted once per access, the tree's part with the reads and
//! writes of a path of eight levels, a signature with twice what recovering an ECDSA key takes on common hardware.
//! `scripts/weights.sh` replaces them by measured ones.

use core::marker::PhantomData;
use frame_support::{traits::Get, weights::Weight};

/// What the calls weigh.
pub trait WeightInfo {
	/// Registers a subtree, new or hosted before.
	fn register() -> Weight;
	/// Commits a head with `s` signatures to check.
	fn commit_head(s: u32) -> Weight;
	/// Updates a mode with `s` signatures to check.
	fn update_mode(s: u32) -> Weight;
	/// Replaces silent authorities.
	fn replace_authorities() -> Weight;
	/// Closes a subtree.
	fn close() -> Weight;
	/// Removes a closed subtree.
	fn remove() -> Weight;
	/// Begins to take the content of a subtree back.
	fn start_hosting() -> Weight;
	/// Stops taking it back.
	fn cancel_hosting() -> Weight;
}

/// One signature check, in picoseconds.
const SIGNATURE_CHECK: u64 = 120_000_000;

/// Computation of a call besides signatures, in picoseconds.
const BASE: u64 = 150_000_000;

/// Estimates in units of the runtime's database.
pub struct SubstrateWeight<T>(PhantomData<T>);

impl<T: frame_system::Config> SubstrateWeight<T> {
	fn estimate(signatures: u32, reads: u64, writes: u64) -> Weight {
		let time = BASE.saturating_add(SIGNATURE_CHECK.saturating_mul(u64::from(signatures)));
		// A record and a path's proof, per read.
		let proof_bytes = reads.saturating_mul(12 * 1024);
		Weight::from_parts(time, proof_bytes)
			.saturating_add(T::DbWeight::get().reads_writes(reads, writes))
	}
}

impl<T: frame_system::Config> WeightInfo for SubstrateWeight<T> {
	fn register() -> Weight {
		Self::estimate(0, 16, 12)
	}
	fn commit_head(s: u32) -> Weight {
		Self::estimate(s, 14, 12)
	}
	fn update_mode(s: u32) -> Weight {
		Self::estimate(s, 2, 1)
	}
	fn replace_authorities() -> Weight {
		Self::estimate(0, 2, 1)
	}
	fn close() -> Weight {
		Self::estimate(0, 14, 12)
	}
	fn remove() -> Weight {
		Self::estimate(0, 16, 14)
	}
	fn start_hosting() -> Weight {
		Self::estimate(0, 16, 3)
	}
	fn cancel_hosting() -> Weight {
		Self::estimate(0, 5, 4)
	}
}

impl WeightInfo for () {
	fn register() -> Weight {
		Weight::from_parts(BASE, 0)
	}
	fn commit_head(s: u32) -> Weight {
		Weight::from_parts(BASE + SIGNATURE_CHECK * u64::from(s), 0)
	}
	fn update_mode(s: u32) -> Weight {
		Weight::from_parts(BASE + SIGNATURE_CHECK * u64::from(s), 0)
	}
	fn replace_authorities() -> Weight {
		Weight::from_parts(BASE, 0)
	}
	fn close() -> Weight {
		Weight::from_parts(BASE, 0)
	}
	fn remove() -> Weight {
		Weight::from_parts(BASE, 0)
	}
	fn start_hosting() -> Weight {
		Weight::from_parts(BASE, 0)
	}
	fn cancel_hosting() -> Weight {
		Weight::from_parts(BASE, 0)
	}
}
