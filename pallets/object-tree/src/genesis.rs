//! Objects that exist from the start.

use crate::{
	pallet::{Config, GlobalRoot, Objects, Pallet},
	storage::{insert_object, HubStorage, Room},
};
use alloc::{string::String, vec::Vec};
use dstp_primitives::{
	hub::OnTreeGenesis,
	id::{AccountId, Key, ObjectId, Path},
	object::{ObjectFlags, ObjectType, Owner, TypeName, Value},
	tree::{Actor, NewObject, MAX_BATCH_FIELDS, RESERVED_KEYS},
	ObjectTree,
};
use frame_support::traits::Defensive;
use serde::{Deserialize, Serialize};
use sp_core::Bytes;
use sp_runtime::traits::Zero;

/// Who owns an object of genesis. In JSON `"system"`, `"shared"`, `"frozen"` or `{ "account": <SS58> }`.
#[derive(Clone, Default, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum GenesisOwner {
	/// Only the chain's root origin changes it.
	#[default]
	System,
	/// One account.
	Account(AccountId),
	/// Everybody may create children. Its keys are hashed.
	Shared,
	/// Nobody changes it.
	Frozen,
}

/// A field of an object of genesis.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct GenesisField {
	/// Its key, percent-encoded as in a path.
	pub key: String,
	/// Its value: in JSON hex with `0x`.
	pub value: Bytes,
}

/// An object of genesis.
#[derive(Clone, Default, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct GenesisObject {
	/// Where it stands, such as `/geo/DE`. The object above comes earlier in the list.
	pub path: String,
	/// Its owner.
	pub owner: GenesisOwner,
	/// The name of its type; nothing: no type.
	#[serde(default)]
	pub object_type: Option<String>,
	/// Whether its keys are hashed. Those of shared objects are in any case.
	#[serde(default)]
	pub hashed_keys: bool,
	/// Its fields.
	#[serde(default)]
	pub fields: Vec<GenesisField>,
}

impl GenesisObject {
	fn new_object(&self) -> Result<NewObject, &'static str> {
		let object_type = match &self.object_type {
			None => ObjectType::Plain,
			Some(name) => TypeName::try_from(name.clone().into_bytes())
				.map(ObjectType::Named)
				.map_err(|_| "the name of a type has at most 64 bytes")?,
		};
		let hashed = self.hashed_keys || self.owner == GenesisOwner::Shared;
		let flags = if hashed { ObjectFlags::hashed_keys() } else { ObjectFlags::default() };
		Ok(NewObject { object_type, flags })
	}

	fn fields(&self) -> Result<Vec<(Key, Value)>, &'static str> {
		self.fields
			.iter()
			.map(|field| {
				let path = Path::parse(&alloc::format!("/{}", field.key));
				let key = path.ok().and_then(|path| match path.keys() {
					[key] => Some(key.clone()),
					_ => None,
				});
				let value = Value::try_from(field.value.0.clone());
				Ok((
					key.ok_or("a field's key is percent-encoded and has 1 to 64 bytes")?,
					value.map_err(|_| "a field's value has at most 16384 bytes")?,
				))
			})
			.collect()
	}
}

impl<T: Config> Pallet<T> {
	/// Creates the root object, shared and with hashed keys, and the reserved object `account` below it, unless they exist.
	pub(crate) fn init_root() {
		if Objects::<T>::contains_key(ObjectId::ROOT) {
			return;
		}
		let hashed =
			NewObject { object_type: ObjectType::Plain, flags: ObjectFlags::hashed_keys() };
		let created = insert_object::<T>(&ObjectId::ROOT, None).is_ok() && {
			let mut tree = ObjectTree::new(HubStorage::<T>::with_room(Room::Unlimited));
			tree.init_namespace(Owner::Shared, hashed.clone()).is_ok()
				&& RESERVED_KEYS.iter().all(|reserved| {
					Key::try_from(*reserved).is_ok_and(|key| {
						tree.create(&Actor::System, &ObjectId::ROOT, &key, hashed.clone()).is_ok()
					})
				})
		};
		created.then_some(()).defensive_proof("an empty storage takes the first objects; qed");
	}

	/// Builds the tree of block 0 and computes its roots. Panics if the objects do not make a tree.
	pub(crate) fn build_genesis(objects: &[GenesisObject]) {
		Self::init_root();
		let ids: Vec<_> = objects
			.iter()
			.map(|object| {
				Self::genesis_object(object)
					.unwrap_or_else(|error| panic!("genesis object {}: {error}", object.path))
			})
			.collect();
		// Objects belong to the system until all are there, so that every owner may have children from genesis.
		for (object, id) in objects.iter().zip(&ids) {
			Self::genesis_owner(object, id)
				.unwrap_or_else(|error| panic!("genesis object {}: {error}", object.path));
		}
		T::OnGenesis::on_genesis();
		Self::commit_roots();
		Self::remember_root(Zero::zero(), GlobalRoot::<T>::get());
	}

	fn genesis_object(object: &GenesisObject) -> Result<ObjectId, String> {
		let path = Path::parse(&object.path).map_err(|error| alloc::format!("{error}"))?;
		let (key, above) = path.keys().split_last().ok_or("the root object exists already")?;
		let mut tree = ObjectTree::new(HubStorage::<T>::with_room(Room::Unlimited));
		let text = |error: dstp_primitives::TreeError| alloc::format!("{error}");
		let above = Path::new(above.to_vec()).map_err(|error| alloc::format!("{error}"))?;
		let parent = tree.resolve(&above).map_err(text)?;
		let id = tree.create(&Actor::System, &parent, key, object.new_object()?).map_err(text)?;
		let mut delta = 0;
		let fields = object.fields()?;
		for batch in fields.chunks(MAX_BATCH_FIELDS as usize) {
			delta += tree.set_fields(&Actor::System, &id, batch).map_err(text)?;
		}
		let count = tree.meta(&id).map_err(text)?.map_or(0, |meta| meta.fields);
		Self::charge(&id, None, count, delta).map_err(|error| alloc::format!("{error:?}"))?;
		Ok(id)
	}

	fn genesis_owner(
		object: &GenesisObject,
		id: &ObjectId,
	) -> Result<(), dstp_primitives::TreeError> {
		let mut tree = ObjectTree::new(HubStorage::<T>::with_room(Room::Unlimited));
		match &object.owner {
			GenesisOwner::System => Ok(()),
			GenesisOwner::Account(account) => tree.transfer(&Actor::System, id, account),
			GenesisOwner::Shared => tree.share(&Actor::System, id),
			GenesisOwner::Frozen => tree.freeze(&Actor::System, id),
		}
	}
}
