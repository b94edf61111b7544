//! Flags that several verbs share, and how bytes are written on the command line.

use clap::builder::TypedValueParser;
use dstp_primitives::{
	object::Value,
	proof::{PageKind, PageQuery},
	tree::{PageRequest, MAX_PAGE_LIMIT},
	Key,
};
use sc_cli::CryptoScheme;
use std::str::FromStr;

/// Which node to ask, and how to print its answer.
#[derive(Debug, clap::Args)]
pub struct NodeArgs {
	/// RPC address of the node to ask
	#[arg(long, value_name = "URL", default_value = DEFAULT_URL, global = true)]
	pub url: String,

	/// Print one JSON object instead of text
	#[arg(long, global = true)]
	pub json: bool,
}

/// Times to wait, in seconds: a day at most, which every clock can add.
pub(super) fn wait_seconds() -> impl TypedValueParser<Value = u64> {
	clap::value_parser!(u64).range(0..=24 * 60 * 60)
}

/// Where a node listens that was started without a port.
pub(super) const DEFAULT_URL: &str = "ws://127.0.0.1:9944";

/// Who signs.
#[derive(Debug, clap::Args)]
pub struct SignerArgs {
	/// Secret of the account that signs: //Alice, a phrase or a seed, perhaps with ///password; the name of a file that
	/// holds one; or '-' for the first line of the standard input. Without it: the environment variable DSTP_SURI, or else
	/// a question at the terminal
	#[arg(long, value_name = "SURI", global = true)]
	pub suri: Option<String>,

	/// Kind of the key
	#[arg(long, value_name = "KIND", value_enum, ignore_case = true,
		default_value_t = CryptoScheme::Sr25519, global = true)]
	pub scheme: CryptoScheme,
}

/// A page of fields or children.
#[derive(Debug, clap::Args)]
pub struct PageArgs {
	/// List the fields or the children
	#[arg(long, value_name = "WHAT", value_enum)]
	pub list: Option<ListKind>,

	/// Only keys that start with this (text, or 0x and hex)
	#[arg(long, value_name = "BYTES", requires = "list")]
	pub prefix: Option<BytesArg>,

	/// Only keys after this one, as the page before gave it
	#[arg(long, value_name = "KEY", requires = "list")]
	pub cursor: Option<KeyArg>,

	/// Most entries
	#[arg(long, value_name = "N", default_value_t = 100, requires = "list",
		value_parser = clap::value_parser!(u32).range(1..=MAX_PAGE_LIMIT as i64))]
	pub limit: u32,
}

impl PageArgs {
	/// The page as a question, if one is wanted.
	pub(super) fn query(&self) -> Option<PageQuery> {
		let kind = match self.list? {
			ListKind::Fields => PageKind::Fields,
			ListKind::Children => PageKind::Children,
		};
		let request = PageRequest {
			prefix: self.prefix.clone().map(|prefix| prefix.0).unwrap_or_default(),
			cursor: self.cursor.clone().map(|cursor| cursor.0),
			limit: self.limit,
		};
		Some(PageQuery { kind, request })
	}
}

/// What to list.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum ListKind {
	/// Fields
	Fields,
	/// Children
	Children,
}

/// Bytes: text as it is, or `0x` and hex digits.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BytesArg(pub Vec<u8>);

impl FromStr for BytesArg {
	type Err = String;

	fn from_str(text: &str) -> Result<Self, String> {
		match text.strip_prefix("0x") {
			None => Ok(Self(text.as_bytes().to_vec())),
			Some(digits) => hex::decode(digits).map(Self).map_err(|_| {
				format!(
					"after 0x comes an even number of hex digits; the text '{text}' itself is 0x{}",
					hex::encode(text)
				)
			}),
		}
	}
}

/// A key of a field or child, as [`BytesArg`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyArg(pub Key);

impl FromStr for KeyArg {
	type Err = String;

	fn from_str(text: &str) -> Result<Self, String> {
		let BytesArg(bytes) = text.parse()?;
		Key::new(bytes).map(Self).map_err(|error| error.to_string())
	}
}

/// A field and its value: `key=value`, each as [`BytesArg`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FieldArg(pub Key, pub Value);

impl FromStr for FieldArg {
	type Err = String;

	fn from_str(text: &str) -> Result<Self, String> {
		let (key, value) = text.split_once('=').ok_or(
			"a field is given as key=value; a key that contains '=' is written as 0x and hex",
		)?;
		let (KeyArg(key), BytesArg(value)) = (key.parse()?, value.parse()?);
		let value = Value::try_from(value).map_err(|_| {
			format!("the value has more than {} bytes", dstp_primitives::object::MAX_VALUE_BYTES)
		})?;
		Ok(Self(key, value))
	}
}

#[cfg(test)]
mod tests {
	use super::*;

	#[test]
	fn bytes_are_text_or_hex() {
		assert_eq!("0x00fF".parse(), Ok(BytesArg(vec![0, 255])));
		assert_eq!("x00".parse(), Ok(BytesArg(b"x00".to_vec())));
		let refused = "0xyz".parse::<BytesArg>().unwrap_err();
		assert!(refused.contains("0x3078797a"), "says how to write the text itself: {refused}");
	}

	#[test]
	fn a_field_is_split_at_its_first_equals_sign() {
		let FieldArg(key, value) = "a=b=c".parse().unwrap();
		assert_eq!((key.as_slice(), &value[..]), (&b"a"[..], &b"b=c"[..]));
		let FieldArg(key, value) = "0x613d=".parse().unwrap();
		assert_eq!((key.as_slice(), &value[..]), (&b"a="[..], &b""[..]));
		let long = format!("{}=", "k".repeat(65));
		let large = format!("a={}", "v".repeat(16 * 1024 + 1));
		for (text, reason) in
			[("a", "key=value"), ("=b", "empty"), (&long, "64 bytes"), (&large, "16384 bytes")]
		{
			let refused = text.parse::<FieldArg>().unwrap_err();
			assert!(refused.contains(reason), "{refused}");
		}
	}

	#[test]
	fn nobody_waits_longer_than_a_day() {
		#[derive(clap::Parser)]
		struct Verb {
			#[arg(long, value_parser = wait_seconds())]
			timeout: u64,
		}
		let parse =
			|timeout: &str| <Verb as clap::Parser>::try_parse_from(["verb", "--timeout", timeout]);
		assert_eq!(parse("86400").map(|verb| verb.timeout).ok(), Some(86_400));
		for refused in ["86401", "18446744073709551615"] {
			let error = parse(refused).err().map(|error| error.to_string()).unwrap_or_default();
			assert!(error.contains("0..=86400"), "{error}");
		}
	}
}
