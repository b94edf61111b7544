//! What the node must know of a runtime.

use crate::chain_spec;
use sc_executor::WasmExecutor;
use sc_service::ChainSpec;
use sp_consensus_aura::sr25519::AuthorityId as AuraId;
use sp_core::H256;
use sp_runtime::{
	traits::{Block as BlockT, Header as HeaderT},
	AccountId32,
};

/// The account of a signer of transactions: 32 bytes.
pub type AccountId = AccountId32;
/// The number of transactions that an account has sent.
pub type Nonce = u32;
/// An amount of money, in the chain's smallest unit.
pub type Balance = u128;
/// The number of a block.
pub type BlockNumber = u32;
/// The hash of a block.
pub type BlockHash = H256;

/// A runtime, as the node sees it: its types, its Wasm, its chains and its name.
///
/// A team implements this once, for an empty type of its own, in its binary. Nothing else in the
/// node names a runtime. Nonce, balance and account are fixed, because the wallets, the standard
/// RPC methods and the formats of DSTP are.
pub trait NodeRuntime: Sized + Send + Sync + 'static {
	/// The program's name, as logs and `system_name` give it.
	const NAME: &'static str;
	/// The program's version: `env!("CARGO_PKG_VERSION")` of the binary.
	const VERSION: &'static str;

	/// The block, with extrinsics as bytes (the runtime's `opaque::Block`).
	type Block: BlockT<Hash = BlockHash, Header = Self::Header> + for<'de> serde::Deserialize<'de>;
	/// The block's header.
	type Header: HeaderT<Number = BlockNumber, Hash = BlockHash> + Unpin;
	/// The `RuntimeApi` that `impl_runtime_apis!` generates.
	type RuntimeApi: sp_api::ConstructRuntimeApi<
			Self::Block,
			FullClient<Self>,
			RuntimeApi: StandardApis<Self::Block>,
		> + Send
		+ Sync
		+ 'static;
	/// The functions that the node offers to the Wasm: `sp_io::SubstrateHostFunctions` and,
	/// in a tuple with it, those that the runtime needs in addition.
	type HostFunctions: sc_executor::sp_wasm_interface::HostFunctions;

	/// The runtime's Wasm, for the chains that it knows by name.
	///
	/// `None` if the program was built with `SKIP_WASM_BUILD`: then only chain specs from files
	/// can be used.
	fn wasm_binary() -> Option<&'static [u8]>;

	/// The chain spec for what the user gave with `--chain`.
	///
	/// By default `dev` and `local` (also for an empty id) start from the runtime's presets
	/// `development` and `local_testnet`; anything else is the path of a chain spec in JSON.
	///
	/// # Errors
	///
	/// A sentence for the user, with the remedy.
	fn chain_spec(id: &str) -> Result<Box<dyn ChainSpec>, String> {
		chain_spec::standard::<Self>(id)
	}
}

/// The runtime APIs that every DSTP node needs. Implemented for all that offer them.
pub trait StandardApis<Block: BlockT>:
	sp_api::ApiExt<Block>
	+ sp_api::Metadata<Block>
	+ sp_block_builder::BlockBuilder<Block>
	+ sp_transaction_pool::runtime_api::TaggedTransactionQueue<Block>
	+ sp_offchain::OffchainWorkerApi<Block>
	+ sp_session::SessionKeys<Block>
	+ sp_consensus_aura::AuraApi<Block, AuraId>
	+ sp_consensus_grandpa::GrandpaApi<Block>
	+ frame_system_rpc_runtime_api::AccountNonceApi<Block, AccountId, Nonce>
	+ pallet_transaction_payment_rpc_runtime_api::TransactionPaymentApi<Block, Balance>
{
}

impl<Block: BlockT, Api> StandardApis<Block> for Api where
	Api: sp_api::ApiExt<Block>
		+ sp_api::Metadata<Block>
		+ sp_block_builder::BlockBuilder<Block>
		+ sp_transaction_pool::runtime_api::TaggedTransactionQueue<Block>
		+ sp_offchain::OffchainWorkerApi<Block>
		+ sp_session::SessionKeys<Block>
		+ sp_consensus_aura::AuraApi<Block, AuraId>
		+ sp_consensus_grandpa::GrandpaApi<Block>
		+ frame_system_rpc_runtime_api::AccountNonceApi<Block, AccountId, Nonce>
		+ pallet_transaction_payment_rpc_runtime_api::TransactionPaymentApi<Block, Balance>
{
}

/// The block of a runtime.
pub type BlockOf<R> = <R as NodeRuntime>::Block;
/// The client: chain, state and runtime calls.
pub type FullClient<R> = sc_service::TFullClient<
	<R as NodeRuntime>::Block,
	<R as NodeRuntime>::RuntimeApi,
	WasmExecutor<<R as NodeRuntime>::HostFunctions>,
>;
/// The database behind the client.
pub type FullBackend<R> = sc_service::TFullBackend<<R as NodeRuntime>::Block>;
/// The node's own store that off-chain workers share: survives restarts, is no consensus state.
pub type OffchainStorage<R> =
	<FullBackend<R> as sc_client_api::Backend<<R as NodeRuntime>::Block>>::OffchainStorage;
/// The transaction pool.
pub type TransactionPool<R> =
	sc_transaction_pool::TransactionPoolHandle<<R as NodeRuntime>::Block, FullClient<R>>;
/// The runtime API, to put bounds on: `where ApiOf<R>: MyRuntimeApi<BlockOf<R>>`.
pub type ApiOf<R> = <<R as NodeRuntime>::RuntimeApi as sp_api::ConstructRuntimeApi<
	<R as NodeRuntime>::Block,
	FullClient<R>,
>>::RuntimeApi;
/// Chooses the best chain: the longest.
pub(crate) type SelectChain<R> =
	sc_consensus::LongestChain<FullBackend<R>, <R as NodeRuntime>::Block>;
