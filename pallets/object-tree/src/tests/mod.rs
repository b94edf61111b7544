//! Tests, one file per part. Every test ends with [`Pallet::do_try_state`](crate::Pallet::do_try_state), before and after the
//! block closes.

mod api;
mod create;
mod deposit;
mod fields;
mod genesis;
mod hosting;
mod journey;
pub(crate) mod mock;
mod owner;
mod property;
mod remote;
mod removal;
mod roots;
mod seeks;
mod storage;
mod try_state;
mod weighing;
mod weight;
