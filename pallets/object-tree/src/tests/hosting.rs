//! The way of a remote subtree back to the hub.

use super::mock::*;
use crate::{Detached, Dropped, Error, Event, Objects, StagedObject, Stagings};
use dstp_primitives::{
	api::StagingView,
	hub::{ContentSize, RemoteObjects, FIELD_OVERHEAD_BYTES},
	object::{
		account_key, encode_value, tag, KeyLayout, Location, Meta, ObjectFlags, ObjectType, Owner,
		META_KEY,
	},
	tree::{Actor, NewObject, ObjectEntry, PageRequest, MAX_BATCH_FIELDS, NONCE_BYTES},
	trie::empty_root,
	AccountId, ObjectId, ObjectTree as Tree, StateRoot, Storage, TrieStorage,
};
use frame_support::{assert_noop, assert_ok, weights::Weight};
use sp_runtime::{DispatchError, DispatchResult};

type Remotes = ObjectTree;
type OffChain = Tree<TrieStorage<()>>;

/// A whole object as it is brought.
#[derive(Clone, Debug)]
struct Part {
	object: StagedObject,
	entries: Vec<ObjectEntry>,
}

fn alice() -> Actor {
	Actor::Account(ALICE)
}

fn fresh() -> OffChain {
	fresh_as(NewObject::default())
}

fn fresh_as(new: NewObject) -> OffChain {
	let mut tree = Tree::new(TrieStorage::new(id("/r"), empty_root(), ()));
	tree.init_namespace(Owner::Account(ALICE), new).unwrap();
	tree
}

fn keep(tree: &mut OffChain) -> StateRoot {
	tree.commit_roots().unwrap();
	tree.storage_mut().accept();
	tree.storage().namespace_root()
}

/// Fields and a nonce in `/r`, `/r/a` with two children of which one is Bob's and frozen later, and `/r/b`, shared.
fn sample() -> OffChain {
	let mut tree = fresh();
	let top = id("/r");
	let hashed = NewObject { flags: ObjectFlags::hashed_keys(), ..Default::default() };
	let a = tree.create(&alice(), &top, &key("a"), NewObject::default()).unwrap();
	let b = tree.create(&alice(), &top, &key("b"), hashed).unwrap();
	let c = tree.create(&alice(), &a, &key("c"), NewObject::default()).unwrap();
	let d = tree.create(&alice(), &a, &key("d"), NewObject::default()).unwrap();
	for object in [top, a, b, c, d] {
		let fields: Vec<_> = (0..5u8).map(|n| (key(&format!("{n}")), value(&[n; 9]))).collect();
		tree.set_fields(&alice(), &object, &fields).unwrap();
	}
	tree.set_fields(&alice(), &c, &[(key("long"), value(&[7; 3000]))]).unwrap();
	tree.transfer(&alice(), &c, &BOB).unwrap();
	tree.freeze(&alice(), &d).unwrap();
	tree.share(&alice(), &b).unwrap();
	add_nonce(&mut tree, ALICE, 9);
	keep(&mut tree);
	tree
}

/// As the engine does when it executes a call.
fn add_nonce(tree: &mut OffChain, who: AccountId, nonce: u64) {
	let trie_key = account_key(KeyLayout::Raw, &who);
	tree.storage_mut().mark_dirty(&id("/r")).unwrap();
	tree.storage_mut().put(&id("/r"), &trie_key, encode_value(tag::NONCE, &nonce)).unwrap();
}

/// The content, each object after the one above it, and how much it is.
fn content(tree: &mut OffChain) -> (Vec<Part>, ContentSize) {
	let (mut parts, mut size) = (vec![], ContentSize::default());
	let mut waiting = vec![("/r".to_string(), ObjectId::ROOT, key("r"))];
	while let Some((path, parent, name)) = waiting.pop() {
		let below = path.strip_prefix("/r").unwrap();
		let below = if below.is_empty() { "/" } else { below };
		let object = tree.resolve(&below.parse().unwrap()).unwrap();
		let meta = tree.meta(&object).unwrap().unwrap();
		let (mut entries, mut after) = (vec![], vec![]);
		while let Some((trie_key, entry)) = tree.next_entry(&object, &after).unwrap() {
			size.add(&entry);
			if let ObjectEntry::Child(name, _) = &entry {
				waiting.push((format!("{path}/{name}"), object, name.clone()));
			}
			entries.push(entry);
			after = trie_key;
		}
		size.objects += 1;
		parts.push(Part { object: StagedObject { parent, key: name, meta }, entries });
	}
	(parts, size)
}

