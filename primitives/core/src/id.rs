//! Names of objects: ids, keys and paths.

use alloc::{string::String, vec::Vec};
use codec::{Decode, DecodeWithMemTracking, Encode, Error as CodecError, Input, MaxEncodedLen};
use core::{
	fmt,
	hash::{Hash, Hasher},
};
use percent_encoding::{percent_decode_str, percent_encode, AsciiSet, NON_ALPHANUMERIC};
use scale_info::TypeInfo;
use sp_core::{bounded::BoundedVec, ConstU32, H256};
use sp_crypto_hashing::blake2_256;

/// An account: a public key (sr25519, ed25519) or the blake2-256 of one (ecdsa), as everywhere in Substrate.
pub type AccountId = sp_core::crypto::AccountId32;

/// The root hash of one object's trie (layout V1, blake2-256).
pub type StateRoot = H256;

/// Longest field or child key, in bytes. Longer keys would make proofs of a victim's neighbours expensive.
pub const MAX_KEY_BYTES: u32 = 64;

/// Deepest object below the root of its namespace; the root itself has depth 0.
///
/// Every change walks from the object to the root, so this bounds the cost of one change.
pub const MAX_DEPTH: u32 = 8;

/// Most namespaces that one path may cross. With [`MAX_DEPTH`] it bounds the length of a path.
pub const MAX_NAMESPACES: u32 = 4;

/// Most keys in a path from the global root.
pub const MAX_PATH_KEYS: u32 = MAX_DEPTH * MAX_NAMESPACES;

const ID_TAG: &[u8] = b"dstp/object/v1";

/// The name of an object everywhere: 32 bytes, derived from its parent and its key in the parent.
///
/// The global root is 32 zero bytes. An id comes back when an object is removed and created again; what must not be
/// replayed binds an epoch too.
#[derive(
	Clone,
	Copy,
	Default,
	PartialEq,
	Eq,
	PartialOrd,
	Ord,
	Hash,
	Encode,
	Decode,
	DecodeWithMemTracking,
	MaxEncodedLen,
	TypeInfo,
)]
pub struct ObjectId(pub [u8; 32]);

impl ObjectId {
	/// The root of the global tree.
	pub const ROOT: Self = Self([0; 32]);

	/// The id of the child that stands below `self` under `key`: `blake2_256("dstp/object/v1" ++ self ++ key)`.
	pub fn child(&self, key: &Key) -> Self {
		let mut input = Vec::with_capacity(ID_TAG.len() + 32 + key.len());
		input.extend_from_slice(ID_TAG);
		input.extend_from_slice(&self.0);
		input.extend_from_slice(key.as_slice());
		Self(blake2_256(&input))
	}

	/// The id at the end of `path`, by derivation alone: it says nothing about existence.
	pub fn descendant(&self, path: &Path) -> Self {
		path.keys().iter().fold(*self, |id, key| id.child(key))
	}
}

impl fmt::Debug for ObjectId {
	fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
		fmt::Display::fmt(self, f)
	}
}

impl fmt::Display for ObjectId {
	fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
		f.write_str("0x")?;
		self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
	}
}

/// Why bytes are not a key.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum KeyError {
	/// A key has at least one byte.
	Empty,
	/// A key has at most [`MAX_KEY_BYTES`] bytes.
	TooLong,
}

impl fmt::Display for KeyError {
	fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
		match self {
			Self::Empty => f.write_str("a key is empty; keys have 1 to 64 bytes"),
			Self::TooLong => f.write_str("a key is longer than 64 bytes"),
		}
	}
}

impl core::error::Error for KeyError {}

/// The key of a field or child inside an object: 1 to 64 raw bytes.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Encode, MaxEncodedLen, TypeInfo)]
pub struct Key(BoundedVec<u8, ConstU32<MAX_KEY_BYTES>>);

impl Key {
	/// Checks the length of `bytes`.
	pub fn new(bytes: impl Into<Vec<u8>>) -> Result<Self, KeyError> {
		let bytes = BoundedVec::try_from(bytes.into()).map_err(|_| KeyError::TooLong)?;
		if bytes.is_empty() {
			return Err(KeyError::Empty);
		}
		Ok(Self(bytes))
	}

	/// The raw bytes.
	pub fn as_slice(&self) -> &[u8] {
		&self.0
	}

	/// Length in bytes, 1 to 64.
	#[allow(clippy::len_without_is_empty)]
	pub fn len(&self) -> usize {
		self.0.len()
	}
}

impl Decode for Key {
	fn decode<I: Input>(input: &mut I) -> Result<Self, CodecError> {
		let bytes = BoundedVec::<u8, ConstU32<MAX_KEY_BYTES>>::decode(input)?;
		if bytes.is_empty() {
			return Err("a key is empty".into());
		}
		Ok(Self(bytes))
	}
}

