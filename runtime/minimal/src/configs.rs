//! The parameters of every pallet.

use crate::{
	AccountId, Aura, Balance, Balances, Block, BlockNumber, Hash, Modes, Nonce, ObjectTree,
	PalletInfo, Runtime, RuntimeCall, RuntimeEvent, RuntimeFreezeReason, RuntimeHoldReason,
	RuntimeOrigin, RuntimeTask, SubtreeSecurity, System, EXISTENTIAL_DEPOSIT, MILLI_UNIT,
	SLOT_DURATION_MS, VERSION,
};
use dstp_primitives::call::MAX_VALIDITY_BLOCKS;
use frame_support::{
	derive_impl,
	dispatch::DispatchClass,
	parameter_types,
	traits::{ConstBool, ConstU128, ConstU32, ConstU64, ConstU8, VariantCountOf},
	weights::{
		constants::{ParityDbWeight, WEIGHT_REF_TIME_PER_SECOND},
		IdentityFee, Weight,
	},
};
use frame_system::limits::{BlockLength, BlockWeights};
use pallet_transaction_payment::{ConstFeeMultiplier, FungibleAdapter, Multiplier};
use sp_consensus_aura::sr25519::AuthorityId as AuraId;
use sp_runtime::{traits::One, Perbill};
use sp_version::RuntimeVersion;

/// The part of a block that ordinary transactions may fill; the rest is for operational calls.
const NORMAL_DISPATCH_RATIO: Perbill = Perbill::from_percent(75);

/// The part of a block that operational calls find free however full it is.
const OPERATIONAL_RESERVE_RATIO: Perbill = Perbill::from_percent(20);

/// The length of a block's body, in bytes: Substrate's standard.
const MAX_BLOCK_LENGTH_BYTES: u32 = 5 * 1024 * 1024;

/// Validators at most: GRANDPA's messages grow with the square of their number.
const MAX_AUTHORITIES: u32 = 32;

parameter_types! {
	/// The blocks whose hashes the runtime knows: a transaction may be valid for at most as long.
	pub const BlockHashCount: BlockNumber = 2400;
	/// The runtime's version.
	pub const Version: RuntimeVersion = VERSION;
	/// One second of computation in a slot of three: the rest is for sending and checking.
	/// The proof size is unbounded, because a chain of its own sends no proofs of its blocks.
	///
	/// What no class may count on, a twentieth, is for the roots that heads cause: those are weighed after the fact.
	pub RuntimeBlockWeights: BlockWeights = {
		let block = Weight::from_parts(WEIGHT_REF_TIME_PER_SECOND, u64::MAX);
		BlockWeights::builder()
			.for_class(DispatchClass::Normal, |class| {
				class.max_total = Some(NORMAL_DISPATCH_RATIO * block);
			})
			.for_class(DispatchClass::Operational, |class| {
				class.max_total = Some(block);
				class.reserved = Some(OPERATIONAL_RESERVE_RATIO * block);
			})
			.avg_block_initialization(Perbill::from_percent(10))
			.build_or_panic()
	};
	/// The length limits that follow from `MAX_BLOCK_LENGTH_BYTES`.
	pub RuntimeBlockLength: BlockLength = BlockLength::builder()
		.max_length(MAX_BLOCK_LENGTH_BYTES)
		.modify_max_length_for_class(DispatchClass::Normal, |max| {
			*max = NORMAL_DISPATCH_RATIO * MAX_BLOCK_LENGTH_BYTES
		})
		.build();
	/// The generic Substrate prefix: every wallet knows it.
	pub const SS58Prefix: u8 = 42;
	/// Fees do not follow demand, so that tests can predict them. `TargetedFeeAdjustment` is the usual rule of a public chain.
	pub FeeMultiplier: Multiplier = Multiplier::one();
}

#[derive_impl(frame_system::config_preludes::SolochainDefaultConfig)]
impl frame_system::Config for Runtime {
	type Block = Block;
	type BlockWeights = RuntimeBlockWeights;
	type BlockLength = RuntimeBlockLength;
	type AccountId = AccountId;
	type Nonce = Nonce;
	type Hash = Hash;
	type BlockHashCount = BlockHashCount;
	type DbWeight = ParityDbWeight;
	type Version = Version;
	type AccountData = pallet_balances::AccountData<Balance>;
	type SystemWeightInfo = frame_system::weights::SubstrateWeight<Runtime>;
	type ExtensionsWeightInfo = frame_system::SubstrateExtensionsWeight<Runtime>;
	type SS58Prefix = SS58Prefix;
	type MaxConsumers = ConstU32<16>;
}

impl pallet_timestamp::Config for Runtime {
	type Moment = u64;
	type OnTimestampSet = Aura;
	type MinimumPeriod = ConstU64<{ SLOT_DURATION_MS / 2 }>;
	type WeightInfo = pallet_timestamp::weights::SubstrateWeight<Runtime>;
}

impl pallet_aura::Config for Runtime {
	type AuthorityId = AuraId;
	type DisabledValidators = ();
	type MaxAuthorities = ConstU32<MAX_AUTHORITIES>;
	type AllowMultipleBlocksPerSlot = ConstBool<false>;
	type SlotDuration = ConstU64<SLOT_DURATION_MS>;
}

