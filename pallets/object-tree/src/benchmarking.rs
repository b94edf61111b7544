//! Benchmarks at the worst case: the deepest object, wide tries around it, the largest batch, and an object that became remote, with
//! which every look-up of an object looks at what stands above it.

use super::*;
use crate::pallet::Pallet as ObjectTreePallet;
use alloc::vec::Vec;
use dstp_primitives::{
	hub::{ContentSize, RemoteObjects},
	id::{MAX_DEPTH, MAX_KEY_BYTES},
	object::{
		HeadStatus, KeyLayout, Meta, ModeId, ObjectFlags, ObjectType, Owner, RemoteLocation,
		TypeName, Value, MAX_VALUE_BYTES, META_KEY,
	},
	tree::{ObjectEntry, MAX_BATCH_FIELDS},
	trie::empty_root,
	AccountId, Key, ObjectId, StateRoot, Storage, TrieStorage,
};
use frame_benchmarking::v2::*;
use frame_support::{
	traits::{
		fungible::{Inspect, Mutate},
		Get, Hooks,
	},
	weights::Weight,
};
use frame_system::{pallet_prelude::BlockNumberFor, Pallet as System, RawOrigin};
use sp_runtime::traits::{Bounded, One};

/// Fields beside the measured ones, in every object on the path. Preparing more takes longer than measuring.
const NEIGHBOURS: u32 = MAX_BATCH_FIELDS;

/// Fields in the one object whose root is measured. A trie with a million keys has paths of one or two nodes more.
const MANY_NEIGHBOURS: u32 = 16 * MAX_BATCH_FIELDS;

/// Bytes of values that make the longest inline entry; larger ones stand outside the nodes.
const SMALL_VALUE_BYTES: usize = 30;

/// The caller of the measured call, rich. An object of its own became remote before.
fn payer<T: Config>() -> AccountId
where
	T::Currency: Mutate<AccountId>,
{
	let who: AccountId = whitelisted_caller();
	let half = <T::Currency as Inspect<AccountId>>::Balance::max_value() / 2u32.into();
	T::Currency::set_balance(&who, half);
	detach_one::<T>(&who);
	who
}

/// Makes an object remote and keeps its trie.
fn detach_one<T: Config>(who: &AccountId) {
	let key = long_key(2_999_999);
	create::<T>(who, ObjectId::ROOT, key.clone());
	close_block::<T>();
	let (mode, status) = (ModeId::Native(1), HeadStatus::Initial);
	let location = RemoteLocation { mode, epoch: 0, era: 0, seq: 0, status };
	<ObjectTreePallet<T> as RemoteObjects>::hosted_to_remote(who, &ObjectId::ROOT, &key, location)
		.expect("the owner may move an object that did not change in this block; qed");
	close_block::<T>();
	assert_eq!(Detached::<T>::count(), 1);
}

/// Queues removals of new objects below the root until `free` places are left.
fn fill_queue<T: Config>(who: &AccountId, free: u32) {
	for number in Removals::<T>::count()..T::MaxRemovals::get().saturating_sub(free) {
		let object = create::<T>(who, ObjectId::ROOT, long_key(1_500_000 + number));
		ObjectTreePallet::<T>::do_remove_recursive(Some(who.clone()), object)
			.expect("the queue is not full; qed");
	}
	close_block::<T>();
}

/// The longest key with this number in it, so that keys differ early and late.
fn long_key(number: u32) -> Key {
	let mut bytes = sp_crypto_hashing::blake2_256(&number.to_be_bytes()).to_vec();
	bytes.resize(MAX_KEY_BYTES as usize, b'x');
	Key::new(bytes).expect("64 bytes are a key; qed")
}

fn fields(from: u32, count: u32, value_bytes: usize) -> Vec<(Key, Value)> {
	let value = Value::try_from(alloc::vec![7; value_bytes]).expect("below the limit; qed");
	(from..from + count).map(|number| (long_key(number), value.clone())).collect()
}

