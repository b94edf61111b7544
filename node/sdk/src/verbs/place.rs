//! Where a path leads: into the hub's own state or into a remote subtree.

use super::{node::Node, VerbError};
use crate::global_tree::{LocationJson, PresenceJson};
use dstp_primitives::{Key, ObjectId, Path};

/// Where a path leads.
pub(super) enum Place {
	/// There is nothing.
	Absent,
	/// The hub holds the object.
	Hosted,
	/// To or into a remote subtree.
	Remote(Remote),
}

/// A path that reaches or enters a remote subtree.
pub(super) struct Remote {
	/// Its root object.
	pub subtree: ObjectId,
	/// The path from the root of the tree to it.
	pub above: Path,
	/// The rest of the path.
	pub inside: Path,
	/// Its registration.
	pub epoch: u64,
}

/// Asks the node where `path` leads.
pub(super) async fn find(node: &Node, path: &Path) -> Result<Place, VerbError> {
	let resolved = node.resolve(path).await?;
	let (subtree, epoch) = match (resolved.presence, resolved.subtree, resolved.location) {
		(PresenceJson::Absent, ..) => return Ok(Place::Absent),
		(PresenceJson::Hosted, ..) => return Ok(Place::Hosted),
		(_, Some(subtree), Some(LocationJson::Remote { epoch, .. })) => (subtree.0, epoch),
		_ => return Err(bad_answer("a remote object without its subtree")),
	};
	let depth = depth_of(path, &subtree).ok_or_else(|| bad_answer("a subtree beside the path"))?;
	let (above, inside) = path.keys().split_at(depth);
	Ok(Place::Remote(Remote { subtree, above: part(above), inside: part(inside), epoch }))
}

fn bad_answer(reason: &str) -> VerbError {
	VerbError::BadAnswer { method: "dstp_resolve", reason: reason.into() }
}

/// How many keys of `path` lead to `object`.
fn depth_of(path: &Path, object: &ObjectId) -> Option<usize> {
	(0..=path.keys().len())
		.find(|depth| ObjectId::ROOT.descendant(&part(&path.keys()[..*depth])) == *object)
}

/// A path of some keys of another.
pub(super) fn part(keys: &[Key]) -> Path {
	Path::new(keys.to_vec()).expect("a part of a path is a path; qed")
}

/// The path of the object above, and the last key; `None` for the root.
pub(super) fn split_last(path: &Path) -> Option<(Path, Key)> {
	let (last, above) = path.keys().split_last()?;
	Some((part(above), last.clone()))
}
