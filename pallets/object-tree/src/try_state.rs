//! What holds between any two calls.

use crate::{
	pallet::{
		ChildOwners, Config, Detached, Dirty, DirtyByHeads, Dropped, GlobalRoot, HoldReason,
		Objects, Pallet, Remotes, Stagings,
	},
	storage::{child_info, child_root, next_key},
	BalanceOf, Deposit, ObjectInfo, Staging,
};
use alloc::{collections::BTreeMap, vec::Vec};
use codec::Encode;
use dstp_primitives::{
	id::MAX_DEPTH,
	object::{
		child_key, raw_key, ChildEntry, Location, Meta, META_KEY, PREFIX_ACCOUNT, PREFIX_CHILD,
		PREFIX_FIELD,
	},
	tree::NONCE_BYTES,
	AccountId, Key, ObjectId, Owner,
};
use frame_support::{
	ensure,
	storage::child,
	traits::{fungible::InspectHold, Get},
};
use sp_core::storage::ChildInfo;
use sp_runtime::{
	traits::{Saturating, Zero},
	TryRuntimeError,
};

type Held<T> = BTreeMap<AccountId, BalanceOf<T>>;

/// What an object's entries say of the objects below it.
#[derive(Default)]
struct Below {
	remotes: u32,
	foreign: u32,
	/// Children that are not there.
	missing: u64,
	/// Children by encoded owner.
	owners: BTreeMap<Vec<u8>, u32>,
}

impl<T: Config> Pallet<T> {
	/// Checks the invariants of this pallet's state.
	///
	/// - Every object stands where its link says, and its parent's entry agrees with it.
	/// - The counts of fields, bytes, children, remote subtrees and changes of owner are those of the tries.
	/// - The root that a parent knows is the real one, unless the object is dirty.
	/// - Content that is being taken back has the roots that the objects above name, as far as it is complete.
	/// - Every account has on hold what it paid in total, no more. What it paid for an object was its price then, not always today's.
	/// - Sets with limits are within them.
	pub fn do_try_state() -> Result<(), TryRuntimeError> {
		ensure!(Dirty::<T>::count() <= T::MaxDirtyObjects::get(), "too many dirty objects");
		ensure!(
			DirtyByHeads::<T>::get() <= T::ReservedDirtyObjects::get(),
			"heads made too many objects dirty"
		);
		ensure!(
			Dropped::<T>::iter_keys().all(Detached::<T>::contains_key),
			"an object is dropped that is not detached"
		);
		ensure!(
			ChildOwners::<T>::iter_keys().all(|(parent, _)| Self::kept(&parent).is_some()),
			"children of an unknown object are counted"
		);
		let mut held = Held::<T>::new();
		for (object, info) in Objects::<T>::iter() {
			ensure!(info.link.is_some() || object == ObjectId::ROOT, "an object has no link");
			Self::check_object(&object, &info, &mut held)?;
			Self::check_place(&object, &info)?;
		}
		for (object, info) in Detached::<T>::iter() {
			ensure!(!Objects::<T>::contains_key(object), "a detached object is hosted too");
			if !Dropped::<T>::contains_key(object) {
				Self::check_object(&object, &info, &mut held)?;
			} else {
				add::<T>(&mut held, &info.deposit);
			}
		}
		for (object, staging) in Stagings::<T>::iter() {
			Self::check_staging(&object, &staging)?;
			add::<T>(&mut held, &Some(staging.prepaid));
		}
		for (object, info) in Remotes::<T>::iter() {
			ensure!(info.parent.child(&info.key) == object, "a remote subtree has a wrong key");
			let entry = Self::entry_of(&info.parent, &info.key)?;
			ensure!(entry.location != Location::WithParent, "a remote subtree is hosted");
			add::<T>(&mut held, &info.deposit);
		}
		Self::check_holds(&held)
	}

