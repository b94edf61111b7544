//! Many updates of one object: with one root, and with a root for each.

use crate::{
	bare::BareTrie,
	data::{self, BATCH_FIELDS},
	measure::{cost, interleave, Contender, Cost, Pair},
	nomt::Nomt,
	report::{Row, Target},
	tree::{Tree, ALONE},
	Failure, Scale,
};
use dstp_primitives::{
	call::Call,
	object::{account_key, KeyLayout, META_KEY},
	tree::NewObject,
	Key, Meta, ObjectType, Owner, Path, Value,
};
use dstp_subtree::{Engine, Role};
use std::path;

/// Calls of one batch of the engine.
const CALLS_PER_BATCH: usize = 1024;

type Updates = Vec<(Key, Value)>;

fn bare_with(dir: &path::Path, entries: &[(Vec<u8>, Vec<u8>)]) -> Result<BareTrie, Failure> {
	let mut bare = BareTrie::create(dir)?;
	bare.insert(pairs(entries))?;
	bare.commit()?;
	Ok(bare)
}

fn pairs(entries: &[(Vec<u8>, Vec<u8>)]) -> impl Iterator<Item = (&[u8], &[u8])> {
	entries.iter().map(|(key, value)| (&key[..], &value[..]))
}

/// A batch of updates and one root, through to the database.
pub fn one_root(
	scale: &Scale,
	dir: &path::Path,
	nomt: Option<&path::Path>,
) -> Result<Vec<Row>, Failure> {
	let (count, some) = (scale.fields, scale.updates);
	let all = data::fields(count);
	let mut tree = Tree::create(&dir.join("tree"), count)?;
	let mut bare = bare_with(&dir.join("bare"), &data::trie_entries(&all))?;
	let mut engine = data::engine(&dir.join("engine"), Role::Serve)?;
	data::fill(&mut engine, count)?;
	let mut nomt = nomt.map(|program| Nomt::start(program, &dir.join("nomt"))).transpose()?;
	if let Some(nomt) = &mut nomt {
		nomt.batch(&all)?;
	}

	let updates = |round| data::updates(count, some, round);
	let mut contenders: Vec<Contender<'_>> = vec![
		Box::new(|round| {
			let fields = updates(round);
			cost(|| tree.update(&fields).and_then(|()| tree.commit()))
		}),
		Box::new(|round| {
			let entries = data::trie_entries(&updates(round));
			cost(|| bare.insert(pairs(&entries)).and_then(|()| bare.commit()))
		}),
		Box::new(|round| through_engine(&mut engine, &updates(round))),
	];
	if let Some(nomt) = &mut nomt {
		contenders.push(Box::new(|round| {
			Ok(Cost { wall: nomt.batch(&updates(round))?, ..Default::default() })
		}));
	}
	let costs = interleave(scale.rounds, &mut contenders)?;
	drop(contenders);
	let last = updates(scale.rounds);
	check_engine(&engine, &last)?;

	let name = format!(
		"{some} updates of {count} fields, one root, ParityDB, by {ALONE}, against sp-trie"
	);
	let calls = some.div_ceil(BATCH_FIELDS);
	let by_engine =
		format!("the same by the engine: {calls} signed calls, a root each, log synced");
	let rates = |ours: usize, peer: usize| Pair::rates(some, &costs[ours], &costs[peer]);
	let mut rows = vec![
		Row::pair(name, "updates/s", rates(0, 1)).with(Target::AtLeast(0.8)),
		Row::pair(format!("{by_engine}; against sp-trie"), "updates/s", rates(2, 1)),
		Row::pair(
			format!("{by_engine}; with the database's own threads, against sp-trie"),
			"us CPU per update",
			Pair::cpu_us(some, &costs[2], &costs[1]),
		),
	];
	if costs.len() > 3 {
		let name = format!("{by_engine}; against nomt 1.0.5, both durable");
		rows.push(Row::pair(name, "updates/s", rates(2, 3)));
	}
	Ok(rows)
}

