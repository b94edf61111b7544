#![allow(clippy::unwrap_used)]

use super::*;
use crate::{
	tree::{PageRequest, StorageError, TreeError},
	Key, Path,
};

fn largest_query() -> Query {
	let keys = |count: u16| {
		(0..count).map(|n| Key::new([&n.to_be_bytes()[..], &[0xff; 62]].concat()).unwrap())
	};
	Query {
		path: Path::new(keys(crate::id::MAX_PATH_KEYS as u16).collect()).unwrap(),
		fields: keys(MAX_QUERY_KEYS as u16).collect::<Vec<_>>().try_into().unwrap(),
		children: keys(MAX_QUERY_KEYS as u16).collect::<Vec<_>>().try_into().unwrap(),
		page: Some(PageQuery {
			kind: PageKind::Children,
			request: PageRequest { prefix: vec![1; 64], cursor: keys(1).next(), limit: 1000 },
		}),
	}
}

#[test]
fn the_largest_proof_decodes() {
	let each = MAX_PROOF_BYTES / MAX_PROOF_NODES;
	let proof = Proof {
		version: PROOF_VERSION,
		query: largest_query(),
		nodes: vec![vec![1; each]; MAX_PROOF_NODES],
	};
	assert_eq!(Proof::from_bytes(&proof.encode()), Ok(proof));
}

#[test]
fn without_nodes_nothing_is_proven_but_emptiness() {
	let proof = Proof { version: PROOF_VERSION, query: Query::default(), nodes: vec![] };
	let empty = TrustedRoot::global(crate::trie::empty_root());
	let proven = proof.clone().check(empty).unwrap();
	assert_eq!(proven.answer(), &Answer { hops: vec![], object: None });
	let root = StateRoot::repeat_byte(1);
	let missing = StorageError::MissingNode(root);
	assert_eq!(
		proof.check(TrustedRoot::global(root)),
		Err(ProofError::Read(ReadError::Storage(missing)))
	);
}

#[test]
fn an_answer_to_another_question_is_refused() {
	let empty = TrustedRoot::global(crate::trie::empty_root());
	let query = |path: &str, field: &str| Query {
		path: path.parse().unwrap(),
		fields: vec![Key::try_from(field).unwrap()].try_into().unwrap(),
		..Default::default()
	};
	let asked = query("/a", "x");
	let proof = Proof { version: PROOF_VERSION, query: asked.clone(), nodes: vec![] };
	assert_eq!(proof.clone().check_answers(&asked, empty).unwrap().query(), &asked);
	for other in
		[query("/b", "x"), query("/a", "y"), Query { fields: vec![].try_into().unwrap(), ..asked }]
	{
		assert!(proof.clone().check(empty).is_ok(), "it holds");
		assert_eq!(proof.clone().check_answers(&other, empty), Err(ProofError::OtherQuestion));
	}
}

#[test]
fn a_question_about_a_bad_page_is_refused() {
	let mut tree = crate::ObjectTree::new(crate::TrieStorage::new(
		ObjectId::ROOT,
		crate::trie::empty_root(),
		(),
	));
	tree.init_namespace(crate::Owner::System, Default::default()).unwrap();
	tree.commit_roots().unwrap();
	tree.storage_mut().accept();
	let from = TrustedRoot::global(tree.storage().namespace_root());
	let nodes = tree.storage_mut().take_node_changes().into_iter().map(|(_, bytes, _)| bytes);
	let nodes = NodeSet::from_trusted(nodes);
	for (limit, prefix) in [(0, 0), (1001, 0), (10, 65)] {
		let request = PageRequest { prefix: vec![0; prefix], cursor: None, limit };
		let query = Query {
			page: Some(PageQuery { kind: PageKind::Fields, request }),
			..Default::default()
		};
		let refused = ProofError::Read(ReadError::Refused(TreeError::BadPage));
		assert_eq!(Proof::make(from, &nodes, query).unwrap_err(), refused);
	}
}
