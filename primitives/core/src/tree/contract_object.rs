//! What contracts do with objects of accounts.

use super::{Access, Actor, NewObject, ObjectTree, Storage, TreeError};
use crate::{
	contract::{ContractChange, ContractField},
	id::{Key, ObjectId},
	object::{contract_field_key, ObjectType},
};

impl<S: Storage> ObjectTree<S> {
	/// A field that contracts keep in an object.
	pub fn contract_field(
		&self,
		object: &ObjectId,
		key: &Key,
	) -> Result<Option<ContractField>, TreeError> {
		let layout = self.existing(object)?.flags.key_layout();
		let bytes = self.storage().get(object, &contract_field_key(layout, key))?;
		Ok(bytes.map(|bytes| ContractField::from_value(&bytes)).transpose()?)
	}

	/// Checks that `actor` may write an object's fields.
	pub fn check_writer(&self, actor: &Actor, object: &ObjectId) -> Result<(), TreeError> {
		Access::WriteFields.check(&self.existing(object)?.owner, actor)
	}

	/// Applies a change of an object. Gives the change in bytes of trie keys and values of fields.
	pub(super) fn apply_to_object(&mut self, change: &ContractChange) -> Result<i64, TreeError> {
		let signed = |account: &crate::AccountId| Actor::Account(account.clone());
		match change {
			ContractChange::CreateObject { actor, parent, key, flags } => {
				let new = NewObject { object_type: ObjectType::Plain, flags: *flags };
				self.create(&signed(actor), parent, key, new).map(|_| 0)
			},
			ContractChange::SetField { actor, object, key, type_tag, value } => {
				let field = ContractField { type_tag: type_tag.clone(), value: value.clone() };
				self.put_contract_field(&signed(actor), object, key, Some(field))
			},
			ContractChange::RemoveField { actor, object, key } => {
				self.put_contract_field(&signed(actor), object, key, None)
			},
			ContractChange::TransferObject { actor, object, to } => {
				self.transfer(&signed(actor), object, to).map(|()| 0)
			},
			ContractChange::ShareObject { actor, object } => {
				self.share(&signed(actor), object).map(|()| 0)
			},
			ContractChange::FreezeObject { actor, object } => {
				self.freeze(&signed(actor), object).map(|()| 0)
			},
			ContractChange::SetResource { .. }
			| ContractChange::RemoveResource { .. }
			| ContractChange::SetModule { .. } => Ok(0),
		}
	}

	fn put_contract_field(
		&mut self,
		actor: &Actor,
		object: &ObjectId,
		key: &Key,
		field: Option<ContractField>,
	) -> Result<i64, TreeError> {
		self.check_writer(actor, object)?;
		let layout = self.existing(object)?.flags.key_layout();
		let value = field.map(|field| field.to_value());
		self.put_counted(object, &contract_field_key(layout, key), value)
	}
}
