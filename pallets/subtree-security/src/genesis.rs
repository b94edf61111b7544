//! Subtrees that exist from the start.

use crate::{Config, Error, GenesisSubtree, ModeParams, Pallet, WaitingAtGenesis};
use alloc::{string::String, vec::Vec};
use dstp_primitives::{
	hub::{OnTreeGenesis, RemoteObjects},
	object::ModeId,
	ObjectFlags, ObjectId, ObjectType, Path,
};
use sp_core::Bytes;
use sp_runtime::DispatchResult;

impl<T: Config> Pallet<T> {
	/// Registers the subtrees, or leaves them for later if the objects above them do not exist yet.
	pub(crate) fn build_genesis(subtrees: &[GenesisSubtree]) {
		if T::Tree::is_built() {
			return Self::register_all(subtrees);
		}
		let waiting: Vec<_> = subtrees
			.iter()
			.cloned()
			.map(|GenesisSubtree { path, owner, mode, params }| {
				(path.into_bytes(), owner, mode, params.0)
			})
			.collect();
		if !waiting.is_empty() {
			WaitingAtGenesis::<T>::put(waiting);
		}
	}

	fn register_all(subtrees: &[GenesisSubtree]) {
		for subtree in subtrees {
			if let Err(error) = Self::register_at_genesis(subtree) {
				panic!("the genesis subtree {} was refused: {error:?}", subtree.path);
			}
		}
	}

	fn register_at_genesis(genesis: &GenesisSubtree) -> DispatchResult {
		let path = Path::parse(&genesis.path).map_err(|_| Error::<T>::BadGenesisPath)?;
		let (key, above) = path.keys().split_last().ok_or(Error::<T>::BadGenesisPath)?;
		let parent = above.iter().fold(ObjectId::ROOT, |id, key| id.child(key));
		let params = ModeParams::try_from(genesis.params.0.clone())
			.map_err(|_| Error::<T>::MalformedParams)?;
		let (object_type, flags) = (ObjectType::default(), ObjectFlags::default());
		Self::do_register(
			genesis.owner.clone(),
			parent,
			key.clone(),
			ModeId::Native(genesis.mode),
			params,
			object_type,
			flags,
		)
	}
}

/// For the tree of a runtime in which it is built after this pallet.
impl<T: Config> OnTreeGenesis for Pallet<T> {
	fn on_genesis() {
		let waiting = WaitingAtGenesis::<T>::take().unwrap_or_default();
		let subtrees: Vec<_> = waiting
			.into_iter()
			.map(|(path, owner, mode, params)| GenesisSubtree {
				path: String::from_utf8_lossy(&path).into_owned(),
				owner,
				mode,
				params: Bytes(params),
			})
			.collect();
		Self::register_all(&subtrees);
	}
}
