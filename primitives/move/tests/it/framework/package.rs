//! Sources of the framework and their compilation.

use crate::support::{AUTHOR, BOB};
use dstp_move::natives::FRAMEWORK;
use dstp_primitives::ObjectId;
use move_compiler::{
	compiled_unit::CompiledUnit,
	shared::{NumberFormat, NumericalAddress},
	Compiler,
};
use std::{
	collections::BTreeMap,
	path::{Path, PathBuf},
	process::Command,
	sync::OnceLock,
};

/// The folder of the package.
pub fn folder() -> PathBuf {
	Path::new(env!("CARGO_MANIFEST_DIR")).join("framework")
}

/// Folder of the sources of the crate `mv-stdlib`, as cargo has it. Nothing of its Rust code is built.
pub fn stdlib() -> &'static Path {
	static FOLDER: OnceLock<PathBuf> = OnceLock::new();
	FOLDER.get_or_init(|| {
		let manifest = Path::new(env!("CARGO_MANIFEST_DIR")).join("Cargo.toml");
		let output = Command::new(env!("CARGO"))
			.args(["metadata", "--locked", "--format-version", "1", "--manifest-path"])
			.arg(manifest)
			.output()
			.unwrap();
		assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
		let text = String::from_utf8(output.stdout).unwrap();
		let path = text
			.split("\"manifest_path\":\"")
			.filter_map(|rest| rest.split('"').next())
			.find(|path| path.contains("mv-stdlib-"))
			.expect("the standard library is a dependency of the tests");
		Path::new(path).parent().unwrap().to_owned()
	})
}

/// All Move files of a folder, in the order of their names.
pub fn sources(folder: &Path) -> Vec<String> {
	let mut files: Vec<_> = std::fs::read_dir(folder)
		.unwrap()
		.map(|entry| entry.unwrap().path())
		.filter(|path| path.extension().is_some_and(|extension| extension == "move"))
		.map(|path| path.to_str().unwrap().to_owned())
		.collect();
	files.sort();
	files
}

/// The names of addresses in sources.
pub fn names() -> BTreeMap<&'static str, NumericalAddress> {
	let number = |id: ObjectId| NumericalAddress::new(id.0, NumberFormat::Hex);
	[("std", FRAMEWORK), ("dstp", FRAMEWORK), ("author", AUTHOR), ("bob", BOB)]
		.map(|(name, id)| (name, number(id)))
		.into()
}

/// Compiles files. Gives bytecode by name of the module.
pub fn compile(targets: Vec<String>, deps: Vec<String>) -> BTreeMap<String, Vec<u8>> {
	let (_, units) = Compiler::from_files(targets, deps, names()).build_and_report().unwrap();
	let units = units.into_iter().map(|unit| unit.into_compiled_unit());
	let modules = units.filter(|unit| matches!(unit, CompiledUnit::Module(_)));
	modules.map(|unit| (unit.name().to_string(), unit.serialize(None))).collect()
}

/// Whether sources compile against the framework.
pub fn compiles(contracts: &[&str]) -> bool {
	let directory = tempfile::tempdir().unwrap();
	let (targets, deps) = files(directory.path(), contracts);
	Compiler::from_files(targets, deps, names()).build().unwrap().1.is_ok()
}

fn files(directory: &Path, contracts: &[&str]) -> (Vec<String>, Vec<String>) {
	let write = |(number, text): (usize, &&str)| {
		let path = directory.join(format!("{number}.move"));
		std::fs::write(&path, text).unwrap();
		path.to_str().unwrap().to_owned()
	};
	let mut deps = sources(&stdlib().join("sources"));
	deps.extend(sources(&folder().join("sources")));
	(contracts.iter().enumerate().map(write).collect(), deps)
}

/// Compiles contracts against the framework, in the order in which they are given.
pub fn compile_contracts(contracts: &[&str]) -> Vec<Vec<u8>> {
	let directory = tempfile::tempdir().unwrap();
	let (targets, deps) = files(directory.path(), contracts);
	let mut modules: Vec<_> = compile(targets, deps).into_iter().collect();
	let position = |name: &str| {
		contracts.iter().position(|text| text.contains(&format!("::{name} {{"))).unwrap()
	};
	modules.sort_by_key(|(name, _)| position(name));
	modules.into_iter().map(|(_, code)| code).collect()
}
