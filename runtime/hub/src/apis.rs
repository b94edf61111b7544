//! The runtime APIs: what the node and its clients may ask the runtime.

// The macro generates public items without documentation.
#![allow(missing_docs)]

use crate::{
	genesis_config_presets, AccountId, Aura, Balance, Block, Executive, Grandpa, InherentDataExt,
	Nonce, ObjectTree, Runtime, RuntimeCall, RuntimeGenesisConfig, SessionKeys, SubtreeSecurity,
	System, TransactionPayment, VERSION,
};
use alloc::vec::Vec;
use codec::Encode;
use dstp_primitives::{
	api::{ObjectView, QueryError, Resolved, StagingView},
	call::{CallPayload, CallRefusal, SignedCall},
	head::Head,
	mode::poa::{head_payload, AuthoritySet, PoaEvidence, PoaParams, PoaState},
	subtree::{ModeView, SubtreePage, SubtreeView},
	tree::{Page, PageRequest},
	ChildEntry, ObjectId, Path, StateRoot, Value,
};
use frame_support::{
	genesis_builder_helper::{build_state, get_preset},
	weights::Weight,
};
use pallet_transaction_payment::{FeeDetails, RuntimeDispatchInfo};
use sp_api::impl_runtime_apis;
use sp_consensus_aura::sr25519::AuthorityId as AuraId;
use sp_consensus_grandpa::AuthorityId as GrandpaId;
use sp_core::{crypto::KeyTypeId, OpaqueMetadata, H256};
use sp_inherents::{CheckInherentsResult, InherentData};
use sp_runtime::{
	traits::{Block as BlockT, NumberFor},
	transaction_validity::{TransactionSource, TransactionValidity},
	ApplyExtrinsicResult, ExtrinsicInclusionMode,
};
use sp_session::OpaqueGeneratedSessionKeys;
use sp_version::RuntimeVersion;