fn register(root: StateRoot) {
	assert_ok!(Remotes::create_remote(&ALICE, &ObjectId::ROOT, &key("r"), root, location(0)));
	next_block();
}

fn start_by(who: &AccountId, size: ContentSize) -> DispatchResult {
	Remotes::start_hosting(who, &ObjectId::ROOT, &key("r"), size)
}

fn start(size: ContentSize) -> DispatchResult {
	start_by(&ALICE, size)
}

fn finish() -> Result<StateRoot, DispatchError> {
	Remotes::finish_hosting(&ObjectId::ROOT, &key("r"))
}

fn cancel() -> DispatchResult {
	Remotes::cancel_hosting(&ObjectId::ROOT, &key("r"))
}

fn stage(object: Option<StagedObject>, entries: &[ObjectEntry], complete: bool) -> DispatchResult {
	let entries = entries.to_vec().try_into().unwrap();
	frame_support::storage::with_storage_layer(|| {
		ObjectTree::stage(signed(&ALICE), id("/r"), object, entries, complete)
	})
}

/// Brings a whole object, two entries in a call.
fn stage_part(part: &Part) -> DispatchResult {
	let mut object = Some(part.object.clone());
	let chunks: Vec<_> = part.entries.chunks(2).collect();
	for chunk in &chunks[..chunks.len().saturating_sub(1)] {
		stage(object.take(), chunk, false)?;
	}
	if part.entries.len() > MAX_BATCH_FIELDS as usize {
		next_block();
	}
	stage(object, chunks.last().unwrap_or(&&[][..]), true)
}

#[track_caller]
fn stage_all(parts: &[Part]) {
	for part in parts {
		assert_ok!(stage_part(part));
	}
}

/// The root of a trie with these pairs, whatever they are.
fn root_of(pairs: impl IntoIterator<Item = (Vec<u8>, Vec<u8>)>) -> StateRoot {
	let mut storage = TrieStorage::new(id("/r"), empty_root(), ());
	for (key, value) in pairs {
		storage.put(&id("/r"), &key, value).unwrap();
	}
	storage.root(&id("/r")).unwrap()
}

fn price_of(size: ContentSize) -> u128 {
	PER_OBJECT * u128::from(size.objects) + PER_BYTE * u128::from(size.bytes)
}

#[test]
fn subtree_comes_back_with_its_root_owners_fields_and_nonces() {
	ExtBuilder::default().build_and_execute(|| {
		let mut tree = sample();
		let root = tree.storage().namespace_root();
		register(root);
		let (parts, size) = content(&mut tree);
		let announced = ContentSize { objects: size.objects + 1, bytes: size.bytes + 10 };
		System::reset_events();
		assert_ok!(start(announced));
		assert_eq!(events(), vec![Event::StagingStarted { object: id("/r"), size: announced }]);
		assert_eq!(held(&ALICE), PER_OBJECT + price_of(announced));
		assert!(Remotes::is_being_hosted(&ObjectId::ROOT, &key("r")));
		for part in &parts {
			System::reset_events();
			assert_ok!(stage_part(part));
			let object = part.object.parent.child(&part.object.key);
			assert_eq!(events(), vec![Event::ObjectStaged { subtree: id("/r"), object }]);
			// Out of reach until the end.
			assert_eq!(ObjectTree::api_child_trie(object), None);
			assert!(ObjectTree::api_kept_trie(object).is_some());
			ObjectTree::do_try_state().unwrap();
			next_block();
		}
		let global = ObjectTree::api_global_root();
		assert_eq!(finish(), Ok(root));
		assert_eq!(events(), vec![Event::ObjectHosted { object: id("/r"), state_root: root }]);
		assert_eq!(held(&ALICE), price_of(size), "what was too much returned");
		next_block();
		assert_ne!(ObjectTree::api_global_root(), global, "the location changed");
		let view = ObjectTree::api_object(id("/r")).unwrap();
		assert_eq!((view.state_root, view.location), (root, Location::WithParent));
		let owner = |path| ObjectTree::api_object(id(path)).unwrap().meta.unwrap().owner;
		assert_eq!(owner("/r/a/c"), Owner::Account(BOB));
		assert_eq!((owner("/r/a/d"), owner("/r/b")), (Owner::Frozen, Owner::Shared));
		let page = PageRequest { limit: 10, ..Default::default() };
		let fields = ObjectTree::api_fields(id("/r/a/c"), page).unwrap().entries;
		assert_eq!(fields.last(), Some(&(key("long"), value(&[7; 3000]))));
		// It lives on as every hosted object.
		assert_ok!(set(&BOB, "/r/a/c", &[("0", b"new")]));
		assert_ok!(create(&BOB, "/r/b/mine"));
		assert_noop!(set(&ALICE, "/r/a/d", &[("0", b"x")]), Error::<Test>::Frozen);
		assert!(!Remotes::is_being_hosted(&ObjectId::ROOT, &key("r")));
	});
}

