//! Proofs from the node's own database.

use super::GlobalTreeError;
use crate::runtime::{ApiOf, BlockHash, BlockOf, FullClient, NodeRuntime};
use dstp_primitives::{
	api::ObjectTreeApi,
	object::{child_key, field_key, KeyLayout, META_KEY, PREFIX_CHILD, PREFIX_FIELD},
	proof::{PageKind, PageQuery, Proof, ProofError, Query, ReadError, TrustedRoot},
	tree::StorageError,
	trie::NodeSet,
	Key, Location, ObjectId, Path, StateRoot,
};
use sc_client_api::{ProofProvider, StorageProvider};
use sp_api::ProvideRuntimeApi;
use sp_core::storage::{ChildInfo, StorageKey};

/// Collects more trie nodes than the proof needs, along the paths to all keys that answering reads; [`Proof::make`] keeps
/// those that it uses.
struct Collector<'a, R: NodeRuntime> {
	client: &'a FullClient<R>,
	at: BlockHash,
	nodes: Vec<Vec<u8>>,
}

/// Proves `query` against the global root `root` of block `at`.
pub(super) fn prove<R: NodeRuntime>(
	client: &FullClient<R>,
	at: BlockHash,
	root: StateRoot,
	query: Query,
) -> Result<Proof, GlobalTreeError>
where
	ApiOf<R>: ObjectTreeApi<BlockOf<R>>,
{
	let mut collector = Collector::<R> { client, at, nodes: Vec::new() };
	let mut object = ObjectId::ROOT;
	let mut exists = true;
	for key in query.path.keys() {
		exists = collector.step(&object, key)?;
		object = object.child(key);
		if !exists {
			break;
		}
	}
	if exists {
		collector.describe(&object, &query)?;
	}
	let nodes = NodeSet::from_trusted(collector.nodes);
	match Proof::make(TrustedRoot::global(root), &nodes, query) {
		Ok((proof, _)) => Ok(proof),
		Err(ProofError::Read(ReadError::Storage(StorageError::MissingNode(_)))) => {
			Err(GlobalTreeError::Remote(object))
		},
		Err(error) => Err(GlobalTreeError::Proof(error)),
	}
}

/// Nodes that lead from the global root down `path`, with the entry of its last object. More than a proof needs.
pub(crate) fn hub_nodes<R: NodeRuntime>(
	client: &FullClient<R>,
	at: BlockHash,
	path: &Path,
) -> Result<Vec<Vec<u8>>, GlobalTreeError>
where
	ApiOf<R>: ObjectTreeApi<BlockOf<R>>,
{
	let mut collector = Collector::<R> { client, at, nodes: Vec::new() };
	let mut object = ObjectId::ROOT;
	for key in path.keys() {
		if !collector.step(&object, key)? {
			break;
		}
		object = object.child(key);
	}
	Ok(collector.nodes)
}

impl<R: NodeRuntime> Collector<'_, R>
where
	ApiOf<R>: ObjectTreeApi<BlockOf<R>>,
{
	/// Nodes from an object to its child's entry; whether there is such a child.
	fn step(&mut self, object: &ObjectId, key: &Key) -> Result<bool, GlobalTreeError> {
		let (trie, layout) = self.open(object)?;
		let keys = [META_KEY.to_vec(), child_key(layout, key)];
		self.collect(&trie, &keys)?;
		let child = self.client.runtime_api().object(self.at, object.child(key))?;
		Ok(child.is_some())
	}

	/// Nodes for everything that `query` asks of the object.
	fn describe(&mut self, object: &ObjectId, query: &Query) -> Result<(), GlobalTreeError> {
		let (trie, layout) = self.open(object)?;
		let mut keys = Vec::new();
		if let Some(page) = &query.page {
			self.page_keys(object, &trie, layout, page, &mut keys)?;
		}
		keys.push(META_KEY.to_vec());
		keys.extend(query.fields.iter().map(|key| field_key(layout, key)));
		keys.extend(query.children.iter().map(|key| child_key(layout, key)));
		self.collect(&trie, &keys)
	}

	/// The place where a page starts, its keys, and the key behind it, which shows that it is complete.
	///
	/// The runtime lists the page, so its limits on entries and bytes hold here too.
	fn page_keys(
		&self,
		object: &ObjectId,
		trie: &ChildInfo,
		layout: KeyLayout,
		page: &PageQuery,
		keys: &mut Vec<Vec<u8>>,
	) -> Result<(), GlobalTreeError> {
		let (api, request) = (self.client.runtime_api(), page.request.clone());
		let (kind, listed): (_, Vec<_>) = match page.kind {
			PageKind::Fields => {
				let page =
					api.fields(self.at, *object, request)?.map_err(GlobalTreeError::Query)?;
				(PREFIX_FIELD, page.entries.iter().map(|(key, _)| field_key(layout, key)).collect())
			},
			PageKind::Children => {
				let page =
					api.children(self.at, *object, request)?.map_err(GlobalTreeError::Query)?;
				(PREFIX_CHILD, page.entries.iter().map(|(key, _)| child_key(layout, key)).collect())
			},
		};
		let cursor = page.request.cursor.as_ref().map(|key| match page.kind {
			PageKind::Fields => field_key(layout, key),
			PageKind::Children => child_key(layout, key),
		});
		keys.push([&[kind], &page.request.prefix[..]].concat());
		keys.extend(cursor);
		keys.extend(listed);
		let last = keys.iter().max().cloned().unwrap_or_default();
		let behind =
			self.client.child_storage_keys(self.at, trie.clone(), None, Some(&StorageKey(last)))?;
		keys.extend(behind.take(1).map(|key| key.0));
		Ok(())
	}

	fn open(&self, object: &ObjectId) -> Result<(ChildInfo, KeyLayout), GlobalTreeError> {
		let api = self.client.runtime_api();
		let view = api.object(self.at, *object)?.ok_or(GlobalTreeError::ObjectNotFound(*object))?;
		if view.location != Location::WithParent {
			return Err(GlobalTreeError::Remote(*object));
		}
		let trie =
			api.child_trie(self.at, *object)?.ok_or(GlobalTreeError::ObjectNotFound(*object))?;
		let layout = view.meta.map_or(KeyLayout::Raw, |meta| meta.flags.key_layout());
		Ok((ChildInfo::new_default_from_vec(trie), layout))
	}

	fn collect(&mut self, trie: &ChildInfo, keys: &[Vec<u8>]) -> Result<(), GlobalTreeError> {
		let proof =
			self.client.read_child_proof(self.at, trie, &mut keys.iter().map(Vec::as_slice))?;
		self.nodes.extend(proof.into_iter_nodes());
		Ok(())
	}
}
