//! `coin`, between several accounts and over several calls.

use super::with_contracts;
use crate::support::*;
use dstp_move::natives::FRAMEWORK;
use dstp_move::{Engine, Function, MoveError};
use dstp_primitives::contract::ModuleLink;
use move_core_types::{
	account_address::AccountAddress,
	identifier::Identifier,
	language_storage::{StructTag, TypeTag},
};

const MONEY: &str = "module author::money {
	use dstp::coin;
	struct Money has drop {}
	struct Caps has key { mint: coin::MintCap<Money>, burn: coin::BurnCap<Money> }
	public entry fun create(author: &signer) {
		let text = std::string::utf8(b\"Money\");
		let (mint, burn) = coin::create<Money>(author, copy text, text, 2);
		move_to(author, Caps { mint, burn });
	}
	public entry fun mint(_anyone: &signer, to: address, value: u64) acquires Caps {
		coin::deposit(to, coin::mint(value, &borrow_global<Caps>(@author).mint));
	}
}";

/// Somebody who wants to make coins of a currency of another.
const THIEF: &str = "module bob::thief {
	use dstp::coin;
	struct Caps has key { mint: coin::MintCap<author::money::Money>, burn: coin::BurnCap<author::money::Money> }
	public entry fun steal(thief: &signer) {
		let text = std::string::utf8(b\"Money\");
		let (mint, burn) = coin::create<author::money::Money>(thief, copy text, text, 2);
		move_to(thief, Caps { mint, burn });
	}
}";

fn money() -> Vec<u8> {
	let identifier = |text: &str| Identifier::new(text).unwrap();
	let (module, name) = (identifier("money"), identifier("Money"));
	let address = AccountAddress::new(AUTHOR.0);
	bcs(TypeTag::Struct(StructTag { address, module, name, type_params: vec![] }))
}

/// A function of `coin` for the currency.
fn of_coin(name: &str, arguments: Vec<Vec<u8>>) -> Function {
	let module = ModuleLink { address: FRAMEWORK, name: b"coin".to_vec().try_into().unwrap() };
	Function { module, name: name.into(), type_arguments: vec![money()], arguments }
}

fn run(
	tree: &mut Tree,
	who: dstp_primitives::ObjectId,
	function: Function,
) -> Result<(), MoveError> {
	let outcome = call_with(&Engine::new(), tree, who, function)?;
	commit(tree, &outcome);
	Ok(())
}

fn balance(tree: &mut Tree, who: dstp_primitives::ObjectId) -> u64 {
	let values = view_with(&Engine::new(), tree, of_coin("balance", vec![bcs(who.0)])).unwrap();
	bcs::from_bytes(&values[0]).unwrap()
}

fn with_money() -> Tree {
	let mut tree = with_contracts(&[MONEY]);
	run(&mut tree, AUTHOR, function("money::create", vec![])).unwrap();
	for who in [ALICE, BOB] {
		run(&mut tree, who, of_coin("open", vec![])).unwrap();
	}
	tree
}

#[test]
fn coins_move_between_accounts_and_none_is_lost() {
	let mut tree = with_money();
	run(&mut tree, AUTHOR, function("money::mint", vec![bcs(ALICE.0), bcs(100u64)])).unwrap();
	run(&mut tree, ALICE, of_coin("transfer", vec![bcs(BOB.0), bcs(30u64)])).unwrap();
	run(&mut tree, BOB, of_coin("transfer", vec![bcs(BOB.0), bcs(5u64)])).unwrap();
	assert_eq!((balance(&mut tree, ALICE), balance(&mut tree, BOB)), (70, 30));
	let supply = view_with(&Engine::new(), &mut tree, of_coin("supply", vec![])).unwrap();
	assert_eq!(supply, vec![bcs(100u64)]);
	let before = tree.storage().namespace_root();
	for (to, value) in [(BOB, 71u64), (AUTHOR, 1), (BOB, u64::MAX)] {
		let refused = run(&mut tree, ALICE, of_coin("transfer", vec![bcs(to.0), bcs(value)]));
		assert!(matches!(refused, Err(MoveError::Aborted { .. })), "{refused:?}");
	}
	assert_eq!(tree.storage().namespace_root(), before);
}

#[test]
fn only_the_publisher_of_the_type_creates_its_currency() {
	let mut tree = with_contracts(&[MONEY]);
	let code = super::package::compile_contracts(&[MONEY, THIEF]).remove(1);
	publish_code(&mut tree, BOB, vec![code]).unwrap();
	let steal = Function {
		module: ModuleLink { address: BOB, name: b"thief".to_vec().try_into().unwrap() },
		..function("thief::steal", vec![])
	};
	for created in [false, true] {
		if created {
			run(&mut tree, AUTHOR, function("money::create", vec![])).unwrap();
		}
		let refused = run(&mut tree, BOB, steal.clone());
		assert!(matches!(refused, Err(MoveError::Aborted { code: 0x50001, .. })), "{refused:?}");
	}
}
