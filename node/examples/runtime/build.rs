//! Builds the runtime's Wasm next to the native crate.

fn main() {
	// The Wasm builder watches this crate's folder; these files of the crate are outside of it.
	println!("cargo:rerun-if-changed=../../../runtime/minimal/src");
	#[cfg(feature = "std")]
	substrate_wasm_builder::WasmBuilder::build_using_defaults();
}