	/// Checks that what is missing in the content of a subtree is what its complete objects name and what is not complete.
	fn check_staging(
		top: &ObjectId,
		staging: &Staging<BalanceOf<T>>,
	) -> Result<(), TryRuntimeError> {
		ensure!(Remotes::<T>::contains_key(top), "the content of an unknown subtree is staged");
		ensure!(!Dropped::<T>::contains_key(top), "content is staged and deleted at once");
		let mut named = 1;
		let mut complete = 0;
		let staged = Objects::<T>::iter().filter(|(id, _)| Self::top_of(id).ok() == Some(*top));
		let top_info = Detached::<T>::get(top).map(|info| (*top, info));
		for (object, info) in staged.chain(top_info) {
			if let Some(current) = staging.current.as_ref().filter(|it| it.object == object) {
				named += current.children;
				continue;
			}
			named += meta_in(&child_info(&object, info.counter))?.children;
			complete += 1;
			let root = child_root(&child_info(&object, info.counter)).map_err(|_| "no root")?;
			let expected = Self::expected_root(top, &object).map_err(|_| "no entry")?;
			ensure!(Some(root) == expected, "a complete object has another root than expected");
		}
		ensure!(staging.missing == named - complete, "the count of missing objects is wrong");
		Ok(())
	}

	/// Checks that every object was paid for at its price, as it is where prices never change.
	#[cfg(test)]
	pub(crate) fn check_prices() -> Result<(), TryRuntimeError> {
		for (object, info) in Objects::<T>::iter().chain(Detached::<T>::iter()) {
			let top = Self::top_of(&object)?;
			let partial = Dropped::<T>::contains_key(top) || Self::is_incomplete(&top, &object);
			let Some(deposit) = info.deposit.filter(|_| !partial) else { continue };
			let fields = meta_in(&child_info(&object, info.counter))?.fields;
			let price = Self::deposit_for(fields, info.bytes);
			ensure!(deposit.amount == price, "a deposit is not the price of its object");
		}
		Ok(())
	}

	/// Whether content of `object`, below `top`, is still being brought.
	fn is_incomplete(top: &ObjectId, object: &ObjectId) -> bool {
		let current = Stagings::<T>::get(top).and_then(|staging| staging.current);
		current.is_some_and(|current| current.object == *object)
	}

	fn check_holds(held: &Held<T>) -> Result<(), TryRuntimeError> {
		let on_hold =
			|who: &AccountId| T::Currency::balance_on_hold(&HoldReason::Object.into(), who);
		for (who, amount) in held {
			ensure!(*amount == on_hold(who), "an account's deposits are not what is on hold");
		}
		// Whoever paid for nothing has nothing on hold.
		for who in frame_system::Account::<T>::iter_keys() {
			ensure!(
				held.contains_key(&who) || on_hold(&who).is_zero(),
				"an account without objects has a deposit on hold"
			);
		}
		Ok(())
	}

	fn check_object(
		object: &ObjectId,
		info: &ObjectInfo<BalanceOf<T>>,
		held: &mut Held<T>,
	) -> Result<(), TryRuntimeError> {
		add::<T>(held, &info.deposit);
		let top = Self::top_of(object)?;
		if Dropped::<T>::contains_key(top) || Self::is_incomplete(&top, object) {
			return Ok(());
		}
		let trie = child_info(object, info.counter);
		let meta = meta_in(&trie)?;
		let layout = meta.flags.key_layout();
		let (mut fields, mut bytes, mut children) = (0u64, 0u64, 0u64);
		let mut below = Below::default();
		let mut at = Vec::new();
		while let Some(key) = next_key(&trie, &at) {
			let value = child::get_raw(&trie, &key).ok_or("a key has no value")?;
			if let Some(field) = raw_key(layout, PREFIX_FIELD, &key) {
				fields += 1;
				bytes += (field.len() + value.len()) as u64 - 1;
			} else if let Some(child) = raw_key(layout, PREFIX_CHILD, &key) {
				children += 1;
				let entry = ChildEntry::from_value(&value).map_err(|_| "an entry is corrupt")?;
				Self::check_child(object.child(&child), &entry, &meta.owner, &mut below)?;
			} else if raw_key(layout, PREFIX_ACCOUNT, &key).is_some_and(|key| key.len() == 32) {
				bytes += NONCE_BYTES;
			} else {
				ensure!(key == META_KEY, "a trie has a key of no kind");
			}
			at = key;
		}
		ensure!(
			meta.fields == fields && meta.children == children,
			"counts in the facts are wrong"
		);
		ensure!(
			below.missing == 0 || Stagings::<T>::contains_key(top),
			"an entry names an unknown object"
		);
		ensure!(info.bytes == bytes, "the count of bytes is wrong");
		ensure!(info.remotes == below.remotes, "the count of remote subtrees is wrong");
		ensure!(info.foreign == below.foreign, "the count of changes of owner is wrong");
		let counted = ChildOwners::<T>::iter_prefix(object).map(|(owner, n)| (owner.encode(), n));
		ensure!(
			counted.collect::<BTreeMap<_, _>>() == below.owners,
			"the count of children by owner is wrong"
		);
		Ok(())
	}

