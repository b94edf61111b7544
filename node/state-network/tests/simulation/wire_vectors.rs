//! The bytes on the wire, pinned, and decoders under damaged input.

use crate::{
	geo,
	world::{key, path, EPOCH, SUBTREE},
	LOADED,
};
use dstp_primitives::{proof::Query, ObjectId};
use dstp_state_network::{
	server::{answer, busy},
	wire::{
		CtlRequest, CtlResponse, HeadAnnouncement, Protocol, Served, SyncRequest, SyncResponse,
		TrieCursor, Wire, WireError, XferRequest, XferResponse,
	},
};
use proptest::prelude::*;
use sp_core::H256;

pub fn samples() -> Vec<(&'static str, Vec<u8>)> {
	let subtree = ObjectId([0xaa; 32]);
	let served = Served { subtree, epoch: 1, seq: 2 };
	let after = Some(vec![0, 0x61].try_into().unwrap());
	let cursor = TrieCursor { object: ObjectId([0xbb; 32]), root: H256::repeat_byte(0xcc), after };
	let query = Query {
		path: path("/a"),
		fields: vec![key("f")].try_into().unwrap(),
		..Default::default()
	};
	vec![
		("status", CtlRequest::Status { subtrees: vec![subtree].try_into().unwrap() }.to_bytes()),
		("heads", CtlRequest::Heads { subtree, epoch: 1, last: 9, count: 3 }.to_bytes()),
		("not served", CtlResponse::NotServed.to_bytes()),
		("serving", CtlResponse::Status(vec![served.clone()].try_into().unwrap()).to_bytes()),
		(
			"ranges",
			SyncRequest::Ranges {
				subtree,
				epoch: 1,
				seq: 2,
				max_bytes: 4096,
				tries: vec![cursor].try_into().unwrap(),
			}
			.to_bytes(),
		),
		("batch", SyncRequest::Batch { subtree, epoch: 1, seq: 2 }.to_bytes()),
		(
			"range",
			SyncResponse::Ranges(vec![dstp_primitives::proof::RangeProof {
				nodes: vec![vec![1, 2]],
			}])
			.to_bytes(),
		),
		("proof", XferRequest::Proof { subtree, epoch: 1, seq: 2, query }.to_bytes()),
		("announcement", HeadAnnouncement { served, hash: H256::repeat_byte(0xdd) }.to_bytes()),
		("busy on ctl", busy(Protocol::Ctl)),
		("busy on xfer", busy(Protocol::Xfer)),
		("busy on sync", busy(Protocol::Sync)),
	]
}

#[test]
fn messages_have_fixed_bytes() {
	let text: String = samples()
		.into_iter()
		.map(|(name, bytes)| format!("{name} {}\n", hex::encode(bytes)))
		.collect();
	assert_eq!(
		text,
		include_str!("../vectors.txt"),
		"a change of these bytes needs a new wire version"
	);
}

#[test]
fn protocol_names_are_fixed() {
	let suffixes = Protocol::ALL.map(Protocol::suffix);
	assert_eq!(suffixes, ["dstp/ctl/1", "dstp/xfer/1", "dstp/sync/1"]);
}

#[test]
fn other_versions_and_trailing_bytes_are_refused() {
	let mut bytes = CtlResponse::NotServed.to_bytes();
	assert_eq!(CtlResponse::from_bytes(&bytes), Ok(CtlResponse::NotServed));
	bytes.push(0);
	assert_eq!(CtlResponse::from_bytes(&bytes), Err(WireError::Malformed));
	bytes[0] = 2;
	assert_eq!(CtlResponse::from_bytes(&bytes), Err(WireError::Version));
	assert_eq!(CtlResponse::from_bytes(&[]), Err(WireError::Malformed));
	let long = vec![1; Protocol::Ctl.max_response_bytes() + 1];
	assert!(matches!(CtlResponse::from_bytes(&long), Err(WireError::TooLong { .. })));
}

fn decode_all(bytes: &[u8]) {
	let _ = CtlRequest::from_bytes(bytes);
	let _ = CtlResponse::from_bytes(bytes);
	let _ = SyncRequest::from_bytes(bytes);
	let _ = SyncResponse::from_bytes(bytes);
	let _ = XferRequest::from_bytes(bytes);
	let _ = XferResponse::from_bytes(bytes);
	let _ = HeadAnnouncement::from_bytes(bytes);
}

proptest! {
	#[test]
	fn no_bytes_make_a_decoder_panic(mut bytes in proptest::collection::vec(any::<u8>(), 0..400)) {
		if let Some(first) = bytes.first_mut() {
			*first = 1;
		}
		decode_all(&bytes);
	}

	#[test]
	fn no_damaged_message_makes_a_decoder_or_server_panic(
		which in 0usize..12,
		at in any::<prop::sample::Index>(),
		with in any::<u8>(),
		cut in any::<prop::sample::Index>(),
	) {
		let mut bytes = samples().swap_remove(which).1;
		let index = at.index(bytes.len());
		bytes[index] = with;
		for bytes in [&bytes[..], &bytes[..cut.index(bytes.len())]] {
			decode_all(bytes);
			for protocol in Protocol::ALL {
				let _ = answer(&geo().copy(0, LOADED), protocol, bytes);
			}
		}
	}

	#[test]
	fn no_request_makes_the_server_panic_or_exceed_its_limits(
		seq in 0u64..40,
		last in any::<u64>(),
		count in any::<u32>(),
		max_bytes in any::<u32>(),
		root in any::<[u8; 32]>(),
		after in proptest::option::of(proptest::collection::vec(any::<u8>(), 0..128)),
	) {
		let world = geo();
		let root = if root[0] < 200 { world.states[(seq % LOADED) as usize].state_root } else { H256(root) };
		let cursor = TrieCursor { object: SUBTREE, root, after: after.map(|key| key.try_into().unwrap()) };
		let requests = [
			(Protocol::Ctl, CtlRequest::Heads { subtree: SUBTREE, epoch: EPOCH, last, count }.to_bytes()),
			(Protocol::Ctl, CtlRequest::Heads { subtree: SUBTREE, epoch: EPOCH, last: seq, count: count % 300 }.to_bytes()),
			(Protocol::Sync, SyncRequest::Batch { subtree: SUBTREE, epoch: EPOCH, seq }.to_bytes()),
			(Protocol::Sync, SyncRequest::Ranges {
				subtree: SUBTREE, epoch: EPOCH, seq, max_bytes, tries: vec![cursor; 3].try_into().unwrap(),
			}.to_bytes()),
		];
		for (protocol, request) in requests {
			let bytes = answer(&world.copy(2, LOADED), protocol, &request).unwrap();
			prop_assert!(bytes.len() <= protocol.max_response_bytes());
			prop_assert!(bytes.len() <= request.len() * protocol.max_answer_ratio());
		}
	}
}
