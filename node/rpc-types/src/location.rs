//! Where an object's state is.

use crate::bytes::{hex, number};
use alloc::{
	format,
	string::{String, ToString},
};
use dstp_primitives::object::{HeadStatus, Location, ModeId, RemoteLocation};
use serde::{Deserialize, Serialize};

/// Where an object's state is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "camelCase", rename_all_fields = "camelCase")]
pub enum LocationJson {
	/// With the parent's.
	WithParent,
	/// On other nodes.
	Remote {
		/// Number of a mode of the runtime, or `address::module` of a contract.
		mode: String,
		/// Number of the registration.
		#[serde(with = "number")]
		epoch: u64,
		/// Era of the last head.
		era: u32,
		/// Number of the last head.
		#[serde(with = "number")]
		seq: u64,
		/// `initial`, `pending`, `challenged`, `final` or `closed`.
		status: String,
		/// First block in which a pending head is final.
		pending_until: Option<u32>,
	},
}

impl From<&RemoteLocation> for LocationJson {
	fn from(location: &RemoteLocation) -> Self {
		let (status, pending_until) = match location.status {
			HeadStatus::Initial => ("initial", None),
			HeadStatus::Pending { until } => ("pending", Some(until)),
			HeadStatus::Challenged => ("challenged", None),
			HeadStatus::Final => ("final", None),
			HeadStatus::Closed => ("closed", None),
		};
		let mode = match &location.mode {
			ModeId::Native(id) => id.to_string(),
			ModeId::Contract { address, module } => {
				format!("{}::{}", hex(address), String::from_utf8_lossy(module))
			},
		};
		Self::Remote {
			mode,
			epoch: location.epoch,
			era: location.era,
			seq: location.seq,
			status: status.into(),
			pending_until,
		}
	}
}

impl From<&Location> for LocationJson {
	fn from(location: &Location) -> Self {
		match location {
			Location::WithParent => Self::WithParent,
			Location::Remote(remote) => remote.into(),
		}
	}
}
