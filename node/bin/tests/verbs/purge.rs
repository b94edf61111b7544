//! `purge-chain`, which removes the subtrees with the chain.

use crate::{
	harness::{run_to_end, Node},
	subtree::{insert_authority, register, until_served},
};
use std::path::{Path, PathBuf};

/// The folders that a node of the chain `dev` makes.
fn folders(base: &Path) -> (PathBuf, PathBuf) {
	let chain = base.join("chains").join("dev");
	assert!(chain.exists(), "{}", chain.display());
	(chain.join("paritydb"), chain.join("subtrees"))
}

async fn serve(base: &str) {
	let node = Node::start(&["--dev", "--seal=interval=500", "--serve=/x", "-d", base]).await;
	insert_authority(&node).await;
	register(&node).await;
	until_served(&node).await;
	let refused = run_to_end(&["purge-chain", "--dev", "-d", base, "-y"]);
	assert_eq!(refused.status.code(), Some(1), "{}", refused.stdout);
	assert!(refused.stderr.contains("stop the node first"), "{}", refused.stderr);
	node.interrupt().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn purge_chain_asks_and_removes_the_subtrees_too() {
	let folder = tempfile::tempdir().unwrap();
	let base = folder.path().to_str().unwrap();
	serve(base).await;
	let (chain, subtrees) = folders(folder.path());
	let purge = |flags: &[&str]| {
		let output = run_to_end(&[&["purge-chain", "--dev", "-d", base], flags].concat());
		assert!(output.status.success(), "{}", output.stderr);
		output.stdout
	};
	assert!(chain.exists() && subtrees.exists());

	let asked = purge(&[]);
	assert!(asked.contains(subtrees.to_str().unwrap()) && asked.contains("Aborted"), "{asked}");
	assert!(asked.contains("nowhere else"), "says what may be lost: {asked}");
	assert!(chain.exists() && subtrees.exists(), "nobody said yes");

	purge(&["-y", "--keep-subtrees"]);
	assert!(!chain.exists() && subtrees.exists());

	let removed = purge(&["-y"]);
	assert!(removed.contains(subtrees.to_str().unwrap()), "{removed}");
	assert!(!subtrees.exists());
	serve(base).await;
}
