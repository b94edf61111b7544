//! What a call of a contract has beside its arguments.

use crate::{
	engine::{Context, Event},
	gas::NativeMeter,
};
use better_any::{Tid, TidAble};
use dstp_primitives::ObjectId;
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
		subtree: ObjectId,
		sender: Option<ObjectId>,
	) -> Self {
		Self { meter, context, subtree, sender, events: Events::default() }
	}

	/// What natives pay from.
	pub(crate) fn meter(&self) -> Rc<NativeMeter> {
		self.meter.clone()
	}

	/// What the call told.
	pub(crate) fn into_events(self) -> Vec<Event> {
		self.events.list
	}
}
