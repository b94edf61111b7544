//! Natives of `object`: objects of the tree, with the tree's own rules.
//!
//! Every change is a [`ContractChange`] that is applied at once to an [`Overlay`] of the tree, by the same function by which the caller of
//! the engine applies the list of all changes later. So a contract sees what it did, and what the tree would refuse ends the call with
//! a code.
//!
//! The virtual machine guards against two references to one place within what its verifier sees, and not within what natives give
//! it. So fields are lent only while their object is open, an object is open once at a time, and the reference to a field borrows the
//! one `Open` that there is: the verifier then knows all that it has to know.

mod fields;
mod open;
mod overlay;

use super::{
	abort,
	scope::{one, Native, Returned, Scope, Stop},
};
use crate::{
	error::MoveError,
	state::{move_address, tree_address, ObjectReads},
};
use dstp_primitives::{
	contract::ContractChange, AccountId, Key, ObjectFlags, ObjectId, ObjectTree, Owner, Path,
	TreeError,
};
use move_core_types::{account_address::AccountAddress, vm_status::StatusCode};
use move_vm_types::{
	natives::function::PartialVMError,
	values::{Reference, SignerRef, Value},
};
use open::OpenObjects;
use overlay::Overlay;

/// Most changes of objects in one call: each costs a place in the block's bounded set of changed objects.
pub const MAX_OBJECT_CHANGES: usize = 256;

/// Longest path that is looked up.
const MAX_PATH_KEYS: usize = dstp_primitives::id::MAX_DEPTH as usize;

/// Module, name, and the function.
pub(super) const NATIVES: &[(&str, &str, Native)] = &[
	("object", "child", child),
	("object", "find", find),
	("object", "exists_at", exists_at),
	("object", "create", create),
	("object", "is_owner", is_owner),
	("object", "transfer", transfer),
	("object", "share", share),
	("object", "freeze_object", freeze_object),
	("object", "open_object", fields::open_object),
	("object", "close_object", fields::close_object),
	("object", "add_field", fields::add_field),
	("object", "borrow_field", fields::borrow_field),
	("object", "borrow_field_mut", fields::borrow_field),
	("object", "remove_field", fields::remove_field),
	("object", "has_field", fields::has_field),
	("object", "read_field", fields::read_field),
	("object", "has_at", fields::has_at),
];

/// The objects of one call.
pub(super) struct Objects<'r> {
	reads: &'r dyn ObjectReads,
	tree: ObjectTree<Overlay<'r>>,
	open: OpenObjects,
	changes: Vec<ContractChange>,
}

impl<'r> Objects<'r> {
	pub(super) fn new(reads: &'r dyn ObjectReads) -> Self {
		let tree = ObjectTree::new(Overlay::new(reads));
		Self { reads, tree, open: OpenObjects::new(), changes: Vec::new() }
	}

	/// All changes in their order. Those of an open object are not among them, so it must have been closed: the verifier sees to that,
	/// because nothing but `close` takes an `Open` apart.
	pub(super) fn into_changes(self) -> Result<Vec<ContractChange>, &'static str> {
		match self.open.is_empty() {
			true => Ok(self.changes),
			false => Err("left an object open"),
		}
	}

	/// What the call ends with after an error of the tree.
	fn refused(&self, error: TreeError) -> Stop {
		match error {
			TreeError::Storage(_) => self.broken(MoveError::Storage(error)),
			TreeError::ObjectNotFound => Stop::Abort(abort::UNKNOWN_OBJECT),
			refusal => Stop::Abort(abort::refusal(&refusal)),
		}
	}

	/// Ends the call with an error that the machine has no word for.
	fn broken(&self, error: MoveError) -> Stop {
		self.reads.fail(error);
		Stop::Error(PartialVMError::new(StatusCode::STORAGE_ERROR))
	}

	/// Makes a change that the tree does not refuse.
	fn change(&mut self, change: ContractChange) -> Result<(), Stop> {
		if self.changes.len() >= MAX_OBJECT_CHANGES {
			return Err(Stop::Abort(abort::MANY_OBJECTS));
		}
		let changes = [change];
		self.tree.apply_contract(&changes).map_err(|error| self.refused(error))?;
		self.changes.extend(changes);
		Ok(())
	}

	/// Refuses what has to wait until the object is closed.
	fn closed(&self, object: &ObjectId) -> Result<(), Stop> {
		match self.open.contains_key(object) {
			true => Err(Stop::Abort(abort::OPEN_OBJECT)),
			false => Ok(()),
		}
	}
}

/// Pays for this many reads and writes of the tree.
fn charge_tree(scope: &Scope, reads: u64, writes: u64) -> Result<(), Stop> {
	let meter = scope.meter();
	meter.charge_each(meter.schedule().read, reads)?;
	meter.charge_each(meter.schedule().write, writes)?;
	Ok(())
}

