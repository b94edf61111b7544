//! What an execution reads of the tree.
//!
//! Modules first, and all of them: before the virtual machine runs, [`Closure::read`] takes every module that it may load from the
//! tree. What the machine has in memory is never asked, so a witness is complete and the cost of loading does not depend on it.
//! Resources are read one by one while the machine runs.

mod closure;
mod decoded;
mod objects;
mod reader;
mod shapes;
mod tags;

pub use closure::{Closure, LoadedModule, Root, MAX_CLOSURE_BYTES, MAX_CLOSURE_MODULES};
pub use decoded::Decoded;
pub(crate) use objects::ObjectReads;
pub(crate) use reader::TreeReader;
pub(crate) use shapes::shapes_of;
pub(crate) use tags::Tags;

use dstp_primitives::{contract::ModuleLink, ObjectId};
use move_core_types::{
	account_address::AccountAddress, identifier::Identifier, language_storage::ModuleId,
};

/// The same 32 bytes, as the virtual machine calls them.
pub(crate) fn move_address(address: &ObjectId) -> AccountAddress {
	AccountAddress::new(address.0)
}

/// The same 32 bytes, as the tree calls them.
pub(crate) fn tree_address(address: &AccountAddress) -> ObjectId {
	ObjectId(address.into_bytes())
}

/// A module's name as the tree has it; `None` if it is longer than 64 bytes.
pub(crate) fn module_link(id: &ModuleId) -> Option<ModuleLink> {
	let name = id.name().as_bytes().to_vec().try_into().ok()?;
	Some(ModuleLink { address: tree_address(id.address()), name })
}

/// The opposite of [`module_link`]; `None` if the name is no identifier.
pub(crate) fn module_id(link: &ModuleLink) -> Option<ModuleId> {
	let name = Identifier::from_utf8(link.name.to_vec()).ok()?;
	Some(ModuleId::new(move_address(&link.address), name))
}
