//! The methods.

use super::{
	serve::{Running, Served},
	subscribe::{self, Places},
	updates::ChangeFilter,
	writer::{QueueError, MAX_WAITING_CALLS},
	CallUpdate, ChangeUpdate, HeadJson, HeadUpdate, ReceiptJson, StatusJson, SubtreeApis,
	SubtreeProofJson, SubtreeRpcError,
};
use crate::{
	global_tree::{
		block_or_best, hub_nodes, AccountJson, BadQuestion, BlockRoot, ChildJson, FieldJson,
		GlobalTreeError, ObjectId32, ObjectJson, PageJson, PageParams, ProofParams,
	},
	runtime::{ApiOf, BlockHash, BlockOf, FullClient, NodeRuntime},
};
use codec::Encode;
use dstp_primitives::{
	api::{ObjectTreeApi, ObjectView, SubtreeSecurityApi},
	call::SignedCall,
	proof::{Proof, Query, TrustedRoot},
	trie::NodeSet,
	Key, Location, ObjectId, Path, StateRoot,
};
use dstp_state_network::wire::MAX_RANGE_BYTES;
use dstp_subtree::{Receipt, Role, SubmitError};
use jsonrpsee::{core::async_trait, proc_macros::rpc, PendingSubscriptionSink};
use sc_rpc::{utils::spawn_subscription_task, SubscriptionTaskExecutor};
use sp_api::ProvideRuntimeApi;
use sp_blockchain::HeaderBackend;
use sp_core::Bytes;
use std::sync::Arc;

type Answer<T> = Result<T, SubtreeRpcError>;

/// Remote subtrees: heads on the hub, calls, and the local copy's state at any kept head (`seq`; without it the newest).
#[rpc(server, namespace = "subtree")]
pub trait SubtreeApi {
	/// The head that the hub accepted, at block `at` or the best.
	#[method(name = "head", blocking)]
	fn head(&self, id: ObjectId32, at: Option<BlockHash>) -> Answer<Option<HeadJson>>;

	/// Executes a signed call (SCALE) on the subtree that it names, and answers once it is on the disk.
	///
	/// Calls of one account that come together are executed in the order of their nonces.
	#[method(name = "submit")]
	async fn submit(&self, call: Bytes) -> Answer<ReceiptJson>;

	/// The nonce that an account's next call has to carry.
	#[method(name = "nextNonce", blocking)]
	fn next_nonce(&self, id: ObjectId32, account: AccountJson) -> Answer<u64>;

	/// An object of a subtree that this node holds.
	#[method(name = "object", blocking)]
	fn object(&self, id: ObjectId32, seq: Option<u64>) -> Answer<Option<ObjectJson>>;

	/// A page of fields.
	#[method(name = "fields", blocking)]
	fn fields(
		&self,
		id: ObjectId32,
		page: Option<PageParams>,
		seq: Option<u64>,
	) -> Answer<PageJson<FieldJson>>;

	/// A page of children.
	#[method(name = "children", blocking)]
	fn children(
		&self,
		id: ObjectId32,
		page: Option<PageParams>,
		seq: Option<u64>,
	) -> Answer<PageJson<ChildJson>>;

	/// A proof of state inside a subtree, from the global root of the finalised block down; with `seq` from that head's root.
	#[method(name = "proof", blocking)]
	fn proof(&self, query: ProofParams, seq: Option<u64>) -> Answer<SubtreeProofJson>;

	/// Contiguous entries of the trie of one object of a subtree that this node holds, with their proof against its `root`: the first
	/// ones after the trie key `after`, or the first of all. About `max_bytes` of keys and values, at most and by default 256 KiB.
	#[method(name = "range", blocking)]
	fn range(
		&self,
		id: ObjectId32,
		root: StateRoot,
		after: Option<Bytes>,
		max_bytes: Option<u32>,
	) -> Answer<Bytes>;

	/// How this node stands with a subtree.
	#[method(name = "status")]
	fn status(&self, id: ObjectId32) -> Answer<StatusJson>;

