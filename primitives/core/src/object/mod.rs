//! What one object's trie contains.
//!
//! Every object has one trie. Its keys start with a prefix that says who writes them, its values with a tag byte.
//!
//! | Prefix | Rest of the key | Value after the tag | Written by |
//! |---|---|---|---|
//! | `0x00` | field key | bytes, at most 16 KiB | raw field calls |
//! | `0x01` | child key | [`ChildEntry`] | the engine |
//! | `0x02` | blake2-256 of the type, in BCS | type and value of a resource, in BCS | contracts |
//! | `0x03` | blake2-256 of the name | [`ModuleEntry`](crate::contract::ModuleEntry) | contracts |
//! | `0x04` | field key | type and value of a contract's field, in BCS | contracts |
//! | `0x05` | - | [`Meta`] | the engine |
//! | `0x06` | account | nonce, u64 (only in what is or was the root of a namespace) | the engine |

mod entry;
mod key;
mod meta;
mod value;

pub use entry::{ChildEntry, HeadStatus, Location, ModeId, RemoteLocation, CHILD_ENTRY_VERSION};
pub use key::{
	account_key, child_key, contract_field_key, field_key, module_key, raw_key, resource_key,
	KeyLayout, META_KEY, PREFIX_ACCOUNT, PREFIX_CHILD, PREFIX_CONTRACT_FIELD, PREFIX_FIELD,
	PREFIX_MODULE, PREFIX_RESOURCE,
};
pub use meta::{Meta, ObjectFlags, ObjectType, Owner, TypeName};
pub(crate) use value::{decode_field_value, encode_field_value};
pub use value::{decode_value, encode_value, tag, Value, ValueError, MAX_VALUE_BYTES};
