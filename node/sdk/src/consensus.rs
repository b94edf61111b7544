//! Who makes blocks and who makes them final.
//!
//! [`Consensus::AuraGrandpa`] is for networks. The kinds of [`Sealing`] are for development on one
//! node: blocks have no seal, are final at once, and no other node accepts them.

mod aura_grandpa;
mod dev_seal;

use crate::{
	error::Error,
	extension::Extension,
	runtime::{BlockOf, NodeRuntime},
	service::Parts,
};
use sc_consensus::DefaultImportQueue;
use sc_service::{Configuration, WarpSyncConfig};
use std::{str::FromStr, time::Duration};

/// How blocks are made and finalised.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Consensus {
	/// Validators take turns (Aura) and vote (GRANDPA).
	#[default]
	AuraGrandpa,
	/// One development node makes blocks without consensus.
	DevSeal(Sealing),
}

/// When a development node makes a block.
///
/// In every kind `engine_createBlock` and `engine_finalizeBlock` can be called in addition.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sealing {
	/// At once for each transaction; several that wait share a block. No empty blocks.
	Instant,
	/// At fixed intervals, also without transactions.
	Interval(Duration),
	/// When `engine_createBlock` is called.
	Manual,
}

impl FromStr for Sealing {
	type Err = String;

	/// Reads `instant`, `manual` or `interval=<ms>`.
	fn from_str(text: &str) -> Result<Self, Self::Err> {
		let unknown = || {
			format!(
                "'{text}' is no way to make blocks. Use instant, manual or interval=<milliseconds>, \
                 for example interval=1000"
            )
		};
		match text {
			"instant" => Ok(Self::Instant),
			"manual" => Ok(Self::Manual),
			_ => {
				let ms = text.strip_prefix("interval=").ok_or_else(unknown)?;
				let ms: u64 = ms.parse().map_err(|_| unknown())?;
				if ms == 0 {
					return Err("an interval of 0 ms never rests. Use at least interval=1".into());
				}
				Ok(Self::Interval(Duration::from_millis(ms)))
			},
		}
	}
}

/// What the chosen consensus puts into the node.
pub(crate) struct Engine<R: NodeRuntime> {
	/// Checks and imports foreign blocks.
	pub(crate) import_queue: DefaultImportQueue<BlockOf<R>>,
	/// Lets new nodes skip old blocks, if the consensus can prove finality.
	pub(crate) warp_sync: Option<WarpSyncConfig<BlockOf<R>>>,
	/// Authoring, finality and their RPC methods.
	pub(crate) extensions: Vec<Box<dyn Extension<R>>>,
}

impl Consensus {
	/// Prepares the parts of this consensus for a node.
	pub(crate) fn engine<R: NodeRuntime>(
		self,
		config: &Configuration,
		parts: &Parts<R>,
	) -> Result<Engine<R>, Error> {
		match self {
			Self::AuraGrandpa => aura_grandpa::engine(config, parts),
			Self::DevSeal(sealing) => dev_seal::engine(sealing, config, parts),
		}
	}
}

#[cfg(test)]
mod tests {
	use super::*;

	#[test]
	fn sealing_is_parsed() {
		assert_eq!("instant".parse(), Ok(Sealing::Instant));
		assert_eq!("manual".parse(), Ok(Sealing::Manual));
		assert_eq!("interval=250".parse(), Ok(Sealing::Interval(Duration::from_millis(250))));
	}

	#[test]
	fn unknown_sealing_names_the_choices() {
		for text in ["", "foo", "interval", "interval=", "interval=x", "interval=-1", "INSTANT"] {
			let error = text.parse::<Sealing>().expect_err("no way to seal");
			assert!(error.contains("instant, manual or interval="), "{error}");
		}
		let error = "interval=0".parse::<Sealing>().expect_err("no rest");
		assert!(error.contains("at least interval=1"), "{error}");
	}
}
