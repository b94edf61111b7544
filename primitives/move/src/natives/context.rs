//! Natives of `context`.

use super::{
	abort,
	scope::{one, Native, Returned, Scope, Stop},
	standard::new_bytes,
};
use crate::state::move_address;
use move_vm_types::values::Value;

/// Module, name, and the function.
pub(super) const NATIVES: &[(&str, &str, Native)] = &[
	("context", "sender", sender),
	("context", "subtree", |scope| one(Value::address(move_address(&scope.host().subtree)))),
	("context", "seq", |scope| one(Value::u64(scope.host().context.seq))),
	("context", "time_ms", |scope| one(Value::u64(scope.host().context.time_ms))),
	("context", "hub_number", |scope| one(Value::u64(scope.host().context.hub.number.into()))),
	("context", "hub_root", hub_root),
	("context", "genesis", genesis),
];

/// `sender(): address`. Aborts with [`abort::NO_SENDER`] in a view.
fn sender(scope: &mut Scope) -> Returned {
	let sender = scope.host().sender.ok_or(Stop::Abort(abort::NO_SENDER))?;
	one(Value::address(move_address(&sender)))
}

/// `hub_root(): vector<u8>`
fn hub_root(scope: &mut Scope) -> Returned {
	let root = scope.host().context.hub.global_root;
	new_bytes(&scope.meter(), root.as_bytes().to_vec())
}

/// `genesis(): vector<u8>`
fn genesis(scope: &mut Scope) -> Returned {
	let genesis = scope.host().context.genesis;
	new_bytes(&scope.meter(), genesis.to_vec())
}
