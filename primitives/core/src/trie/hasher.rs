//! Blake2-256 for tries.
//!
//! `sp-core` has it everywhere but in a runtime's Wasm, where it wants hashing to be a host function: so it is one here.

#[cfg(not(substrate_runtime))]
pub use sp_core::Blake2Hasher;

#[cfg(substrate_runtime)]
pub use in_runtime::Blake2Hasher;

#[cfg(substrate_runtime)]
mod in_runtime {
	use hash256_std_hasher::Hash256StdHasher;
	use sp_core::H256;

	/// Blake2-256 by the host.
	#[derive(Clone, Copy, Debug, PartialEq, Eq)]
	pub struct Blake2Hasher;

	impl hash_db::Hasher for Blake2Hasher {
		type Out = H256;
		type StdHasher = Hash256StdHasher;
		const LENGTH: usize = 32;

		fn hash(bytes: &[u8]) -> H256 {
			H256(sp_io::hashing::blake2_256(bytes))
		}
	}
}