	/// Checks that a child is where its entry says, and adds what it brings to `below`.
	fn check_child(
		child: ObjectId,
		entry: &ChildEntry,
		owner_above: &Owner,
		below: &mut Below,
	) -> Result<(), TryRuntimeError> {
		if entry.location != Location::WithParent {
			ensure!(Remotes::<T>::contains_key(child), "an entry names an unknown subtree");
			below.remotes += 1;
			return Ok(());
		}
		let Some(info) = Objects::<T>::get(child) else {
			below.missing += 1;
			return Ok(());
		};
		let owner = Self::owner_of(&child).map_err(|_| "an object has no facts")?;
		below.remotes += info.remotes;
		below.foreign += info.foreign + u32::from(owner != *owner_above);
		*below.owners.entry(owner.encode()).or_default() += 1;
		Ok(())
	}

	fn check_place(
		object: &ObjectId,
		info: &ObjectInfo<BalanceOf<T>>,
	) -> Result<(), TryRuntimeError> {
		let root = child_root(&child_info(object, info.counter)).map_err(|_| "no root")?;
		let dirty = Dirty::<T>::contains_key(object);
		let Some(link) = &info.link else {
			ensure!(dirty || root == GlobalRoot::<T>::get(), "the global root is wrong");
			return Ok(());
		};
		ensure!(link.parent.child(&link.key) == *object, "a link has a wrong key");
		let above = Self::kept(&link.parent).ok_or("a link leads nowhere")?;
		let depth = above.link.map_or(0, |link| link.depth) + 1;
		ensure!(link.depth == depth && u32::from(depth) <= MAX_DEPTH, "a depth is wrong");
		ensure!(
			!dirty || Dirty::<T>::contains_key(link.parent),
			"a clean object is above a dirty one"
		);
		let top = Self::top_of(object)?;
		if Dropped::<T>::contains_key(top) || Self::is_incomplete(&top, object) {
			return Ok(());
		}
		let entry = Self::entry_of(&link.parent, &link.key)?;
		ensure!(entry.location == Location::WithParent, "a hosted object is remote in its entry");
		ensure!(dirty || entry.state_root == root, "the root in an entry is wrong");
		Ok(())
	}

	/// The object that everything above leads to: the root, or one that is detached.
	fn top_of(object: &ObjectId) -> Result<ObjectId, TryRuntimeError> {
		let mut at = *object;
		for _ in 0..=MAX_DEPTH {
			match Objects::<T>::get(at).and_then(|info| info.link) {
				Some(link) => at = link.parent,
				None => return Ok(at),
			}
		}
		Err("links go in a circle".into())
	}

	fn entry_of(parent: &ObjectId, key: &Key) -> Result<ChildEntry, TryRuntimeError> {
		let info = Self::kept(parent).ok_or("an object stands below an unknown one")?;
		let trie = child_info(parent, info.counter);
		let layout = meta_in(&trie)?.flags.key_layout();
		let bytes = child::get_raw(&trie, &child_key(layout, key)).ok_or("an entry is missing")?;
		ChildEntry::from_value(&bytes).map_err(|_| "an entry is corrupt".into())
	}
}

fn meta_in(trie: &ChildInfo) -> Result<Meta, TryRuntimeError> {
	let bytes = child::get_raw(trie, &META_KEY).ok_or("an object has no facts")?;
	Meta::from_value(&bytes).map_err(|_| "an object's facts are corrupt".into())
}

fn add<T: Config>(held: &mut Held<T>, deposit: &Option<Deposit<BalanceOf<T>>>) {
	if let Some(deposit) = deposit {
		let sum = held.entry(deposit.who.clone()).or_insert_with(Zero::zero);
		*sum = sum.saturating_add(deposit.amount);
	}
}
