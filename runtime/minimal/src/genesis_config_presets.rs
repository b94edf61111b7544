//! The first state of the chains that this runtime knows by name.
//!
//! A preset is a JSON patch of the default genesis config. `development` has one validator and
//! `local_testnet` two; in both the well-known development accounts own money. Their secrets are
//! public, so a chain that is worth something must not start from these.

use crate::{
	AccountId, AuraConfig, Balance, BalancesConfig, GrandpaConfig, RuntimeGenesisConfig,
	SudoConfig, UNIT,
};
use alloc::{vec, vec::Vec};
use frame_support::build_struct_json_patch;
use serde_json::Value;
use sp_consensus_aura::sr25519::AuthorityId as AuraId;
use sp_consensus_grandpa::AuthorityId as GrandpaId;
use sp_genesis_builder::{PresetId, DEV_RUNTIME_PRESET, LOCAL_TESTNET_RUNTIME_PRESET};
use sp_keyring::{Ed25519Keyring, Sr25519Keyring};

/// What each development account owns at genesis.
const ENDOWMENT: Balance = 1_000_000 * UNIT;

/// The Aura and GRANDPA keys of a development validator.
fn authority_keys(aura: Sr25519Keyring, grandpa: Ed25519Keyring) -> (AuraId, GrandpaId) {
	(aura.public().into(), grandpa.public().into())
}

/// A genesis with these validators, in which the development accounts own money and Alice is sudo.
fn genesis(authorities: Vec<(AuraId, GrandpaId)>) -> Value {
	let accounts = Sr25519Keyring::well_known().map(|key| key.to_account_id());
	let balances: Vec<(AccountId, Balance)> = accounts.map(|who| (who, ENDOWMENT)).collect();
	let (aura, grandpa): (Vec<_>, Vec<_>) = authorities.into_iter().unzip();
	build_struct_json_patch!(RuntimeGenesisConfig {
		balances: BalancesConfig { balances },
		aura: AuraConfig { authorities: aura },
		grandpa: GrandpaConfig { authorities: grandpa.into_iter().map(|key| (key, 1)).collect() },
		sudo: SudoConfig { key: Some(Sr25519Keyring::Alice.to_account_id()) },
	})
}

/// One validator, Alice.
pub fn development() -> Value {
	genesis(vec![authority_keys(Sr25519Keyring::Alice, Ed25519Keyring::Alice)])
}

/// Two validators, Alice and Bob.
pub fn local_testnet() -> Value {
	genesis(vec![
		authority_keys(Sr25519Keyring::Alice, Ed25519Keyring::Alice),
		authority_keys(Sr25519Keyring::Bob, Ed25519Keyring::Bob),
	])
}

/// The preset of this name as JSON, or `None` if there is none.
pub fn get_preset(id: &PresetId) -> Option<Vec<u8>> {
	let preset = match id.as_ref() {
		DEV_RUNTIME_PRESET => development(),
		LOCAL_TESTNET_RUNTIME_PRESET => local_testnet(),
		_ => return None,
	};
	Some(serde_json::to_vec(&preset).expect("a JSON value always serialises; qed"))
}

/// The names of all presets.
pub fn preset_names() -> Vec<PresetId> {
	vec![PresetId::from(DEV_RUNTIME_PRESET), PresetId::from(LOCAL_TESTNET_RUNTIME_PRESET)]
}
