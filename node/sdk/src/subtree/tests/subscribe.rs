//! Subscriptions: what is told, and what becomes of a slow subscriber.

use super::*;
use crate::subtree::{
	live::{HubHead, MAX_WAITING_NEWS},
	subscribe,
	updates::{CallUpdate, ChangeFilter, ChangeUpdate, HeadUpdate},
};
use dstp_subtree::Retention;
use jsonrpsee::{core::EmptyServerParams, RpcModule, Subscription};
use serde::de::DeserializeOwned;

/// A module whose subscriptions follow one subtree; `calls` follows the call with the last receipt.
fn module(running: &Arc<Running>, filter: ChangeFilter) -> RpcModule<()> {
	let mut module = RpcModule::new(());
	let of = running.clone();
	module
		.register_subscription("heads", "head", "noHeads", move |_, pending, _, _| {
			let running = of.clone();
			subscribe::run::<HeadUpdate>(pending, async move |sink| {
				subscribe::heads(sink, running).await
			})
		})
		.unwrap();
	let of = running.clone();
	module
		.register_subscription("changes", "change", "noChanges", move |_, pending, _, _| {
			let (running, filter) = (of.clone(), filter.clone());
			subscribe::run::<ChangeUpdate>(pending, async move |sink| {
				subscribe::changes(sink, running, filter).await
			})
		})
		.unwrap();
	let of = running.clone();
	module
		.register_subscription("call", "callUpdate", "noCall", move |_, pending, _, _| {
			let running = of.clone();
			subscribe::run::<CallUpdate>(pending, async move |sink| {
				let call = checked(&running, Alice, 0);
				let outcome = running.writer.as_ref().unwrap().submit(call).unwrap();
				subscribe::call(sink, running.clone(), outcome.await.unwrap().unwrap()).await
			})
		})
		.unwrap();
	module
}

fn everything() -> ChangeFilter {
	ChangeFilter { object: subtree(), prefix: None }
}

async fn subscribe_to(module: &RpcModule<()>, method: &str, buffer: usize) -> Subscription {
	module.subscribe(method, EmptyServerParams::new(), buffer).await.unwrap()
}

async fn next<T: DeserializeOwned>(subscription: &mut Subscription) -> T {
	let limit = std::time::Duration::from_secs(60);
	let message = tokio::time::timeout(limit, subscription.next()).await.expect("in time");
	message.expect("it goes on").unwrap().0
}

/// Executes one call and seals it.
fn head(running: &Arc<Running>, nonce: u64) -> Head {
	let mut engine = running.engine.lock();
	let call = signed(Alice, running.identity.epoch, nonce, set("field", &nonce.to_be_bytes()));
	let pin = HubPin { number: 1, global_root: empty_root() };
	engine.submit(&call, pin, 1_000).unwrap();
	engine.seal_now().unwrap().remove(0).head
}

fn on_hub(seq: u64, number: u32) -> HubHead {
	HubHead { seq, block: H256::from_low_u64_be(number.into()), number }
}

#[tokio::test]
async fn heads_come_in_order_and_again_when_the_hub_has_them() {
	let world = World::new(Role::Serve);
	let running = world.open(EngineOptions::default());
	let first = head(&running, 0);
	let module = module(&running, everything());
	let mut heads = subscribe_to(&module, "heads", 16).await;
	let mut told = async || match next(&mut heads).await {
		HeadUpdate::Head(head) => (head.seq, head.status, head.committed_seq, head.finalised_seq),
		ended => panic!("{ended:?}"),
	};
	assert_eq!(told().await, (1, "sealed".into(), 0, 0));
	head(&running, 1);
	assert_eq!(told().await, (2, "sealed".into(), 0, 0));
	running.engine.lock().on_hub_head(&first.next_state()).unwrap();
	assert_eq!(told().await, (2, "sealed".into(), 1, 0));
	running.live.finalised(on_hub(1, 7));
	assert_eq!(told().await, (2, "sealed".into(), 1, 1));
	running.live.end("over");
	assert_eq!(next::<HeadUpdate>(&mut heads).await, HeadUpdate::Ended { reason: "over".into() });
	assert!(heads.next::<HeadUpdate>().await.is_none(), "closed");
}

#[tokio::test]
async fn heads_of_a_new_era_are_told_again() {
	let world = World::new(Role::Serve);
	let running = world.open(EngineOptions::default());
	let first = head(&running, 0);
	let module = module(&running, everything());
	let mut heads = subscribe_to(&module, "heads", 16).await;
	let mut told = async || match next(&mut heads).await {
		HeadUpdate::Head(head) => (head.seq, head.era, head.hash),
		ended => panic!("{ended:?}"),
	};
	told().await;
	let second = head(&running, 1);
	assert_eq!(told().await, (2, 0, second.hash()));
	let mut state = first.next_state();
	state.era = 3;
	running.engine.lock().on_hub_head(&state).unwrap();
	let mut again = told().await;
	while again.1 == 0 {
		again = told().await;
	}
	assert_eq!((again.0, again.1), (2, 3));
	assert_ne!(again.2, second.hash());
}

#[tokio::test]
async fn a_subscriber_that_is_behind_what_is_kept_is_told_and_dropped() {
	let world = World::new(Role::Serve);
	let options = EngineOptions { retention: Retention::Last(1), ..Default::default() };
	let running = world.open(options);
	let module = module(&running, everything());
	head(&running, 0);
	let mut heads = subscribe_to(&module, "heads", 1).await;
	assert!(matches!(next(&mut heads).await, HeadUpdate::Head(head) if head.seq == 1));
	for nonce in 1..20 {
		let head = head(&running, nonce);
		let mut engine = running.engine.lock();
		engine.on_hub_head(&head.next_state()).unwrap();
		engine.mark_final(head.seq).unwrap();
	}
	let reason = loop {
		match next(&mut heads).await {
			HeadUpdate::Head(_) => {},
			HeadUpdate::Ended { reason } => break reason,
		}
	};
	assert!(reason.contains("behind; subscribe again"), "{reason}");
}

