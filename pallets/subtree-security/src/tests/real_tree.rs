//! This pallet and the object tree in one runtime, as on a hub.

mod fuzz;

use super::{account, evidence, key, params, poa, set};
use crate::{self as pallet_subtree_security, crypto, Error, GenesisSubtree, Subtrees};
use codec::Encode;
use dstp_primitives::{
	head::{Head, HEAD_VERSION},
	mode::{poa::head_payload, Poa, SecurityMode},
	object::HeadStatus,
	AccountId, Key, ObjectFlags, ObjectId, ObjectType, StateRoot,
};
use frame_support::{
	assert_noop, assert_ok, construct_runtime, derive_impl,
	dispatch::DispatchClass,
	parameter_types,
	traits::{fungible::Inspect, ConstU128, ConstU32, ConstU64, Hooks},
	weights::{constants::WEIGHT_REF_TIME_PER_SECOND, Weight},
};
use frame_system::offchain::{
	AppCrypto, CreateSignedTransaction, CreateTransactionBase, SigningTypes,
};
use pallet_object_tree::{GenesisObject, GenesisOwner};
use sp_core::{Bytes, H256};
use sp_runtime::{
	generic::Digest, testing::TestXt, traits::IdentityLookup, BuildStorage, DispatchResult,
	MultiSignature, MultiSigner, Perbill,
};

type Block = frame_system::mocking::MockBlock<Hub>;

