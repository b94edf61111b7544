//! The natives of the standard library.

use super::with_contracts;
use crate::support::*;
use dstp_move::{
	natives::{abort, FRAMEWORK},
	MoveError,
};
use move_binary_format::{
	file_format::{AddressIdentifierIndex, ModuleHandleIndex},
	CompiledModule,
};
use move_core_types::account_address::AccountAddress;
use sp_crypto_hashing::sha2_256;

const STANDARD: &str = "module author::standard {
	use std::bcs;
	use std::hash;
	use std::option;
	use std::signer;
	use std::string;
	use std::vector;
	struct Pair has copy, drop { a: u64, b: vector<u8> }
	public fun sha2(data: vector<u8>): vector<u8> { hash::sha2_256(data) }
	public fun sha3(data: vector<u8>): vector<u8> { hash::sha3_256(data) }
	public fun bytes_of_pair(a: u64, b: vector<u8>): vector<u8> { bcs::to_bytes(&Pair { a, b }) }
	public fun is_utf8(bytes: vector<u8>): bool { option::is_some(&string::try_utf8(bytes)) }
	public fun part(bytes: vector<u8>, from: u64, to: u64): vector<u8> {
		*string::bytes(&string::sub_string(&string::utf8(bytes), from, to))
	}
	public fun find(bytes: vector<u8>, other: vector<u8>): u64 {
		string::index_of(&string::utf8(bytes), &string::utf8(other))
	}
	public fun reversed(list: vector<u64>): vector<u64> { vector::reverse(&mut list); list }
	public entry fun only(account: &signer, who: address) { assert!(signer::address_of(account) == who, 1) }
	public entry fun hash_for_ever(data: vector<u8>) { loop { hash::sha3_256(copy data); } }
	public entry fun write_for_ever(data: vector<u8>) { loop { bcs::to_bytes(&data); } }
	public entry fun search_for_ever(data: vector<u8>) {
		let text = string::utf8(data);
		loop { string::index_of(&text, &text); }
	}
}";

fn bytes(tree: &mut Tree, path: &str, arguments: Vec<Vec<u8>>) -> Vec<u8> {
	bcs::from_bytes(&view(tree, path, arguments).unwrap()[0]).unwrap()
}

#[test]
fn hashes_are_those_of_others() {
	let mut tree = with_contracts(&[STANDARD]);
	for data in [vec![], b"abc".to_vec(), vec![7; 1_000]] {
		assert_eq!(bytes(&mut tree, "standard::sha2", vec![bcs(&data)]), sha2_256(&data));
	}
	// FIPS 202, example of an empty message.
	let empty = "a7ffc6f8bf1ed76651c14756a061d662f580ff4de43b49fa82d80a4b80f8434a";
	let hash = bytes(&mut tree, "standard::sha3", vec![bcs(Vec::<u8>::new())]);
	assert_eq!(hash.iter().map(|byte| format!("{byte:02x}")).collect::<String>(), empty);
}

#[test]
fn a_value_is_written_as_bcs_says() {
	let mut tree = with_contracts(&[STANDARD]);
	let arguments = vec![bcs(5u64), bcs(vec![1u8, 2])];
	assert_eq!(bytes(&mut tree, "standard::bytes_of_pair", arguments), bcs((5u64, vec![1u8, 2])));
}

