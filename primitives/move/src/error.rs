//! Why an execution fails.

use dstp_primitives::TreeError;
use move_binary_format::errors::{Location, VMError};
use move_core_types::{
	language_storage::ModuleId,
	vm_status::{StatusCode, StatusType},
};

/// Why nothing came of an execution. It changes nothing.
///
/// Everything but [`Self::Storage`] follows from the state and the request, so every node arrives at the same error.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum MoveError {
	/// The tree could not answer, for example because a node is outside the witness. Repeat the execution where it can.
	#[error("{0}")]
	Storage(TreeError),
	/// What stands in the tree at the place of a module or resource is not one.
	#[error("the tree holds no {0} where one should stand")]
	Corrupt(&'static str),
	/// There is no such module.
	#[error("there is no module {0}; publish it first, dependencies before what needs them")]
	ModuleNotFound(String),
	/// There is no such function in the module, or it may not be called like this.
	#[error("{module}::{function} {problem}")]
	NotCallable {
		/// The module.
		module: String,
		/// The function that was asked for.
		function: String,
		/// Why it cannot be called.
		problem: &'static str,
	},
	/// The request itself is malformed.
	#[error("{0}")]
	BadRequest(String),
	/// Bytecode is refused at publication.
	#[error("module {module} is refused: {reason}")]
	Rejected {
		/// The module.
		module: String,
		/// What the verifier found.
		reason: String,
	},
	/// The contract ended the call itself.
	#[error("{module} aborted with code {code}")]
	Aborted {
		/// The module that aborted.
		module: String,
		/// Its code.
		code: u64,
	},
	/// The gas limit was too low.
	#[error("the call ran out of gas; ask for an estimate and set a higher limit")]
	OutOfGas,
	/// The contract did what is not allowed while it runs, such as a division by zero.
	#[error("{module} failed: {status}")]
	Failed {
		/// The module in which it happened.
		module: String,
		/// The status of the virtual machine.
		status: String,
	},
	/// The virtual machine found itself in a state that verified code cannot reach, or panicked. The machine is dropped. `problem` is for
	/// people: it can name places in memory, which differ from node to node.
	#[error("the virtual machine broke down in {module}: {problem}")]
	Invariant {
		/// The module in which it happened.
		module: String,
		/// What happened.
		problem: String,
	},
}

impl From<TreeError> for MoveError {
	fn from(error: TreeError) -> Self {
		Self::Storage(error)
	}
}

impl From<VMError> for MoveError {
	fn from(error: VMError) -> Self {
		let module = match error.location() {
			Location::Module(id) => module_name(id),
			Location::Script | Location::Undefined => "no module in particular".into(),
		};
		let status = error.major_status();
		match error.status_type() {
			_ if status == StatusCode::ABORTED => {
				Self::Aborted { module, code: error.sub_status().unwrap_or_default() }
			},
			_ if status == StatusCode::OUT_OF_GAS => Self::OutOfGas,
			_ if LIMITS.contains(&status) => Self::Failed { module, status: described(&error) },
			_ if BAD_REQUEST.contains(&status) => {
				Self::BadRequest(format!("the arguments do not fit the function: {status:?}"))
			},
			StatusType::InvariantViolation | StatusType::Unknown => {
				Self::Invariant { module, problem: described(&error) }
			},
			StatusType::Verification | StatusType::Deserialization => {
				Self::Rejected { module, reason: described(&error) }
			},
			StatusType::Execution | StatusType::Validation => {
				Self::Failed { module, status: format!("{status:?}") }
			},
		}
	}
}

/// What the virtual machine says of arguments and type arguments from a caller.
const BAD_REQUEST: [StatusCode; 5] = [
	StatusCode::FAILED_TO_DESERIALIZE_ARGUMENT,
	StatusCode::INVALID_PARAM_TYPE_FOR_DESERIALIZATION,
	StatusCode::NUMBER_OF_TYPE_ARGUMENTS_MISMATCH,
	StatusCode::CONSTRAINT_NOT_SATISFIED,
	StatusCode::TYPE_RESOLUTION_FAILURE,
];

/// What the meter says when a limit other than gas is reached.
const LIMITS: [StatusCode; 2] =
	[StatusCode::VM_MAX_VALUE_DEPTH_REACHED, StatusCode::VM_MAX_TYPE_DEPTH_REACHED];

/// A module as people write it: `0x<64 digits>::name`.
pub(crate) fn module_name(id: &ModuleId) -> String {
	format!("0x{:x}::{}", id.address(), id.name())
}

fn described(error: &VMError) -> String {
	match error.message() {
		Some(message) => format!("{:?}, {message}", error.major_status()),
		None => format!("{:?}", error.major_status()),
	}
}
