//! The thread that executes calls: groups, order, bounds, shutdown.

use super::*;
use crate::subtree::writer::{QueueError, MAX_HELD_CALLS, MAX_WAITING_CALLS};
use dstp_primitives::{call::CallRefusal, AccountId};
use dstp_subtree::{AccountLimits, Faults, HubAccounts, NonceError, Step, StopReason, SubmitError};
use sp_keyring::Sr25519Keyring::{Bob, Charlie, Dave, Eve, Ferdie};
use std::{
	sync::atomic::AtomicBool,
	time::{Duration, Instant},
};

#[test]
fn calls_of_many_threads_are_each_executed_once() {
	const CALLS: u64 = 100;
	let world = World::new(Role::Serve);
	let running = world.open(EngineOptions::default());
	let threads = [Alice, Bob, Charlie, Dave].map(|signer| {
		let running = running.clone();
		std::thread::spawn(move || {
			let writer = running.writer.as_ref().unwrap();
			let submit = |nonce| writer.submit(checked(&running, signer, nonce)).unwrap();
			let waiting: Vec<_> = (0..CALLS).map(submit).collect();
			let receipts = waiting.into_iter().map(|one| one.blocking_recv().unwrap().unwrap());
			receipts.map(|receipt| receipt.position).collect::<Vec<_>>()
		})
	});
	let mut positions: Vec<_> =
		threads.into_iter().flat_map(|thread| thread.join().unwrap()).collect();
	positions.sort_unstable();
	positions.dedup();
	assert_eq!(positions.len(), 4 * CALLS as usize);
	assert_eq!(running.live.status().pending_calls, 4 * CALLS as u32);
	for signer in [Alice, Bob, Charlie, Dave] {
		assert_eq!(running.engine.lock().next_nonce(&signer.to_account_id()), Ok(CALLS));
	}
}

#[test]
fn calls_that_arrive_in_another_order_are_executed_in_that_of_their_nonces() {
	let world = World::new(Role::Serve);
	let running = world.open(EngineOptions::default());
	let writer = running.writer.as_ref().unwrap();
	let order = [3, 1, 4, 0, 2, 6, 5];
	// Made before, because a call waits only so long for the one before it.
	let calls = order.map(|nonce| checked(&running, Alice, nonce));
	let waiting = calls.map(|call| writer.submit(call).unwrap());
	for (nonce, outcome) in order.into_iter().zip(waiting) {
		let receipt = outcome.blocking_recv().unwrap().unwrap();
		assert_eq!((receipt.nonce, u64::from(receipt.index)), (nonce, nonce));
	}
}

#[test]
fn a_call_whose_predecessor_never_comes_is_refused_and_those_after_it_at_once() {
	let world = World::new(Role::Serve);
	let running = world.open(EngineOptions::default());
	let writer = running.writer.as_ref().unwrap();
	let refused = |nonce| {
		let outcome = writer.submit(checked(&running, Alice, nonce)).unwrap();
		match outcome.blocking_recv().unwrap() {
			Err(SubmitError::Refused(CallRefusal::WrongNonce { expected: 0 })) => {},
			other => panic!("{other:?}"),
		}
	};
	let start = Instant::now();
	refused(1);
	let (first, start) = (start.elapsed(), Instant::now());
	(2..22).for_each(refused);
	assert!(start.elapsed() < 10 * first, "they do not wait one after the other");
	let outcome = writer.submit(checked(&running, Alice, 0)).unwrap();
	assert!(outcome.blocking_recv().unwrap().is_ok(), "the missing call is welcome");
}

#[test]
fn a_full_queue_refuses_and_takes_calls_again_later() {
	let world = World::new(Role::Serve);
	let running = world.open(EngineOptions::default());
	let writer = running.writer.as_ref().unwrap();
	let calls: Vec<_> =
		(0..MAX_WAITING_CALLS as u64 + 600).map(|nonce| checked(&running, Alice, nonce)).collect();
	// While somebody has the engine nothing is executed.
	let engine = running.engine.lock();
	let mut outcomes = Vec::new();
	let mut refused = None;
	for call in calls {
		let nonce = call.call().payload.nonce;
		match writer.submit(call) {
			Ok(outcome) => outcomes.push(outcome),
			Err(error) => {
				assert_eq!(error, QueueError::Full);
				refused = Some(nonce);
				break;
			},
		}
	}
	// A group may have left the queue before.
	let refused = refused.expect("the queue is bounded");
	assert!(refused >= MAX_WAITING_CALLS as u64, "{refused}");
	// Nobody who asks how the subtree stands waits for the engine.
	assert_eq!(running.live.status().open_calls, 0);
	drop(engine);
	for outcome in outcomes {
		outcome.blocking_recv().unwrap().unwrap();
	}
	let outcome = writer.submit(checked(&running, Alice, refused)).unwrap();
	assert!(outcome.blocking_recv().unwrap().is_ok());
}

