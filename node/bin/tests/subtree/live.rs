//! Subscriptions, at a node that serves and at one that follows.

use super::*;
use futures::future::join_all;

/// Messages of one subscription.
pub struct Messages(Subscription<Value>);

impl Messages {
	pub async fn of(node: &Node, names: [&str; 2], params: Vec<Value>) -> Result<Self, Error> {
		let mut builder = jsonrpsee::core::params::ArrayParams::new();
		params.into_iter().for_each(|param| builder.insert(param).unwrap());
		node.client.subscribe(names[0], builder, names[1]).await.map(Self)
	}

	async fn heads(node: &Node) -> Self {
		let names = ["subtree_subscribeHeads", "subtree_unsubscribeHeads"];
		Self::of(node, names, vec![json!(subtree().to_string())]).await.unwrap()
	}

	async fn changes(node: &Node, object: ObjectId, prefix: Option<&str>) -> Self {
		let prefix = prefix.map(|text| format!("0x{}", hex::encode(text)));
		let names = ["subtree_subscribeChanges", "subtree_unsubscribeChanges"];
		Self::of(node, names, vec![json!(object.to_string()), json!(prefix)]).await.unwrap()
	}

	async fn call(node: &Node, call: String) -> Result<Self, Error> {
		Self::of(node, ["subtree_submitAndWatch", "subtree_unwatchCall"], vec![json!(call)]).await
	}

	/// The next message, which comes in time.
	async fn next(&mut self) -> Value {
		let next = tokio::time::timeout(LIMIT, self.0.next()).await.expect("it comes in time");
		next.expect("the subscription goes on").unwrap()
	}

	/// Messages up to the first one that `wanted` takes.
	async fn until(&mut self, wanted: impl Fn(&Value) -> bool) -> Value {
		loop {
			let message = self.next().await;
			if wanted(&message) {
				return message;
			}
		}
	}
}

fn hex_text(text: &str) -> String {
	format!("0x{}", hex::encode(text))
}

/// What a message of changes says of an object: whether it exists, and its fields.
fn of_object(message: &Value, object: ObjectId) -> Option<(bool, Vec<(Value, Value)>)> {
	let objects = message["objects"].as_array()?;
	let found = objects.iter().find(|found| found["object"] == object.to_string())?;
	let fields = found["fields"].as_array().unwrap().iter();
	let fields = fields.map(|field| (field["key"].clone(), field["value"].clone())).collect();
	Some((found["exists"].as_bool().unwrap(), fields))
}

#[tokio::test(flavor = "multi_thread")]
async fn subscribers_see_heads_changes_and_the_way_of_a_call() {
	let node = Node::start(&[BLOCKS, &["--tmp"]].concat()).await;
	insert_authority(&node).await;
	register(&node).await;
	let epoch = until_served(&node).await.epoch;
	let genesis = genesis(&node).await;
	let de = subtree().child(&key("DE"));
	let mut heads = Messages::heads(&node).await;
	let mut all = Messages::changes(&node, subtree(), None).await;
	let first = all.next().await;
	assert_eq!((&first["event"], &first["seq"]), (&json!("everything"), &json!(0)));

	let create = signed(&genesis, epoch, Alice, 0, create("DE"));
	let mut call = Messages::call(&node, create.clone()).await.unwrap();
	let executed = call.next().await;
	assert_eq!((&executed["event"], &executed["status"]), (&json!("executed"), &json!("applied")));
	let batched = call.next().await;
	assert_eq!(
		(&batched["event"], &batched["seq"], &batched["index"]),
		(&json!("batched"), &json!(1), &json!(0))
	);
	let committed = call.until(|message| message["event"] != "reverted").await;
	assert_eq!(committed["event"], "committed");
	let finalised = call.until(|message| message["event"] == "finalised").await;
	assert!(finalised["blockNumber"].as_u64() >= committed["blockNumber"].as_u64());
	let at: Value = node
		.client
		.request("subtree_head", rpc_params![subtree().to_string(), finalised["blockHash"].clone()])
		.await
		.unwrap();
	assert_eq!((&at["location"]["seq"], &at["hash"]), (&json!(1), &batched["head"]));

	let sealed = heads.next().await;
	// The hub may have it already when the message is made.
	assert_eq!(
		(&sealed["event"], &sealed["seq"], &sealed["hash"]),
		(&json!("head"), &json!(1), &batched["head"])
	);
	heads.until(|head| head["seq"] == 1 && head["status"] == "finalised").await;
	let created = all.next().await;
	assert_eq!((&created["event"], &created["seq"]), (&json!("changed"), &json!(1)));
	assert_eq!(of_object(&created, de), Some((true, vec![])));
	assert_eq!(created["stateRoot"], sealed["stateRoot"]);

	let mut some = Messages::changes(&node, de, Some("B")).await;
	assert_eq!(some.next().await["event"], "everything");
	for (nonce, field) in [(1, "Atlantis"), (2, "Berlin")] {
		let call = signed(&genesis, epoch, Alice, nonce, set("/DE", field, b"52.5"));
		assert_eq!(submit(&node, call).await.unwrap().status, "applied");
	}
	let berlin = some.next().await;
	let value = json!(hex_text("52.5"));
	let fields = vec![(json!(hex_text("Berlin")), value)];
	assert_eq!(of_object(&berlin, de), Some((true, fields)));
	assert_eq!(berlin["objects"][0]["path"], "/DE");
	let remove = Call::RemoveRecursive { object: "/DE".parse().unwrap() };
	submit(&node, signed(&genesis, epoch, Alice, 3, remove)).await.unwrap();
	let removed = some.next().await;
	assert_eq!(
		of_object(&removed, de),
		Some((false, vec![(json!(hex_text("Berlin")), Value::Null)]))
	);

	let replayed = Messages::call(&node, create).await.err().unwrap().to_string();
	assert!(replayed.contains("next nonce in this subtree is 4"), "{replayed}");
	let unknown = ["subtree_subscribeHeads", "subtree_unsubscribeHeads"];
	let unknown = Messages::of(&node, unknown, vec![json!(de.to_string())]).await.err().unwrap();
	assert!(unknown.to_string().contains("holds no copy"), "{unknown}");
}

