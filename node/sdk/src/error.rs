//! Errors of building and starting a node.

/// The error of an extension: any error that can be shown to the user.
pub type ExtensionError = Box<dyn std::error::Error + Send + Sync + 'static>;

/// Why a node did not start or stopped.
#[derive(Debug, thiserror::Error)]
pub enum Error {
	/// A part of Substrate's service failed: database, network, RPC server or a task.
	#[error(transparent)]
	Service(Box<sc_service::Error>),
	/// The command line or a standard subcommand failed.
	#[error(transparent)]
	Cli(Box<sc_cli::Error>),
	/// An extension failed while it registered its protocols.
	#[error("The extension '{name}' could not register its protocols: {source}")]
	Register {
		/// The extension's name.
		name: &'static str,
		/// What it said.
		source: ExtensionError,
	},
	/// An extension failed to start.
	#[error("The extension '{name}' could not start: {source}")]
	Start {
		/// The extension's name.
		name: &'static str,
		/// What it said.
		source: ExtensionError,
	},
	/// Two parts of the node offer the same RPC method.
	#[error(
		"The extension '{name}' offers an RPC method that the node has already: {source}. \
         Rename the method; methods are named namespace_method."
	)]
	DuplicateMethod {
		/// The extension's name.
		name: &'static str,
		/// Which method.
		source: jsonrpsee::core::RegisterMethodError,
	},
	/// `--seal` was given without `--dev`.
	#[error(
		"--seal makes blocks without consensus, so it works on a development chain only. \
         Add --dev, or leave --seal out."
	)]
	SealWithoutDev,
	/// The first state of the chain, or a runtime, cannot be made from what the chain spec says.
	#[error(
		"The genesis or the code in the chain spec cannot be used: {0}. \
         Correct the chain spec, or write a new one with export-chain-spec."
	)]
	Genesis(String),
	/// The function that composes the node, or a verb of the binary, failed.
	#[error("{0}")]
	Application(#[source] ExtensionError),
}

impl From<sc_service::Error> for Error {
	fn from(error: sc_service::Error) -> Self {
		match error {
			// Of all that happens before the node runs, only building the genesis state and reading code give these two.
			sc_service::Error::Client(
				sp_blockchain::Error::Storage(cause) | sp_blockchain::Error::VersionInvalid(cause),
			) => Self::Genesis(genesis_cause(&cause)),
			error => Self::Service(Box::new(error)),
		}
	}
}

/// The part of a long text about a failed genesis that helps the user.
///
/// The runtime can report what it refuses by a panic only: its message is in the log, what comes here is a trap with a backtrace.
/// What the runtime cannot read comes with all of the genesis behind it.
fn genesis_cause(text: &str) -> String {
	if text.contains("Execution aborted due to trap") {
		return "the runtime refused it, and its line 'panicked at' in the log names the reason"
			.into();
	}
	let text = text.split(" for blob:").next().unwrap_or(text);
	let text = text.split("WASM backtrace:").next().unwrap_or(text);
	text.trim().trim_end_matches('.').into()
}

impl From<sc_cli::Error> for Error {
	fn from(error: sc_cli::Error) -> Self {
		Self::Cli(Box::new(error))
	}
}

impl From<sp_blockchain::Error> for Error {
	fn from(error: sp_blockchain::Error) -> Self {
		sc_service::Error::from(error).into()
	}
}

impl From<sp_consensus::Error> for Error {
	fn from(error: sp_consensus::Error) -> Self {
		sc_service::Error::from(error).into()
	}
}

impl Error {
	/// What the user can do about it, if the cause is a common one.
	pub fn remedy(&self) -> Option<&'static str> {
		match self.io_kind() {
			Some(std::io::ErrorKind::AddrInUse) => {
				return Some(
					"Another program uses that port, perhaps another node. Stop it, or choose \
					 other ports with --rpc-port, --port and --prometheus-port.",
				)
			},
			Some(std::io::ErrorKind::PermissionDenied) => {
				return Some(
					"The node may not write there. Choose a folder of your own with --base-path.",
				)
			},
			_ => (),
		}
		// These reach this place as text only.
		let text = self.to_string();
		if text.contains("parse Ed25519 secret key") {
			return Some(
				"The key of the node's peer id is damaged: the file network/secret_ed25519 in the chain's folder, or the one of \
				 --node-key-file. Restore it, or remove it: the node is a new peer then.",
			);
		}
		text.contains("Database file is in use").then_some(
			"Another node uses the same folder. Stop it, or choose another with --base-path.",
		)
	}

	/// The kind of an error of the operating system, if that is the cause.
	fn io_kind(&self) -> Option<std::io::ErrorKind> {
		let service = match self {
			Self::Service(error) => &**error,
			Self::Cli(error) => match &**error {
				sc_cli::Error::Io(io) => return Some(io.kind()),
				sc_cli::Error::Service(error) => error,
				_ => return None,
			},
			_ => return None,
		};
		match service {
			sc_service::Error::Io(io) => Some(io.kind()),
			sc_service::Error::Network(sc_network::error::Error::Io(io)) => Some(io.kind()),
			_ => None,
		}
	}
}

#[cfg(test)]
mod tests {
	use super::*;

	#[test]
	fn common_causes_have_a_remedy() {
		let port = std::io::Error::from(std::io::ErrorKind::AddrInUse);
		let error = Error::from(sc_service::Error::Io(port));
		assert!(error.remedy().expect("known").contains("--rpc-port"));

		let database = sp_blockchain::Error::Backend("Database file is in use.".into());
		assert!(Error::from(database).remedy().expect("known").contains("--base-path"));

		assert_eq!(Error::SealWithoutDev.remedy(), None);
	}

	#[test]
	fn a_bad_genesis_is_reported_without_what_does_not_help() {
		let shown = |text: &str| {
			let error = sp_blockchain::Error::Storage(text.into());
			Error::from(sc_service::Error::from(error)).to_string()
		};
		let unreadable =
			shown("Invalid JSON blob: unknown field `x` at line 2 column 3 for blob:\n{\n}");
		assert!(unreadable.contains("unknown field `x` at line 2"), "{unreadable}");
		assert!(!unreadable.contains('\n') && unreadable.contains("export-chain-spec"));
		let trap = "wasm call error Execution aborted due to trap: wasm trap: wasm `unreachable` instruction executed\n\
			WASM backtrace:\nerror while executing at wasm backtrace:\n    0: 0x1 - f";
		let refused = shown(trap);
		assert!(
			refused.contains("'panicked at' in the log") && !refused.contains('\n'),
			"{refused}"
		);
	}
}
