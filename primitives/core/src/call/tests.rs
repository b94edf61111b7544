#![allow(clippy::unwrap_used)]

use super::*;
use crate::{
	id::{AccountId, Key, ObjectId, Path, StateRoot},
	object::{ObjectFlags, ObjectType, Owner, Value},
	proof::{Proof, Query, TrustedRoot},
	signature::Signature,
	tree::{namespace_root, NewObject, ObjectTree, TreeError},
	trie::{NodeChanges, NodeSet, NodeStore, Recording, TrieStorage},
};
use sp_core::{sr25519, Pair, H256};
use std::{collections::BTreeMap, sync::Mutex};

/// A database that counts references.
#[derive(Default)]
struct CountedNodes(Mutex<BTreeMap<H256, (Vec<u8>, i32)>>);

impl CountedNodes {
	fn apply(&self, changes: NodeChanges) {
		let mut nodes = self.0.lock().unwrap();
		for (hash, bytes, count) in changes {
			let entry = nodes.entry(hash).or_default();
			if count > 0 {
				entry.0 = bytes;
			}
			entry.1 += count;
			assert!(entry.1 >= 0, "a reference was dropped that was never added");
			if entry.1 == 0 {
				nodes.remove(&hash);
			}
		}
	}
}

impl NodeStore for CountedNodes {
	fn node(&self, hash: &H256) -> Option<Vec<u8>> {
		self.0.lock().unwrap().get(hash).map(|(bytes, _)| bytes.clone())
	}
}

const SUBTREE: ObjectId = ObjectId([7; 32]);

fn key(text: &str) -> Key {
	Key::try_from(text).unwrap()
}

fn alice() -> AccountId {
	AccountId::new([1; 32])
}

fn payload(nonce: u64, call: Call) -> CallPayload {
	CallPayload {
		genesis: H256::zero(),
		subtree: SUBTREE,
		epoch: 1,
		signer: alice(),
		nonce,
		valid_until: 10,
		call,
	}
}

fn fresh(nodes: &CountedNodes) -> ObjectTree<TrieStorage<&CountedNodes>> {
	let mut tree = ObjectTree::new(TrieStorage::new(SUBTREE, crate::trie::empty_root(), nodes));
	tree.init_namespace(Owner::Account(alice()), NewObject::default()).unwrap();
	tree.commit_roots().unwrap();
	tree.storage_mut().accept();
	nodes.apply(tree.storage_mut().take_node_changes());
	tree
}

fn run(tree: &mut ObjectTree<TrieStorage<&CountedNodes>>, nonce: u64, call: Call) -> Execution {
	let pre_root = tree.storage().namespace_root();
	let payload = payload(nonce, call);
	let execution = execute(tree, &payload, Recording::keeping()).unwrap();
	let witness = NodeSet::from_trusted(tree.storage_mut().record(Recording::Off).into_nodes());
	assert_eq!(
		reexecute(pre_root, &payload, &witness),
		Ok(execution.clone()),
		"the witness suffices"
	);
	for hash in witness.hashes() {
		let less = NodeSet::from_trusted(
			witness
				.clone()
				.into_nodes()
				.into_iter()
				.filter(|node| H256(sp_crypto_hashing::blake2_256(node)) != *hash),
		);
		assert!(
			reexecute(pre_root, &payload, &less).is_err(),
			"each node of the witness is needed"
		);
	}
	let nodes = *tree.storage().store();
	nodes.apply(tree.storage_mut().take_node_changes());
	execution
}

fn reexecute(
	pre_root: StateRoot,
	payload: &CallPayload,
	witness: &NodeSet,
) -> Result<Execution, ExecuteError> {
	let mut tree = ObjectTree::new(TrieStorage::new(SUBTREE, pre_root, witness));
	execute(&mut tree, payload, Recording::counting())
}

fn create(parent: &str, name: &str) -> Call {
	Call::Create {
		parent: Path::parse(parent).unwrap(),
		key: key(name),
		object_type: ObjectType::Plain,
		flags: ObjectFlags::default(),
	}
}

fn set(object: &str, fields: &[(&str, &[u8])]) -> Call {
	let fields: Vec<_> = fields
		.iter()
		.map(|(name, value)| (key(name), Value::try_from(value.to_vec()).unwrap()))
		.collect();
	Call::SetFields { object: Path::parse(object).unwrap(), fields: fields.try_into().unwrap() }
}

#[test]
fn the_first_root_is_the_one_that_the_hub_computes() {
	let nodes = CountedNodes::default();
	let tree = fresh(&nodes);
	assert_eq!(
		tree.storage().namespace_root(),
		namespace_root(Owner::Account(alice()), NewObject::default())
	);
}

