//! The methods.

use super::{
	prove::prove, BlockRoot, Bytes, ChildJson, FieldJson, GlobalTreeError, ObjectId32, ObjectJson,
	PageJson, PageParams, PathText, ProofJson, ProofParams, ResolvedJson,
};
use crate::runtime::{ApiOf, BlockHash, BlockOf, FullClient, NodeRuntime};
use dstp_primitives::{
	api::{ObjectTreeApi, QueryError},
	proof::{Proof, TrustedRoot},
	tree::TreeError,
	ObjectId, StateRoot,
};
use dstp_rpc_types::proof::ProvenView;
use jsonrpsee::proc_macros::rpc;
use sp_api::ProvideRuntimeApi;
use sp_blockchain::HeaderBackend;
use std::sync::Arc;

/// Reads the global tree. `at` is the hash of a block; without it the best block answers.
#[rpc(server, namespace = "dstp")]
pub trait GlobalTreeApi {
	/// The global root in the header of a block.
	#[method(name = "globalRoot", blocking)]
	fn global_root(&self, at: Option<BlockHash>) -> Result<BlockRoot, GlobalTreeError>;

	/// The object that a path stands for, and whether it exists and where.
	#[method(name = "resolve", blocking)]
	fn resolve(
		&self,
		path: PathText,
		at: Option<BlockHash>,
	) -> Result<ResolvedJson, GlobalTreeError>;

	/// An object that the hub hosts, or the root object of a remote subtree.
	#[method(name = "object", blocking)]
	fn object(
		&self,
		id: ObjectId32,
		at: Option<BlockHash>,
	) -> Result<Option<ObjectJson>, GlobalTreeError>;

	/// A page of fields.
	#[method(name = "fields", blocking)]
	fn fields(
		&self,
		id: ObjectId32,
		page: Option<PageParams>,
		at: Option<BlockHash>,
	) -> Result<PageJson<FieldJson>, GlobalTreeError>;

	/// A page of children.
	#[method(name = "children", blocking)]
	fn children(
		&self,
		id: ObjectId32,
		page: Option<PageParams>,
		at: Option<BlockHash>,
	) -> Result<PageJson<ChildJson>, GlobalTreeError>;

	/// A proof of an object, of fields and children or their absence, or of a complete page.
	#[method(name = "proof", blocking)]
	fn proof(
		&self,
		query: ProofParams,
		at: Option<BlockHash>,
	) -> Result<ProofJson, GlobalTreeError>;

	/// Checks a proof against a global root, or against the root of `object`, and says what it proves.
	///
	/// For trying things out: whoever does not trust this node checks the proof with a client library.
	#[method(name = "verifyProof", blocking)]
	fn verify_proof(
		&self,
		proof: Bytes,
		root: StateRoot,
		object: Option<ObjectId32>,
	) -> Result<ProvenView, GlobalTreeError>;
}

/// Answers from a client's state.
pub struct GlobalTreeRpc<R: NodeRuntime> {
	client: Arc<FullClient<R>>,
}

impl<R: NodeRuntime> GlobalTreeRpc<R> {
	/// Answers from `client`.
	pub fn new(client: Arc<FullClient<R>>) -> Self {
		Self { client }
	}

	/// The block to ask, which this node has.
	fn block(&self, at: Option<BlockHash>) -> Result<BlockHash, GlobalTreeError> {
		block_or_best::<R>(&self.client, at)
	}

	/// Tells an object whose state is elsewhere from one that does not exist.
	fn explain(&self, at: BlockHash, object: ObjectId, error: QueryError) -> GlobalTreeError
	where
		ApiOf<R>: ObjectTreeApi<BlockOf<R>>,
	{
		if error != QueryError::Refused(TreeError::ObjectNotFound) {
			return GlobalTreeError::Query(error);
		}
		match self.client.runtime_api().object(at, object) {
			Ok(Some(_)) => GlobalTreeError::Remote(object),
			Ok(None) => GlobalTreeError::ObjectNotFound(object),
			Err(error) => error.into(),
		}
	}

