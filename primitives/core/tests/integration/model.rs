//! A naive model of a subtree that shares no code with the crate: nested maps, encodings written down by hand, and each root
//! computed from the full list of pairs.

use sp_core::{Blake2Hasher, H256};
use sp_crypto_hashing::{blake2_128, blake2_256};
use sp_trie::{LayoutV1, TrieConfiguration};
use std::collections::BTreeMap;

pub type Account = [u8; 32];
pub type Pairs = Vec<(Vec<u8>, Vec<u8>)>;

#[derive(Clone, PartialEq, Debug)]
pub enum Owner {
	Account(Account),
	Shared,
	Frozen,
}

#[derive(Clone, Debug)]
pub struct Object {
	pub owner: Owner,
	pub name: Option<Vec<u8>>,
	pub hashed: bool,
	/// By key as in the trie, without prefix: the raw key and the value.
	pub fields: BTreeMap<Vec<u8>, (Vec<u8>, Vec<u8>)>,
	pub children: BTreeMap<Vec<u8>, (Vec<u8>, Object)>,
	pub revision: u64,
}

#[derive(Clone, Debug)]
pub enum Op {
	Create { parent: Vec<Vec<u8>>, key: Vec<u8>, name: Option<Vec<u8>>, hashed: bool },
	Set { object: Vec<Vec<u8>>, fields: Vec<(Vec<u8>, Vec<u8>)> },
	Unset { object: Vec<Vec<u8>>, keys: Vec<Vec<u8>> },
	Transfer { object: Vec<Vec<u8>>, to: Account },
	Share { object: Vec<Vec<u8>> },
	Freeze { object: Vec<Vec<u8>> },
	Remove { object: Vec<Vec<u8>> },
	RemoveAll { object: Vec<Vec<u8>> },
}

type Outcome = Result<(), &'static str>;

impl Object {
	pub fn new(owner: Owner, name: Option<Vec<u8>>, hashed: bool) -> Self {
		Self {
			owner,
			name,
			hashed,
			fields: BTreeMap::new(),
			children: BTreeMap::new(),
			revision: 0,
		}
	}

	fn place(&self, key: &[u8]) -> Vec<u8> {
		if self.hashed {
			[&blake2_128(key)[..], key].concat()
		} else {
			key.to_vec()
		}
	}

	fn meta(&self) -> Vec<u8> {
		let mut out = vec![0x07];
		match &self.owner {
			Owner::Account(account) => {
				out.push(1);
				out.extend(account);
			},
			Owner::Shared => out.push(2),
			Owner::Frozen => out.push(3),
		}
		match &self.name {
			None => out.push(0),
			Some(name) => {
				out.push(1);
				out.push((name.len() as u8) << 2);
				out.extend(name);
			},
		}
		out.push(u8::from(self.hashed));
		out.extend((self.fields.len() as u64).to_le_bytes());
		out.extend((self.children.len() as u64).to_le_bytes());
		out.extend(self.revision.to_le_bytes());
		out
	}

	/// Everything in the object's trie.
	pub fn pairs(&self) -> Pairs {
		let mut pairs = vec![(vec![0x05], self.meta())];
		for (place, (_, value)) in &self.fields {
			pairs.push(([&[0x00], &place[..]].concat(), [&[0x02], &value[..]].concat()));
		}
		for (place, (_, child)) in &self.children {
			let entry = [&[0x03, 0x01][..], &root(child.pairs()).0, &[0x00]].concat();
			pairs.push(([&[0x01], &place[..]].concat(), entry));
		}
		pairs
	}

	fn writable(&self, who: &Account) -> Outcome {
		match &self.owner {
			Owner::Account(owner) if owner == who => Ok(()),
			Owner::Account(_) => Err("NotOwner"),
			Owner::Shared => Err("SharedReadOnly"),
			Owner::Frozen => Err("Frozen"),
		}
	}

	fn child(&self, key: &[u8]) -> Option<&Object> {
		self.children.get(&self.place(key)).map(|(_, child)| child)
	}
}

pub fn root(pairs: Pairs) -> H256 {
	LayoutV1::<Blake2Hasher>::trie_root(pairs)
}

pub struct Model {
	pub root: Object,
	pub nonces: BTreeMap<Account, u64>,
}

impl Model {
	pub fn pairs(&self) -> Pairs {
		let mut pairs = self.root.pairs();
		for (account, nonce) in &self.nonces {
			let key = [&[0x06], &self.root.place(account)[..]].concat();
			pairs.push((key, [&[0x08][..], &nonce.to_le_bytes()].concat()));
		}
		pairs
	}

	/// Paths of all objects, the root first.
	pub fn paths(&self) -> Vec<Vec<Vec<u8>>> {
		let mut paths = Vec::new();
		let mut todo = vec![(vec![], &self.root)];
		while let Some((path, object)) = todo.pop() {
			for (key, child) in object.children.values() {
				let mut below: Vec<Vec<u8>> = path.clone();
				below.push(key.clone());
				todo.push((below, child));
			}
			paths.push(path);
		}
		paths
	}

	pub fn find(&self, path: &[Vec<u8>]) -> Option<&Object> {
		path.iter().try_fold(&self.root, |object, key| object.child(key))
	}

