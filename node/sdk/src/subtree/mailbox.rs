//! The node's side of the mailbox in the off-chain storage.

use dstp_primitives::mailbox::MailboxItem;
use sp_core::offchain::{OffchainStorage, STORAGE_PREFIX};

/// Reads an item that the worker wrote.
pub(super) fn read<T: MailboxItem>(storage: &impl OffchainStorage) -> Option<T> {
	storage.get(STORAGE_PREFIX, T::KEY).and_then(|bytes| T::from_bytes(&bytes))
}

/// Replaces an item that the worker reads.
pub(super) fn write<T: MailboxItem>(storage: &mut impl OffchainStorage, item: &T) {
	storage.set(STORAGE_PREFIX, T::KEY, &item.to_bytes());
}
