//! The border of bytes, the list of modes, and garbage.

use super::*;
use crate::{
	head::{Head, HeadError, HeadState, HEAD_VERSION},
	id::ObjectId,
	object::{HeadStatus, ModeId},
};
use codec::Encode;
use proptest::prelude::*;
use sp_core::H256;

/// A mode that gives heads whatever status the evidence asks for.
struct Generous;

impl SecurityMode for Generous {
	const ID: u32 = 4000;
	const NAME: &'static str = "generous";
	const MAX_SIGNATURE_CHECKS: u32 = 0;
	type Params = ();
	type State = ();
	type Evidence = HeadStatus;
	type Update = ();

	fn start(_: &(), _: &ModeContext) -> Result<(), ModeError> {
		Ok(())
	}

	fn verify(
		_: &Head,
		_: &ModeContext,
		_: &(),
		_: (),
		status: &HeadStatus,
	) -> Result<Accepted<()>, ModeError> {
		Ok(Accepted { state: (), status: *status, signature_checks: 0 })
	}

	fn update(
		_: (),
		_: &ModeContext,
		_: &(),
		_: (),
		_: &HeadStatus,
	) -> Result<Changed<()>, ModeError> {
		Err(ModeError::NotSupported)
	}

	fn replace(_: (), _: &ModeContext, _: &(), _: ()) -> Result<(), ModeError> {
		Err(ModeError::NotSupported)
	}
}

/// A team's own mode: the evidence is the head's number, and a limit of heads was agreed.
struct Counting<const ID: u32>;

impl<const NUMBER: u32> SecurityMode for Counting<NUMBER> {
	const ID: u32 = NUMBER;
	const NAME: &'static str = "counting";
	const MAX_SIGNATURE_CHECKS: u32 = 0;
	type Params = u64;
	type State = u64;
	type Evidence = u64;
	type Update = ();

	fn start(limit: &u64, _: &ModeContext) -> Result<u64, ModeError> {
		(*limit > 0).then_some(0).ok_or(ModeError::Custom(1))
	}

	fn verify(
		head: &Head,
		_: &ModeContext,
		limit: &u64,
		count: u64,
		evidence: &u64,
	) -> Result<Accepted<u64>, ModeError> {
		if *evidence != head.seq || count >= *limit {
			return Err(ModeError::Custom(2));
		}
		let status = HeadStatus::Pending { until: 9 };
		Ok(Accepted { state: count + 1, status, signature_checks: 0 })
	}

	fn update(_: (), _: &ModeContext, _: &u64, _: u64, _: &u64) -> Result<Changed<u64>, ModeError> {
		Err(ModeError::NotSupported)
	}

	fn replace(_: (), _: &ModeContext, _: &u64, _: u64) -> Result<u64, ModeError> {
		Err(ModeError::NotSupported)
	}
}

type List = (Poa, Counting<2000>, Counting<3000>);

fn context() -> ModeContext {
	ModeContext {
		genesis: H256([9; 32]),
		subtree: ObjectId([5; 32]),
		last: HeadState {
			epoch: 7,
			era: 0,
			seq: 0,
			hash: H256::zero(),
			state_root: H256([1; 32]),
			hub_last: 1,
		},
		now: 1,
	}
}

fn head() -> Head {
	Head {
		version: HEAD_VERSION,
		genesis: H256([9; 32]),
		subtree: ObjectId([5; 32]),
		epoch: 7,
		era: 0,
		seq: 1,
		prev: H256::zero(),
		pre_root: H256([1; 32]),
		state_root: H256([2; 32]),
		batch_root: H256([3; 32]),
		batch_len: 1,
		batch_bytes: 1,
		hub_first: 1,
		hub_last: 1,
	}
}

