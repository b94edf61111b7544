//! Following: batches of others, right and wrong.

use crate::common::*;
use codec::Encode;
use dstp_primitives::{
	batch::{BatchCommitment, BatchEntry},
	head::Head,
};
use dstp_subtree::{
	ApplyError, Engine, EngineOptions, HubOutcome, Retention, Role, SealedBatch, SubmitError,
};
use sp_core::H256;

fn batches(count: u64) -> Vec<SealedBatch> {
	let dir = tempfile::tempdir().unwrap();
	let mut engine = serve(dir.path());
	let mut sealed = Vec::new();
	for nonce in 0..count {
		engine
			.submit(&signed(1, nonce, workload(nonce)), hub(1 + nonce as u32), 10 * nonce)
			.unwrap();
		if nonce % 5 == 4 {
			sealed.extend(engine.seal_now().unwrap());
		}
	}
	sealed
}

fn follower(dir: &std::path::Path) -> Engine {
	open(dir, Role::Follow, EngineOptions { retention: Retention::Last(1), ..Default::default() })
		.unwrap()
}

#[test]
fn a_follower_reaches_the_same_root_across_restarts() {
	let dir = tempfile::tempdir().unwrap();
	for batch in batches(60) {
		let mut engine = follower(dir.path());
		assert_eq!(
			engine.mark_committed(batch.head.seq, batch.head.hash()).unwrap(),
			HubOutcome::Behind { seq: batch.head.seq }
		);
		let applied = engine.apply_batch(batch.head.clone(), batch.entries.clone()).unwrap();
		assert_eq!(applied, batch);
		assert_eq!(engine.reader().kept(), (batch.head.seq, batch.head.seq));
	}
	let mut engine = follower(dir.path());
	assert_eq!(engine.open_root(), workload_roots(60)[60]);
	assert!(matches!(
		engine.submit(&signed(1, 60, workload(60)), hub(61), 1),
		Err(SubmitError::NotServing)
	));
	check_flat(&engine);
	drop(engine);
	// The state is at hand, so the node may take over.
	let mut engine = serve(dir.path());
	run_workload(&mut engine, 60, 70, 5);
	drop(engine);
	assert_eq!(serve(dir.path()).open_root(), workload_roots(70)[70]);
}

#[test]
fn entries_that_are_not_the_heads_are_the_peers_fault() {
	let dir = tempfile::tempdir().unwrap();
	let mut engine = follower(dir.path());
	let good = batches(5).remove(0);
	let before = engine.status();
	let mut refuse = |entries: Vec<BatchEntry>| {
		let error = engine.apply_batch(good.head.clone(), entries).unwrap_err();
		assert!(error.is_peer_fault() && !error.is_authority_fault(), "{error}");
		assert_eq!(engine.status(), before);
	};
	refuse(Vec::new());
	refuse(good.entries[1..].to_vec());
	let mut swapped = good.entries.clone();
	swapped.swap(0, 1);
	refuse(swapped);
	let mut other = good.entries.clone();
	other[2].post_root = H256::zero();
	refuse(other);
	let mut longer = good.entries.clone();
	longer.push(good.entries[0].clone());
	refuse(longer);
	engine.apply_batch(good.head.clone(), good.entries.clone()).unwrap();
}

/// A head that the authority might have signed over these entries.
fn head_over(good: &Head, entries: &[BatchEntry]) -> Head {
	let commitment = BatchCommitment::new(entries).unwrap();
	Head {
		batch_root: commitment.root,
		batch_len: commitment.len,
		batch_bytes: commitment.bytes,
		state_root: entries.last().unwrap().post_root,
		hub_first: entries[0].hub.number,
		hub_last: entries.last().unwrap().hub.number,
		..good.clone()
	}
}

#[test]
fn heads_over_wrong_executions_are_the_authoritys_fault() {
	let dir = tempfile::tempdir().unwrap();
	let mut engine = follower(dir.path());
	let good = batches(5).remove(0);
	let before = engine.status();
	let mut refuse = |change: &dyn Fn(&mut Vec<BatchEntry>)| {
		let mut entries = good.entries.clone();
		change(&mut entries);
		let error = engine.apply_batch(head_over(&good.head, &entries), entries).unwrap_err();
		assert!(error.is_authority_fault() && !error.is_peer_fault(), "{error}");
		assert_eq!(engine.status(), before);
		assert_eq!(engine.open_root(), before.root);
	};
	refuse(&|entries| entries[2].post_root = H256::zero());
	refuse(&|entries| entries[4].post_root = H256::zero());
	refuse(&|entries| entries[4].status = entries[0].status);
	refuse(&|entries| entries[3].time_ms = 0);
	refuse(&|entries| entries[3].gas = 1);
	refuse(&|entries| drop(entries.remove(1)));
	refuse(&|entries| entries.push(entries[0].clone()));
	refuse(&|entries| entries[1].call.payload.valid_until += 1);
	refuse(&|entries| entries[4].hub.number = VALID_UNTIL + 1);
	let mut head = good.head.clone();
	head.state_root = H256::zero();
	assert!(matches!(
		engine.apply_batch(head, good.entries.clone()),
		Err(ApplyError::WrongStateRoot { .. })
	));
	for change in [|head: &mut Head| head.hub_last += 1, |head: &mut Head| head.hub_first -= 1] {
		let mut head = good.head.clone();
		change(&mut head);
		let error = engine.apply_batch(head, good.entries.clone()).unwrap_err();
		assert!(error.is_authority_fault() && !error.is_peer_fault(), "{error}");
		assert_eq!(engine.status(), before);
	}
	engine.apply_batch(good.head.clone(), good.entries.clone()).unwrap();
}

#[test]
fn heads_out_of_order_and_foreign_heads_are_refused() {
	let dir = tempfile::tempdir().unwrap();
	let mut engine = follower(dir.path());
	let all = batches(15);
	let refuse = |engine: &mut Engine, head: Head, entries: &[BatchEntry]| {
		let before = engine.status();
		let error = engine.apply_batch(head, entries.to_vec()).unwrap_err();
		assert!(matches!(error, ApplyError::Head { .. }), "{error}");
		assert_eq!(engine.status(), before);
	};
	refuse(&mut engine, all[1].head.clone(), &all[1].entries);
	engine.apply_batch(all[0].head.clone(), all[0].entries.clone()).unwrap();
	refuse(&mut engine, all[0].head.clone(), &all[0].entries);
	for change in [
		|head: &mut Head| head.prev = H256::zero(),
		|head: &mut Head| head.pre_root = H256::zero(),
		|head: &mut Head| head.epoch += 1,
		|head: &mut Head| head.genesis = H256::zero(),
		|head: &mut Head| head.version = 2,
	] {
		let mut head = all[1].head.clone();
		change(&mut head);
		refuse(&mut engine, head, &all[1].entries);
	}
	engine.apply_batch(all[1].head.clone(), all[1].entries.clone()).unwrap();
	assert!(!all[1].head.encode().is_empty());
}
