//! The flags of nodes that hold remote subtrees.

use super::{SubtreeName, Subtrees};

/// Flags of [`Subtrees`], for a node program's command line.
#[derive(clap::Args, Clone, Debug, Default)]
pub struct SubtreeArgs {
	/// Serve this remote subtree: its path from the root, such as /geo, or its id. May be given several times.
	///
	/// Heads are signed with the keys of type `dsub` in the keystore. Their accounts pay for the commits and get the
	/// fees back.
	#[arg(long, value_name = "PATH|ID")]
	pub serve: Vec<SubtreeName>,
}

impl From<SubtreeArgs> for Subtrees {
	fn from(args: SubtreeArgs) -> Self {
		Self::serving(args.serve)
	}
}
