//! A workload, and engines to run it on.

use codec::Encode;
use dstp_primitives::{
	batch::HubPin,
	call::{execute, Call, CallPayload, SignedCall},
	object::{ObjectFlags, ObjectType},
	signature::Signature,
	tree::NewObject,
	trie::{empty_root, Recording},
	AccountId, Key, ObjectId, ObjectTree, Owner, Path, StateRoot, TrieStorage, Value,
};
use dstp_subtree::{Engine, EngineOptions, Genesis, OpenError, Role, SubtreeIdentity};
use sp_core::{sr25519, Pair, H256};

pub const VALID_UNTIL: u32 = 10_000;

pub fn identity() -> SubtreeIdentity {
	SubtreeIdentity { genesis: H256([1; 32]), subtree: ObjectId([7; 32]), epoch: 3 }
}

pub fn pair(seed: u8) -> sr25519::Pair {
	sr25519::Pair::from_seed(&[seed; 32])
}

pub fn account(seed: u8) -> AccountId {
	AccountId::new(pair(seed).public().0)
}

pub fn genesis() -> Genesis {
	Genesis::Empty { owner: Owner::Account(account(1)), object: NewObject::default() }
}

pub fn hub(number: u32) -> HubPin {
	HubPin { number, global_root: H256([9; 32]) }
}

pub fn open(
	dir: &std::path::Path,
	role: Role,
	options: EngineOptions,
) -> Result<Engine, OpenError> {
	Engine::open(dir, identity(), genesis(), role, options)
}

pub fn serve(dir: &std::path::Path) -> Engine {
	open(dir, Role::Serve, EngineOptions::default()).unwrap()
}

pub fn key(text: &str) -> Key {
	Key::try_from(text).unwrap()
}

pub fn path(text: &str) -> Path {
	Path::parse(text).unwrap()
}

pub fn payload(seed: u8, nonce: u64, call: Call) -> CallPayload {
	let id = identity();
	let signer = account(seed);
	CallPayload {
		genesis: id.genesis,
		subtree: id.subtree,
		epoch: id.epoch,
		signer,
		nonce,
		valid_until: VALID_UNTIL,
		call,
	}
}

pub fn sign(seed: u8, payload: CallPayload) -> SignedCall {
	let signature = Signature::from(pair(seed).sign(&payload.signing_bytes()));
	SignedCall { payload, signature }
}

pub fn signed(seed: u8, nonce: u64, call: Call) -> Vec<u8> {
	sign(seed, payload(seed, nonce, call)).encode()
}

pub fn create(parent: &str, name: &str) -> Call {
	Call::Create {
		parent: path(parent),
		key: key(name),
		object_type: ObjectType::Plain,
		flags: ObjectFlags::default(),
	}
}

pub fn set(object: &str, fields: &[(String, Vec<u8>)]) -> Call {
	let fields: Vec<_> = fields
		.iter()
		.map(|(name, value)| (key(name), Value::try_from(value.clone()).unwrap()))
		.collect();
	Call::SetFields { object: path(object), fields: fields.try_into().unwrap() }
}

/// A call for each nonce of account 1: objects on several levels come, change, go and come again; some calls fail.
pub fn workload(nonce: u64) -> Call {
	let top = (nonce / 12) % 5;
	match nonce % 12 {
		0 => create("/", &format!("top{top}")),
		1 => create(&format!("/top{top}"), "mid"),
		2 => create(&format!("/top{top}/mid"), "low"),
		3 => Call::RemoveRecursive { object: path(&format!("/top{}", (nonce / 12 + 3) % 5)) },
		4 => Call::Freeze { object: path("/nowhere") },
		step => {
			let object =
				if step % 2 == 0 { format!("/top{top}") } else { format!("/top{top}/mid/low") };
			let fields: Vec<_> = (0..6)
				.map(|i| {
					(
						format!("f{}", (nonce * 7 + i * 13) % 40),
						vec![nonce as u8; 1 + ((nonce * 31 + i * 17) % 90) as usize],
					)
				})
				.collect();
			let mut distinct: Vec<(String, Vec<u8>)> = Vec::new();
			for field in fields {
				if distinct.iter().all(|(name, _)| *name != field.0) {
					distinct.push(field);
				}
			}
			set(&object, &distinct)
		},
	}
}

/// The state without an engine.
pub struct Plain(pub ObjectTree<TrieStorage<()>>);

impl Plain {
	pub fn new() -> Self {
		let mut tree = ObjectTree::new(TrieStorage::new(identity().subtree, empty_root(), ()));
		tree.init_namespace(Owner::Account(account(1)), NewObject::default()).unwrap();
		tree.commit_roots().unwrap();
		tree.storage_mut().accept();
		Self(tree)
	}

	pub fn run(&mut self, payload: &CallPayload) -> StateRoot {
		execute(&mut self.0, payload, Recording::counting()).unwrap().post_root
	}
}

/// Roots after each of the first `count` calls of the workload; the first one is that before any call.
pub fn workload_roots(count: u64) -> Vec<StateRoot> {
	let mut plain = Plain::new();
	let mut roots = vec![plain.0.storage().namespace_root()];
	roots.extend((0..count).map(|nonce| plain.run(&payload(1, nonce, workload(nonce)))));
	roots
}

/// Submits calls `from..to` of the workload and seals after every `batch`.
pub fn run_workload(engine: &mut Engine, from: u64, to: u64, batch: u64) {
	for nonce in from..to {
		engine.submit(&signed(1, nonce, workload(nonce)), hub(1), nonce).unwrap();
		if (nonce + 1) % batch == 0 {
			engine.seal_now().unwrap();
		}
	}
}

/// The hub accepts everything, and all of it becomes final.
pub fn commit_all(engine: &mut Engine) {
	let status = engine.status();
	engine.mark_committed(status.seq, status.head_hash).unwrap();
	engine.mark_final(status.seq).unwrap();
}

/// Compares the flat copy of the newest head with its tries, object by object.
pub fn check_flat(engine: &Engine) {
	let reader = engine.reader();
	let (_, newest) = reader.kept();
	let mut queue = vec![identity().subtree];
	while let Some(object) = queue.pop() {
		let view = reader.object(&object, None).unwrap().expect("it is listed");
		assert_eq!(view.seq, newest);
		let mut tried = Vec::new();
		loop {
			let after = tried.last().map(|(key, _): &(Vec<u8>, Vec<u8>)| key.clone());
			let (_, range) = reader.range(view.state_root, after.as_deref(), 1 << 20).unwrap();
			tried.extend(range.entries);
			if range.complete {
				break;
			}
		}
		let request = dstp_primitives::tree::PageRequest { limit: 1000, ..Default::default() };
		let fields = reader.fields(&object, &request, None).unwrap().entries;
		let children = reader.children(&object, &request, None).unwrap().entries;
		let flat_fields: Vec<Vec<u8>> =
			fields.iter().map(|(key, _)| [&[0], key.as_slice()].concat()).collect();
		let trie_fields: Vec<Vec<u8>> =
			tried.iter().filter(|(key, _)| key[0] == 0).map(|(key, _)| key.clone()).collect();
		assert_eq!(flat_fields, trie_fields);
		for ((_, value), (_, stored)) in fields.iter().zip(&tried) {
			assert_eq!(&value[..], &stored[1..]);
		}
		assert_eq!(children.len(), tried.iter().filter(|(key, _)| key[0] == 1).count());
		assert_eq!(
			(view.meta.fields, view.meta.children),
			(fields.len() as u64, children.len() as u64)
		);
		queue.extend(children.iter().map(|(key, _)| object.child(key)));
	}
}
