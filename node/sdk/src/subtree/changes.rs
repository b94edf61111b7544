//! What a head changed, object by object.

use dstp_primitives::{
	object::{raw_key, KeyLayout, META_KEY, PREFIX_FIELD},
	Key, Meta, ObjectId, Path, StateRoot,
};
use dstp_subtree::{ReadError, Reader, SealedBatch};

/// Most bytes of keys and values that one piece of news lists, which are twice as many in JSON, held for each subscriber that reads
/// slowly. More, such as a large removal, is told as "everything may have changed": a subscriber reads pages then.
const MAX_LISTED_BYTES: usize = 256 * 1024;

/// Most objects that one piece of news lists. Each costs about a dozen reads, and while they are listed the engine takes no call:
/// these take a few hundredths of a second.
const MAX_LISTED_OBJECTS: usize = 512;

/// What an entry takes beside its key and value, in memory and as JSON.
const ENTRY_BYTES: usize = 128;

/// What subscribers of changes are told.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) enum StateNews {
	/// Anything may differ from what was there before.
	Everything { seq: u64, root: StateRoot },
	/// These objects changed.
	Changed { seq: u64, root: StateRoot, objects: Vec<ObjectChange> },
}

/// One object that a batch wrote to.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct ObjectChange {
	/// From the subtree's root object down to this one.
	pub line: Vec<ObjectId>,
	pub path: Path,
	/// `false`: it was removed.
	pub exists: bool,
	/// Fields that were written, with their values; `None`: removed. In the order of the object's trie.
	pub fields: Vec<(Key, Option<Vec<u8>>)>,
}

impl StateNews {
	/// The present state as a whole; `None` while there is none.
	///
	/// # Errors
	///
	/// [`ReadError`]: the state is here and cannot be read.
	pub fn everything(reader: &Reader) -> Result<Option<Self>, ReadError> {
		match reader.object(&reader.identity().subtree, None) {
			Ok(view) => Ok(view.map(|view| Self::Everything { seq: view.seq, root: view.root })),
			Err(ReadError::NotSynced) => Ok(None),
			Err(error) => Err(error),
		}
	}

	/// What a batch that was stored just now changed.
	pub fn of_batch(batch: &SealedBatch, reader: &Reader) -> Self {
		let (seq, root) = (batch.head.seq, batch.head.state_root);
		match changed_objects(batch, reader) {
			Ok(Some(objects)) => Self::Changed { seq, root, objects },
			Ok(None) => Self::Everything { seq, root },
			Err(error) => {
				log::warn!(target: "dstp", "the changes of head {seq} cannot be listed: {error}");
				Self::Everything { seq, root }
			},
		}
	}

	pub fn seq(&self) -> u64 {
		match self {
			Self::Everything { seq, .. } | Self::Changed { seq, .. } => *seq,
		}
	}
}

/// The objects in their order; `None` if that is too much to list.
fn changed_objects(
	batch: &SealedBatch,
	reader: &Reader,
) -> Result<Option<Vec<ObjectChange>>, ReadError> {
	let size = |(key, value): (&Vec<u8>, &Option<Vec<u8>>)| {
		ENTRY_BYTES + key.len() + value.as_ref().map_or(0, Vec::len)
	};
	if batch.changed.values().flatten().map(size).sum::<usize>() > MAX_LISTED_BYTES {
		return Ok(None);
	}
	let mut objects = Vec::new();
	for (object, changes) in &*batch.changed {
		let written = Written::new(changes.iter().map(|(key, value)| (&key[..], value.as_deref())));
		if written.is_empty() {
			continue;
		}
		if objects.len() == MAX_LISTED_OBJECTS {
			return Ok(None);
		}
		objects.extend(object_change(reader, *object, batch.head.seq, written)?);
	}
	Ok(Some(objects))
}

/// What a batch wrote to one object itself. Its parents hold its new root, and the subtree's root object counts calls: that is no
/// change of theirs.
struct Written<'a> {
	/// Its facts: `None` untouched, `Some(None)` removed.
	meta: Option<Option<&'a [u8]>>,
	/// Trie keys of fields, and values with their tags.
	fields: Vec<(&'a [u8], Option<&'a [u8]>)>,
}