/// The updates as signed calls whose signatures were checked before.
fn through_engine(engine: &mut Engine, updates: &Updates) -> Result<Cost, Failure> {
	let calls = updates.chunks(BATCH_FIELDS).map(|part| data::set_fields(Path::default(), part));
	let calls = data::checked(engine, calls.collect::<Result<Vec<Call>, _>>()?)?;
	let group = calls.len();
	cost(|| data::execute(engine, calls, group))
}

/// What was measured was also done.
fn check_engine(engine: &Engine, updates: &Updates) -> Result<(), Failure> {
	let reader = engine.reader();
	for (key, value) in updates.iter().step_by(97) {
		if reader.field(&data::SUBTREE, key, None)?.as_ref() != Some(value) {
			return Err("the engine lost an update".into());
		}
	}
	Ok(())
}

/// The same updates as calls of one field each: a root and a witness count per call.
pub fn root_per_call(scale: &Scale, dir: &path::Path) -> Result<Vec<Row>, Failure> {
	let (count, some) = (scale.fields, scale.updates);
	let all = data::trie_entries(&data::fields(count));
	let mut tree = Tree::create(&dir.join("tree"), count)?;
	let mut bare = bare_with(&dir.join("bare"), &all)?;
	let mut whole = bare_with(&dir.join("whole"), &all)?;
	let mut contenders: [Contender<'_>; 3] = [
		Box::new(|round| {
			let updates = data::updates(count, some, round);
			cost(|| {
				for part in updates.chunks(CALLS_PER_BATCH) {
					part.iter().cloned().try_for_each(|field| tree.call(field))?;
					tree.commit()?;
				}
				Ok(())
			})
		}),
		Box::new(|round| {
			let entries = data::trie_entries(&data::updates(count, some, round));
			cost(|| each_alone(&mut bare, &entries, |_| Vec::new()))
		}),
		Box::new(|round| {
			let entries = data::trie_entries(&data::updates(count, some, round));
			let nonce = account_key(KeyLayout::Raw, &data::account());
			let number = |call: usize| ((round * some + call) as u64).to_le_bytes();
			cost(|| {
				each_alone(&mut whole, &entries, |call| {
					let facts = facts(count, round * some + call);
					vec![
						(META_KEY.to_vec(), facts),
						(nonce.clone(), [&[7], &number(call)[..]].concat()),
					]
				})
			})
		}),
	];
	let costs = interleave(scale.rounds, &mut contenders)?;
	let name =
		format!("{some} calls of one update, each with a root and a witness count, by {ALONE}");
	let rates = |peer: usize| Pair::rates(some, &costs[0], &costs[peer]);
	Ok(vec![
		Row::pair(format!("{name}, against sp-trie with a root for each"), "calls/s", rates(1))
			.with(Target::AtLeast(0.6)),
		Row::pair(
			format!("{name}, against sp-trie writing a call's three keys (field, facts, nonce)"),
			"calls/s",
			rates(2),
		),
	])
}

/// An object's facts, which change with every call.
fn facts(fields: usize, revision: usize) -> Vec<u8> {
	let owner = Owner::Account(data::account());
	let NewObject { flags, .. } = NewObject::default();
	let meta = Meta::new(owner, ObjectType::Plain, flags);
	Meta { fields: fields as u64, revision: revision as u64, ..meta }.to_value()
}

/// A root for each entry, with what else the same call writes.
fn each_alone(
	bare: &mut BareTrie,
	entries: &[(Vec<u8>, Vec<u8>)],
	besides: impl Fn(usize) -> Vec<(Vec<u8>, Vec<u8>)>,
) -> Result<(), Failure> {
	for (batch, part) in entries.chunks(CALLS_PER_BATCH).enumerate() {
		for (index, entry) in part.iter().enumerate() {
			let besides = besides(batch * CALLS_PER_BATCH + index);
			bare.insert(pairs(std::slice::from_ref(entry)).chain(pairs(&besides)))?;
		}
		bare.commit()?;
	}
	Ok(())
}
