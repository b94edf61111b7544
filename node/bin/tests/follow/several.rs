//! Several subtrees in one node, by path and by id, some served and some followed.

use crate::{
	harness::Node,
	hostile::net::until_some,
	subtree::{
		after_blocks, create, insert_key, key, register_below_root, signed_for, status_of, submit,
	},
};
use dstp_primitives::ObjectId;
use sp_keyring::Sr25519Keyring::{self, Alice, Bob, Charlie};

/// A subtree below the root beside `/x`, with its authority, and Alice's nonce when she registers it.
struct Subtree {
	name: &'static str,
	authority: Sr25519Keyring,
	nonce: u32,
}

/// Served where `/x` is served, and followed where it is followed.
const BESIDE: Subtree = Subtree { name: "y", authority: Bob, nonce: 1 };

/// Served where `/x` is followed, and followed where it is served.
const ACROSS: Subtree = Subtree { name: "z", authority: Charlie, nonce: 2 };

impl Subtree {
	fn id(&self) -> ObjectId {
		ObjectId::ROOT.child(&key(self.name))
	}

	/// A call at the node that serves it arrives at the one that follows it.
	async fn check(&self, genesis: &str, serving: &Node, following: &Node) {
		let epoch = after_blocks(serving, async |_| {
			let status = status_of(serving, self.id()).await.ok()?;
			(status.role == "serve").then_some(status.epoch)
		})
		.await;
		let call = signed_for(self.id(), genesis, epoch, Alice, 0, create(self.name));
		let receipt = submit(serving, call).await.unwrap();
		assert_eq!(receipt.status, "applied");
		let followed = until_some(async || {
			let status = status_of(following, self.id()).await.ok()?;
			(status.role == "follow" && status.local_root == receipt.post_root).then_some(())
		});
		followed.await.unwrap_or_else(|| panic!("{} is followed in time", self.name));
	}
}

/// Flags of the node that serves `/x`.
pub fn serving_flags() -> [String; 2] {
	[format!("--serve={}", BESIDE.id()), format!("--follow=/{}", ACROSS.name)]
}

/// Flags of the node that follows `/x`.
pub fn following_flags() -> [String; 2] {
	[format!("--follow={}", BESIDE.id()), format!("--serve=/{}", ACROSS.name)]
}

/// Registers them. `/x` is registered, and its authority's key is in the node that serves it.
pub async fn register(follows_x: &Node) {
	insert_key(follows_x, ACROSS.authority).await;
	for subtree in [&BESIDE, &ACROSS] {
		register_below_root(follows_x, subtree.nonce, subtree.name, subtree.authority).await;
	}
}

/// Each has calls of its own, on the node that serves it and on the other.
pub async fn check(genesis: &str, serves_x: &Node, follows_x: &Node) {
	BESIDE.check(genesis, serves_x, follows_x).await;
	ACROSS.check(genesis, follows_x, serves_x).await;
}
