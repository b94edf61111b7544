use super::mock::*;
use crate::{GenesisField, GenesisObject, GenesisOwner, GlobalRoot, Objects};
use dstp_primitives::{object::Owner, tree::PageRequest, ObjectId};
use frame_support::assert_ok;
use sp_core::Bytes;

fn object(path: &str, owner: GenesisOwner) -> GenesisObject {
	GenesisObject { path: path.into(), owner, ..Default::default() }
}

#[test]
fn root_is_shared_and_account_belongs_to_the_system() {
	ExtBuilder::default().build_and_execute(|| {
		let view = ObjectTree::api_object(ObjectId::ROOT).unwrap();
		assert_eq!(view.meta.unwrap().owner, Owner::Shared);
		assert_ne!(view.state_root, Default::default());
		assert_eq!(view.state_root, GlobalRoot::<Test>::get());
		assert_eq!(
			ObjectTree::api_object(id("/account")).unwrap().meta.unwrap().owner,
			Owner::System
		);
	});
}

#[test]
fn objects_of_genesis_are_there_with_owners_and_fields() {
	let mut geo = object("/geo", GenesisOwner::Account(ALICE));
	geo.object_type = Some("map".into());
	geo.fields = vec![GenesisField { key: "a%2Fb".into(), value: Bytes(vec![1, 2]) }];
	let objects = vec![
		geo,
		object("/geo/DE", GenesisOwner::Frozen),
		object("/market", GenesisOwner::Shared),
		object("/market/x", GenesisOwner::System),
	];
	ExtBuilder::default().objects(objects).build_and_execute(|| {
		let page = PageRequest { limit: 10, ..Default::default() };
		let fields = ObjectTree::api_fields(id("/geo"), page).unwrap().entries;
		assert_eq!(fields, vec![(key("a/b"), value(&[1, 2]))]);
		let owner = |path| ObjectTree::api_object(id(path)).unwrap().meta.unwrap().owner;
		assert_eq!(owner("/geo"), Owner::Account(ALICE));
		assert_eq!(owner("/geo/DE"), Owner::Frozen);
		assert_eq!(owner("/market"), Owner::Shared);
		assert_eq!(owner("/market/x"), Owner::System);
		// Genesis pays nothing; whoever changes an object afterwards does.
		assert_eq!(Objects::<Test>::get(id("/geo")).unwrap().deposit, None);
		assert_ok!(set(&ALICE, "/geo", &[("k", b"v")]));
		assert_eq!(held(&ALICE), price(&[(3, 2), (1, 1)]));
	});
}

#[test]
fn genesis_in_json_has_the_documented_shape() {
	let text = r#"{ "path": "/geo", "owner": { "account": "5C62W7ELLAAfix9LYrcx5smtcffbhvThkM5x7xfMeYXCtGwF" },
		"objectType": "map", "fields": [ { "key": "k", "value": "0x0102" } ] }"#;
	let object: GenesisObject = serde_json::from_str(text).unwrap();
	assert_eq!(object.fields[0].value.0, vec![1, 2]);
	assert!(matches!(object.owner, GenesisOwner::Account(_)));
	let text = r#"{ "path": "/geo", "owner": "shared" }"#;
	let object: GenesisObject = serde_json::from_str(text).unwrap();
	assert_eq!(object.owner, GenesisOwner::Shared);
}

#[test]
#[should_panic(expected = "genesis object /a/b: there is no such object here")]
fn object_before_its_parent_is_refused() {
	ExtBuilder::default().objects(vec![object("/a/b", GenesisOwner::System)]).build();
}