fn create<T: Config>(who: &AccountId, parent: ObjectId, key: Key) -> ObjectId {
	let object_type = ObjectType::Named(TypeName::truncate_from(alloc::vec![b't'; 64]));
	let flags = ObjectFlags::hashed_keys();
	ObjectTreePallet::<T>::do_create(Some(who.clone()), parent, key.clone(), object_type, flags)
		.expect("there is room for a new object; qed");
	parent.child(&key)
}

fn fill<T: Config>(who: &AccountId, object: ObjectId, count: u32) {
	for batch in fields(0, count, SMALL_VALUE_BYTES).chunks(MAX_BATCH_FIELDS as usize) {
		let batch = batch.to_vec().try_into().expect("the chunk is a batch; qed");
		ObjectTreePallet::<T>::do_set_fields(Some(who.clone()), object, batch)
			.expect("the owner may set fields; qed");
	}
}

/// Objects down to `depth`, each with many fields beside its child; their roots are computed. Gives the lowest.
fn wide_path<T: Config>(who: &AccountId, depth: u32) -> ObjectId {
	let mut object = ObjectId::ROOT;
	for level in 0..depth {
		object = create::<T>(who, object, long_key(1_000_000 + level));
		fill::<T>(who, object, NEIGHBOURS);
	}
	close_block::<T>();
	object
}

/// [`wide_path`] whose lowest object is shared: what comes or goes below it is counted by everything above.
fn wide_shared_path<T: Config>(who: &AccountId, depth: u32) -> ObjectId {
	let object = wide_path::<T>(who, depth);
	ObjectTreePallet::<T>::do_share(Some(who.clone()), object).expect("its keys are hashed; qed");
	close_block::<T>();
	object
}

fn staged_meta(owner: Owner) -> Meta {
	let object_type = ObjectType::Named(TypeName::truncate_from(alloc::vec![b't'; 64]));
	Meta { children: 1, ..Meta::new(owner, object_type, ObjectFlags::hashed_keys()) }
}

/// Content of a subtree below the root, as deep as it can be, which lacks the lowest object. Gives the subtree and the object above
/// the lowest one.
fn staged_path<T: Config>(who: &AccountId) -> (ObjectId, ObjectId) {
	let (key, meta) = (long_key(0), staged_meta(Owner::Shared));
	// The lowest object's root is never compared.
	let mut root = StateRoot::default();
	let mut entries = Vec::new();
	for _ in 1..MAX_DEPTH {
		let entry = ObjectEntry::Child(key.clone(), root);
		let mut storage = TrieStorage::new(ObjectId::ROOT, empty_root(), ());
		let pairs = [entry.to_pair(KeyLayout::Hashed), (META_KEY.to_vec(), meta.to_value())];
		for (key, value) in pairs {
			storage.put(&ObjectId::ROOT, &key, value).expect("it is in memory; qed");
		}
		root = storage.root(&ObjectId::ROOT).expect("it is in memory; qed");
		entries.push(entry);
	}
	let location = RemoteLocation {
		mode: ModeId::Native(1),
		epoch: 1,
		era: 0,
		seq: 0,
		status: HeadStatus::Initial,
	};
	let top = ObjectId::ROOT;
	let size = ContentSize { objects: MAX_DEPTH, bytes: T::MaxStagedBytes::get() };
	let subtree = ObjectTreePallet::<T>::create_remote(who, &top, &key, root, location)
		.expect("the root is shared; qed");
	ObjectTreePallet::<T>::start_hosting(who, &top, &key, size).expect("it is remote; qed");
	let mut parent = top;
	for entry in entries.into_iter().rev() {
		let object = StagedObject { parent, key: key.clone(), meta: meta.clone() };
		ObjectTreePallet::<T>::do_stage(who.clone(), subtree, Some(object), &[entry], true)
			.expect("the content has the roots that were computed; qed");
		parent = parent.child(&key);
	}
	(subtree, parent)
}

