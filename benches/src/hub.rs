//! Extrinsics in the hub's runtime: updates of objects beside transfers.

use crate::{
	measure::{cost, interleave, Contender, Cost, Pair},
	report::{Row, Target},
	Failure, Scale,
};
use codec::Encode;
use dstp_hub_runtime::{
	opaque::Block, AccountId, AuraConfig, Balance, BalancesConfig, Hash, Header, Nonce, ObjectTree,
	ObjectTreeConfig, Runtime, RuntimeApi, RuntimeCall, RuntimeGenesisConfig, RuntimeOrigin,
	SignedPayload, System, TxExtension, UncheckedExtrinsic, SLOT_DURATION_MS, UNIT, VERSION,
	WASM_BINARY,
};
use dstp_primitives::{id::MAX_DEPTH, Key, ObjectId, Value};
use frame_support::{
	dispatch::{DispatchClass, GetDispatchInfo},
	traits::Hooks,
	weights::Weight,
};
use futures::executor::block_on;
use pallet_object_tree::{GenesisObject, GenesisOwner};
use sc_block_builder::BlockBuilderBuilder;
use sc_chain_spec::GenesisBlockBuilder;
use sc_client_api::execution_extensions::ExecutionExtensions;
use sc_client_db::{BlocksPruning, DatabaseSettings, DatabaseSource, PruningMode};
use sc_consensus::{BlockImport, BlockImportParams, ForkChoiceStrategy};
use sc_executor::WasmExecutor;
use sp_blockchain::HeaderBackend;
use sp_consensus::BlockOrigin;
use sp_consensus_aura::AURA_ENGINE_ID;
use sp_core::{sr25519, testing::TaskExecutor, Pair as _};
use sp_inherents::InherentDataProvider;
use sp_keyring::Sr25519Keyring;
use sp_runtime::{
	generic::Era,
	traits::{Dispatchable, TransactionExtension},
	BuildStorage, Digest, DigestItem, MultiAddress, OpaqueExtrinsic, Storage,
};
use std::{path::Path, sync::Arc};

type Executor = WasmExecutor<sp_io::SubstrateHostFunctions>;
type Client = sc_service::TFullClient<Block, RuntimeApi, Executor>;

/// Memory for nodes of the state, as a node has by default.
const TRIE_CACHE_BYTES: usize = 64 * 1024 * 1024;

/// What each account owns.
const ENDOWMENT: Balance = 1_000_000 * UNIT;

/// Measures declared weights, and the import of blocks by a real client: Wasm runtime, ParityDB.
pub fn run(scale: &Scale, dir: &Path) -> Result<Vec<Row>, Failure> {
	let accounts = scale.extrinsics;
	let storage = genesis(accounts)?;
	let mut rows = weights(accounts, storage.clone())?;
	let chain = Chain::new(&dir.join("hub"), storage)?;
	let keys: Vec<sr25519::Pair> = (0..accounts).map(key).collect();
	let mut contenders: [Contender<'_>; 2] = [
		Box::new(|round| {
			let nonce = 2 * round as Nonce;
			chain.import(
				keys.iter().enumerate().map(|(n, key)| chain.sign(key, nonce, update(n, round))),
			)
		}),
		Box::new(|round| {
			let nonce = 2 * round as Nonce + 1;
			chain
				.import(keys.iter().enumerate().map(|(n, key)| chain.sign(key, nonce, transfer(n))))
		}),
	];
	let costs = interleave(scale.rounds, &mut contenders)?;
	let name = format!("an object update, imported in a block of {accounts} (Wasm, ParityDB, on_finalize), against a transfer");
	rows.push(
		Row::pair(name, "us CPU per extrinsic", Pair::cpu_us(accounts, &costs[0], &costs[1]))
			.with(Target::AtMost(3.0)),
	);
	Ok(rows)
}

/// The key of one account. Its money and its object are there from genesis.
fn key(number: usize) -> sr25519::Pair {
	let mut seed = [0; 32];
	seed[..8].copy_from_slice(&(number as u64 + 1).to_le_bytes());
	sr25519::Pair::from_seed(&seed)
}

fn account(number: usize) -> AccountId {
	AccountId::from(key(number).public())
}

fn object_key(number: usize) -> String {
	format!("object-{number}")
}

/// A value of a field of one's own object, which is one of many right below the root.
fn update(number: usize, round: usize) -> RuntimeCall {
	update_within(number, round, 1)
}

