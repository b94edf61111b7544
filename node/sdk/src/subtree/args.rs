//! The flags of nodes that hold remote subtrees.

use super::{SubtreeName, Subtrees};
use dstp_state_network::sync::KEPT_HEADS;
use dstp_subtree::Retention;
use std::str::FromStr;

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

	/// Keep this many heads of each subtree readable, up to the newest final one, or 'all' of them. At least 256: others fetch as
	/// many batches before they copy a whole state.
	///
	/// What is not final on the hub is kept in any case. More than before counts from now on; what was pruned does not come back.
	#[arg(long, value_name = "N|all", default_value_t)]
	pub keep_heads: KeepHeads,
}

impl From<SubtreeArgs> for Subtrees {
	fn from(args: SubtreeArgs) -> Self {
		Self::new(args.serve, args.follow).keep_heads(args.keep_heads)
	}
}

/// How many heads of each subtree stay readable: as text a number of at least 256, or `all`. By default 256.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct KeepHeads(pub(super) Retention);

impl Default for KeepHeads {
	fn default() -> Self {
		Self(Retention::Last(KEPT_HEADS))
	}
}

impl std::fmt::Display for KeepHeads {
	fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
		match self.0 {
			Retention::All => f.write_str("all"),
			Retention::Last(count) => write!(f, "{count}"),
		}
	}
}

impl FromStr for KeepHeads {
	type Err = String;

	fn from_str(text: &str) -> Result<Self, String> {
		if text == "all" {
			return Ok(Self(Retention::All));
		}
		match text.parse() {
			Ok(count) if count >= KEPT_HEADS => Ok(Self(Retention::Last(count))),
			Ok(_) => Err(format!(
				"nodes that follow count on the last {KEPT_HEADS} heads; keep at least as many"
			)),
			Err(_) => Err(format!("give a number of heads, at least {KEPT_HEADS}, or 'all'")),
		}
	}
}

#[cfg(test)]
mod tests {
	use super::*;

	#[test]
	fn the_flag_reaches_the_extension() {
		#[derive(clap::Parser)]
		struct Program {
			#[command(flatten)]
			args: SubtreeArgs,
		}
		for (flags, expected) in
			[(vec![], Retention::Last(KEPT_HEADS)), (vec!["--keep-heads", "all"], Retention::All)]
		{
			let line = ["node", "--serve", "/x"].into_iter().chain(flags);
			let program = <Program as clap::Parser>::parse_from(line);
			assert_eq!(Subtrees::from(program.args).keep_heads, KeepHeads(expected));
		}
	}

	#[test]
	fn heads_to_keep_are_a_number_that_followers_can_count_on_or_all() {
		assert_eq!("all".parse(), Ok(KeepHeads(Retention::All)));
		assert_eq!("256".parse(), Ok(KeepHeads::default()));
		assert_eq!("100000".parse(), Ok(KeepHeads(Retention::Last(100_000))));
		for (text, remedy) in
			[("255", "at least as many"), ("0", "at least"), ("-1", "or 'all'"), ("", "'all'")]
		{
			let error = text.parse::<KeepHeads>().expect_err("followers need more");
			assert!(error.contains(remedy), "{error}");
		}
		for text in ["all", "256", "1000"] {
			assert_eq!(text.parse::<KeepHeads>().map(|keep| keep.to_string()), Ok(text.into()));
		}
	}
}