fn pop_object(scope: &mut Scope) -> Result<ObjectId, Stop> {
	Ok(tree_address(&scope.pop::<AccountAddress>()?))
}

fn pop_key(scope: &mut Scope) -> Result<Key, Stop> {
	let bytes: Vec<u8> = scope.pop()?;
	Key::new(bytes).map_err(|_| Stop::Abort(abort::BAD_KEY))
}

/// The account behind a `&signer`.
fn pop_signer(scope: &mut Scope) -> Result<AccountId, Stop> {
	let address = scope.pop::<SignerRef>()?.borrow_signer()?.value_as::<Reference>()?;
	let address: AccountAddress = address.read_ref()?.value_as()?;
	Ok(AccountId::new(address.into_bytes()))
}

/// A path of keys; its lookup is paid for.
fn pop_path(scope: &mut Scope) -> Result<Path, Stop> {
	let keys: Vec<Value> = scope.pop()?;
	if keys.len() > MAX_PATH_KEYS {
		return Err(Stop::Abort(abort::BAD_PATH));
	}
	// Each step reads the facts of an object and its entry for the next one.
	charge_tree(scope, 2 * (1 + keys.len() as u64), 0)?;
	let key = |value: Value| {
		let bytes: Vec<u8> = value.value_as()?;
		Key::new(bytes).map_err(|_| Stop::Abort(abort::BAD_KEY))
	};
	let keys = keys.into_iter().map(key).collect::<Result<Vec<_>, _>>()?;
	Path::new(keys).map_err(|_| Stop::Abort(abort::BAD_PATH))
}

/// `child(parent: address, key: vector<u8>): address`
fn child(scope: &mut Scope) -> Returned {
	let (key, parent) = (pop_key(scope)?, pop_object(scope)?);
	let meter = scope.meter();
	meter.charge(meter.schedule().hash)?;
	one(Value::address(move_address(&parent.child(&key))))
}

/// `find(path: vector<vector<u8>>): address`
fn find(scope: &mut Scope) -> Returned {
	let path = pop_path(scope)?;
	let objects = &mut scope.host().objects;
	let found = objects.tree.resolve(&path).map_err(|error| objects.refused(error))?;
	one(Value::address(move_address(&found)))
}

/// `exists_at(path: vector<vector<u8>>): bool`
fn exists_at(scope: &mut Scope) -> Returned {
	let path = pop_path(scope)?;
	let objects = &mut scope.host().objects;
	match objects.tree.resolve(&path) {
		Ok(_) => one(Value::bool(true)),
		Err(TreeError::ObjectNotFound) => one(Value::bool(false)),
		Err(error) => Err(objects.refused(error)),
	}
}

/// `create(owner: &signer, parent: address, key: vector<u8>, hashed_keys: bool): address`
fn create(scope: &mut Scope) -> Returned {
	let hashed: bool = scope.pop()?;
	let (key, parent, actor) = (pop_key(scope)?, pop_object(scope)?, pop_signer(scope)?);
	// The object's facts, its entry in the object above, and the facts of that.
	charge_tree(scope, 2, 3)?;
	let flags = if hashed { ObjectFlags::hashed_keys() } else { ObjectFlags::default() };
	let object = parent.child(&key);
	scope.host().objects.change(ContractChange::CreateObject { actor, parent, key, flags })?;
	one(Value::address(move_address(&object)))
}

/// `is_owner(id: address, account: address): bool`
fn is_owner(scope: &mut Scope) -> Returned {
	let (account, object) = (pop_object(scope)?, pop_object(scope)?);
	charge_tree(scope, 1, 0)?;
	let objects = &scope.host().objects;
	let meta = objects.tree.meta(&object).map_err(|error| objects.refused(error))?;
	let owner = meta.ok_or(Stop::Abort(abort::UNKNOWN_OBJECT))?.owner;
	one(Value::bool(owner == Owner::Account(AccountId::new(account.0))))
}

/// `transfer(owner: &signer, id: address, to: address)`
fn transfer(scope: &mut Scope) -> Returned {
	let to = AccountId::new(pop_object(scope)?.0);
	change_owner(scope, |actor, object| ContractChange::TransferObject { actor, object, to })
}

/// `share(owner: &signer, id: address)`
fn share(scope: &mut Scope) -> Returned {
	change_owner(scope, |actor, object| ContractChange::ShareObject { actor, object })
}

/// `freeze_object(owner: &signer, id: address)`
fn freeze_object(scope: &mut Scope) -> Returned {
	change_owner(scope, |actor, object| ContractChange::FreezeObject { actor, object })
}

fn change_owner(
	scope: &mut Scope,
	change: impl FnOnce(AccountId, ObjectId) -> ContractChange,
) -> Returned {
	let (object, actor) = (pop_object(scope)?, pop_signer(scope)?);
	charge_tree(scope, 1, 1)?;
	let objects = &mut scope.host().objects;
	objects.closed(&object)?;
	objects.change(change(actor, object))?;
	Ok(Vec::new())
}
