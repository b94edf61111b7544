//! Real subtrees, and nodes that have them.

use dstp_primitives::{
	batch::{BatchCommitment, BatchEntry, HubPin},
	call::{execute, Call, CallPayload, CallStatus, SignedCall},
	head::{Head, HeadState, HEAD_VERSION},
	proof::{prove_range, Proof, Query, RangeProof, TrieRange, TrustedRoot},
	signature::Signature,
	tree::{Actor, NewObject},
	trie::{empty_root, NodeChanges, NodeStore, Recording},
	AccountId, Key, ObjectId, ObjectTree, ObjectType, Owner, Path, StateRoot, TrieStorage, Value,
};
use dstp_state_network::{
	sync::Followed,
	wire::{Served, TrieCursor},
	Source,
};
use rand::{rngs::StdRng, Rng, SeedableRng};
use sp_core::H256;
use std::{
	collections::HashMap,
	sync::{Arc, Mutex},
};

pub const GENESIS: H256 = H256::repeat_byte(9);
pub const SUBTREE: ObjectId = ObjectId([7; 32]);
pub const EPOCH: u64 = 3;
pub const FOLLOWED: Followed = Followed { genesis: GENESIS, subtree: SUBTREE };

/// Nodes by hash that are never dropped.
#[derive(Clone, Default)]
pub struct Archive(Arc<Mutex<HashMap<H256, Vec<u8>>>>);

impl Archive {
	pub fn add(&self, changes: NodeChanges) {
		let added = changes.into_iter().filter(|(_, _, count)| *count > 0);
		self.0.lock().unwrap().extend(added.map(|(hash, bytes, _)| (hash, bytes)));
	}

	/// For a copy that must not share later writes.
	pub fn deep_clone(&self) -> Self {
		Self(Arc::new(Mutex::new(self.0.lock().unwrap().clone())))
	}

	/// The value in any trie that was ever there.
	pub fn value(&self, root: StateRoot, key: &[u8]) -> Option<Vec<u8>> {
		let trie = TrieStorage::new(ObjectId::ROOT, root, self);
		dstp_primitives::Storage::get(&trie, &ObjectId::ROOT, key).expect("the archive is complete")
	}
}

impl NodeStore for Archive {
	fn node(&self, hash: &H256) -> Option<Vec<u8>> {
		self.0.lock().unwrap().get(hash).cloned()
	}
}

/// A subtree with its history.
pub struct World {
	pub archive: Archive,
	/// By seq; the first is the state before any head.
	pub states: Vec<HeadState>,
	/// By seq - 1.
	pub batches: Vec<(Head, Vec<BatchEntry>)>,
	nonce: u64,
}

pub fn alice() -> AccountId {
	AccountId::new([1; 32])
}

pub fn key(text: &str) -> Key {
	Key::try_from(text).unwrap()
}

pub fn path(text: &str) -> Path {
	Path::parse(text).unwrap()
}

pub fn create(parent: &str, name: &str) -> Call {
	Call::Create {
		parent: path(parent),
		key: key(name),
		object_type: ObjectType::Plain,
		flags: Default::default(),
	}
}

pub fn set(object: &str, fields: Vec<(Key, Value)>) -> Call {
	Call::SetFields { object: path(object), fields: fields.try_into().unwrap() }
}

fn random_fields(rng: &mut StdRng, count: usize) -> Vec<(Key, Value)> {
	let field = |index| {
		let length = *[3, 20, 40, 300].get(rng.gen_range(0..4usize)).unwrap();
		let value: Vec<u8> = (0..length).map(|_| rng.gen()).collect();
		(key(&format!("city {index}")), Value::try_from(value).unwrap())
	};
	(0..count).map(field).collect()
}

impl World {
	/// A namespace with nothing in it.
	pub fn empty() -> Self {
		Self::start(|_| {})
	}

	fn start(build: impl FnOnce(&mut ObjectTree<TrieStorage<Archive>>)) -> Self {
		let archive = Archive::default();
		let mut tree = ObjectTree::new(TrieStorage::new(SUBTREE, empty_root(), archive.clone()));
		tree.init_namespace(Owner::Account(alice()), NewObject::default()).unwrap();
		build(&mut tree);
		tree.commit_roots().unwrap();
		tree.storage_mut().accept();
		archive.add(tree.storage_mut().take_node_changes());
		let state_root = tree.storage().namespace_root();
		let first =
			HeadState { epoch: EPOCH, era: 0, seq: 0, hash: H256::zero(), state_root, hub_last: 1 };
		Self { archive, states: vec![first], batches: Vec::new(), nonce: 0 }
	}

	/// About 100 objects on three levels with 3,700 fields, one of them of half a megabyte, in a few batches.
	pub fn geo(seed: u64) -> Self {
		let mut rng = StdRng::seed_from_u64(seed);
		let mut world = Self::empty();
		for country in 0..8 {
			let country = format!("C{country}");
			let mut calls = vec![create("/", &country)];
			for state in 0..12 {
				let name = format!("S{state}");
				let fields = random_fields(&mut rng, 30);
				calls.push(create(&format!("/{country}"), &name));
				calls.push(set(&format!("/{country}/{name}"), fields));
			}
			world.seal(calls);
		}
		world.seal(vec![create("/", "large")]);
		for chunk in 0..4 {
			let field = |index| {
				let value: Vec<u8> = (0..600).map(|_| rng.gen()).collect();
				(key(&format!("large {chunk} {index}")), Value::try_from(value).unwrap())
			};
			let fields = (0..200).map(field).collect();
			world.seal(vec![set("/large", fields)]);
		}
		world
	}

