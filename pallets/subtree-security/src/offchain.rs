//! The worker that links a node with the hub: at each best block it tells the node what the hub knows, and submits the heads that the
//! node sealed.
//!
//! Both meet in the node's off-chain storage ([`dstp_primitives::mailbox`]). The worker keeps nothing of its own but a note of what it
//! submitted, so it can be stopped, run twice, or skip blocks at any time.
//!
//! - Of each subtree it submits the next head only, the one after the last that the hub accepted, and that only if the hub would accept
//!   it in the next block: the fee of a refused head is lost.
//! - A head is submitted again at every block until the hub has it. The transaction has the account's next nonce, so as long as an
//!   earlier submission waits in the pool, the pool refuses the new one.
//! - Of the keystore's accounts it takes one that has funds, and the next one if the pool refuses the transaction of the first. A head
//!   stays with the account whose transaction the pool took.
//! - A head whose number the hub has accepted is skipped. If the hub's chain is reorganised and a commit lost, the hub's last number is
//!   lower again, and the head goes out again.

use crate::{Call, Config, Evidence, Pallet, Subtrees};
use alloc::vec::Vec;
use codec::{Decode, DecodeAll, Encode};
use dstp_primitives::{
	digest::{GlobalRoot, ENGINE_ID},
	head::Head,
	hub::RemoteObjects,
	mailbox::{HubView, Interests, MailboxItem, Outbox, OutboxHead},
	mode::{HeadRefusal, ModeError, Modes},
	object::HeadStatus,
	AccountId, ObjectId, StateRoot,
};
use frame_support::traits::{
	fungible::Inspect,
	tokens::{Fortitude, Preservation},
};
use frame_system::offchain::{Account, SendSignedTransaction, Signer};
use sp_core::offchain::{Duration, StorageKind};
use sp_runtime::{
	offchain::storage_lock::{StorageLock, Time},
	traits::Zero,
	DigestItem,
};

/// Keys that sign the worker's transactions. Their accounts pay the fees, which come back with each accepted head.
pub mod crypto {
	use sp_core::crypto::KeyTypeId;
	use sp_runtime::{
		app_crypto::{app_crypto, sr25519},
		MultiSignature, MultiSigner,
	};

	/// Type of these keys in the node's keystore.
	pub const KEY_TYPE: KeyTypeId = KeyTypeId(*b"dsub");

	mod app {
		use super::*;
		app_crypto!(sr25519, KEY_TYPE);
	}

	/// An sr25519 key of type `dsub`, for [`Config::SubmitterId`](crate::Config::SubmitterId).
	pub struct SubmitterId;

	impl frame_system::offchain::AppCrypto<MultiSigner, MultiSignature> for SubmitterId {
		type RuntimeAppPublic = app::Public;
		type GenericSignature = sr25519::Signature;
		type GenericPublic = sr25519::Public;
	}
}

const LOG_TARGET: &str = "runtime::subtree-security";

/// Workers of two blocks may run at the same time; this orders their writing.
const LOCK_KEY: &[u8] = b"dstp/worker/lock";

/// Longer than a worker ever holds the lock: one that was killed must not block the next for long.
const LOCK_MS: u64 = 10_000;

/// What the pool took, as a list of [`Taken`]: one for each head that the hub has not accepted since.
const SUBMITTED_KEY: &[u8] = b"dstp/worker/submitted";

/// After so many blocks a head is not expected in the pool any more, and is tried from every account again.
const RETRY_AFTER_BLOCKS: u32 = 16;

/// Subtree, epoch and number of a head.
type HeadName = (ObjectId, u64, u64);

/// Notes that the pool took a head, so that two blocks with the same number do not submit it twice, nor two accounts.
#[derive(Encode, Decode)]
struct Taken {
	head: HeadName,
	/// The best block then.
	number: u32,
	/// The account that signed the transaction.
	by: AccountId,
}

fn load<T: MailboxItem>() -> Option<T> {
	let bytes = sp_io::offchain::local_storage_get(StorageKind::PERSISTENT, T::KEY)?;
	let item = T::from_bytes(&bytes);
	if item.is_none() {
		log::warn!(target: LOG_TARGET, "the off-chain item {:?} is not readable and is ignored", T::KEY);
	}
	item
}

impl<T: Config> Pallet<T> {
	/// Runs at each best block.
	pub(crate) fn run_worker() {
		let mut lock = StorageLock::<Time>::with_deadline(LOCK_KEY, Duration::from_millis(LOCK_MS));
		let _guard = lock.lock();
		Self::write_hub_view();
		Self::submit_heads();
	}

	fn write_hub_view() {
		let interests = load::<Interests>().unwrap_or_default();
		let number = frame_system::Pallet::<T>::block_number();
		let block_hash = frame_system::Pallet::<T>::block_hash(number);
		let parent_hash = frame_system::Pallet::<T>::parent_hash();
		let Some(global_root) = Self::global_root_in_digest() else {
			log::warn!(target: LOG_TARGET, "block {number:?} has no global root in its header");
			return;
		};
		let newer = load::<HubView>().is_some_and(|stored| stored.parent_hash == block_hash);
		if newer {
			return;
		}
		let views: Vec<_> =
			interests.subtrees.iter().filter_map(|id| Self::subtree_view(*id)).collect();
		let subtrees = views.try_into().unwrap_or_default();
		let number = Self::now();
		let view = HubView { block_hash, parent_hash, number, global_root, subtrees };
		sp_io::offchain::local_storage_set(StorageKind::PERSISTENT, HubView::KEY, &view.to_bytes());
	}

