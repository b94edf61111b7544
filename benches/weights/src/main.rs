//! Runs the benchmarks of a runtime's pallets: the `benchmark pallet` command of Substrate, without a node.
//!
//! `frame-omni-bencher` of polkadot-sdk does the same, but insists on RocksDB, a large library in C++ that nothing else here needs.

use clap::Parser;
use frame_benchmarking_cli::PalletCmd;
use sp_runtime::traits::BlakeTwo256;

/// Beside Substrate's own host functions and those of benchmarks, which the command adds.
type NoHostFunctions = ();

fn main() -> sc_cli::Result<()> {
	PalletCmd::parse().run_with_spec::<BlakeTwo256, NoHostFunctions>(None)
}