	/// Very many small children below one object; a state without batches.
	pub fn wide(children: u32) -> Self {
		let owner = Actor::Account(alice());
		Self::start(|tree| {
			for number in 0..children {
				let child = tree
					.create(&owner, &SUBTREE, &key(&format!("{number}")), NewObject::default())
					.unwrap();
				let value = Value::try_from(number.to_le_bytes().to_vec()).unwrap();
				tree.set_fields(
					&owner,
					&child,
					&[(key("number"), value.clone()), (key("twice"), value)],
				)
				.unwrap();
			}
		})
	}

	/// Changes a few fields of two states.
	pub fn change(&mut self, rng: &mut StdRng) {
		let object = format!("/C{}/S{}", rng.gen_range(0..8), rng.gen_range(0..12));
		let fields = random_fields(rng, 5);
		self.seal(vec![set(&object, fields.clone()), set("/C0/S0", fields)]);
	}

	/// Executes calls and seals them into a batch.
	pub fn seal(&mut self, calls: Vec<Call>) {
		let last = self.states.last().unwrap().clone();
		let storage = TrieStorage::new(SUBTREE, last.state_root, self.archive.clone());
		let mut tree = ObjectTree::new(storage);
		let mut entries = Vec::new();
		for call in calls {
			let payload = CallPayload {
				genesis: GENESIS,
				subtree: SUBTREE,
				epoch: EPOCH,
				signer: alice(),
				nonce: self.nonce,
				valid_until: 100,
				call,
			};
			self.nonce += 1;
			let done = execute(&mut tree, &payload, Recording::Off).unwrap();
			assert_eq!(done.status, CallStatus::Applied);
			let call = SignedCall { payload, signature: Signature::Sr25519([0; 64]) };
			let hub = HubPin { number: 1, global_root: H256::zero() };
			let (status, post_root) = (done.status, done.post_root);
			entries.push(BatchEntry {
				call,
				time_ms: 0,
				hub,
				status,
				gas: 0,
				post_root,
				hub_reads: Vec::new(),
			});
		}
		self.archive.add(tree.storage_mut().take_node_changes());
		let commitment = BatchCommitment::new(&entries).unwrap();
		let head = Head {
			version: HEAD_VERSION,
			genesis: GENESIS,
			subtree: SUBTREE,
			epoch: EPOCH,
			era: 0,
			seq: last.seq + 1,
			prev: last.hash,
			pre_root: last.state_root,
			state_root: tree.storage().namespace_root(),
			batch_root: commitment.root,
			batch_len: commitment.len,
			batch_bytes: commitment.bytes,
			hub_first: 1,
			hub_last: 1,
		};
		self.states.push(head.next_state());
		self.batches.push((head, entries));
	}

	/// The newest head.
	pub fn newest(&self) -> &HeadState {
		self.states.last().unwrap()
	}

	/// A node that has everything from `oldest` to `newest`.
	pub fn copy(&self, oldest: u64, newest: u64) -> Copy<'_> {
		Copy { world: self, oldest, newest }
	}
}

/// What one node has of a world.
pub struct Copy<'a> {
	world: &'a World,
	oldest: u64,
	newest: u64,
}

impl Copy<'_> {
	fn has(&self, subtree: &ObjectId, epoch: u64, seq: u64) -> bool {
		*subtree == SUBTREE && epoch == EPOCH && (self.oldest..=self.newest).contains(&seq)
	}

	fn any_batch(&self, seq: u64) -> Option<&(Head, Vec<BatchEntry>)> {
		self.world.batches.get(usize::try_from(seq.checked_sub(1)?).unwrap())
	}
}

impl Source for Copy<'_> {
	fn served(&self, subtree: &ObjectId) -> Option<Served> {
		(*subtree == SUBTREE).then_some(Served { subtree: SUBTREE, epoch: EPOCH, seq: self.newest })
	}

	fn head(&self, subtree: &ObjectId, epoch: u64, seq: u64) -> Option<Head> {
		let known = *subtree == SUBTREE && epoch == EPOCH && seq <= self.newest;
		known.then(|| self.any_batch(seq).map(|(head, _)| head.clone())).flatten()
	}

	fn batch(&self, subtree: &ObjectId, epoch: u64, seq: u64) -> Option<(Head, Vec<BatchEntry>)> {
		self.has(subtree, epoch, seq).then(|| self.any_batch(seq).cloned()).flatten()
	}

	fn range(
		&self,
		subtree: &ObjectId,
		epoch: u64,
		seq: u64,
		cursor: &TrieCursor,
		max_bytes: usize,
	) -> Option<(RangeProof, TrieRange)> {
		if !self.has(subtree, epoch, seq) {
			return None;
		}
		let after = cursor.after.as_ref().map(|key| key.as_slice());
		prove_range(&self.world.archive, cursor.root, after, max_bytes).ok()
	}

	fn proof(&self, subtree: &ObjectId, epoch: u64, seq: u64, query: Query) -> Option<Proof> {
		if !self.has(subtree, epoch, seq) {
			return None;
		}
		let root = self.world.states[seq as usize].state_root;
		Proof::make(TrustedRoot { object: SUBTREE, root }, &self.world.archive, query)
			.ok()
			.map(|(proof, _)| proof)
	}
}
