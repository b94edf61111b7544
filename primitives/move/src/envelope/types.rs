//! How large the layout of a type can become.
//!
//! The virtual machine builds the layout of a type by recursion over its fields, over modules, and keeps what it built. A few structs
//! that hold each other twice make a layout that fills the memory; and its own limit on depth is asked only for what it did not
//! keep, so it would answer differently on two nodes. Here every struct has a [`Shape`] that follows from code alone, and no type
//! comes near the machine's limit.

use super::{limits::*, relations::Relations, Problem};
use move_binary_format::{
	access::ModuleAccess,
	file_format::{SignatureToken, StructFieldInformation, StructHandleIndex},
	CompiledModule,
};
use move_core_types::{
	identifier::Identifier,
	language_storage::{ModuleId, TypeTag},
	value::MoveTypeLayout,
};
use std::collections::{BTreeMap, BTreeSet};

/// Where a type parameter stands in a layout.
#[derive(Clone, Copy, Default, PartialEq, Eq, Debug)]
struct Use {
	/// How often.
	count: u64,
	/// How deep at most.
	depth: u64,
	/// Whether it is the element of a vector somewhere.
	element: bool,
}

/// The layout of a type whose type parameters are not put in yet.
#[derive(Clone, Default, PartialEq, Eq, Debug)]
pub struct Shape {
	nodes: u64,
	depth: u64,
	uses: BTreeMap<u16, Use>,
	/// Whether there is a vector of structs or vectors in it. If not, a value has no more parts than the layout has nodes.
	nested: bool,
}

impl Shape {
	fn leaf() -> Self {
		Self { nodes: 1, depth: 1, uses: BTreeMap::new(), nested: false }
	}

	fn vector(element: &Self) -> Self {
		let mut shape = Self::leaf();
		shape.add(element);
		shape.nested |= element.has_parts();
		if element.is_parameter() {
			shape.uses.values_mut().for_each(|used| used.element = true);
		}
		shape
	}

	/// A type parameter itself has no nodes.
	fn is_parameter(&self) -> bool {
		self.nodes == 0
	}

	/// Whether it is a struct or a vector. A primitive type has one node.
	fn has_parts(&self) -> bool {
		self.nodes > 1 || (self.nodes == 1 && !self.uses.is_empty())
	}

	/// Adds a part one level below.
	fn add(&mut self, part: &Self) {
		self.nodes = self.nodes.saturating_add(part.nodes);
		self.depth = self.depth.max(part.depth + 1);
		for (parameter, used) in &part.uses {
			let own = self.uses.entry(*parameter).or_default();
			own.count = own.count.saturating_add(used.count);
			own.depth = own.depth.max(used.depth + 1);
			own.element |= used.element;
		}
		self.nested |= part.nested;
	}

	/// Puts arguments in for the type parameters.
	fn with(&self, arguments: &[Self]) -> Self {
		let mut result = Self { uses: BTreeMap::new(), ..*self };
		for (parameter, used) in &self.uses {
			let Some(argument) = arguments.get(usize::from(*parameter)) else { continue };
			result.nodes = result.nodes.saturating_add(argument.nodes.saturating_mul(used.count));
			result.depth = result.depth.max(used.depth + argument.depth);
			result.nested |= argument.nested || (used.element && argument.has_parts());
			for (inner, inner_use) in &argument.uses {
				let own = result.uses.entry(*inner).or_default();
				own.count = own.count.saturating_add(inner_use.count.saturating_mul(used.count));
				own.depth = own.depth.max(used.depth + inner_use.depth);
				own.element |= inner_use.element || (used.element && argument.is_parameter());
			}
		}
		result
	}

	fn check(&self) -> Result<(), Problem> {
		let uses = self.uses.values().fold(0u64, |sum, used| sum.saturating_add(used.count));
		if self.nodes > LAYOUT_NODES || self.depth > LAYOUT_DEPTH || uses > PARAMETER_USES {
			return Err(format!(
				"a type of {} nodes, {} levels and {uses} uses of type parameters, with everything in it; at most {LAYOUT_NODES}, {LAYOUT_DEPTH} and {PARAMETER_USES} are allowed",
				self.nodes, self.depth
			));
		}
		Ok(())
	}
}

/// The shapes of all structs of some modules, and what these modules name.
#[derive(Clone, Default, Debug)]
pub struct Shapes {
	structs: BTreeMap<ModuleId, BTreeMap<Identifier, Shape>>,
	relations: Relations,
}