#[tokio::test(flavor = "multi_thread")]
async fn calls_that_come_together_over_one_connection_are_executed_in_their_order() {
	let node = Node::start(&[BLOCKS, &["--tmp"]].concat()).await;
	insert_authority(&node).await;
	register(&node).await;
	let epoch = until_served(&node).await.epoch;
	let genesis = genesis(&node).await;
	const CALLS: u64 = 200;
	let calls = (0..CALLS).map(|nonce| {
		let call = match nonce {
			0 => create("DE"),
			_ => set("/DE", "count", &nonce.to_be_bytes()),
		};
		submit(&node, signed(&genesis, epoch, Alice, nonce, call))
	});
	for receipt in join_all(calls).await {
		assert_eq!(receipt.unwrap().status, "applied");
	}
	let status = until_committed(&node).await;
	assert!(status.local_seq <= 20, "they share a few batches: {status:?}");
	let ahead = submit(&node, signed(&genesis, epoch, Alice, CALLS + 1, create("x"))).await;
	let ahead = ahead.unwrap_err().to_string();
	assert!(ahead.contains("next nonce in this subtree is 200"), "{ahead}");
}

#[tokio::test(flavor = "multi_thread")]
async fn subscribers_of_a_follower_see_what_it_executed() {
	let node = |identity: &'static str, number: u8, role: &'static str| {
		let node_key = format!("--node-key={number:064x}");
		["--chain=local".into(), identity.into(), "--tmp".into(), node_key, role.into()]
	};
	let alice = node("--alice", 1, "--serve=/x");
	let alice = Node::start(&alice.each_ref().map(String::as_str)).await;
	let mut bob = node("--bob", 2, "--follow=/x").to_vec();
	bob.extend(["--bootnodes".into(), alice.p2p_address().await]);
	let bob = Node::start(&bob.iter().map(String::as_str).collect::<Vec<_>>()).await;
	insert_authority(&alice).await;
	register(&alice).await;
	let epoch = until_served(&alice).await.epoch;
	let genesis = genesis(&alice).await;
	until_served(&bob).await;
	let mut heads = Messages::heads(&bob).await;
	let mut changes = Messages::changes(&bob, subtree(), None).await;
	assert_eq!(changes.next().await["event"], "everything");

	let refused = submit(&bob, signed(&genesis, epoch, Alice, 0, create("DE"))).await.unwrap_err();
	assert!(refused.to_string().contains("this node follows"), "{refused}");
	let calls = [create("DE"), set("/DE", "Berlin", b"52.5")];
	for (nonce, call) in (0..).zip(calls) {
		let receipt = submit(&alice, signed(&genesis, epoch, Alice, nonce, call)).await.unwrap();
		assert_eq!(receipt.status, "applied");
	}
	let de = subtree().child(&key("DE"));
	let fields = vec![(json!(hex_text("Berlin")), json!(hex_text("52.5")))];
	let told =
		|message: &Value| of_object(message, de).is_some_and(|(_, fields)| !fields.is_empty());
	assert_eq!(of_object(&changes.until(told).await, de), Some((true, fields)));
	let head = heads.next().await;
	assert_eq!(
		(&head["event"], &head["seq"], &head["status"]),
		(&json!("head"), &json!(1), &json!("finalised"))
	);

	let close = pallet_subtree_security::Call::close { subtree: subtree() };
	let close = transaction::sign(Alice, 1, &genesis, RuntimeCall::SubtreeSecurity(close));
	let _: Value =
		alice.client.request("author_submitExtrinsic", rpc_params![close]).await.unwrap();
	for subscription in [&mut heads, &mut changes] {
		let ended = subscription.until(|message| message["event"] == "ended").await;
		assert!(ended["reason"].as_str().unwrap().contains("closed or removed"), "{ended}");
	}
}
