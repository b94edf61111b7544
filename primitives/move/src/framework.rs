//! The modules that every chain has from its first block, at the address [`FRAMEWORK`].
//!
//! The Move sources stand in `framework/sources`, with their documentation; those of the standard library are the ones of the
//! published crate `mv-stdlib` 0.3.2 (Apache-2.0, Copyright (c) The Diem Core Contributors and The Move Contributors) and are not
//! copied. What is published is bytecode, in `framework/compiled`: a test compiles the sources again and compares every byte, and
//! writes the bytecode when it is asked to (`UPDATE_FRAMEWORK=1`).
//!
//! In Move the address has two names: `std` for the standard library and `dstp` for what belongs to this protocol.

use crate::{engine::Publication, natives::FRAMEWORK};
use dstp_primitives::contract::UpgradePolicy;

macro_rules! modules {
	($($name:literal),* $(,)?) => {
		&[$(Module {
			name: $name,
			code: include_bytes!(concat!("../framework/compiled/", $name, ".mv")),
		}),*]
	};
}

/// A compiled module.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Module {
	/// Its name.
	pub name: &'static str,
	/// Its bytecode.
	pub code: &'static [u8],
}

/// The standard library of Move, dependencies before what needs them.
pub const STD: &[Module] = modules![
	"vector",
	"error",
	"option",
	"ascii",
	"bcs",
	"bit_vector",
	"fixed_point32",
	"hash",
	"signer",
	"string",
];

/// The modules of this protocol, dependencies before what needs them.
pub const DSTP: &[Module] = modules!["context", "event", "object", "crypto", "coin"];

/// What genesis publishes, in this order.
pub fn publications() -> impl Iterator<Item = Publication> {
	[STD, DSTP].into_iter().filter(|modules| !modules.is_empty()).map(|modules| Publication {
		publisher: FRAMEWORK,
		modules: modules.iter().map(|module| module.code.to_vec()).collect(),
		policy: UpgradePolicy::Compatible,
	})
}
