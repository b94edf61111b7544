//! The worker with a keystore, a pool and an off-chain storage of its own.

use super::*;
use crate::{crypto, Call};
use codec::Decode;
use dstp_primitives::{
	digest::{GlobalRoot, ENGINE_ID},
	hub::ContentSize,
	mailbox::{HubView, Interests, MailboxItem, Outbox, OutboxHead},
};
use frame_support::traits::{fungible::Mutate, Hooks, OffchainWorker};
use sp_core::offchain::{
	testing::{TestOffchainExt, TestTransactionPoolExt},
	OffchainDbExt, OffchainWorkerExt, StorageKind, TransactionPool, TransactionPoolExt,
};
use sp_keystore::{testing::MemoryKeystore, Keystore, KeystoreExt};
use sp_runtime::DigestItem;

/// The heads in the transaction pool, which it empties.
type Pool<'a> = &'a dyn Fn() -> Vec<Head>;

/// Takes nothing from some accounts, as a pool does that has their transaction already.
struct PickyPool(TestTransactionPoolExt);

impl TransactionPool for PickyPool {
	fn submit_transaction(&mut self, extrinsic: Vec<u8>) -> Result<(), ()> {
		let by = Signers::get().last().cloned().unwrap();
		if Refused::get().contains(&by) {
			Signers::mutate(|signers| signers.pop());
			return Err(());
		}
		self.0.submit_transaction(extrinsic)
	}
}

fn fund(who: &AccountId) {
	Balances::set_balance(who, 1000);
}

/// Puts another key into the keystore; gives its account, which has nothing.
fn insert_key(seed: &str) -> AccountId {
	sp_io::crypto::sr25519_generate(crypto::KEY_TYPE, Some(seed.into())).0.into()
}

fn execute_with_node(with_key: bool, test: impl FnOnce(Pool<'_>)) {
	let mut ext = new_test_ext(vec![]);
	let (offchain, _) = TestOffchainExt::new();
	let (pool, state) = TestTransactionPoolExt::new();
	let keystore = MemoryKeystore::new();
	if with_key {
		let public = keystore.sr25519_generate_new(crypto::KEY_TYPE, Some("//Submitter")).unwrap();
		ext.execute_with(|| fund(&public.0.into()));
	}
	ext.register_extension(OffchainDbExt::new(offchain.clone()));
	ext.register_extension(OffchainWorkerExt::new(offchain));
	ext.register_extension(TransactionPoolExt::new(PickyPool(pool)));
	ext.register_extension(KeystoreExt::new(keystore));
	let submitted = || heads_of(core::mem::take(&mut state.write().transactions));
	ext.execute_with(|| test(&submitted));
}

fn put(item: &impl MailboxItem) {
	fn key<T: MailboxItem>(_: &T) -> &'static [u8] {
		T::KEY
	}
	sp_io::offchain::local_storage_set(StorageKind::PERSISTENT, key(item), &item.to_bytes());
}

fn outbox(heads: &[Head]) {
	let heads: Vec<_> = heads
		.iter()
		.map(|head| OutboxHead { head: head.clone(), evidence: signed(head) })
		.collect();
	put(&Outbox { heads: heads.try_into().unwrap() });
}

fn hub_view() -> Option<HubView> {
	let bytes = sp_io::offchain::local_storage_get(StorageKind::PERSISTENT, HubView::KEY)?;
	Some(HubView::from_bytes(&bytes).unwrap())
}

/// Closes block `number` with a root in its header, and runs the worker as the node does.
fn best_block(number: u64) {
	System::set_block_number(number - 1);
	System::initialize(&number, &H256([number as u8 - 1; 32]), &Default::default());
	let root = GlobalRoot::new(H256([number as u8; 32]));
	System::deposit_log(DigestItem::Consensus(ENGINE_ID, root.encode()));
	frame_system::BlockHash::<Test>::insert(number, H256([number as u8; 32]));
	<SubtreeSecurity as OffchainWorker<u64>>::offchain_worker(number);
}

fn heads_of(transactions: Vec<Vec<u8>>) -> Vec<Head> {
	let calls = transactions.iter().map(|bytes| {
		let RuntimeCall::SubtreeSecurity(Call::commit_head { head, .. }) =
			Extrinsic::decode(&mut &bytes[..]).unwrap().function
		else {
			panic!("the worker submits heads only")
		};
		head
	});
	calls.collect()
}

#[test]
fn nothing_is_submitted_without_an_outbox() {
	execute_with_node(true, |submitted| {
		register("geo", params(0, None));
		best_block(2);
		assert!(submitted().is_empty());
		outbox(&[]);
		best_block(3);
		assert!(submitted().is_empty());
	});
}