/// Computes the roots of what was prepared, so that the measured call finds nothing marked.
fn close_block<T: Config>() {
	ObjectTreePallet::<T>::commit_roots();
	System::<T>::reset_events();
}

/// Weight for a look at the queue and one piece of deletion.
fn one_piece<T: Config>() -> Weight {
	T::WeightInfo::deletion_check().saturating_add(ObjectTreePallet::<T>::piece_weight())
}

#[benchmarks(where T::Currency: Mutate<AccountId>)]
mod benchmarks {
	use super::*;

	#[benchmark]
	fn create() {
		let who = payer::<T>();
		let parent = wide_shared_path::<T>(&who, MAX_DEPTH - 1);
		let key = long_key(1);
		let object_type = ObjectType::Named(TypeName::truncate_from(alloc::vec![b't'; 64]));
		#[extrinsic_call]
		_(RawOrigin::Signed(who), parent, key.clone(), object_type, ObjectFlags::hashed_keys());
		assert!(Objects::<T>::contains_key(parent.child(&key)));
	}

	/// From 64 fields on, so that every number of bytes fits into every number of fields. Fewer fields follow by the line.
	#[benchmark]
	fn set_fields(
		n: Linear<64, MAX_BATCH_FIELDS>,
		b: Linear<{ MAX_KEY_BYTES * MAX_BATCH_FIELDS }, { 64 * MAX_VALUE_BYTES }>,
	) {
		let who = payer::<T>();
		let object = wide_path::<T>(&who, MAX_DEPTH);
		let value_bytes = (b / n).saturating_sub(MAX_KEY_BYTES);
		let batch = fields(2_000_000, n, value_bytes as usize);
		let batch = batch.try_into().expect("n is a batch; qed");
		#[extrinsic_call]
		_(RawOrigin::Signed(who), object, batch);
		assert_eq!(Dirty::<T>::count(), MAX_DEPTH + 1);
	}

	#[benchmark]
	fn remove_fields(n: Linear<1, MAX_BATCH_FIELDS>) {
		let who = payer::<T>();
		let object = wide_path::<T>(&who, MAX_DEPTH);
		let keys: Vec<_> = (0..n).map(long_key).collect();
		let keys = keys.try_into().expect("n is a batch; qed");
		#[extrinsic_call]
		_(RawOrigin::Signed(who), object, keys);
		assert_eq!(Dirty::<T>::count(), MAX_DEPTH + 1);
	}

	/// Transfer stands for sharing and freezing, which write the same.
	#[benchmark]
	fn change_owner() {
		let who = payer::<T>();
		let object = wide_path::<T>(&who, MAX_DEPTH);
		let to: AccountId = account("to", 0, 0);
		#[extrinsic_call]
		transfer(RawOrigin::Signed(who), object, to);
		assert_eq!(Dirty::<T>::count(), MAX_DEPTH + 1);
	}

	#[benchmark]
	fn remove(n: Linear<0, MAX_BATCH_FIELDS>) {
		let who = payer::<T>();
		let parent = wide_shared_path::<T>(&who, MAX_DEPTH - 1);
		let object = super::create::<T>(&who, parent, long_key(1));
		fill::<T>(&who, object, n);
		close_block::<T>();
		#[extrinsic_call]
		_(RawOrigin::Signed(who), object);
		assert!(!Objects::<T>::contains_key(object));
	}

	#[benchmark]
	fn remove_recursive() {
		let who = payer::<T>();
		let object = wide_path::<T>(&who, MAX_DEPTH);
		fill_queue::<T>(&who, 1);
		#[extrinsic_call]
		_(RawOrigin::Signed(who), object);
		assert_eq!(Removals::<T>::count(), T::MaxRemovals::get());
	}

