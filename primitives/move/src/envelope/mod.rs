//! What bytecode from strangers has to fit before the verifier of the virtual machine sees it.
//!
//! The machine is from August 2022, and its verifier has one limit of its own, none on its work, and known defects. So a module
//! passes these checks first, each of which is simple enough to be read in one go:
//!
//! 1. [`shape`]: sizes and counts, and the canonical form.
//! 2. [`types`]: how large a value's layout can become, over all modules.
//! 3. [`references`]: borrows that the verifier is known to get wrong.
//! 4. [`work`]: an upper bound of what the verifier will do, which is paid for.
//!
//! | What a module could do | What stops it |
//! |---|---|
//! | `VecUnpack` with a huge count ends the process for lack of memory | [`shape`]: at most 255 elements |
//! | 256 locals make an index wrap | [`shape`]: at most 128 parameters and locals |
//! | 65,535 instructions fail an assertion | [`shape`]: at most 4,096 |
//! | native functions that nobody checks | [`shape`]: only at the framework's address |
//! | `S(n) { a: S(n-1), b: S(n-1) }` has a layout of 2^n nodes | [`types`]: at most 256 nodes |
//! | `f<T>` calls `g<Pair<T, T>>` and so on | [`types`]: a type argument has at most 64 nodes, checked at every generic call |
//! | structs nested until a copy overflows the stack | [`types`]: at most 32 levels over all modules |
//! | a chain of modules, each loaded by recursion | [`Closure`](crate::state::Closure): at most 64 modules |
//! | two references that change places corrupt the borrow graph | [`references`] |
//! | more than ten borrow edges lose what they know | [`references`] |
//! | verification that takes far longer than its bytes | [`work`] |
//! | a panic in the verifier | [`guard`](crate::guard) |
//! | a `signer` or a coin from the caller's bytes | the engine's rule for arguments |
//! | types nested without end in a call | the engine's decoder of types |
//! | a module that runs or not, depending on what is in memory | [`relations`] |
//! | an upgrade that removes a struct | the machine's full compatibility check |

pub mod limits;
pub mod references;
pub mod relations;
pub mod shape;
pub mod types;
pub mod work;

use move_binary_format::CompiledModule;
use types::Shapes;

/// Why a module is refused, with the place.
pub type Problem = String;

/// Runs all checks. `shapes` knows the modules that this one needs, and learns this one. Gives the verifier's work in units.
pub fn check(
	code: &[u8],
	module: &CompiledModule,
	may_have_natives: bool,
	shapes: &mut Shapes,
) -> Result<u64, Problem> {
	shape::check(code, module, may_have_natives)?;
	shapes.add(module)?;
	types::check(module, shapes)?;
	references::check(module)?;
	work::measure(module)
}
