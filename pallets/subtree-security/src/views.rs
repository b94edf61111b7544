//! What the runtime APIs of this pallet answer. A runtime calls these functions one for one.

use crate::{BalanceOf, Config, Pallet, SubtreeInfo, Subtrees};
use alloc::vec::Vec;
use codec::DecodeAll;
use dstp_primitives::{
	call::{CallContext, CallRefusal, SignedCall},
	hub::RemoteObjects,
	mode::{
		poa::{rotation_payload, AuthoritySet, Poa, PoaParams, PoaState},
		ModeContext, Modes, SecurityMode,
	},
	object::ModeId,
	subtree::{ModeView, SubtreePage, SubtreeView, MAX_SUBTREE_PAGE},
	ObjectId,
};
use sp_core::H256;

impl<T: Config> Pallet<T> {
	/// A registered subtree with its last head.
	pub fn subtree_view(subtree: ObjectId) -> Option<SubtreeView> {
		Subtrees::<T>::get(subtree).map(|info| view::<T>(subtree, info))
	}

	/// The security mode of a registered subtree.
	pub fn mode_view(subtree: ObjectId) -> Option<ModeView> {
		let info = Subtrees::<T>::get(subtree)?;
		let name = T::Modes::info(&info.mode).map_or("unknown", |mode| mode.name);
		Some(ModeView {
			mode: info.mode,
			name: name.as_bytes().to_vec(),
			params: info.params.into_inner(),
			state: info.state.into_inner(),
		})
	}

	/// At most `limit` subtrees after `cursor`, and at most [`MAX_SUBTREE_PAGE`].
	pub fn subtree_page(cursor: Option<ObjectId>, limit: u32) -> SubtreePage {
		let limit = limit.clamp(1, MAX_SUBTREE_PAGE) as usize;
		let mut found = match cursor {
			Some(cursor) => Subtrees::<T>::iter_from(Subtrees::<T>::hashed_key_for(cursor)),
			None => Subtrees::<T>::iter(),
		};
		let entries: Vec<_> =
			found.by_ref().take(limit).map(|(id, info)| view::<T>(id, info)).collect();
		let next = entries.last().filter(|_| found.next().is_some()).map(|last| last.subtree);
		SubtreePage { entries, next }
	}

	/// Checks everything of a call but its nonce, and gives its id.
	///
	/// Errors: the first rule that the call violates; `WrongSubtree` if its subtree is not registered.
	pub fn check_call(call: &SignedCall) -> Result<H256, CallRefusal> {
		let subtree = call.payload.subtree;
		let info = Subtrees::<T>::get(subtree).ok_or(CallRefusal::WrongSubtree)?;
		let context = CallContext {
			genesis: Self::genesis_hash(),
			subtree,
			epoch: info.head.epoch,
			hub_number: Self::now(),
		};
		call.check(&context)?;
		Ok(call.payload.id())
	}

	/// Parameters and state of a subtree under PoA.
	pub fn poa(subtree: ObjectId) -> Option<(PoaParams, PoaState)> {
		let info = Subtrees::<T>::get(subtree)?;
		if info.mode != ModeId::Native(Poa::ID) {
			return None;
		}
		let params = PoaParams::decode_all(&mut &info.params[..]).ok()?;
		Some((params, PoaState::decode_all(&mut &info.state[..]).ok()?))
	}

	/// What the present authorities of a subtree under PoA sign for the next set.
	pub fn poa_rotation_payload(subtree: ObjectId, next: &AuthoritySet) -> Option<Vec<u8>> {
		let (_, state) = Self::poa(subtree)?;
		let last = Subtrees::<T>::get(subtree)?.head;
		let context =
			ModeContext { genesis: Self::genesis_hash(), subtree, last, now: Self::now() };
		Some(rotation_payload(&context, state.set_id, next))
	}
}

fn view<T: Config>(subtree: ObjectId, info: SubtreeInfo<BalanceOf<T>>) -> SubtreeView {
	let being_hosted = T::Tree::is_being_hosted(&info.parent, &info.key);
	SubtreeView {
		subtree,
		parent: info.parent,
		key: info.key,
		owner: info.owner,
		start: info.start,
		mode: info.mode,
		head: info.head,
		last: info.last,
		status: info.status,
		committed_at: info.committed_at,
		being_hosted,
	}
}
