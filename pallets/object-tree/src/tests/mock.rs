//! A runtime with balances and the object tree.

use crate::{self as pallet_object_tree, Error, GenesisObject};
use dstp_primitives::{
	object::{HeadStatus, ModeId, ObjectFlags, ObjectType, RemoteLocation, Value},
	AccountId, Key, ObjectId, StateRoot,
};
use frame_support::{
	construct_runtime, derive_impl,
	dispatch::{DispatchClass, DispatchResultWithPostInfo},
	parameter_types,
	traits::{fungible::InspectHold, ConstU128, ConstU32, ConstU64, Hooks},
	weights::{constants::WEIGHT_REF_TIME_PER_SECOND, Weight},
};
use sp_core::H256;
use sp_runtime::{
	generic::Digest, traits::IdentityLookup, BuildStorage, DispatchError,
	DispatchErrorWithPostInfo, Perbill,
};

type Block = frame_system::mocking::MockBlock<Test>;

construct_runtime!(
	pub enum Test {
		System: frame_system,
		Balances: pallet_balances,
		ObjectTree: pallet_object_tree,
	}
);

parameter_types! {
	pub Version: sp_version::RuntimeVersion =
		sp_version::RuntimeVersion { system_version: 1, ..Default::default() };
	/// A tenth of the block is free for the roots of heads.
	pub BlockWeights: frame_system::limits::BlockWeights = {
		let block = Weight::from_parts(WEIGHT_REF_TIME_PER_SECOND, u64::MAX);
		frame_system::limits::BlockWeights::builder()
			.for_class(DispatchClass::Normal, |class| {
				class.max_total = Some(Perbill::from_percent(75) * block);
			})
			.for_class(DispatchClass::Operational, |class| {
				class.max_total = Some(block);
				class.reserved = Some(Perbill::from_percent(15) * block);
			})
			.build_or_panic()
	};
	pub static MaxDirtyObjects: u32 = 512;
	pub static ReservedDirtyObjects: u32 = 64;
	/// Whether there are objects that were paid for at other prices.
	pub static OtherPrices: bool = false;
}

#[derive_impl(frame_system::config_preludes::TestDefaultConfig)]
impl frame_system::Config for Test {
	type Block = Block;
	type BlockWeights = BlockWeights;
	type AccountId = AccountId;
	type Lookup = IdentityLookup<AccountId>;
	type AccountData = pallet_balances::AccountData<u128>;
	type Version = Version;
}

#[derive_impl(pallet_balances::config_preludes::TestDefaultConfig)]
impl pallet_balances::Config for Test {
	type Balance = u128;
	type ExistentialDeposit = ConstU128<1>;
	type AccountStore = System;
}

pub const PER_OBJECT: u128 = 1_000;
pub const PER_BYTE: u128 = 3;
pub const RETENTION: u64 = 4;

impl pallet_object_tree::Config for Test {
	type WeightInfo = ();
	type RuntimeHoldReason = RuntimeHoldReason;
	type Currency = Balances;
	type DepositPerObject = ConstU128<PER_OBJECT>;
	type DepositPerByte = ConstU128<PER_BYTE>;
	type MaxDirtyObjects = MaxDirtyObjects;
	type ReservedDirtyObjects = ReservedDirtyObjects;
	type RootRetention = ConstU64<RETENTION>;
	type MaxRemovals = ConstU32<3>;
	type OnGenesis = ();
	type MaxStagedObjects = ConstU32<100>;
	type MaxStagedBytes = ConstU64<10_000_000>;
}

pub const ALICE: AccountId = AccountId::new([1; 32]);
pub const BOB: AccountId = AccountId::new([2; 32]);
/// Has almost nothing.
pub const POOR: AccountId = AccountId::new([3; 32]);
pub const ENDOWMENT: u128 = 1_000_000_000;

#[derive(Default)]
pub struct ExtBuilder {
	objects: Vec<GenesisObject>,
}

impl ExtBuilder {
	pub fn objects(mut self, objects: Vec<GenesisObject>) -> Self {
		self.objects = objects;
		self
	}

	pub fn build(self) -> sp_io::TestExternalities {
		let storage = RuntimeGenesisConfig {
			balances: pallet_balances::GenesisConfig {
				balances: vec![(ALICE, ENDOWMENT), (BOB, ENDOWMENT), (POOR, 10)],
				..Default::default()
			},
			object_tree: pallet_object_tree::GenesisConfig {
				objects: self.objects,
				..Default::default()
			},
			..Default::default()
		};
		storage.build_storage().unwrap().into()
	}

