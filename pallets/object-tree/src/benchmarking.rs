//! Benchmarks at the worst case: the deepest object, wide tries around it, the largest batch, and an object that became remote, with
//! which every look-up of an object looks at what stands above it.

use super::*;
use crate::{pallet::Pallet as ObjectTreePallet, storage::Room};
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
		ConstU32, Get, Hooks,
	},
	weights::Weight,
	BoundedVec,
};
use frame_system::{pallet_prelude::BlockNumberFor, Pallet as System, RawOrigin};
use sp_core::storage::TrackedStorageKey;
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
	fields_of(7, from, count, value_bytes)
}

/// Fields whose values are this byte again and again.
fn fields_of(byte: u8, from: u32, count: u32, value_bytes: usize) -> Vec<(Key, Value)> {
	let value = Value::try_from(alloc::vec![byte; value_bytes]).expect("below the limit; qed");
	(from..from + count).map(|number| (long_key(number), value.clone())).collect()
}

fn create<T: Config>(who: &AccountId, parent: ObjectId, key: Key) -> ObjectId {
	let object_type = ObjectType::Named(TypeName::truncate_from(alloc::vec![b't'; 64]));
	let flags = ObjectFlags::hashed_keys();
	ObjectTreePallet::<T>::do_create(
		Some(who.clone()),
		parent,
		key.clone(),
		object_type,
		flags,
		MAX_DEPTH,
	)
	.expect("there is room for a new object; qed");
	parent.child(&key)
}