construct_runtime!(
	pub enum Hub {
		System: frame_system,
		Balances: pallet_balances,
		SubtreeSecurity: pallet_subtree_security,
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
}

#[derive_impl(frame_system::config_preludes::TestDefaultConfig)]
impl frame_system::Config for Hub {
	type Block = Block;
	type BlockWeights = BlockWeights;
	type AccountId = AccountId;
	type Lookup = IdentityLookup<AccountId>;
	type AccountData = pallet_balances::AccountData<u128>;
	type Version = Version;
}

#[derive_impl(pallet_balances::config_preludes::TestDefaultConfig)]
impl pallet_balances::Config for Hub {
	type Balance = u128;
	type ExistentialDeposit = ConstU128<1>;
	type AccountStore = System;
	type RuntimeHoldReason = RuntimeHoldReason;
}

impl pallet_object_tree::Config for Hub {
	type WeightInfo = ();
	type RuntimeHoldReason = RuntimeHoldReason;
	type Currency = Balances;
	type DepositPerObject = ConstU128<1000>;
	type DepositPerByte = ConstU128<3>;
	type MaxDirtyObjects = ConstU32<512>;
	type ReservedDirtyObjects = ConstU32<64>;
	type RootRetention = ConstU64<4>;
	type MaxRemovals = ConstU32<3>;
	type OnGenesis = SubtreeSecurity;
	type MaxStagedObjects = ConstU32<10_000>;
	type MaxStagedBytes = ConstU64<100_000_000>;
}

impl SigningTypes for Hub {
	type Public = MultiSigner;
	type Signature = MultiSignature;
}

impl<LocalCall> CreateTransactionBase<LocalCall> for Hub
where
	RuntimeCall: From<LocalCall>,
{
	type RuntimeCall = RuntimeCall;
	type Extrinsic = TestXt<RuntimeCall, ()>;
}

impl<LocalCall> CreateSignedTransaction<LocalCall> for Hub
where
	RuntimeCall: From<LocalCall>,
{
	fn create_signed_transaction<C: AppCrypto<MultiSigner, MultiSignature>>(
		call: RuntimeCall,
		_: MultiSigner,
		_: AccountId,
		nonce: u32,
	) -> Option<TestXt<RuntimeCall, ()>> {
		Some(TestXt::new_signed(call, nonce.into(), (), ()))
	}
}

impl pallet_subtree_security::Config for Hub {
	type RuntimeHoldReason = RuntimeHoldReason;
	type Currency = Balances;
	type Tree = ObjectTree;
	type Modes = (Poa,);
	type DepositPerByte = ConstU128<3>;
	type FreeCommitIntervalBlocks = ConstU32<5>;
	type SubmitterId = crypto::SubmitterId;
	#[cfg(feature = "runtime-benchmarks")]
	type BenchmarkHelper = DeepestPlace;
	type WeightInfo = ();
}

/// As in a hub's runtime.
#[cfg(feature = "runtime-benchmarks")]
pub struct DeepestPlace;

#[cfg(feature = "runtime-benchmarks")]
impl crate::BenchmarkHelper for DeepestPlace {
	fn deepest_parent(owner: &AccountId) -> ObjectId {
		pallet_object_tree::benchmarking::deepest_parent::<Hub>(owner)
	}

	fn deepest_object(owner: &AccountId) -> (ObjectId, Key) {
		pallet_object_tree::benchmarking::deepest_object::<Hub>(owner)
	}

	fn stage_root(
		owner: &AccountId,
		parent: ObjectId,
		key: &Key,
		meta: dstp_primitives::Meta,
		complete: bool,
	) {
		pallet_object_tree::benchmarking::stage_root::<Hub>(owner, parent, key, meta, complete);
	}

	fn close_block() {
		pallet_object_tree::benchmarking::close_block::<Hub>();
	}
}

/// Block 1 with a keystore, which benchmarks sign with.
#[cfg(feature = "runtime-benchmarks")]
pub(crate) fn new_benchmark_ext() -> sp_io::TestExternalities {
	let storage = RuntimeGenesisConfig::default().build_storage().unwrap();
	let mut ext: sp_io::TestExternalities = storage.into();
	ext.execute_with(|| start_block(1));
	ext.register_extension(sp_keystore::KeystoreExt::new(
		sp_keystore::testing::MemoryKeystore::new(),
	));
	ext
}

pub(super) const ALICE: AccountId = AccountId::new([0xa1; 32]);
pub(super) const BOB: AccountId = AccountId::new([0xb0; 32]);
pub(super) const ENDOWMENT: u128 = 1_000_000_000;

pub(super) fn start_block(number: u64) {
	System::initialize(&number, &H256::repeat_byte(number as u8), &Digest::default());
	ObjectTree::on_initialize(number);
}

fn check_state() {
	SubtreeSecurity::do_try_state().unwrap();
}

pub(super) fn next_block() {
	let number = System::block_number();
	check_state();
	ObjectTree::on_idle(number, Weight::MAX);
	ObjectTree::on_finalize(number);
	start_block(number + 1);
	check_state();
}

/// `/apps` belongs to Alice, and `/bob` to Bob.
pub(super) fn execute(subtrees: Vec<GenesisSubtree>, test: impl FnOnce()) {
	let object = |path: &str, owner| GenesisObject {
		path: path.into(),
		owner: GenesisOwner::Account(owner),
		..Default::default()
	};
	let storage = RuntimeGenesisConfig {
		balances: pallet_balances::GenesisConfig {
			balances: vec![(ALICE, ENDOWMENT), (BOB, ENDOWMENT)],
			..Default::default()
		},
		subtree_security: crate::GenesisConfig { subtrees, ..Default::default() },
		object_tree: pallet_object_tree::GenesisConfig {
			objects: vec![object("/apps", ALICE), object("/bob", BOB)],
			..Default::default()
		},
		..Default::default()
	};
	let mut ext: sp_io::TestExternalities = storage.build_storage().unwrap().into();
	ext.execute_with(|| start_block(1));
	ext.commit_all().unwrap();
	ext.execute_with(|| {
		test();
		next_block();
	});
}

pub(super) fn apps() -> ObjectId {
	ObjectId::ROOT.child(&key("apps"))
}

pub(super) fn register(who: AccountId, parent: ObjectId, key: Key) -> DispatchResult {
	let (object_type, flags) = (ObjectType::default(), ObjectFlags::default());
	let origin = RuntimeOrigin::signed(who);
	SubtreeSecurity::register(origin, parent, key, poa(), params(0, None), object_type, flags)
}

fn commit(subtree: ObjectId, mark: u8) -> StateRoot {
	assert_ok!(commit_root(subtree, H256([mark; 32])));
	H256([mark; 32])
}

pub(super) fn commit_root(subtree: ObjectId, state_root: StateRoot) -> DispatchResult {
	let last = Subtrees::<Hub>::get(subtree).unwrap().head;
	let head = Head {
		version: HEAD_VERSION,
		genesis: System::block_hash(0),
		subtree,
		epoch: last.epoch,
		era: last.era,
		seq: last.seq + 1,
		prev: last.hash,
		pre_root: last.state_root,
		state_root,
		batch_root: H256([8; 32]),
		batch_len: 1,
		batch_bytes: 1,
		hub_first: last.hub_last,
		hub_last: last.hub_last,
	};
	let signatures = evidence(0, &head_payload(0, &head), &[(0, 0), (1, 1)]);
	SubtreeSecurity::commit_head(RuntimeOrigin::signed(BOB), head, signatures)
		.map(drop)
		.map_err(|refusal| refusal.error)
}

fn global_root() -> StateRoot {
	pallet_object_tree::GlobalRoot::<Hub>::get()
}

#[test]
fn accepted_head_moves_the_global_root() {
	execute(vec![], || {
		assert_ok!(register(ALICE, apps(), key("geo")));
		next_block();
		let registered = global_root();
		let subtree = apps().child(&key("geo"));
		commit(subtree, 7);
		assert_eq!(global_root(), registered, "roots move at the end of the block");
		next_block();
		let committed = global_root();
		assert_ne!(committed, registered);
		commit(subtree, 8);
		commit(subtree, 9);
		next_block();
		assert_ne!(global_root(), committed);
	});
}

#[test]
fn only_the_owner_of_an_object_registers_below_it() {
	execute(vec![], || {
		assert!(register(BOB, apps(), key("geo")).is_err());
		assert!(register(ALICE, ObjectId([1; 32]), key("geo")).is_err());
		assert!(register(BOB, ObjectId::ROOT, key("account")).is_err(), "reserved for the system");
		assert_ok!(register(ALICE, apps(), key("geo")));
		assert!(register(ALICE, apps(), key("geo")).is_err());
		assert_ok!(register(BOB, ObjectId::ROOT, key("geo")));
	});
}

#[test]
fn deposits_return_when_a_closed_subtree_is_removed() {
	execute(vec![], || {
		let before = global_root();
		assert_ok!(register(ALICE, ObjectId::ROOT, key("geo")));
		let subtree = ObjectId::ROOT.child(&key("geo"));
		next_block();
		commit(subtree, 7);
		next_block();
		assert!(Balances::balance(&ALICE) < ENDOWMENT);
		assert_noop!(
			SubtreeSecurity::remove(RuntimeOrigin::signed(ALICE), subtree),
			Error::<Hub>::SubtreeNotClosed
		);
		assert_ok!(SubtreeSecurity::close(RuntimeOrigin::signed(ALICE), subtree));
		next_block();
		let view = SubtreeSecurity::subtree_view(subtree).unwrap();
		assert_eq!((view.status, view.head.state_root), (HeadStatus::Closed, H256([7; 32])));
		assert_ok!(SubtreeSecurity::remove(RuntimeOrigin::signed(ALICE), subtree));
		next_block();
		assert_eq!(Balances::balance(&ALICE), ENDOWMENT);
		assert_ne!(global_root(), before, "the parent counted two operations");
		assert_ok!(register(BOB, ObjectId::ROOT, key("geo")));
		assert_eq!(SubtreeSecurity::subtree_view(subtree).unwrap().head.epoch, 2);
	});
}

#[test]
fn hosted_object_becomes_remote_with_its_root_and_comes_back() {
	execute(vec![], || {
		let hosted = apps();
		let origin = || RuntimeOrigin::signed(ALICE);
		let free = Balances::balance(&ALICE);
		let register_hosted = || {
			let params = params(0, None);
			SubtreeSecurity::register_hosted(origin(), ObjectId::ROOT, key("apps"), poa(), params)
		};
		let before = pallet_object_tree::Objects::<Hub>::get(hosted);
		assert!(before.is_some());
		assert_ok!(register_hosted());
		next_block();
		let root = SubtreeSecurity::subtree_view(hosted).unwrap().head.state_root;
		assert_ok!(SubtreeSecurity::restore(origin(), hosted));
		next_block();
		assert_eq!(Balances::balance(&ALICE), free);
		assert_ok!(register_hosted());
		let view = SubtreeSecurity::subtree_view(hosted).unwrap();
		assert_eq!((view.head.state_root, view.head.epoch), (root, 2));
		commit(hosted, 7);
		next_block();
		assert_noop!(SubtreeSecurity::restore(origin(), hosted), Error::<Hub>::NotRestorable);
	});
}

#[test]
fn register_close_and_remove_do_not_destroy_what_others_hold_below() {
	for way in 0..3 {
		execute(vec![], || {
			let origin = || RuntimeOrigin::signed(ALICE);
			let (hosted, flags) = (apps(), ObjectFlags::hashed_keys());
			assert_ok!(ObjectTree::create(origin(), hosted, key("x"), ObjectType::Plain, flags, 2));
			let below = hosted.child(&key("x"));
			assert_ok!(match way {
				0 => ObjectTree::transfer(origin(), below, BOB, 2),
				1 => ObjectTree::freeze(origin(), below, 2),
				_ => ObjectTree::share(origin(), below, 2),
			});
			next_block();
			let before = ObjectTree::api_object(below);
			let params = params(0, None);
			assert_noop!(
				SubtreeSecurity::register_hosted(
					origin(),
					ObjectId::ROOT,
					key("apps"),
					poa(),
					params
				),
				pallet_object_tree::Error::<Hub>::ForeignBelow
			);
			assert!(SubtreeSecurity::close(origin(), hosted).is_err());
			assert!(SubtreeSecurity::remove(origin(), hosted).is_err());
			next_block();
			assert_eq!(ObjectTree::api_object(below), before);
		});
	}
}

fn genesis(path: &str, owner: AccountId) -> GenesisSubtree {
	let params = Bytes(params(0, None).into_inner());
	GenesisSubtree { path: path.into(), owner, mode: Poa::ID, params }
}

#[test]
fn genesis_subtrees_stand_below_objects_of_genesis() {
	execute(vec![genesis("/apps/geo", ALICE), genesis("/bob/x", BOB)], || {
		let subtree = apps().child(&key("geo"));
		assert!(SubtreeSecurity::subtree_view(subtree).is_some());
		let apps_view = ObjectTree::api_object(apps()).unwrap();
		assert_eq!(apps_view.meta.unwrap().children, 1);
		// Block 0's root covers it.
		let root = pallet_object_tree::PastRoots::<Hub>::get(0);
		assert_eq!(root, Some(ObjectTree::api_object(ObjectId::ROOT).unwrap().state_root));
		commit(subtree, 7);
	});
}

#[test]
#[should_panic(expected = "the genesis subtree /bob/geo was refused")]
fn genesis_subtree_below_the_object_of_another_account_is_refused() {
	execute(vec![genesis("/bob/geo", ALICE)], || ());
}

#[test]
#[should_panic(expected = "the genesis subtree /none/geo was refused")]
fn genesis_subtree_below_nothing_is_refused() {
	execute(vec![genesis("/none/geo", ALICE)], || ());
}

#[test]
fn genesis_subtree_stands_below_the_root() {
	let geo = GenesisSubtree {
		path: "/geo".into(),
		owner: ALICE,
		mode: Poa::ID,
		params: Bytes(params(0, None).into_inner()),
	};
	execute(vec![geo], || {
		let subtree = ObjectId::ROOT.child(&key("geo"));
		let authorities = SubtreeSecurity::poa(subtree).unwrap().1.authorities;
		assert_eq!(authorities, set(&[0, 1, 2], 2));
		assert_eq!(authorities.keys[0].encode(), account(0).encode());
		commit(subtree, 7);
	});
}
