use super::mock::*;
use crate::{Error, Event};
use dstp_primitives::{
	object::{Value, MAX_VALUE_BYTES},
	tree::PageRequest,
};
use frame_support::{assert_noop, assert_ok};

fn field(path: &str, name: &str) -> Option<Vec<u8>> {
	let page = PageRequest { limit: 1000, ..Default::default() };
	let page = ObjectTree::api_fields(id(path), page).unwrap();
	page.entries.into_iter().find(|(found, _)| *found == key(name)).map(|(_, value)| value.to_vec())
}

#[test]
fn a_byte_weighs_as_much_in_a_batch_as_alone() {
	let value = |bytes: u32| Value::try_from(vec![7; bytes as usize]).unwrap();
	let weight = |count: u32, bytes: u32| {
		let fields: Vec<_> =
			(0..count).map(|number| (key(&number.to_string()), value(bytes))).collect();
		ObjectTree::set_weight(&fields, 0)
	};
	let alone = weight(1, MAX_VALUE_BYTES) - weight(1, 0);
	let many = weight(64, MAX_VALUE_BYTES) - weight(64, 0);
	assert!(many.all_gte(alone * 64), "{many:?} for 64 values, {alone:?} for one");
}

#[test]
fn fields_are_set_and_removed_with_their_deposit() {
	ExtBuilder::default().build_and_execute(|| {
		assert_ok!(create(&ALICE, "/a"));
		System::reset_events();
		assert_ok!(set(&ALICE, "/a", &[("one", b"1"), ("two", b"22")]));
		assert_eq!(events(), vec![Event::FieldsSet { object: id("/a"), fields: 2 }]);
		assert_eq!(field("/a", "two"), Some(b"22".to_vec()));
		assert_eq!(held(&ALICE), price(&[(3, 1), (3, 2)]));
		assert_ok!(set(&ALICE, "/a", &[("two", b"")]));
		assert_eq!(held(&ALICE), price(&[(3, 1), (3, 0)]));
		System::reset_events();
		assert_ok!(unset(&ALICE, "/a", &["one", "never"]));
		assert_eq!(events(), vec![Event::FieldsRemoved { object: id("/a"), fields: 2 }]);
		assert_eq!(held(&ALICE), price(&[(3, 0)]));
		assert_eq!(field("/a", "one"), None);
		assert_ok!(remove(&ALICE, "/a"));
		assert_eq!(held(&ALICE), 0);
	});
}

#[test]
fn bad_batches_are_refused() {
	ExtBuilder::default().build_and_execute(|| {
		assert_ok!(create(&ALICE, "/a"));
		assert_noop!(set(&ALICE, "/a", &[]), Error::<Test>::EmptyBatch);
		assert_noop!(unset(&ALICE, "/a", &[]), Error::<Test>::EmptyBatch);
		assert_noop!(set(&ALICE, "/a", &[("k", b"1"), ("k", b"2")]), Error::<Test>::DuplicateKey);
		assert_noop!(unset(&ALICE, "/a", &["k", "k"]), Error::<Test>::DuplicateKey);
		assert_noop!(set(&ALICE, "/none", &[("k", b"1")]), Error::<Test>::ObjectNotFound);
		assert_noop!(unset(&ALICE, "/none", &["k"]), Error::<Test>::ObjectNotFound);
		assert_noop!(set(&BOB, "/a", &[("k", b"1")]), Error::<Test>::NotOwner);
		assert_noop!(unset(&BOB, "/a", &["k"]), Error::<Test>::NotOwner);
		assert_noop!(set(&BOB, "/", &[("k", b"1")]), Error::<Test>::SharedReadOnly);
	});
}

#[test]
fn largest_batch_and_value_fit() {
	ExtBuilder::default().build_and_execute(|| {
		assert_ok!(create(&ALICE, "/a"));
		let large = value(&vec![7; MAX_VALUE_BYTES as usize]);
		let fields: Vec<_> =
			(0..256u32).map(|n| (key(&format!("{n:03}")), large.clone())).collect();
		assert_ok!(ObjectTree::set_fields(signed(&ALICE), id("/a"), fields.try_into().unwrap(), 1));
		assert_eq!(held(&ALICE), price(&[(3, MAX_VALUE_BYTES as usize); 256]));
	});
}

#[test]
fn writing_the_same_value_changes_no_root() {
	ExtBuilder::default().build_and_execute(|| {
		assert_ok!(create(&ALICE, "/a"));
		assert_ok!(set(&ALICE, "/a", &[("k", b"v")]));
		next_block();
		let before = ObjectTree::api_object(id("/a")).unwrap();
		assert_ok!(set(&ALICE, "/a", &[("k", b"v")]));
		assert_eq!(crate::Dirty::<Test>::count(), 0);
		next_block();
		assert_eq!(ObjectTree::api_object(id("/a")).unwrap(), before);
	});
}

#[test]
fn cursor_on_a_deleted_key_goes_on_after_it() {
	ExtBuilder::default().build_and_execute(|| {
		assert_ok!(create(&ALICE, "/a"));
		assert_ok!(set(&ALICE, "/a", &[("a", b"1"), ("b", b"2"), ("c", b"3"), ("d", b"4")]));
		let page = |cursor| {
			let request = PageRequest { limit: 2, cursor, ..Default::default() };
			let page = ObjectTree::api_fields(id("/a"), request).unwrap();
			(page.entries.into_iter().map(|(key, _)| key).collect::<Vec<_>>(), page.next)
		};
		let (first, cursor) = page(None);
		assert_eq!(first, vec![key("a"), key("b")]);
		assert_ok!(unset(&ALICE, "/a", &["b"]));
		// An entry that appears behind the cursor does not shift the next page.
		assert_ok!(set(&ALICE, "/a", &[("aa", b"5")]));
		assert_eq!(page(cursor), (vec![key("c"), key("d")], None));
	});
}