fn fill<T: Config>(who: &AccountId, object: ObjectId, count: u32) {
	for batch in fields(0, count, SMALL_VALUE_BYTES).chunks(MAX_BATCH_FIELDS as usize) {
		let batch = batch.to_vec().try_into().expect("the chunk is a batch; qed");
		ObjectTreePallet::<T>::do_set_fields(Some(who.clone()), object, batch, MAX_DEPTH)
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
	ObjectTreePallet::<T>::do_share(Some(who.clone()), object, MAX_DEPTH)
		.expect("its keys are hashed; qed");
	close_block::<T>();
	object
}

/// An object of `owner` whose children are the deepest objects, among many others, while every look-up is the dearest. For pallets
/// that change entries of children there.
pub fn deepest_parent<T: Config>(owner: &AccountId) -> ObjectId
where
	T::Currency: Mutate<AccountId>,
{
	detach_one::<T>(owner);
	let parent = wide_path::<T>(owner, MAX_DEPTH - 1);
	whitelist_dirty::<T>(parent);
	parent
}

/// A hosted object of `owner` at the deepest place, below an object with another owner, so that everything above counts what comes and
/// goes: the object above, below which `owner` may register subtrees too, and the key.
pub fn deepest_object<T: Config>(owner: &AccountId) -> (ObjectId, Key)
where
	T::Currency: Mutate<AccountId>,
{
	detach_one::<T>(owner);
	let parent = wide_shared_path::<T>(owner, MAX_DEPTH - 1);
	let key = long_key(1);
	let object = create::<T>(owner, parent, key.clone());
	fill::<T>(owner, object, NEIGHBOURS);
	whitelist_dirty::<T>(object);
	close_block::<T>();
	(parent, key)
}

/// Brings the root object of a subtree, which has nothing but these facts; or, if not `complete`, as much as it may have had.
pub fn stage_root<T: Config>(
	who: &AccountId,
	parent: ObjectId,
	key: &Key,
	meta: Meta,
	complete: bool,
) {
	let entry = ObjectEntry::Field(long_key(1), Value::default());
	let entries = if complete { Vec::new() } else { alloc::vec![entry] };
	let object = StagedObject { parent, key: key.clone(), meta };
	let subtree = parent.child(key);
	ObjectTreePallet::<T>::do_stage(who.clone(), subtree, Some(object), &entries, complete)
		.expect("these are the facts that the subtree was registered with; qed");
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
pub fn close_block<T: Config>() {
	ObjectTreePallet::<T>::commit_roots();
	System::<T>::reset_events();
}

/// Leaves the marks of an object and of what stands above it out of the count: they are gone when the block ends, so the database
/// sees none of them.
fn whitelist_dirty<T: Config>(object: ObjectId) {
	let whitelist = |key: Vec<u8>| frame_benchmarking::benchmarking::add_to_whitelist(key.into());
	let mut next = Some(object);
	while let Some(object) = next {
		whitelist(Dirty::<T>::hashed_key_for(object));
		next = Objects::<T>::get(object).and_then(|info| info.link).map(|link| link.parent);
	}
	whitelist(Dirty::<T>::counter_storage_final_key().to_vec());
	whitelist(DirtyByHeads::<T>::hashed_key().to_vec());
}

/// The deepest object, with `count` fields, and other values for them.
fn object_to_update<T: Config>(
	who: &AccountId,
	count: u32,
	value_bytes: u32,
) -> (ObjectId, BoundedVec<(Key, Value), ConstU32<MAX_BATCH_FIELDS>>) {
	let object = wide_path::<T>(who, MAX_DEPTH);
	let batch = |byte| {
		let batch = fields_of(byte, 2_000_000, count, value_bytes as usize);
		BoundedVec::try_from(batch).expect("the count is that of a batch; qed")
	};
	ObjectTreePallet::<T>::do_set_fields(Some(who.clone()), object, batch(1), MAX_DEPTH)
		.expect("the owner may set fields; qed");
	close_block::<T>();
	whitelist_dirty::<T>(object);
	(object, batch(2))
}

/// A path of `objects` marked objects, and changes of `count` fields of the lowest.
///
/// What is written before the measured block is in the database with its roots. So the marks come first, and the fields in the block.
fn fields_to_commit<T: Config>(
	who: &AccountId,
	objects: u32,
	count: u32,
) -> (HubStorage<T>, ObjectId, Vec<(Vec<u8>, Vec<u8>)>)
where
	T::Currency: Mutate<AccountId>,
{
	let object = wide_path::<T>(who, objects.saturating_sub(1));
	fill::<T>(who, object, MANY_NEIGHBOURS);
	close_block::<T>();
	let mut storage = HubStorage::<T>::with_room(Room::Unlimited);
	storage.mark_dirty(&object).expect("the object exists; qed");
	assert_eq!(Dirty::<T>::count(), objects);
	whitelist_dirty::<T>(object);
	let pairs: Vec<_> = fields(0, count, SMALL_VALUE_BYTES - 1)
		.into_iter()
		.map(|(key, value)| ObjectEntry::Field(key, value).to_pair(KeyLayout::Hashed))
		.collect();
	let trie = storage.child_trie(&object).expect("the object exists; qed").storage_key().to_vec();
	for (key, _) in &pairs {
		// Whoever wrote the field has paid for it.
		let key = TrackedStorageKey::new_child(trie.clone(), key.clone());
		frame_benchmarking::benchmarking::add_to_whitelist(key);
	}
	(storage, object, pairs)
}

fn commit<T: Config>(
	storage: &mut HubStorage<T>,
	object: &ObjectId,
	pairs: Vec<(Vec<u8>, Vec<u8>)>,
) {
	for (key, value) in pairs {
		storage.put(object, &key, value).expect("the object exists; qed");
	}
	ObjectTreePallet::<T>::commit_roots();
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
		whitelist_dirty::<T>(parent);
		let object_type = ObjectType::Named(TypeName::truncate_from(alloc::vec![b't'; 64]));
		#[extrinsic_call]
		_(
			RawOrigin::Signed(who),
			parent,
			key.clone(),
			object_type,
			ObjectFlags::hashed_keys(),
			MAX_DEPTH,
		);
		assert!(Objects::<T>::contains_key(parent.child(&key)));
	}

	/// Replaces one value of `b` bytes by another of the same size, of which the deposit stays as it is. The most common change has a
	/// benchmark of its own, because the line through large batches says little about it.
	#[benchmark]
	fn set_field(b: Linear<1, MAX_VALUE_BYTES>) {
		let who = payer::<T>();
		let (object, batch) = object_to_update::<T>(&who, 1, b);
		#[extrinsic_call]
		set_fields(RawOrigin::Signed(who), object, batch, MAX_DEPTH);
		assert_eq!(Dirty::<T>::count(), MAX_DEPTH + 1);
	}

	/// The same for `n` values with `b` bytes in all of them.
	#[benchmark]
	fn set_fields(n: Linear<1, MAX_BATCH_FIELDS>, b: Linear<0, MAX_VALUE_BYTES>) {
		let who = payer::<T>();
		// Of no byte there are no two values.
		let (object, batch) = object_to_update::<T>(&who, n, (b / n).max(1));
		#[extrinsic_call]
		_(RawOrigin::Signed(who), object, batch, MAX_DEPTH);
		assert_eq!(Dirty::<T>::count(), MAX_DEPTH + 1);
	}

	/// The whole deposit of an object goes from one account to another.
	#[benchmark]
	fn settle() {
		let who = payer::<T>();
		let to: AccountId = account("to", 0, 0);
		T::Currency::set_balance(
			&to,
			<T::Currency as Inspect<AccountId>>::Balance::max_value() / 4u32.into(),
		);
		let object = super::create::<T>(&who, ObjectId::ROOT, long_key(1));
		#[block]
		{
			ObjectTreePallet::<T>::charge(&object, Some(&to), 1, 100)
				.expect("the payer is rich; qed");
		}
		let deposit = Objects::<T>::get(object).and_then(|info| info.deposit);
		assert!(deposit.is_some_and(|deposit| deposit.who == to));
	}

	#[benchmark]
	fn remove_fields(n: Linear<1, MAX_BATCH_FIELDS>) {
		let who = payer::<T>();
		let object = wide_path::<T>(&who, MAX_DEPTH);
		let keys: Vec<_> = (0..n).map(long_key).collect();
		let keys = keys.try_into().expect("n is a batch; qed");
		whitelist_dirty::<T>(object);
		#[extrinsic_call]
		_(RawOrigin::Signed(who), object, keys, MAX_DEPTH);
		assert_eq!(Dirty::<T>::count(), MAX_DEPTH + 1);
	}

	/// Transfer stands for sharing and freezing, which write the same.
	#[benchmark]
	fn change_owner() {
		let who = payer::<T>();
		let object = wide_path::<T>(&who, MAX_DEPTH);
		let to: AccountId = account("to", 0, 0);
		whitelist_dirty::<T>(object);
		#[extrinsic_call]
		transfer(RawOrigin::Signed(who), object, to, MAX_DEPTH);
		assert_eq!(Dirty::<T>::count(), MAX_DEPTH + 1);
	}

	#[benchmark]
	fn remove(n: Linear<0, MAX_BATCH_FIELDS>) {
		let who = payer::<T>();
		let parent = wide_shared_path::<T>(&who, MAX_DEPTH - 1);
		let object = super::create::<T>(&who, parent, long_key(1));
		fill::<T>(&who, object, n);
		close_block::<T>();
		whitelist_dirty::<T>(object);
		#[extrinsic_call]
		_(RawOrigin::Signed(who), object, MAX_DEPTH);
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

	/// What every call does first, and what costs more the deeper its object stands.
	#[benchmark]
	fn look_up(o: Linear<2, { MAX_DEPTH + 1 }>) {
		let who = payer::<T>();
		let object = wide_path::<T>(&who, o.saturating_sub(1));
		whitelist_dirty::<T>(object);
		let mut storage = HubStorage::<T>::with_room(Room::Calls);
		#[block]
		{
			storage.mark_dirty(&object).expect("there is room; qed");
		}
		assert_eq!((Dirty::<T>::count(), storage.look_ups()), (o, o));
	}

	/// The roots of `o` objects on one path; one field of the lowest, a wide one, changed.
	#[benchmark]
	fn compute_roots(o: Linear<2, { MAX_DEPTH + 1 }>) {
		let who = payer::<T>();
		let (mut storage, object, pairs) = fields_to_commit::<T>(&who, o, 1);
		#[block]
		{
			commit::<T>(&mut storage, &object, pairs);
		}
		assert_eq!(Dirty::<T>::count(), 0);
	}

	/// The same with `k` changed fields and one object above. Only the slope is used.
	#[benchmark]
	fn compute_wide_root(k: Linear<1, MAX_BATCH_FIELDS>) {
		let who = payer::<T>();
		let (mut storage, object, pairs) = fields_to_commit::<T>(&who, 2, k);
		#[block]
		{
			commit::<T>(&mut storage, &object, pairs);
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

	/// Each step removes the lowest object of a full path, for which somebody else paid. The roots are charged apart.
	#[benchmark]
	fn deletion_piece() {
		let who = payer::<T>();
		let top = super::create::<T>(&who, ObjectId::ROOT, long_key(0));
		let mut parent = top;
		for level in 2..MAX_DEPTH {
			parent = super::create::<T>(&who, parent, long_key(level));
		}
		for number in 0..2 * removal::STEPS_PER_PIECE {
			let object = super::create::<T>(&who, parent, long_key(100 + number));
			let depositor: AccountId = account("depositor", number, 0);
			T::Currency::set_balance(
				&depositor,
				<T::Currency as Inspect<AccountId>>::Balance::max_value() / 1024u32.into(),
			);
			ObjectTreePallet::<T>::charge(&object, Some(&depositor), 0, 0)
				.expect("the depositor is rich; qed");
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
