//! Builds signed transactions as a wallet does, for the runtime that the module above names as `runtime`.

use super::runtime::{
	Balance, Nonce, Runtime, RuntimeCall, SignedPayload, TxExtension, UncheckedExtrinsic, VERSION,
};
use codec::Encode;
use sp_keyring::Sr25519Keyring;
use sp_runtime::{generic::Era, MultiAddress};

/// A transfer as hex, valid for ever on the chain with this genesis hash.
pub fn transfer(
	from: Sr25519Keyring,
	nonce: Nonce,
	genesis: &str,
	to: Sr25519Keyring,
	value: Balance,
) -> String {
	let call = RuntimeCall::Balances(pallet_balances::Call::transfer_keep_alive {
		dest: MultiAddress::Id(to.to_account_id()),
		value,
	});
	sign(from, nonce, genesis, call)
}

/// A signed call as hex, valid for ever on the chain with this genesis hash.
pub fn sign(from: Sr25519Keyring, nonce: Nonce, genesis: &str, call: RuntimeCall) -> String {
	sign_with_tip(from, nonce, genesis, call, 0)
}

/// The same with a tip, which lets it go before others.
pub fn sign_with_tip(
	from: Sr25519Keyring,
	nonce: Nonce,
	genesis: &str,
	call: RuntimeCall,
	tip: Balance,
) -> String {
	let genesis: [u8; 32] =
		hex::decode(genesis.trim_start_matches("0x")).unwrap().try_into().unwrap();
	let extension: TxExtension = (
		frame_system::AuthorizeCall::<Runtime>::new(),
		frame_system::CheckNonZeroSender::<Runtime>::new(),
		frame_system::CheckSpecVersion::<Runtime>::new(),
		frame_system::CheckTxVersion::<Runtime>::new(),
		frame_system::CheckGenesis::<Runtime>::new(),
		frame_system::CheckEra::<Runtime>::from(Era::Immortal),
		frame_system::CheckNonce::<Runtime>::from(nonce),
		frame_system::CheckWeight::<Runtime>::new(),
		pallet_transaction_payment::ChargeTransactionPayment::<Runtime>::from(tip),
		frame_metadata_hash_extension::CheckMetadataHash::<Runtime>::new(false),
		frame_system::WeightReclaim::<Runtime>::new(),
	);
	let payload = SignedPayload::from_raw(
		call.clone(),
		extension.clone(),
		(
			(),
			(),
			VERSION.spec_version,
			VERSION.transaction_version,
			genesis.into(),
			genesis.into(),
			(),
			(),
			(),
			None,
			(),
		),
	);
	let signature = payload.using_encoded(|bytes| from.sign(bytes));
	let extrinsic = UncheckedExtrinsic::new_signed(
		call,
		MultiAddress::Id(from.to_account_id()),
		signature.into(),
		extension,
	);
	format!("0x{}", hex::encode(extrinsic.encode()))
}
