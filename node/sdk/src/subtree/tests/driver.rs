//! The driver of served subtrees, with a hub that is played.

use super::*;
use crate::{
	runtime::{BlockHash, BlockNumber},
	subtree::{
		driver::{Driver, HEADS_AHEAD},
		hub::HubSide,
		signer::{PoaSigner, KEY_TYPE},
	},
};
use dstp_primitives::{
	mailbox::{HubView, Outbox},
	mode::poa::{AuthoritySet, PoaState},
	proof::RangeProof,
	subtree::ModeView,
	StateRoot,
};
use dstp_subtree::{Reader, SubmitError};
use parking_lot::Mutex;
use sp_core::Pair as _;
use sp_keyring::Sr25519Keyring::Bob;
use sp_keystore::{testing::MemoryKeystore, Keystore, KeystorePtr};
use std::collections::BTreeMap;

/// The hub and its worker: what it accepted, and what the node left for it.
#[derive(Default)]
struct Hub {
	number: u32,
	/// Distinguishes forks.
	fork: u8,
	registered: Option<SubtreeView>,
	accepted: Vec<Head>,
	outbox: Outbox,
	/// How often the outbox was written.
	writes: u32,
	finalised: u32,
	/// What it knew of the subtree at each block.
	history: BTreeMap<BlockNumber, Option<SubtreeView>>,
	/// What it keeps of the subtree's content, while it does.
	content: Option<Reader>,
}

#[derive(Clone, Default)]
struct Played(Arc<Mutex<Hub>>);

fn hash(fork: u8, number: u32) -> H256 {
	let mut hash = H256::from_low_u64_be(number.into());
	hash.0[0] = fork;
	hash
}

impl HubSide for Played {
	fn view(&self) -> Option<HubView> {
		let hub = self.0.lock();
		(hub.number > 0).then(|| HubView {
			block_hash: hash(hub.fork, hub.number),
			parent_hash: hash(hub.fork, hub.number - 1),
			number: hub.number,
			global_root: H256([9; 32]),
			subtrees: hub.registered.clone().into_iter().collect::<Vec<_>>().try_into().unwrap(),
		})
	}

	fn put(&mut self, outbox: &Outbox) {
		let mut hub = self.0.lock();
		hub.outbox = outbox.clone();
		hub.writes += 1;
	}

	fn mode(&self, _: ObjectId) -> Option<ModeView> {
		let authorities = AuthoritySet::new(vec![Bob.to_account_id()], 1).unwrap();
		let state = PoaState { set_id: 1, authorities, last_head_block: None, active_block: 1 };
		let (name, params) = (b"poa".to_vec(), Vec::new());
		Some(ModeView { mode: ModeId::Native(1), name, params, state: state.encode() })
	}

	fn finalised(&self) -> (BlockHash, BlockNumber) {
		let hub = self.0.lock();
		(hash(hub.fork, hub.finalised), hub.finalised)
	}

	fn head_at(&self, block: BlockHash, _: ObjectId) -> Option<SubtreeView> {
		let number = u32::try_from(block.to_low_u64_be()).unwrap();
		self.0.lock().history.get(&number).cloned().flatten()
	}

	fn kept_range(
		&self,
		object: &ObjectId,
		root: StateRoot,
		after: Option<&[u8]>,
		max_bytes: usize,
	) -> Result<RangeProof, String> {
		let hub = self.0.lock();
		let content = hub.content.as_ref().ok_or(format!("nothing is kept of {object}"))?;
		let range = content.range(root, after, max_bytes);
		range.map(|(proof, _)| proof).map_err(|error| error.to_string())
	}
}

impl Played {
	/// A block in which the hub accepts at most `limit` of the heads that wait for it.
	fn block(&self, limit: usize) {
		let mut hub = self.0.lock();
		hub.number += 1;
		for out in hub.outbox.heads.clone().into_iter().take(limit) {
			let known = hub.registered.as_ref().unwrap().head.clone();
			if out.head.prev == known.hash && out.head.seq == known.seq + 1 {
				hub.registered = Some(accepted(&out.head));
				hub.accepted.push(out.head);
			}
		}
		let (number, registered) = (hub.number, hub.registered.clone());
		hub.history.insert(number, registered);
	}