impl<'a> Written<'a> {
	fn new(pairs: impl Iterator<Item = (&'a [u8], Option<&'a [u8]>)>) -> Self {
		let mut written = Self { meta: None, fields: Vec::new() };
		for (key, value) in pairs {
			match key.first() {
				Some(&PREFIX_FIELD) => written.fields.push((key, value)),
				_ if key == META_KEY => written.meta = Some(value),
				_ => {},
			}
		}
		written
	}

	fn is_empty(&self) -> bool {
		self.meta.is_none() && self.fields.is_empty()
	}
}

/// `None` if nobody can have seen the object: it came and went within the batch.
fn object_change(
	reader: &Reader,
	object: ObjectId,
	seq: u64,
	written: Written<'_>,
) -> Result<Option<ObjectChange>, ReadError> {
	let Some(path) = reader.path(&object)? else { return Ok(None) };
	let (before, after) = layouts(reader, object, seq, &written)?;
	let field = |(key, value): &(&[u8], Option<&[u8]>)| {
		let layout = if value.is_some() { after } else { before };
		// Without the tag.
		let value = value.and_then(|bytes| bytes.get(1..)).map(<[u8]>::to_vec);
		Some((raw_key(layout, PREFIX_FIELD, key)?, value))
	};
	let fields = written.fields.iter().filter_map(field).collect();
	let mut line = vec![reader.identity().subtree];
	line.extend(path.keys().iter().scan(reader.identity().subtree, |at, key| {
		*at = at.child(key);
		Some(*at)
	}));
	let exists = !matches!(written.meta, Some(None));
	Ok(Some(ObjectChange { line, fields, path, exists }))
}

/// How the object's keys stood in its trie before the batch, for fields that went, and how they stand after it. They differ where
/// the object was removed and created again within the batch.
fn layouts(
	reader: &Reader,
	object: ObjectId,
	seq: u64,
	written: &Written<'_>,
) -> Result<(KeyLayout, KeyLayout), ReadError> {
	let at = |seq: u64| -> Result<Option<KeyLayout>, ReadError> {
		let view = reader.object(&object, Some(seq))?;
		Ok(view.map(|view| view.meta.flags.key_layout()))
	};
	let after = match written.meta {
		None => at(seq)?,
		Some(bytes) => {
			bytes.and_then(|bytes| Meta::from_value(bytes).ok()).map(|meta| meta.flags.key_layout())
		},
	};
	let lost_fields = written.fields.iter().any(|(_, value)| value.is_none());
	let before = match written.meta {
		Some(_) if lost_fields => at(seq.saturating_sub(1))?,
		_ => None,
	};
	// Without an object before it, what went had come within the batch.
	let after = after.or(before).unwrap_or(KeyLayout::Raw);
	Ok((before.unwrap_or(after), after))
}

#[cfg(test)]
mod tests {
	use super::*;
	use codec::Encode;
	use dstp_primitives::{
		batch::HubPin,
		call::{Call, CallPayload, SignedCall},
		signature::Signature,
		tree::NewObject,
		ObjectFlags, ObjectType, Owner, Value,
	};
	use dstp_subtree::{Engine, EngineOptions, Genesis, HeadNews, Role, SubtreeIdentity, Watcher};
	use sp_keyring::Sr25519Keyring::Alice;
	use std::sync::{Arc, Mutex};

	/// Keeps what subscribers would be told.
	#[derive(Default)]
	struct Told(Mutex<Vec<StateNews>>);

	impl Watcher for Told {
		fn on_news(&self, news: HeadNews<'_>, reader: &Reader) {
			if let HeadNews::Batch(batch) = news {
				self.0.lock().unwrap().push(StateNews::of_batch(batch, reader));
			}
		}
	}

	struct World {
		engine: Engine,
		told: Arc<Told>,
		nonce: u64,
		_folder: tempfile::TempDir,
	}

