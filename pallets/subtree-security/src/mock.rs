//! A runtime with this pallet over a tree of the simplest kind.

use crate::{self as pallet_subtree_security, crypto, GenesisSubtree};
use codec::{Decode, Encode};
use dstp_primitives::{
	head::Head,
	hub::{ContentSize, RemoteObjects},
	mode::{
		ChangeBy, HeadRefusal, ModeContext, ModeError, ModeInfo, Modes, Poa, StoredMode, Updated,
		Verified,
	},
	object::{HeadStatus, ModeId, RemoteLocation},
	AccountId, Key, ObjectId, StateRoot,
};
use frame_support::{derive_impl, parameter_types, storage::unhashed};
use frame_system::offchain::{
	AppCrypto, CreateSignedTransaction, CreateTransactionBase, SigningTypes,
};
use sp_runtime::{
	traits::IdentityLookup, BuildStorage, DispatchError, MultiSignature, MultiSigner,
};

type Block = frame_system::mocking::MockBlock<Test>;

#[frame_support::runtime]
mod runtime {
	#[runtime::runtime]
	#[runtime::derive(
		RuntimeCall,
		RuntimeEvent,
		RuntimeError,
		RuntimeOrigin,
		RuntimeFreezeReason,
		RuntimeHoldReason,
		RuntimeTask
	)]
	pub struct Test;

	#[runtime::pallet_index(0)]
	pub type System = frame_system;

	#[runtime::pallet_index(1)]
	pub type Balances = pallet_balances;

	#[runtime::pallet_index(2)]
	pub type SubtreeSecurity = pallet_subtree_security;
}

#[derive_impl(frame_system::config_preludes::TestDefaultConfig)]
impl frame_system::Config for Test {
	type Block = Block;
	type AccountId = AccountId;
	type Lookup = IdentityLookup<AccountId>;
	type AccountData = pallet_balances::AccountData<u64>;
}

#[derive_impl(pallet_balances::config_preludes::TestDefaultConfig)]
impl pallet_balances::Config for Test {
	type AccountStore = System;
	type RuntimeHoldReason = RuntimeHoldReason;
}

/// What every account has.
pub const ENDOWMENT: u64 = 1_000_000;

parameter_types! {
	pub const DepositPerByte: u64 = 3;
	pub const FreeCommitIntervalBlocks: u32 = 5;
	/// Whether the tree has no room for heads in this block.
	pub static Full: bool = false;
	/// Whether two modes have the same id.
	pub static Twice: bool = false;
	/// Accounts of whose transactions the pool takes none.
	pub static Refused: Vec<AccountId> = vec![];
	/// Who signed the transactions that the pool took, in order.
	pub static Signers: Vec<AccountId> = vec![];
}

impl pallet_subtree_security::Config for Test {
	type RuntimeHoldReason = RuntimeHoldReason;
	type Currency = Balances;
	type Tree = FlatTree;
	type Modes = TestModes;
	type DepositPerByte = DepositPerByte;
	type FreeCommitIntervalBlocks = FreeCommitIntervalBlocks;
	type SubmitterId = crypto::SubmitterId;
	#[cfg(feature = "runtime-benchmarks")]
	type BenchmarkHelper = crate::tests::real_tree::DeepestPlace;
	type WeightInfo = ();
}

/// PoA, and again PoA if [`Twice`] says so.
pub struct TestModes;

impl Modes for TestModes {
	fn infos() -> Vec<ModeInfo> {
		vec![ModeInfo::of::<Poa>(); 1 + usize::from(Twice::get())]
	}

	fn start(mode: &ModeId, params: &[u8], context: &ModeContext) -> Result<Vec<u8>, ModeError> {
		<(Poa,)>::start(mode, params, context)
	}

	fn verify(
		mode: &ModeId,
		head: Head,
		context: &ModeContext,
		stored: StoredMode<'_>,
		evidence: &[u8],
	) -> Result<Verified, HeadRefusal> {
		<(Poa,)>::verify(mode, head, context, stored, evidence)
	}

	fn change(
		mode: &ModeId,
		update: &[u8],
		context: &ModeContext,
		stored: StoredMode<'_>,
		by: ChangeBy<'_>,
	) -> Result<Updated, ModeError> {
		<(Poa,)>::change(mode, update, context, stored, by)
	}

