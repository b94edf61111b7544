//! The tree as the virtual machine sees it.

use super::{tree_address, Closure, Tags};
use crate::error::MoveError;
use dstp_primitives::{contract::resource_bytes, tree::ContractPlaces, ObjectTree, Storage};
use move_core_types::{
	account_address::AccountAddress,
	language_storage::{ModuleId, StructTag},
	resolver::{ModuleResolver, ResourceResolver},
};
use std::cell::RefCell;

/// Gives the machine the modules of a closure and the resources of a tree.
///
/// The machine turns every failure of a storage into one status; so the first one is kept here and asked for afterwards.
pub(crate) struct TreeReader<'a, S> {
	tree: RefCell<(&'a mut ObjectTree<S>, ContractPlaces)>,
	closure: &'a Closure,
	tags: &'a Tags,
	failure: RefCell<Option<MoveError>>,
}

impl<'a, S: Storage> TreeReader<'a, S> {
	/// `places`: where the objects of addresses are, as far as the closure needed it.
	pub(crate) fn new(
		tree: &'a mut ObjectTree<S>,
		places: ContractPlaces,
		closure: &'a Closure,
		tags: &'a Tags,
	) -> Self {
		Self { tree: RefCell::new((tree, places)), closure, tags, failure: RefCell::new(None) }
	}

	/// The failure of the storage behind an error, or else the error.
	pub(crate) fn explain(&self, error: impl Into<MoveError>) -> MoveError {
		self.failure.borrow_mut().take().unwrap_or_else(|| error.into())
	}

	/// Keeps the first failure for [`Self::explain`].
	pub(super) fn remember(&self, error: MoveError) {
		self.failure.borrow_mut().get_or_insert(error);
	}

	/// Uses the tree between two reads of the machine.
	pub(super) fn with_tree<T>(&self, body: impl FnOnce(&mut ObjectTree<S>) -> T) -> T {
		body(self.tree.borrow_mut().0)
	}

	fn resource(
		&self,
		address: &AccountAddress,
		tag: &StructTag,
	) -> Result<Option<Vec<u8>>, MoveError> {
		// A type that is too long to be stored has no resources.
		let Some(tag) = self.tags.get(tag) else { return Ok(None) };
		let (tree, places) = &mut *self.tree.borrow_mut();
		let stored = tree.contract_value_at(places, &tree_address(address), &tag.key)?;
		let Some(stored) = stored else { return Ok(None) };
		let value =
			resource_bytes(&tag.bytes, &stored).map_err(|_| MoveError::Corrupt("resource"))?;
		Ok(Some(value))
	}
}

impl<S: Storage> ModuleResolver for TreeReader<'_, S> {
	type Error = ();

	fn get_module(&self, id: &ModuleId) -> Result<Option<Vec<u8>>, ()> {
		Ok(self.closure.get(id).map(|module| module.entry.code.to_vec()))
	}
}

impl<S: Storage> ResourceResolver for TreeReader<'_, S> {
	type Error = ();

	fn get_resource(
		&self,
		address: &AccountAddress,
		tag: &StructTag,
	) -> Result<Option<Vec<u8>>, ()> {
		self.resource(address, tag).map_err(|error| self.remember(error))
	}
}
