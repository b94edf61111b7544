//! What contracts keep in the tree.

use dstp_primitives::{
	contract::{
		accounts_key, address_key, resource_bytes, ContractChange, ModuleEntry, TypeTagBytes,
		UpgradePolicy, MODULE_ENTRY_VERSION,
	},
	object::{module_key, resource_key, KeyLayout},
	tree::{Actor, NewObject},
	trie::empty_root,
	AccountId, Key, ObjectId, ObjectTree, Owner, TreeError, TrieStorage,
};

const SUBTREE: ObjectId = ObjectId([7; 32]);
const ADDRESS: ObjectId = ObjectId([1; 32]);

fn tree() -> ObjectTree<TrieStorage<()>> {
	let mut tree = ObjectTree::new(TrieStorage::new(SUBTREE, empty_root(), ()));
	tree.init_namespace(Owner::Account(AccountId::new([5; 32])), NewObject::default()).unwrap();
	tree
}

fn type_tag() -> TypeTagBytes {
	vec![3; 40].try_into().unwrap()
}

fn set(value: &[u8]) -> ContractChange {
	let value = value.to_vec().try_into().unwrap();
	ContractChange::SetResource { address: ADDRESS, type_tag: type_tag(), value }
}

fn remove() -> ContractChange {
	ContractChange::RemoveResource { address: ADDRESS, type_tag: type_tag() }
}

fn commit(tree: &mut ObjectTree<TrieStorage<()>>) -> dstp_primitives::StateRoot {
	tree.commit_roots().unwrap();
	tree.storage_mut().accept();
	tree.storage().namespace_root()
}

#[test]
fn a_resource_stands_below_its_address_and_belongs_to_the_system() {
	let mut tree = tree();
	let key = resource_key(&type_tag());
	assert_eq!(tree.contract_value(&ADDRESS, &key), Ok(None));
	let bytes = tree.apply_contract(&[set(b"abc")]).unwrap();
	let stored = tree.contract_value(&ADDRESS, &key).unwrap().unwrap();
	assert_eq!(bytes, (key.len() + stored.len()) as i64);
	assert_eq!(resource_bytes(&type_tag(), &stored).unwrap(), b"abc");
	assert!(resource_bytes(&[4; 40], &stored).is_err(), "of another type");

	let accounts = SUBTREE.child(&accounts_key());
	let object = accounts.child(&address_key(&ADDRESS));
	let meta = tree.meta(&object).unwrap().unwrap();
	assert_eq!((meta.owner, meta.fields, meta.revision), (Owner::System, 1, 1));
	let layout = tree.meta(&accounts).unwrap().unwrap().flags.key_layout();
	assert_eq!(layout, KeyLayout::Hashed, "strangers choose addresses");
	let field = [(Key::try_from("f").unwrap(), Default::default())];
	for actor in
		[Actor::Account(AccountId::new([5; 32])), Actor::Account(AccountId::new(ADDRESS.0))]
	{
		assert_eq!(tree.set_fields(&actor, &object, &field), Err(TreeError::NotOwner));
	}
}

#[test]
fn the_same_value_changes_nothing_and_a_removal_takes_it_all_back() {
	let mut tree = tree();
	tree.apply_contract(&[set(b"abc")]).unwrap();
	let root = commit(&mut tree);
	assert_eq!(tree.apply_contract(&[set(b"abc")]), Ok(0));
	assert_eq!(commit(&mut tree), root);
	let longer = tree.apply_contract(&[set(b"abcde")]).unwrap();
	assert_eq!(longer, 2);
	assert!(tree.apply_contract(&[remove()]).unwrap() < 0);
	assert_eq!(tree.contract_value(&ADDRESS, &resource_key(&type_tag())), Ok(None));
	assert_eq!(tree.apply_contract(&[remove()]), Err(TreeError::ObjectNotFound));
	let object = SUBTREE.child(&accounts_key()).child(&address_key(&ADDRESS));
	assert_eq!(tree.meta(&object).unwrap().unwrap().fields, 0);
}

