//! Who may do what. The one place that decides it.

use super::TreeError;
use crate::{id::AccountId, object::Owner};

/// On whose behalf an operation runs.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Actor {
	/// The chain's root origin, genesis, or the engine.
	System,
	/// A signer.
	Account(AccountId),
}

impl Actor {
	/// The owner that an object gets when this actor creates it.
	pub fn as_owner(&self) -> Owner {
		match self {
			Self::System => Owner::System,
			Self::Account(account) => Owner::Account(account.clone()),
		}
	}
}

/// What somebody wants to do with an object.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Access {
	/// Set or remove its fields.
	WriteFields,
	/// Create a child below it.
	CreateChild,
	/// Take a child away from it. The right to remove that child itself is asked for separately.
	DropChild,
	/// Change its owner: transfer, share, freeze.
	ChangeOwner,
	/// Remove it, or move its state to or from other nodes.
	Dispose,
}

impl Access {
	/// Checks the rights that `owner` leaves to `actor`.
	pub fn check(self, owner: &Owner, actor: &Actor) -> Result<(), TreeError> {
		match (owner, self) {
			// What a child's owner may do to the child is not the parent owner's business, unless the set is frozen.
			(Owner::System | Owner::Account(_) | Owner::Shared, Self::DropChild) => Ok(()),
			(Owner::System, _) => {
				(*actor == Actor::System).then_some(()).ok_or(TreeError::NotOwner)
			},
			(Owner::Account(account), _) => {
				(matches!(actor, Actor::Account(signer) if signer == account))
					.then_some(())
					.ok_or(TreeError::NotOwner)
			},
			(Owner::Shared, Self::CreateChild) => Ok(()),
			(Owner::Shared, _) => Err(TreeError::SharedReadOnly),
			(Owner::Frozen, _) => Err(TreeError::Frozen),
		}
	}
}
