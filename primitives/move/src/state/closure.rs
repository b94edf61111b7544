//! Modules with everything that they need.

use super::{module_id, module_link, tree_address, Decoded};
use crate::error::{module_name, MoveError};
use dstp_primitives::{
	contract::ModuleEntry, object::module_key, tree::ContractPlaces, ObjectTree, Storage,
};
use move_core_types::language_storage::ModuleId;
use std::{collections::BTreeMap, sync::Arc};

/// Most modules that one execution may load. It bounds how deep the virtual machine recurses while it loads, and the witness.
pub const MAX_CLOSURE_MODULES: usize = 64;

/// Most bytes of modules that one execution may load: three quarters of the largest witness of a call.
pub const MAX_CLOSURE_BYTES: usize = 768 * 1024;

/// A module as the tree has it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct LoadedModule {
	/// The bytes in the tree. Two modules are the same if and only if these are.
	pub stored: Arc<[u8]>,
	/// The same, decoded.
	pub entry: Arc<ModuleEntry>,
	/// The modules that it names.
	pub links: Arc<[ModuleId]>,
	/// Where it stands in the object of its address.
	pub key: Arc<[u8]>,
}

/// A module from which a [`Closure`] is read.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Root {
	/// Its name.
	pub id: ModuleId,
	/// Whether it has to exist.
	pub needed: bool,
}

/// Some modules, and all modules that they name, and so on.
#[derive(Clone, Default, PartialEq, Eq, Debug)]
pub struct Closure {
	modules: BTreeMap<ModuleId, LoadedModule>,
	bytes: usize,
}

impl Closure {
	/// Reads `roots` and everything that they need from the tree. One that is needed, or that another module names, has to exist;
	/// others are left out if they do not. `pay` sees each module as soon as it is read and may end the walk.
	pub fn read<S: Storage>(
		tree: &mut ObjectTree<S>,
		places: &mut ContractPlaces,
		decoded: &Decoded,
		roots: impl IntoIterator<Item = Root>,
		mut pay: impl FnMut(&LoadedModule) -> Result<(), MoveError>,
	) -> Result<Self, MoveError> {
		let mut closure = Self::default();
		let mut queue: Vec<Root> = roots.into_iter().collect();
		while let Some(Root { id, needed }) = queue.pop() {
			if closure.modules.contains_key(&id) {
				continue;
			}
			match read_module(tree, places, decoded, &id)? {
				Some(module) => {
					pay(&module)?;
					let new = module.links.iter().filter(|id| closure.get(id).is_none());
					queue.extend(new.map(|id| Root { id: id.clone(), needed: true }));
					closure.insert(id, module)?;
				},
				None if needed => return Err(MoveError::ModuleNotFound(module_name(&id))),
				None => {},
			}
		}
		Ok(closure)
	}

	fn insert(&mut self, id: ModuleId, module: LoadedModule) -> Result<(), MoveError> {
		self.bytes += module.stored.len();
		if self.modules.len() >= MAX_CLOSURE_MODULES || self.bytes > MAX_CLOSURE_BYTES {
			return Err(MoveError::BadRequest(format!(
				"one call loads at most {MAX_CLOSURE_MODULES} modules of together {MAX_CLOSURE_BYTES} bytes; {} would be one more",
				module_name(&id)
			)));
		}
		self.modules.insert(id, module);
		Ok(())
	}

	/// A module.
	pub fn get(&self, id: &ModuleId) -> Option<&LoadedModule> {
		self.modules.get(id)
	}

	/// All modules in the order of their names.
	pub fn iter(&self) -> impl Iterator<Item = (&ModuleId, &LoadedModule)> {
		self.modules.iter()
	}

	/// Number of modules.
	pub fn len(&self) -> usize {
		self.modules.len()
	}

	/// Whether there are none.
	pub fn is_empty(&self) -> bool {
		self.modules.is_empty()
	}

	/// Bytes of all modules as they stand in the tree.
	pub fn bytes(&self) -> usize {
		self.bytes
	}
}

fn read_module<S: Storage>(
	tree: &mut ObjectTree<S>,
	places: &mut ContractPlaces,
	decoded: &Decoded,
	id: &ModuleId,
) -> Result<Option<LoadedModule>, MoveError> {
	let before = decoded.get(id);
	let key = match &before {
		Some(module) => module.key.clone(),
		None => match module_link(id) {
			Some(link) => module_key(&link.name).into(),
			None => return Ok(None),
		},
	};
	let Some(stored) = tree.contract_value_at(places, &tree_address(id.address()), &key)? else {
		return Ok(None);
	};
	if let Some(module) = before.filter(|module| *module.stored == *stored) {
		return Ok(Some(module));
	}
	let entry = ModuleEntry::from_value(&stored).map_err(|_| MoveError::Corrupt("module"))?;
	if entry.name.as_slice() != id.name().as_bytes() {
		return Err(MoveError::Corrupt("module"));
	}
	let links = entry.links.iter().map(module_id).collect::<Option<Arc<[_]>>>();
	let links = links.ok_or(MoveError::Corrupt("module"))?;
	let module = LoadedModule { stored: stored.into(), entry: Arc::new(entry), links, key };
	decoded.keep(id, &module);
	Ok(Some(module))
}
