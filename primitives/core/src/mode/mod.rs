//! Security modes: the rules by which a new head of a remote subtree is accepted.
//!
//! A mode is a type that implements [`SecurityMode`]. A runtime lists those it knows as a tuple, [`Modes`]; an object's owner
//! chooses one by its id when the subtree is registered. What a mode knows of a subtree is in its parameters, which are fixed at
//! registration, and its state, which heads and updates change; a holder of heads (the hub, later a VApp) keeps both as bytes and
//! never looks into them.
//!
//! Nothing but [`Verified::by`] makes a [`Verified`], and a holder applies nothing else to its tree.
//!
//! # Trust model
//!
//! Evidence, updates and parameters come from strangers: they are decoded with limits on length and depth, and nothing may
//! follow them. A mode binds everything that it accepts to chain, subtree, epoch and era, and to what orders it within those.
//! What a mode promises beyond "the right keys signed" is the mode's own matter and stands in its documentation.

#[cfg(any(test, feature = "std"))]
pub mod conformance;
mod error;
mod list;
pub mod poa;
mod security_mode;
#[cfg(all(test, feature = "runtime"))]
mod tests;
mod verified;

pub use error::{HeadRefusal, ModeError};
pub use list::{ModeInfo, Modes};
pub use poa::Poa;
pub use security_mode::{Accepted, Changed, ModeBytes, ModeContext, SecurityMode};
pub use verified::{
	change, check_stored, decode_params, resume, start, ChangeBy, StoredMode, Updated, Verified,
	MAX_EVIDENCE_BYTES, MAX_PARAMS_BYTES, MAX_STATE_BYTES, MAX_UPDATE_BYTES,
};
