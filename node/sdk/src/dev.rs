//! What a development node tells its user when it starts.

use crate::{
	builder::Node,
	chain_spec::TOKEN_DECIMALS,
	consensus::{Consensus, Sealing},
	output,
	runtime::{AccountId, Balance, BlockHash, FullBackend, NodeRuntime},
};
use codec::Decode;
use sc_client_api::StorageProvider;
use sc_network::multiaddr::Protocol;
use sc_service::Properties;
use sp_blockchain::HeaderBackend;
use sp_core::{crypto::Ss58Codec, storage::StorageKey};
use sp_crypto_hashing::{blake2_128, twox_128};
use sp_keyring::Sr25519Keyring;
use std::fmt::Write;

/// Prints the accounts that have money and their secrets, and what to try next.
pub(crate) fn print_banner<R: NodeRuntime>(
	node: &Node<R>,
	consensus: Consensus,
	properties: &Properties,
) {
	let accounts = funded_accounts(node);
	let port = rpc_port(node);
	let text = banner(&accounts, port, consensus, &Token::new(properties));
	if let Err(error) = output::print(&output::printable(&text)) {
		log::warn!(target: "dstp", "the development accounts cannot be shown: {error}");
	}
}

/// A development account with money.
struct FundedAccount {
	name: String,
	address: String,
	secret: String,
	balance: Balance,
}

/// How amounts are written.
struct Token {
	symbol: String,
	decimals: u32,
}

impl Token {
	fn new(properties: &Properties) -> Self {
		let symbol = properties.get("tokenSymbol").and_then(|value| value.as_str());
		let decimals = properties.get("tokenDecimals").and_then(|value| value.as_u64());
		Self {
			symbol: symbol.unwrap_or("UNIT").into(),
			decimals: decimals.and_then(|d| u32::try_from(d).ok()).unwrap_or(TOKEN_DECIMALS.into()),
		}
	}

	/// The amount in whole tokens, rounded down.
	fn whole(&self, amount: Balance) -> Balance {
		10u128.checked_pow(self.decimals).map_or(0, |unit| amount / unit)
	}
}

fn banner(
	accounts: &[FundedAccount],
	port: Option<u16>,
	consensus: Consensus,
	token: &Token,
) -> String {
	let mut text =
		String::from("\nDevelopment accounts (their secrets are public: no real money)\n\n");
	// Writing to a string cannot fail.
	for account in accounts {
		let _ = writeln!(
			text,
			"  {:<13}{}  {:<16}{} {}",
			account.name,
			account.address,
			account.secret,
			token.whole(account.balance),
			token.symbol,
		);
	}
	let blocks = match consensus {
		Consensus::AuraGrandpa => "by Aura, made final by GRANDPA".into(),
		Consensus::DevSeal(Sealing::Instant) => "one at once for each transaction".into(),
		Consensus::DevSeal(Sealing::Interval(period)) => format!("one every {period:?}"),
		Consensus::DevSeal(Sealing::Manual) => "when you call engine_createBlock".into(),
	};
	let _ = writeln!(text, "\nBlocks  {blocks}");
	if let Some(port) = port {
		let _ = write!(
			text,
			"RPC     ws://127.0.0.1:{port}\n\
             Look    https://polkadot.js.org/apps/?rpc=ws%3A%2F%2F127.0.0.1%3A{port}#/explorer\n\
             Try     {}\n",
			try_next(port, consensus),
		);
	}
	text
}

/// A command that shows that the node answers.
fn try_next(port: u16, consensus: Consensus) -> String {
	let call = match consensus {
		Consensus::DevSeal(Sealing::Manual) => {
			r#"{"jsonrpc":"2.0","id":1,"method":"engine_createBlock","params":[true,true]}"#
		},
		_ => r#"{"jsonrpc":"2.0","id":1,"method":"chain_getHeader"}"#,
	};
	format!("curl -s -H 'content-type: application/json' -d '{call}' http://127.0.0.1:{port}")
}

/// The port of the first RPC server.
fn rpc_port<R: NodeRuntime>(node: &Node<R>) -> Option<u16> {
	node.rpc.listen_addresses().iter().flat_map(|address| address.iter()).find_map(
		|part| match part {
			Protocol::Tcp(port) => Some(port),
			_ => None,
		},
	)
}

/// The development accounts that have money at the best block, in their usual order.
fn funded_accounts<R: NodeRuntime>(node: &Node<R>) -> Vec<FundedAccount> {
	let at = node.client.info().best_hash;
	Sr25519Keyring::iter()
		.filter_map(|key| {
			let account = key.to_account_id();
			let balance = free_balance(node, at, &account).filter(|balance| *balance > 0)?;
			Some(FundedAccount {
				name: key.to_string(),
				address: account.to_ss58check(),
				secret: key.to_seed(),
				balance,
			})
		})
		.collect()
}

/// The free balance of an account, or `None` if it does not exist.
///
/// Reads `System.Account` as every FRAME chain with balances stores it: nonce, consumers,
/// providers and sufficients as u32, then the free balance as u128.
fn free_balance<R: NodeRuntime>(
	node: &Node<R>,
	at: BlockHash,
	account: &AccountId,
) -> Option<Balance> {
	let account: &[u8] = account.as_ref();
	let key =
		[&twox_128(b"System")[..], &twox_128(b"Account"), &blake2_128(account), account].concat();
	let value =
		StorageProvider::<R::Block, FullBackend<R>>::storage(&*node.client, at, &StorageKey(key))
			.ok()??;
	let (_, _, _, _, free) =
		<(u32, u32, u32, u32, Balance)>::decode(&mut value.0.as_slice()).ok()?;
	Some(free)
}

#[cfg(test)]
mod tests {
	use super::*;

	#[test]
	fn banner_shows_accounts_and_the_next_command() {
		let accounts = [FundedAccount {
			name: "Alice".into(),
			address: "5GrwvaEF5zXb26Fz9rcQpDWS57CtERHpNehXCPcNoHGKutQY".into(),
			secret: "//Alice".into(),
			balance: 3_500_000_000_000,
		}];
		let token = Token::new(&Properties::new());
		let text = banner(&accounts, Some(9944), Consensus::DevSeal(Sealing::Manual), &token);
		assert!(text.contains("Alice        5GrwvaEF5zXb26Fz9rcQpDWS57CtERHpNehXCPcNoHGKutQY"));
		assert!(text.contains("//Alice         3 UNIT"), "{text}");
		assert!(text.contains("engine_createBlock"), "{text}");
		assert!(text.contains("http://127.0.0.1:9944"), "{text}");
	}
}