impl pallet_grandpa::Config for Runtime {
	type RuntimeEvent = RuntimeEvent;
	type WeightInfo = ();
	type MaxAuthorities = ConstU32<MAX_AUTHORITIES>;
	type MaxNominators = ConstU32<0>;
	type MaxSetIdSessionEntries = ConstU64<0>;
	// The set of validators is fixed at genesis and has no stake to slash, so there is nobody to
	// whom an equivocation could be reported.
	type KeyOwnerProof = sp_core::Void;
	type EquivocationReportSystem = ();
}

impl pallet_balances::Config for Runtime {
	type RuntimeEvent = RuntimeEvent;
	type RuntimeHoldReason = RuntimeHoldReason;
	type RuntimeFreezeReason = RuntimeFreezeReason;
	type WeightInfo = pallet_balances::weights::SubstrateWeight<Runtime>;
	type Balance = Balance;
	type DustRemoval = ();
	type ExistentialDeposit = ConstU128<EXISTENTIAL_DEPOSIT>;
	type AccountStore = System;
	type ReserveIdentifier = [u8; 8];
	type FreezeIdentifier = RuntimeFreezeReason;
	type MaxLocks = ConstU32<50>;
	// Reserves are the older form of holds; no pallet here uses them.
	type MaxReserves = ConstU32<0>;
	type MaxFreezes = VariantCountOf<RuntimeFreezeReason>;
	type DoneSlashHandler = ();
}

impl pallet_transaction_payment::Config for Runtime {
	type RuntimeEvent = RuntimeEvent;
	type OnChargeTransaction = FungibleAdapter<Balances, ()>;
	type WeightToFee = IdentityFee<Balance>;
	type LengthToFee = IdentityFee<Balance>;
	type FeeMultiplierUpdate = ConstFeeMultiplier<FeeMultiplier>;
	type OperationalFeeMultiplier = ConstU8<5>;
	type WeightInfo = pallet_transaction_payment::weights::SubstrateWeight<Runtime>;
}

impl pallet_sudo::Config for Runtime {
	type RuntimeEvent = RuntimeEvent;
	type RuntimeCall = RuntimeCall;
	type WeightInfo = pallet_sudo::weights::SubstrateWeight<Runtime>;
}

/// Deposit per stored byte: a megabyte costs 10 UNIT while it is stored.
const DEPOSIT_PER_BYTE: Balance = MILLI_UNIT / 100;

/// Objects whose roots one block computes at most. The weight of one is about 160 us,
/// most of it for the database: together less than a fifth of the block's second. Calls of the object tree
/// pay for those that they cause, out of the normal part of the block; those of remote subtrees' entries are added to the block's
/// weight. The pallet's integrity test checks that the roots of heads fit beside what transactions may fill.
const MAX_DIRTY_OBJECTS: u32 = 1024;

/// Of these, for heads only: 36 subtrees at the greatest depth commit in every block, whatever users do, and users' calls have the
/// other 768, whatever heads do. Their roots weigh less than a twentieth of the block.
const RESERVED_DIRTY_OBJECTS: u32 = 256;

/// The fee of one head of a subtree is returned in as many blocks, 15 seconds: enough for a subtree that commits steadily, and
/// whoever wants to fill the blocks' room for heads pays for most of it.
const FREE_COMMIT_INTERVAL_BLOCKS: u32 = 5;

/// Most objects of a subtree that comes back to the hub. Twenty times the countries and states of the world; deleting so many
/// again, if it is cancelled, takes idle time of some thousand blocks.
const MAX_STAGED_OBJECTS: u32 = 100_000;

/// Most bytes of such a subtree, fields' overhead included: four times what the names and places of 150,000 cities take.
const MAX_STAGED_BYTES: u64 = 64 * 1024 * 1024;

/// Past roots that the hub remembers: as long as a call may be valid, twice, so that the root that a call saw when it was
/// signed is known as long as a head that holds the call can be judged.
const ROOT_RETENTION_BLOCKS: BlockNumber = 2 * MAX_VALIDITY_BLOCKS;

impl pallet_object_tree::Config for Runtime {
	type WeightInfo = pallet_object_tree::weights::SubstrateWeight<Runtime>;
	type RuntimeHoldReason = RuntimeHoldReason;
	type Currency = Balances;
	type DepositPerObject = ConstU128<{ 400 * DEPOSIT_PER_BYTE }>;
	type DepositPerByte = ConstU128<DEPOSIT_PER_BYTE>;
	type MaxDirtyObjects = ConstU32<MAX_DIRTY_OBJECTS>;
	type ReservedDirtyObjects = ConstU32<RESERVED_DIRTY_OBJECTS>;
	type RootRetention = ConstU32<ROOT_RETENTION_BLOCKS>;
	type MaxRemovals = ConstU32<64>;
	type OnGenesis = SubtreeSecurity;
	type MaxStagedObjects = ConstU32<MAX_STAGED_OBJECTS>;
	type MaxStagedBytes = ConstU64<MAX_STAGED_BYTES>;
}

impl pallet_subtree_security::Config for Runtime {
	type RuntimeHoldReason = RuntimeHoldReason;
	type Currency = Balances;
	type Tree = ObjectTree;
	type Modes = Modes;
	type DepositPerByte = ConstU128<DEPOSIT_PER_BYTE>;
	type FreeCommitIntervalBlocks = ConstU32<FREE_COMMIT_INTERVAL_BLOCKS>;
	type SubmitterId = pallet_subtree_security::crypto::SubmitterId;
	type WeightInfo = pallet_subtree_security::weights::SubstrateWeight<Runtime>;
}