	/// Another fork takes over: the newest `count` heads are not accepted there.
	fn reorganise(&self, count: usize) {
		let mut hub = self.0.lock();
		hub.fork += 1;
		let kept = hub.accepted.len() - count;
		hub.accepted.truncate(kept);
		let epoch = hub.registered.as_ref().unwrap().head.epoch;
		hub.registered = Some(hub.accepted.last().map_or_else(|| registration(epoch), accepted));
	}

	fn waiting(&self) -> Vec<u64> {
		self.0.lock().outbox.heads.iter().map(|out| out.head.seq).collect()
	}
}

struct Node {
	world: World,
	hub: Played,
	keystore: KeystorePtr,
	driver: Driver<Played>,
	nonce: u64,
}

impl Node {
	/// A node that serves `/x`, which the hub knows; whose batches have `batch_calls`.
	fn new(batch_calls: u32, with_key: bool) -> Self {
		let world = World::new(Role::Serve);
		let hub = Played::default();
		hub.0.lock().registered = Some(registration(1));
		hub.block(0);
		let keystore: KeystorePtr = Arc::new(MemoryKeystore::new());
		let options = EngineOptions { batch_calls, batch_ms: 100, ..Default::default() };
		let signers: Vec<Box<dyn crate::subtree::HeadSigner>> = vec![Box::new(PoaSigner)];
		let (served, keys) = (world.served.clone(), keystore.clone());
		let mut driver = Driver::new(served, hub.clone(), keys, signers, options);
		driver.turn();
		let node = Self { world, hub, keystore, driver, nonce: 0 };
		if with_key {
			node.insert_key();
		}
		node
	}

	fn insert_key(&self) {
		let public = Bob.pair().public();
		self.keystore.insert(KEY_TYPE, "//Bob", &public.0).unwrap();
	}

	fn running(&self) -> Arc<Running> {
		self.world.served.get(&subtree()).unwrap()
	}

	/// Executes as many calls, and gives the driver a turn.
	fn calls(&mut self, count: u64) {
		let running = self.running();
		for _ in 0..count {
			execute(&running, self.nonce, set("field", &self.nonce.to_be_bytes()));
			self.nonce += 1;
		}
		self.driver.turn();
	}

	/// A block of the hub, and a turn.
	fn block(&mut self, limit: usize) {
		self.hub.block(limit);
		self.driver.turn();
	}

	/// Turns until the content is here: a turn brings what it can in a tenth of a second, on a slow machine a single range.
	fn turn_until_synced(&mut self) {
		for _ in 0..100 {
			if self.running().live.status().synced {
				return;
			}
			self.driver.turn();
		}
		panic!("the content comes in a hundred turns");
	}

	fn seqs(&self) -> (u64, u64) {
		let status = self.running().live.status();
		(status.committed, status.seq)
	}
}

#[test]
fn heads_go_out_signed_and_are_noted_when_the_hub_has_them() {
	let mut node = Node::new(2, true);
	node.calls(6);
	assert_eq!((node.hub.waiting(), node.seqs()), (vec![1, 2, 3], (0, 3)));
	node.block(1);
	assert_eq!((node.hub.waiting(), node.seqs()), (vec![2, 3], (1, 3)));
	node.block(2);
	assert_eq!((node.hub.waiting(), node.seqs()), (vec![], (3, 3)));
	let writes = node.hub.0.lock().writes;
	node.block(1);
	node.driver.turn();
	assert_eq!(node.hub.0.lock().writes, writes, "what does not change is not written again");
	let progress = node.running().live.progress().borrow().clone();
	assert_eq!(progress.committed.map(|head| (head.seq, head.number)), Some((3, 3)));
	node.hub.0.lock().finalised = 3;
	node.driver.turn();
	let progress = node.running().live.progress().borrow().clone();
	assert_eq!(progress.finalised.map(|head| (head.seq, head.number)), Some((3, 3)));
}

#[test]
fn a_hub_that_refuses_submissions_only_delays() {
	let mut node = Node::new(2, true);
	node.calls(4);
	for _ in 0..10 {
		node.block(0);
		node.calls(2);
	}
	assert_eq!(node.seqs(), (0, 12));
	assert_eq!(node.hub.waiting(), (1..=HEADS_AHEAD as u64).collect::<Vec<_>>());
	while node.seqs().0 < 12 {
		node.block(HEADS_AHEAD);
	}
	assert!(node.hub.waiting().is_empty());
}

