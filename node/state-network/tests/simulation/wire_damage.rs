//! Messages spliced from two valid ones, with changed bytes, and with lengths that nothing follows: what is read at all is read
//! as it was written.

use crate::wire_vectors::samples;
use codec::{Compact, Encode};
use dstp_state_network::wire::{
	CtlRequest, CtlResponse, HeadAnnouncement, SyncRequest, SyncResponse, Wire, XferRequest,
	XferResponse,
};
use proptest::{prelude::*, sample::Index};

fn check<T: Wire>(bytes: &[u8]) {
	if let Ok(message) = T::from_bytes(bytes) {
		assert_eq!(message.to_bytes(), bytes);
	}
}

fn check_all(bytes: &[u8]) {
	check::<CtlRequest>(bytes);
	check::<CtlResponse>(bytes);
	check::<SyncRequest>(bytes);
	check::<SyncResponse>(bytes);
	check::<XferRequest>(bytes);
	check::<XferResponse>(bytes);
	check::<HeadAnnouncement>(bytes);
}

proptest! {
	#![proptest_config(ProptestConfig { cases: ProptestConfig::default().cases * 4, ..Default::default() })]

	#[test]
	fn a_splice_of_two_messages_is_refused_or_means_what_it_says(
		one in 0usize..12,
		two in 0usize..12,
		at in any::<Index>(),
		from in any::<Index>(),
		changes in proptest::collection::vec((any::<Index>(), any::<u8>()), 0..3),
	) {
		let (mut bytes, other) = (samples().swap_remove(one).1, samples().swap_remove(two).1);
		bytes.truncate(at.index(bytes.len() + 1));
		bytes.extend(&other[from.index(other.len())..]);
		for (at, new) in changes {
			let at = at.index(bytes.len());
			bytes[at] = new;
		}
		check_all(&bytes);
	}
}

#[test]
fn every_place_may_hold_a_length_that_nothing_follows() {
	for (_, bytes) in samples() {
		for at in 0..bytes.len() {
			for length in [1u32 << 6, 1 << 14, 1 << 20, (1 << 30) - 1, u32::MAX] {
				let bomb = [&bytes[..at], &Compact(length).encode(), &bytes[at + 1..]].concat();
				check_all(&bomb);
				check_all(&bomb[..(at + 5).min(bomb.len())]);
			}
		}
	}
}

#[test]
fn long_runs_of_one_byte_are_refused() {
	for byte in 0..=u8::MAX {
		for kind in 0..4 {
			let mut bytes = vec![1, kind];
			bytes.resize(30_000, byte);
			check_all(&bytes);
		}
	}
}
