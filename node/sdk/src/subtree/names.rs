//! How a user names a subtree.

use dstp_primitives::{ObjectId, Path};
use std::str::FromStr;

/// A subtree by its path from the root (`/geo`, keys percent-encoded) or by its id (`0x` and 64 hex digits).
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SubtreeName {
	/// By path.
	Path(Path),
	/// By id.
	Id(ObjectId),
}

impl SubtreeName {
	/// The id of its root object.
	pub fn id(&self) -> ObjectId {
		match self {
			Self::Path(path) => ObjectId::ROOT.descendant(path),
			Self::Id(id) => *id,
		}
	}
}

impl FromStr for SubtreeName {
	type Err = String;

	fn from_str(text: &str) -> Result<Self, String> {
		let Some(digits) = text.strip_prefix("0x") else {
			let path: Path = text
				.parse()
				.map_err(|error| format!("{error}, or an id of 0x and 64 hex digits"))?;
			if path.keys().is_empty() {
				return Err("the root of the tree is the hub's own; name an object below it".into());
			}
			return Ok(Self::Path(path));
		};
		let mut id = [0; 32];
		hex::decode_to_slice(digits, &mut id)
			.map_err(|_| "an id is 0x and 64 hex digits".to_string())?;
		Ok(Self::Id(ObjectId(id)))
	}
}

#[cfg(test)]
mod tests {
	use super::*;

	#[test]
	fn a_path_and_its_id_name_the_same_subtree() {
		let by_path: SubtreeName = "/geo/DE".parse().unwrap();
		let by_id: SubtreeName = by_path.id().to_string().parse().unwrap();
		assert_eq!(by_path.id(), by_id.id());
	}

	#[test]
	fn other_texts_are_refused() {
		for text in ["", "/", "geo", "0x12", "/geo//x", "/%zz", "0xzz"] {
			assert!(text.parse::<SubtreeName>().is_err(), "{text}");
		}
	}
}
