//! The benchmarks that `scripts/weights.sh` runs.

use crate::{
	AccountId, AllPalletsWithSystem, Balances, Grandpa, ObjectTree, Runtime, SubtreeSecurity, Sudo,
	Timestamp, Utility,
};
use alloc::{string::String, vec::Vec};
use dstp_primitives::{Key, Meta, ObjectId};
use frame_benchmarking::{
	baseline::Pallet as BaselineBench, BenchmarkBatch, BenchmarkConfig, BenchmarkList,
};
use frame_support::traits::{StorageInfo, StorageInfoTrait, WhitelistedStorageKeys};
use frame_system_benchmarking::{
	extensions::Pallet as SystemExtensionsBench, Pallet as SystemBench,
};

frame_benchmarking::define_benchmarks!(
	[frame_benchmarking, BaselineBench::<Runtime>]
	[frame_system, SystemBench::<Runtime>]
	[frame_system_extensions, SystemExtensionsBench::<Runtime>]
	[pallet_timestamp, Timestamp]
	[pallet_grandpa, Grandpa]
	[pallet_balances, Balances]
	[pallet_sudo, Sudo]
	[pallet_utility, Utility]
	[pallet_subtree_security, SubtreeSecurity]
	[pallet_object_tree, ObjectTree]
);

impl frame_system_benchmarking::Config for Runtime {}
impl frame_benchmarking::baseline::Config for Runtime {}

/// Where subtrees cost most in this runtime's tree.
pub struct DeepestPlace;

impl pallet_subtree_security::BenchmarkHelper for DeepestPlace {
	fn deepest_parent(owner: &AccountId) -> ObjectId {
		pallet_object_tree::benchmarking::deepest_parent::<Runtime>(owner)
	}

	fn deepest_object(owner: &AccountId) -> (ObjectId, Key) {
		pallet_object_tree::benchmarking::deepest_object::<Runtime>(owner)
	}

	fn stage_root(owner: &AccountId, parent: ObjectId, key: &Key, meta: Meta, complete: bool) {
		pallet_object_tree::benchmarking::stage_root::<Runtime>(owner, parent, key, meta, complete);
	}

	fn close_block() {
		pallet_object_tree::benchmarking::close_block::<Runtime>();
	}
}

/// The benchmarks that exist and the storage that they may touch.
pub fn metadata(extra: bool) -> (Vec<BenchmarkList>, Vec<StorageInfo>) {
	let mut list = Vec::<BenchmarkList>::new();
	list_benchmarks!(list, extra);
	(list, AllPalletsWithSystem::storage_info())
}

/// Runs one benchmark.
pub fn dispatch(config: BenchmarkConfig) -> Result<Vec<BenchmarkBatch>, String> {
	let whitelist = AllPalletsWithSystem::whitelisted_storage_keys();
	let mut batches = Vec::<BenchmarkBatch>::new();
	let params = (&config, &whitelist);
	add_benchmarks!(params, batches);
	Ok(batches)
}
