//! What the execution of contracts costs.

use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use scale_info::TypeInfo;

/// Prices of everything that an execution does, in gas. A parameter of the runtime and of every subtree.
///
/// One gas stands for about a nanosecond on a machine of two cores in the worst case, not on average. Two executions of one
/// call under one schedule cost the same, whatever a node has in memory.
#[derive(
	Clone, PartialEq, Eq, Debug, Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo,
)]
pub struct GasSchedule {
	/// Rises with every change of a price or of what is counted.
	pub version: u32,
	/// Every call and publication.
	pub base: u64,
	/// An instruction.
	pub instruction: u64,
	/// A byte that is copied or compared, as the engine bounds it.
	pub byte_copied: u64,
	/// A call of a function, for its frame.
	pub frame: u64,
	/// A node of a type that is put in for a type parameter.
	pub type_node: u64,
	/// An access to a resource, found or not.
	pub resource: u64,
	/// The first read of a resource by a call: the way to it through the tree, and its layout.
	pub read: u64,
	/// A byte of a resource that is read.
	pub byte_read: u64,
	/// A resource or module that is written or removed.
	pub write: u64,
	/// A byte that is written.
	pub byte_written: u64,
	/// A module in the closure of the call.
	pub module: u64,
	/// A byte of such a module.
	pub byte_loaded: u64,
	/// A unit of the verifier's work on a module, as counted at its publication.
	pub verifier_unit: u64,
	/// An event.
	pub event: u64,
	/// A call of a function that is written in Rust, beside its frame.
	pub native: u64,
	/// A hash.
	pub hash: u64,
	/// A byte that is hashed.
	pub byte_hashed: u64,
	/// The check of a signature.
	pub signature: u64,
}

impl GasSchedule {
	/// The first schedule.
	pub const V1: Self = Self {
		version: 1,
		base: 10_000,
		instruction: 25,
		byte_copied: 4,
		frame: 200,
		type_node: 50,
		resource: 200,
		read: 20_000,
		byte_read: 10,
		write: 20_000,
		byte_written: 20,
		module: 10_000,
		byte_loaded: 10,
		verifier_unit: 50,
		event: 1_000,
		native: 300,
		hash: 1_000,
		byte_hashed: 15,
		signature: 250_000,
	};
}