#[test]
fn every_call_can_be_executed_again_from_its_witness() {
	let nodes = CountedNodes::default();
	let mut tree = fresh(&nodes);
	let initial = tree.storage().namespace_root();
	let large = [9u8; 500];
	let calls = vec![
		create("/", "DE"),
		create("/DE", "BE"),
		set("/DE/BE", &[("Berlin", b"52.5,13.4"), ("Spandau", &large), ("a", b"1")]),
		set("/DE/BE", &[("Berlin", &large), ("Spandau", &large)]),
		Call::RemoveFields {
			object: Path::parse("/DE/BE").unwrap(),
			keys: vec![key("Berlin")].try_into().unwrap(),
		},
		create("/DE", "BY"),
		Call::Transfer { object: Path::parse("/DE/BY").unwrap(), to: AccountId::new([2; 32]) },
	];
	for (nonce, call) in (0u64..).zip(calls) {
		assert_eq!(run(&mut tree, nonce, call).status, CallStatus::Applied);
	}
	let failed = run(&mut tree, 7, set("/DE/BY", &[("x", b"1")]));
	assert_eq!(failed.status, CallStatus::Failed(TreeError::NotOwner));
	let failed = run(&mut tree, 8, Call::RemoveRecursive { object: Path::parse("/DE").unwrap() });
	assert_eq!(failed.status, CallStatus::Failed(TreeError::NotOwner));
	let removed =
		run(&mut tree, 9, Call::RemoveRecursive { object: Path::parse("/DE/BE").unwrap() });
	assert_eq!(removed.status, CallStatus::Applied);
	assert_ne!(tree.storage().namespace_root(), initial);
	assert_eq!(next_nonce(&tree, &alice()), Ok(10));
}

#[test]
fn nodes_that_nothing_refers_to_are_dropped() {
	let nodes = CountedNodes::default();
	let mut tree = fresh(&nodes);
	for nonce in 0..3u64 {
		let name = format!("{nonce}");
		run(&mut tree, 3 * nonce, create("/", &name));
		run(
			&mut tree,
			3 * nonce + 1,
			set(&format!("/{name}"), &[("field", &[nonce as u8; 100]), ("other", b"x")]),
		);
		run(
			&mut tree,
			3 * nonce + 2,
			Call::RemoveRecursive { object: Path::parse(&format!("/{name}")).unwrap() },
		);
	}
	let left = nodes.0.lock().unwrap().len();
	// The root node, the values of the facts and of the nonce at most.
	assert!(left <= 4, "{left} nodes are left");
}

#[test]
fn a_proof_leads_from_the_root_to_a_field_and_to_its_absence() {
	let nodes = CountedNodes::default();
	let mut tree = fresh(&nodes);
	run(&mut tree, 0, create("/", "DE"));
	run(&mut tree, 1, set("/DE", &[("Berlin", b"52.5"), ("Bonn", &[3; 90])]));
	let from = TrustedRoot { object: SUBTREE, root: tree.storage().namespace_root() };
	let query = Query {
		path: Path::parse("/DE").unwrap(),
		fields: vec![key("Berlin"), key("Bonn"), key("Atlantis")].try_into().unwrap(),
		..Default::default()
	};
	let (proof, answer) = Proof::make(from, &nodes, query.clone()).unwrap();
	let proven = proof.clone().check(from).unwrap();
	assert_eq!(proven.answer(), &answer);
	let object = answer.object.unwrap();
	assert_eq!(object.fields[0].1.as_ref().map(|value| &value[..]), Some(&b"52.5"[..]));
	assert_eq!(object.fields[2].1, None);
	let elsewhere = TrustedRoot { root: H256::repeat_byte(1), ..from };
	assert!(proof.check(elsewhere).is_err());
}

#[test]
fn a_call_is_bound_to_chain_subtree_epoch_and_signer() {
	let pair = sr25519::Pair::from_seed(&[5; 32]);
	let mut payload = payload(0, create("/", "DE"));
	payload.signer = AccountId::new(pair.public().0);
	let sign = |payload: &CallPayload| SignedCall {
		payload: payload.clone(),
		signature: Signature::from(pair.sign(&payload.signing_bytes())),
	};
	let context = CallContext { genesis: H256::zero(), subtree: SUBTREE, epoch: 1, hub_number: 10 };
	let signed = sign(&payload);
	assert_eq!(signed.check(&context), Ok(()));
	let wrapped = [b"<Bytes>", &payload.signing_bytes()[..], b"</Bytes>"].concat();
	let by_wallet =
		SignedCall { signature: Signature::from(pair.sign(&wrapped)), ..signed.clone() };
	assert_eq!(by_wallet.check(&context), Ok(()));
	let elsewhere = |change: fn(&mut CallContext)| {
		let mut other = context.clone();
		change(&mut other);
		signed.check(&other)
	};
	assert_eq!(elsewhere(|c| c.genesis = H256::repeat_byte(1)), Err(CallRefusal::WrongChain));
	assert_eq!(elsewhere(|c| c.subtree = ObjectId::ROOT), Err(CallRefusal::WrongSubtree));
	assert_eq!(elsewhere(|c| c.epoch = 2), Err(CallRefusal::WrongEpoch));
	assert_eq!(elsewhere(|c| c.hub_number = 11), Err(CallRefusal::Expired));
	let mut far = payload.clone();
	far.valid_until = 11 + MAX_VALIDITY_BLOCKS;
	assert_eq!(sign(&far).check(&context), Err(CallRefusal::ValidTooLong));
	let mut nobody = signed.clone();
	nobody.payload.signer = AccountId::new([0; 32]);
	assert_eq!(nobody.check(&context), Err(CallRefusal::WeakSigner));
	let mut forged = signed.clone();
	forged.payload.nonce = 1;
	assert_eq!(forged.check(&context), Err(CallRefusal::BadSignature));
}
