//! What a call of a contract has beside its arguments.

use super::object::Objects;
use crate::{
	engine::{Context, Event},
	gas::NativeMeter,
	state::ObjectReads,
};
use better_any::{Tid, TidAble};
use dstp_primitives::{contract::ContractChange, ObjectId};
use std::rc::Rc;

/// What natives may use during one call of a contract.
#[derive(Tid)]
pub(crate) struct Host<'r> {
	meter: Rc<NativeMeter>,
	/// Where and when the call runs.
	pub(super) context: &'r Context,
	/// The root object of the namespace.
	pub(super) subtree: ObjectId,
	/// Who signed; nobody in a view.
	pub(super) sender: Option<ObjectId>,
	/// What was told so far.
	pub(super) events: Events,
	/// The objects of the tree.
	pub(super) objects: Objects<'r>,
}

/// Events of one call, in order.
#[derive(Default)]
pub(super) struct Events {
	pub(super) list: Vec<Event>,
	pub(super) bytes: usize,
}

impl<'r> Host<'r> {
	/// For a call that pays from `meter`.
	pub(crate) fn new(
		meter: Rc<NativeMeter>,
		context: &'r Context,
		tree: &'r dyn ObjectReads,
		sender: Option<ObjectId>,
	) -> Self {
		let (subtree, objects) = (tree.namespace(), Objects::new(tree));
		Self { meter, context, subtree, sender, events: Events::default(), objects }
	}

	/// What natives pay from.
	pub(crate) fn meter(&self) -> Rc<NativeMeter> {
		self.meter.clone()
	}

	/// What the call told, and what it changed of objects; an error if it left one open.
	pub(crate) fn into_effects(self) -> Result<(Vec<Event>, Vec<ContractChange>), &'static str> {
		Ok((self.events.list, self.objects.into_changes()?))
	}
}
