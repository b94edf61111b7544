//! What contracts keep in the object tree, and the changes that an execution asks for.
//!
//! A contract address is 32 bytes: an account or the id of an object. What contracts keep of an address stands in the object
//! `account/<address>` below the root of the namespace in which they run; that object belongs to the system, so that nothing but
//! [`ObjectTree::apply_contract`](crate::ObjectTree::apply_contract) changes it.
//!
//! In objects of accounts, contracts keep fields of their own beside the raw ones. What may be done with such an object is decided by
//! its owner and by nothing else (`docs/object-tree.md`), so each change of one names who signed.
//!
//! The virtual machine needs the standard library of Rust and never writes. It gives an ordered list of [`ContractChange`]s, which
//! the hub's pallet, a subtree's engine and a re-execution apply through the same function. So an execution that fails half-way
//! leaves nothing behind.

mod change;
mod gas;
mod module;

pub use change::resource_bytes;
pub(crate) use change::resource_value;
pub use change::{
	ContractChange, ContractField, ContractValue, TypeTagBytes, MAX_CONTRACT_VALUE_BYTES,
	MAX_TYPE_TAG_BYTES,
};
pub use gas::GasSchedule;
pub use module::{
	ModuleEntry, ModuleLink, ModuleName, UpgradePolicy, MAX_MODULE_LINKS, MODULE_ENTRY_VERSION,
};

use crate::id::Key;

/// Key of the object, below the root of a namespace, under which contract addresses stand.
pub const ACCOUNT_KEY: &[u8] = b"account";

/// [`ACCOUNT_KEY`] as a key.
pub fn accounts_key() -> Key {
	Key::new(ACCOUNT_KEY).expect("seven bytes are a key; qed")
}

/// The key of an address below the object of [`accounts_key`]: its 32 bytes.
pub fn address_key(address: &crate::ObjectId) -> Key {
	Key::new(address.0.to_vec()).expect("32 bytes are a key; qed")
}