#[test]
fn the_api_tells_what_is_missing() {
	ExtBuilder::default().build_and_execute(|| {
		let mut tree = sample();
		register(tree.storage().namespace_root());
		let (parts, size) = content(&mut tree);
		assert_eq!(ObjectTree::api_staging(id("/r")), None);
		assert_ok!(start(size));
		let view = || ObjectTree::api_staging(id("/r")).unwrap();
		let none = StagingView { payer: ALICE, current: None, missing: 1, left: size };
		assert_eq!(view(), none);
		assert_eq!(ObjectTree::api_kept_trie(id("/r")), None);

		let Part { object, entries } = &parts[0];
		assert_ok!(stage(Some(object.clone()), &entries[..2], false));
		let (last, _) = entries[1].to_pair(KeyLayout::Raw);
		let mut left = ContentSize { objects: size.objects - 1, bytes: size.bytes };
		let mut used = ContentSize::default();
		entries[..2].iter().for_each(|entry| used.add(entry));
		left.bytes -= used.bytes;
		let current = Some((id("/r"), last));
		assert_eq!(view(), StagingView { current, left, ..none });
		assert!(ObjectTree::api_kept_trie(id("/r")).is_some());

		assert_ok!(stage(None, &entries[2..], true));
		stage_all(&parts[1..]);
		let empty = ContentSize::default();
		assert_eq!((view().current, view().missing, view().left), (None, 0, empty));
		assert_ok!(finish());
		assert_eq!(ObjectTree::api_staging(id("/r")), None);
	});
}

/// Everything of Alice, with nonces, so that it can go and be removed.
fn own(fields: u32, nonces: u8) -> OffChain {
	let mut tree = fresh();
	let a = tree.create(&alice(), &id("/r"), &key("a"), NewObject::default()).unwrap();
	for n in 0..fields {
		tree.set_fields(&alice(), &a, &[(key(&format!("{n}")), value(b"v"))]).unwrap();
	}
	for n in 0..nonces {
		add_nonce(&mut tree, AccountId::new([n; 32]), n.into());
	}
	keep(&mut tree);
	tree
}

fn bring_back(tree: &mut OffChain) {
	let (parts, size) = content(tree);
	register(tree.storage().namespace_root());
	assert_ok!(start(size));
	stage_all(&parts);
	assert_ok!(finish());
	next_block();
}

#[test]
fn what_came_back_goes_again_and_comes_back_again() {
	ExtBuilder::default().build_and_execute(|| {
		let mut tree = own(3, 4);
		let root = tree.storage().namespace_root();
		bring_back(&mut tree);
		let (top, name) = (ObjectId::ROOT, key("r"));
		assert_eq!(Remotes::hosted_to_remote(&ALICE, &top, &name, location(0)), Ok(root));
		next_block();
		let (_, size) = content(&mut tree);
		assert_noop!(start(size), refused(Error::<Test>::StillKept));
		assert_ok!(Remotes::set_remote(&top, &name, root, location(1)));
		assert_ok!(Remotes::drop_hosted(&top, &name));
		assert_noop!(start(size), refused(Error::<Test>::DeletionPending));
		next_block();
		let (parts, size) = content(&mut tree);
		assert_ok!(start(size));
		stage_all(&parts);
		assert_eq!(finish(), Ok(root));
	});
}

#[test]
fn nonces_are_removed_and_paid_for_with_the_object() {
	ExtBuilder::default().build_and_execute(|| {
		let mut tree = own(3, 50);
		bring_back(&mut tree);
		let bytes = Objects::<Test>::get(id("/r")).unwrap().bytes;
		assert_eq!(bytes, 50 * NONCE_BYTES);
		let trie = ObjectTree::api_child_trie(id("/r")).unwrap();
		assert_ok!(remove(&ALICE, "/r/a"));
		assert_ok!(remove(&ALICE, "/r"));
		assert_eq!((held(&ALICE), sp_io::default_child_storage::next_key(&trie, &[])), (0, None));
	});
}

