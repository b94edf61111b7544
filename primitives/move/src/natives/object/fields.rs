//! Fields of objects.

use super::{
	charge_tree,
	open::{OpenField, OpenObject, MAX_OPEN_FIELDS, MAX_OPEN_OBJECTS},
	pop_key, pop_object, pop_signer,
};
use crate::{
	error::MoveError,
	natives::{
		abort,
		event::told_bytes,
		scope::{broken, one, Returned, Scope, Stop},
	},
};
use dstp_primitives::{
	contract::{ContractChange, ContractField, TypeTagBytes},
	tree::Actor,
	AccountId, Key, ObjectId,
};
use move_core_types::{effects::Op, value::MoveTypeLayout};
use move_vm_types::values::{GlobalValue, Value};
use std::collections::BTreeMap;

/// The type that a native was called for.
struct FieldType {
	tag: TypeTagBytes,
	/// Of the struct that holds the value.
	layout: MoveTypeLayout,
}

impl FieldType {
	fn of(scope: &Scope) -> Result<Self, Stop> {
		let tag = bcs::to_bytes(&scope.tag(0)?).map_err(|_| broken())?;
		let tag = tag.try_into().map_err(|_| Stop::Abort(abort::LARGE_FIELD))?;
		let layout = scope.layout(1)?.ok_or(Stop::Abort(abort::NOT_SERIALIZABLE))?;
		Ok(Self { tag, layout })
	}
}

/// `open_object(owner: &signer, id: address)`
pub(super) fn open_object(scope: &mut Scope) -> Returned {
	let (object, actor) = (pop_object(scope)?, pop_signer(scope)?);
	charge_tree(scope, 1, 0)?;
	let objects = &mut scope.host().objects;
	objects.closed(&object)?;
	if objects.open.len() >= MAX_OPEN_OBJECTS {
		return Err(Stop::Abort(abort::MANY_OBJECTS));
	}
	let writer = Actor::Account(actor.clone());
	objects.tree.check_writer(&writer, &object).map_err(|error| objects.refused(error))?;
	objects.open.insert(object, OpenObject { actor, fields: BTreeMap::new() });
	Ok(Vec::new())
}

/// `close_object(id: address)`
pub(super) fn close_object(scope: &mut Scope) -> Returned {
	let object = pop_object(scope)?;
	let OpenObject { actor, fields } =
		scope.host().objects.open.remove(&object).ok_or_else(broken)?;
	for (key, field) in fields {
		write_back(scope, &actor, object, key, field)?;
	}
	Ok(Vec::new())
}

/// Notes what became of a field that was touched.
fn write_back(
	scope: &mut Scope,
	actor: &AccountId,
	object: ObjectId,
	key: Key,
	field: OpenField,
) -> Result<(), Stop> {
	let OpenField { type_tag, layout, value } = field;
	let Some(effect) = value.into_effect() else { return Ok(()) };
	charge_tree(scope, 0, 1)?;
	let actor = actor.clone();
	let change = match effect {
		Op::Delete => ContractChange::RemoveField { actor, object, key },
		Op::New(value) | Op::Modify(value) => {
			let meter = scope.meter();
			meter.charge_value(told_bytes(&value))?;
			let bytes =
				value.simple_serialize(&layout).ok_or(Stop::Abort(abort::NOT_SERIALIZABLE))?;
			let length = type_tag.len() + bytes.len();
			meter.charge_each(meter.schedule().byte_written, length as u64)?;
			let value = bytes.try_into().map_err(|_| Stop::Abort(abort::LARGE_FIELD))?;
			ContractChange::SetField { actor, object, key, type_tag, value }
		},
	};
	scope.host().objects.change(change)
}

/// A field as it stands in the tree and in the changes so far.
fn stored(scope: &mut Scope, object: &ObjectId, key: &Key) -> Result<Option<ContractField>, Stop> {
	charge_tree(scope, 1, 0)?;
	let objects = &scope.host().objects;
	let field = objects.tree.contract_field(object, key).map_err(|error| objects.refused(error))?;
	if let Some(field) = &field {
		let (meter, length) = (scope.meter(), field.type_tag.len() + field.value.len());
		meter.charge_each(meter.schedule().byte_read, length as u64)?;
	}
	Ok(field)
}

/// The struct that holds the value of a field.
fn decoded(scope: &mut Scope, layout: &MoveTypeLayout, bytes: &[u8]) -> Result<Value, Stop> {
	scope.meter().decoded(bytes.len() as u64, layout);
	Value::simple_deserialize(bytes, layout)
		.ok_or_else(|| scope.host().objects.broken(MoveError::Corrupt("field")))
}

