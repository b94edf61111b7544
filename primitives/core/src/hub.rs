//! How the hub's pallets meet without depending on one another.

use crate::{
	id::{AccountId, Key, ObjectId, StateRoot},
	object::RemoteLocation,
};

/// The part of the global tree that knows remote subtrees. Implemented by `pallet-object-tree`, used by
/// `pallet-subtree-security`.
///
/// The implementation checks ownership and takes deposits; the user has verified heads before it writes them.
pub trait RemoteObjects {
	/// Why it refused.
	type Error;

	/// Registers a remote child of `parent` for `who`, who has to own `parent` unless it is shared. Takes a deposit.
	fn create_remote(
		who: &AccountId,
		parent: &ObjectId,
		key: &Key,
		root: StateRoot,
		location: RemoteLocation,
	) -> Result<ObjectId, Self::Error>;

	/// Writes an accepted head. Room for this is reserved in every block; all other methods share the room of users' calls.
	fn set_remote(
		parent: &ObjectId,
		key: &Key,
		root: StateRoot,
		location: RemoteLocation,
	) -> Result<(), Self::Error>;

	/// Whether a change was refused only because no more fits into this block.
	fn is_block_full(error: &Self::Error) -> bool;

	/// Notes that a remote child is closed. Its root stays.
	fn close_remote(parent: &ObjectId, key: &Key) -> Result<(), Self::Error>;

	/// What stands in the tree for a remote child; `None` if there is none, or if its state is hosted.
	fn remote(parent: &ObjectId, key: &Key) -> Option<(StateRoot, RemoteLocation)>;

	/// Removes a closed remote child, and returns the deposit to who paid it.
	fn remove_remote(who: &AccountId, parent: &ObjectId, key: &Key) -> Result<(), Self::Error>;

	/// Turns `who`'s own hosted object below `parent` into a remote one, and gives its root, which stays what it was. Takes a
	/// deposit for the registration.
	///
	/// The hub keeps the object's nodes, out of reach, until [`Self::drop_hosted`] or [`Self::restore_hosted`]. Refused for
	/// whoever does not own the object, while it or anything below it has changes whose root is not computed (ask again in the
	/// next block), and if something below it is remote, belongs to another account, is shared or frozen. How much stands below it
	/// does not matter.
	fn hosted_to_remote(
		who: &AccountId,
		parent: &ObjectId,
		key: &Key,
		location: RemoteLocation,
	) -> Result<StateRoot, Self::Error>;

	/// Gives up the nodes that [`Self::hosted_to_remote`] kept, once the first head is accepted. They are deleted, and their
	/// deposits returned, over the next blocks. Nothing happens if there are none.
	fn drop_hosted(parent: &ObjectId, key: &Key) -> Result<(), Self::Error>;

	/// Takes [`Self::hosted_to_remote`] back, while the nodes are kept and the root is still the same.
	fn restore_hosted(parent: &ObjectId, key: &Key) -> Result<StateRoot, Self::Error>;
}
