//! A hub of one validator, a node that serves `/x` apart from it, and the history of `/x` in the test's memory.

use super::{
	mirror::Mirror,
	provider::{fetch, Behaviour, Provider},
	stranger::Stranger,
};
use crate::{
	harness::{Node, LIMIT},
	subtree::{
		after_blocks, create, genesis, insert_authority, key, register, signed, status, submit,
		subtree, until_committed, until_served,
	},
};
use dstp_node_sdk::subtree::{ReceiptJson, StatusJson};
use dstp_primitives::{call::Call, Path, Value};
use jsonrpsee::{
	core::client::{ClientT, Error},
	rpc_params,
};
use sc_network::config::NetworkBackendType;
use sp_core::H256;
use sp_keyring::Sr25519Keyring::Alice;
use std::{sync::Arc, time::Duration};
use tempfile::TempDir;

/// Many answers' worth: 100 objects of 12 fields of 1 KiB are 1.2 MiB, and one answer holds a quarter of one.
pub const OBJECTS: u64 = 100;
const FIELDS: u64 = 12;

/// See the module.
pub struct Net {
	/// Makes blocks, and serves no subtree. Here only to live as long.
	_hub: Node,
	pub hub_address: String,
	/// Serves `/x`.
	pub vera: Node,
	pub vera_address: String,
	pub genesis: H256,
	pub epoch: u64,
	/// Everything that Vera has sealed.
	pub mirror: Arc<Mirror>,
	nonce: u64,
	backend: NetworkBackendType,
	folder: TempDir,
}

/// Starts a node of this chain.
pub async fn start(backend: NetworkBackendType, number: u8, others: &[&str]) -> Node {
	let arguments = arguments(backend, number);
	let all = arguments.iter().map(String::as_str).chain(others.iter().copied());
	Node::start(&all.collect::<Vec<_>>()).await
}

/// The flags that all nodes of this chain have.
pub fn arguments(backend: NetworkBackendType, number: u8) -> Vec<String> {
	let backend = match backend {
		NetworkBackendType::Litep2p => "litep2p",
		NetworkBackendType::Libp2p => "libp2p",
	};
	vec![
		"--chain=dev".into(),
		format!("--node-key={number:064x}"),
		format!("--network-backend={backend}"),
	]
}

async fn start_vera(
	backend: NetworkBackendType,
	folder: &TempDir,
	hub_address: &str,
) -> (Node, String) {
	let base_path = format!("--base-path={}", folder.path().display());
	let others = ["--name=vera", &base_path, "--serve=/x", "--bootnodes", hub_address];
	let vera = start(backend, 2, &others).await;
	let address = vera.p2p_address().await;
	(vera, address)
}

fn fill(object: u64) -> Call {
	let value = |field: u64| Value::try_from(vec![(object + field) as u8; 1024]).unwrap();
	let fields = (0..FIELDS).map(|field| (key(&format!("field {field}")), value(field)));
	let object = Path::new(vec![key(&format!("object {object}"))]).unwrap();
	Call::SetFields { object, fields: fields.collect::<Vec<_>>().try_into().unwrap() }
}

impl Net {
	/// Starts the hub and Vera, and fills `/x` with so many objects.
	pub async fn start(backend: NetworkBackendType, objects: u64) -> Self {
		let hub = start(backend, 1, &["--alice", "--tmp"]).await;
		let hub_address = hub.p2p_address().await;
		let folder = tempfile::tempdir().unwrap();
		let (vera, vera_address) = start_vera(backend, &folder, &hub_address).await;
		insert_authority(&vera).await;
		register(&vera).await;
		let epoch = until_served(&vera).await.epoch;
		let genesis = genesis(&vera).await;
		let genesis: [u8; 32] = hex::decode(&genesis[2..]).unwrap().try_into().unwrap();
		let (genesis, mirror) = (H256(genesis), Arc::new(Mirror::new(epoch)));
		let nonce = 0;
		let mut net = Self {
			_hub: hub,
			hub_address,
			vera,
			vera_address,
			genesis,
			epoch,
			mirror,
			nonce,
			backend,
			folder,
		};
		for object in 0..objects {
			net.submit(create(&format!("object {object}"))).await;
			net.submit(fill(object)).await;
		}
		net.commit().await;
		net
	}

