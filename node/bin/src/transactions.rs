//! The hub's transactions, for the verbs of the node SDK.

use crate::Hub;
use codec::{Decode, Encode};
use dstp_hub_runtime::{
	Hash, Runtime, RuntimeCall, RuntimeError, RuntimeEvent, SignedPayload, TxExtension,
	UncheckedExtrinsic, VERSION,
};
use dstp_node_sdk::verbs::{HubCall, HubTransactions, Terms};
use dstp_primitives::{
	mode::{
		poa::{Poa, PoaParams},
		SecurityMode,
	},
	object::{ModeId, ObjectFlags, ObjectType},
};
use frame_system::{EventRecord, Phase};
use pallet_object_tree::StagedObject;
use pallet_subtree_security::ModeParams;
use sp_runtime::{generic::Era, DispatchError, MultiAddress, MultiSignature};

impl HubTransactions for Hub {
	const SPEC_NAME: &'static str = "dstp-hub";
	const TRANSACTION_VERSION: u32 = VERSION.transaction_version;

	fn transaction(
		calls: Vec<HubCall>,
		terms: &Terms,
		sign: &dyn Fn(&[u8]) -> MultiSignature,
	) -> Vec<u8> {
		let mut calls: Vec<_> = calls.into_iter().map(runtime_call).collect();
		let call = match calls.len() {
			1 => calls.remove(0),
			_ => RuntimeCall::Utility(pallet_utility::Call::batch_all { calls }),
		};
		let extension = extension(terms);
		let implicit = (
			(),
			(),
			terms.spec_version,
			VERSION.transaction_version,
			terms.genesis,
			terms.genesis,
			(),
			(),
			(),
			None,
			(),
		);
		let payload = SignedPayload::from_raw(call.clone(), extension.clone(), implicit);
		let signature = payload.using_encoded(sign);
		let signer = MultiAddress::Id(terms.signer.clone());
		UncheckedExtrinsic::new_signed(call, signer, signature, extension).encode()
	}

	fn failure(mut events: &[u8], index: u32) -> Result<Option<String>, codec::Error> {
		let records = Vec::<Box<EventRecord<RuntimeEvent, Hash>>>::decode(&mut events)?;
		Ok(records.into_iter().find_map(|record| match record.event {
			RuntimeEvent::System(frame_system::Event::ExtrinsicFailed {
				dispatch_error, ..
			}) if record.phase == Phase::ApplyExtrinsic(index) => Some(reason(dispatch_error)),
			_ => None,
		}))
	}
}

fn runtime_call(call: HubCall) -> RuntimeCall {
	let mode = ModeId::Native(Poa::ID);
	let call = match call {
		HubCall::CreateObject { parent, key, depth } => {
			return RuntimeCall::ObjectTree(pallet_object_tree::Call::create {
				parent,
				key,
				object_type: ObjectType::Plain,
				flags: ObjectFlags::default(),
				depth_bound: depth,
			})
		},
		HubCall::Stage { subtree, object, entries, complete } => {
			return RuntimeCall::ObjectTree(pallet_object_tree::Call::stage {
				subtree,
				object: object.map(|(parent, key, meta)| StagedObject { parent, key, meta }),
				entries: entries
					.try_into()
					.expect("HubCall::Stage never holds more than MAX_BATCH_FIELDS entries; qed"),
				complete,
			})
		},
		HubCall::RegisterSubtree { parent, key, params } => {
			pallet_subtree_security::Call::register {
				parent,
				key,
				mode,
				params: mode_params(&params),
				object_type: ObjectType::Plain,
				flags: ObjectFlags::default(),
			}
		},
		HubCall::RegisterHosted { parent, key, params } => {
			let params = mode_params(&params);
			pallet_subtree_security::Call::register_hosted { parent, key, mode, params }
		},
		HubCall::RestoreSubtree { subtree } => pallet_subtree_security::Call::restore { subtree },
		HubCall::StartHosting { subtree, size } => {
			pallet_subtree_security::Call::start_hosting { subtree, size }
		},
		HubCall::FinishHosting { subtree } => {
			pallet_subtree_security::Call::finish_hosting { subtree }
		},
		HubCall::CancelHosting { subtree } => {
			pallet_subtree_security::Call::cancel_hosting { subtree }
		},
	};
	RuntimeCall::SubtreeSecurity(call)
}

fn mode_params(params: &PoaParams) -> ModeParams {
	let params = params.encode().try_into();
	params.expect("integrity_test checks that the parameters of every mode fit; qed")
}

/// Immortal, without a tip.
fn extension(terms: &Terms) -> TxExtension {
	(
		frame_system::AuthorizeCall::<Runtime>::new(),
		frame_system::CheckNonZeroSender::<Runtime>::new(),
		frame_system::CheckSpecVersion::<Runtime>::new(),
		frame_system::CheckTxVersion::<Runtime>::new(),
		frame_system::CheckGenesis::<Runtime>::new(),
		frame_system::CheckEra::<Runtime>::from(Era::Immortal),
		frame_system::CheckNonce::<Runtime>::from(terms.nonce),
		frame_system::CheckWeight::<Runtime>::new(),
		pallet_transaction_payment::ChargeTransactionPayment::<Runtime>::from(0),
		frame_metadata_hash_extension::CheckMetadataHash::<Runtime>::new(false),
		frame_system::WeightReclaim::<Runtime>::new(),
	)
}

/// An error by its pallet and name, such as `SubtreeSecurity(SubtreeExists)`.
fn reason(error: DispatchError) -> String {
	match RuntimeError::from_dispatch_error(error) {
		Some(named) => format!("{named:?}"),
		None => format!("{error:?}"),
	}
}

#[cfg(test)]
mod tests {
	use super::*;

	#[test]
	fn the_name_is_that_of_the_runtime() {
		assert_eq!(Hub::SPEC_NAME, VERSION.spec_name);
	}

	#[test]
	fn a_failed_transaction_is_found_by_its_index_and_named() {
		let failed = |index| EventRecord::<RuntimeEvent, Hash> {
			phase: Phase::ApplyExtrinsic(index),
			event: RuntimeEvent::System(frame_system::Event::ExtrinsicFailed {
				dispatch_error: pallet_subtree_security::Error::<Runtime>::SubtreeExists.into(),
				dispatch_info: Default::default(),
			}),
			topics: Vec::new(),
		};
		let events = vec![failed(3)].encode();
		assert_eq!(Hub::failure(&events, 2), Ok(None));
		assert_eq!(Hub::failure(&events, 3), Ok(Some("SubtreeSecurity(SubtreeExists)".into())));
		assert!(Hub::failure(&events[..events.len() - 1], 3).is_err());
	}
}
