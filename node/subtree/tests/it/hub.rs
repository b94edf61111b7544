//! What the hub's word does to heads.

use crate::common::*;
use dstp_primitives::head::HeadState;
use dstp_subtree::{
	Engine, EngineOptions, HubError, HubOutcome, Retention, Role, StopReason, SubmitError,
};
use sp_core::H256;

fn state(engine: &Engine, seq: u64) -> HeadState {
	let head = (seq > 0).then(|| engine.reader().head(Some(seq)).unwrap().unwrap());
	HeadState {
		epoch: identity().epoch,
		era: 0,
		seq,
		hash: head.as_ref().map(|head| head.hash()).unwrap_or_default(),
		state_root: head.map_or(genesis().root(), |head| head.state_root),
		hub_last: 1,
	}
}

fn served(dir: &std::path::Path) -> Engine {
	let mut engine = serve(dir);
	run_workload(&mut engine, 0, 20, 4);
	engine
}

fn pending(engine: &Engine) -> Vec<u64> {
	engine.uncommitted_heads(100).unwrap().iter().map(|head| head.seq).collect()
}

#[test]
fn a_reorganisation_hands_heads_out_again() {
	let dir = tempfile::tempdir().unwrap();
	let mut engine = served(dir.path());
	assert_eq!(pending(&engine), vec![1, 2, 3, 4, 5]);
	let heads = engine.uncommitted_heads(100).unwrap();
	assert_eq!(engine.on_hub_head(&state(&engine, 0)).unwrap(), HubOutcome::Unchanged);
	let third = state(&engine, 3);
	assert_eq!(engine.on_hub_head(&third).unwrap(), HubOutcome::Committed { seq: 3 });
	assert_eq!(engine.on_hub_head(&third).unwrap(), HubOutcome::Unchanged);
	assert_eq!((pending(&engine), engine.status().pending_calls), (vec![4, 5], 8));
	let first = state(&engine, 1);
	assert_eq!(engine.on_hub_head(&first).unwrap(), HubOutcome::Reverted { seq: 1 });
	assert_eq!(engine.uncommitted_heads(100).unwrap(), heads[1..], "the same heads, byte by byte");
	assert_eq!(engine.status().pending_calls, 16);
	drop(engine);
	assert_eq!(
		serve(dir.path()).uncommitted_heads(2).unwrap()[0],
		heads[0],
		"a restart asks the hub again"
	);
}

#[test]
fn another_first_root_on_the_hub_stops_the_engine() {
	let dir = tempfile::tempdir().unwrap();
	let mut engine = served(dir.path());
	let mut other = state(&engine, 0);
	other.state_root = H256([5; 32]);
	let error = engine.on_hub_head(&other).unwrap_err();
	assert!(matches!(error, HubError::Stopped(StopReason::Diverged { seq: 0, ours: None, .. })));
}

#[test]
fn a_deep_reorganisation_before_finality_loses_nothing() {
	let dir = tempfile::tempdir().unwrap();
	let mut engine = serve(dir.path());
	run_workload(&mut engine, 0, 300, 1);
	let heads = engine.uncommitted_heads(300).unwrap();
	let (first, newest) = (state(&engine, 1), state(&engine, 300));
	assert_eq!(engine.on_hub_head(&newest).unwrap(), HubOutcome::Committed { seq: 300 });
	engine.mark_final(0).unwrap();
	drop(engine);
	// A restart does not know what is final until it is told.
	let mut engine = serve(dir.path());
	engine.on_hub_head(&newest).unwrap();
	run_workload(&mut engine, 300, 310, 1);
	assert_eq!(engine.on_hub_head(&first).unwrap(), HubOutcome::Reverted { seq: 1 });
	let again = engine.uncommitted_heads(1000).unwrap();
	assert_eq!((again.len(), &again[..299]), (309, &heads[1..]), "the same heads, byte by byte");
	for (nonce, head) in (1u64..).zip(&again) {
		let batch = engine.reader().batch(head.seq).unwrap().unwrap();
		assert_eq!((batch.len(), batch[0].call.payload.nonce), (1, nonce));
	}
	let newest = state(&engine, 310);
	engine.on_hub_head(&newest).unwrap();
	engine.mark_final(310).unwrap();
	assert_eq!(engine.reader().kept(), (55, 310), "what is final is pruned as always");
}

