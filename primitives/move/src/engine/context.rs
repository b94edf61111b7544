//! Where and when a contract runs.

use dstp_primitives::batch::HubPin;

/// What a contract may know of where and when it runs, beside the tree and who signed.
///
/// The caller of the engine gives it and every executor of one call gives the same, so it is part of what is committed. A contract has
/// no other source of time, and none of randomness.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Context {
	/// Hash of the hub's first block: which chain this is.
	pub genesis: [u8; 32],
	/// Number of the head that this execution will be part of; the block number on the hub.
	pub seq: u64,
	/// Time of the execution in milliseconds since 1970; never falls within a namespace.
	pub time_ms: u64,
	/// The hub block at which the call runs.
	pub hub: HubPin,
}
