//! How far the content has come, for somebody at a terminal.

use dstp_primitives::{hub::ContentSize, tree::ObjectEntry};
use std::{
	io::{self, IsTerminal, Write},
	time::{Duration, Instant},
};

/// How often it is drawn at most.
const REDRAW: Duration = Duration::from_millis(200);

/// Its width in characters.
const WIDTH: usize = 30;

/// A bar in one line of the standard error output; nothing if that is no terminal.
pub(super) struct Bar {
	name: &'static str,
	total: ContentSize,
	done: ContentSize,
	started: Instant,
	/// When it was drawn last; `None`: there is no terminal.
	drawn: Option<Instant>,
}

impl Bar {
	/// A bar for `total`.
	pub fn new(name: &'static str, total: ContentSize) -> Self {
		let started = Instant::now();
		let drawn = io::stderr().is_terminal().then_some(started);
		Self { name, total, done: ContentSize::default(), started, drawn }
	}

	/// Adds an object.
	pub fn add_object(&mut self) {
		self.done.objects = self.done.objects.saturating_add(1);
	}

	/// Adds an entry.
	pub fn add(&mut self, entry: &ObjectEntry) {
		self.done.add(entry);
	}

	/// Draws it, if the last time is long enough ago.
	pub fn draw(&mut self) {
		if self.drawn.is_some_and(|drawn| drawn.elapsed() >= REDRAW) {
			self.drawn = Some(Instant::now());
			self.write(&line(self.name, self.done, self.total, self.started.elapsed()));
		}
	}

	/// Removes it.
	pub fn end(&mut self) {
		if self.drawn.take().is_some() {
			self.write("");
		}
	}

	fn write(&self, line: &str) {
		let mut stderr = io::stderr().lock();
		// Whoever closed it does not want to know. The escape clears what a longer line left.
		let _ = write!(stderr, "\r{line}\u{1b}[K").and_then(|()| stderr.flush());
	}
}

/// An object counts as much as some bytes: both take their time.
fn amount(size: ContentSize) -> u64 {
	size.bytes.saturating_add(u64::from(size.objects).saturating_mul(512)).max(1)
}

fn line(name: &str, done: ContentSize, total: ContentSize, elapsed: Duration) -> String {
	let part = (amount(done) as f64 / amount(total) as f64).min(1.0);
	let full = (part * WIDTH as f64) as usize;
	let left = elapsed.mul_f64((1.0 - part) / part.max(0.001)).as_secs();
	format!(
		"{name} [{}{}] {:3.0} %, {} of {} objects, {left} s left",
		"#".repeat(full),
		".".repeat(WIDTH - full),
		part * 100.0,
		done.objects,
		total.objects,
	)
}

#[cfg(test)]
mod tests {
	use super::*;

	#[test]
	fn a_bar_goes_from_nothing_to_all() {
		let total = ContentSize { objects: 4, bytes: 4096 };
		let half = ContentSize { objects: 2, bytes: 2048 };
		let at = |done| line("staging", done, total, Duration::from_secs(10));
		assert!(at(ContentSize::default()).contains("[..............................]   0 %"));
		assert!(at(half).contains(" 50 %, 2 of 4 objects, 10 s left"), "{}", at(half));
		assert!(at(total).contains("[##############################] 100 %"));
		assert!(at(ContentSize { objects: 9, bytes: 9999 }).contains("100 %"));
	}
}
