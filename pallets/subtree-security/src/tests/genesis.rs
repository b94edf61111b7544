use super::*;
use crate::{GenesisSubtree, NextEpoch};
use sp_core::Bytes;

fn geo(path: &str) -> GenesisSubtree {
	GenesisSubtree {
		path: path.into(),
		owner: alice(),
		mode: Poa::ID,
		params: Bytes(params(0, None).into_inner()),
	}
}

#[test]
fn genesis_subtrees_are_registered_and_take_heads() {
	new_test_ext(vec![geo("/geo"), geo("/de%2Fep")]).execute_with(|| {
		let subtree = ObjectId::ROOT.child(&key("geo"));
		assert!(SubtreeSecurity::subtree_view(ObjectId::ROOT.child(&key("de/ep"))).is_some());
		assert_eq!(NextEpoch::<Test>::get(), 3);
		commit(subtree, 1);
		SubtreeSecurity::do_try_state().unwrap();
	});
}

#[test]
fn genesis_config_reads_json() {
	let json = serde_json::json!({
		"path": "/geo",
		"owner": serde_json::to_value(alice()).unwrap(),
		"mode": 1,
		"params": format!("0x{}", hex::encode(params(0, None))),
	});
	assert_eq!(serde_json::from_value::<GenesisSubtree>(json).unwrap(), geo("/geo"));
}

#[test]
#[should_panic(expected = "the genesis subtree / was refused")]
fn genesis_refuses_the_root() {
	new_test_ext(vec![geo("/")]);
}

#[test]
#[should_panic(expected = "the genesis subtree /geo was refused")]
fn genesis_refuses_unknown_modes() {
	new_test_ext(vec![GenesisSubtree { mode: 99, ..geo("/geo") }]);
}
