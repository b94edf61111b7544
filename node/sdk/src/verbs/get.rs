//! `subtree get`: reads an object.

use super::{
	node::Node,
	place::{self, Place, Remote},
	text, KeyArg, ListKind, NodeArgs, PageArgs, Report, VerbError,
};
use crate::{
	global_tree::{
		BlockRoot, Bytes, ChildJson, FieldJson, LocationJson, ObjectId32, ObjectJson, PageJson,
		PageParams, ProofJson, ProofParams,
	},
	runtime::BlockHash,
	subtree::{StatusJson, SubtreeProofJson},
};
use dstp_primitives::{
	object::Value,
	proof::{Proof, Query, TrustedRoot},
	Key, ObjectId, Path, StateRoot,
};
use jsonrpsee::{core::params::ArrayParams, rpc_params};
use serde::Serialize;
use serde_json::json;

/// Reads an object from the hub, or from a node's copy of a remote subtree. The output says which.
///
/// Everything is that node's word. Values of --field come with a proof that is checked, but against the root that the same node
/// gives: for a root of your own use 'proof make' and 'proof check'.
#[derive(Debug, clap::Args)]
pub struct GetCmd {
	/// Where: keys from the root of the tree, percent-encoded, such as /geo/DE
	pub path: Path,

	/// A field whose value to show, proven against the root that the node itself gives. May be repeated
	#[arg(long = "field", value_name = "KEY")]
	pub fields: Vec<KeyArg>,

	/// Entries to list.
	#[command(flatten)]
	pub page: PageArgs,

	/// Read the copy as it was at this head; without it at the newest
	#[arg(long, value_name = "HEAD")]
	pub seq: Option<u64>,

	/// Read the hub as it was at the end of the block with this hash; without it at the best block
	#[arg(long, value_name = "HASH")]
	pub at: Option<BlockHash>,

	/// Which node.
	#[command(flatten)]
	pub node: NodeArgs,
}

/// Who answers, and at which point.
enum Source {
	Hub(BlockRoot),
	Copy { remote: Remote, seq: u64, role: String, open_calls: u32 },
}

/// An object and what was asked of it.
struct Found {
	object: ObjectJson,
	fields: Vec<(Key, Option<Value>)>,
	/// The node's root against which the fields were checked.
	fields_root: Option<StateRoot>,
	page: Option<Page>,
}

enum Page {
	Fields(PageJson<FieldJson>),
	Children(PageJson<ChildJson>),
}

pub(super) async fn run(cmd: GetCmd) -> Result<Report, VerbError> {
	let node = Node::connect(&cmd.node.url).await?;
	let source = source(&node, &cmd).await?;
	let found = read(&node, &cmd, &source).await.map_err(|error| source.explain(error))?;
	Ok(report(&cmd, &source, found))
}

async fn source(node: &Node, cmd: &GetCmd) -> Result<Source, VerbError> {
	let place = place::find(node, &cmd.path).await?;
	let refuse = |message: &str| Err(VerbError::BadParameters(message.into()));
	match place {
		Place::Absent if cmd.at.is_none() => Err(VerbError::Absent(cmd.path.clone())),
		Place::Remote(remote) => {
			if cmd.at.is_some() {
				return refuse("the object is in a remote subtree: choose a head with --seq, not a block with --at");
			}
			let subtree = ObjectId32(remote.subtree);
			let status: StatusJson = node.ask("subtree_status", rpc_params![subtree]).await?;
			let seq = cmd.seq.unwrap_or(status.local_seq);
			let (role, open_calls) = (status.role, status.open_calls);
			Ok(Source::Copy { remote, seq, role, open_calls })
		},
		_ if cmd.seq.is_some() => refuse(
			"the hub itself hosts the object: choose a block with --at, not a head with --seq",
		),
		_ => Ok(Source::Hub(node.ask("dstp_globalRoot", rpc_params![cmd.at]).await?)),
	}
}

