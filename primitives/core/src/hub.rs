//! How the hub's pallets meet without depending on one another.

use crate::{
	id::{AccountId, Key, ObjectId, StateRoot},
	object::RemoteLocation,
	tree::{ObjectEntry, NONCE_BYTES},
};
use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use scale_info::TypeInfo;

/// How much content a subtree has.
#[derive(
	Clone,
	Copy,
	Default,
	PartialEq,
	Eq,
	Debug,
	Encode,
	Decode,
	DecodeWithMemTracking,
	MaxEncodedLen,
	TypeInfo,
)]
pub struct ContentSize {
	/// Objects, the root object included.
	pub objects: u32,
	/// Bytes of the keys and values of all fields, [`FIELD_OVERHEAD_BYTES`] for each field, and
	/// [`NONCE_BYTES`] for each account's nonce.
	pub bytes: u64,
}

/// Bytes that count for a field beyond its key and value: about what its place in the trie takes. Without it, many tiny fields
/// would fill the database for little.
pub const FIELD_OVERHEAD_BYTES: u64 = 64;

impl ContentSize {
	/// Adds an entry of an object.
	pub fn add(&mut self, entry: &ObjectEntry) {
		let bytes = match entry {
			ObjectEntry::Field(key, value) => {
				FIELD_OVERHEAD_BYTES.saturating_add((key.len() + value.len()) as u64)
			},
			ObjectEntry::Child(..) => 0,
			ObjectEntry::Nonce(..) => NONCE_BYTES,
		};
		self.bytes = self.bytes.saturating_add(bytes);
	}

	/// What remains of this size after `used`; `None` if that is more.
	pub fn checked_sub(self, used: Self) -> Option<Self> {
		Some(Self {
			objects: self.objects.checked_sub(used.objects)?,
			bytes: self.bytes.checked_sub(used.bytes)?,
		})
	}
}

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

	/// Whether the tree's objects of genesis exist. Before that nothing can be registered below them.
	fn is_built() -> bool;

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

	/// Begins to take the content of a remote child back. `who` pays the deposits for `size` in advance, and then brings the content,
	/// object by object. Until [`Self::finish_hosting`] or [`Self::cancel_hosting`], heads, closing, removing and restoring are refused.
	///
	/// Refused if it has begun already, if the hub keeps or still deletes nodes of an object with this id, and for more than
	/// the hub takes.
	fn start_hosting(
		who: &AccountId,
		parent: &ObjectId,
		key: &Key,
		size: ContentSize,
	) -> Result<(), Self::Error>;

	/// Whether the content of a remote child is being taken back.
	fn is_being_hosted(parent: &ObjectId, key: &Key) -> bool;

	/// Turns a remote child into a hosted one, and gives its root, which stays what it was. Refused while content is missing. What
	/// was paid in advance and not needed is returned, as is the deposit for the registration.
	fn finish_hosting(parent: &ObjectId, key: &Key) -> Result<StateRoot, Self::Error>;

	/// Takes [`Self::start_hosting`] back. What was paid in advance is returned, for content that was brought as it is deleted.
	fn cancel_hosting(parent: &ObjectId, key: &Key) -> Result<(), Self::Error>;
}

/// Is told by the tree when its objects of genesis exist. The genesis state is built pallet by pallet, in the runtime's order, in
/// which the tree is the last; what stands below its objects has to wait.
pub trait OnTreeGenesis {
	/// The objects exist, and roots are not computed yet. Panics if the genesis config is wrong.
	fn on_genesis();
}

impl OnTreeGenesis for () {
	fn on_genesis() {}
}