#[test]
fn removal_in_pieces_returns_the_deposits_of_nonces() {
	ExtBuilder::default().build_and_execute(|| {
		let mut tree = own(40, 100);
		bring_back(&mut tree);
		assert_ok!(ObjectTree::remove_recursive(signed(&ALICE), id("/r")));
		let mut last = held(&ALICE);
		while last > 0 {
			use crate::WeightInfo;
			next_block_with(<() as WeightInfo>::deletion_check() + ObjectTree::piece_weight());
			assert!(held(&ALICE) < last, "each piece returns a deposit");
			last = held(&ALICE);
		}
		assert_eq!(ObjectTree::api_object(id("/r")), None);
	});
}

#[test]
fn object_with_more_nonces_than_one_call_removes_is_removed_in_pieces() {
	let mut tree = own(0, 255);
	for n in 0..2 {
		add_nonce(&mut tree, AccountId::new([[n; 16], [0xff; 16]].concat().try_into().unwrap()), 1);
	}
	keep(&mut tree);
	ExtBuilder::default().build_and_execute(|| {
		let (parts, size) = content(&mut tree);
		register(tree.storage().namespace_root());
		assert_ok!(start(size));
		stage_all(&parts);
		assert_ok!(finish());
		assert_ok!(remove(&ALICE, "/r/a"));
		assert_noop!(remove(&ALICE, "/r"), Error::<Test>::HasManyFields);
		assert_ok!(ObjectTree::remove_recursive(signed(&ALICE), id("/r")));
		next_block();
		assert_eq!((ObjectTree::api_object(id("/r")), held(&ALICE)), (None, 0));
	});
}

#[test]
fn bad_starts_are_refused() {
	ExtBuilder::default().build_and_execute(|| {
		let size = ContentSize { objects: 1, bytes: 0 };
		assert_noop!(start(size), refused(Error::<Test>::NotRemote));
		assert_ok!(create(&ALICE, "/r"));
		assert_noop!(start(size), refused(Error::<Test>::NotRemote));
		assert_ok!(remove(&ALICE, "/r"));
		register(root(1));
		let bad = |objects, bytes| {
			assert_noop!(
				start(ContentSize { objects, bytes }),
				refused(Error::<Test>::BadContentSize)
			);
		};
		bad(0, 0);
		bad(101, 0);
		bad(1, 10_000_001);
		assert_noop!(start_by(&POOR, size), sp_runtime::TokenError::FundsUnavailable);
		assert_noop!(finish(), refused(Error::<Test>::NotStaging));
		assert_noop!(cancel(), refused(Error::<Test>::NotStaging));
		assert_noop!(stage(None, &[], true), refused(Error::<Test>::NotStaging));
		assert_ok!(start(size));
		assert_noop!(start(size), refused(Error::<Test>::StagingUnfinished));
	});
}

#[test]
fn nothing_else_changes_a_subtree_whose_content_comes() {
	ExtBuilder::default().build_and_execute(|| {
		let mut tree = own(1, 1);
		register(tree.storage().namespace_root());
		let (parts, size) = content(&mut tree);
		assert_ok!(start(size));
		let (top, name) = (ObjectId::ROOT, key("r"));
		let locked = || refused(Error::<Test>::StagingUnfinished);
		for part in parts.iter().map(Some).chain([None]) {
			assert_noop!(Remotes::set_remote(&top, &name, root(2), location(1)), locked());
			assert_noop!(Remotes::close_remote(&top, &name), locked());
			assert_noop!(Remotes::remove_remote(&ALICE, &top, &name), locked());
			assert_noop!(Remotes::restore_hosted(&top, &name), locked());
			let below = Remotes::create_remote(&ALICE, &id("/r"), &key("x"), root(1), location(0));
			assert_eq!(below, Err(refused(Error::<Test>::ObjectNotFound)));
			for path in ["/r", "/r/a"] {
				assert_noop!(set(&ALICE, path, &[("k", b"w")]), Error::<Test>::ObjectNotFound);
				assert_noop!(remove(&ALICE, path), Error::<Test>::ObjectNotFound);
			}
			if let Some(part) = part {
				assert_ok!(stage_part(part));
				next_block();
			}
		}
		assert_ok!(cancel());
		assert_ok!(Remotes::set_remote(&top, &name, root(2), location(1)));
	});
}