#[test]
fn a_hub_that_stands_only_delays_and_calls_go_on() {
	let mut node = Node::new(2, true);
	node.calls(2);
	for _ in 0..10 {
		node.world.wait_ms(1_000);
		node.calls(2);
	}
	assert_eq!(node.seqs(), (0, 11));
	node.block(4);
	node.block(4);
	node.block(4);
	assert_eq!(node.seqs(), (11, 11));
}

#[test]
fn batches_are_sealed_by_time_only_when_no_head_waits() {
	let mut node = Node::new(100, true);
	node.calls(1);
	assert_eq!(node.seqs(), (0, 0));
	node.world.wait_ms(100);
	node.driver.turn();
	assert_eq!(node.seqs(), (0, 1), "the first is due by time");
	node.calls(1);
	for _ in 0..5 {
		node.world.wait_ms(1_000);
		node.block(0);
	}
	assert_eq!(node.seqs(), (0, 1), "small batches do not pile up");
	node.block(1);
	assert_eq!(node.seqs(), (1, 2), "the next one goes when the hub has the first");
	node.calls(100);
	assert_eq!(node.seqs(), (1, 3), "a full one goes at once");
}

#[test]
fn a_key_that_arrives_late_signs_what_waits() {
	let mut node = Node::new(1, false);
	node.calls(3);
	assert!(node.hub.waiting().is_empty());
	node.insert_key();
	node.block(1);
	assert_eq!(node.hub.waiting(), vec![1, 2, 3], "at the next view");
}

#[test]
fn more_heads_than_the_outbox_holds_are_handed_over_in_their_order() {
	const HEADS: u64 = 257;
	let mut node = Node::new(1, true);
	node.calls(HEADS);
	assert_eq!((node.hub.waiting().len(), node.seqs()), (HEADS_AHEAD, (0, HEADS)));
	while node.seqs().0 < HEADS {
		node.block(HEADS_AHEAD);
	}
	let accepted: Vec<_> = node.hub.0.lock().accepted.iter().map(|head| head.seq).collect();
	assert_eq!(accepted, (1..=HEADS).collect::<Vec<_>>());
}

#[test]
fn a_reorganisation_that_removes_commits_hands_the_heads_over_again() {
	let mut node = Node::new(1, true);
	node.calls(3);
	node.block(3);
	let heads = node.hub.0.lock().accepted.clone();
	assert_eq!((node.hub.waiting(), node.seqs()), (vec![], (3, 3)));
	node.hub.reorganise(2);
	node.driver.turn();
	assert_eq!((node.hub.waiting(), node.seqs()), (vec![2, 3], (1, 3)));
	let progress = node.running().live.progress().borrow().clone();
	assert_eq!(progress.committed.map(|head| head.seq), Some(1));
	node.block(3);
	assert_eq!(node.hub.0.lock().accepted, heads, "the same heads, byte by byte");
}

#[test]
fn a_fork_that_loses_after_hundreds_of_heads_takes_no_call_with_it() {
	const HEADS: u64 = 300;
	let mut node = Node::new(1, true);
	node.calls(1);
	node.block(1);
	node.hub.0.lock().finalised = 2;
	node.calls(HEADS - 1);
	while node.seqs().0 < HEADS {
		node.block(HEADS_AHEAD);
	}
	let finalised = node.running().live.progress().borrow().finalised;
	assert_eq!(finalised.map(|head| head.seq), Some(1));
	assert!(node.running().reader.head(Some(1)).is_ok(), "what is proven by default is kept");
	let heads = node.hub.0.lock().accepted.clone();
	node.hub.reorganise(HEADS as usize - 1);
	node.driver.turn();
	assert_eq!((node.seqs(), node.running().live.status().stopped), ((1, HEADS), None));
	while node.seqs().0 < HEADS {
		node.block(HEADS_AHEAD);
	}
	assert_eq!(node.hub.0.lock().accepted, heads, "the same heads, byte by byte");
	let number = node.hub.0.lock().number;
	node.hub.0.lock().finalised = number;
	node.driver.turn();
	assert_eq!(node.running().live.status().oldest, HEADS - 255, "and then it is pruned");
}

