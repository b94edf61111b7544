//! Who may submit how much.

use dstp_primitives::AccountId;
use std::sync::Arc;

/// A call that wants to enter.
#[derive(Clone, Copy, Debug)]
pub struct AdmissionRequest<'a> {
	/// Its signer. The signature was checked.
	pub account: &'a AccountId,
	/// Bytes of the encoded call.
	pub call_bytes: usize,
	/// Calls of this account that the hub has not accepted yet.
	pub account_calls: u32,
	/// Calls of all accounts that the hub has not accepted yet.
	pub total_calls: u32,
}

/// Why a call may not enter. Its nonce is not consumed.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum AdmissionRefusal {
	/// The account does not exist on the hub.
	#[error("the account {0} does not exist on the hub; send it the existential deposit first")]
	NoAccount(AccountId),
	/// Too many calls of this account wait for the hub.
	#[error("{limit} calls of this account wait for the hub already; submit again when a head was committed")]
	AccountLimit {
		/// The limit.
		limit: u32,
	},
	/// Too many calls wait for the hub.
	#[error("{limit} calls wait for the hub already; submit again when a head was committed")]
	TotalLimit {
		/// The limit.
		limit: u32,
	},
	/// A rule of the node's own.
	#[error("{0}")]
	Other(String),
}

impl AdmissionRefusal {
	/// Whether the same call may be accepted later.
	pub fn is_transient(&self) -> bool {
		matches!(self, Self::AccountLimit { .. } | Self::TotalLimit { .. })
	}
}

/// Decides whether a call may enter. Runs on the executor's thread before the execution: it has to be quick.
pub trait Admission: Send + Sync {
	/// Refuses or lets in.
	fn admit(&self, request: &AdmissionRequest<'_>) -> Result<(), AdmissionRefusal>;
}

/// Which accounts the hub knows; given by the node.
pub trait HubAccounts: Send + Sync {
	/// Whether the account exists. Where the hub cannot be asked, the last known answer.
	fn exists(&self, account: &AccountId) -> bool;
}

/// Every account exists. For tests and closed networks.
impl HubAccounts for () {
	fn exists(&self, _: &AccountId) -> bool {
		true
	}
}

/// The default: the account exists on the hub, and limits per account and in total.
#[derive(Clone)]
pub struct AccountLimits {
	/// Calls of one account that may wait for the hub. Default 4096: four full batches, so nobody fills the queue alone.
	pub per_account: u32,
	/// Calls that may wait for the hub. Default 65,536: what a hub that stood for an hour takes up within minutes.
	pub total: u32,
	/// Which accounts exist.
	pub accounts: Arc<dyn HubAccounts>,
}

impl AccountLimits {
	/// The default limits with the node's view of the hub.
	pub fn new(accounts: Arc<dyn HubAccounts>) -> Self {
		Self { per_account: 4096, total: 65_536, accounts }
	}
}

impl Default for AccountLimits {
	fn default() -> Self {
		Self::new(Arc::new(()))
	}
}

impl Admission for AccountLimits {
	fn admit(&self, request: &AdmissionRequest<'_>) -> Result<(), AdmissionRefusal> {
		if request.total_calls >= self.total {
			return Err(AdmissionRefusal::TotalLimit { limit: self.total });
		}
		if request.account_calls >= self.per_account {
			return Err(AdmissionRefusal::AccountLimit { limit: self.per_account });
		}
		if !self.accounts.exists(request.account) {
			return Err(AdmissionRefusal::NoAccount(request.account.clone()));
		}
		Ok(())
	}
}
