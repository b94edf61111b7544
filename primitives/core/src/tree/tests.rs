#![allow(clippy::unwrap_used)]

use super::*;
use crate::{
	object::{HeadStatus, ModeId, RemoteLocation},
	trie::empty_root,
	AccountId, Key, ObjectId, Owner, Path, StateRoot, TrieStorage,
};
use sp_core::H256;

const SUBTREE: ObjectId = ObjectId([7; 32]);

fn key(text: &str) -> Key {
	Key::try_from(text).unwrap()
}

fn alice() -> Actor {
	Actor::Account(AccountId::new([1; 32]))
}

fn fresh() -> ObjectTree<TrieStorage<()>> {
	let mut tree = ObjectTree::new(TrieStorage::new(SUBTREE, empty_root(), ()));
	tree.init_namespace(alice().as_owner(), NewObject::default()).unwrap();
	accept(&mut tree);
	tree
}

fn accept(tree: &mut ObjectTree<TrieStorage<()>>) -> Vec<(ObjectId, StateRoot)> {
	let roots = tree.commit_roots().unwrap();
	tree.storage_mut().accept();
	roots
}

fn location(seq: u64) -> RemoteLocation {
	RemoteLocation { mode: ModeId::Native(1), epoch: 1, era: 0, seq, status: HeadStatus::Final }
}

#[test]
fn a_namespace_is_set_up_once() {
	let mut tree = fresh();
	let before = tree.meta(&SUBTREE).unwrap();
	tree.init_namespace(Owner::System, NewObject::default()).unwrap();
	assert_eq!(tree.meta(&SUBTREE).unwrap(), before);
	assert_eq!(accept(&mut tree), []);
}

#[test]
fn accounts_for_which_anybody_signs_own_nothing() {
	let mut tree = fresh();
	let hashed = NewObject { flags: crate::ObjectFlags::hashed_keys(), ..Default::default() };
	let shared = tree.create(&alice(), &SUBTREE, &key("shared"), hashed).unwrap();
	tree.share(&alice(), &shared).unwrap();
	let mut order_2 = [0xff; 32];
	(order_2[0], order_2[31]) = (0xec, 0x7f);
	for weak in [[0; 32], order_2] {
		let weak = AccountId::new(weak);
		let actor = Actor::Account(weak.clone());
		let created = tree.create(&actor, &shared, &key("a"), NewObject::default());
		assert_eq!(created, Err(TreeError::ZeroOwner));
		let remote = tree.create_remote(&actor, &shared, &key("a"), H256::zero(), location(0));
		assert_eq!(remote, Err(TreeError::ZeroOwner));
		assert_eq!(tree.transfer(&alice(), &SUBTREE, &weak), Err(TreeError::ZeroOwner));
	}
}

#[test]
fn each_root_is_computed_once_and_the_deepest_first() {
	let mut tree = fresh();
	let a = tree.create(&alice(), &SUBTREE, &key("a"), NewObject::default()).unwrap();
	let b = tree.create(&alice(), &a, &key("b"), NewObject::default()).unwrap();
	let c = tree.create(&alice(), &a, &key("c"), NewObject::default()).unwrap();
	let order: Vec<_> = accept(&mut tree).into_iter().map(|(object, _)| object).collect();
	assert_eq!(order[..2].iter().max(), Some(b.max(c)).as_ref());
	assert_eq!(order[2..], [a, SUBTREE]);
	tree.set_fields(&alice(), &b, &[(key("x"), Default::default())]).unwrap();
	let order: Vec<_> = accept(&mut tree).into_iter().map(|(object, _)| object).collect();
	assert_eq!(order, [b, a, SUBTREE]);
	tree.set_fields(&alice(), &b, &[(key("x"), Default::default())]).unwrap();
	assert_eq!(accept(&mut tree), [], "the same value again changes nothing");
}

#[test]
fn a_remote_child_changes_by_heads_only() {
	let mut tree = fresh();
	let object = tree
		.create_remote(&alice(), &SUBTREE, &key("r"), H256::repeat_byte(1), location(0))
		.unwrap();
	assert_eq!(object, SUBTREE.child(&key("r")));
	assert_eq!(
		tree.create_remote(&alice(), &SUBTREE, &key("r"), H256::zero(), location(0)),
		Err(TreeError::ObjectExists)
	);
	accept(&mut tree);
	let meta = tree.meta(&SUBTREE).unwrap().unwrap();
	assert_eq!((meta.children, meta.revision), (1, 1));
	assert_eq!(tree.resolve(&Path::parse("/r").unwrap()), Err(TreeError::IsRemote));
	assert_eq!(tree.resolve(&Path::parse("/r/below").unwrap()), Err(TreeError::IsRemote));
	assert_eq!(tree.meta(&object), Ok(None));
	assert_eq!(
		tree.set_fields(&alice(), &object, &[(key("x"), Default::default())]),
		Err(TreeError::ObjectNotFound)
	);

	tree.set_remote(&SUBTREE, &key("r"), H256::repeat_byte(1), location(0)).unwrap();
	assert_eq!(accept(&mut tree), [], "the same head again changes nothing");
	tree.set_remote(&SUBTREE, &key("r"), H256::repeat_byte(2), location(1)).unwrap();
	assert_eq!(accept(&mut tree).len(), 1);
	assert_eq!(
		tree.meta(&SUBTREE).unwrap(),
		Some(meta),
		"a head does not change the parent's facts"
	);
	assert_eq!(tree.child(&SUBTREE, &key("r")).unwrap().unwrap().state_root, H256::repeat_byte(2));
}

