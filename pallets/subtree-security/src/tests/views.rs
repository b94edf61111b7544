use super::*;
use dstp_primitives::{
	call::{Call, CallPayload, CallRefusal, SignedCall},
	Path,
};
use frame_support::traits::Hooks;

#[test]
fn pages_cover_all_subtrees_and_survive_removal_of_the_cursor() {
	execute(|| {
		let mut all: Vec<_> =
			(0..7).map(|number| register(&format!("s{number}"), params(0, None))).collect();
		all.sort();
		let read_all = |limit| {
			let (mut found, mut cursor) = (Vec::new(), None);
			loop {
				let page = SubtreeSecurity::subtree_page(cursor, limit);
				assert!(page.entries.len() <= limit as usize);
				found.extend(page.entries.iter().map(|view| view.subtree));
				cursor = page.next;
				if cursor.is_none() {
					found.sort();
					return found;
				}
			}
		};
		for limit in [1, 2, 3, 7, 8] {
			assert_eq!(read_all(limit), all);
		}
		let page = SubtreeSecurity::subtree_page(None, 3);
		let rest = SubtreeSecurity::subtree_page(page.next, 100);
		let cursor = page.next.unwrap();
		close(cursor).unwrap();
		remove(cursor).unwrap();
		assert_eq!(SubtreeSecurity::subtree_page(page.next, 100), rest);
		assert_eq!(SubtreeSecurity::subtree_page(None, 0).entries.len(), 1);
	});
}

#[test]
fn mode_view_names_the_mode() {
	execute(|| {
		let subtree = register("geo", params(2, Some(9)));
		let view = SubtreeSecurity::mode_view(subtree).unwrap();
		assert_eq!((view.mode, &view.name[..]), (poa(), &b"poa"[..]));
		assert_eq!(view.params, params(2, Some(9)).into_inner());
		let (params, state) = SubtreeSecurity::poa(subtree).unwrap();
		assert_eq!(params.max_silence_blocks, Some(9));
		assert_eq!(view.state, state.encode());
		assert!(SubtreeSecurity::mode_view(ObjectId([1; 32])).is_none());
	});
}

#[test]
fn call_is_checked_against_the_registration() {
	execute(|| {
		let subtree = register("geo", params(0, None));
		let payload = CallPayload {
			genesis: System::block_hash(0),
			subtree,
			epoch: 1,
			signer: account(0),
			nonce: 0,
			valid_until: 10,
			call: Call::Remove { object: Path::default() },
		};
		let sign = |payload: CallPayload| {
			let signature = sign(0, &payload.signing_bytes());
			SubtreeSecurity::check_call(&SignedCall { payload, signature })
		};
		assert_eq!(sign(payload.clone()), Ok(payload.id()));
		let nowhere = CallPayload { subtree: ObjectId([1; 32]), ..payload.clone() };
		assert_eq!(sign(nowhere), Err(CallRefusal::WrongSubtree));
		let old = CallPayload { epoch: 0, ..payload.clone() };
		assert_eq!(sign(old), Err(CallRefusal::WrongEpoch));
		let stranger = CallPayload { signer: account(1), ..payload.clone() };
		assert_eq!(sign(stranger), Err(CallRefusal::BadSignature));
		System::set_block_number(11);
		assert_eq!(sign(payload), Err(CallRefusal::Expired));
	});
}

#[test]
fn runtime_passes_its_own_checks() {
	execute(SubtreeSecurity::integrity_test);
}

#[test]
#[should_panic(expected = "two security modes of this runtime have the same id")]
fn runtime_with_two_modes_of_one_id_is_refused() {
	execute(|| {
		Twice::set(true);
		SubtreeSecurity::integrity_test();
	});
}

#[test]
fn records_start_with_a_byte_that_no_trie_node_has() {
	execute(|| {
		let subtree = register("geo", params(0, None));
		let bytes =
			frame_support::storage::unhashed::get_raw(&Subtrees::<Test>::hashed_key_for(subtree));
		assert_eq!(bytes.unwrap()[0], 0x02);
	});
}