/// The same, declared for an object that may stand as deep as this.
fn update_within(number: usize, round: usize, depth_bound: u32) -> RuntimeCall {
	let name = Key::try_from(object_key(number).as_str()).expect("a short key; qed");
	let field = Key::try_from("position").expect("a short key; qed");
	let value = format!("{:.5},{:.5}", round as f64 / 7.0, number as f64 / 7.0).into_bytes();
	let value = Value::try_from(value).expect("a short value; qed");
	let fields = vec![(field, value)].try_into().expect("one field; qed");
	let object = ObjectId::ROOT.child(&name);
	RuntimeCall::ObjectTree(pallet_object_tree::Call::set_fields { object, fields, depth_bound })
}

/// A transfer to an account that exists and does nothing else in the block.
fn transfer(number: usize) -> RuntimeCall {
	let dest = MultiAddress::Id(AccountId::from(Sr25519Keyring::Alice.public()));
	let value = UNIT + number as Balance;
	RuntimeCall::Balances(pallet_balances::Call::transfer_keep_alive { dest, value })
}

fn genesis(accounts: usize) -> Result<Storage, Failure> {
	let alice = Sr25519Keyring::Alice;
	let mut balances = vec![(AccountId::from(alice.public()), ENDOWMENT)];
	balances.extend((0..accounts).map(|number| (account(number), ENDOWMENT)));
	let objects = (0..accounts).map(|number| GenesisObject {
		path: format!("/{}", object_key(number)),
		owner: GenesisOwner::Account(account(number)),
		..Default::default()
	});
	let config = RuntimeGenesisConfig {
		balances: BalancesConfig { balances, ..Default::default() },
		aura: AuraConfig { authorities: vec![alice.public().into()] },
		object_tree: ObjectTreeConfig { objects: objects.collect(), ..Default::default() },
		..Default::default()
	};
	let mut storage = config.build_storage()?;
	let wasm =
		WASM_BINARY.ok_or("the runtime was built without its Wasm; unset SKIP_WASM_BUILD")?;
	storage.top.insert(sp_core::storage::well_known_keys::CODE.to_vec(), wasm.to_vec());
	Ok(storage)
}

/// How much of a block's weight an update takes beside a transfer: with what every extrinsic weighs before its call, and for the
/// calls alone. What is charged in the end is less than what is declared before the execution, because that covers the roots of the
/// object's whole path and a change of the deposit.
fn weights(accounts: usize, storage: Storage) -> Result<Vec<Row>, Failure> {
	let micros = |weight: Weight| weight.ref_time() as f64 / 1e6;
	let declared = |call: &RuntimeCall| micros(call.get_dispatch_info().call_weight);
	let base = <Runtime as frame_system::Config>::BlockWeights::get()
		.get(DispatchClass::Normal)
		.base_extrinsic;
	let around = |call: &RuntimeCall| micros(base.saturating_add(extension(0).weight(call)));
	let (transfer, one_update) = (transfer(0), update(0, 0));
	let block_of_updates = |round: usize| -> Result<f64, Failure> {
		let mut sum = 0.0;
		for number in 0..accounts {
			let call = update(number, round);
			let most = declared(&call);
			let post = call.dispatch(RuntimeOrigin::signed(account(number)));
			let post = post.map_err(|error| format!("an update failed: {error:?}"))?;
			sum += post.actual_weight.map_or(most, micros);
		}
		Ok(sum / accounts as f64)
	};
	let charged = sp_io::TestExternalities::new(storage).execute_with(|| {
		System::set_block_number(1);
		block_of_updates(0)?;
		ObjectTree::on_finalize(1);
		System::set_block_number(2);
		// Now each replaces its value by another of the same size.
		block_of_updates(1)
	})?;
	let deepest = declared(&update_within(0, 0, MAX_DEPTH));
	let (update_around, transfer_around) = (around(&one_update), around(&transfer));
	let transfer = declared(&transfer);
	let extrinsic = |call| Pair::of(&[update_around + call], &[transfer_around + transfer]);
	let unit = "us of weight";
	let name = format!(
		"an object update by the weight that it takes of a block of {accounts}, roots included, against a transfer"
	);
	Ok(vec![
		Row::pair(name, unit, extrinsic(charged)).with(Target::AtMost(3.0)),
		Row::pair("the same, declared before execution", unit, extrinsic(declared(&one_update)))
			.with(Target::AtMost(3.0)),
		Row::pair(
			"the same, declared for an object at the greatest depth",
			unit,
			extrinsic(deepest),
		),
		Row::pair("the same, the calls alone", unit, Pair::of(&[charged], &[transfer])),
	])
}

