//! The overlay through which remote subtrees are read and synchronised.
//!
//! The logic is sans-IO: it takes answers, facts of the hub and the time, and gives actions. It opens no connection, starts no
//! task and reads no clock, so that the same state machine runs over a real network and in a seeded simulation.
//!
//! | Module | Holds |
//! |---|---|
//! | [`wire`] | requests, responses and announcements, with their limits |
//! | [`server`] | answering requests from a local copy: [`Source`], [`answer`](server::answer), [`Admission`] |
//! | [`sync`] | following a subtree: [`Follower`] over a [`Target`] |
//! | [`score`] | what other nodes deserve: [`Scores`] |
//! | [`adapter`] | all of it over sc-network |
//!
//! # Trust model
//!
//! The hub's finalised heads are trusted; they come from the node's own hub client. Nothing that another node says is: ranges
//! are checked against the state root of a finalised head, heads by the hash chain that ends in one, batches by the commitment
//! in their head. What does not hold is dropped before it reaches the store and costs the sender its score. Other nodes can
//! delay a follower; one honest provider among the connected ones suffices for progress.

pub mod adapter;
pub mod peer;
pub mod score;
pub mod server;
pub mod sync;
pub mod wire;

pub use peer::Peer;
pub use score::Scores;
pub use server::{Admission, Source};
pub use sync::{Action, Follower, Target};
