//! Chain specs: from the runtime's presets, or from a file.

use crate::runtime::NodeRuntime;
use sc_service::{ChainSpec, ChainType, GenericChainSpec, Properties};
use std::path::PathBuf;

#[cfg(test)]
mod tests;

/// The decimals of the token: 10^12 of the smallest unit are one UNIT.
pub(crate) const TOKEN_DECIMALS: u8 = 12;

/// The standard meaning of `--chain`; see [`NodeRuntime::chain_spec`].
pub(crate) fn standard<R: NodeRuntime>(id: &str) -> Result<Box<dyn ChainSpec>, String> {
	match id {
		"dev" => preset::<R>(
			"Development",
			"dev",
			ChainType::Development,
			sp_genesis_builder::DEV_RUNTIME_PRESET,
		),
		"" | "local" => preset::<R>(
			"Local Testnet",
			"local_testnet",
			ChainType::Local,
			sp_genesis_builder::LOCAL_TESTNET_RUNTIME_PRESET,
		),
		path => from_file::<R>(path),
	}
}

/// A chain that starts from a preset of the runtime.
fn preset<R: NodeRuntime>(
	name: &str,
	id: &str,
	chain_type: ChainType,
	preset: &str,
) -> Result<Box<dyn ChainSpec>, String> {
	let wasm = R::wasm_binary().ok_or(
		"This program was built without its runtime (SKIP_WASM_BUILD was set). \
         Build it again without that variable, or give a chain spec file with --chain <file>.",
	)?;
	let spec = GenericChainSpec::<Option<()>, R::HostFunctions>::builder(wasm, None)
		.with_name(&format!("{} {name}", R::NAME))
		.with_id(id)
		.with_chain_type(chain_type)
		.with_protocol_id("dstp")
		.with_properties(properties())
		.with_genesis_config_preset_name(preset)
		.build();
	Ok(Box::new(spec))
}

/// A chain spec in JSON.
fn from_file<R: NodeRuntime>(path: &str) -> Result<Box<dyn ChainSpec>, String> {
	let file = PathBuf::from(path);
	if !file.is_file() {
		return Err(format!(
			"There is no chain and no file named '{path}'. Use --chain dev, --chain local, \
             or the path of a chain spec in JSON (export-chain-spec writes one)."
		));
	}
	let spec = GenericChainSpec::<Option<()>, R::HostFunctions>::from_json_file(file).map_err(
		|error| {
			format!(
				"The chain spec '{path}' cannot be read: {error}. \
                 Write a new one with export-chain-spec --output {path}."
			)
		},
	)?;
	check_id(spec.id())
		.map_err(|reason| format!("The chain spec '{path}' has a bad id: {reason}"))?;
	Ok(Box::new(spec))
}

/// The longest id of a chain in a file, in bytes: file systems take names of 255.
const MAX_ID_BYTES: usize = 128;

/// Checks the id of a chain, which names the folder of its data: it must not lead out of the folder of all chains.
fn check_id(id: &str) -> Result<(), String> {
	let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte);
	let fits =
		(1..=MAX_ID_BYTES).contains(&id.len()) && id.bytes().all(allowed) && !id.starts_with('.');
	fits.then_some(()).ok_or_else(|| {
		format!(
			"it names the folder of the chain's data. Use 1 to {MAX_ID_BYTES} letters, digits, '-', '_' and '.', \
             and no '.' at the start."
		)
	})
}

/// What wallets need to show amounts and addresses.
fn properties() -> Properties {
	let mut properties = Properties::new();
	properties.insert("tokenSymbol".into(), "UNIT".into());
	properties.insert("tokenDecimals".into(), TOKEN_DECIMALS.into());
	properties.insert("ss58Format".into(), 42.into());
	properties
}

/// The chain spec in JSON without the runtime's Wasm: what a reader and a diff care about.
///
/// # Errors
///
/// A sentence, if the spec cannot be built from its preset.
pub(crate) fn without_code(spec: &dyn ChainSpec) -> Result<String, String> {
	let json = spec.as_json(false)?;
	let mut json: serde_json::Value = serde_json::from_str(&json)
		.map_err(|error| format!("The chain spec is not valid JSON: {error}."))?;
	if let Some(genesis) = json.pointer_mut("/genesis/runtimeGenesis") {
		if let Some(fields) = genesis.as_object_mut() {
			fields.remove("code");
		}
	}
	let mut text = serde_json::to_string_pretty(&json)
		.map_err(|error| format!("The chain spec cannot be written: {error}."))?;
	text.push('\n');
	Ok(text)
}