/// The extension of a signed extrinsic: immortal, without a tip.
fn extension(nonce: Nonce) -> TxExtension {
	(
		frame_system::AuthorizeCall::<Runtime>::new(),
		frame_system::CheckNonZeroSender::<Runtime>::new(),
		frame_system::CheckSpecVersion::<Runtime>::new(),
		frame_system::CheckTxVersion::<Runtime>::new(),
		frame_system::CheckGenesis::<Runtime>::new(),
		frame_system::CheckEra::<Runtime>::from(Era::Immortal),
		frame_system::CheckNonce::<Runtime>::from(nonce),
		frame_system::CheckWeight::<Runtime>::new(),
		pallet_transaction_payment::ChargeTransactionPayment::<Runtime>::from(0),
		frame_metadata_hash_extension::CheckMetadataHash::<Runtime>::new(false),
		frame_system::WeightReclaim::<Runtime>::new(),
	)
}

/// A chain without a network.
struct Chain {
	client: Client,
	genesis: Hash,
}

impl Chain {
	fn new(dir: &Path, storage: Storage) -> Result<Self, Failure> {
		let settings = DatabaseSettings {
			trie_cache_maximum_size: Some(TRIE_CACHE_BYTES),
			state_pruning: Some(PruningMode::blocks_pruning(256)),
			source: DatabaseSource::ParityDb { path: dir.to_path_buf() },
			blocks_pruning: BlocksPruning::KeepAll,
			pruning_filters: Vec::new(),
			metrics_registry: None,
		};
		let backend = sc_service::new_db_backend::<Block>(settings)?;
		let executor = Executor::builder().build();
		let genesis_block = GenesisBlockBuilder::<Block, _, _>::new_with_storage(
			storage,
			true,
			backend.clone(),
			executor.clone(),
		)?;
		let extensions = ExecutionExtensions::new(None, Arc::new(executor.clone()));
		let client: Client = sc_service::new_client(
			backend,
			executor,
			genesis_block,
			None,
			None,
			extensions,
			Box::new(TaskExecutor::new()),
			None,
			None,
			Default::default(),
		)?;
		let genesis = client.info().genesis_hash;
		Ok(Self { client, genesis })
	}

	/// Builds a block of these extrinsics on the best one, and measures its import as one from the network.
	fn import(
		&self,
		extrinsics: impl Iterator<Item = Result<OpaqueExtrinsic, Failure>>,
	) -> Result<Cost, Failure> {
		let info = self.client.info();
		let slot = u64::from(info.best_number) + 1;
		let slot_digest = DigestItem::PreRuntime(AURA_ENGINE_ID, slot.encode());
		let mut builder = BlockBuilderBuilder::new(&self.client)
			.on_parent_block(info.best_hash)
			.with_parent_block_number(info.best_number)
			.with_inherent_digests(Digest { logs: vec![slot_digest] })
			.build()?;
		let time = sp_timestamp::InherentDataProvider::new((slot * SLOT_DURATION_MS).into());
		let inherents = builder.create_inherents(block_on(time.create_inherent_data())?)?;
		inherents.into_iter().try_for_each(|inherent| builder.push(inherent))?;
		for extrinsic in extrinsics {
			builder.push(extrinsic?)?;
		}
		let block: Block = builder.build()?.block;
		let mut params =
			BlockImportParams::<Block>::new(BlockOrigin::NetworkBroadcast, block.header);
		params.body = Some(block.extrinsics);
		params.fork_choice = Some(ForkChoiceStrategy::LongestChain);
		let cost = cost(|| Ok(block_on(self.client.import_block(params)).map(drop)?))?;
		let best: Option<Header> = self.client.header(self.client.info().best_hash)?;
		if best.is_none_or(|best| u64::from(best.number) != slot) {
			return Err("the block was not imported".into());
		}
		Ok(cost)
	}

	/// As a wallet does.
	fn sign(
		&self,
		key: &sr25519::Pair,
		nonce: Nonce,
		call: RuntimeCall,
	) -> Result<OpaqueExtrinsic, Failure> {
		let extension = extension(nonce);
		let (spec, transaction) = (VERSION.spec_version, VERSION.transaction_version);
		let implicit =
			((), (), spec, transaction, self.genesis, self.genesis, (), (), (), None, ());
		let payload = SignedPayload::from_raw(call.clone(), extension.clone(), implicit);
		let signature = payload.using_encoded(|bytes| key.sign(bytes));
		let signer = MultiAddress::Id(AccountId::from(key.public()));
		let extrinsic = UncheckedExtrinsic::new_signed(call, signer, signature.into(), extension);
		Ok(OpaqueExtrinsic::try_from_encoded_extrinsic(&extrinsic.encode())?)
	}
}