#[test]
fn head_is_submitted_until_it_is_accepted() {
	execute_with_node(true, |submitted| {
		let subtree = register("geo", params(0, None));
		let head = next_head(subtree, 1);
		outbox(core::slice::from_ref(&head));
		for number in 2..5 {
			best_block(number);
			assert_eq!(submitted(), core::slice::from_ref(&head));
			// Another block with the same number.
			best_block(number);
			assert!(submitted().is_empty());
		}
		submit(&head, signed(&head)).unwrap();
		best_block(5);
		assert!(submitted().is_empty());
	});
}

#[test]
fn one_head_per_subtree_in_order() {
	execute_with_node(true, |submitted| {
		let (geo, other) = (register("geo", params(0, None)), register("other", params(0, None)));
		let first = next_head(geo, 1);
		let second = Head {
			seq: 2,
			prev: first.hash(),
			pre_root: first.state_root,
			state_root: H256([2; 32]),
			..first.clone()
		};
		let elsewhere = next_head(other, 3);
		outbox(&[first.clone(), second.clone(), elsewhere.clone()]);
		best_block(2);
		assert_eq!(submitted(), [first.clone(), elsewhere.clone()]);
		submit(&first, signed(&first)).unwrap();
		best_block(3);
		assert_eq!(submitted(), [second, elsewhere]);
	});
}

#[test]
fn head_of_a_lost_commit_is_submitted_again() {
	execute_with_node(true, |submitted| {
		let subtree = register("geo", params(0, None));
		let head = next_head(subtree, 1);
		outbox(core::slice::from_ref(&head));
		let before = Subtrees::<Test>::get(subtree).unwrap();
		submit(&head, signed(&head)).unwrap();
		best_block(2);
		assert!(submitted().is_empty());
		// The hub's chain was reorganised.
		Subtrees::<Test>::insert(subtree, before);
		best_block(3);
		assert_eq!(submitted(), [head]);
	});
}

#[test]
fn heads_that_the_hub_would_refuse_stay() {
	execute_with_node(true, |submitted| {
		let subtree = register("geo", params(0, None));
		let head = next_head(subtree, 1);
		outbox(&[
			Head { epoch: 9, ..head.clone() },
			Head { seq: 3, ..head.clone() },
			Head { subtree: ObjectId([1; 32]), ..head.clone() },
		]);
		best_block(2);
		assert!(submitted().is_empty());
		outbox(&[head]);
		close(subtree).unwrap();
		best_block(3);
		assert!(submitted().is_empty());
	});
}

#[test]
fn nothing_is_submitted_while_the_state_is_taken_back() {
	execute_with_node(true, |submitted| {
		let subtree = register("geo", params(0, None));
		let head = next_head(subtree, 1);
		outbox(core::slice::from_ref(&head));
		let (owner, size) = (RuntimeOrigin::signed(alice()), ContentSize { objects: 1, bytes: 0 });
		SubtreeSecurity::start_hosting(owner.clone(), subtree, size).unwrap();
		best_block(2);
		assert!(submitted().is_empty());
		SubtreeSecurity::cancel_hosting(owner, subtree).unwrap();
		best_block(3);
		assert_eq!(submitted(), [head]);
	});
}

#[test]
fn head_waits_until_the_interval_has_passed() {
	execute_with_node(true, |submitted| {
		let subtree = register("geo", params(3, None));
		commit(subtree, 1);
		let head = next_head(subtree, 2);
		outbox(core::slice::from_ref(&head));
		best_block(2);
		assert!(submitted().is_empty(), "block 3 is too early");
		best_block(3);
		assert_eq!(submitted(), [head], "block 4 is not");
	});
}

#[test]
fn head_of_a_rotated_set_is_not_submitted() {
	execute_with_node(true, |submitted| {
		let subtree = register("geo", params(0, Some(1)));
		outbox(&[next_head(subtree, 1)]);
		System::set_block_number(3);
		let next = encode_update(&set(&[7], 1));
		SubtreeSecurity::replace_authorities(RuntimeOrigin::signed(alice()), subtree, next)
			.unwrap();
		best_block(4);
		assert!(submitted().is_empty());
	});
}

#[test]
fn nothing_is_submitted_without_a_key() {
	execute_with_node(false, |submitted| {
		let subtree = register("geo", params(0, None));
		outbox(&[next_head(subtree, 1)]);
		best_block(2);
		assert!(submitted().is_empty());
	});
}

