//! What contracts keep of an address, in the object `account/<address>`.

use super::{Link, NewObject, ObjectTree, Storage, StorageError, TreeError};
use crate::{
	contract::{accounts_key, address_key, resource_value, ContractChange},
	id::{Key, ObjectId, StateRoot},
	object::{
		child_key, module_key, resource_key, ChildEntry, KeyLayout, Location, Meta, ObjectFlags,
		ObjectType, Owner,
	},
};
use alloc::{collections::BTreeMap, vec::Vec};

/// The object `account` has hashed keys in every namespace, because strangers choose addresses.
const ACCOUNTS_LAYOUT: KeyLayout = KeyLayout::Hashed;

/// Where the objects of contract addresses are, as far as one execution has asked.
///
/// Only for as long as the tree does not change. Every way was walked once, so the nodes on it are part of a witness.
#[derive(Clone, Default, Debug)]
pub struct ContractPlaces {
	accounts: Option<Option<ObjectId>>,
	objects: BTreeMap<ObjectId, Option<ObjectId>>,
}

impl<S: Storage> ObjectTree<S> {
	/// The tagged value at a trie key of the object `account/<address>`; `None` if there is none, or no such object.
	pub fn contract_value(
		&mut self,
		address: &ObjectId,
		trie_key: &[u8],
	) -> Result<Option<Vec<u8>>, TreeError> {
		self.contract_value_at(&mut ContractPlaces::default(), address, trie_key)
	}

	/// The same for one of several values that are read from the same tree.
	pub fn contract_value_at(
		&mut self,
		places: &mut ContractPlaces,
		address: &ObjectId,
		trie_key: &[u8],
	) -> Result<Option<Vec<u8>>, TreeError> {
		let object = match places.objects.get(address) {
			Some(object) => *object,
			None => {
				let object = self.contract_object(places, address)?;
				places.objects.insert(*address, object);
				object
			},
		};
		match object {
			Some(object) => Ok(self.storage().get(&object, trie_key)?),
			None => Ok(None),
		}
	}

	/// Applies the changes of one execution, in order. Gives the change in bytes of trie keys and values.
	///
	/// Objects that they need are created for the system. Errors: [`TreeError::Frozen`] if the namespace's root is frozen and has
	/// no object for contracts yet; [`TreeError::ObjectNotFound`] if a resource or field that is to be removed does not exist; and
	/// whatever a change of an object meets.
	pub fn apply_contract(&mut self, changes: &[ContractChange]) -> Result<i64, TreeError> {
		let mut bytes = 0i64;
		for change in changes {
			bytes = bytes.saturating_add(match change {
				ContractChange::SetResource { address, type_tag, value } => self.put_contract(
					address,
					&resource_key(type_tag),
					Some(resource_value(type_tag, value)),
				)?,
				ContractChange::RemoveResource { address, type_tag } => {
					self.put_contract(address, &resource_key(type_tag), None)?
				},
				ContractChange::SetModule { address, module } => {
					self.put_contract(address, &module_key(&module.name), Some(module.to_value()))?
				},
				of_object => self.apply_to_object(of_object)?,
			});
		}
		Ok(bytes)
	}

	/// The object of an address, made known to the storage.
	fn contract_object(
		&mut self,
		places: &mut ContractPlaces,
		address: &ObjectId,
	) -> Result<Option<ObjectId>, TreeError> {
		let accounts = match places.accounts {
			Some(accounts) => accounts,
			None => {
				let root = self.namespace();
				let layout = self.existing(&root)?.flags.key_layout();
				*places.accounts.insert(self.known_child(&root, layout, accounts_key(), 1)?)
			},
		};
		let Some(accounts) = accounts else { return Ok(None) };
		self.known_child(&accounts, ACCOUNTS_LAYOUT, address_key(address), 2)
	}

	fn known_child(
		&mut self,
		parent: &ObjectId,
		layout: KeyLayout,
		key: Key,
		depth: u8,
	) -> Result<Option<ObjectId>, TreeError> {
		let Some(bytes) = self.storage().get(parent, &child_key(layout, &key))? else {
			return Ok(None);
		};
		if ChildEntry::from_value(&bytes)?.location != Location::WithParent {
			return Err(TreeError::IsRemote);
		}
		let object = parent.child(&key);
		self.storage_mut().insert_link(&object, Link { parent: *parent, key, depth }, false)?;
		Ok(Some(object))
	}

	fn contract_object_or_new(&mut self, address: &ObjectId) -> Result<ObjectId, TreeError> {
		let root = self.namespace();
		let layout = self.existing(&root)?.flags.key_layout();
		let accounts = match self.known_child(&root, layout, accounts_key(), 1)? {
			Some(accounts) => accounts,
			None => self.create_for_system(&root, accounts_key(), 1, ObjectFlags::hashed_keys())?,
		};
		match self.known_child(&accounts, ACCOUNTS_LAYOUT, address_key(address), 2)? {
			Some(object) => Ok(object),
			None => {
				self.create_for_system(&accounts, address_key(address), 2, ObjectFlags::default())
			},
		}
	}

	/// Creates an object whatever the rights over its parent, which the reserved key `account` keeps apart.
	fn create_for_system(
		&mut self,
		parent: &ObjectId,
		key: Key,
		depth: u8,
		flags: ObjectFlags,
	) -> Result<ObjectId, TreeError> {
		if self.existing(parent)?.owner == Owner::Frozen {
			return Err(TreeError::Frozen);
		}
		let object = parent.child(&key);
		let new = NewObject { object_type: ObjectType::Plain, flags };
		let meta = Meta::new(Owner::System, new.object_type, new.flags);
		let link = Link { parent: *parent, key: key.clone(), depth };
		self.storage_mut().insert_link(&object, link, true)?;
		self.storage_mut().note_owner(&object, None, Some(&meta.owner))?;
		self.storage_mut().mark_dirty(&object)?;
		self.put_meta(&object, &meta)?;
		self.put_new_entry(parent, &key, &ChildEntry::hosted(StateRoot::zero()))?;
		Ok(object)
	}

	fn put_contract(
		&mut self,
		address: &ObjectId,
		trie_key: &[u8],
		value: Option<Vec<u8>>,
	) -> Result<i64, TreeError> {
		let object = self.contract_object_or_new(address)?;
		self.put_counted(&object, trie_key, value)
	}

	/// Writes or removes what counts as a field of an object. Gives the change in bytes of trie keys and values.
	pub(super) fn put_counted(
		&mut self,
		object: &ObjectId,
		trie_key: &[u8],
		value: Option<Vec<u8>>,
	) -> Result<i64, TreeError> {
		let old = self.storage().get(object, trie_key)?;
		if old == value {
			return value.map(|_| 0).ok_or(TreeError::ObjectNotFound);
		}
		let mut meta = self.existing(object)?;
		self.storage_mut().mark_dirty(object)?;
		match (&old, &value) {
			(None, Some(_)) => {
				meta.fields = meta.fields.checked_add(1).ok_or(TreeError::Overflow)?
			},
			(Some(_), None) => {
				meta.fields = meta.fields.checked_sub(1).ok_or(StorageError::Corrupt)?
			},
			_ => {},
		}
		let size = |value: &Option<Vec<u8>>| {
			value.as_ref().map_or(0, |v| (trie_key.len() + v.len()) as i64)
		};
		let bytes = size(&value) - size(&old);
		match value {
			Some(value) => self.storage_mut().put(object, trie_key, value)?,
			None => self.storage_mut().delete(object, trie_key)?,
		}
		self.bump(object, meta)?;
		Ok(bytes)
	}
}