	fn global_root_in_digest() -> Option<StateRoot> {
		let digest = frame_system::Pallet::<T>::digest();
		digest.logs.iter().find_map(|item| match item {
			DigestItem::Consensus(engine, payload) if *engine == ENGINE_ID => {
				GlobalRoot::from_digest(payload).map(|found| found.root)
			},
			_ => None,
		})
	}

	fn submit_heads() {
		let outbox = load::<Outbox>().unwrap_or_default();
		let due: Vec<_> = outbox.heads.into_iter().filter(Self::is_due).collect();
		if due.is_empty() {
			return;
		}
		let signers = Self::signers_with_funds(due.len());
		if signers.is_empty() {
			return;
		}
		let mut taken = Self::taken();
		// What is due no more was accepted, or never will be.
		taken.retain(|old| due.iter().any(|waiting| old.head == name_of(&waiting.head)));
		for waiting in due {
			Self::submit(waiting, &signers, &mut taken);
		}
		let key = SUBMITTED_KEY;
		sp_io::offchain::local_storage_set(StorageKind::PERSISTENT, key, &taken.encode());
	}

	/// Submits a head from the first account from which the pool takes it, unless it did in this block.
	fn submit(waiting: OutboxHead, signers: &[Account<T>], taken: &mut Vec<Taken>) {
		let OutboxHead { head, evidence } = waiting;
		let (name, number) = (name_of(&head), Self::now());
		let before = taken.iter().find(|old| old.head == name);
		if before.is_some_and(|old| old.number == number) {
			return;
		}
		// It probably waits in the pool. From the same account the pool takes it once only; from another one it would be in two
		// transactions, of which the second loses its fee.
		let keep_to = before
			.filter(|old| number.saturating_sub(old.number) < RETRY_AFTER_BLOCKS)
			.and_then(|old| signers.iter().find(|signer| signer.id == old.by));
		let candidates = keep_to.map_or(signers, core::slice::from_ref);
		let evidence: Evidence = evidence;
		let by = candidates.iter().find(|signer| {
			let call = |_: &_| Call::commit_head { head: head.clone(), evidence: evidence.clone() };
			let sender = Signer::<T, T::SubmitterId>::any_account();
			let sender = sender.with_filter(alloc::vec![signer.public.clone()]);
			matches!(sender.send_signed_transaction(call), Some((_, Ok(()))))
		});
		match by.map(|signer| signer.id.clone()) {
			Some(by) => {
				taken.retain(|old| old.head != name);
				taken.push(Taken { head: name, number, by });
			},
			None if keep_to.is_some() => {
				log::debug!(target: LOG_TARGET, "head {name:?} waits in the pool already");
			},
			None => log::warn!(
				target: LOG_TARGET,
				"the pool took head {name:?} from none of the accounts {:?}: see that they can pay the fee, which comes back",
				candidates.iter().map(|signer| &signer.id).collect::<Vec<_>>(),
			),
		}
	}

	/// The keystore's accounts that can pay; says what to do if there is none.
	fn signers_with_funds(heads: usize) -> Vec<Account<T>> {
		let (signers, without): (Vec<_>, Vec<_>) = Signer::<T, T::SubmitterId>::keystore_accounts()
			.partition(|signer| {
				let (keep, force) = (Preservation::Preserve, Fortitude::Polite);
				!T::Currency::reducible_balance(&signer.id, keep, force).is_zero()
			});
		if signers.is_empty() && without.is_empty() {
			log::warn!(
				target: LOG_TARGET,
				"{heads} heads wait, but the keystore has no key of type `dsub`: insert one with author_insertKey",
			);
		} else if signers.is_empty() {
			log::warn!(
				target: LOG_TARGET,
				"{heads} heads wait, but no account of a key of type `dsub` has funds for fees: transfer some to one of {:?}",
				without.iter().map(|signer| &signer.id).collect::<Vec<_>>(),
			);
		}
		signers
	}

	/// Whether the hub would accept this head in the next block. So the fee for a head that comes too early, or whose evidence no
	/// longer holds, is not lost. Whether the block has room for it cannot be known here; the hub returns the fee of a head that it
	/// puts off.
	fn is_due(waiting: &OutboxHead) -> bool {
		let head = &waiting.head;
		let Some(info) = Subtrees::<T>::get(head.subtree) else { return false };
		let waits_for_another =
			info.head.epoch != head.epoch || info.head.seq.checked_add(1) != Some(head.seq);
		let locked = T::Tree::is_being_hosted(&info.parent, &info.key);
		if info.status == HeadStatus::Closed || waits_for_another || locked {
			return false;
		}
		let mut context = Self::mode_context(head.subtree, &info.head);
		context.now = context.now.saturating_add(1);
		let stored = info.stored_mode();
		match T::Modes::verify(&info.mode, head.clone(), &context, stored, &waiting.evidence) {
			Ok(_) => true,
			Err(HeadRefusal::Mode(ModeError::TooEarly)) => false,
			Err(refusal) => {
				let (subtree, seq) = (head.subtree, head.seq);
				log::warn!(target: LOG_TARGET, "head {seq} of {subtree} is not submitted: {refusal}");
				false
			},
		}
	}

	fn taken() -> Vec<Taken> {
		sp_io::offchain::local_storage_get(StorageKind::PERSISTENT, SUBMITTED_KEY)
			.and_then(|bytes| Vec::<Taken>::decode_all(&mut &bytes[..]).ok())
			.unwrap_or_default()
	}
}

fn name_of(head: &Head) -> HeadName {
	(head.subtree, head.epoch, head.seq)
}
