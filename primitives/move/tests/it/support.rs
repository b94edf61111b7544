//! A namespace in memory, a compiler, and short names for requests.

use dstp_move::{
	natives::FRAMEWORK, Budget, Call, Context, Engine, Function, MoveError, Outcome, Publication,
	View,
};
use dstp_primitives::{
	batch::HubPin,
	contract::{GasSchedule, ModuleLink, UpgradePolicy},
	tree::NewObject,
	trie::empty_root,
	AccountId, ObjectId, ObjectTree, Owner, StateRoot, TrieStorage,
};
use move_compiler::{shared::NumericalAddress, Compiler};
use std::collections::BTreeMap;

/// The root object of the namespace.
pub const SUBTREE: ObjectId = ObjectId([9; 32]);
/// Publishes the contracts.
pub const AUTHOR: ObjectId = ObjectId([0xaa; 32]);
/// Calls them.
pub const ALICE: ObjectId = ObjectId([0xa1; 32]);
/// Calls them too.
pub const BOB: ObjectId = ObjectId([0xb0; 32]);

/// The framework as far as these tests need it.
pub const SIGNER: &str = "module std::signer {
	native public fun borrow_address(s: &signer): &address;
	public fun address_of(s: &signer): address { *borrow_address(s) }
}";

/// What a compiler needs to know of vectors; calls of these functions become instructions.
const VECTOR: &str = "module std::vector {
	#[bytecode_instruction]
	native public fun length<T>(v: &vector<T>): u64;
	#[bytecode_instruction]
	native public fun borrow<T>(v: &vector<T>, i: u64): &T;
	#[bytecode_instruction]
	native public fun push_back<T>(v: &mut vector<T>, e: T);
	#[bytecode_instruction]
	native public fun pop_back<T>(v: &mut vector<T>): T;
}";

pub type Tree = ObjectTree<TrieStorage<()>>;

/// A namespace that belongs to the author, with the framework.
pub fn namespace() -> Tree {
	let mut tree = ObjectTree::new(TrieStorage::new(SUBTREE, empty_root(), ()));
	let owner = Owner::Account(AccountId::new(AUTHOR.0));
	tree.init_namespace(owner, NewObject::default()).unwrap();
	publish(&mut tree, FRAMEWORK, &[SIGNER]).unwrap();
	tree
}

/// Compiles sources that may use one another, and the framework, in the order of their dependencies. `author` is a name in them.
pub fn compile(sources: &[&str]) -> Vec<Vec<u8>> {
	let folder = tempfile::tempdir().unwrap();
	let write = |name: String, text: &str| {
		let path = folder.path().join(name);
		std::fs::write(&path, text).unwrap();
		path.to_str().unwrap().to_owned()
	};
	let targets: Vec<_> =
		(0..).zip(sources).map(|(n, text)| write(format!("{n}.move"), text)).collect();
	let own_signer = sources.contains(&SIGNER);
	let mut deps = vec![write("vector.move".into(), VECTOR)];
	if !own_signer {
		deps.push(write("signer.move".into(), SIGNER));
	}
	let names: BTreeMap<_, _> = [("std", FRAMEWORK), ("author", AUTHOR), ("bob", BOB)]
		.map(|(name, address)| (name, number(&address)))
		.into();
	let (_, units) = Compiler::from_files(targets, deps, names).build_and_report().unwrap();
	let mut code: Vec<_> = units
		.into_iter()
		.map(|unit| {
			let unit = unit.into_compiled_unit();
			(unit.name().to_string(), unit.serialize(None))
		})
		.collect();
	code.sort_by_key(|(name, _)| {
		sources.iter().position(|text| text.contains(&format!("::{name} {{"))).unwrap()
	});
	code.into_iter().map(|(_, code)| code).collect()
}

fn number(address: &ObjectId) -> NumericalAddress {
	NumericalAddress::new(address.0, move_compiler::shared::NumberFormat::Hex)
}

pub fn publication(publisher: ObjectId, modules: Vec<Vec<u8>>) -> Publication {
	Publication { publisher, modules, policy: UpgradePolicy::Compatible }
}

/// Enough gas for everything here.
pub fn plenty() -> Budget {
	budget(10_000_000_000)
}

pub fn budget(limit: u64) -> Budget {
	Budget { schedule: GasSchedule::V1, limit }
}

/// Where and when everything here runs.
pub fn context() -> Context {
	let hub = HubPin { number: 77, global_root: [0x77; 32].into() };
	Context { genesis: [0x67; 32], seq: 5, time_ms: 1_700_000_000_000, hub }
}

/// Publishes sources and applies the changes.
pub fn publish(tree: &mut Tree, publisher: ObjectId, sources: &[&str]) -> Result<(), MoveError> {
	publish_code(tree, publisher, compile(sources))
}

/// Publishes bytecode and applies the changes.
pub fn publish_code(
	tree: &mut Tree,
	publisher: ObjectId,
	code: Vec<Vec<u8>>,
) -> Result<(), MoveError> {
	let outcome = Engine::new()
		.publish(tree, publication(publisher, code), &plenty())
		.map_err(|failed| failed.error)?;
	commit(tree, &outcome);
	Ok(())
}

/// Applies the changes of an outcome and keeps them.
pub fn commit(tree: &mut Tree, outcome: &Outcome) -> StateRoot {
	tree.apply_contract(&outcome.changes).unwrap();
	tree.commit_roots().unwrap();
	tree.storage_mut().accept();
	tree.storage().namespace_root()
}

/// `module::function` of the author.
pub fn function(path: &str, arguments: Vec<Vec<u8>>) -> Function {
	let (module, name) = path.split_once("::").unwrap();
	Function {
		module: ModuleLink {
			address: AUTHOR,
			name: module.as_bytes().to_vec().try_into().unwrap(),
		},
		name: name.into(),
		type_arguments: Vec::new(),
		arguments,
	}
}

pub fn call(
	tree: &mut Tree,
	signer: ObjectId,
	path: &str,
	arguments: Vec<Vec<u8>>,
) -> Result<Outcome, MoveError> {
	call_with(&Engine::new(), tree, signer, function(path, arguments))
}

pub fn call_with(
	engine: &Engine,
	tree: &mut Tree,
	signer: ObjectId,
	function: Function,
) -> Result<Outcome, MoveError> {
	engine
		.call(tree, Call { signer, function, context: context() }, &plenty())
		.map_err(|failed| failed.error)
}

pub fn view(
	tree: &mut Tree,
	path: &str,
	arguments: Vec<Vec<u8>>,
) -> Result<Vec<Vec<u8>>, MoveError> {
	view_with(&Engine::new(), tree, function(path, arguments))
}

pub fn view_with(
	engine: &Engine,
	tree: &mut Tree,
	function: Function,
) -> Result<Vec<Vec<u8>>, MoveError> {
	engine
		.view(tree, View { function, context: context() }, &plenty())
		.map(|outcome| outcome.values)
		.map_err(|failed| failed.error)
}

/// An argument in BCS.
pub fn bcs<T: serde::Serialize>(value: T) -> Vec<u8> {
	bcs::to_bytes(&value).unwrap()
}
