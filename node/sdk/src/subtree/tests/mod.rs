//! Parts of a node that holds subtrees, without the node.

#![allow(clippy::unwrap_used)]

mod driver;
mod subscribe;
mod writer;

use super::serve::{Running, Served};
use codec::Encode;
use dstp_primitives::{
	batch::HubPin,
	call::{Call, CallPayload, SignedCall},
	head::{Head, HeadState},
	object::{HeadStatus, ModeId, ObjectFlags, ObjectType},
	subtree::{SubtreeStart, SubtreeView},
	trie::empty_root,
	Key, ObjectId, Path, Value,
};
use dstp_subtree::{CheckedCall, EngineOptions, Role};
use sp_core::H256;
use sp_keyring::Sr25519Keyring::{self, Alice};
use std::{
	collections::BTreeMap,
	sync::{
		atomic::{AtomicU64, Ordering},
		Arc,
	},
};

fn key(text: &str) -> Key {
	Key::try_from(text).unwrap()
}

fn subtree() -> ObjectId {
	ObjectId::ROOT.child(&key("x"))
}

/// The first registration of `/x`, before its first head.
fn registration(epoch: u64) -> SubtreeView {
	let start = SubtreeStart::New { object_type: ObjectType::Plain, flags: ObjectFlags::default() };
	let owner = Alice.to_account_id();
	let head = HeadState {
		epoch,
		era: 0,
		seq: 0,
		hash: H256::zero(),
		state_root: start.root(&owner),
		hub_last: 0,
	};
	SubtreeView {
		subtree: subtree(),
		parent: ObjectId::ROOT,
		key: key("x"),
		owner,
		start,
		mode: ModeId::Native(1),
		head,
		last: None,
		status: HeadStatus::Initial,
		committed_at: 1,
		being_hosted: false,
	}
}

/// What the hub tells after it accepted `head`.
fn accepted(head: &Head) -> SubtreeView {
	SubtreeView {
		head: head.next_state(),
		last: Some(head.clone()),
		status: HeadStatus::Final,
		..registration(head.epoch)
	}
}

/// A folder, a clock, and a node that holds `/x` there.
pub(super) struct World {
	_folder: tempfile::TempDir,
	clock: Arc<AtomicU64>,
	served: Arc<Served>,
}

impl World {
	pub(super) fn new(role: Role) -> Self {
		let folder = tempfile::tempdir().unwrap();
		let clock = Arc::new(AtomicU64::new(1_000));
		let shown = clock.clone();
		let served = Served::new(
			H256([1; 32]),
			folder.path().to_path_buf(),
			BTreeMap::from([(subtree(), role)]),
			Arc::new(move || shown.load(Ordering::Relaxed)),
		);
		served.set_pin(HubPin { number: 1, global_root: empty_root() });
		Self { _folder: folder, clock, served: Arc::new(served) }
	}

	pub(super) fn open(&self, options: EngineOptions) -> Arc<Running> {
		self.served.open(&registration(1), &options).unwrap()
	}

	fn wait_ms(&self, ms: u64) {
		self.clock.fetch_add(ms, Ordering::Relaxed);
	}
}

pub(super) fn set(field: &str, value: &[u8]) -> Call {
	let field = (key(field), Value::try_from(value.to_vec()).unwrap());
	Call::SetFields { object: Path::default(), fields: vec![field].try_into().unwrap() }
}

fn signed(signer: Sr25519Keyring, epoch: u64, nonce: u64, call: Call) -> Vec<u8> {
	let payload = CallPayload {
		genesis: H256([1; 32]),
		subtree: subtree(),
		epoch,
		signer: signer.to_account_id(),
		nonce,
		valid_until: 1_000,
		call,
	};
	let signature = signer.sign(&payload.signing_bytes()).into();
	SignedCall { payload, signature }.encode()
}

fn checked(running: &Running, signer: Sr25519Keyring, nonce: u64) -> CheckedCall {
	let field = format!("{signer:?} {nonce}");
	let call = signed(signer, running.identity.epoch, nonce, set(&field, b"x"));
	running.gate.check(&call, 1).unwrap()
}

/// Executes a call of Alice and waits until it is on the disk.
pub(super) fn execute(running: &Running, nonce: u64, call: Call) {
	let call = signed(Alice, running.identity.epoch, nonce, call);
	let call = running.gate.check(&call, 1).unwrap();
	let outcome = running.writer.as_ref().unwrap().submit(call).unwrap();
	outcome.blocking_recv().unwrap().unwrap();
}