	pub fn build_and_execute(self, test: impl FnOnce()) {
		let mut ext = self.build();
		ext.execute_with(|| {
			ObjectTree::do_try_state().unwrap();
			start_block(1);
		});
		// What genesis wrote is in the database now, as on a chain.
		ext.commit_all().unwrap();
		ext.execute_with(|| {
			test();
			check_state();
			next_block();
			ObjectTree::do_try_state().unwrap();
		});
	}
}

pub fn start_block(number: u64) {
	System::reset_events();
	System::initialize(&number, &H256::repeat_byte(number as u8), &Digest::default());
	ObjectTree::on_initialize(number);
}

/// Checks what holds between any two calls.
fn check_state() {
	ObjectTree::do_try_state().unwrap();
	if !OtherPrices::get() {
		ObjectTree::check_prices().unwrap();
	}
}

/// Closes the block with this weight left for `on_idle`, and starts the next one. Gives the digest of the closed one.
pub fn next_block_with(idle: Weight) -> Digest {
	let number = System::block_number();
	let used = ObjectTree::on_idle(number, idle);
	assert!(used.all_lte(idle), "on_idle uses more than it may");
	ObjectTree::on_finalize(number);
	let digest = System::digest();
	check_state();
	start_block(number + 1);
	digest
}

pub fn next_block() -> Digest {
	next_block_with(Weight::MAX)
}

pub fn key(text: &str) -> Key {
	Key::try_from(text).unwrap()
}

pub fn value(bytes: &[u8]) -> Value {
	Value::try_from(bytes.to_vec()).unwrap()
}

/// The id at the end of a path.
pub fn id(path: &str) -> ObjectId {
	ObjectId::ROOT.descendant(&path.parse().unwrap())
}

/// How deep the object at the end of a path stands: the least depth bound of calls that change it.
pub fn depth(path: &str) -> u32 {
	path.split('/').filter(|key| !key.is_empty()).count() as u32
}

fn split(path: &str) -> (ObjectId, Key) {
	let (parent, last) = path.rsplit_once('/').unwrap();
	(if parent.is_empty() { ObjectId::ROOT } else { id(parent) }, key(last))
}

pub fn signed(who: &AccountId) -> RuntimeOrigin {
	RuntimeOrigin::signed(who.clone())
}

pub fn create_with(who: &AccountId, path: &str, flags: ObjectFlags) -> DispatchResultWithPostInfo {
	let (parent, key) = split(path);
	ObjectTree::create(signed(who), parent, key, ObjectType::Plain, flags, depth(path))
}

pub fn create(who: &AccountId, path: &str) -> DispatchResultWithPostInfo {
	create_with(who, path, ObjectFlags::default())
}

pub fn set(who: &AccountId, path: &str, fields: &[(&str, &[u8])]) -> DispatchResultWithPostInfo {
	let fields: Vec<_> = fields.iter().map(|(name, bytes)| (key(name), value(bytes))).collect();
	ObjectTree::set_fields(signed(who), id(path), fields.try_into().unwrap(), depth(path))
}

pub fn unset(who: &AccountId, path: &str, names: &[&str]) -> DispatchResultWithPostInfo {
	let keys: Vec<_> = names.iter().map(|name| key(name)).collect();
	ObjectTree::remove_fields(signed(who), id(path), keys.try_into().unwrap(), depth(path))
}

pub fn remove(who: &AccountId, path: &str) -> DispatchResultWithPostInfo {
	ObjectTree::remove(signed(who), id(path), depth(path))
}

/// The error of a call without its weight.
pub fn error(result: DispatchResultWithPostInfo) -> Result<(), DispatchError> {
	result.map(drop).map_err(|DispatchErrorWithPostInfo { error, .. }| error)
}

pub fn refused(error: Error<Test>) -> DispatchError {
	error.into()
}

pub fn held(who: &AccountId) -> u128 {
	Balances::balance_on_hold(&crate::HoldReason::Object.into(), who)
}

/// The price of an object with fields of these key and value lengths.
pub fn price(fields: &[(usize, usize)]) -> u128 {
	let bytes: usize = fields.iter().map(|(key, value)| key + value + 64).sum();
	PER_OBJECT + PER_BYTE * bytes as u128
}

pub fn events() -> Vec<crate::Event<Test>> {
	System::read_events_for_pallet()
}

pub fn location(seq: u64) -> RemoteLocation {
	RemoteLocation {
		mode: ModeId::Native(0),
		epoch: 1,
		era: 0,
		seq,
		status: if seq == 0 { HeadStatus::Initial } else { HeadStatus::Final },
	}
}

pub fn root(byte: u8) -> StateRoot {
	StateRoot::repeat_byte(byte)
}
