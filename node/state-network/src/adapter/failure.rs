//! What a transport's failure means.

use crate::sync::Failure;
use sc_network::{OutboundFailure, RequestFailure};
use std::io::ErrorKind;

/// Translates a failure of a request; `dialled` says whether the request was allowed to open a connection.
///
/// The backends differ. litep2p says `Refused` for everything that is no time limit: a real refusal, an answer that is too long,
/// a dial that failed, and a connection that closes under the request. A request that may have dialled proves nothing thereby,
/// and counts as one that did not reach the node; over a connection that stood, `Refused` stays one. libp2p tells these
/// apart: an answer that breaks the protocol's limits is `InvalidInput`, and any other input or output error is the connection's.
pub(super) fn to_failure(failure: &RequestFailure, dialled: bool) -> Failure {
	match failure {
		RequestFailure::NotConnected => Failure::NotConnected,
		RequestFailure::Network(OutboundFailure::Timeout) => Failure::TimedOut,
		RequestFailure::Network(OutboundFailure::Io(error))
			if error.kind() == ErrorKind::InvalidInput =>
		{
			Failure::Refused
		},
		RequestFailure::Refused if dialled => Failure::Unreachable,
		RequestFailure::Refused
		| RequestFailure::InvalidRequest
		| RequestFailure::UnknownProtocol
		| RequestFailure::Network(OutboundFailure::UnsupportedProtocols) => Failure::Refused,
		RequestFailure::Obsolete
		| RequestFailure::Network(
			OutboundFailure::DialFailure
			| OutboundFailure::ConnectionClosed
			| OutboundFailure::Io(_),
		) => Failure::Unreachable,
	}
}

#[cfg(test)]
mod tests {
	use super::*;
	use std::{io, sync::Arc};

	fn io(kind: ErrorKind) -> RequestFailure {
		RequestFailure::Network(OutboundFailure::Io(Arc::new(io::Error::from(kind))))
	}

	#[test]
	fn an_answer_that_is_too_long_is_no_lost_connection() {
		for dialled in [false, true] {
			assert_eq!(to_failure(&io(ErrorKind::InvalidInput), dialled), Failure::Refused);
			for kind in
				[ErrorKind::UnexpectedEof, ErrorKind::ConnectionReset, ErrorKind::BrokenPipe]
			{
				assert_eq!(to_failure(&io(kind), dialled), Failure::Unreachable, "{kind}");
			}
		}
	}

	#[test]
	fn a_refusal_counts_only_over_a_connection_that_stood() {
		assert_eq!(to_failure(&RequestFailure::Refused, false), Failure::Refused);
		assert_eq!(to_failure(&RequestFailure::Refused, true), Failure::Unreachable);
	}

	#[test]
	fn the_other_failures_are_what_their_names_say() {
		let network = RequestFailure::Network;
		for (failure, expected) in [
			(RequestFailure::NotConnected, Failure::NotConnected),
			(RequestFailure::Obsolete, Failure::Unreachable),
			(RequestFailure::UnknownProtocol, Failure::Refused),
			(RequestFailure::InvalidRequest, Failure::Refused),
			(network(OutboundFailure::Timeout), Failure::TimedOut),
			(network(OutboundFailure::DialFailure), Failure::Unreachable),
			(network(OutboundFailure::ConnectionClosed), Failure::Unreachable),
			(network(OutboundFailure::UnsupportedProtocols), Failure::Refused),
		] {
			for dialled in [false, true] {
				assert_eq!(to_failure(&failure, dialled), expected, "{failure}");
			}
		}
	}
}