#[test]
fn calls_are_refused_when_too_many_heads_wait_for_finality() {
	let dir = tempfile::tempdir().unwrap();
	let options = EngineOptions { unfinal_heads: 3, ..Default::default() };
	let mut engine = open(dir.path(), Role::Serve, options).unwrap();
	for seq in 1..=3 {
		run_workload(&mut engine, seq - 1, seq, 1);
		let state = state(&engine, seq);
		engine.on_hub_head(&state).unwrap();
	}
	let refused = engine.submit(&signed(1, 3, workload(3)), hub(1), 1).unwrap_err();
	assert!(matches!(refused, SubmitError::NotFinal(3)) && refused.is_transient(), "{refused}");
	engine.mark_final(1).unwrap();
	run_workload(&mut engine, 3, 4, 1);
}

#[test]
fn a_hub_rewound_below_what_was_final_stops_the_engine_and_keeps_the_folder() {
	let dir = tempfile::tempdir().unwrap();
	let options = EngineOptions { retention: Retention::Last(1), ..Default::default() };
	let mut engine = open(dir.path(), Role::Serve, options).unwrap();
	run_workload(&mut engine, 0, 20, 4);
	let (first, fifth) = (state(&engine, 1), state(&engine, 5));
	assert_eq!(engine.on_hub_head(&fifth).unwrap(), HubOutcome::Committed { seq: 5 });
	engine.mark_final(5).unwrap();
	let error = engine.on_hub_head(&first).unwrap_err();
	assert!(matches!(error, HubError::Stopped(StopReason::Rewound { hub: 1, oldest: 5 })));
	assert!(error.to_string().contains("keep the folder"), "{error}");
	assert!(!error.to_string().contains("another node"), "{error}");
}

#[test]
fn another_head_on_the_hub_stops_the_engine() {
	let dir = tempfile::tempdir().unwrap();
	let mut engine = served(dir.path());
	let mut other = state(&engine, 2);
	other.hash = H256([5; 32]);
	let error = engine.on_hub_head(&other).unwrap_err();
	assert!(matches!(error, HubError::Stopped(StopReason::Diverged { seq: 2, ours: Some(_), .. })));
	let error = engine.submit(&signed(1, 20, workload(20)), hub(1), 1).unwrap_err();
	assert!(
		matches!(error, SubmitError::Stopped(_))
			&& error.to_string().contains("another node serves")
	);
	assert!(engine.seal_now().is_err());
}

#[test]
fn heads_beyond_ours_and_other_registrations_stop_the_engine() {
	let dir = tempfile::tempdir().unwrap();
	let mut engine = served(dir.path());
	let error = engine.mark_committed(6, H256([5; 32])).unwrap_err();
	assert!(matches!(error, HubError::Stopped(StopReason::Diverged { seq: 6, ours: None, .. })));
	drop(engine);
	let mut engine = serve(dir.path());
	let mut other = state(&engine, 1);
	other.epoch += 1;
	let error = engine.on_hub_head(&other).unwrap_err();
	assert!(matches!(error, HubError::Stopped(StopReason::OtherEpoch { .. })));
}

#[test]
fn a_new_era_gives_heads_that_the_hub_has_not_accepted_a_new_hash() {
	let dir = tempfile::tempdir().unwrap();
	let mut engine = served(dir.path());
	engine.submit(&signed(1, 20, workload(20)), hub(1), 1).unwrap();
	let mut second = state(&engine, 2);
	second.era = 7;
	assert_eq!(engine.on_hub_head(&second).unwrap(), HubOutcome::Resealed { first: 3 });
	let check = |engine: &Engine| {
		let heads = engine.uncommitted_heads(100).unwrap();
		let mut last = HeadState { era: 7, ..second.clone() };
		for head in &heads {
			head.check_follows(identity().genesis, identity().subtree, &last, 10).unwrap();
			last = head.next_state();
		}
		heads
	};
	let heads = check(&engine);
	assert_eq!(heads.len(), 3);
	drop(engine);
	let mut engine = serve(dir.path());
	engine.on_hub_head(&second).unwrap();
	assert_eq!(check(&engine), heads, "a restart gives the same heads");
	engine.seal_now().unwrap();
	assert_eq!(check(&engine).len(), 4);
	drop(engine);
	let mut engine = serve(dir.path());
	engine.on_hub_head(&second).unwrap();
	assert_eq!(check(&engine).len(), 4);
	assert_eq!(engine.open_root(), workload_roots(21)[21]);
}