impl Source {
	/// The methods' namespace, and what stands last in their parameters.
	async fn ask<T: serde::de::DeserializeOwned>(
		&self,
		node: &Node,
		methods: (&'static str, &'static str),
		mut params: ArrayParams,
	) -> Result<T, VerbError> {
		let (method, pushed) = match self {
			Self::Hub(block) => (methods.0, params.insert(block.block_hash)),
			Self::Copy { seq, .. } => (methods.1, params.insert(seq)),
		};
		pushed.expect("hashes and numbers are JSON; qed");
		node.ask(method, params).await
	}

	/// What was just submitted is no part of a head yet, so it cannot be read.
	fn explain(&self, error: VerbError) -> VerbError {
		match (self, error) {
			(Self::Copy { seq, open_calls, .. }, VerbError::Refused { code, message })
				if *open_calls > 0 =>
			{
				let hint = format!(
					"{open_calls} calls after head {seq} can be read once the next head is sealed"
				);
				VerbError::Refused { code, message: format!("{message} ({hint})") }
			},
			(_, error) => error,
		}
	}
}

async fn read(node: &Node, cmd: &GetCmd, source: &Source) -> Result<Found, VerbError> {
	let id = ObjectId32(ObjectId::ROOT.descendant(&cmd.path));
	let object: Option<ObjectJson> =
		source.ask(node, ("dstp_object", "subtree_object"), rpc_params![id]).await?;
	let object = object.ok_or_else(|| VerbError::Absent(cmd.path.clone()))?;
	let (fields, fields_root) = if cmd.fields.is_empty() {
		(Vec::new(), None)
	} else {
		let (fields, root) = proven_fields(node, cmd, source).await?;
		(fields, Some(root))
	};
	let page = match (cmd.page.query(), cmd.page.list) {
		(Some(query), Some(kind)) => {
			let params = rpc_params![id, PageParams::from(&query.request)];
			Some(match kind {
				ListKind::Fields => {
					Page::Fields(source.ask(node, ("dstp_fields", "subtree_fields"), params).await?)
				},
				ListKind::Children => Page::Children(
					source.ask(node, ("dstp_children", "subtree_children"), params).await?,
				),
			})
		},
		_ => None,
	};
	Ok(Found { object, fields, fields_root, page })
}

/// No method gives single fields, but a proof does, and it is checked here against a root that the same node gave.
async fn proven_fields(
	node: &Node,
	cmd: &GetCmd,
	source: &Source,
) -> Result<(Vec<(Key, Option<Value>)>, StateRoot), VerbError> {
	let fields: Vec<Key> = cmd.fields.iter().map(|key| key.0.clone()).collect();
	let fields = fields.try_into().map_err(|_| too_many_keys())?;
	let query = Query { path: cmd.path.clone(), fields, ..Default::default() };
	let params = ProofParams::from(&query);
	let (proof, question, from) = match source {
		Source::Hub(block) => {
			let answer: ProofJson =
				node.ask("dstp_proof", rpc_params![params, block.block_hash]).await?;
			(answer.proof.0, query, TrustedRoot::global(block.global_root))
		},
		Source::Copy { remote, seq, .. } => {
			let answer: SubtreeProofJson =
				node.ask("subtree_proof", rpc_params![params, seq]).await?;
			let question = Query { path: remote.inside.clone(), ..query };
			(answer.proof.0, question, TrustedRoot { object: remote.subtree, root: answer.root })
		},
	};
	let proven = Proof::from_bytes(&proof)?.check_answers(&question, from)?;
	let object = proven.answer().object.as_ref();
	let object = object.ok_or_else(|| VerbError::Absent(cmd.path.clone()))?;
	Ok((object.fields.clone(), from.root))
}

