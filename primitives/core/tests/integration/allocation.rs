//! How much memory a piece of code takes at most.

// An allocator has unsafe methods; this one hands everything on to the system's.
#![allow(unsafe_code)]

use std::{
	alloc::{GlobalAlloc, Layout, System},
	cell::Cell,
};

thread_local! {
	/// Bytes that this thread allocated and did not free, since the last reset.
	static NOW: Cell<isize> = const { Cell::new(0) };
	/// The most that they ever were.
	static PEAK: Cell<isize> = const { Cell::new(0) };
}

struct Counting;

#[global_allocator]
static COUNTING: Counting = Counting;

fn count(bytes: isize) {
	// A thread that ends frees memory after its counters are gone.
	let _ = NOW.try_with(|now| {
		now.set(now.get() + bytes);
		let _ = PEAK.try_with(|peak| peak.set(peak.get().max(now.get())));
	});
}

// SAFETY: every method is the system allocator's with the same arguments.
unsafe impl GlobalAlloc for Counting {
	unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
		count(layout.size() as isize);
		System.alloc(layout)
	}

	unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
		count(layout.size() as isize);
		System.alloc_zeroed(layout)
	}

	unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
		count(-(layout.size() as isize));
		System.dealloc(pointer, layout);
	}

	unsafe fn realloc(&self, pointer: *mut u8, layout: Layout, size: usize) -> *mut u8 {
		count(size as isize - layout.size() as isize);
		System.realloc(pointer, layout, size)
	}
}

/// Runs `code` on this thread; gives its result and the most bytes that it held at a time.
pub fn peak_bytes<R>(code: impl FnOnce() -> R) -> (R, usize) {
	NOW.set(0);
	PEAK.set(0);
	let result = code();
	(result, PEAK.get().max(0) as usize)
}

#[test]
fn the_peak_is_counted() {
	let (list, peak) = peak_bytes(|| {
		drop(Vec::<u8>::with_capacity(100_000));
		Vec::<u8>::with_capacity(10_000)
	});
	assert!((100_000..100_100).contains(&peak), "{peak} bytes");
	assert!(list.capacity() >= 10_000);
}
