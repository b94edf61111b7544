//! The bytecode in the repository is that of the sources.

use super::{package::*, with_framework};
use dstp_move::framework::{Module, DSTP, STD};
use std::collections::BTreeMap;

fn compiled() -> [BTreeMap<String, Vec<u8>>; 2] {
	let (std, own) = (sources(&stdlib().join("sources")), sources(&folder().join("sources")));
	let own = if own.is_empty() { BTreeMap::new() } else { compile(own, std.clone()) };
	[compile(std, Vec::new()), own]
}

#[test]
fn the_sources_give_the_bytes_that_are_published() {
	let update = std::env::var_os("UPDATE_FRAMEWORK").is_some();
	for (sources, published) in compiled().into_iter().zip([STD, DSTP]) {
		for (name, code) in &sources {
			let path = folder().join("compiled").join(format!("{name}.mv"));
			if update {
				std::fs::write(&path, code).unwrap();
			}
			let stored = std::fs::read(&path).unwrap_or_default();
			assert!(stored == *code, "{name} changed; run this test again with UPDATE_FRAMEWORK=1");
		}
		let names = |modules: &[Module]| {
			let mut names: Vec<_> = modules.iter().map(|module| module.name.to_owned()).collect();
			names.sort();
			names
		};
		assert_eq!(names(published), sources.into_keys().collect::<Vec<_>>());
	}
}

#[test]
fn everything_is_published_and_fits_the_envelope() {
	with_framework();
	let bytes: usize = STD.iter().chain(DSTP).map(|module| module.code.len()).sum();
	println!("{} modules, {bytes} bytes", STD.len() + DSTP.len());
}
