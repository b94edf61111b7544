//! The mode and the runtime without a node.

use dstp_example_runtime::{
	metered::{head_payload, Metered, Params, State},
	AllPalletsWithSystem,
};
use dstp_primitives::{
	head::Head,
	mode::{
		conformance::{self, Fixture, UpdateOf},
		ModeContext,
	},
	signature::Signature,
};
use frame_support::traits::IntegrityTest;
use sp_keyring::Sr25519Keyring::Bob;

/// Bob, who may sign ten heads in a hundred blocks.
struct Honest;

impl Fixture for Honest {
	type Mode = Metered;

	fn params(&self) -> Params {
		Params { key: Bob.to_account_id(), heads: 10, period_blocks: 100 }
	}

	fn evidence(&self, head: &Head, _: &ModeContext, _: &State) -> Signature {
		Bob.sign(&head_payload(head)).into()
	}

	fn update(&self, _: &ModeContext, _: &State) -> Option<UpdateOf<Metered>> {
		None
	}
}

#[test]
fn the_mode_conforms() {
	conformance::check(&Honest);
}

#[test]
fn the_runtime_holds_together() {
	AllPalletsWithSystem::integrity_test();
}