	/// Heads of the local copy: the newest at once, then each new one, and the newest again when the hub accepted or finalised
	/// more.
	#[subscription(name = "subscribeHeads" => "localHead", unsubscribe = "unsubscribeHeads", item = HeadUpdate)]
	fn subscribe_heads(&self, id: ObjectId32);

	/// What each new head changes of an object. Without `prefix`: of the object and all objects below it. With `prefix`: of the
	/// object's own fields whose keys start with it; an empty one takes all of them.
	///
	/// The first message says at which head to start reading.
	#[subscription(name = "subscribeChanges" => "change", unsubscribe = "unsubscribeChanges", item = ChangeUpdate)]
	fn subscribe_changes(&self, id: ObjectId32, prefix: Option<Bytes>);

	/// Like `subtree_submit`, and then tells when the call is batched, committed and finalised.
	#[subscription(name = "submitAndWatch" => "callUpdate", unsubscribe = "unwatchCall", item = CallUpdate)]
	fn submit_and_watch(&self, call: Bytes);
}

/// Answers from the engines of this node.
pub struct SubtreeRpc<R: NodeRuntime> {
	client: Arc<FullClient<R>>,
	calls: Calls,
	places: Arc<Places>,
	executor: SubscriptionTaskExecutor,
}

/// The engines of this node, for calls.
#[derive(Clone)]
struct Calls {
	served: Arc<Served>,
}

impl Calls {
	/// Checks a call, queues it, and waits until it is on the disk.
	async fn submit(&self, call: &[u8]) -> Answer<(Arc<Running>, Receipt)> {
		let subtree = SignedCall::from_bytes(call)?.payload.subtree;
		// Asked first: once it is not outdated, the engine is that of the registration that the hub has now.
		let outdated = self.served.serves(&subtree) && self.served.is_outdated();
		let running = self.running(&subtree)?;
		if outdated {
			return Err(SubtreeRpcError::Outdated(subtree));
		}
		if !running.live.is_open() {
			return Err(SubtreeRpcError::Closed(subtree));
		}
		let writer = running.writer.as_ref().ok_or(SubmitError::NotServing)?;
		let checked = running.gate.check(call, self.served.pin().number)?;
		let outcome = writer.submit(checked).map_err(|error| match error {
			QueueError::Full => SubtreeRpcError::Busy(MAX_WAITING_CALLS),
			QueueError::Ended => SubtreeRpcError::Stopping,
		})?;
		let receipt = outcome.await.map_err(|_| SubtreeRpcError::Stopping)??;
		Ok((running, receipt))
	}

	fn running(&self, subtree: &ObjectId) -> Answer<Arc<Running>> {
		if !self.served.contains(subtree) {
			return Err(SubtreeRpcError::NotHere(*subtree));
		}
		self.served.get(subtree).ok_or(SubtreeRpcError::NotYet(*subtree))
	}
}

impl<R: NodeRuntime> SubtreeRpc<R> {
	pub(super) fn new(
		client: Arc<FullClient<R>>,
		served: Arc<Served>,
		executor: SubscriptionTaskExecutor,
	) -> Self {
		Self { client, calls: Calls { served }, places: Arc::default(), executor }
	}

	fn running(&self, subtree: &ObjectId) -> Answer<Arc<Running>> {
		self.calls.running(subtree)
	}

	/// The subtree that holds an object, and the object's path in it.
	fn holder(&self, object: &ObjectId) -> Answer<(Arc<Running>, Path)> {
		let mut failed = None;
		for running in self.calls.served.running() {
			match running.reader.path(object) {
				Ok(Some(path)) => return Ok((running, path)),
				Ok(None) => {},
				// One broken copy does not hide what stands in the others.
				Err(error) => failed = Some(error.into()),
			}
		}
		Err(failed.unwrap_or(SubtreeRpcError::ObjectNotFound(*object)))
	}

	/// Splits a path from the root of the tree where it enters a subtree of this node.
	fn split(&self, path: &Path) -> Answer<(Arc<Running>, Path, Path)> {
		let keys = path.keys();
		let mut object = ObjectId::ROOT;
		for (depth, key) in keys.iter().enumerate() {
			object = object.child(key);
			if self.calls.served.contains(&object) {
				let part = |keys: &[Key]| {
					Path::new(keys.to_vec()).expect("a part of a path is a path; qed")
				};
				return Ok((
					self.running(&object)?,
					part(&keys[..=depth]),
					part(&keys[depth + 1..]),
				));
			}
		}
		Err(SubtreeRpcError::NotHere(object))
	}

