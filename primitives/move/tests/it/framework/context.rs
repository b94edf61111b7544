//! `context` and `event`.

use super::with_contracts;
use crate::support::*;
use dstp_move::{engine::MAX_EVENTS, natives::abort, Event, MoveError};
use move_core_types::{
	account_address::AccountAddress, identifier::Identifier, language_storage::StructTag,
	language_storage::TypeTag,
};

const TELLER: &str = "module author::teller {
	use dstp::context;
	use dstp::event;
	struct Told has drop { number: u64, bytes: vector<u8> }
	struct Of<phantom T> has drop {}
	public fun place(): (address, u64, u64, u64, vector<u8>, vector<u8>) {
		(context::subtree(), context::seq(), context::time_ms(), context::hub_number(),
			context::hub_root(), context::genesis())
	}
	public fun who(): address { context::sender() }
	public entry fun only(account: &signer) {
		assert!(context::sender() == std::signer::address_of(account), 1)
	}
	public entry fun tell(count: u64, bytes: vector<u8>) {
		let number = 0;
		while (number < count) { event::emit(Told { number, bytes: copy bytes }); number = number + 1; };
	}
	public entry fun tell_of() { event::emit(Of<vector<u64>> {}) }
	public entry fun tell_a_number() { event::emit(5u64) }
	public entry fun tell_and_abort() { tell(1, b\"\"); abort 9 }
	public fun tell_in_a_view(): u64 { tell(1, b\"\"); 1 }
}";

fn type_of(name: &str, type_params: Vec<TypeTag>) -> Vec<u8> {
	let identifier = |text: &str| Identifier::new(text).unwrap();
	let (module, name) = (identifier("teller"), identifier(name));
	let address = AccountAddress::new(AUTHOR.0);
	bcs(TypeTag::Struct(StructTag { address, module, name, type_params }))
}

#[test]
fn a_contract_knows_where_and_when_it_runs() {
	let mut tree = with_contracts(&[TELLER]);
	let seen = view(&mut tree, "teller::place", vec![]).unwrap();
	let here = context();
	let root = here.hub.global_root.as_bytes().to_vec();
	assert_eq!(
		seen,
		vec![
			bcs(SUBTREE.0),
			bcs(here.seq),
			bcs(here.time_ms),
			bcs(u64::from(here.hub.number)),
			bcs(root),
			bcs(here.genesis.to_vec()),
		]
	);
	call(&mut tree, ALICE, "teller::only", vec![]).unwrap();
	let nobody = view(&mut tree, "teller::who", vec![]);
	assert!(matches!(nobody, Err(MoveError::Aborted { code: abort::NO_SENDER, .. })), "{nobody:?}");
}

#[test]
fn events_are_in_the_outcome_with_their_types() {
	let mut tree = with_contracts(&[TELLER]);
	let outcome = call(&mut tree, ALICE, "teller::tell", vec![bcs(2u64), bcs(vec![7u8])]).unwrap();
	let event =
		|number: u64| Event { type_tag: type_of("Told", vec![]), value: bcs((number, vec![7u8])) };
	assert_eq!(outcome.events, [event(0), event(1)]);
	let outcome = call(&mut tree, ALICE, "teller::tell_of", vec![]).unwrap();
	let list = TypeTag::Vector(Box::new(TypeTag::U64));
	assert_eq!(outcome.events[0].type_tag, type_of("Of", vec![list]));
	view(&mut tree, "teller::tell_in_a_view", vec![]).unwrap();
}

#[test]
fn a_call_that_fails_tells_nothing() {
	let mut tree = with_contracts(&[TELLER]);
	let failed = call(&mut tree, ALICE, "teller::tell_and_abort", vec![]);
	assert!(matches!(failed, Err(MoveError::Aborted { code: 9, .. })));
	let number = call(&mut tree, ALICE, "teller::tell_a_number", vec![]);
	assert!(matches!(number, Err(MoveError::Aborted { code: abort::NOT_A_STRUCT, .. })));
}

#[test]
fn events_are_bounded_in_count_and_bytes() {
	let mut tree = with_contracts(&[TELLER]);
	let mut tell = |count: u64, bytes: usize| {
		call(&mut tree, ALICE, "teller::tell", vec![bcs(count), bcs(vec![7u8; bytes])])
			.map(|outcome| outcome.events.len())
	};
	let most = MAX_EVENTS as u64;
	assert_eq!(tell(most, 0), Ok(MAX_EVENTS));
	assert_eq!(tell(1, 60_000), Ok(1));
	for (count, bytes) in [(most + 1, 0), (2, 40_000), (200, 400)] {
		let refused = tell(count, bytes);
		assert!(
			matches!(refused, Err(MoveError::Aborted { code: abort::MANY_EVENTS, .. })),
			"{refused:?}"
		);
	}
}
