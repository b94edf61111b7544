//! Natives of `coin`.

use super::{
	abort,
	scope::{one, Native, Returned, Scope, Stop},
};
use move_core_types::language_storage::TypeTag;
use move_vm_types::values::Value;

/// Module, name, and the function.
pub(super) const NATIVES: &[(&str, &str, Native)] = &[("coin", "module_address", module_address)];

/// `module_address<T>(): address`. Aborts with [`abort::NOT_A_STRUCT`].
fn module_address(scope: &mut Scope) -> Returned {
	match scope.tag(0)? {
		TypeTag::Struct(tag) => one(Value::address(tag.address)),
		_ => Err(Stop::Abort(abort::NOT_A_STRUCT)),
	}
}