	/// The first entries of the deepest object; below objects of another owner, so that everything above counts it.
	#[benchmark]
	fn stage(n: Linear<1, MAX_BATCH_FIELDS>, b: Linear<0, { 16 * MAX_VALUE_BYTES }>) {
		let who = payer::<T>();
		let (subtree, parent) = staged_path::<T>(&who);
		let value_bytes = (b / n).saturating_sub(MAX_KEY_BYTES).min(MAX_VALUE_BYTES);
		let mut entries: Vec<_> = fields(0, n, value_bytes as usize)
			.into_iter()
			.map(|(key, value)| ObjectEntry::Field(key, value))
			.collect();
		entries.sort_by_key(|entry| entry.to_pair(KeyLayout::Hashed).0);
		let meta = staged_meta(Owner::Frozen);
		let object = Some(StagedObject { parent, key: long_key(0), meta });
		let entries = entries.try_into().expect("n is a batch; qed");
		#[extrinsic_call]
		_(RawOrigin::Signed(who), subtree, object, entries, false);
		assert!(Stagings::<T>::get(subtree).is_some_and(|staging| staging.current.is_some()));
	}

	/// The root of one object with many entries, of which `k` changed; with the entry above.
	#[benchmark]
	fn compute_root(k: Linear<1, { MAX_BATCH_FIELDS + 1 }>) {
		let who = payer::<T>();
		let object = wide_path::<T>(&who, 1);
		fill::<T>(&who, object, MANY_NEIGHBOURS);
		close_block::<T>();
		// The facts change with the fields, so k is one more than the number of fields.
		let batch = fields(0, k.saturating_sub(1).max(1), SMALL_VALUE_BYTES - 1);
		let batch = batch.try_into().expect("k is a batch; qed");
		ObjectTreePallet::<T>::do_set_fields(Some(who), object, batch)
			.expect("the owner may set fields; qed");
		// That of the root object above it is counted too, which errs on the safe side.
		#[block]
		{
			ObjectTreePallet::<T>::commit_roots();
		}
		assert_eq!(Dirty::<T>::count(), 0);
	}

	#[benchmark]
	fn finalize_block() {
		let number = T::RootRetention::get() + One::one();
		ObjectTreePallet::<T>::remember_root(One::one(), Default::default());
		#[block]
		{
			ObjectTreePallet::<T>::on_finalize(number);
		}
		assert!(!PastRoots::<T>::contains_key(BlockNumberFor::<T>::one()));
	}

	/// Something waits, and there is nothing to do: the object that became remote has no head yet.
	#[benchmark]
	fn deletion_check() {
		payer::<T>();
		let limit = one_piece::<T>();
		#[block]
		{
			ObjectTreePallet::<T>::on_idle(One::one(), limit);
		}
		assert_eq!(Detached::<T>::count(), 1);
	}

	/// Each step removes the lowest object of a full path. The roots are charged apart.
	#[benchmark]
	fn deletion_piece() {
		let who = payer::<T>();
		let top = super::create::<T>(&who, ObjectId::ROOT, long_key(0));
		let mut parent = top;
		for level in 2..MAX_DEPTH {
			parent = super::create::<T>(&who, parent, long_key(level));
		}
		for number in 0..2 * removal::STEPS_PER_PIECE {
			super::create::<T>(&who, parent, long_key(100 + number));
		}
		close_block::<T>();
		ObjectTreePallet::<T>::do_remove_recursive(Some(who.clone()), top)
			.expect("the queue is not full; qed");
		fill_queue::<T>(&who, 0);
		let limit = one_piece::<T>();
		#[block]
		{
			ObjectTreePallet::<T>::run_deletions(limit);
		}
		let removed = System::<T>::events().len() as u32;
		assert!(removed >= removal::STEPS_PER_PIECE);
	}

	impl_benchmark_test_suite!(
		ObjectTreePallet,
		crate::tests::mock::ExtBuilder::default().build(),
		crate::tests::mock::Test
	);
}