#[test]
fn list_picks_the_mode_by_its_id() {
	let mode = ModeId::Native(3000);
	let params = 1u64.encode();
	let state = List::start(&mode, &params, &context()).unwrap();
	let stored = StoredMode { params: &params, state: &state };
	let verified = List::verify(&mode, head(), &context(), stored, &1u64.encode()).unwrap();
	assert_eq!(verified.location().mode, mode);
	assert_eq!(verified.status(), HeadStatus::Pending { until: 9 });
	assert_eq!(verified.mode_state(), 1u64.encode());
	let stored = StoredMode { params: &params, state: verified.mode_state() };
	assert_eq!(
		List::verify(&mode, head(), &context(), stored, &1u64.encode()),
		Err(HeadRefusal::Mode(ModeError::Custom(2)))
	);
	assert_eq!(List::start(&mode, &0u64.encode(), &context()), Err(ModeError::Custom(1)));
	assert_eq!(List::check_stored(&mode, stored), Ok(()));
	assert_eq!(
		List::check_stored(&mode, StoredMode { params: &params, state: &[] }),
		Err(ModeError::MalformedState)
	);
	let names: Vec<_> = List::infos().iter().map(|info| (info.id, info.name)).collect();
	assert_eq!(names, [(1, "poa"), (2000, "counting"), (3000, "counting")]);
	assert!(List::infos().iter().all(|info| info.fits));
	assert_eq!(List::max_signature_checks(), Poa::MAX_SIGNATURE_CHECKS);
}

#[test]
fn unknown_modes_are_refused() {
	let contract =
		ModeId::Contract { address: [1; 32], module: b"escrow".to_vec().try_into().unwrap() };
	for mode in [ModeId::Native(4), contract] {
		assert_eq!(List::start(&mode, &[], &context()), Err(ModeError::UnknownMode));
		let stored = StoredMode { params: &[], state: &[] };
		assert_eq!(
			List::verify(&mode, head(), &context(), stored, &[]),
			Err(HeadRefusal::Mode(ModeError::UnknownMode))
		);
		let changed = List::change(&mode, &[], &context(), stored, ChangeBy::Owner);
		assert_eq!(changed, Err(ModeError::UnknownMode));
		assert!(List::info(&mode).is_none());
	}
}

#[test]
fn a_head_that_does_not_follow_never_reaches_the_mode() {
	let (params, state) = (1u64.encode(), 0u64.encode());
	let stored = StoredMode { params: &params, state: &state };
	let ask = |head| Verified::by::<Counting<2000>>(head, &context(), stored, &1u64.encode());
	assert!(ask(head()).is_ok());
	let wrong = Head { prev: H256([1; 32]), ..head() };
	assert_eq!(ask(wrong), Err(HeadRefusal::Head(HeadError::WrongPrev)));
}

#[test]
fn a_fresh_head_is_pending_or_final() {
	let stored = StoredMode { params: &[], state: &[] };
	let ask = |status: HeadStatus| {
		Verified::by::<Generous>(head(), &context(), stored, &status.encode())
			.map(|verified| verified.status())
	};
	for status in [HeadStatus::Pending { until: 9 }, HeadStatus::Final] {
		assert_eq!(ask(status), Ok(status));
	}
	for status in [HeadStatus::Initial, HeadStatus::Challenged, HeadStatus::Closed] {
		assert_eq!(ask(status), Err(HeadRefusal::Mode(ModeError::BadStatus)));
	}
}

#[test]
fn oversized_bytes_are_refused_before_decoding() {
	let long = vec![0; MAX_PARAMS_BYTES as usize + 1];
	assert_eq!(start::<Poa>(&long, &context()), Err(ModeError::MalformedParams));
}

proptest! {
	#![proptest_config(ProptestConfig::with_cases(512))]

	#[test]
	fn garbage_never_panics(
		params in proptest::collection::vec(any::<u8>(), 0..120),
		state in proptest::collection::vec(any::<u8>(), 0..120),
		evidence in proptest::collection::vec(any::<u8>(), 0..300),
		update in proptest::collection::vec(any::<u8>(), 0..120),
	) {
		let mode = ModeId::Native(Poa::ID);
		let _ = List::start(&mode, &params, &context());
		let stored = StoredMode { params: &params, state: &state };
		prop_assert!(List::verify(&mode, head(), &context(), stored, &evidence).is_err());
		let _ = List::change(&mode, &update, &context(), stored, ChangeBy::Evidence(&evidence));
		let _ = List::change(&mode, &update, &context(), stored, ChangeBy::Owner);
	}
}
