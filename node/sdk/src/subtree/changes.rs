//! What a head changed, object by object.

use dstp_primitives::{
	object::{raw_key, KeyLayout, META_KEY, PREFIX_FIELD},
	Key, Meta, ObjectId, Path, StateRoot,
};
use dstp_subtree::{ReadError, Reader, SealedBatch};

/// Most bytes of keys and values that one piece of news lists. More, such as a large removal, is told as "everything may have
/// changed": a subscriber reads pages then.
const MAX_LISTED_BYTES: usize = 1024 * 1024;

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
	pub fn everything(reader: &Reader) -> Option<Self> {
		let view = reader.object(&reader.identity().subtree, None).ok()??;
		Some(Self::Everything { seq: view.seq, root: view.root })
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
	let size = |((_, key), value): (&(ObjectId, Vec<u8>), &Option<Vec<u8>>)| {
		ENTRY_BYTES + key.len() + value.as_ref().map_or(0, Vec::len)
	};
	if batch.changed.iter().map(size).sum::<usize>() > MAX_LISTED_BYTES {
		return Ok(None);
	}
	let mut objects = Vec::new();
	let mut pairs = batch.changed.iter().peekable();
	while let Some(((object, _), _)) = pairs.peek() {
		let object = *object;
		let of_object = std::iter::from_fn(|| pairs.next_if(|((of, _), _)| *of == object));
		let written: Vec<_> = of_object.map(|((_, key), value)| (&key[..], value)).collect();
		objects.extend(object_change(reader, object, batch.head.seq, &written)?);
	}
	Ok(Some(objects))
}

/// `None` if nothing of the object itself changed: its parents hold its new root, and the subtree's root object counts calls.
fn object_change(
	reader: &Reader,
	object: ObjectId,
	seq: u64,
	written: &[(&[u8], &Option<Vec<u8>>)],
) -> Result<Option<ObjectChange>, ReadError> {
	let meta = written.iter().find(|(key, _)| *key == META_KEY).map(|(_, value)| *value);
	let is_field = |key: &[u8]| key.first() == Some(&PREFIX_FIELD);
	let mut fields = written.iter().filter(|(key, _)| is_field(key)).peekable();
	if meta.is_none() && fields.peek().is_none() {
		return Ok(None);
	}
	let Some(path) = reader.path(&object)? else { return Ok(None) };
	let layout = layout(reader, object, seq, meta)?;
	// Without the tag.
	let value = |bytes: &Option<Vec<u8>>| Some(bytes.as_ref()?.get(1..)?.to_vec());
	let fields =
		fields.filter_map(|(key, bytes)| Some((raw_key(layout, PREFIX_FIELD, key)?, value(bytes))));
	let mut line = vec![reader.identity().subtree];
	line.extend(path.keys().iter().scan(reader.identity().subtree, |at, key| {
		*at = at.child(key);
		Some(*at)
	}));
	let exists = !matches!(meta, Some(None));
	Ok(Some(ObjectChange { line, fields: fields.collect(), path, exists }))
}

/// How the object's keys stand in its trie, by what was written or by the heads at hand.
fn layout(
	reader: &Reader,
	object: ObjectId,
	seq: u64,
	meta: Option<&Option<Vec<u8>>>,
) -> Result<KeyLayout, ReadError> {
	let meta = match meta {
		Some(Some(bytes)) => Meta::from_value(bytes).ok(),
		Some(None) => {
			reader.object(&object, Some(seq.saturating_sub(1))).ok().flatten().map(|view| view.meta)
		},
		None => reader.object(&object, Some(seq))?.map(|view| view.meta),
	};
	// An object that came and went within the batch: nobody has seen its fields.
	Ok(meta.map_or(KeyLayout::Raw, |meta| meta.flags.key_layout()))
}