impl_runtime_apis! {
	impl sp_api::Core<Block> for Runtime {
		fn version() -> RuntimeVersion {
			VERSION
		}

		fn execute_block(block: <Block as BlockT>::LazyBlock) {
			Executive::execute_block(block);
		}

		fn initialize_block(header: &<Block as BlockT>::Header) -> ExtrinsicInclusionMode {
			Executive::initialize_block(header)
		}
	}

	impl sp_api::Metadata<Block> for Runtime {
		fn metadata() -> OpaqueMetadata {
			OpaqueMetadata::new(Runtime::metadata().into())
		}

		fn metadata_at_version(version: u32) -> Option<OpaqueMetadata> {
			Runtime::metadata_at_version(version)
		}

		fn metadata_versions() -> Vec<u32> {
			Runtime::metadata_versions()
		}
	}

	impl sp_block_builder::BlockBuilder<Block> for Runtime {
		fn apply_extrinsic(extrinsic: <Block as BlockT>::Extrinsic) -> ApplyExtrinsicResult {
			Executive::apply_extrinsic(extrinsic)
		}

		fn finalize_block() -> <Block as BlockT>::Header {
			Executive::finalize_block()
		}

		fn inherent_extrinsics(data: InherentData) -> Vec<<Block as BlockT>::Extrinsic> {
			data.create_extrinsics()
		}

		fn check_inherents(
			block: <Block as BlockT>::LazyBlock,
			data: InherentData,
		) -> CheckInherentsResult {
			data.check_extrinsics(&block)
		}
	}

	impl sp_transaction_pool::runtime_api::TaggedTransactionQueue<Block> for Runtime {
		fn validate_transaction(
			source: TransactionSource,
			tx: <Block as BlockT>::Extrinsic,
			block_hash: <Block as BlockT>::Hash,
		) -> TransactionValidity {
			Executive::validate_transaction(source, tx, block_hash)
		}
	}

	impl sp_offchain::OffchainWorkerApi<Block> for Runtime {
		fn offchain_worker(header: &<Block as BlockT>::Header) {
			Executive::offchain_worker(header)
		}
	}

	impl sp_consensus_aura::AuraApi<Block, AuraId> for Runtime {
		fn slot_duration() -> sp_consensus_aura::SlotDuration {
			sp_consensus_aura::SlotDuration::from_millis(Aura::slot_duration())
		}

		fn authorities() -> Vec<AuraId> {
			pallet_aura::Authorities::<Runtime>::get().into_inner()
		}
	}

	impl sp_session::SessionKeys<Block> for Runtime {
		fn generate_session_keys(
			owner: Vec<u8>,
			seed: Option<Vec<u8>>,
		) -> OpaqueGeneratedSessionKeys {
			SessionKeys::generate(&owner, seed).into()
		}

		fn decode_session_keys(encoded: Vec<u8>) -> Option<Vec<(Vec<u8>, KeyTypeId)>> {
			SessionKeys::decode_into_raw_public_keys(&encoded)
		}
	}

	impl sp_consensus_grandpa::GrandpaApi<Block> for Runtime {
		fn grandpa_authorities() -> sp_consensus_grandpa::AuthorityList {
			Grandpa::grandpa_authorities()
		}

		fn current_set_id() -> sp_consensus_grandpa::SetId {
			pallet_grandpa::CurrentSetId::<Runtime>::get()
		}

		// Equivocations cannot be reported: see the config of `pallet_grandpa`.
		fn submit_report_equivocation_unsigned_extrinsic(
			_equivocation_proof: sp_consensus_grandpa::EquivocationProof<
				<Block as BlockT>::Hash,
				NumberFor<Block>,
			>,
			_key_owner_proof: sp_consensus_grandpa::OpaqueKeyOwnershipProof,
		) -> Option<()> {
			None
		}

		fn generate_key_ownership_proof(
			_set_id: sp_consensus_grandpa::SetId,
			_authority_id: GrandpaId,
		) -> Option<sp_consensus_grandpa::OpaqueKeyOwnershipProof> {
			None
		}
	}

	impl frame_system_rpc_runtime_api::AccountNonceApi<Block, AccountId, Nonce> for Runtime {
		fn account_nonce(account: AccountId) -> Nonce {
			System::account_nonce(account)
		}
	}

	impl pallet_transaction_payment_rpc_runtime_api::TransactionPaymentApi<Block, Balance>
		for Runtime
	{
		fn query_info(
			uxt: <Block as BlockT>::Extrinsic,
			len: u32,
		) -> RuntimeDispatchInfo<Balance> {
			TransactionPayment::query_info(uxt, len)
		}

		fn query_fee_details(uxt: <Block as BlockT>::Extrinsic, len: u32) -> FeeDetails<Balance> {
			TransactionPayment::query_fee_details(uxt, len)
		}

		fn query_weight_to_fee(weight: Weight) -> Balance {
			TransactionPayment::weight_to_fee(weight)
		}

		fn query_length_to_fee(length: u32) -> Balance {
			TransactionPayment::length_to_fee(length)
		}
	}

	impl pallet_transaction_payment_rpc_runtime_api::TransactionPaymentCallApi<
		Block,
		Balance,
		RuntimeCall,
	> for Runtime
	{
		fn query_call_info(call: RuntimeCall, len: u32) -> RuntimeDispatchInfo<Balance> {
			TransactionPayment::query_call_info(call, len)
		}

		fn query_call_fee_details(call: RuntimeCall, len: u32) -> FeeDetails<Balance> {
			TransactionPayment::query_call_fee_details(call, len)
		}

		fn query_weight_to_fee(weight: Weight) -> Balance {
			TransactionPayment::weight_to_fee(weight)
		}

		fn query_length_to_fee(length: u32) -> Balance {
			TransactionPayment::length_to_fee(length)
		}
	}

	impl sp_genesis_builder::GenesisBuilder<Block> for Runtime {
		fn build_state(config: Vec<u8>) -> sp_genesis_builder::Result {
			build_state::<RuntimeGenesisConfig>(config)
		}

		fn get_preset(id: &Option<sp_genesis_builder::PresetId>) -> Option<Vec<u8>> {
			get_preset::<RuntimeGenesisConfig>(id, genesis_config_presets::get_preset)
		}

		fn preset_names() -> Vec<sp_genesis_builder::PresetId> {
			genesis_config_presets::preset_names()
		}
	}

	impl dstp_primitives::api::ObjectTreeApi<Block> for Runtime {
		fn global_root() -> StateRoot {
			ObjectTree::api_global_root()
		}

		fn resolve(path: Path) -> Resolved {
			ObjectTree::api_resolve(path)
		}

		fn object(object: ObjectId) -> Option<ObjectView> {
			ObjectTree::api_object(object)
		}

		fn fields(object: ObjectId, page: PageRequest) -> Result<Page<Value>, QueryError> {
			ObjectTree::api_fields(object, page)
		}

		fn children(object: ObjectId, page: PageRequest) -> Result<Page<ChildEntry>, QueryError> {
			ObjectTree::api_children(object, page)
		}

		fn child_trie(object: ObjectId) -> Option<Vec<u8>> {
			ObjectTree::api_child_trie(object)
		}

		fn kept_trie(object: ObjectId) -> Option<Vec<u8>> {
			ObjectTree::api_kept_trie(object)
		}

		fn staging(subtree: ObjectId) -> Option<StagingView> {
			ObjectTree::api_staging(subtree)
		}
	}

	impl dstp_primitives::api::SubtreeSecurityApi<Block> for Runtime {
		fn head(subtree: ObjectId) -> Option<SubtreeView> {
			SubtreeSecurity::subtree_view(subtree)
		}

		fn mode(subtree: ObjectId) -> Option<ModeView> {
			SubtreeSecurity::mode_view(subtree)
		}

		fn subtrees(cursor: Option<ObjectId>, limit: u32) -> SubtreePage {
			SubtreeSecurity::subtree_page(cursor, limit)
		}

		fn account_exists(account: AccountId) -> bool {
			System::account_exists(&account)
		}

		fn call_payload_bytes(payload: CallPayload) -> Vec<u8> {
			payload.signing_bytes()
		}

		fn check_call(call: SignedCall) -> Result<H256, CallRefusal> {
			SubtreeSecurity::check_call(&call)
		}
	}

	impl dstp_primitives::api::PoaApi<Block> for Runtime {
		fn poa(subtree: ObjectId) -> Option<(PoaParams, PoaState)> {
			SubtreeSecurity::poa(subtree)
		}

		fn poa_params_bytes(params: PoaParams) -> Vec<u8> {
			params.encode()
		}

		fn poa_set_bytes(set: AuthoritySet) -> Vec<u8> {
			set.encode()
		}

		fn poa_evidence_bytes(evidence: PoaEvidence) -> Vec<u8> {
			evidence.encode()
		}

		fn poa_head_payload(set_id: u64, head: Head) -> Vec<u8> {
			head_payload(set_id, &head)
		}

		fn poa_rotation_payload(subtree: ObjectId, next: AuthoritySet) -> Option<Vec<u8>> {
			SubtreeSecurity::poa_rotation_payload(subtree, &next)
		}
	}

	#[cfg(feature = "runtime-benchmarks")]
	impl frame_benchmarking::Benchmark<Block> for Runtime {
		fn benchmark_metadata(
			extra: bool,
		) -> (
			Vec<frame_benchmarking::BenchmarkList>,
			Vec<frame_support::traits::StorageInfo>,
		) {
			crate::benchmarks::metadata(extra)
		}

		fn dispatch_benchmark(
			config: frame_benchmarking::BenchmarkConfig,
		) -> Result<Vec<frame_benchmarking::BenchmarkBatch>, alloc::string::String> {
			crate::benchmarks::dispatch(config)
		}
	}

	#[cfg(feature = "try-runtime")]
	impl frame_try_runtime::TryRuntime<Block> for Runtime {
		fn on_runtime_upgrade(
			checks: frame_try_runtime::UpgradeCheckSelect,
		) -> (Weight, Weight) {
			// A failed check stops here, with a backtrace: only tests call this.
			let weight = Executive::try_runtime_upgrade(checks).expect("runtime upgrade failed");
			(weight, crate::configs::RuntimeBlockWeights::get().max_block)
		}

		fn execute_block(
			block: <Block as BlockT>::LazyBlock,
			state_root_check: bool,
			signature_check: bool,
			select: frame_try_runtime::TryStateSelect,
		) -> Weight {
			Executive::try_execute_block(block, state_root_check, signature_check, select)
				.expect("execution of the block failed")
		}
	}
}
