//! What a change of this runtime must not break by accident. The integrity tests of all pallets, which the
//! runtime macro adds, run beside these.

use super::*;
use frame_support::{
	genesis_builder_helper::build_state,
	traits::{PalletInfoAccess, PalletsInfoAccess},
};

#[test]
fn state_version_is_one() {
	assert_eq!(VERSION.state_version(), sp_runtime::StateVersion::V1);
}

#[test]
fn the_object_tree_has_the_last_hooks() {
	let last = AllPalletsWithSystem::infos().into_iter().max_by_key(|pallet| pallet.index);
	assert_eq!(last.expect("there are pallets").name, ObjectTree::name());
}

#[test]
fn every_preset_builds_a_genesis_state() {
	assert_eq!(genesis_config_presets::preset_names().len(), 2);
	for name in genesis_config_presets::preset_names() {
		let preset = genesis_config_presets::get_preset(&name).expect("a named preset exists");
		let mut config = serde_json::to_value(RuntimeGenesisConfig::default()).expect("valid JSON");
		let patch: serde_json::Value = serde_json::from_slice(&preset).expect("valid JSON");
		// The node merges deeper; the presets set whole pallets' fields, so this is enough here.
		for (pallet, fields) in patch.as_object().expect("a preset is a patch") {
			for (field, value) in fields.as_object().expect("of fields") {
				config[pallet][field] = value.clone();
			}
		}
		sp_io::TestExternalities::new_empty().execute_with(|| {
			build_state::<RuntimeGenesisConfig>(config.to_string().into_bytes())
				.expect("the preset fits the genesis config");
			assert!(Balances::total_issuance() > 0);
			assert!(!pallet_aura::Authorities::<Runtime>::get().is_empty());
		});
	}
}