#[test]
fn cancelled_at_any_stage_it_returns_every_deposit_and_leaves_nothing() {
	let (parts, size) = content(&mut sample());
	let root = sample().storage().namespace_root();
	// Before the first call, after each, and with all complete.
	let calls: usize = parts.iter().map(|part| part.entries.len().div_ceil(2).max(1)).sum();
	for stop in 0..=calls {
		ExtBuilder::default().build_and_execute(|| {
			register(root);
			let before = (held(&ALICE), Objects::<Test>::iter().count());
			assert_ok!(start(size));
			let mut made = 0;
			for part in &parts {
				let chunks: Vec<_> = part.entries.chunks(2).collect();
				for (n, chunk) in chunks.iter().enumerate().take(stop - made) {
					let object = (n == 0).then(|| part.object.clone());
					assert_ok!(stage(object, chunk, n + 1 == chunks.len()));
					made += 1;
				}
				if made == stop {
					break;
				}
			}
			next_block();
			assert_ok!(cancel());
			let cancelled = Event::StagingCancelled { object: id("/r") };
			assert!(events().contains(&cancelled));
			assert_eq!(Dropped::<Test>::contains_key(id("/r")), stop > 0);
			ObjectTree::do_try_state().unwrap();
			if stop > 0 {
				assert_noop!(start(size), refused(Error::<Test>::DeletionPending));
			}
			while Detached::<Test>::count() > 0 {
				use crate::WeightInfo;
				next_block_with(<() as WeightInfo>::deletion_check() + ObjectTree::piece_weight());
			}
			let after = (held(&ALICE), Objects::<Test>::iter().count());
			assert_eq!((after, crate::ChildOwners::<Test>::iter().count()), (before, 1));
			assert_eq!(Stagings::<Test>::get(id("/r")), None);
			// It can be begun again.
			assert_ok!(start(size));
			stage_all(&parts);
			assert_eq!(finish(), Ok(root));
		});
	}
}

#[test]
fn what_was_brought_is_paid_for_until_it_is_deleted() {
	let (mut tree, meta) =
		(fresh(), |owner| Meta::new(owner, ObjectType::Plain, Default::default()));
	let child = tree.create(&alice(), &id("/r"), &key("a"), NewObject::default()).unwrap();
	tree.create(&alice(), &id("/r"), &key("b"), NewObject::default()).unwrap();
	let root = keep(&mut tree);
	let registration = PER_OBJECT;
	let (parts, _) = content(&mut tree);
	let long = ObjectEntry::Field(key("f"), value(&[7; 10_000]));
	for top_complete in [false, true] {
		ExtBuilder::default().build_and_execute(|| {
			register(root);
			assert_ok!(start(ContentSize { objects: 9, bytes: 50_000 }));
			let kept = if top_complete {
				assert_ok!(stage_part(&parts[0]));
				let meta = meta(Owner::Account(ALICE));
				let object = StagedObject { parent: id("/r"), key: key("a"), meta };
				assert_ok!(stage(Some(object), std::slice::from_ref(&long), false));
				assert!(Objects::<Test>::contains_key(child));
				// The object above, this one, and the entry of `/r/b`.
				price(&[]) + price(&[(1, 10_000)]) + PER_OBJECT
			} else {
				let object = parts[0].object.clone();
				let unknown = ObjectEntry::Child(key("c"), StateRoot::zero());
				assert_ok!(stage(Some(object), &[long.clone(), unknown], false));
				price(&[(1, 10_000)]) + PER_OBJECT
			};
			assert_ok!(cancel());
			assert_eq!(held(&ALICE), registration + kept);
			ObjectTree::do_try_state().unwrap();
			next_block();
			assert_eq!((held(&ALICE), Detached::<Test>::count()), (registration, 0));
		});
	}
}

/// Starts with `size` for `tree`, brings the first `whole` objects, and gives the next one.
fn up_to(tree: &mut OffChain, whole: usize) -> Part {
	let (parts, size) = content(tree);
	register(tree.storage().namespace_root());
	assert_ok!(start(size));
	stage_all(&parts[..whole]);
	parts[whole].clone()
}

