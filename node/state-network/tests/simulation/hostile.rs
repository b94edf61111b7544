//! What other nodes do with a request.

use crate::world::{World, EPOCH, SUBTREE};
use codec::Encode;
use dstp_primitives::{proof::RangeProof, trie::empty_root};
use dstp_state_network::{
	server::{answer, busy},
	wire::{CtlResponse, Protocol, SyncRequest, SyncResponse, Wire, WIRE_VERSION},
};
use rand::{rngs::StdRng, seq::SliceRandom, Rng};

/// How a node behaves.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Behaviour {
	Honest,
	/// Right answers, but one value or node in the middle of each transfer is forged.
	ForgeMiddle,
	/// Like an honest node until the n-th transfer, which is forged; then again.
	ForgeOneIn(u32),
	/// Ranges of the state before.
	StaleRoot,
	/// Ranges of another subtree.
	OtherSubtree,
	/// Cut off.
	Truncated,
	/// Filled up to 3 MiB.
	Oversized,
	/// The end is missing, and the proof pretends that there is none.
	FalseComplete,
	/// Empty tries.
	FalseEmpty,
	/// One entry at a time.
	Short,
	/// A superfluous node.
	Extraneous,
	/// Nodes in another order.
	Reordered,
	/// Genuine ranges, each in the place of another object's.
	WrongPlace,
	/// Bytes without meaning.
	Garbage,
	/// A list that declares four billion items.
	HugeLength,
	/// Very many empty lists.
	Bomb,
	/// Nothing ever comes.
	Silent,
	/// One byte a second.
	Trickle,
	/// It says that it serves, and then never has what is asked for.
	Withhold,
	/// It serves some and withholds some.
	WithholdSome,
	/// It says that it serves, and then never has time.
	AlwaysBusy,
}

use Behaviour::*;

/// All but the honest one.
pub const HOSTILE: [Behaviour; 20] = [
	ForgeMiddle,
	ForgeOneIn(4),
	StaleRoot,
	OtherSubtree,
	Truncated,
	Oversized,
	FalseComplete,
	FalseEmpty,
	Short,
	Extraneous,
	Reordered,
	WrongPlace,
	Garbage,
	HugeLength,
	Bomb,
	Silent,
	Trickle,
	Withhold,
	WithholdSome,
	AlwaysBusy,
];

/// Those whose every transfer is provably wrong.
pub const LIARS: [Behaviour; 10] = [
	ForgeMiddle,
	OtherSubtree,
	Truncated,
	Oversized,
	FalseEmpty,
	Extraneous,
	Reordered,
	Garbage,
	HugeLength,
	Bomb,
];

impl Behaviour {
	/// Bytes per second of its answers.
	pub fn bandwidth(self) -> u64 {
		if self == Trickle {
			1
		} else {
			4 << 20
		}
	}
}

/// The answer to a request, if one comes.
pub fn respond(
	behaviour: Behaviour,
	world: &World,
	(oldest, newest): (u64, u64),
	(protocol, request): (Protocol, &[u8]),
	transfers: u32,
	rng: &mut StdRng,
) -> Option<Vec<u8>> {
	let honest = || {
		answer(&world.copy(oldest, newest), protocol, request)
			.expect("followers ask well-formed questions")
	};
	if protocol == Protocol::Ctl
		&& matches!(CtlResponse::from_bytes(&honest()), Ok(CtlResponse::Status(_)))
	{
		return Some(honest());
	}
	match behaviour {
		Honest | Trickle => Some(honest()),
		Silent => None,
		AlwaysBusy => Some(busy(protocol)),
		Withhold => Some(refuse(protocol)),
		WithholdSome if rng.gen() => Some(refuse(protocol)),
		WithholdSome => Some(honest()),
		ForgeOneIn(every) if transfers % every != every - 1 => Some(honest()),
		Truncated => {
			Some(honest()).map(|bytes| bytes[..rng.gen_range(0..bytes.len().max(2) - 1)].to_vec())
		},
		Oversized => Some(honest()).map(|mut bytes| {
			bytes.resize(3 << 20, 0);
			bytes
		}),
		Garbage => Some((0..rng.gen_range(1..2000)).map(|_| rng.gen()).collect()),
		HugeLength => Some(vec![WIRE_VERSION, 1, 0x03, 0xff, 0xff, 0xff, 0xff]),
		Bomb => Some(
			[vec![WIRE_VERSION, 1], codec::Compact(1_000_000u32).encode(), vec![0; 1_000_000]]
				.concat(),
		),
		_ if protocol == Protocol::Ctl => Some(forge_bytes(honest(), rng)),
		_ => Some(forge(behaviour, world, (oldest, newest), request, honest(), rng)),
	}
}