#[test]
fn changes_are_applied_in_their_order() {
	let (mut one, mut other) = (tree(), tree());
	one.apply_contract(&[set(b"a"), remove(), set(b"b")]).unwrap();
	other.apply_contract(&[set(b"b")]).unwrap();
	let key = resource_key(&type_tag());
	assert_eq!(one.contract_value(&ADDRESS, &key), other.contract_value(&ADDRESS, &key));
}

#[test]
fn a_module_is_read_as_it_was_written() {
	let mut tree = tree();
	let module = ModuleEntry {
		version: MODULE_ENTRY_VERSION,
		name: b"coin".to_vec().try_into().unwrap(),
		policy: UpgradePolicy::Compatible,
		links: Default::default(),
		work: 12,
		code: vec![1; 100].try_into().unwrap(),
	};
	tree.apply_contract(&[ContractChange::SetModule { address: ADDRESS, module: module.clone() }])
		.unwrap();
	let stored = tree.contract_value(&ADDRESS, &module_key(b"coin")).unwrap().unwrap();
	assert_eq!(ModuleEntry::from_value(&stored), Ok(module.clone()));
	let other = ModuleEntry { version: 2, ..module }.to_value();
	assert!(ModuleEntry::from_value(&other).is_err(), "an unknown version");
}

#[test]
fn a_frozen_namespace_takes_no_new_addresses() {
	let mut tree = tree();
	let owner = Actor::Account(AccountId::new([5; 32]));
	tree.apply_contract(&[set(b"abc")]).unwrap();
	tree.freeze(&owner, &SUBTREE).unwrap();
	tree.apply_contract(&[set(b"abcd")]).unwrap();
	let mut empty = self::tree();
	empty.freeze(&owner, &SUBTREE).unwrap();
	assert_eq!(empty.apply_contract(&[set(b"abc")]), Err(TreeError::Frozen));
}

/// An object of an account below the root, with a field of a contract.
fn with_field() -> (ObjectTree<TrieStorage<()>>, AccountId, ObjectId) {
	let (mut tree, owner) = (tree(), AccountId::new([5; 32]));
	let key = Key::try_from("thing").unwrap();
	let (parent, flags) = (SUBTREE, Default::default());
	let object = parent.child(&key);
	let create = ContractChange::CreateObject { actor: owner.clone(), parent, key, flags };
	let key = Key::try_from("f").unwrap();
	let value = vec![9; 8].try_into().unwrap();
	let set =
		ContractChange::SetField { actor: owner.clone(), object, key, type_tag: type_tag(), value };
	tree.apply_contract(&[create, set]).unwrap();
	(tree, owner, object)
}

#[test]
fn a_field_of_a_contract_stands_beside_raw_ones_and_follows_the_owner() {
	let (mut tree, owner, object) = with_field();
	let key = Key::try_from("f").unwrap();
	let field = tree.contract_field(&object, &key).unwrap().unwrap();
	assert_eq!((field.type_tag, field.value.len()), (type_tag(), 8));
	assert_eq!(tree.field(&object, &key), Ok(None));
	assert_eq!(tree.meta(&object).unwrap().unwrap().fields, 1);
	let actor = AccountId::new([6; 32]);
	let remove = |actor| ContractChange::RemoveField { actor, object, key: key.clone() };
	assert_eq!(tree.apply_contract(&[remove(actor)]), Err(TreeError::NotOwner));
	assert!(tree.apply_contract(&[remove(owner.clone())]).unwrap() < 0);
	assert_eq!(tree.apply_contract(&[remove(owner)]), Err(TreeError::ObjectNotFound));
}

#[test]
fn an_owner_does_not_remove_what_contracts_keep() {
	let (mut tree, owner, object) = with_field();
	let actor = Actor::Account(owner.clone());
	let raw = [(Key::try_from("raw").unwrap(), Default::default())];
	tree.set_fields(&actor, &object, &raw).unwrap();
	assert_eq!(with_field().0.remove(&actor, &object), Err(TreeError::HasContractFields));
	let progress = tree.remove_recursive(&actor, &object, 100).unwrap();
	assert_eq!(progress.stopped, Some((object, TreeError::HasContractFields)));
	let key = Key::try_from("f").unwrap();
	tree.apply_contract(&[ContractChange::RemoveField { actor: owner, object, key }]).unwrap();
	tree.remove(&actor, &object).unwrap();
}
