use super::mock::*;
use crate::{keyspace, Objects, Remotes};
use codec::Encode;
use dstp_primitives::{hub::RemoteObjects, ObjectId};
use frame_support::assert_ok;

#[test]
fn keyspace_is_pinned() {
	let hex = |bytes: [u8; 32]| bytes.iter().map(|byte| format!("{byte:02x}")).collect::<String>();
	assert_eq!(
		hex(keyspace(&ObjectId::ROOT, 0)),
		"cff5b303c4235e295f05f858d7d1d121d966f5a2227467746791c2ad12ca8ddd"
	);
	assert_eq!(
		hex(keyspace(&ObjectId([0xab; 32]), 0x0102_0304_0506_0708)),
		"d2352e8d1796d1b6c73cefee828815db195ae24f46a74b107bb974853e3d3cd5"
	);
}

/// A value whose first byte is one that a trie node can start with could be made to look like one: tries are cached by hash.
#[test]
fn values_of_the_pallet_do_not_look_like_trie_nodes() {
	ExtBuilder::default().build_and_execute(|| {
		assert_ok!(create(&ALICE, "/a"));
		assert_ok!(create(&ALICE, "/a/b"));
		assert_ok!(ObjectTree::remove_recursive(signed(&ALICE), id("/a/b")));
		assert_ok!(ObjectTree::create_remote(&ALICE, &id("/a"), &key("r"), root(1), location(0)));
		let first = |value: Vec<u8>| value[0];
		assert!(Objects::<Test>::iter_values().all(|info| first(info.encode()) <= 1));
		assert!(Remotes::<Test>::iter_values().all(|info| first(info.encode()) <= 1));
		assert!(crate::Removals::<Test>::iter_values().all(|removal| first(removal.encode()) <= 1));
		// In the tries themselves every value has a tag.
		for (object, info) in Objects::<Test>::iter() {
			let trie = keyspace(&object, info.counter);
			let mut at = vec![];
			while let Some(next) = sp_io::default_child_storage::next_key(&trie, &at) {
				let value = sp_io::default_child_storage::get(&trie, &next).unwrap();
				assert!(dstp_primitives::trie::is_value(&value));
				at = next;
			}
		}
	});
}

#[test]
fn child_trie_root_is_the_one_in_the_parents_entry() {
	ExtBuilder::default().build_and_execute(|| {
		assert_ok!(create(&ALICE, "/a"));
		assert_ok!(set(&ALICE, "/a", &[("long", &[5; 200]), ("short", b"v")]));
		next_block();
		let trie = ObjectTree::api_child_trie(id("/a")).unwrap();
		let root = sp_io::default_child_storage::root(&trie, sp_runtime::StateVersion::V1);
		assert_eq!(root, ObjectTree::api_object(id("/a")).unwrap().state_root.as_bytes());
	});
}
