//! Bytes and what is made of them: keys, ids, accounts, paths; and numbers that are too large for JSON readers.

use alloc::{borrow::ToOwned, string::String, vec::Vec};
use core::{fmt, ops::Deref};
use dstp_primitives::{Key, ObjectId, Path};
use serde::{
	de::{Error, SeqAccess, Visitor},
	Deserialize, Deserializer, Serialize, Serializer,
};

/// Largest number that every JSON reader keeps exact.
const MAX_EXACT: u64 = (1 << 53) - 1;

/// Bytes as `0x` and hex digits.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Bytes(pub Vec<u8>);

impl Deref for Bytes {
	type Target = [u8];

	fn deref(&self) -> &[u8] {
		&self.0
	}
}

impl From<&Key> for Bytes {
	fn from(key: &Key) -> Self {
		Self(key.as_slice().to_vec())
	}
}

impl Serialize for Bytes {
	fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
		serializer.serialize_str(&hex(&self.0))
	}
}

impl<'de> Deserialize<'de> for Bytes {
	fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
		struct HexVisitor;
		impl Visitor<'_> for HexVisitor {
			type Value = Bytes;

			fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
				f.write_str("bytes as 0x and hex digits")
			}

			fn visit_str<E: Error>(self, text: &str) -> Result<Bytes, E> {
				let digits =
					text.strip_prefix("0x").ok_or_else(|| E::custom("bytes start with 0x"))?;
				hex::decode(digits)
					.map(Bytes)
					.map_err(|_| E::custom("bytes are an even number of hex digits after 0x"))
			}
		}
		deserializer.deserialize_str(HexVisitor)
	}
}

/// 32 bytes: a hash, an object id or an account.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bytes32(pub [u8; 32]);

impl Serialize for Bytes32 {
	fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
		serializer.serialize_str(&hex(&self.0))
	}
}

impl<'de> Deserialize<'de> for Bytes32 {
	fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
		let Bytes(bytes) = Bytes::deserialize(deserializer)?;
		bytes
			.try_into()
			.map(Self)
			.map_err(|_| D::Error::custom("a hash, object id or account has 32 bytes"))
	}
}

/// What an id looks like, for refusals.
const ID_FORM: &str = "an object id is 0x and 64 hex digits; dstp_resolve gives the id of a path";

/// An object's id as `0x` and 64 hex digits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ObjectId32(pub ObjectId);

impl Serialize for ObjectId32 {
	fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
		serializer.serialize_str(&hex(&self.0 .0))
	}
}

impl<'de> Deserialize<'de> for ObjectId32 {
	fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
		struct IdVisitor;
		impl Visitor<'_> for IdVisitor {
			type Value = ObjectId32;

			fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
				write!(f, "an object id: {ID_FORM}")
			}

			fn visit_str<E: Error>(self, text: &str) -> Result<ObjectId32, E> {
				let id = fixed(text).ok_or_else(|| E::custom(ID_FORM))?;
				Ok(ObjectId32(ObjectId(id)))
			}
		}
		deserializer.deserialize_str(IdVisitor)
	}
}

/// Reads `0x` and 64 hex digits.
pub(crate) fn fixed(text: &str) -> Option<[u8; 32]> {
	let mut bytes = [0; 32];
	hex::decode_to_slice(text.strip_prefix("0x")?, &mut bytes).ok()?;
	Some(bytes)
}

/// An application's bytes, also as text where they are UTF-8.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Text {
	/// `0x` and hex digits.
	pub hex: String,
	/// The same bytes as UTF-8.
	pub text: Option<String>,
}

impl From<&[u8]> for Text {
	fn from(bytes: &[u8]) -> Self {
		Self { hex: hex(bytes), text: core::str::from_utf8(bytes).ok().map(ToOwned::to_owned) }
	}
}

impl From<&Key> for Text {
	fn from(key: &Key) -> Self {
		key.as_slice().into()
	}
}

/// A u64, as a number where that is exact, else as decimal text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Number(pub u64);

impl Serialize for Number {
	fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
		match self.0 {
			exact if exact <= MAX_EXACT => serializer.serialize_u64(exact),
			large => serializer.collect_str(&large),
		}
	}
}

impl<'de> Deserialize<'de> for Number {
	fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
		struct NumberVisitor;
		impl Visitor<'_> for NumberVisitor {
			type Value = Number;

			fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
				f.write_str("a whole number from 0 to 2^64 - 1, as a number or decimal text")
			}

			fn visit_u64<E: Error>(self, number: u64) -> Result<Number, E> {
				Ok(Number(number))
			}

			fn visit_str<E: Error>(self, text: &str) -> Result<Number, E> {
				text.parse().map(Number).map_err(|_| E::custom("not a decimal number below 2^64"))
			}
		}
		deserializer.deserialize_any(NumberVisitor)
	}
}

/// A path, as text (`/geo/DE`, keys percent-encoded) or as a list of keys. Written as text.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PathText(pub Path);

impl Serialize for PathText {
	fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
		serializer.collect_str(&self.0)
	}
}

impl<'de> Deserialize<'de> for PathText {
	fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
		struct PathVisitor;
		impl<'de> Visitor<'de> for PathVisitor {
			type Value = PathText;

			fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
				f.write_str("a path such as \"/geo/DE\", or a list of hex keys")
			}

			fn visit_str<E: Error>(self, text: &str) -> Result<PathText, E> {
				Path::parse(text).map(PathText).map_err(E::custom)
			}

			fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<PathText, A::Error> {
				let mut keys = Vec::new();
				while let Some(Bytes(key)) = list.next_element()? {
					keys.push(Key::new(key).map_err(A::Error::custom)?);
				}
				Path::new(keys).map(PathText).map_err(A::Error::custom)
			}
		}
		deserializer.deserialize_any(PathVisitor)
	}
}

/// A u64 field as [`Number`], for `#[serde(with)]`.
pub mod number {
	use super::Number;
	use serde::{Deserialize, Deserializer, Serialize, Serializer};

	/// Writes a [`Number`].
	pub fn serialize<S: Serializer>(number: &u64, serializer: S) -> Result<S::Ok, S::Error> {
		Number(*number).serialize(serializer)
	}

	/// Reads a [`Number`].
	pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<u64, D::Error> {
		Number::deserialize(deserializer).map(|number| number.0)
	}
}

/// `0x` and hex digits.
pub fn hex(bytes: &[u8]) -> String {
	let mut text = String::with_capacity(2 + 2 * bytes.len());
	text.push_str("0x");
	text.push_str(&hex::encode(bytes));
	text
}