	/// Kills Vera and starts her again, on another port.
	pub async fn restart_vera(self) -> Self {
		let Self { vera, backend, folder, hub_address, .. } = self;
		drop(vera);
		let (vera, vera_address) = start_vera(backend, &folder, &hub_address).await;
		Self { vera, vera_address, folder, hub_address, ..self }
	}

	/// Submits a call of Alice to Vera, and again after a new block while she has seen none since her start.
	pub async fn submit(&mut self, call: Call) {
		let genesis = format!("0x{}", hex::encode(self.genesis));
		let call = signed(&genesis, self.epoch, Alice, self.nonce, call);
		let receipt = match self.try_submit(&call).await {
			Some(receipt) => receipt,
			None => after_blocks(&self.vera, async |_| self.try_submit(&call).await).await,
		};
		assert_eq!(receipt.status, "applied");
		self.nonce += 1;
	}

	/// Fails on any refusal but that of a node that was just started.
	async fn try_submit(&self, call: &str) -> Option<ReceiptJson> {
		match submit(&self.vera, call.to_owned()).await {
			Ok(receipt) => Some(receipt),
			Err(Error::Call(refusal))
				if refusal.code() == 9_106
					&& refusal.message().contains("no new block of the hub since it started") =>
			{
				None
			},
			Err(error) => panic!("the call is taken: {error}"),
		}
	}

	/// Waits until all calls are committed, and fetches what is new into the mirror.
	pub async fn commit(&mut self) -> StatusJson {
		let served = until_committed(&self.vera).await;
		// Backends talk to each other, so any will do.
		let (reader, _) =
			Stranger::start(NetworkBackendType::Litep2p, self.genesis, &[&self.vera_address]).await;
		let vera = reader.know(&self.vera_address);
		fetch(&self.mirror, self.epoch, &reader, vera, served.local_seq).await;
		assert_eq!(self.mirror.root(served.local_seq), served.local_root);
		served
	}

	/// Starts a node with this folder and without a subtree, and ends it once it knows that the hub finalised the head `seq`.
	///
	/// Who then follows with this folder is told of that head first and copies it, whatever it hears of the hub at first: a node that
	/// begins with an empty folder may see earlier heads finalised, and have the rest by batches.
	pub async fn prepare(
		&self,
		backend: NetworkBackendType,
		number: u8,
		folder: &TempDir,
		seq: u64,
	) {
		let base_path = format!("--base-path={}", folder.path().display());
		let others = ["--name=carol", &base_path, "--bootnodes", &self.hub_address];
		let node = start(backend, number, &others).await;
		after_blocks(&node, async |_| {
			let block: H256 =
				node.client.request("chain_getFinalizedHead", rpc_params![]).await.unwrap();
			let arguments = rpc_params![subtree().to_string(), block];
			let head: serde_json::Value =
				node.client.request("subtree_head", arguments).await.unwrap();
			(head["location"]["seq"].as_u64()? >= seq).then_some(())
		})
		.await;
		node.interrupt().await;
	}

	/// A provider in the test's process that has what the mirror has.
	pub async fn provider(&self, backend: NetworkBackendType, behaviour: Behaviour) -> Provider {
		let known = [self.hub_address.as_str()];
		Provider::start(backend, self.genesis, &known, self.mirror.clone(), behaviour).await
	}
}

/// Asks again and again, whether or not the hub makes blocks, until `reached` says so.
pub async fn until<T>(what: &str, reached: impl AsyncFnMut() -> Option<T>) -> T {
	until_some(reached).await.unwrap_or_else(|| panic!("{what} in time"))
}

/// The same; `None` after the time limit.
pub async fn until_some<T>(mut reached: impl AsyncFnMut() -> Option<T>) -> Option<T> {
	let wait = async {
		loop {
			match reached().await {
				Some(found) => return found,
				None => tokio::time::sleep(Duration::from_millis(100)).await,
			}
		}
	};
	tokio::time::timeout(LIMIT, wait).await.ok()
}

/// Until a follower stands on this head; its root has to be that of the one who serves.
pub async fn until_followed(node: &Node, wanted: &StatusJson) -> StatusJson {
	let status = until("the follower comes to the head", async || {
		let status = status(node).await.ok()?;
		let follows = status.sync.as_ref().is_some_and(|sync| sync.phase == "following");
		(follows && status.local_seq >= wanted.local_seq).then_some(status)
	})
	.await;
	assert_eq!((status.local_seq, status.local_root), (wanted.local_seq, wanted.local_root));
	status
}
