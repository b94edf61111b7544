//! Natives of `event`.

use super::{
	abort,
	scope::{Native, Returned, Scope, Stop},
};
use crate::engine::{Event, MAX_EVENTS, MAX_EVENT_BYTES};
use move_core_types::language_storage::TypeTag;
use move_vm_types::{values::Value, views::ValueView};

/// Module, name, and the function.
pub(super) const NATIVES: &[(&str, &str, Native)] = &[("event", "emit", emit)];

/// `emit<T: drop>(event: T)`. Aborts with [`abort::NOT_A_STRUCT`], [`abort::NOT_SERIALIZABLE`] and [`abort::MANY_EVENTS`].
fn emit(scope: &mut Scope) -> Returned {
	let value = scope.pop_value()?;
	let meter = scope.meter();
	meter.charge(meter.schedule().event)?;
	if scope.host().events.list.len() >= MAX_EVENTS {
		return Err(Stop::Abort(abort::MANY_EVENTS));
	}
	let tag = scope.tag(0)?;
	if !matches!(tag, TypeTag::Struct(_)) {
		return Err(Stop::Abort(abort::NOT_A_STRUCT));
	}
	let not_serializable = Stop::Abort(abort::NOT_SERIALIZABLE);
	let Some(layout) = scope.layout(0)? else { return Err(not_serializable) };
	meter.charge_value(told_bytes(&value))?;
	let (Some(value), Ok(type_tag)) = (value.simple_serialize(&layout), bcs::to_bytes(&tag)) else {
		return Err(not_serializable);
	};
	let bytes = type_tag.len() + value.len();
	meter.charge_each(meter.schedule().byte_written, bytes as u64)?;
	let events = &mut scope.host().events;
	if events.bytes + bytes > MAX_EVENT_BYTES {
		return Err(Stop::Abort(abort::MANY_EVENTS));
	}
	events.bytes += bytes;
	events.list.push(Event { type_tag, value });
	Ok(Vec::new())
}

/// The size of a value as the machine tells it.
pub(super) fn told_bytes(value: &Value) -> u64 {
	value.legacy_abstract_memory_size().into()
}