#[test]
fn an_engine_that_opens_while_finality_stands_is_told_what_is_final() {
	let mut node = Node::new(1, true);
	node.calls(2);
	node.block(2);
	node.hub.0.lock().finalised = 2;
	node.driver.turn();
	let before = node.hub.0.lock().registered.clone();
	node.hub.0.lock().registered = Some(registration(2));
	node.block(0);
	node.hub.0.lock().registered = before;
	for _ in 0..1_200 {
		// The former engine lets go of the folder when its thread has ended.
		node.block(0);
		let running = node.world.served.get(&subtree()).filter(|open| open.identity.epoch == 1);
		if let Some(running) = running {
			let finalised = running.live.progress().borrow().finalised;
			assert_eq!(finalised.map(|head| (head.seq, head.number)), Some((2, 2)));
			return;
		}
		std::thread::sleep(std::time::Duration::from_millis(50));
	}
	panic!("the folder is opened again");
}

#[test]
fn a_closed_or_removed_subtree_hands_out_nothing_and_comes_back_after_a_reorganisation() {
	let mut node = Node::new(1, true);
	node.calls(2);
	assert_eq!(node.hub.waiting(), vec![1, 2]);
	let before = node.hub.0.lock().registered.clone().unwrap();
	let closed = SubtreeView { status: HeadStatus::Closed, ..before.clone() };
	for gone in [Some(closed), None] {
		node.hub.0.lock().registered = gone;
		node.block(0);
		assert!(node.hub.waiting().is_empty());
		assert!(!node.running().live.is_open());
		node.hub.0.lock().registered = Some(before.clone());
		node.hub.0.lock().fork += 1;
		node.driver.turn();
		assert_eq!(node.hub.waiting(), vec![1, 2]);
		assert!(node.running().live.is_open());
	}
}

#[test]
fn a_new_registration_gets_an_engine_of_its_own_and_ends_the_former() {
	let mut node = Node::new(1, true);
	node.calls(2);
	let former = node.running();
	node.hub.0.lock().registered = Some(registration(2));
	node.block(0);
	assert!(node.hub.waiting().is_empty(), "heads of the former can never be committed");
	let ended = former.live.progress().borrow().ended.clone();
	assert!(ended.is_some_and(|reason| reason.contains("registered anew")));
	let running = node.running();
	assert_eq!((running.identity.epoch, running.live.status().seq), (2, 0));
	node.nonce = 0;
	node.calls(1);
	let heads: Vec<_> =
		node.hub.0.lock().outbox.heads.iter().map(|out| (out.head.epoch, out.head.seq)).collect();
	assert_eq!(heads, vec![(2, 1)]);
}

#[test]
fn a_hub_with_another_head_stops_the_engine_and_says_so_to_subscribers() {
	let mut node = Node::new(1, true);
	node.calls(1);
	let mut other = node.running().reader.head(Some(1)).unwrap().unwrap();
	other.batch_root = H256([5; 32]);
	node.hub.0.lock().registered = Some(accepted(&other));
	node.block(0);
	let progress = node.running().live.progress().borrow().clone();
	assert!(progress.ended.is_some_and(|reason| reason.contains("another node serves")));
	assert_eq!(progress.committed.map_or(0, |head| head.seq), 0);
}

/// A registration of `/x` with content, and who has it.
fn with_content() -> (SubtreeView, Arc<Running>, World) {
	let former = World::new(Role::Serve);
	let running = former.open(EngineOptions { batch_calls: 1, ..Default::default() });
	for nonce in 0..20 {
		execute(&running, nonce, set(&format!("field {nonce}"), b"from the hub"));
	}
	running.engine.lock().seal_now().unwrap();
	let root = running.live.status().root;
	let before = registration(2);
	let head = HeadState { state_root: root, ..before.head.clone() };
	(SubtreeView { start: SubtreeStart::Hosted(root), head, ..before }, running, former)
}

#[test]
fn content_that_the_hub_hosted_is_brought_and_then_served() {
	let (view, former, _world) = with_content();
	let mut node = Node::new(1, true);
	node.hub.0.lock().registered = Some(view.clone());
	node.block(0);
	let running = node.running();
	assert!(!running.live.status().synced, "the hub keeps nothing");
	let call = running.gate.check(&signed(Alice, 2, 20, set("early", b"")), 1).unwrap();
	let refused = running.writer.as_ref().unwrap().submit(call).unwrap().blocking_recv().unwrap();
	assert!(matches!(refused, Err(SubmitError::NotSynced)));

	node.hub.0.lock().content = Some(former.reader.clone());
	node.turn_until_synced();
	assert_eq!(running.live.status().root, view.head.state_root);
	let field = running.reader.field(&subtree(), &key("field 7"), None).unwrap();
	assert_eq!(field.map(|value| value.to_vec()), Some(b"from the hub".to_vec()));

	// It goes on from there: nonces are part of the content.
	node.nonce = 20;
	node.calls(1);
	assert_eq!((node.hub.waiting(), node.seqs()), (vec![1], (0, 1)));
	let head = running.reader.head(Some(1)).unwrap().unwrap();
	assert_eq!((head.epoch, head.pre_root), (2, view.head.state_root));
}