impl DecodeWithMemTracking for Key {}

// Written out because `BoundedVec` has no `Hash` without std.
impl Hash for Key {
	fn hash<H: Hasher>(&self, state: &mut H) {
		self.as_slice().hash(state)
	}
}

impl TryFrom<&[u8]> for Key {
	type Error = KeyError;
	fn try_from(bytes: &[u8]) -> Result<Self, KeyError> {
		Self::new(bytes)
	}
}

impl TryFrom<&str> for Key {
	type Error = KeyError;
	fn try_from(text: &str) -> Result<Self, KeyError> {
		Self::new(text.as_bytes())
	}
}

impl fmt::Debug for Key {
	fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
		fmt::Display::fmt(self, f)
	}
}

/// Everything but unreserved characters is escaped, so that a key with `/` stays one key.
const ESCAPED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.').remove(b'~');

impl fmt::Display for Key {
	fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
		write!(f, "{}", percent_encode(&self.0, ESCAPED))
	}
}

/// Why a text or list is not a path.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum PathError {
	/// A text path starts with `/`.
	NotAbsolute,
	/// One of the keys is not a key.
	Key(KeyError),
	/// A `%` is not followed by two hex digits.
	Escape,
	/// More than [`MAX_PATH_KEYS`] keys.
	TooDeep,
}

impl fmt::Display for PathError {
	fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
		match self {
			Self::NotAbsolute => f.write_str("a path starts with '/'; the root is '/'"),
			Self::Key(error) => fmt::Display::fmt(error, f),
			Self::Escape => f.write_str(
				"a '%' in a path is followed by two hex digits; write '%25' for the sign itself",
			),
			Self::TooDeep => f.write_str("a path has at most 32 keys"),
		}
	}
}

impl core::error::Error for PathError {}

/// Child keys from some root down to an object. Empty: the root itself.
///
/// As text: `/geo/DE/BE`, each key percent-encoded, the root `/`.
#[derive(
	Clone,
	Default,
	PartialEq,
	Eq,
	PartialOrd,
	Ord,
	Encode,
	Decode,
	DecodeWithMemTracking,
	MaxEncodedLen,
	TypeInfo,
)]
pub struct Path(BoundedVec<Key, ConstU32<MAX_PATH_KEYS>>);

impl Path {
	/// Takes a list of keys, outermost first.
	pub fn new(keys: Vec<Key>) -> Result<Self, PathError> {
		BoundedVec::try_from(keys).map(Self).map_err(|_| PathError::TooDeep)
	}

	/// Reads a text such as `/geo/DE/BE`. A trailing `/` is refused as an empty key.
	pub fn parse(text: &str) -> Result<Self, PathError> {
		let rest = text.strip_prefix('/').ok_or(PathError::NotAbsolute)?;
		if rest.is_empty() {
			return Ok(Self::default());
		}
		let keys = rest
			.split('/')
			.take(MAX_PATH_KEYS as usize + 1)
			.map(parse_key)
			.collect::<Result<Vec<_>, _>>()?;
		Self::new(keys)
	}

	/// The keys, outermost first.
	pub fn keys(&self) -> &[Key] {
		&self.0
	}

	/// This path and one more key.
	pub fn join(&self, key: Key) -> Result<Self, PathError> {
		let mut keys = self.0.clone();
		keys.try_push(key).map_err(|_| PathError::TooDeep)?;
		Ok(Self(keys))
	}
}

fn parse_key(text: &str) -> Result<Key, PathError> {
	let well_escaped = text.split('%').skip(1).all(|rest| {
		let digits = rest.as_bytes();
		digits.len() >= 2 && digits[..2].iter().all(u8::is_ascii_hexdigit)
	});
	if !well_escaped {
		return Err(PathError::Escape);
	}
	Key::new(percent_decode_str(text).collect::<Vec<u8>>()).map_err(PathError::Key)
}

impl Hash for Path {
	fn hash<H: Hasher>(&self, state: &mut H) {
		self.keys().hash(state)
	}
}

impl fmt::Debug for Path {
	fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
		fmt::Display::fmt(self, f)
	}
}

impl fmt::Display for Path {
	fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
		if self.0.is_empty() {
			return f.write_str("/");
		}
		self.0.iter().try_for_each(|key| write!(f, "/{key}"))
	}
}

impl core::str::FromStr for Path {
	type Err = PathError;
	fn from_str(text: &str) -> Result<Self, PathError> {
		Self::parse(text)
	}
}

impl From<Path> for String {
	fn from(path: Path) -> String {
		alloc::format!("{path}")
	}
}