#[test]
fn hosted_and_remote_children_are_not_confused() {
	let mut tree = fresh();
	tree.create(&alice(), &SUBTREE, &key("a"), NewObject::default()).unwrap();
	tree.create_remote(&alice(), &SUBTREE, &key("r"), H256::zero(), location(0)).unwrap();
	let (a, r) = (key("a"), key("r"));
	assert_eq!(tree.set_remote(&SUBTREE, &a, H256::zero(), location(1)), Err(TreeError::NotRemote));
	assert_eq!(tree.remove_remote(&alice(), &SUBTREE, &a), Err(TreeError::NotRemote));
	assert_eq!(
		tree.set_remote(&SUBTREE, &key("none"), H256::zero(), location(1)),
		Err(TreeError::ObjectNotFound)
	);
	assert_eq!(tree.remove(&alice(), &SUBTREE.child(&r)), Err(TreeError::ObjectNotFound));
	tree.remove_remote(&alice(), &SUBTREE, &r).unwrap();
	assert_eq!(tree.meta(&SUBTREE).unwrap().unwrap().children, 1);
	assert_eq!(tree.create(&alice(), &SUBTREE, &r, NewObject::default()), Ok(SUBTREE.child(&r)));
}

#[test]
fn a_recursive_removal_stops_at_a_remote_child_and_goes_on_when_it_is_gone() {
	let mut tree = fresh();
	let a = tree.create(&alice(), &SUBTREE, &key("a"), NewObject::default()).unwrap();
	let early = tree.create(&alice(), &a, &key("b"), NewObject::default()).unwrap();
	let remote = tree.create_remote(&alice(), &a, &key("r"), H256::zero(), location(0)).unwrap();
	let progress = tree.remove_recursive(&alice(), &a, 100).unwrap();
	assert_eq!(progress.removed, [early]);
	assert_eq!(progress.stopped, Some((remote, TreeError::IsRemote)));
	assert!(!progress.done);
	tree.remove_remote(&alice(), &a, &key("r")).unwrap();
	let progress = tree.remove_recursive(&alice(), &a, 100).unwrap();
	assert_eq!((progress.removed, progress.done), (vec![a], true));
}

#[test]
fn a_recursive_removal_goes_on_behind_its_trail_and_misses_nothing() {
	for budget in [1, 2, 3, 7] {
		let mut tree = fresh();
		let hashed = NewObject { flags: crate::ObjectFlags::hashed_keys(), ..Default::default() };
		let a = tree.create(&alice(), &SUBTREE, &key("a"), NewObject::default()).unwrap();
		for first in ["x", "y", "z"] {
			let above = tree.create(&alice(), &a, &key(first), hashed.clone()).unwrap();
			for second in ["k", "l"] {
				let object =
					tree.create(&alice(), &above, &key(second), NewObject::default()).unwrap();
				tree.set_fields(&alice(), &object, &[(key("f"), Default::default())]).unwrap();
			}
			tree.set_fields(&alice(), &above, &[(key("f"), Default::default())]).unwrap();
		}
		accept(&mut tree);
		// What calls removed before.
		let gone = a.child(&key("x")).child(&key("k"));
		tree.remove(&alice(), &gone).unwrap();
		let (mut trail, mut removed) = (Trail::default(), Vec::new());
		loop {
			let progress = tree.remove_recursive_on(&mut trail, &alice(), &a, budget).unwrap();
			removed.extend(progress.removed);
			if progress.done {
				break;
			}
			assert_eq!((progress.steps, progress.stopped), (budget, None));
		}
		assert_eq!(removed.len(), 9);
		assert_eq!(trail, Trail::default(), "nothing is remembered of what is gone");
		assert_eq!(accept(&mut tree).len(), 1);
		assert_eq!(tree.meta(&SUBTREE).unwrap().unwrap().children, 0);
	}
}

#[test]
fn a_recursive_removal_keeps_its_budget_and_its_counts() {
	let mut tree = fresh();
	let a = tree.create(&alice(), &SUBTREE, &key("a"), NewObject::default()).unwrap();
	let fields: Vec<_> =
		(0..10u8).map(|n| (Key::new(vec![n]).unwrap(), vec![n; 4].try_into().unwrap())).collect();
	tree.set_fields(&alice(), &a, &fields).unwrap();
	for budget in [0, 4, 4] {
		let progress = tree.remove_recursive(&alice(), &a, budget).unwrap();
		assert_eq!((progress.steps, progress.done), (budget, false));
		assert_eq!(progress.freed.get(&a).copied().unwrap_or(0), u64::from(budget) * 5);
	}
	assert_eq!(tree.meta(&a).unwrap().unwrap().fields, 2);
	let progress = tree.remove_recursive(&alice(), &a, 4).unwrap();
	assert_eq!((progress.steps, progress.done, progress.bytes), (3, true, 10));
	assert_eq!(tree.remove_recursive(&alice(), &SUBTREE, 4), Err(TreeError::IsRoot));
}
