//! Benchmarks of the calls at their worst case: 16 ECDSA authorities, all of which sign, for a subtree at the deepest place.

use super::*;
use alloc::vec::Vec;
use codec::Encode;
use dstp_primitives::{
	head::{Head, HEAD_VERSION},
	hub::{ContentSize, RemoteObjects},
	mode::{
		poa::{head_payload, AuthoritySet, PoaEvidence, PoaParams, MAX_AUTHORITIES},
		Poa, SecurityMode,
	},
	object::ModeId,
	signature::Signature,
	AccountId, Key, Meta, ObjectFlags, ObjectId, ObjectType, Owner,
};
use frame_benchmarking::v2::*;
use frame_support::traits::fungible::Mutate;
use frame_system::{pallet_prelude::BlockNumberFor, RawOrigin};
use sp_core::{crypto::KeyTypeId, ecdsa, H256};
use sp_io::{crypto, hashing::blake2_256};
use sp_runtime::traits::{Bounded, Saturating};

const KEY_TYPE: KeyTypeId = KeyTypeId(*b"bnch");

fn owner<T: Config>() -> AccountId {
	let owner = AccountId::new([0x55; 32]);
	T::Currency::set_balance(&owner, BalanceOf::<T>::max_value() / 4u32.into());
	owner
}

fn key() -> Key {
	Key::try_from("benchmark").expect("nine bytes are a key; qed")
}

fn authorities() -> Vec<ecdsa::Public> {
	(0..MAX_AUTHORITIES).map(|_| crypto::ecdsa_generate(KEY_TYPE, None)).collect()
}

fn set(keys: &[ecdsa::Public], threshold: u8) -> AuthoritySet {
	let accounts = keys.iter().map(|key| blake2_256(&key.0).into()).collect();
	AuthoritySet::new(accounts, threshold).expect("generated keys differ; qed")
}

/// The first `count` authorities sign.
fn sign(keys: &[ecdsa::Public], count: u32, payload: &[u8]) -> Evidence {
	let signatures: Vec<_> = (0u8..)
		.zip(keys)
		.take(count as usize)
		.map(|(index, key)| {
			let signature = crypto::ecdsa_sign_prehashed(KEY_TYPE, key, &blake2_256(payload));
			(index, Signature::from(signature.expect("the key was generated; qed")))
		})
		.collect();
	let signatures = signatures.try_into().expect("at most 16 authorities; qed");
	let evidence = PoaEvidence { set_id: 0, signatures }.encode();
	evidence.try_into().expect("evidence of PoA fits; qed")
}

fn params(keys: &[ecdsa::Public], threshold: u8) -> ModeParams {
	let params = PoaParams {
		authorities: set(keys, threshold),
		min_interval_blocks: 0,
		max_silence_blocks: Some(1),
	};
	params.encode().try_into().expect("parameters of PoA fit; qed")
}

/// A registered subtree.
struct Registered {
	owner: AccountId,
	parent: ObjectId,
	subtree: ObjectId,
}

fn register<T: Config>(keys: &[ecdsa::Public], threshold: u8) -> Registered {
	let owner = owner::<T>();
	let parent = T::BenchmarkHelper::deepest_parent(&owner);
	register_below::<T>(owner, parent, keys, threshold)
}

fn register_below<T: Config>(
	owner: AccountId,
	parent: ObjectId,
	keys: &[ecdsa::Public],
	threshold: u8,
) -> Registered {
	let mode = ModeId::Native(Poa::ID);
	let params = params(keys, threshold);
	let (object_type, flags) = (ObjectType::default(), ObjectFlags::default());
	let (who, key) = (owner.clone(), key());
	let subtree = parent.child(&key);
	Pallet::<T>::do_register(who, parent, key, mode, params, object_type, flags)
		.expect("the owner may create children there and has funds; qed");
	T::BenchmarkHelper::close_block();
	Registered { owner, parent, subtree }
}

/// The same for a subtree that was hosted, and whose nodes the hub keeps.
fn register_hosted<T: Config>(keys: &[ecdsa::Public], threshold: u8) -> Registered {
	let owner = owner::<T>();
	let (parent, key) = T::BenchmarkHelper::deepest_object(&owner);
	let subtree = parent.child(&key);
	let params = params(keys, threshold);
	Pallet::<T>::do_register_hosted(owner.clone(), parent, key, ModeId::Native(Poa::ID), params)
		.expect("the object is the owner's, who has funds; qed");
	T::BenchmarkHelper::close_block();
	Registered { owner, parent, subtree }
}

/// A subtree that is being taken back, with the root object, all of it or a part.
fn being_hosted<T: Config>(complete: bool) -> Registered {
	let owner = owner::<T>();
	let (parent, _) = T::BenchmarkHelper::deepest_object(&owner);
	let registered = register_below::<T>(owner, parent, &authorities(), 16);
	let Registered { owner, subtree, .. } = &registered;
	let size = ContentSize { objects: 1, bytes: 1000 };
	Pallet::<T>::do_start_hosting(owner, *subtree, size).expect("it is open; qed");
	let meta =
		Meta::new(Owner::Account(owner.clone()), ObjectType::default(), ObjectFlags::default());
	T::BenchmarkHelper::stage_root(owner, parent, &key(), meta, complete);
	T::BenchmarkHelper::close_block();
	registered
}

fn next_head<T: Config>(subtree: ObjectId) -> Head {
	let last = Subtrees::<T>::get(subtree).expect("the subtree is registered; qed").head;
	Head {
		version: HEAD_VERSION,
		genesis: Pallet::<T>::genesis_hash(),
		subtree,
		epoch: last.epoch,
		era: last.era,
		seq: last.seq + 1,
		prev: last.hash,
		pre_root: last.state_root,
		state_root: H256([7; 32]),
		batch_root: H256([8; 32]),
		batch_len: 1,
		batch_bytes: 1,
		hub_first: last.hub_last,
		hub_last: last.hub_last,
	}
}

