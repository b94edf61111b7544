//! Runtime APIs: what nodes and clients ask the hub's runtime.

mod object_tree;
mod subtree_security;

pub use object_tree::*;
pub use subtree_security::*;