	impl World {
		fn new() -> Self {
			let folder = tempfile::tempdir().unwrap();
			let identity = SubtreeIdentity {
				genesis: Default::default(),
				subtree: ObjectId([7; 32]),
				epoch: 1,
			};
			let owner = Owner::Account(Alice.to_account_id());
			let genesis = Genesis::Empty { owner, object: NewObject::default() };
			let told = Arc::new(Told::default());
			let options = EngineOptions { watcher: told.clone(), ..Default::default() };
			let engine =
				Engine::open(folder.path(), identity, genesis, Role::Serve, options).unwrap();
			Self { engine, told, nonce: 0, _folder: folder }
		}

		fn call(&mut self, call: Call) {
			let SubtreeIdentity { genesis, subtree, epoch } = self.engine.reader().identity();
			let payload = CallPayload {
				genesis,
				subtree,
				epoch,
				signer: Alice.to_account_id(),
				nonce: self.nonce,
				valid_until: 100,
				call,
			};
			self.nonce += 1;
			let signature = Signature::from(Alice.sign(&payload.signing_bytes()));
			let signed = SignedCall { payload, signature }.encode();
			let pin = HubPin { number: 1, ..Default::default() };
			self.engine.submit(&signed, pin, 1_000).unwrap();
		}

		/// What is told of the calls since the last head.
		fn seal(&mut self) -> StateNews {
			self.engine.seal_now().unwrap();
			self.told.0.lock().unwrap().pop().unwrap()
		}

		fn create(&mut self, name: &str, flags: ObjectFlags) {
			let (parent, key) = (Path::parse("/").unwrap(), Key::try_from(name).unwrap());
			self.call(Call::Create { parent, key, object_type: ObjectType::Plain, flags });
		}

		fn set(&mut self, object: &str, names: &[&str]) {
			let value = || Value::try_from(b"v".to_vec()).unwrap();
			let fields: Vec<_> =
				names.iter().map(|name| (Key::try_from(*name).unwrap(), value())).collect();
			let object = Path::parse(object).unwrap();
			self.call(Call::SetFields { object, fields: fields.try_into().unwrap() });
		}
	}

	fn names(fields: &[(Key, Option<Vec<u8>>)], written: bool) -> Vec<String> {
		let mut names: Vec<_> = fields
			.iter()
			.filter(|(_, value)| value.is_some() == written)
			.map(|(key, _)| String::from_utf8(key.as_slice().to_vec()).unwrap())
			.collect();
		names.sort();
		names
	}

	#[test]
	fn an_object_that_comes_again_with_other_keys_is_told_whole() {
		for hashed_first in [true, false] {
			let mut world = World::new();
			let flags = |hashed: bool| match hashed {
				true => ObjectFlags::hashed_keys(),
				false => ObjectFlags::default(),
			};
			world.create("o", flags(hashed_first));
			world.set("/o", &["a", "a name of more than sixteen bytes"]);
			world.seal();
			world.call(Call::RemoveRecursive { object: Path::parse("/o").unwrap() });
			world.create("o", flags(!hashed_first));
			world.set("/o", &["c"]);
			let StateNews::Changed { objects, .. } = world.seal() else { panic!("few changes") };
			let change = objects.iter().find(|change| change.path.to_string() == "/o").unwrap();
			assert!(change.exists);
			let gone = names(&change.fields, false);
			assert_eq!(gone, ["a", "a name of more than sixteen bytes"], "{hashed_first}");
			assert_eq!(names(&change.fields, true), ["c"]);
		}
	}

	#[test]
	fn many_objects_are_told_as_everything() {
		let mut world = World::new();
		for number in 0..MAX_LISTED_OBJECTS - 1 {
			world.create(&format!("object {number}"), ObjectFlags::default());
		}
		// The root object has a new number of children, so it is among them.
		assert!(
			matches!(world.seal(), StateNews::Changed { objects, .. } if objects.len() == MAX_LISTED_OBJECTS)
		);
		for number in 0..MAX_LISTED_OBJECTS {
			world.create(&format!("more {number}"), ObjectFlags::default());
		}
		assert!(matches!(world.seal(), StateNews::Everything { seq: 2, .. }));
	}
}