#[benchmarks]
mod benchmarks {
	use super::*;

	#[benchmark]
	fn register() {
		let owner = owner::<T>();
		let parent = T::BenchmarkHelper::deepest_parent(&owner);
		let params = params(&authorities(), 16);
		let mode = ModeId::Native(Poa::ID);
		let object_type = ObjectType::Named(alloc::vec![1; 64].try_into().expect("64 bytes; qed"));
		#[extrinsic_call]
		_(
			RawOrigin::Signed(owner),
			parent,
			key(),
			mode,
			params,
			object_type,
			ObjectFlags::hashed_keys(),
		);
		assert!(Subtrees::<T>::contains_key(parent.child(&key())));
	}

	#[benchmark]
	fn register_hosted() {
		let owner = owner::<T>();
		let (parent, key) = T::BenchmarkHelper::deepest_object(&owner);
		let params = params(&authorities(), 16);
		let subtree = parent.child(&key);
		#[extrinsic_call]
		_(RawOrigin::Signed(owner), parent, key, ModeId::Native(Poa::ID), params);
		assert!(Subtrees::<T>::contains_key(subtree));
	}

	#[benchmark]
	fn commit_head(s: Linear<1, MAX_AUTHORITIES>) {
		let keys = authorities();
		// Its first head gives up the nodes that the hub keeps.
		let Registered { owner, subtree, .. } = super::register_hosted::<T>(&keys, s as u8);
		let head = next_head::<T>(subtree);
		let evidence = sign(&keys, s, &head_payload(0, &head));
		#[extrinsic_call]
		_(RawOrigin::Signed(owner), head, evidence);
		assert_eq!(Subtrees::<T>::get(subtree).map(|info| info.head.seq), Some(1));
	}

	/// Signatures over the wrapped payload, each of which is checked twice; `s` counts checks.
	#[benchmark]
	fn update_mode(s: Linear<2, { 2 * MAX_AUTHORITIES }>) {
		let keys = authorities();
		let count = s / 2;
		let Registered { owner, subtree, .. } = super::register::<T>(&keys, count as u8);
		let next = set(&authorities(), 16);
		let payload = Pallet::<T>::poa_rotation_payload(subtree, &next);
		let payload = payload.expect("the subtree is under PoA; qed");
		let evidence = sign(&keys, count, &[b"<Bytes>", &payload[..], b"</Bytes>"].concat());
		let update = next.encode().try_into().expect("a set fits; qed");
		#[extrinsic_call]
		_(RawOrigin::Signed(owner), subtree, update, evidence);
		assert_eq!(Pallet::<T>::poa(subtree).map(|(_, state)| state.set_id), Some(1));
	}

	#[benchmark]
	fn replace_authorities() {
		let Registered { owner, subtree, .. } = super::register::<T>(&authorities(), 16);
		let later = frame_system::Pallet::<T>::block_number()
			.saturating_add(BlockNumberFor::<T>::from(2u32));
		frame_system::Pallet::<T>::set_block_number(later);
		let update = set(&authorities(), 16).encode().try_into().expect("a set fits; qed");
		#[extrinsic_call]
		_(RawOrigin::Signed(owner), subtree, update);
		assert_eq!(Pallet::<T>::poa(subtree).map(|(_, state)| state.set_id), Some(1));
	}

	#[benchmark]
	fn close() {
		let Registered { owner, subtree, .. } = super::register::<T>(&authorities(), 16);
		#[extrinsic_call]
		_(RawOrigin::Signed(owner), subtree);
		assert!(Pallet::<T>::do_close(&super::owner::<T>(), subtree).is_err());
	}

	#[benchmark]
	fn remove() {
		let Registered { owner, subtree, .. } = super::register::<T>(&authorities(), 16);
		Pallet::<T>::do_close(&owner, subtree).expect("the owner closes; qed");
		#[extrinsic_call]
		_(RawOrigin::Signed(owner), subtree);
		assert!(!Subtrees::<T>::contains_key(subtree));
	}

	#[benchmark]
	fn start_hosting() {
		let Registered { owner, parent, subtree } = super::register::<T>(&authorities(), 16);
		let size = ContentSize { objects: 1, bytes: 0 };
		#[extrinsic_call]
		_(RawOrigin::Signed(owner), subtree, size);
		assert!(T::Tree::is_being_hosted(&parent, &key()));
	}

	#[benchmark]
	fn restore() {
		let Registered { owner, subtree, .. } = super::register_hosted::<T>(&authorities(), 16);
		#[extrinsic_call]
		_(RawOrigin::Signed(owner), subtree);
		assert!(!Subtrees::<T>::contains_key(subtree));
	}

	#[benchmark]
	fn finish_hosting() {
		let Registered { owner, subtree, .. } = super::being_hosted::<T>(true);
		#[extrinsic_call]
		_(RawOrigin::Signed(owner), subtree);
		assert!(!Subtrees::<T>::contains_key(subtree));
	}

	/// What was brought is incomplete.
	#[benchmark]
	fn cancel_hosting() {
		let Registered { owner, parent, subtree } = super::being_hosted::<T>(false);
		#[extrinsic_call]
		_(RawOrigin::Signed(owner), subtree);
		assert!(!T::Tree::is_being_hosted(&parent, &key()));
	}

	impl_benchmark_test_suite!(
		Pallet,
		crate::tests::real_tree::new_benchmark_ext(),
		crate::tests::real_tree::Hub
	);
}