impl Shapes {
	/// Learns the structs of a module. Those that they name in other modules are known already. Errors: a struct that contains itself,
	/// names an unknown one, or is too large.
	pub fn add(&mut self, module: &CompiledModule) -> Result<(), Problem> {
		let mut own = Own { module, known: self, done: BTreeMap::new(), open: BTreeSet::new() };
		for definition in module.struct_defs() {
			own.shape(definition.struct_handle)?;
		}
		let structs = own
			.done
			.into_iter()
			.map(|(handle, shape)| {
				let handle = module.struct_handle_at(StructHandleIndex(handle));
				(module.identifier_at(handle.name).to_owned(), shape)
			})
			.collect();
		self.structs.insert(module.self_id(), structs);
		self.relations.add(module);
		Ok(())
	}

	/// Whether the structs of this module are known.
	pub fn knows(&self, id: &ModuleId) -> bool {
		self.structs.contains_key(id)
	}

	/// How the modules are related.
	pub fn relations(&self) -> &Relations {
		&self.relations
	}

	fn get(&self, id: &ModuleId, name: &Identifier) -> Option<&Shape> {
		self.structs.get(id)?.get(name)
	}

	/// Checks a type that is put in for a type parameter. Gives its nodes as written.
	pub fn check_argument(&self, tag: &TypeTag) -> Result<u64, &'static str> {
		let (nodes, depth) = written(tag);
		let shape = self.of_tag(tag).ok_or("a type argument names an unknown struct")?;
		if nodes.max(shape.nodes) > ARGUMENT_NODES || depth.max(shape.depth) > ARGUMENT_DEPTH {
			return Err("a type argument has more than 64 nodes or 16 levels, as written or with all its fields");
		}
		Ok(nodes)
	}

	/// The nodes of a type's layout if no value of it has more parts, vectors of primitive elements counted as one.
	pub fn flat_nodes(&self, tag: &TypeTag) -> Option<u64> {
		self.of_tag(tag).filter(|shape| !shape.nested).map(|shape| shape.nodes)
	}

	fn of_tag(&self, tag: &TypeTag) -> Option<Shape> {
		Some(match tag {
			TypeTag::Vector(inner) => Shape::vector(&self.of_tag(inner)?),
			TypeTag::Struct(tag) => {
				let arguments = tag
					.type_params
					.iter()
					.map(|tag| self.of_tag(tag))
					.collect::<Option<Vec<_>>>()?;
				self.get(&tag.module_id(), &tag.name)?.with(&arguments)
			},
			_ => Shape::leaf(),
		})
	}
}

/// The same as [`Shapes::flat_nodes`] for a layout that the machine gave.
pub fn flat_layout_nodes(layout: &MoveTypeLayout) -> Option<u64> {
	match layout {
		MoveTypeLayout::Vector(inner) => match **inner {
			MoveTypeLayout::Vector(_) | MoveTypeLayout::Struct(_) => None,
			_ => Some(2),
		},
		MoveTypeLayout::Struct(parts) => parts
			.fields()
			.iter()
			.try_fold(1, |nodes: u64, part| Some(nodes.saturating_add(flat_layout_nodes(part)?))),
		_ => Some(1),
	}
}

fn written(tag: &TypeTag) -> (u64, u64) {
	let parts: Vec<_> = match tag {
		TypeTag::Vector(inner) => vec![written(inner)],
		TypeTag::Struct(tag) => tag.type_params.iter().map(written).collect(),
		_ => Vec::new(),
	};
	let nodes = parts.iter().map(|(nodes, _)| nodes).sum::<u64>();
	let depth = parts.iter().map(|(_, depth)| *depth).max().unwrap_or_default();
	(1 + nodes, 1 + depth)
}

/// The structs of a module while they are worked out.
struct Own<'a> {
	module: &'a CompiledModule,
	known: &'a Shapes,
	done: BTreeMap<u16, Shape>,
	open: BTreeSet<u16>,
}