	fn find_mut(&mut self, path: &[Vec<u8>]) -> Result<&mut Object, &'static str> {
		path.iter()
			.try_fold(&mut self.root, |object, key| {
				let place = object.place(key);
				object.children.get_mut(&place).map(|(_, child)| child)
			})
			.ok_or("ObjectNotFound")
	}

	/// Applies an operation, or says why not and changes nothing but the nonce.
	pub fn apply(&mut self, who: &Account, op: &Op) -> Outcome {
		let before = self.root.clone();
		let outcome = self.attempt(who, op);
		if outcome.is_err() {
			self.root = before;
		}
		*self.nonces.entry(*who).or_default() += 1;
		outcome
	}

	fn attempt(&mut self, who: &Account, op: &Op) -> Outcome {
		match op {
			Op::Create { parent, key, name, hashed } => {
				let above = self.find_mut(parent)?;
				if above.owner != Owner::Shared {
					above.writable(who)?;
				}
				if parent.is_empty() && key == b"account" {
					return Err("ReservedKey");
				}
				if parent.len() >= 8 {
					return Err("TooDeep");
				}
				if above.child(key).is_some() {
					return Err("ObjectExists");
				}
				let new = Object::new(Owner::Account(*who), name.clone(), *hashed);
				above.children.insert(above.place(key), (key.clone(), new));
				above.revision += 1;
			},
			Op::Set { object, fields } => {
				let changes =
					fields.iter().map(|(key, value)| (key.clone(), Some(value.clone()))).collect();
				self.write(who, object, changes)?;
			},
			Op::Unset { object, keys } => {
				self.write(who, object, keys.iter().map(|key| (key.clone(), None)).collect())?
			},
			Op::Transfer { object, to } => {
				self.find_mut(object)?;
				if *to == [0; 32] {
					return Err("ZeroOwner");
				}
				self.hand_over(who, object, Owner::Account(*to))?;
			},
			Op::Share { object } => {
				if !self.find_mut(object)?.hashed {
					return Err("SharedNeedsHashedKeys");
				}
				self.hand_over(who, object, Owner::Shared)?;
			},
			Op::Freeze { object } => self.hand_over(who, object, Owner::Frozen)?,
			Op::Remove { object } => {
				let doomed = self.removable(who, object)?;
				if !doomed.children.is_empty() {
					return Err("HasChildren");
				}
				if doomed.fields.len() > 256 {
					return Err("HasManyFields");
				}
				self.unlink(object)?;
			},
			Op::RemoveAll { object } => {
				self.removable(who, object)?;
				self.remove_all(who, object)?;
			},
		}
		Ok(())
	}

	fn write(
		&mut self,
		who: &Account,
		path: &[Vec<u8>],
		changes: Vec<(Vec<u8>, Option<Vec<u8>>)>,
	) -> Outcome {
		let object = self.find_mut(path)?;
		if changes.is_empty() {
			return Err("EmptyBatch");
		}
		let mut keys: Vec<_> = changes.iter().map(|(key, _)| key).collect();
		keys.sort();
		if keys.windows(2).any(|pair| pair[0] == pair[1]) {
			return Err("DuplicateKey");
		}
		object.writable(who)?;
		let before = object.fields.clone();
		for (key, value) in changes {
			let place = object.place(&key);
			match value {
				Some(value) => object.fields.insert(place, (key, value)),
				None => object.fields.remove(&place),
			};
		}
		object.revision += u64::from(object.fields != before);
		Ok(())
	}

	fn hand_over(&mut self, who: &Account, path: &[Vec<u8>], owner: Owner) -> Outcome {
		let object = self.find_mut(path)?;
		object.writable(who)?;
		object.revision += u64::from(object.owner != owner);
		object.owner = owner;
		Ok(())
	}

	fn removable(&self, who: &Account, path: &[Vec<u8>]) -> Result<&Object, &'static str> {
		let object = self.find(path).ok_or("ObjectNotFound")?;
		let (_, above) = path.split_last().ok_or("IsRoot")?;
		object.writable(who)?;
		match self.find(above).map(|parent| &parent.owner) {
			Some(Owner::Frozen) => Err("Frozen"),
			_ => Ok(object),
		}
	}

	fn unlink(&mut self, path: &[Vec<u8>]) -> Outcome {
		let (key, above) = path.split_last().ok_or("IsRoot")?;
		let parent = self.find_mut(above)?;
		let place = parent.place(key);
		parent.children.remove(&place);
		parent.revision += 1;
		Ok(())
	}

	/// Deepest first, at most 256 fields and objects, and not more than 256 KiB.
	fn remove_all(&mut self, who: &Account, top: &[Vec<u8>]) -> Outcome {
		let (mut steps, mut bytes) = (0, 0);
		while steps < 256 && bytes < 256 * 1024 {
			let mut path = top.to_vec();
			while let Some((key, _)) =
				self.find(&path).and_then(|object| object.children.values().next())
			{
				path.push(key.clone());
			}
			self.removable(who, &path)?;
			let object = self.find_mut(&path)?;
			let mut removed = false;
			while steps < 256 && bytes < 256 * 1024 {
				let Some((_, (key, value))) = object.fields.pop_first() else { break };
				steps += 1;
				bytes += key.len() + value.len();
				removed = true;
			}
			if !object.fields.is_empty() || steps == 256 || bytes >= 256 * 1024 {
				object.revision += u64::from(removed);
				return Ok(());
			}
			self.unlink(&path)?;
			steps += 1;
			if path == top {
				return Ok(());
			}
		}
		Ok(())
	}
}

/// The id of an object by hand.
pub fn id(root: [u8; 32], path: &[Vec<u8>]) -> [u8; 32] {
	path.iter().fold(root, |id, key| blake2_256(&[b"dstp/object/v1", &id[..], key].concat()))
}
