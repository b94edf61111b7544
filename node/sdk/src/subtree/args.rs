//! The flags of nodes that hold remote subtrees.

use super::{SubtreeName, Subtrees};

/// Flags of [`Subtrees`], for a node program's command line.
#[derive(clap::Args, Clone, Debug, Default)]
pub struct SubtreeArgs {
	/// Serve this remote subtree: its path from the root, such as /geo, or its id. May be given several times.
	///
	/// Heads are signed with the keys of type `dsub` in the keystore. Their accounts pay for the commits; one in a few blocks
	/// is free for each subtree.
	#[arg(long, value_name = "PATH|ID")]
	pub serve: Vec<SubtreeName>,

	/// Follow this remote subtree: keep a copy of what the hub finalised, from nodes that serve it. By path or id, several times.
	#[arg(long, value_name = "PATH|ID")]
	pub follow: Vec<SubtreeName>,
}

impl From<SubtreeArgs> for Subtrees {
	fn from(args: SubtreeArgs) -> Self {
		Self::new(args.serve, args.follow)
	}
}
