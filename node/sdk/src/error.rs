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
	/// The function that composes the node, or a verb of the binary, failed.
	#[error("{0}")]
	Application(#[source] ExtensionError),
}

impl From<sc_service::Error> for Error {
	fn from(error: sc_service::Error) -> Self {
		Self::Service(Box::new(error))
	}
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
		// ParityDB's lock reaches this place as text only.
		self.to_string().contains("Database file is in use").then_some(
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
}
