//! Input that is the same for every contender, and the same in every run.

use crate::Failure;
use codec::Encode;
use dstp_primitives::{
	batch::HubPin,
	call::{Call, CallPayload, SignedCall},
	object::{field_key, tag, KeyLayout, ObjectFlags, ObjectType, Value},
	signature::Signature,
	tree::NewObject,
	AccountId, Key, ObjectId, Owner, Path,
};
use dstp_subtree::{CheckedCall, Engine, EngineOptions, Genesis, Retention, Role, SubtreeIdentity};
use rand::{rngs::StdRng, seq::SliceRandom, SeedableRng};
use sp_core::{sr25519, Pair, H256};
use sp_crypto_hashing::blake2_256;
use std::sync::LazyLock;

/// The object that everything happens in or below.
pub const SUBTREE: ObjectId = ObjectId([7; 32]);

/// Bytes of a value: a position such as `52.52437,13.41053`, and below the length at which values stand outside their nodes.
const VALUE_BYTES: usize = 20;

/// Most fields of one call, and of one operation.
pub const BATCH_FIELDS: usize = 256;

/// Which subtree the engines hold.
pub fn identity() -> SubtreeIdentity {
	SubtreeIdentity { genesis: H256([1; 32]), subtree: SUBTREE, epoch: 3 }
}

/// The key that signs all calls.
pub fn signer() -> sr25519::Pair {
	sr25519::Pair::from_seed(&[1; 32])
}

/// Its account. Known from the start, because deriving it would be most of the work of a small call.
pub fn account() -> AccountId {
	static ACCOUNT: LazyLock<AccountId> = LazyLock::new(|| AccountId::new(signer().public().0));
	ACCOUNT.clone()
}

/// The state before any call.
pub fn genesis() -> Genesis {
	Genesis::Empty { owner: Owner::Account(account()), object: NewObject::default() }
}

/// The hub block of all calls.
pub fn hub() -> HubPin {
	HubPin { number: 1, global_root: H256([9; 32]) }
}

/// An engine that keeps one head, so that each batch pays for the nodes that it lets go of, as `sp-trie` does.
pub fn engine(dir: &std::path::Path, role: Role) -> Result<Engine, Failure> {
	let options = EngineOptions { retention: Retention::Last(1), ..Default::default() };
	Ok(Engine::open(dir, identity(), genesis(), role, options)?)
}

/// The key of a field: 32 bytes without order, which suit all contenders.
pub fn key(number: usize) -> Key {
	Key::new(blake2_256(&(number as u64).to_be_bytes())).expect("32 bytes are a key; qed")
}

/// The value of a field after a round.
pub fn value(number: usize, round: usize) -> Value {
	let hash = blake2_256(&(number as u64, round as u64).encode());
	Value::try_from(hash[..VALUE_BYTES].to_vec()).expect("20 bytes are a value; qed")
}

/// Some of `count` fields, each once, with their values in a round.
pub fn updates(count: usize, some: usize, round: usize) -> Vec<(Key, Value)> {
	let mut numbers: Vec<usize> = (0..count).collect();
	let (some, _) = numbers.partial_shuffle(&mut StdRng::seed_from_u64(round as u64), some);
	some.iter().map(|number| (key(*number), value(*number, round))).collect()
}

/// All fields, before the first round.
pub fn fields(count: usize) -> Vec<(Key, Value)> {
	(0..count).map(|number| (key(number), value(number, usize::MAX))).collect()
}

/// Fields as they stand in the trie.
pub fn trie_entries(fields: &[(Key, Value)]) -> Vec<(Vec<u8>, Vec<u8>)> {
	let entry = |(key, value): &(Key, Value)| {
		(field_key(KeyLayout::Raw, key), [&[tag::FIELD][..], &value[..]].concat())
	};
	fields.iter().map(entry).collect()
}

/// A call that sets fields of the subtree's root object.
pub fn set_fields(object: Path, fields: &[(Key, Value)]) -> Result<Call, Failure> {
	let fields = fields.to_vec().try_into().map_err(|_| "a call sets at most 256 fields")?;
	Ok(Call::SetFields { object, fields })
}

/// A call that creates a plain object.
pub fn create(parent: Path, key: Key) -> Call {
	let (object_type, flags) = (ObjectType::Plain, ObjectFlags::default());
	Call::Create { parent, key, object_type, flags }
}

/// What is signed.
pub fn payload(nonce: u64, call: Call) -> CallPayload {
	let SubtreeIdentity { genesis, subtree, epoch } = identity();
	CallPayload { genesis, subtree, epoch, signer: account(), nonce, valid_until: 1_000, call }
}

/// The bytes of a signed call.
pub fn signed(nonce: u64, call: Call) -> Vec<u8> {
	let payload = payload(nonce, call);
	let signature = Signature::from(signer().sign(&payload.signing_bytes()));
	SignedCall { payload, signature }.encode()
}

/// Signs calls with the nonces that are next in `engine`, and checks their signatures.
pub fn checked(
	engine: &Engine,
	calls: impl IntoIterator<Item = Call>,
) -> Result<Vec<CheckedCall>, Failure> {
	let (first, gate) = (engine.next_nonce(&account())?, engine.gate());
	let numbered = (first..).zip(calls);
	numbered.map(|(nonce, call)| Ok(gate.check(&signed(nonce, call), hub().number)?)).collect()
}

/// Executes checked calls, `group` of them for each sync of the log, and seals and commits every full batch and the rest.
pub fn execute(engine: &mut Engine, calls: Vec<CheckedCall>, group: usize) -> Result<(), Failure> {
	let mut waiting = 0;
	for call in calls {
		engine.enqueue(call, hub(), 1)?;
		waiting += 1;
		if waiting == group {
			engine.flush()?;
			waiting = 0;
			if !engine.seal(1)?.is_empty() {
				commit_all(engine)?;
			}
		}
	}
	engine.flush()?;
	engine.seal_now()?;
	commit_all(engine)
}

/// What the hub would say.
fn commit_all(engine: &mut Engine) -> Result<(), Failure> {
	let status = engine.status();
	engine.mark_committed(status.seq, status.head_hash)?;
	engine.mark_final(status.seq)?;
	Ok(())
}

/// Writes all fields into the root object of an engine's subtree.
pub fn fill(engine: &mut Engine, count: usize) -> Result<(), Failure> {
	let calls = fields(count);
	let calls = calls.chunks(BATCH_FIELDS).map(|part| set_fields(Path::default(), part));
	let calls = checked(engine, calls.collect::<Result<Vec<_>, _>>()?)?;
	execute(engine, calls, 64)
}
