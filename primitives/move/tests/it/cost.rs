//! What the engine adds to the virtual machine, in time.

use crate::support::*;
use dstp_move::{natives::FRAMEWORK, Call, Engine, Outcome};
use dstp_primitives::{contract::ContractChange, ObjectId};
use move_binary_format::CompiledModule;
use move_core_types::{
	account_address::AccountAddress,
	gas_algebra::InternalGas,
	identifier::Identifier,
	language_storage::{ModuleId, StructTag},
	resolver::{ModuleResolver, ResourceResolver},
};
use move_vm_runtime::{
	move_vm::MoveVM,
	native_functions::{make_table, NativeContext, NativeFunctionTable},
};
use move_vm_types::{
	gas::UnmeteredGasMeter,
	natives::function::NativeResult,
	values::{SignerRef, Value},
};
use std::{
	collections::{HashMap, VecDeque},
	sync::Arc,
	time::Duration,
};

const COIN: &str = include_str!("contracts/coin.move");

/// Accounts with coins, so that the tries on the way to one are not empty.
const HOLDERS: u8 = 100;
const COINS: u64 = 1_000_000;

fn holder(number: u8) -> ObjectId {
	ObjectId([number; 32])
}

/// Other accounts with every transfer.
fn pairs() -> impl Iterator<Item = (ObjectId, ObjectId)> {
	(1..=HOLDERS).map(|from| (holder(from), holder(1 + from % HOLDERS))).cycle()
}

fn transfer(to: &ObjectId) -> Vec<Vec<u8>> {
	vec![bcs(to.0), bcs(1u64)]
}

/// A namespace in which all holders have coins.
fn with_coins() -> Tree {
	let mut tree = namespace();
	publish(&mut tree, AUTHOR, &[COIN]).unwrap();
	for number in 1..=HOLDERS {
		let opened = call(&mut tree, holder(number), "coin::open", vec![bcs(COINS)]).unwrap();
		commit(&mut tree, &opened);
	}
	tree
}

/// The virtual machine alone, over modules and resources in maps.
struct Bare {
	vm: MoveVM,
	state: State,
}

#[derive(Default)]
struct State {
	modules: HashMap<ModuleId, Vec<u8>>,
	resources: HashMap<(AccountAddress, StructTag), Vec<u8>>,
}

impl ModuleResolver for State {
	type Error = ();
	fn get_module(&self, id: &ModuleId) -> Result<Option<Vec<u8>>, ()> {
		Ok(self.modules.get(id).cloned())
	}
}

impl ResourceResolver for State {
	type Error = ();
	fn get_resource(&self, owner: &AccountAddress, tag: &StructTag) -> Result<Option<Vec<u8>>, ()> {
		Ok(self.resources.get(&(*owner, tag.clone())).cloned())
	}
}

/// The one native function that a transfer calls, without anybody to pay.
fn natives() -> NativeFunctionTable {
	let borrow_address = |_: &mut NativeContext, _, mut arguments: VecDeque<Value>| {
		let signer = arguments.pop_back().unwrap().value_as::<SignerRef>()?;
		let address = signer.borrow_signer()?;
		Ok(NativeResult::ok(InternalGas::zero(), [address].into_iter().collect()))
	};
	let address = AccountAddress::new(FRAMEWORK.0);
	make_table(address, &[("signer", "borrow_address", Arc::new(borrow_address))])
}

impl Bare {
	fn new() -> Self {
		let mut state = State::default();
		for code in [compile(&[SIGNER]), compile(&[COIN])].concat() {
			state.modules.insert(CompiledModule::deserialize(&code).unwrap().self_id(), code);
		}
		let balance = StructTag {
			address: AccountAddress::new(AUTHOR.0),
			module: Identifier::new("coin").unwrap(),
			name: Identifier::new("Balance").unwrap(),
			type_params: vec![],
		};
		for number in 1..=HOLDERS {
			let owner = AccountAddress::new(holder(number).0);
			state.resources.insert((owner, balance.clone()), bcs(COINS));
		}
		Self { vm: MoveVM::new(natives()).unwrap(), state }
	}

	/// The values that a transfer writes, in the order of their addresses.
	fn transfer(&self, (from, to): (ObjectId, ObjectId)) -> Vec<Vec<u8>> {
		let (module, name) =
			(Identifier::new("coin").unwrap(), Identifier::new("transfer").unwrap());
		let id = ModuleId::new(AccountAddress::new(AUTHOR.0), module);
		let arguments = [vec![from.0.to_vec()], transfer(&to)].concat();
		let mut session = self.vm.new_session(&self.state);
		session
			.execute_function_bypass_visibility(
				&id,
				&name,
				vec![],
				arguments,
				&mut UnmeteredGasMeter,
			)
			.unwrap();
		let (changes, _) = session.finish().unwrap();
		let accounts = changes.into_inner().into_values();
		let resources = accounts.flat_map(|account| account.into_resources().into_values());
		resources.filter_map(|op| op.ok()).collect()
	}
}

fn values(outcome: Outcome) -> Vec<Vec<u8>> {
	let value = |change| match change {
		ContractChange::SetResource { value, .. } => value.into_inner(),
		other => panic!("{other:?}"),
	};
	outcome.changes.into_iter().map(value).collect()
}

fn timed(body: impl FnOnce()) -> Duration {
	let start = cpu_time::ThreadTime::now();
	body();
	start.elapsed()
}

fn median(mut numbers: Vec<f64>) -> f64 {
	numbers.sort_by(f64::total_cmp);
	numbers[numbers.len() / 2]
}

/// Both in turn, many times, so that whatever else the machine does slows both.
fn ratio(rounds: usize, mut one: impl FnMut(), mut other: impl FnMut()) -> f64 {
	const CALLS: u32 = 50;
	let mut pairs = Vec::with_capacity(rounds);
	for _ in 0..rounds {
		let one = timed(|| (0..CALLS).for_each(|_| one())).as_nanos() as f64;
		let other = timed(|| (0..CALLS).for_each(|_| other())).as_nanos() as f64;
		pairs.push((one / f64::from(CALLS), other / f64::from(CALLS)));
	}
	let ones = median(pairs.iter().map(|(one, _)| *one).collect());
	let others = median(pairs.iter().map(|(_, other)| *other).collect());
	let ratio = median(pairs.iter().map(|(one, other)| one / other).collect());
	println!("{ones:.0} ns against {others:.0} ns: {ratio:.2} times");
	ratio
}

#[test]
fn a_warm_transfer_takes_at_most_three_times_the_bare_machine() {
	let (mut tree, engine, bare) = (with_coins(), Engine::new(), Bare::new());
	let budget = plenty();
	let mut by_engine = |(from, to): (ObjectId, ObjectId)| {
		let function = function("coin::transfer", transfer(&to));
		let call = Call { signer: from, function, context: context() };
		values(engine.call(&mut tree, call, &budget).unwrap())
	};
	for pair in pairs().take(usize::from(HOLDERS)) {
		assert_eq!(by_engine(pair), bare.transfer(pair));
	}
	let (mut some, mut same) = (pairs(), pairs());
	let ratio = ratio(
		400,
		|| drop(by_engine(some.next().unwrap())),
		|| drop(bare.transfer(same.next().unwrap())),
	);
	assert!(ratio <= 3.0, "{ratio:.2} times");
}