#[test]
fn strings_are_utf8_and_cut_between_characters() {
	let mut tree = with_contracts(&[STANDARD]);
	let text = || bcs("grün".as_bytes().to_vec());
	let is_utf8 = |tree: &mut Tree, data: Vec<u8>| view(tree, "standard::is_utf8", vec![bcs(data)]);
	assert_eq!(is_utf8(&mut tree, "grün".into()), Ok(vec![vec![1]]));
	assert_eq!(is_utf8(&mut tree, vec![0xff]), Ok(vec![vec![0]]));
	let part = |tree: &mut Tree, from: u64, to: u64| {
		view(tree, "standard::part", vec![text(), bcs(from), bcs(to)])
	};
	assert_eq!(part(&mut tree, 2, 4), Ok(vec![bcs("ü".as_bytes().to_vec())]));
	for (from, to) in [(3, 4), (2, 3), (4, 2), (0, 6), (0, u64::MAX), (u64::MAX, u64::MAX)] {
		let refused = part(&mut tree, from, to);
		assert!(matches!(refused, Err(MoveError::Aborted { code: 2, .. })), "{refused:?}");
	}
	let find = |tree: &mut Tree, other: &str| {
		view(tree, "standard::find", vec![text(), bcs(other.as_bytes().to_vec())])
	};
	assert_eq!(find(&mut tree, "n"), Ok(vec![bcs(4u64)]));
	assert_eq!(find(&mut tree, "x"), Ok(vec![bcs(5u64)]));
}

#[test]
fn vectors_and_signers_work() {
	let mut tree = with_contracts(&[STANDARD]);
	let list = vec![bcs(vec![1u64, 2, 3])];
	assert_eq!(view(&mut tree, "standard::reversed", list), Ok(vec![bcs(vec![3u64, 2, 1])]));
	call(&mut tree, ALICE, "standard::only", vec![bcs(ALICE.0)]).unwrap();
	assert!(call(&mut tree, BOB, "standard::only", vec![bcs(ALICE.0)]).is_err());
}

#[test]
fn natives_pay_before_they_work() {
	let mut tree = with_contracts(&[STANDARD]);
	let gas = 100_000_000;
	for path in ["standard::hash_for_ever", "standard::write_for_ever", "standard::search_for_ever"]
	{
		for length in [0, 60_000] {
			// Not the clock, because other tests run meanwhile.
			let start = cpu_time::ThreadTime::now();
			let call = dstp_move::Call {
				signer: ALICE,
				function: function(path, vec![bcs(vec![b'a'; length])]),
				context: context(),
			};
			let failed = dstp_move::Engine::new().call(&mut tree, call, &budget(gas)).unwrap_err();
			let nanoseconds = start.elapsed().as_nanos() as u64;
			println!("{path} {length}: {nanoseconds} ns, {failed:?}");
			assert_eq!(failed.gas_used, gas, "{path}: {failed:?}");
			// Ten times what the schedule means, because machines are slower.
			assert!(nanoseconds < 10 * gas, "{path} took {nanoseconds} ns");
		}
	}
}

#[test]
fn a_native_that_is_an_instruction_is_not_called() {
	// A compiler writes an instruction for `std::vector::length`. So this calls a function of the same signature, and the bytecode is
	// changed by hand to name the other address.
	let same = "module author::vector { public fun length<T>(_: &vector<T>): u64 { 0 } }";
	let direct = "module author::direct {
		public fun length(): u64 { author::vector::length<u64>(&std::vector::empty<u64>()) }
	}";
	let mut tree = with_contracts(&[same]);
	let code = super::package::compile_contracts(&[same, direct]).remove(1);
	let mut module = CompiledModule::deserialize(&code).unwrap();
	module.address_identifiers.push(AccountAddress::new(FRAMEWORK.0));
	let address = AddressIdentifierIndex(module.address_identifiers.len() as u16 - 1);
	let own = module.self_module_handle_idx;
	for (index, handle) in (0..).zip(&mut module.module_handles) {
		if ModuleHandleIndex(index) != own {
			handle.address = address;
		}
	}
	let mut code = Vec::new();
	module.serialize(&mut code).unwrap();
	publish_code(&mut tree, AUTHOR, vec![code]).unwrap();
	let called = view(&mut tree, "direct::length", vec![]);
	assert!(
		matches!(called, Err(MoveError::Aborted { code: abort::INSTRUCTION, .. })),
		"{called:?}"
	);
}