#[test]
fn account_with_funds_signs() {
	execute_with_node(false, |submitted| {
		let accounts: Vec<_> = (0..4).map(|n| insert_key(&format!("//{n}"))).collect();
		let subtree = register("geo", params(0, None));
		let head = next_head(subtree, 1);
		outbox(core::slice::from_ref(&head));
		best_block(2);
		assert!(submitted().is_empty(), "nobody can pay");
		fund(&accounts[2]);
		best_block(3);
		assert_eq!(submitted(), [head]);
		assert_eq!(Signers::take(), [accounts[2].clone()]);
	});
}

#[test]
fn next_account_is_tried_when_the_pool_refuses_the_first() {
	execute_with_node(false, |submitted| {
		let accounts: Vec<_> = (0..2).map(|n| insert_key(&format!("//{n}"))).collect();
		accounts.iter().for_each(fund);
		let subtree = register("geo", params(0, None));
		let head = next_head(subtree, 1);
		outbox(core::slice::from_ref(&head));
		for (number, good, bad) in [(2, 0, 1), (30, 1, 0)] {
			Refused::set(vec![accounts[bad].clone()]);
			best_block(number);
			assert_eq!(submitted(), core::slice::from_ref(&head));
			assert_eq!(Signers::take(), [accounts[good].clone()]);
		}
		Refused::set(accounts.clone());
		best_block(60);
		assert!(submitted().is_empty());
		Refused::set(vec![]);
	});
}

#[test]
fn head_that_waits_in_the_pool_is_not_sent_by_a_second_account() {
	execute_with_node(false, |submitted| {
		let accounts: Vec<_> = (0..2).map(|n| insert_key(&format!("//{n}"))).collect();
		accounts.iter().for_each(fund);
		let subtree = register("geo", params(0, None));
		outbox(&[next_head(subtree, 1)]);
		best_block(2);
		assert_eq!(submitted().len(), 1);
		let first = Signers::take().remove(0);
		let other = accounts.iter().find(|account| **account != first).unwrap();
		// The pool has it, and does not take it again.
		Refused::set(vec![first.clone()]);
		best_block(3);
		assert!(submitted().is_empty());
		// Whoever cannot pay any more is not waited for.
		Balances::set_balance(&first, 0);
		best_block(4);
		assert_eq!(submitted().len(), 1);
		assert_eq!(Signers::take(), core::slice::from_ref(other));
		Refused::set(vec![]);
	});
}

#[test]
fn head_that_was_put_off_is_submitted_again() {
	execute_with_node(true, |submitted| {
		let subtree = register("geo", params(0, None));
		let head = next_head(subtree, 1);
		outbox(core::slice::from_ref(&head));
		Full::set(true);
		submit(&head, signed(&head)).unwrap();
		Full::set(false);
		best_block(2);
		assert_eq!(submitted(), [head]);
	});
}

#[test]
fn garbage_in_the_mailbox_is_ignored() {
	execute_with_node(true, |submitted| {
		for key in [Interests::KEY, Outbox::KEY, HubView::KEY] {
			sp_io::offchain::local_storage_set(StorageKind::PERSISTENT, key, &[1, 2, 3]);
		}
		best_block(2);
		assert!(submitted().is_empty());
		assert_eq!(hub_view().unwrap().number, 2);
	});
}

#[test]
fn view_holds_the_subtrees_of_interest() {
	execute_with_node(true, |_| {
		let (geo, other) = (register("geo", params(0, None)), register("other", params(0, None)));
		best_block(2);
		assert!(hub_view().unwrap().subtrees.is_empty());
		let missing = ObjectId([1; 32]);
		put(&Interests { subtrees: vec![other, missing, geo].try_into().unwrap() });
		let head = commit(geo, 1);
		best_block(3);
		let view = hub_view().unwrap();
		assert_eq!((view.number, view.block_hash), (3, H256([3; 32])));
		assert_eq!((view.parent_hash, view.global_root), (H256([2; 32]), H256([3; 32])));
		let ids: Vec<_> = view.subtrees.iter().map(|view| view.subtree).collect();
		assert_eq!(ids, [other, geo]);
		assert_eq!(view.subtrees[1].last, Some(head));
		// A late worker of the block before does not put the old view back.
		best_block(2);
		assert_eq!(hub_view().unwrap().number, 3);
	});
}

#[test]
fn hooks_of_the_pallet_run_the_worker() {
	execute_with_node(true, |_| {
		System::deposit_log(DigestItem::Consensus(
			ENGINE_ID,
			GlobalRoot::new(H256::zero()).encode(),
		));
		<SubtreeSecurity as Hooks<u64>>::offchain_worker(1);
		assert!(hub_view().is_some());
	});
}