/// Brings `part` with another content in one call, which is refused.
#[track_caller]
fn assert_wrong(part: &Part, error: Error<Test>, change: impl FnOnce(&mut Part)) {
	let mut part = part.clone();
	change(&mut part);
	let result = stage(Some(part.object), &part.entries, true);
	assert_eq!(result, Err(refused(error)));
}

#[test]
fn wrong_content_is_refused() {
	for whole in [0, 1, 2, 3] {
		ExtBuilder::default().build_and_execute(|| {
			let part = up_to(&mut sample(), whole);
			let wrong = |change: fn(&mut Part)| assert_wrong(&part, Error::WrongContent, change);
			wrong(|part| part.entries[0] = ObjectEntry::Field(key("0"), value(b"changed")));
			wrong(|part| drop(part.entries.remove(2)));
			wrong(|part| part.entries.push(ObjectEntry::Nonce(AccountId::new([0xff; 32]), 1)));
			wrong(|part| part.object.meta.revision += 1);
			wrong(|part| part.object.meta.owner = Owner::System);
			wrong(|part| part.object.meta.object_type = ObjectType::Named(Default::default()));
			assert_ok!(stage_part(&part));
		});
	}
}

#[test]
fn extra_changed_and_missing_children_are_refused() {
	ExtBuilder::default().build_and_execute(|| {
		let part = up_to(&mut sample(), 0);
		let at = part.entries.iter().position(|e| matches!(e, ObjectEntry::Child(..))).unwrap();
		let wrong = |change: &dyn Fn(&mut Part)| {
			assert_wrong(&part, Error::WrongContent, |part| change(part));
		};
		wrong(&|part| drop(part.entries.remove(at)));
		wrong(&|part| part.entries[at] = ObjectEntry::Child(key("a"), root(1)));
		wrong(&|part| part.entries.insert(at, ObjectEntry::Child(key("A"), root(1))));
	});
}

#[test]
fn wrong_content_of_an_earlier_call_is_found_when_the_object_is_complete() {
	ExtBuilder::default().build_and_execute(|| {
		let part = up_to(&mut sample(), 1);
		let mut first = part.entries[..2].to_vec();
		if let ObjectEntry::Field(_, bytes) = &mut first[1] {
			*bytes = value(b"changed");
		}
		assert_ok!(stage(Some(part.object.clone()), &first, false));
		let rest = &part.entries[2..];
		assert_noop!(stage(None, rest, true), refused(Error::<Test>::WrongContent));
		assert_noop!(finish(), refused(Error::<Test>::ContentMissing));
		assert_ok!(cancel());
	});
}

#[test]
fn no_more_children_are_named_than_were_announced() {
	ExtBuilder::default().build_and_execute(|| {
		register(StateRoot::repeat_byte(1));
		assert_ok!(start(ContentSize { objects: 2, bytes: 0 }));
		let meta = Meta::new(Owner::Account(ALICE), ObjectType::Plain, ObjectFlags::default());
		let object = StagedObject { parent: ObjectId::ROOT, key: key("r"), meta };
		let child = |name: &str| ObjectEntry::Child(key(name), StateRoot::repeat_byte(2));
		assert_ok!(stage(Some(object), &[child("a")], false));
		let more = stage(None, &[child("b")], false);
		assert_eq!(more, Err(refused(Error::MoreThanAnnounced)));
		assert_ok!(cancel());
	});
}

#[test]
fn entries_of_earlier_calls_in_a_block_are_few_when_an_object_is_complete() {
	ExtBuilder::default().build_and_execute(|| {
		register(StateRoot::repeat_byte(1));
		assert_ok!(start(ContentSize { objects: 1, bytes: 100_000 }));
		let meta = Meta::new(Owner::Account(ALICE), ObjectType::Plain, ObjectFlags::default());
		let mut object = Some(StagedObject { parent: ObjectId::ROOT, key: key("r"), meta });
		let fields: Vec<_> =
			(0..257).map(|n| ObjectEntry::Field(key(&format!("{n:03}")), value(b"v"))).collect();
		assert_ok!(stage(object.take(), &fields[..256], false));
		assert_ok!(stage(None, &fields[256..], false));
		assert_eq!(stage(None, &[], true), Err(refused(Error::TooManyInBlock)));
		next_block();
		assert_eq!(stage(None, &[], true), Err(refused(Error::WrongContent)));
		assert_ok!(cancel());
	});
}

