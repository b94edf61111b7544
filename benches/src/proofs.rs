//! Proofs of one field among many: size, making, checking.

use crate::{
	bare::{self, BareTrie},
	data,
	measure::{cost, interleave, Contender, Pair},
	report::Row,
	Failure, Scale,
};
use codec::Encode;
use dstp_primitives::{
	proof::{Proof, Query, TrustedRoot},
	Key, Value,
};
use dstp_subtree::{Reader, Role};
use std::path::Path;

/// Ours and the peer's encoded proofs of the fields of a round.
type Proofs = (Vec<Vec<u8>>, Vec<Vec<u8>>);

/// Measures all three.
pub fn run(scale: &Scale, dir: &Path) -> Result<Vec<Row>, Failure> {
	let (count, some) = (scale.fields, scale.proofs);
	let mut engine = data::engine(&dir.join("engine"), Role::Serve)?;
	data::fill(&mut engine, count)?;
	let mut trie = BareTrie::create(&dir.join("bare"))?;
	let entries = data::trie_entries(&data::fields(count));
	trie.insert(entries.iter().map(|(key, value)| (&key[..], &value[..])))?;
	trie.commit()?;
	let (reader, root) = (engine.reader(), engine.status().root);

	let mut made: Vec<Proofs> = vec![Proofs::default(); scale.rounds + 1];
	let making = {
		let (ours, theirs): (Vec<_>, Vec<_>) =
			(0..=scale.rounds).map(|round| pick(count, some, round)).unzip();
		let made = std::cell::RefCell::new(&mut made);
		let mut contenders: [Contender<'_>; 2] = [
			Box::new(|round| {
				let mut proofs = Vec::with_capacity(some);
				let cost = cost(|| make(&reader, &ours[round], &mut proofs))?;
				made.borrow_mut()[round].0 = proofs;
				Ok(cost)
			}),
			Box::new(|round| {
				let mut proofs = Vec::with_capacity(some);
				let cost = cost(|| {
					for (key, _) in &theirs[round] {
						proofs.push(trie.prove(key)?.encode());
					}
					Ok(())
				})?;
				made.borrow_mut()[round].1 = proofs;
				Ok(cost)
			}),
		];
		interleave(scale.rounds, &mut contenders)?
	};
	let from = TrustedRoot { object: data::SUBTREE, root };
	let bare_root = trie.root();
	let mut contenders: [Contender<'_>; 2] = [
		Box::new(|round| {
			let fields = pick(count, some, round).0;
			cost(|| check(from, &made[round].0, &fields))
		}),
		Box::new(|round| {
			let fields = pick(count, some, round).1;
			cost(|| check_bare(&bare_root, &made[round].1, &fields))
		}),
	];
	let checking = interleave(scale.rounds, &mut contenders)?;
	drop(contenders);

	let (ours, theirs): (Vec<f64>, Vec<f64>) = made
		.iter()
		.flat_map(|(ours, theirs)| ours.iter().zip(theirs))
		.map(|(ours, theirs)| (ours.len() as f64, theirs.len() as f64))
		.unzip();
	let name =
		format!("proof of one of {count} fields (facts of the object included), against sp-trie's");
	Ok(vec![
		Row::pair(format!("{name}: size"), "bytes", Pair::of(&ours, &theirs)),
		Row::pair(
			format!("{name}: making, from ParityDB"),
			"us",
			Pair::wall_us(some, &making[0], &making[1]),
		),
		Row::pair(
			format!("{name}: checking"),
			"us",
			Pair::wall_us(some, &checking[0], &checking[1]),
		),
	])
}

type Fields = (Vec<(Key, Value)>, Vec<(Vec<u8>, Vec<u8>)>);

/// Fields of a round with the values that they have, as ours and as the trie's.
fn pick(count: usize, some: usize, round: usize) -> Fields {
	let step = count / some;
	let numbers = (0..some).map(|index| index * step + round % step);
	let fields: Vec<_> =
		numbers.map(|number| (data::key(number), data::value(number, usize::MAX))).collect();
	let entries = data::trie_entries(&fields);
	(fields, entries)
}

fn make(
	reader: &Reader,
	fields: &[(Key, Value)],
	proofs: &mut Vec<Vec<u8>>,
) -> Result<(), Failure> {
	for (key, _) in fields {
		let fields = vec![key.clone()].try_into().map_err(|_| "one field is not too many")?;
		let (_, proof, _) = reader.proof(Query { fields, ..Default::default() }, None)?;
		proofs.push(proof.encode());
	}
	Ok(())
}

fn check(from: TrustedRoot, proofs: &[Vec<u8>], fields: &[(Key, Value)]) -> Result<(), Failure> {
	for (bytes, (key, value)) in proofs.iter().zip(fields) {
		let proven = Proof::from_bytes(bytes)?.check(from)?;
		let object = proven.answer().object.as_ref().ok_or("the object is missing")?;
		if object.fields != [(key.clone(), Some(value.clone()))] {
			return Err("a proof shows another value".into());
		}
	}
	Ok(())
}

fn check_bare(
	root: &sp_core::H256,
	proofs: &[Vec<u8>],
	entries: &[(Vec<u8>, Vec<u8>)],
) -> Result<(), Failure> {
	for (bytes, (key, value)) in proofs.iter().zip(entries) {
		let nodes: Vec<Vec<u8>> = codec::Decode::decode(&mut &bytes[..])?;
		if !bare::check(root, &nodes, key, value) {
			return Err("a bare proof does not hold".into());
		}
	}
	Ok(())
}
