//! The interface of the Wasm module.
//!
//! A caller allocates with [`alloc`], writes a request there, calls one of the functions with its address and length, reads
//! the reply, and frees both with [`free`]. A reply is `address << 32 | length`.

#![allow(unsafe_code)]

use alloc::{boxed::Box, string::String, vec};
use core::{panic::PanicInfo, ptr::slice_from_raw_parts_mut};

#[global_allocator]
static ALLOCATOR: dlmalloc::GlobalDlmalloc = dlmalloc::GlobalDlmalloc;

/// Ends the instance. The module has no imports, so there is nobody to tell the message to.
#[panic_handler]
fn panic(_: &PanicInfo) -> ! {
	core::arch::wasm32::unreachable()
}

/// Gives `length` bytes of memory to the caller, until it calls [`free`].
#[no_mangle]
extern "C" fn alloc(length: usize) -> *mut u8 {
	Box::into_raw(vec![0u8; length].into_boxed_slice()).cast()
}

/// Takes memory back.
///
/// # Safety
///
/// `address` and `length` are those of an [`alloc`] or of a reply, and are freed once.
#[no_mangle]
unsafe extern "C" fn free(address: *mut u8, length: usize) {
	// SAFETY: by contract the memory was given out as a boxed slice of this length.
	drop(unsafe { Box::from_raw(slice_from_raw_parts_mut(address, length)) });
}

macro_rules! functions {
	($($(#[$doc:meta])* $name:ident = $function:path;)*) => {
		$(
			$(#[$doc])*
			///
			/// # Safety
			///
			/// `address` and `length` are memory that the caller allocated and wrote.
			#[no_mangle]
			unsafe extern "C" fn $name(address: *const u8, length: usize) -> u64 {
				// SAFETY: by contract.
				let request = unsafe { core::slice::from_raw_parts(address, length) };
				give($function(request))
			}
		)*
	};
}

functions! {
	/// See [`crate::proof::check`].
	check_proof = crate::proof::check;
	/// See [`crate::path::describe`].
	path = crate::path::describe;
	/// See [`crate::call::payload`].
	call_payload = crate::call::payload;
	/// See [`crate::call::signed`].
	signed_call = crate::call::signed;
	/// See [`crate::header::read`].
	read_header = crate::header::read;
}

fn give(reply: String) -> u64 {
	let bytes = reply.into_bytes().into_boxed_slice();
	let length = bytes.len() as u64;
	(Box::into_raw(bytes).cast::<u8>() as u64) << 32 | length
}
