//! The engine against the same calls without it.

use crate::common::*;
use dstp_primitives::call::Call;
use dstp_subtree::{EngineOptions, Retention, Role, SubmitError};
use proptest::prelude::*;

#[derive(Clone, Debug)]
enum Act {
	Call(u8, Call),
	Seal,
	Commit,
	Restart,
}

fn place() -> impl Strategy<Value = String> {
	proptest::collection::vec(prop_oneof![Just("a"), Just("b"), Just("c")], 0..4)
		.prop_map(|keys| format!("/{}", keys.join("/")))
}

fn name() -> impl Strategy<Value = &'static str> {
	prop_oneof![Just("a"), Just("b"), Just("c")]
}

fn call() -> impl Strategy<Value = Call> {
	let value = proptest::collection::vec(any::<u8>(), 0..80);
	let fields = proptest::collection::btree_map("[a-e]{1,3}", value, 1..6);
	prop_oneof![
		4 => (place(), name()).prop_map(|(parent, name)| create(&parent, name)),
		4 => (place(), fields).prop_map(|(object, fields)| set(&object, &fields.into_iter().collect::<Vec<_>>())),
		1 => (place(), "[a-e]{1,3}").prop_map(|(object, name)| Call::RemoveFields {
			object: path(&object),
			keys: vec![key(&name)].try_into().unwrap(),
		}),
		1 => place().prop_map(|object| Call::Remove { object: path(&object) }),
		1 => place().prop_map(|object| Call::RemoveRecursive { object: path(&object) }),
		1 => (place(), 1u8..4).prop_map(|(object, to)| Call::Transfer { object: path(&object), to: account(to) }),
	]
}

fn act() -> impl Strategy<Value = Act> {
	prop_oneof![
		20 => (1u8..4, call()).prop_map(|(who, call)| Act::Call(who, call)),
		3 => Just(Act::Seal),
		1 => Just(Act::Commit),
		1 => Just(Act::Restart),
	]
}

proptest! {
	#![proptest_config(ProptestConfig { cases: 16, ..Default::default() })]

	#[test]
	fn roots_equal_those_of_plain_execution(acts in proptest::collection::vec(act(), 1..120)) {
		let dir = tempfile::tempdir().unwrap();
		let options = EngineOptions { retention: Retention::Last(2), ..Default::default() };
		let mut engine = open(dir.path(), Role::Serve, options.clone()).unwrap();
		let mut plain = Plain::new();
		let mut nonces = [0u64; 4];
		for act in acts {
			match act {
				Act::Call(who, call) => {
					let payload = payload(who, nonces[who as usize], call);
					let receipt = engine.submit(&codec::Encode::encode(&sign(who, payload.clone())), hub(1), 1);
					let receipt = receipt.map_err(|error: SubmitError| TestCaseError::fail(error.to_string()))?;
					prop_assert_eq!(receipt.post_root, plain.run(&payload));
					nonces[who as usize] += 1;
				},
				Act::Seal => drop(engine.seal_now().unwrap()),
				Act::Commit => commit_all(&mut engine),
				Act::Restart => {
					drop(engine);
					engine = open(dir.path(), Role::Serve, options.clone()).unwrap();
				},
			}
			prop_assert_eq!(engine.open_root(), plain.0.storage().namespace_root());
		}
		engine.seal_now().unwrap();
		check_flat(&engine);
	}
}