#[test]
fn content_that_the_hub_gave_up_is_not_brought() {
	let (view, former, _world) = with_content();
	let mut node = Node::new(1, true);
	let mut head = former.reader.head(None).unwrap().unwrap();
	(head.epoch, head.seq) = (2, 1);
	let accepted = SubtreeView { head: head.next_state(), last: Some(head), ..view };
	node.hub.0.lock().content = Some(former.reader.clone());
	node.hub.0.lock().registered = Some(accepted);
	node.block(0);
	let status = node.running().live.status();
	assert_eq!((status.synced, status.stopped), (false, None), "it could not go on from there");
}

#[test]
fn content_of_a_subtree_that_left_the_hub_is_brought_only_when_it_is_back() {
	let (view, former, _world) = with_content();
	let mut node = Node::new(1, true);
	let closed = SubtreeView { status: HeadStatus::Closed, ..view.clone() };
	for gone in [Some(closed), None] {
		node.hub.0.lock().content = None;
		node.hub.0.lock().registered = Some(view.clone());
		node.block(0);
		let running = node.running();
		node.hub.0.lock().registered = gone;
		node.block(0);
		node.hub.0.lock().content = Some(former.reader.clone());
		node.driver.turn();
		assert!(!running.live.status().synced, "nobody asks for it any more");
	}
	node.hub.0.lock().registered = Some(view);
	node.block(0);
	node.turn_until_synced();
}

#[test]
fn no_calls_are_taken_until_the_worker_has_run_since_the_start() {
	let mut node = Node::new(1, true);
	let restart = |node: &Node| {
		let (served, keys) = (node.world.served.clone(), node.keystore.clone());
		Driver::new(served, node.hub.clone(), keys, Vec::new(), EngineOptions::default())
	};
	// What `Node::new` started with is from an earlier run, too.
	assert!(node.world.served.is_outdated());
	assert!(node.running().reader.head(None).is_ok(), "reads go on");
	node.block(0);
	assert!(!node.world.served.is_outdated());

	node.driver = restart(&node);
	for _ in 0..3 {
		node.driver.turn();
		assert!(node.world.served.is_outdated());
	}
	node.hub.0.lock().registered = None;
	node.block(0);
	assert!(!node.world.served.is_outdated());
	assert!(!node.running().live.is_open(), "known before calls are taken");
	node.hub.0.lock().number -= 1;
	node.driver.turn();
	assert!(!node.world.served.is_outdated(), "the worker said it itself this time");
}

#[test]
fn a_node_that_has_never_seen_the_hub_is_not_outdated() {
	let world = World::new(Role::Serve);
	let (keys, hub) = (Arc::new(MemoryKeystore::new()), Played::default());
	let options = EngineOptions::default();
	let mut driver = Driver::new(world.served.clone(), hub.clone(), keys, Vec::new(), options);
	driver.turn();
	assert!(!world.served.is_outdated() && world.served.get(&subtree()).is_none());
	hub.0.lock().registered = Some(registration(1));
	hub.block(0);
	driver.turn();
	assert!(!world.served.is_outdated() && world.served.get(&subtree()).is_some());
}

#[test]
fn calls_are_refused_while_the_hub_takes_the_content_back() {
	let mut node = Node::new(1, true);
	node.calls(1);
	let mut view = node.hub.0.lock().registered.clone().unwrap();
	view.being_hosted = true;
	node.hub.0.lock().registered = Some(view.clone());
	node.block(0);
	let running = node.running();
	let submit = |nonce| {
		let call = running.gate.check(&signed(Alice, 1, nonce, set("late", b"")), 1).unwrap();
		running.writer.as_ref().unwrap().submit(call).unwrap().blocking_recv().unwrap()
	};
	assert!(matches!(submit(1), Err(SubmitError::BeingHosted)));
	assert_eq!(node.seqs(), (0, 1), "what was acknowledged waits");
	view.being_hosted = false;
	node.hub.0.lock().registered = Some(view);
	node.block(1);
	assert_eq!(node.seqs(), (1, 1), "and is committed if the hub gives up");
	assert!(submit(1).is_ok());
}
