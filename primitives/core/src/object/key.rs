//! Keys inside an object's trie.

use crate::id::{AccountId, Key};
use alloc::vec::Vec;
use sp_crypto_hashing::{blake2_128, blake2_256};

/// Prefix of fields.
pub const PREFIX_FIELD: u8 = 0x00;
/// Prefix of child entries.
pub const PREFIX_CHILD: u8 = 0x01;
/// Prefix of the resources of a contract address.
pub const PREFIX_RESOURCE: u8 = 0x02;
/// Prefix of the modules of a contract address.
pub const PREFIX_MODULE: u8 = 0x03;
/// Prefix of the fields that contracts keep in an object.
pub const PREFIX_CONTRACT_FIELD: u8 = 0x04;
/// The one key of the object's [`Meta`](super::Meta).
pub const META_KEY: [u8; 1] = [0x05];
/// Prefix of account nonces, in the root object of a namespace only.
pub const PREFIX_ACCOUNT: u8 = 0x06;

/// Length of the hash before the key in [`KeyLayout::Hashed`].
const HASH_BYTES: usize = 16;

/// How field and child keys stand in the trie; fixed when the object is created.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum KeyLayout {
	/// The raw key. Pages come in key order and prefixes work.
	Raw,
	/// `blake2_128(key) ++ key`. Strangers who choose keys cannot lengthen a victim's proof; pages come in hash order.
	Hashed,
}

impl KeyLayout {
	fn trie_key(self, prefix: u8, key: &[u8]) -> Vec<u8> {
		let mut out = Vec::with_capacity(1 + HASH_BYTES + key.len());
		out.push(prefix);
		if self == Self::Hashed {
			out.extend_from_slice(&blake2_128(key));
		}
		out.extend_from_slice(key);
		out
	}
}

/// The trie key of a field.
pub fn field_key(layout: KeyLayout, key: &Key) -> Vec<u8> {
	layout.trie_key(PREFIX_FIELD, key.as_slice())
}

/// The trie key of a field that contracts keep in an object.
pub fn contract_field_key(layout: KeyLayout, key: &Key) -> Vec<u8> {
	layout.trie_key(PREFIX_CONTRACT_FIELD, key.as_slice())
}

/// The trie key of a child's entry.
pub fn child_key(layout: KeyLayout, key: &Key) -> Vec<u8> {
	layout.trie_key(PREFIX_CHILD, key.as_slice())
}

/// The trie key of an account's nonce.
pub fn account_key(layout: KeyLayout, account: &AccountId) -> Vec<u8> {
	let bytes: &[u8; 32] = account.as_ref();
	layout.trie_key(PREFIX_ACCOUNT, bytes)
}

/// The trie key of a resource, from the BCS form of its type. The same in both layouts: it is a hash already.
pub fn resource_key(type_tag: &[u8]) -> Vec<u8> {
	hashed_key(PREFIX_RESOURCE, type_tag)
}

/// The trie key of a module, from its name. The same in both layouts.
pub fn module_key(name: &[u8]) -> Vec<u8> {
	hashed_key(PREFIX_MODULE, name)
}

fn hashed_key(prefix: u8, preimage: &[u8]) -> Vec<u8> {
	let mut out = Vec::with_capacity(1 + 32);
	out.push(prefix);
	out.extend_from_slice(&blake2_256(preimage));
	out
}

/// The key that a trie key with `prefix` stands for; `None` if it is not one in this layout.
pub fn raw_key(layout: KeyLayout, prefix: u8, trie_key: &[u8]) -> Option<Key> {
	let rest = trie_key.strip_prefix(&[prefix])?;
	let key = match layout {
		KeyLayout::Raw => rest,
		KeyLayout::Hashed => {
			let (hash, key) = rest.split_at_checked(HASH_BYTES)?;
			(hash == blake2_128(key)).then_some(key)?
		},
	};
	Key::try_from(key).ok()
}