	fn resume(
		mode: &ModeId,
		context: &ModeContext,
		stored: StoredMode<'_>,
	) -> Result<Vec<u8>, ModeError> {
		<(Poa,)>::resume(mode, context, stored)
	}

	fn check_stored(mode: &ModeId, stored: StoredMode<'_>) -> Result<(), ModeError> {
		<(Poa,)>::check_stored(mode, stored)
	}
}

/// What the worker submits; its signer's place holds the nonce.
pub type Extrinsic = sp_runtime::testing::TestXt<RuntimeCall, ()>;

impl SigningTypes for Test {
	type Public = MultiSigner;
	type Signature = MultiSignature;
}

impl<LocalCall> CreateTransactionBase<LocalCall> for Test
where
	RuntimeCall: From<LocalCall>,
{
	type RuntimeCall = RuntimeCall;
	type Extrinsic = Extrinsic;
}

impl<LocalCall> CreateSignedTransaction<LocalCall> for Test
where
	RuntimeCall: From<LocalCall>,
{
	fn create_signed_transaction<C: AppCrypto<MultiSigner, MultiSignature>>(
		call: RuntimeCall,
		_: MultiSigner,
		who: AccountId,
		nonce: u32,
	) -> Option<Extrinsic> {
		Signers::mutate(|signers| signers.push(who));
		Some(Extrinsic::new_signed(call, nonce.into(), (), ()))
	}
}

/// Entries of remote children in storage. Everybody may create children of the root; every other parent belongs to [`alice`].
pub struct FlatTree;

const ENTRY: &[u8] = b"mock/entry";
const HOSTED: &[u8] = b"mock/hosted";
const STAGED: &[u8] = b"mock/staged";

type Entry = (StateRoot, RemoteLocation, AccountId);

fn at(prefix: &[u8], parent: &ObjectId, key: &Key) -> Vec<u8> {
	(prefix, parent, key).encode()
}

fn read<T: Decode>(prefix: &[u8], parent: &ObjectId, key: &Key) -> Option<T> {
	unhashed::get(&at(prefix, parent, key))
}

impl FlatTree {
	/// Whether the nodes of a hosted object are still there.
	pub fn keeps(key: &Key) -> bool {
		unhashed::exists(&at(HOSTED, &ObjectId::ROOT, key))
	}

	/// Puts a hosted object of `owner` below the root.
	pub fn host(owner: &AccountId, key: &Key, root: StateRoot) {
		unhashed::put(&at(HOSTED, &ObjectId::ROOT, key), &(owner, root));
	}
}

impl RemoteObjects for FlatTree {
	type Error = DispatchError;

	fn is_built() -> bool {
		true
	}

	fn create_remote(
		who: &AccountId,
		parent: &ObjectId,
		key: &Key,
		root: StateRoot,
		location: RemoteLocation,
	) -> Result<ObjectId, DispatchError> {
		if *parent != ObjectId::ROOT && *who != alice() {
			return Err(DispatchError::BadOrigin);
		}
		if read::<Entry>(ENTRY, parent, key).is_some() {
			return Err(DispatchError::Other("exists"));
		}
		unhashed::put(&at(ENTRY, parent, key), &(root, location, who));
		Ok(parent.child(key))
	}

	fn set_remote(
		parent: &ObjectId,
		key: &Key,
		root: StateRoot,
		location: RemoteLocation,
	) -> Result<(), DispatchError> {
		if Full::get() {
			return Err(DispatchError::Exhausted);
		}
		let (_, _, who) = read::<Entry>(ENTRY, parent, key).ok_or(DispatchError::CannotLookup)?;
		unhashed::put(&at(ENTRY, parent, key), &(root, location, who));
		Ok(())
	}

	fn is_block_full(error: &DispatchError) -> bool {
		*error == DispatchError::Exhausted
	}

	fn close_remote(parent: &ObjectId, key: &Key) -> Result<(), DispatchError> {
		let (root, mut location, who) =
			read::<Entry>(ENTRY, parent, key).ok_or(DispatchError::CannotLookup)?;
		location.status = HeadStatus::Closed;
		unhashed::put(&at(ENTRY, parent, key), &(root, location, who));
		Ok(())
	}