impl Own<'_> {
	fn shape(&mut self, index: StructHandleIndex) -> Result<Shape, Problem> {
		let module = self.module;
		let handle = module.struct_handle_at(index);
		let name = module.identifier_at(handle.name);
		let id = module.module_id_for_handle(module.module_handle_at(handle.module));
		if id != module.self_id() {
			return self
				.known
				.get(&id, &name.to_owned())
				.cloned()
				.ok_or_else(|| format!("struct {name} of another module does not exist"));
		}
		if let Some(shape) = self.done.get(&index.0) {
			return Ok(shape.clone());
		}
		let definition =
			module.struct_defs().iter().find(|definition| definition.struct_handle == index);
		let fields = match definition.map(|definition| &definition.field_information) {
			Some(StructFieldInformation::Declared(fields)) => fields,
			_ => return Err(format!("struct {name} is not defined")),
		};
		if self.open.len() as u64 >= LAYOUT_DEPTH || !self.open.insert(index.0) {
			return Err(format!(
				"struct {name} contains itself, or more than {LAYOUT_DEPTH} levels of structs"
			));
		}
		let mut shape = Shape::leaf();
		for field in fields {
			shape.add(&self.token(&field.signature.0)?);
		}
		shape.check().map_err(|problem| format!("struct {name}: {problem}"))?;
		self.open.remove(&index.0);
		self.done.insert(index.0, shape.clone());
		Ok(shape)
	}

	fn token(&mut self, token: &SignatureToken) -> Result<Shape, Problem> {
		Ok(match token {
			SignatureToken::TypeParameter(parameter) => Shape {
				nodes: 0,
				depth: 0,
				uses: BTreeMap::from([(*parameter, Use { count: 1, depth: 0, element: false })]),
				nested: false,
			},
			SignatureToken::Vector(inner) => Shape::vector(&self.token(inner)?),
			SignatureToken::Reference(inner) | SignatureToken::MutableReference(inner) => {
				let mut shape = Shape::leaf();
				shape.add(&self.token(inner)?);
				shape
			},
			SignatureToken::Struct(index) => self.shape(*index)?,
			SignatureToken::StructInstantiation(index, arguments) => {
				let arguments = arguments
					.iter()
					.map(|token| self.token(token))
					.collect::<Result<Vec<_>, _>>()?;
				self.shape(*index)?.with(&arguments)
			},
			_ => Shape::leaf(),
		})
	}
}

/// Checks every type that a module names: of parameters, locals, and type arguments. `shapes` knows the module itself.
pub fn check(module: &CompiledModule, shapes: &Shapes) -> Result<(), Problem> {
	let mut own = Own { module, known: shapes, done: BTreeMap::new(), open: BTreeSet::new() };
	for token in module.signatures().iter().flat_map(|list| &list.0) {
		own.token(token)?.check()?;
	}
	Ok(())
}

#[cfg(test)]
mod tests {
	use super::*;
	use std::slice::from_ref;

	fn part(nodes: u64, depth: u64, uses: &[(u16, u64, u64)]) -> Shape {
		let of = |(parameter, count, depth): &(u16, u64, u64)| {
			(*parameter, Use { count: *count, depth: *depth, element: false })
		};
		Shape { nodes, depth, uses: uses.iter().map(of).collect(), nested: false }
	}

	#[test]
	fn arguments_count_as_often_as_they_are_used() {
		let mut pair = Shape::leaf();
		pair.add(&part(0, 0, &[(0, 1, 0)]));
		pair.add(&part(0, 0, &[(0, 1, 0)]));
		assert_eq!(pair, part(1, 1, &[(0, 2, 1)]));
		let once = pair.with(&[Shape::leaf()]);
		assert_eq!(once, part(3, 2, &[]));
		let mut grown = Shape::leaf();
		for _ in 0..10 {
			grown = pair.with(&[grown]);
		}
		assert_eq!((grown.nodes, grown.depth), (2 * 1024 - 1, 11));
		assert!(grown.check().is_err());
		assert_eq!(pair.with(&[pair.clone()]), part(3, 2, &[(0, 4, 2)]));
	}

	#[test]
	fn a_value_is_flat_unless_a_vector_has_elements_with_parts() {
		let parameter = part(0, 0, &[(0, 1, 0)]);
		let byte = Shape::leaf();
		let bytes = Shape::vector(&byte);
		let list = Shape::vector(&parameter);
		assert!(!bytes.nested && !list.nested);
		assert!(Shape::vector(&bytes).nested);
		assert!(!list.with(from_ref(&byte)).nested);
		assert!(list.with(from_ref(&bytes)).nested);
		let through = list.with(from_ref(&parameter));
		assert!(!through.nested && through.with(from_ref(&bytes)).nested);
		let mut boxed = Shape::leaf();
		boxed.add(&parameter);
		assert!(!boxed.with(&[bytes]).nested);
		assert!(boxed.with(&[Shape::vector(&Shape::vector(&byte))]).nested);
		assert!(Shape::vector(&boxed).nested);
	}
}
