//! The table of rights in `docs/object-tree.md` is what the code does.

use crate::support::account;
use dstp_primitives::{
	tree::{Access, Actor, TreeError},
	Owner,
};

const DOCUMENT: &str = include_str!("../../../../docs/object-tree.md");

const COLUMNS: [(&str, Access); 5] = [
	("Write fields", Access::WriteFields),
	("Create children", Access::CreateChild),
	("Drop children", Access::DropChild),
	("Transfer, share, freeze", Access::ChangeOwner),
	("Remove", Access::Dispose),
];

fn owner(name: &str) -> Owner {
	match name {
		"system" => Owner::System,
		"account" => Owner::Account(account(1)),
		"shared" => Owner::Shared,
		"frozen" => Owner::Frozen,
		other => panic!("the table names an unknown owner {other}"),
	}
}

fn allowed(cell: &str, actor: &Actor) -> bool {
	match cell {
		"anyone" => true,
		"nobody" => false,
		"the system" => *actor == Actor::System,
		"the account" => *actor == Actor::Account(account(1)),
		other => panic!("the table has an unknown entry {other}"),
	}
}

#[test]
fn the_documented_rights_are_the_rights() {
	let mut lines = DOCUMENT.lines().skip_while(|line| !line.starts_with("| Owner |"));
	let cells = |line: &str| {
		line.trim_matches('|').split('|').map(|cell| cell.trim().to_string()).collect::<Vec<_>>()
	};
	let head = cells(lines.next().expect("the document has the table"));
	assert_eq!(head[1..], COLUMNS.map(|(name, _)| name.to_string()));
	let rows: Vec<_> = lines.skip(1).take_while(|line| line.starts_with('|')).map(cells).collect();
	assert_eq!(rows.len(), 4);
	for row in rows {
		let owner = owner(&row[0]);
		for (cell, (name, access)) in row[1..].iter().zip(COLUMNS) {
			for actor in [Actor::System, Actor::Account(account(1)), Actor::Account(account(2))] {
				let found = access.check(&owner, &actor);
				assert_eq!(found.is_ok(), allowed(cell, &actor), "{owner:?}: {name} by {actor:?}");
				let reason = match owner {
					Owner::System | Owner::Account(_) => TreeError::NotOwner,
					Owner::Shared => TreeError::SharedReadOnly,
					Owner::Frozen => TreeError::Frozen,
				};
				assert!(found.is_ok() || found == Err(reason));
			}
		}
	}
}