#[test]
fn entries_come_in_order_and_once() {
	ExtBuilder::default().build_and_execute(|| {
		let part = up_to(&mut sample(), 0);
		let unsorted = |change: fn(&mut Part)| assert_wrong(&part, Error::UnsortedEntries, change);
		unsorted(|part| part.entries.swap(0, 1));
		unsorted(|part| part.entries.insert(1, part.entries[0].clone()));
		unsorted(|part| part.entries.reverse());
		assert_ok!(stage(Some(part.object.clone()), &part.entries[..2], false));
		let again = stage(None, &part.entries[1..2], false);
		assert_eq!(again, Err(refused(Error::UnsortedEntries)));
	});
}

#[test]
fn objects_come_one_by_one_in_their_places() {
	ExtBuilder::default().build_and_execute(|| {
		assert_ok!(create(&ALICE, "/hosted"));
		let mut tree = sample();
		let (parts, _) = content(&mut tree);
		let part = up_to(&mut tree, 0);
		let refuse = |object: Option<&StagedObject>, error: Error<Test>| {
			assert_noop!(stage(object.cloned(), &[], true), refused(error));
		};
		refuse(None, Error::NoObjectBegun);
		// Not before the object above it.
		refuse(Some(&parts[1].object), Error::NotStagedAbove);
		let at = |path: &str, name: &str| StagedObject {
			parent: id(path),
			key: key(name),
			meta: Meta::new(Owner::Account(ALICE), ObjectType::Plain, ObjectFlags::default()),
		};
		refuse(Some(&at("/hosted", "a")), Error::NotStagedAbove);
		refuse(Some(&at("/none", "a")), Error::NotStagedAbove);
		refuse(
			Some(&StagedObject { key: key("hosted"), ..part.object.clone() }),
			Error::AlreadyStaged,
		);
		let mut other = part.object.clone();
		other.key = key("x");
		refuse(Some(&other), Error::NotStagedAbove);
		let bob = ObjectTree::stage(
			signed(&BOB),
			id("/r"),
			Some(part.object.clone()),
			Default::default(),
			false,
		);
		assert_noop!(bob, refused(Error::NotStagingPayer));
		assert_noop!(
			ObjectTree::stage(RuntimeOrigin::root(), id("/r"), None, Default::default(), false),
			DispatchError::BadOrigin
		);
		assert_ok!(stage(Some(part.object.clone()), &part.entries[..1], false));
		refuse(Some(&parts[1].object), Error::ObjectIncomplete);
		assert_ok!(stage(None, &part.entries[1..], true));
		refuse(Some(&part.object), Error::AlreadyStaged);
		refuse(Some(&at("/r", "none")), Error::NotNamedAbove);
		assert_ok!(stage_part(&parts[1]));
		assert_noop!(finish(), refused(Error::ContentMissing));
		stage_all(&parts[2..3]);
		// The content of one object in the place of another.
		let mut swapped = parts[4].clone();
		swapped.object.key = parts[3].object.key.clone();
		assert_wrong(&swapped, Error::WrongContent, |_| ());
		stage_all(&parts[3..]);
		assert_ok!(finish());
	});
}

#[test]
fn no_more_comes_than_was_announced() {
	ExtBuilder::default().build_and_execute(|| {
		let mut tree = own(3, 2);
		let (parts, size) = content(&mut tree);
		register(tree.storage().namespace_root());
		let fields = 3 * (FIELD_OVERHEAD_BYTES + 2);
		assert_eq!(size, ContentSize { objects: 2, bytes: fields + 2 * NONCE_BYTES });
		for less in
			[ContentSize { objects: 1, ..size }, ContentSize { bytes: size.bytes - 1, ..size }]
		{
			assert_ok!(start(less));
			let too_much = stage_part(&parts[0]).and_then(|()| stage_part(&parts[1]));
			assert_eq!(too_much, Err(refused(Error::MoreThanAnnounced)));
			assert_ok!(cancel());
			next_block();
		}
	});
}

/// A remote object with this `meta` and nothing else, whose parties committed to it.
fn alone(meta: Meta) -> Part {
	register(root_of([(META_KEY.to_vec(), meta.to_value())]));
	assert_ok!(start(ContentSize { objects: 5, bytes: 1_000 }));
	Part { object: StagedObject { parent: ObjectId::ROOT, key: key("r"), meta }, entries: vec![] }
}

