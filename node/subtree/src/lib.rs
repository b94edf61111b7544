//! The engine of a remote subtree: it executes signed calls, seals them into batches, stores the state and answers reads.
//!
//! The engine knows neither a network nor the hub. What they tell it are method calls, what it tells them are return values:
//! a node, a test and a simulator drive the same code.
//!
//! ```text
//!  bytes --CallGate--> CheckedCall --enqueue--> executor --> log buffer --flush--> Receipt
//!                                                  |                        (synced file)
//!                                                 seal --> Head --> hub --on_hub_head--> committed
//!                                                  |
//!                        batch of a peer --apply_batch--> Store (ParityDB) --> Reader
//!                        ranges of peers --import_range-->
//! ```
//!
//! | Item | Is |
//! |---|---|
//! | [`Engine`] | the one writer: serves (executes calls) or follows (applies batches) |
//! | [`Reader`] | any number of readers, at every kept head |
//! | [`CallGate`], [`CheckedCall`] | the checks that need no state, for other threads |
//! | [`Admission`] | who may submit how much |
//! | [`Watcher`] | who learns of every new head and of what it changed |
//! | [`Faults`] | where tests break things |
//!
//! # Properties
//!
//! - **A receipt is a promise.** It is given after the call is in a file that was synced. The database may lag behind: it
//!   records up to which call it has applied everything, and the rest is executed again at the next start, with every root
//!   compared. So nothing acknowledged is lost and nothing is applied twice.
//! - **A head is handed out once.** It is in the synced log before anybody sees it; a restart gives the same head.
//! - **What is not final stays.** A node that serves is told what the hub finalised, and prunes nothing after it: the hub may take
//!   back whatever it only accepted, and then the same heads go out again.
//! - **A wrong input changes nothing.** A batch is executed in memory and stored only if every root is right; a range is
//!   checked against the root that its parent names before it is stored.
//! - **After a failed write nothing more is accepted.** What is on the disk is then unknown; the next start finds out.
//! - **Everything is bounded**: see [`EngineOptions`].
//!
//! # Trust model
//!
//! The directory is trusted, except that a crash may tear its last write and a disk may damage it: records are checksummed
//! and roots compared. Calls, batches and ranges come from strangers. The heads that a follower is given are trusted: the
//! caller takes them from finalised state of the hub.

mod admission;
mod engine;
mod error;
mod identity;
mod log;
mod options;
mod read;
mod store;

pub use admission::{AccountLimits, Admission, AdmissionRefusal, AdmissionRequest, HubAccounts};
pub use engine::{
	CallGate, CheckedCall, CopiedRange, Engine, HeadNews, HubOutcome, ImportProgress, ImportTarget,
	NoWatcher, Receipt, SealedBatch, Status, TrieEntry, WantedRange, Watcher,
};
pub use error::{
	ApplyError, HubError, ImportError, NonceError, OpenError, ReadError, StopReason, SubmitError,
};
pub use identity::{Genesis, SubtreeIdentity};
pub use options::{EngineOptions, Faults, NoFaults, Retention, Role, Step};
pub use read::{ObjectView, Reader};
