//! The limits, in one place. All are part of what makes executions agree: changing one is a new version of the engine.

/// Most bytes of a module: what the tree takes as one value.
pub const MODULE_BYTES: usize = 64 * 1024;
/// Most functions that a module defines. The verifier builds a table of all of them for each.
pub const FUNCTIONS: usize = 512;
/// Most functions, structs, fields, instantiations and signatures that a module names, of each kind. Bounds the quadratic checks for
/// duplicates.
pub const HANDLES: usize = 1_024;
/// Most structs that a module defines.
pub const STRUCTS: usize = 128;
/// Most fields of a struct.
pub const FIELDS: usize = 30;
/// Most type parameters of a function or struct.
pub const TYPE_PARAMETERS: usize = 16;
/// Longest identifier, in bytes. Names of modules have at most 64, because the tree keeps them.
pub const IDENTIFIER_BYTES: usize = 128;
/// Most constants, and most bytes of one.
pub const CONSTANTS: usize = 512;
/// Most bytes of one constant.
pub const CONSTANT_BYTES: usize = 16 * 1024;
/// Most instructions of a function. Far from the 65,535 at which the verifier fails an assertion.
pub const INSTRUCTIONS: usize = 4_096;
/// Most basic blocks of a function.
pub const BLOCKS: usize = 512;
/// Most parameters and locals of a function. Indices of locals are one byte in places of the verifier.
pub const LOCALS: usize = 128;
/// Most resources that a function says it acquires. The verifier looks for each in all calls.
pub const ACQUIRES: usize = 16;
/// Most types in a list of parameters, locals or type arguments.
pub const SIGNATURE_TYPES: usize = 128;
/// Most nodes of one type as it is written.
pub const TOKEN_NODES: usize = 32;
/// Deepest nesting of one type as it is written.
pub const TOKEN_DEPTH: usize = 8;
/// Most elements that `VecPack` and `VecUnpack` move at once.
pub const VECTOR_OPERANDS: u64 = 255;
/// Deepest nesting of loops. The verifier repeats an inner loop for every change of an outer one.
pub const LOOP_DEPTH: usize = 5;
/// Most nodes of a type's layout, without its type parameters.
pub const LAYOUT_NODES: u64 = 256;
/// Deepest layout: structs and vectors within each other, over all modules. The machine copies, compares and drops by recursion, and
/// its own limit of 128 depends on what it has in memory.
pub const LAYOUT_DEPTH: u64 = 32;
/// How often the type parameters of a type occur in its layout, together. With [`ARGUMENT_NODES`] it bounds the layout after
/// they are put in.
pub const PARAMETER_USES: u64 = 16;
/// Most nodes of a type argument while the machine runs, as written and as laid out.
pub const ARGUMENT_NODES: u64 = 64;
/// Deepest type argument while the machine runs, as written and as laid out.
pub const ARGUMENT_DEPTH: u64 = 16;
/// Most distinct places that a function with many blocks borrows. The verifier forgets what it knows of an eleventh.
pub const BORROWED_PLACES: usize = 10;
/// Most units of the verifier's work on one module: about a tenth of a second.
pub const WORK: u64 = 3_000_000;