#[test]
fn facts_that_no_operation_would_have_made_are_refused() {
	let plain = |owner| Meta::new(owner, ObjectType::Plain, ObjectFlags::default());
	let alice = || plain(Owner::Account(ALICE));
	let cases = [
		(plain(Owner::Account(AccountId::new([0; 32]))), Error::ZeroOwner),
		(plain(Owner::Shared), Error::SharedNeedsHashedKeys),
		(Meta { fields: 1, ..alice() }, Error::WrongCounts),
		(Meta { children: u64::MAX, ..alice() }, Error::WrongCounts),
		(Meta { revision: u64::MAX, ..alice() }, Error::Overflow),
		(Meta { revision: (1 << 63) + 1, ..alice() }, Error::Overflow),
	];
	for (meta, error) in cases {
		ExtBuilder::default().build_and_execute(|| {
			assert_wrong(&alone(meta), error, |_| ());
		});
	}
	ExtBuilder::default().build_and_execute(|| {
		assert_ok!(stage_part(&alone(alice())));
		assert_ok!(finish());
	});
}

#[test]
fn entries_of_no_canonical_form_do_not_come_back() {
	let meta = Meta {
		fields: 1,
		..Meta::new(Owner::Account(ALICE), ObjectType::Plain, ObjectFlags::default())
	};
	let field = ObjectEntry::Field(key("k"), value(b"v"));
	let (trie_key, _) = field.to_pair(KeyLayout::Raw);
	// Without a tag, and with bytes behind the facts.
	let untagged = [(trie_key.clone(), b"v".to_vec()), (META_KEY.to_vec(), meta.to_value())];
	let trailing = [
		(trie_key, field.to_pair(KeyLayout::Raw).1),
		(META_KEY.to_vec(), [meta.to_value(), vec![0]].concat()),
	];
	for pairs in [untagged, trailing] {
		ExtBuilder::default().build_and_execute(|| {
			register(root_of(pairs));
			assert_ok!(start(ContentSize { objects: 1, bytes: 1_000 }));
			let object = StagedObject { parent: ObjectId::ROOT, key: key("r"), meta: meta.clone() };
			let part = Part { object, entries: vec![field.clone()] };
			assert_wrong(&part, Error::WrongContent, |_| ());
		});
	}
}

#[test]
fn content_deeper_than_the_hub_allows_does_not_come_back() {
	ExtBuilder::default().build_and_execute(|| {
		let mut tree = fresh();
		let mut object = id("/r");
		for _ in 0..8 {
			object = tree.create(&alice(), &object, &key("x"), NewObject::default()).unwrap();
		}
		keep(&mut tree);
		let lowest_allowed = up_to(&mut tree, 7);
		assert_eq!(stage_part(&lowest_allowed), Err(refused(Error::TooDeep)));
		assert_ok!(cancel());
		ObjectTree::run_deletions(Weight::MAX);
		assert_eq!(Detached::<Test>::count(), 0);
	});
}

#[test]
fn content_comes_back_below_a_hosted_object() {
	ExtBuilder::default().build_and_execute(|| {
		assert_ok!(create(&BOB, "/b"));
		next_block();
		let mut tree = Tree::new(TrieStorage::new(id("/b/r"), empty_root(), ()));
		tree.init_namespace(Owner::Account(ALICE), NewObject::default()).unwrap();
		keep(&mut tree);
		let root = tree.storage().namespace_root();
		assert_ok!(Remotes::create_remote(&BOB, &id("/b"), &key("r"), root, location(0)));
		let size = ContentSize { objects: 1, bytes: 0 };
		assert_ok!(Remotes::start_hosting(&BOB, &id("/b"), &key("r"), size));
		let meta = tree.meta(&id("/b/r")).unwrap().unwrap();
		let object = StagedObject { parent: id("/b"), key: key("r"), meta };
		let stage =
			ObjectTree::stage(signed(&BOB), id("/b/r"), Some(object), Default::default(), true);
		assert_ok!(stage);
		assert_ok!(Remotes::finish_hosting(&id("/b"), &key("r")));
		// It belongs to Alice, so Bob's object cannot move with it.
		assert_eq!(Objects::<Test>::get(id("/b")).unwrap().foreign, 1);
		next_block();
		let moved = Remotes::hosted_to_remote(&BOB, &ObjectId::ROOT, &key("b"), location(0));
		assert_eq!(moved, Err(refused(Error::ForeignBelow)));
	});
}