/// What stands at a key of an open object.
enum Found<'a> {
	/// A value of the type that was asked for.
	Own(&'a mut OpenField),
	/// A value of another type.
	Other,
	/// Nothing.
	Nothing(&'a mut OpenField),
}

/// Looks for a field of an open object, in memory first.
fn look_up<'a>(
	scope: &'a mut Scope,
	object: &ObjectId,
	key: Key,
	of: &FieldType,
) -> Result<Found<'a>, Stop> {
	let open = scope.host().objects.open.get(object).ok_or_else(broken)?;
	if !open.fields.contains_key(&key) {
		if open.fields.len() >= MAX_OPEN_FIELDS {
			return Err(Stop::Abort(abort::MANY_OBJECTS));
		}
		let value = match stored(scope, object, &key)? {
			None => GlobalValue::none(),
			Some(field) if field.type_tag != of.tag => return Ok(Found::Other),
			Some(field) => GlobalValue::cached(decoded(scope, &of.layout, &field.value)?)?,
		};
		let field = OpenField { type_tag: of.tag.clone(), layout: of.layout.clone(), value };
		let open = scope.host().objects.open.get_mut(object).ok_or_else(broken)?;
		open.fields.insert(key.clone(), field);
	}
	let open = scope.host().objects.open.get_mut(object).ok_or_else(broken)?;
	let field = open.fields.get_mut(&key).ok_or_else(broken)?;
	Ok(match field.value.exists()? {
		false => Found::Nothing(field),
		true if field.type_tag == of.tag => Found::Own(field),
		true => Found::Other,
	})
}

/// `add_field<V, F>(id: address, key: vector<u8>, field: F)`
pub(super) fn add_field(scope: &mut Scope) -> Returned {
	let value = scope.pop_value()?;
	let (key, object) = (pop_key(scope)?, pop_object(scope)?);
	let of = FieldType::of(scope)?;
	match look_up(scope, &object, key, &of)? {
		Found::Own(_) | Found::Other => Err(Stop::Abort(abort::FIELD_EXISTS)),
		Found::Nothing(field) => {
			field.value.move_to(value).map_err(|(error, _)| error)?;
			(field.type_tag, field.layout) = (of.tag, of.layout);
			Ok(Vec::new())
		},
	}
}

/// `borrow_field<V, F>(object: &Open, id: address, key: vector<u8>): &F`, and the same for writing: the machine notes at the value
/// whether it was written to.
pub(super) fn borrow_field(scope: &mut Scope) -> Returned {
	let (key, object) = (pop_key(scope)?, pop_object(scope)?);
	let of = FieldType::of(scope)?;
	match look_up(scope, &object, key, &of)? {
		Found::Own(field) => one(field.value.borrow_global()?),
		Found::Other => Err(Stop::Abort(abort::OTHER_TYPE)),
		Found::Nothing(_) => Err(Stop::Abort(abort::NO_FIELD)),
	}
}

/// `remove_field<V, F>(id: address, key: vector<u8>): F`
pub(super) fn remove_field(scope: &mut Scope) -> Returned {
	let (key, object) = (pop_key(scope)?, pop_object(scope)?);
	let of = FieldType::of(scope)?;
	match look_up(scope, &object, key, &of)? {
		Found::Own(field) => one(field.value.move_from()?),
		Found::Other => Err(Stop::Abort(abort::OTHER_TYPE)),
		Found::Nothing(_) => Err(Stop::Abort(abort::NO_FIELD)),
	}
}

/// `has_field(id: address, key: vector<u8>): bool`, of an open object
pub(super) fn has_field(scope: &mut Scope) -> Returned {
	let (key, object) = (pop_key(scope)?, pop_object(scope)?);
	let open = scope.host().objects.open.get(&object).ok_or_else(broken)?;
	let exists = match open.fields.get(&key) {
		Some(field) => field.value.exists()?,
		None => stored(scope, &object, &key)?.is_some(),
	};
	one(Value::bool(exists))
}

/// `read_field<V, F>(id: address, key: vector<u8>): F`, of an object that is not open
pub(super) fn read_field(scope: &mut Scope) -> Returned {
	let (key, object) = (pop_key(scope)?, pop_object(scope)?);
	scope.host().objects.closed(&object)?;
	let of = FieldType::of(scope)?;
	let field = stored(scope, &object, &key)?.ok_or(Stop::Abort(abort::NO_FIELD))?;
	if field.type_tag != of.tag {
		return Err(Stop::Abort(abort::OTHER_TYPE));
	}
	one(decoded(scope, &of.layout, &field.value)?)
}

/// `has_at(id: address, key: vector<u8>): bool`, of an object that is not open
pub(super) fn has_at(scope: &mut Scope) -> Returned {
	let (key, object) = (pop_key(scope)?, pop_object(scope)?);
	scope.host().objects.closed(&object)?;
	one(Value::bool(stored(scope, &object, &key)?.is_some()))
}