/// On this hub only one account exists.
struct Only(AccountId);

impl HubAccounts for Only {
	fn exists(&self, account: &AccountId) -> bool {
		*account == self.0
	}
}

/// Fills the places for calls that wait, as far as these accounts can, and sees whether another account's call still finds one.
fn others_find_a_place(options: EngineOptions, flood: &[Sr25519Keyring], calls_each: u64) {
	let world = World::new(Role::Serve);
	let running = world.open(options);
	let writer = running.writer.as_ref().unwrap();
	let flood = flood.iter().flat_map(|signer| (1..=calls_each).map(|nonce| (*signer, nonce)));
	let flood: Vec<_> = flood.map(|(signer, nonce)| checked(&running, signer, nonce)).collect();
	assert!(flood.len() > MAX_HELD_CALLS);
	let [first, second] = [0, 1].map(|nonce| checked(&running, Alice, nonce));
	let engine = running.engine.lock();
	let mut flood: Vec<_> = flood.into_iter().map(|call| writer.submit(call).unwrap()).collect();
	let second = writer.submit(second).unwrap();
	drop(engine);
	let last = flood.pop().unwrap().blocking_recv().unwrap();
	assert!(last.is_err(), "it finds none: {last:?}");
	let first = writer.submit(first).unwrap();
	assert!(first.blocking_recv().unwrap().is_ok());
	assert!(second.blocking_recv().unwrap().is_ok(), "it had a place");
}

#[test]
fn calls_that_may_not_enter_take_no_place_from_those_that_wait() {
	let admission = AccountLimits::new(Arc::new(Only(Alice.to_account_id())));
	let options = EngineOptions { admission: Arc::new(admission), ..Default::default() };
	others_find_a_place(options, &[Bob, Charlie, Dave, Eve, Ferdie], 110);
}

#[test]
fn one_account_does_not_take_all_places_for_calls_that_wait() {
	others_find_a_place(EngineOptions::default(), &[Bob], 600);
}

/// Fails each write of calls once it is armed.
#[derive(Default)]
struct FullDisk(AtomicBool);

impl Faults for FullDisk {
	fn at(&self, step: Step) -> std::io::Result<()> {
		match self.0.load(Ordering::Relaxed) && step == Step::LogWritten {
			true => Err(std::io::ErrorKind::StorageFull.into()),
			false => Ok(()),
		}
	}
}

#[test]
fn executed_calls_of_a_failed_write_are_not_called_refused() {
	let world = World::new(Role::Serve);
	let disk = Arc::new(FullDisk::default());
	let running = world.open(EngineOptions { faults: disk.clone(), ..Default::default() });
	disk.0.store(true, Ordering::Relaxed);
	let writer = running.writer.as_ref().unwrap();
	let submit = |nonce| {
		let outcome = writer.submit(checked(&running, Alice, nonce)).unwrap();
		outcome.blocking_recv().unwrap()
	};
	assert!(matches!(submit(0), Err(SubmitError::OutcomeUnknown(StopReason::WriteFailed(_)))));
	assert!(matches!(submit(1), Err(SubmitError::Stopped(_))), "this one was never executed");
	let nonce = running.engine.lock().next_nonce(&Alice.to_account_id());
	assert!(matches!(nonce, Err(NonceError::Unknown(_))), "{nonce:?}");
}

#[test]
fn calls_that_wait_at_the_end_are_executed_or_refused_and_nobody_hangs() {
	let world = World::new(Role::Serve);
	let running = world.open(EngineOptions::default());
	let writer = running.writer.as_ref().unwrap();
	let engine = running.engine.lock();
	let nonces = [0, 1, 2, 9];
	let waiting = nonces.map(|nonce| writer.submit(checked(&running, Alice, nonce)).unwrap());
	drop(engine);
	// Another registration takes the place of this one: the last handle of its engine is the thread's.
	world.served.open(&registration(2), &EngineOptions::default()).unwrap();
	assert!(running.live.progress().borrow().ended.is_some());
	drop(running);
	let outcomes = waiting.map(|outcome| outcome.blocking_recv().expect("everybody is told"));
	assert!(outcomes[..3].iter().all(Result::is_ok));
	assert!(matches!(outcomes[3], Err(SubmitError::Refused(_))));

	// What was acknowledged is there when the folder is opened again.
	let reopened = (0..1_200).find_map(|_| {
		let running = world.served.open(&registration(1), &EngineOptions::default());
		if running.is_none() {
			std::thread::sleep(Duration::from_millis(50));
		}
		running
	});
	let running = reopened.expect("the thread has let go of the folder");
	assert_eq!(running.engine.lock().next_nonce(&Alice.to_account_id()), Ok(3));
}