pub(super) fn too_many_keys() -> VerbError {
	let most = dstp_primitives::proof::MAX_QUERY_KEYS;
	VerbError::BadParameters(format!("one question names at most {most} keys of a kind; ask twice"))
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase", tag = "kind", rename_all_fields = "camelCase")]
enum SourceJson<'a> {
	Hub {
		#[serde(flatten)]
		block: &'a BlockRoot,
	},
	Copy {
		subtree: ObjectId32,
		seq: u64,
		role: &'a str,
	},
}

fn report(cmd: &GetCmd, source: &Source, found: Found) -> Report {
	let (origin, source) = match source {
		Source::Hub(block) => {
			let text = format!("the hub at block {} ({:?})", block.block_number, block.block_hash);
			(text, SourceJson::Hub { block })
		},
		Source::Copy { remote, seq, role, .. } => {
			let what = if role == "serve" { "the serving node's state" } else { "the local copy" };
			let text = format!("{what} of {} at head {seq}", remote.above);
			(text, SourceJson::Copy { subtree: ObjectId32(remote.subtree), seq: *seq, role })
		},
	};
	let mut rows = vec![("read from".to_string(), origin)];
	object_rows(&mut rows, &found.object);
	for (key, value) in &found.fields {
		let value = value.as_ref().map_or("does not exist".into(), |value| text::bytes(value));
		rows.push((format!("field {}", text::bytes(key.as_slice())), value));
	}
	if let Some(root) = &found.fields_root {
		let proven = format!(
			"against root {}, which is this node's word: see 'proof make'",
			text::hash(root)
		);
		rows.push(("proven".into(), proven));
	}
	let next = match &found.page {
		Some(Page::Fields(page)) => {
			let row = |field: &FieldJson| {
				(format!("field {}", text::bytes(&field.key)), text::bytes(&field.value))
			};
			rows.extend(page.entries.iter().map(row));
			page.next.as_ref()
		},
		Some(Page::Children(page)) => {
			let row = |child: &ChildJson| {
				(
					format!("child {}", text::bytes(&child.key)),
					location(&child.location, &child.object),
				)
			};
			rows.extend(page.entries.iter().map(row));
			page.next.as_ref()
		},
		None => None,
	};
	if let Some(next) = next {
		rows.push(("more".into(), format!("--cursor {}", text::bytes(next))));
	}
	let fields: Vec<_> = found
		.fields
		.iter()
		.map(|(key, value)| {
			json!({
				"key": Bytes::from(key),
				"value": value.as_ref().map(|value| Bytes(value.to_vec())),
			})
		})
		.collect();
	let page = match found.page {
		None => json!(null),
		Some(Page::Fields(page)) => {
			json!({ "kind": "fields", "entries": page.entries, "next": page.next })
		},
		Some(Page::Children(page)) => {
			json!({ "kind": "children", "entries": page.entries, "next": page.next })
		},
	};
	Report::new(
		format!("{}\n{}", cmd.path, text::table(rows)),
		json!({
			"path": cmd.path.to_string(),
			"source": source,
			"object": found.object,
			"fields": fields,
			"fieldsProvenAgainst": found.fields_root.map(|root| json!({ "root": root, "rootFrom": "node" })),
			"page": page,
		}),
	)
}

fn object_rows(rows: &mut Vec<(String, String)>, object: &ObjectJson) {
	rows.push(("id".into(), object.object.0.to_string()));
	if let Some(meta) = &object.meta {
		rows.push(("owner".into(), meta.owner.clone()));
		if let Some(name) = &meta.object_type {
			rows.push(("type".into(), text::bytes(name)));
		}
		rows.push((
			"has".into(),
			format!(
				"{} fields, {} children, revision {}",
				meta.fields, meta.children, meta.revision
			),
		));
	}
	rows.push(("root".into(), text::hash(object.state_root)));
}

fn location(location: &LocationJson, object: &ObjectId32) -> String {
	match location {
		LocationJson::WithParent => object.0.to_string(),
		LocationJson::Remote { epoch, seq, status, .. } => {
			format!("{}, remote subtree, epoch {epoch}, head {seq}, {status}", object.0)
		},
	}
}
