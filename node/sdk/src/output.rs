//! What the program writes to the terminal.
//!
//! # Trust model
//!
//! Much of it comes from nodes and files of others. Characters that a terminal obeys are written as escapes, here and nowhere
//! else, so that nobody's field moves the cursor, hides a line or types into the window's title.

use std::io::{self, IsTerminal, Write};

/// Status of a program whose reader has gone: what a shell reports of one that SIGPIPE ended.
const READER_GONE: i32 = 128 + 13;

/// Whether a terminal obeys this character instead of showing it: control characters, and those that turn the direction of text.
pub(crate) fn is_command(letter: char) -> bool {
	let turns = matches!(letter, '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
	letter.is_control() || turns
}

/// Text with its commands written as `\u{1b}`. Line feeds stay.
pub(crate) fn printable(text: &str) -> String {
	escape(text, |letter| letter.escape_unicode().to_string())
}

/// The same for one line: line feeds are written as `\n`.
pub(crate) fn printable_line(text: &str) -> String {
	printable(text).replace('\n', "\\n")
}

/// JSON in several lines. Commands can stand in its strings only, where `\u001b` means the same.
pub(crate) fn printable_json(json: &serde_json::Value) -> String {
	escape(&format!("{json:#}"), |letter| format!("\\u{:04x}", u32::from(letter)))
}

fn escape(text: &str, escaped: impl Fn(char) -> String) -> String {
	let mut safe = String::with_capacity(text.len());
	for letter in text.chars() {
		if letter != '\n' && is_command(letter) {
			safe.push_str(&escaped(letter));
		} else {
			safe.push(letter);
		}
	}
	safe
}

/// Writes text that was made printable, and a line feed, to the standard output. If nobody reads it any more the program ends
/// at once, without a word.
///
/// # Errors
///
/// Any other failure to write.
pub(crate) fn print(text: &str) -> io::Result<()> {
	let mut output = io::stdout().lock();
	match writeln!(output, "{text}").and_then(|()| output.flush()) {
		Err(error) if error.kind() == io::ErrorKind::BrokenPipe => std::process::exit(READER_GONE),
		written => written,
	}
}

/// Writes a line to the standard error output.
pub(crate) fn complain(text: &str) {
	// Whoever closed it does not want to know.
	let _ = writeln!(io::stderr().lock(), "{}", printable(text));
}

/// Tells somebody at a terminal how far a verb is.
pub(crate) fn progress(text: &str) {
	if io::stderr().is_terminal() {
		complain(text);
	}
}

#[cfg(test)]
mod tests {
	use super::*;

	#[test]
	fn a_terminal_obeys_nothing_that_is_printed() {
		let foreign = "a\u{1b}[2Jb\u{9b}31mc\rd\u{202e}e\u{7f}\u{7}\nf ü 🦀";
		let safe = printable(foreign);
		assert_eq!(safe, "a\\u{1b}[2Jb\\u{9b}31mc\\u{d}d\\u{202e}e\\u{7f}\\u{7}\nf ü 🦀");
		assert!(!printable_line(foreign).contains('\n'));
		let json = serde_json::json!({ foreign: [foreign, 1] });
		let safe = printable_json(&json);
		assert!(!safe.chars().any(|letter| letter != '\n' && is_command(letter)), "{safe}");
		assert_eq!(serde_json::from_str::<serde_json::Value>(&safe).unwrap(), json);
	}
}