	fn block_root(&self, at: Option<BlockHash>) -> Result<BlockRoot, GlobalTreeError>
	where
		ApiOf<R>: ObjectTreeApi<BlockOf<R>>,
	{
		let block_hash = self.block(at)?;
		let block_number = self
			.client
			.number(block_hash)?
			.ok_or_else(|| GlobalTreeError::UnknownBlock(format!("{block_hash:?}")))?;
		let global_root = self.client.runtime_api().global_root(block_hash)?;
		Ok(BlockRoot { block_hash, block_number, global_root })
	}
}

/// The block that a method is asked about, the best one if it is not; an error if the node does not have it.
pub(crate) fn block_or_best<R: NodeRuntime>(
	client: &FullClient<R>,
	at: Option<BlockHash>,
) -> Result<BlockHash, GlobalTreeError> {
	let Some(hash) = at else { return Ok(client.info().best_hash) };
	match client.number(hash)? {
		Some(_) => Ok(hash),
		None => Err(GlobalTreeError::UnknownBlock(format!("{hash:?}"))),
	}
}

impl<R: NodeRuntime> GlobalTreeApiServer for GlobalTreeRpc<R>
where
	ApiOf<R>: ObjectTreeApi<BlockOf<R>>,
{
	fn global_root(&self, at: Option<BlockHash>) -> Result<BlockRoot, GlobalTreeError> {
		self.block_root(at)
	}

	fn resolve(
		&self,
		path: PathText,
		at: Option<BlockHash>,
	) -> Result<ResolvedJson, GlobalTreeError> {
		Ok(self.client.runtime_api().resolve(self.block(at)?, path.0)?.into())
	}

	fn object(
		&self,
		id: ObjectId32,
		at: Option<BlockHash>,
	) -> Result<Option<ObjectJson>, GlobalTreeError> {
		let view = self.client.runtime_api().object(self.block(at)?, id.0)?;
		Ok(view.map(|view| ObjectJson::new(id.0, view)))
	}

	fn fields(
		&self,
		id: ObjectId32,
		page: Option<PageParams>,
		at: Option<BlockHash>,
	) -> Result<PageJson<FieldJson>, GlobalTreeError> {
		let request = page.unwrap_or_default().try_into()?;
		let at = self.block(at)?;
		let page = self.client.runtime_api().fields(at, id.0, request)?;
		Ok(page.map_err(|error| self.explain(at, id.0, error))?.into())
	}

	fn children(
		&self,
		id: ObjectId32,
		page: Option<PageParams>,
		at: Option<BlockHash>,
	) -> Result<PageJson<ChildJson>, GlobalTreeError> {
		let request = page.unwrap_or_default().try_into()?;
		let at = self.block(at)?;
		let page = self.client.runtime_api().children(at, id.0, request)?;
		let page = page.map_err(|error| self.explain(at, id.0, error))?;
		Ok(PageJson::children(&id.0, page))
	}

	fn proof(
		&self,
		query: ProofParams,
		at: Option<BlockHash>,
	) -> Result<ProofJson, GlobalTreeError> {
		let query = query.try_into()?;
		let block = self.block_root(at)?;
		let proof = prove::<R>(&self.client, block.block_hash, block.global_root, query)?;
		Ok(ProofJson::new(block, proof))
	}

	fn verify_proof(
		&self,
		proof: Bytes,
		root: StateRoot,
		object: Option<ObjectId32>,
	) -> Result<ProvenView, GlobalTreeError> {
		let from = TrustedRoot { object: object.map_or(ObjectId::ROOT, |id| id.0), root };
		let proven = Proof::from_bytes(&proof)
			.and_then(|proof| proof.check(from))
			.map_err(GlobalTreeError::Proof)?;
		Ok(ProvenView::from(&proven))
	}
}