#[tokio::test]
async fn changes_start_with_everything_and_leave_out_what_was_not_asked_for() {
	let world = World::new(Role::Serve);
	let running = world.open(EngineOptions::default());
	head(&running, 0);
	let only = ChangeFilter { object: subtree(), prefix: Some(b"B".to_vec()) };
	let module = module(&running, only);
	let mut changes = subscribe_to(&module, "changes", 16).await;
	let first: ChangeUpdate = next(&mut changes).await;
	assert!(matches!(first, ChangeUpdate::Everything { seq: 1, .. }), "{first:?}");
	for (nonce, field) in [(1, "Atlantis"), (2, "Berlin"), (3, "Bonn")] {
		let running = running.clone();
		let field = field.to_owned();
		let execute = move || {
			execute(&running, nonce, set(&field, field.as_bytes()));
			running.engine.lock().seal_now().unwrap();
		};
		tokio::task::spawn_blocking(execute).await.unwrap();
	}
	for (number, field) in [(3, "Berlin"), (4, "Bonn")] {
		match next(&mut changes).await {
			ChangeUpdate::Changed { seq, objects, .. } => {
				assert_eq!((seq, objects.len()), (number, 1));
				let fields: Vec<_> = objects[0].fields.iter().collect();
				assert_eq!((fields.len(), &fields[0].key.0[..]), (1, field.as_bytes()));
				assert_eq!(fields[0].value.as_ref().unwrap().0, field.as_bytes());
			},
			other => panic!("{other:?}"),
		}
	}
}

#[tokio::test]
async fn a_subscriber_of_changes_that_does_not_read_is_told_and_dropped() {
	let world = World::new(Role::Serve);
	let running = world.open(EngineOptions::default());
	let module = module(&running, everything());
	let mut changes = subscribe_to(&module, "changes", 1).await;
	let first: ChangeUpdate = next(&mut changes).await;
	assert!(matches!(first, ChangeUpdate::Everything { seq: 0, .. }));
	for nonce in 0..3 * MAX_WAITING_NEWS as u64 {
		head(&running, nonce);
	}
	let reason = loop {
		if let ChangeUpdate::Ended { reason } = next(&mut changes).await {
			break reason;
		}
	};
	assert!(reason.contains("more than 16 heads behind"), "{reason}");
	assert!(changes.next::<ChangeUpdate>().await.is_none(), "closed");
}

#[tokio::test]
async fn a_call_is_followed_until_it_is_final_across_a_reorganisation() {
	let world = World::new(Role::Serve);
	let running = world.open(EngineOptions::default());
	let module = module(&running, everything());
	let mut call = subscribe_to(&module, "call", 16).await;
	let executed: CallUpdate = next(&mut call).await;
	assert!(matches!(&executed, CallUpdate::Executed(receipt) if receipt.status == "applied"));
	let head = running.engine.lock().seal_now().unwrap().remove(0).head;
	let batched = CallUpdate::Batched { seq: 1, index: 0, head: head.hash() };
	assert_eq!(next::<CallUpdate>(&mut call).await, batched);
	running.live.committed(on_hub(1, 5));
	let committed = |number| CallUpdate::committed(1, &on_hub(1, number));
	assert_eq!(next::<CallUpdate>(&mut call).await, committed(5));
	running.live.committed(on_hub(0, 6));
	assert_eq!(next::<CallUpdate>(&mut call).await, CallUpdate::Reverted { seq: 1 });
	running.live.committed(on_hub(1, 7));
	assert_eq!(next::<CallUpdate>(&mut call).await, committed(7));
	running.live.finalised(on_hub(1, 8));
	assert_eq!(next::<CallUpdate>(&mut call).await, CallUpdate::finalised(1, &on_hub(1, 8)));
	assert!(call.next::<CallUpdate>().await.is_none(), "closed");
}

#[tokio::test]
async fn a_call_is_batched_again_when_its_head_gets_another_era() {
	let world = World::new(Role::Serve);
	let running = world.open(EngineOptions::default());
	let module = module(&running, everything());
	let mut call = subscribe_to(&module, "call", 16).await;
	let _: CallUpdate = next(&mut call).await;
	let before = running.engine.lock().seal_now().unwrap().remove(0).head;
	let batched = CallUpdate::Batched { seq: 1, index: 0, head: before.hash() };
	assert_eq!(next::<CallUpdate>(&mut call).await, batched);
	let mut on_hub = registration(1).head;
	on_hub.era = 3;
	running.engine.lock().on_hub_head(&on_hub).unwrap();
	let after = running.reader.head(Some(1)).unwrap().unwrap();
	assert_ne!(after.hash(), before.hash());
	let batched = CallUpdate::Batched { seq: 1, index: 0, head: after.hash() };
	assert_eq!(next::<CallUpdate>(&mut call).await, batched);
}

#[tokio::test]
async fn a_call_of_a_closed_subtree_ends_with_a_reason() {
	let world = World::new(Role::Serve);
	let running = world.open(EngineOptions::default());
	let module = module(&running, everything());
	let mut call = subscribe_to(&module, "call", 16).await;
	let _: CallUpdate = next(&mut call).await;
	running.live.set_open(false);
	match next(&mut call).await {
		CallUpdate::Ended { reason } => assert!(reason.contains("closed or removed"), "{reason}"),
		other => panic!("{other:?}"),
	}
}