	/// From the global root: the hub's nodes down to the head, and the copy's from there.
	fn prove_from_root(&self, query: Query) -> Answer<SubtreeProofJson>
	where
		ApiOf<R>: SubtreeApis<BlockOf<R>>,
	{
		let (running, above, inside) = self.split(&query.path)?;
		let subtree = running.identity.subtree;
		let info = self.client.info();
		let at = info.finalized_hash;
		let api = self.client.runtime_api();
		let view = api
			.head(at, subtree)
			.map_err(GlobalTreeError::from)?
			.ok_or(SubtreeRpcError::NotRegistered(subtree))?;
		let seq = view.head.seq;
		let (_, inner, _) =
			running.reader.proof(Query { path: inside, ..query.clone() }, Some(seq))?;
		let mut nodes = hub_nodes::<R>(&self.client, at, &above)?;
		nodes.extend(inner.nodes);
		let root = api.global_root(at).map_err(GlobalTreeError::from)?;
		let from = TrustedRoot::global(root);
		let (proof, _) = Proof::make(from, &NodeSet::from_trusted(nodes), query)
			.map_err(SubtreeRpcError::Proof)?;
		let block =
			BlockRoot { block_hash: at, block_number: info.finalized_number, global_root: root };
		Ok(proof_json(subtree, seq, Some(block), from, &proof))
	}

	fn prove_from_head(&self, query: Query, seq: u64) -> Answer<SubtreeProofJson> {
		let (running, _, inside) = self.split(&query.path)?;
		let subtree = running.identity.subtree;
		let (seq, proof, _) = running.reader.proof(Query { path: inside, ..query }, Some(seq))?;
		let root =
			running.reader.object(&subtree, Some(seq))?.map(|view| view.root).unwrap_or_default();
		Ok(proof_json(subtree, seq, None, TrustedRoot { object: subtree, root }, &proof))
	}
}

fn proof_json(
	subtree: ObjectId,
	seq: u64,
	block: Option<BlockRoot>,
	from: TrustedRoot,
	proof: &Proof,
) -> SubtreeProofJson {
	SubtreeProofJson {
		subtree: ObjectId32(subtree),
		seq,
		block,
		from: ObjectId32(from.object),
		root: from.root,
		proof: Bytes(proof.encode()),
	}
}