	fn remote(parent: &ObjectId, key: &Key) -> Option<(StateRoot, RemoteLocation)> {
		read::<Entry>(ENTRY, parent, key).map(|(root, location, _)| (root, location))
	}

	fn remove_remote(who: &AccountId, parent: &ObjectId, key: &Key) -> Result<(), DispatchError> {
		let (_, location, payer) =
			read::<Entry>(ENTRY, parent, key).ok_or(DispatchError::CannotLookup)?;
		if location.status != HeadStatus::Closed || payer != *who {
			return Err(DispatchError::BadOrigin);
		}
		unhashed::kill(&at(ENTRY, parent, key));
		Ok(())
	}

	fn hosted_to_remote(
		who: &AccountId,
		parent: &ObjectId,
		key: &Key,
		location: RemoteLocation,
	) -> Result<StateRoot, DispatchError> {
		let (owner, root) = read::<(AccountId, StateRoot)>(HOSTED, parent, key)
			.ok_or(DispatchError::CannotLookup)?;
		if owner != *who {
			return Err(DispatchError::BadOrigin);
		}
		unhashed::put(&at(ENTRY, parent, key), &(root, location, who));
		Ok(root)
	}

	fn drop_hosted(parent: &ObjectId, key: &Key) -> Result<(), DispatchError> {
		unhashed::kill(&at(HOSTED, parent, key));
		Ok(())
	}

	fn restore_hosted(parent: &ObjectId, key: &Key) -> Result<StateRoot, DispatchError> {
		let (_, root) = read::<(AccountId, StateRoot)>(HOSTED, parent, key)
			.ok_or(DispatchError::CannotLookup)?;
		unhashed::kill(&at(ENTRY, parent, key));
		Ok(root)
	}

	fn start_hosting(
		_: &AccountId,
		parent: &ObjectId,
		key: &Key,
		size: ContentSize,
	) -> Result<(), DispatchError> {
		if Self::is_being_hosted(parent, key) {
			return Err(DispatchError::Other("begun"));
		}
		unhashed::put(&at(STAGED, parent, key), &size);
		Ok(())
	}

	fn is_being_hosted(parent: &ObjectId, key: &Key) -> bool {
		unhashed::exists(&at(STAGED, parent, key))
	}

	/// The content is complete at once.
	fn finish_hosting(parent: &ObjectId, key: &Key) -> Result<StateRoot, DispatchError> {
		Self::cancel_hosting(parent, key)?;
		let (root, _, _) = read::<Entry>(ENTRY, parent, key).ok_or(DispatchError::CannotLookup)?;
		unhashed::kill(&at(ENTRY, parent, key));
		Ok(root)
	}

	fn cancel_hosting(parent: &ObjectId, key: &Key) -> Result<(), DispatchError> {
		read::<ContentSize>(STAGED, parent, key).ok_or(DispatchError::CannotLookup)?;
		unhashed::kill(&at(STAGED, parent, key));
		Ok(())
	}
}

pub fn alice() -> AccountId {
	AccountId::new([0xa1; 32])
}

pub fn bob() -> AccountId {
	AccountId::new([0xb0; 32])
}

/// Block 1 of a chain with these subtrees.
pub fn new_test_ext(subtrees: Vec<GenesisSubtree>) -> sp_io::TestExternalities {
	let balances = vec![(alice(), ENDOWMENT), (bob(), ENDOWMENT)];
	let genesis = RuntimeGenesisConfig {
		system: Default::default(),
		balances: pallet_balances::GenesisConfig { balances, ..Default::default() },
		subtree_security: crate::GenesisConfig { subtrees, ..Default::default() },
	};
	let mut ext: sp_io::TestExternalities =
		genesis.build_storage().expect("the genesis is valid").into();
	ext.execute_with(|| System::set_block_number(1));
	ext
}

/// Runs `test` at block 1 and checks afterwards what always holds.
pub fn execute(test: impl FnOnce()) {
	new_test_ext(vec![]).execute_with(|| {
		test();
		SubtreeSecurity::do_try_state().expect("what always holds holds");
	});
}
