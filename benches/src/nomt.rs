//! The peer `nomt`, in a process of its own: its dependencies would otherwise change how the node's are built.

use crate::Failure;
use dstp_primitives::{Key, Value};
use std::{
	io::{BufReader, BufWriter, Read, Write},
	path::Path,
	process::{Child, ChildStdin, ChildStdout, Command, Stdio},
	time::Duration,
};

/// `benches/peers/nomt`, running.
pub struct Nomt {
	child: Child,
	/// Closed first at the end, which ends the program.
	input: Option<BufWriter<ChildStdin>>,
	output: BufReader<ChildStdout>,
}

impl Nomt {
	/// Starts the program on a new database.
	pub fn start(program: &Path, dir: &Path) -> Result<Self, Failure> {
		let mut child = Command::new(program)
			.arg(dir)
			.stdin(Stdio::piped())
			.stdout(Stdio::piped())
			.spawn()
			.map_err(|error| format!("cannot start {}: {error}", program.display()))?;
		let pipes = child.stdin.take().zip(child.stdout.take());
		let (input, output) = pipes.ok_or("the peer has no pipes")?;
		Ok(Self { child, input: Some(BufWriter::new(input)), output: BufReader::new(output) })
	}

	/// Writes a batch durably. Gives the time that it took in the other process, without that of the pipes.
	pub fn batch(&mut self, fields: &[(Key, Value)]) -> Result<Duration, Failure> {
		let input = self.input.as_mut().ok_or("the peer has ended")?;
		input.write_all(&(fields.len() as u32).to_le_bytes())?;
		for (key, value) in fields {
			input.write_all(key.as_slice())?;
			input.write_all(&(value.len() as u32).to_le_bytes())?;
			input.write_all(value)?;
		}
		input.flush()?;
		let mut nanos = [0; 8];
		self.output.read_exact(&mut nanos)?;
		Ok(Duration::from_nanos(u64::from_le_bytes(nanos)))
	}
}

impl Drop for Nomt {
	fn drop(&mut self) {
		drop(self.input.take());
		// Nobody needs its status: every batch was answered.
		let _ = self.child.wait();
	}
}