#[async_trait]
impl<R: NodeRuntime> SubtreeApiServer for SubtreeRpc<R>
where
	ApiOf<R>: SubtreeApis<BlockOf<R>>,
{
	fn head(&self, id: ObjectId32, at: Option<BlockHash>) -> Answer<Option<HeadJson>> {
		let at = block_or_best::<R>(&self.client, at)?;
		let view = self.client.runtime_api().head(at, id.0).map_err(GlobalTreeError::from)?;
		Ok(view.map(Into::into))
	}

	async fn submit(&self, call: Bytes) -> Answer<ReceiptJson> {
		self.calls.submit(&call).await.map(|(_, receipt)| receipt.into())
	}

	fn next_nonce(&self, id: ObjectId32, account: AccountJson) -> Answer<u64> {
		let running = self.running(&id.0)?;
		let nonce = running.engine.lock().next_nonce(&account.0)?;
		Ok(nonce)
	}

	fn object(&self, id: ObjectId32, seq: Option<u64>) -> Answer<Option<ObjectJson>> {
		let (running, _) = self.holder(&id.0)?;
		let view = running.reader.object(&id.0, seq)?.map(|view| ObjectView {
			parent: view.link.as_ref().map(|link| link.parent),
			key: view.link.map(|link| link.key),
			meta: Some(view.meta),
			state_root: view.state_root,
			location: Location::WithParent,
		});
		Ok(view.map(|view| ObjectJson::new(id.0, view)))
	}

	fn fields(
		&self,
		id: ObjectId32,
		page: Option<PageParams>,
		seq: Option<u64>,
	) -> Answer<PageJson<FieldJson>> {
		let request = page.unwrap_or_default().try_into()?;
		let (running, _) = self.holder(&id.0)?;
		Ok(running.reader.fields(&id.0, &request, seq)?.into())
	}

	fn children(
		&self,
		id: ObjectId32,
		page: Option<PageParams>,
		seq: Option<u64>,
	) -> Answer<PageJson<ChildJson>> {
		let request = page.unwrap_or_default().try_into()?;
		let (running, _) = self.holder(&id.0)?;
		Ok(PageJson::children(&id.0, running.reader.children(&id.0, &request, seq)?))
	}

	fn proof(&self, query: ProofParams, seq: Option<u64>) -> Answer<SubtreeProofJson> {
		let query = query.try_into()?;
		match seq {
			Some(seq) => self.prove_from_head(query, seq),
			None => self.prove_from_root(query),
		}
	}

	fn range(
		&self,
		id: ObjectId32,
		root: StateRoot,
		after: Option<Bytes>,
		max_bytes: Option<u32>,
	) -> Answer<Bytes> {
		let running = self.running(&id.0)?;
		let bytes = max_bytes.unwrap_or(MAX_RANGE_BYTES).min(MAX_RANGE_BYTES) as usize;
		let after = after.as_ref().map(|key| &key[..]);
		let (proof, _) = running.reader.range(root, after, bytes)?;
		Ok(Bytes(proof.encode()))
	}

	fn status(&self, id: ObjectId32) -> Answer<StatusJson> {
		let running = self.running(&id.0)?;
		let status = running.live.status();
		let follows = status.role == Role::Follow;
		let status = StatusJson::from(status);
		Ok(if follows { status.with_sync(running.sync.read().clone()) } else { status })
	}

	fn subscribe_heads(&self, pending: PendingSubscriptionSink, id: ObjectId32) {
		let (running, places) = (self.running(&id.0), self.places.clone());
		spawn_subscription_task(&self.executor, async move {
			match running.and_then(|running| Ok((running, places.take(&pending)?))) {
				Ok((running, _place)) => {
					subscribe::run::<HeadUpdate>(pending, async |sink| {
						subscribe::heads(sink, running).await
					})
					.await;
				},
				Err(error) => pending.reject(error).await,
			}
		});
	}

	fn subscribe_changes(
		&self,
		pending: PendingSubscriptionSink,
		id: ObjectId32,
		prefix: Option<Bytes>,
	) {
		// A longer prefix than a key matches nothing, and it is kept as long as the subscription.
		let prefix = prefix.map(|bytes| bytes.0);
		let longest = prefix.clone().filter(|prefix| !prefix.is_empty());
		let holder = longest
			.map_or(Ok(()), |prefix| Key::new(prefix).map(drop))
			.map_err(|error| BadQuestion::Key(error).into())
			.and_then(|()| self.holder(&id.0));
		let filter = ChangeFilter { object: id.0, prefix };
		let places = self.places.clone();
		spawn_subscription_task(&self.executor, async move {
			match holder.and_then(|(running, _)| Ok((running, places.take(&pending)?))) {
				Ok((running, _place)) => {
					subscribe::run::<ChangeUpdate>(pending, async |sink| {
						subscribe::changes(sink, running, filter).await
					})
					.await;
				},
				Err(error) => pending.reject(error).await,
			}
		});
	}

	fn submit_and_watch(&self, pending: PendingSubscriptionSink, call: Bytes) {
		let (calls, places) = (self.calls.clone(), self.places.clone());
		spawn_subscription_task(&self.executor, async move {
			// Before the call is executed: who is refused a place may submit it again.
			let submitted = async {
				let place = places.take(&pending)?;
				Ok::<_, SubtreeRpcError>((calls.submit(&call).await?, place))
			};
			match submitted.await {
				Ok(((running, receipt), _place)) => {
					subscribe::run::<CallUpdate>(pending, async |sink| {
						subscribe::call(sink, running, receipt).await
					})
					.await;
				},
				Err(error) => pending.reject(error).await,
			}
		});
	}
}
