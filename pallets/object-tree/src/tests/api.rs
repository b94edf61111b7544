use super::mock::*;
use dstp_primitives::{
	api::{Presence, QueryError, Resolved},
	hub::RemoteObjects,
	id::Path,
	object::Location,
	tree::PageRequest,
	ObjectId, TreeError,
};
use frame_support::assert_ok;

fn presence(path: &str) -> Presence {
	let Resolved { object, presence } = ObjectTree::api_resolve(path.parse::<Path>().unwrap());
	assert_eq!(object, id(path));
	presence
}

#[test]
fn paths_resolve_to_what_stands_there() {
	ExtBuilder::default().build_and_execute(|| {
		assert_ok!(create(&ALICE, "/a"));
		assert_ok!(create(&ALICE, "/a/b"));
		assert_ok!(ObjectTree::create_remote(&ALICE, &id("/a"), &key("r"), root(1), location(0)));
		assert_eq!(presence("/"), Presence::Hosted);
		assert_eq!(presence("/a/b"), Presence::Hosted);
		assert_eq!(presence("/a/c"), Presence::Absent);
		assert_eq!(presence("/x/y/z"), Presence::Absent);
		assert_eq!(presence("/a/r"), Presence::Remote(location(0)));
		let inside = Presence::InsideRemote { subtree: id("/a/r"), location: location(0) };
		assert_eq!(presence("/a/r/x/y"), inside);
	});
}

#[test]
fn object_view_names_its_place() {
	ExtBuilder::default().build_and_execute(|| {
		assert_ok!(create(&ALICE, "/a"));
		let view = ObjectTree::api_object(id("/a")).unwrap();
		assert_eq!((view.parent, view.key), (Some(ObjectId::ROOT), Some(key("a"))));
		assert_eq!(view.location, Location::WithParent);
		assert_eq!(ObjectTree::api_object(id("/none")), None);
		assert_eq!(ObjectTree::api_child_trie(id("/none")), None);
		assert_eq!(ObjectTree::api_child_trie(id("/a")).unwrap().len(), 32);
	});
}

#[test]
fn children_come_in_pages() {
	ExtBuilder::default().build_and_execute(|| {
		assert_ok!(create(&ALICE, "/a"));
		for name in ["x1", "x2", "y"] {
			assert_ok!(create(&ALICE, &format!("/a/{name}")));
		}
		let request =
			|prefix: &[u8], limit| PageRequest { prefix: prefix.to_vec(), cursor: None, limit };
		let page = ObjectTree::api_children(id("/a"), request(b"x", 1)).unwrap();
		assert_eq!((page.entries.len(), page.next), (1, Some(key("x1"))));
		let page = ObjectTree::api_children(id("/a"), request(b"x", 10)).unwrap();
		assert_eq!((page.entries.len(), page.next), (2, None));
		let refused = |error| Err(QueryError::Refused(error));
		assert_eq!(
			ObjectTree::api_children(id("/a"), request(b"", 0)),
			refused(TreeError::BadPage)
		);
		assert_eq!(
			ObjectTree::api_children(id("/none"), request(b"", 1)),
			refused(TreeError::ObjectNotFound)
		);
		assert_eq!(
			ObjectTree::api_children(ObjectId::ROOT, request(b"x", 1)),
			refused(TreeError::PrefixOnHashedKeys)
		);
	});
}
