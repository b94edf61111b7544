//! How answers look to people.

use crate::output;
use dstp_primitives::{
	mode::{poa::Poa, SecurityMode},
	object::{HeadStatus, Location, ModeId, ObjectType, Owner, RemoteLocation},
	proof::{Answer, ObjectAnswer, PageAnswer, Query},
	tree::Page,
	Key, Path, StateRoot,
};
use sp_core::crypto::Ss58Codec;
use std::fmt::Write;

/// Bytes as text where that is readable and cannot be taken for hex, else as `0x` and hex digits.
pub(super) fn bytes(bytes: &[u8]) -> String {
	match std::str::from_utf8(bytes) {
		Ok(text) if !text.starts_with("0x") && !text.chars().any(output::is_command) => text.into(),
		_ => format!("0x{}", hex::encode(bytes)),
	}
}

/// A 32-byte hash in full.
pub(super) fn hash(hash: impl AsRef<[u8]>) -> String {
	format!("0x{}", hex::encode(hash))
}

/// A sentence that starts with a small letter, to stand inside another.
pub(super) fn lower(sentence: &str) -> String {
	let mut letters = sentence.chars();
	letters.next().map_or_else(String::new, |first| first.to_lowercase().chain(letters).collect())
}

/// Names and values in two columns. Each value stays in its line: it may be foreign, and must not look like the next one.
pub(super) fn table<N: AsRef<str>>(rows: impl IntoIterator<Item = (N, String)>) -> String {
	let rows: Vec<_> = rows.into_iter().collect();
	let width = rows.iter().map(|(name, _)| name.as_ref().chars().count()).max().unwrap_or(0);
	let mut text = String::new();
	for (name, value) in rows {
		// Writing to a string cannot fail.
		let value = output::printable_line(&value);
		let _ = writeln!(text, "  {:<width$}  {value}", name.as_ref());
	}
	text.truncate(text.trim_end().len());
	text
}

/// A remote location in words.
pub(super) fn remote(location: &RemoteLocation) -> String {
	let mode = match &location.mode {
		ModeId::Native(id) if *id == Poa::ID => "PoA".into(),
		ModeId::Native(id) => format!("mode {id}"),
		ModeId::Contract { address, module } => {
			format!("mode {}::{}", hash(address), bytes(module))
		},
	};
	let status = match location.status {
		HeadStatus::Initial => "no head yet".into(),
		HeadStatus::Pending { until } => format!("pending until block {until}"),
		HeadStatus::Challenged => "challenged".into(),
		HeadStatus::Final => "final".into(),
		HeadStatus::Closed => "closed".into(),
	};
	format!(
		"{mode}, epoch {}, era {}, head {}, {status}",
		location.epoch, location.era, location.seq
	)
}

/// What a proof says, line by line.
pub(super) fn answer(path: &Path, query: &Query, answer: &Answer) -> String {
	let mut rows = Vec::new();
	for (hop, depth) in answer.hops.iter().zip(1..) {
		if let Location::Remote(location) = &hop.entry.location {
			let above = super::place::part(&path.keys()[..depth]);
			rows.push((
				format!("through {above}"),
				format!("remote subtree: {}", remote(location)),
			));
		}
	}
	match &answer.object {
		None => rows.push((format!("object {path}"), "does not exist, proven".into())),
		Some(object) => object_rows(&mut rows, query, object),
	}
	table(rows)
}

fn object_rows(rows: &mut Vec<(String, String)>, query: &Query, object: &ObjectAnswer) {
	let meta = &object.meta;
	rows.push(("id".into(), object.object.to_string()));
	rows.push((
		"owner".into(),
		match &meta.owner {
			Owner::System => "system".into(),
			Owner::Account(account) => account.to_ss58check(),
			Owner::Shared => "shared".into(),
			Owner::Frozen => "frozen".into(),
		},
	));
	if let ObjectType::Named(name) = &meta.object_type {
		rows.push(("type".into(), bytes(name)));
	}
	rows.push((
		"has".into(),
		format!("{} fields, {} children, revision {}", meta.fields, meta.children, meta.revision),
	));
	let field = |key: &Key| format!("field {}", bytes(key.as_slice()));
	let child = |key: &Key| format!("child {}", bytes(key.as_slice()));
	for (key, value) in &object.fields {
		let value = value.as_ref().map_or("does not exist, proven".into(), |value| bytes(value));
		rows.push((field(key), value));
	}
	for (key, entry) in &object.children {
		let entry = entry.as_ref().map_or("does not exist, proven".into(), |entry| {
			child_entry(&entry.state_root, &entry.location)
		});
		rows.push((child(key), entry));
	}
	let next =
		match &object.page {
			None => return,
			Some(PageAnswer::Fields(Page { entries, next })) => {
				rows.extend(entries.iter().map(|(key, value)| (field(key), bytes(value))));
				next
			},
			Some(PageAnswer::Children(Page { entries, next })) => {
				rows.extend(entries.iter().map(|(key, entry)| {
					(child(key), child_entry(&entry.state_root, &entry.location))
				}));
				next
			},
		};
	let prefix = query.page.as_ref().map(|page| bytes(&page.request.prefix)).unwrap_or_default();
	let from = if prefix.is_empty() {
		String::new()
	} else {
		format!(" of those that start with {prefix}")
	};
	rows.push((
		"page".into(),
		match next {
			None => format!("nothing was left out{from} and nothing follows, proven"),
			Some(next) => {
				format!("nothing was left out{from}, proven; more after {}", bytes(next.as_slice()))
			},
		},
	));
}

fn child_entry(root: &StateRoot, location: &Location) -> String {
	match location {
		Location::WithParent => format!("root {}", hash(root)),
		Location::Remote(location) => {
			format!("remote subtree: {}, root {}", remote(location), hash(root))
		},
	}
}

#[cfg(test)]
mod tests {
	use super::*;

	#[test]
	fn bytes_read_as_they_are_written() {
		for (raw, text) in [
			(&b"Berlin"[..], "Berlin"),
			("Zürich".as_bytes(), "Zürich"),
			(b"0x12", "0x30783132"),
			(b"a\nb", "0x610a62"),
			("a\u{202e}b".as_bytes(), "0x61e280ae62"),
			(&[0xff], "0xff"),
			(b"", ""),
		] {
			assert_eq!(bytes(raw), text);
			assert_eq!(text.parse(), Ok(super::super::BytesArg(raw.to_vec())));
		}
	}

	#[test]
	fn a_table_has_aligned_columns() {
		let text = table([("a", "1".into()), ("long", String::new())]);
		assert_eq!(text, "  a     1\n  long");
		let foreign = table([("stopped", "no\n  hub head  7".into())]);
		assert_eq!(foreign, "  stopped  no\\n  hub head  7", "one value, one line");
	}
}