fn refuse(protocol: Protocol) -> Vec<u8> {
	match protocol {
		Protocol::Ctl => CtlResponse::NotServed.to_bytes(),
		_ => SyncResponse::NotServed.to_bytes(),
	}
}

/// Flips one bit in the second half, where content is rather than lengths.
fn forge_bytes(mut bytes: Vec<u8>, rng: &mut StdRng) -> Vec<u8> {
	let at = rng.gen_range(bytes.len() / 2..bytes.len());
	bytes[at] ^= 1 << rng.gen_range(0..8);
	bytes
}

fn forge(
	behaviour: Behaviour,
	world: &World,
	(oldest, newest): (u64, u64),
	request: &[u8],
	honest: Vec<u8>,
	rng: &mut StdRng,
) -> Vec<u8> {
	let Ok(SyncResponse::Ranges(mut proofs)) = SyncResponse::from_bytes(&honest) else {
		// A batch, or nothing: whatever it is, it is changed.
		return forge_bytes(honest, rng);
	};
	match behaviour {
		StaleRoot => return stale(world, (oldest, newest), request),
		OtherSubtree => {
			let other = World::wide(3);
			let copy = other.copy(0, 0);
			let cursor = dstp_state_network::wire::TrieCursor {
				object: SUBTREE,
				root: other.newest().state_root,
				after: None,
			};
			let foreign =
				dstp_state_network::Source::range(&copy, &SUBTREE, EPOCH, 0, &cursor, 1 << 18)
					.unwrap()
					.0;
			proofs = vec![foreign; proofs.len()];
		},
		FalseComplete => {
			if let Some(last) = proofs.last_mut() {
				last.nodes.pop();
			}
		},
		FalseEmpty => proofs = vec![RangeProof { nodes: vec![] }; proofs.len()],
		Short => return short(world, (oldest, newest), request),
		Extraneous => {
			let extra = proofs[0].nodes[0].clone();
			proofs.last_mut().unwrap().nodes.push(extra);
		},
		WrongPlace => proofs.rotate_left(1),
		Reordered => proofs.iter_mut().for_each(|proof| {
			// A proof of one node has only one order, so it is doubled.
			let first = proof.nodes[0].clone();
			proof.nodes.rotate_left(1);
			proof.nodes.push(first);
		}),
		_ => {
			let proof = proofs.choose_mut(rng).unwrap();
			let middle = proof.nodes.len() / 2;
			let node = &mut proof.nodes[middle];
			let at = rng.gen_range(0..node.len());
			node[at] ^= 1 << rng.gen_range(0..8);
		},
	}
	SyncResponse::Ranges(proofs).to_bytes()
}

/// Answers from the states before, where the tries that were asked for look different.
fn stale(world: &World, (oldest, newest): (u64, u64), request: &[u8]) -> Vec<u8> {
	let SyncRequest::Ranges { subtree, epoch, seq, max_bytes, tries } =
		SyncRequest::from_bytes(request).unwrap()
	else {
		return SyncResponse::NotServed.to_bytes();
	};
	let before = world.states[seq.saturating_sub(1) as usize].state_root;
	let mut tries = tries.into_inner();
	for cursor in &mut tries {
		cursor.root = if cursor.object == SUBTREE { before } else { empty_root() };
	}
	let request =
		SyncRequest::Ranges { subtree, epoch, seq, max_bytes, tries: tries.try_into().unwrap() };
	answer(&world.copy(oldest, newest), Protocol::Sync, &request.to_bytes()).unwrap()
}

/// As little as proves something.
fn short(world: &World, range: (u64, u64), request: &[u8]) -> Vec<u8> {
	let SyncRequest::Ranges { subtree, epoch, seq, tries, .. } =
		SyncRequest::from_bytes(request).unwrap()
	else {
		return SyncResponse::NotServed.to_bytes();
	};
	let copy = world.copy(range.0, range.1);
	let found = dstp_state_network::Source::range(&copy, &subtree, epoch, seq, &tries[0], 1);
	found.map_or(SyncResponse::NotServed, |(proof, _)| SyncResponse::Ranges(vec![proof])).to_bytes()
}
