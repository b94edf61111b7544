//! Child processes: one follows a subtree over a TCP connection and says what that took, the others insert the same data by
//! themselves.
//!
//! Each measures its own processor time and memory, so that what the other side does is not counted.

use crate::{data, measure::peak_memory_bytes, places::Places, tree::Tree, Failure, Scale};
use codec::{Decode, Encode};
use cpu_time::ProcessTime;
use dstp_primitives::{
	batch::BatchEntry,
	head::{Head, HeadState},
	proof::TrieRange,
	ObjectId, StateRoot,
};
use dstp_state_network::{
	sync::{
		self, Action, Followed, Now, Phase, RequestId, Resume, Target, TrieEntry, VerifiedRange,
	},
	wire::Protocol,
	Follower, Peer, Scores,
};
use dstp_subtree::{CopiedRange, Engine, ImportTarget, Role};
use std::{
	collections::VecDeque,
	io::{Read, Write},
	net::TcpStream,
	path::Path,
	time::Instant,
};

/// What a child says at its end.
#[derive(Clone, Copy, Default, Encode, Decode)]
pub struct Report {
	/// From the first question to the complete copy, in nanoseconds.
	pub wall_ns: u64,
	/// All threads, until the database was closed.
	pub cpu_ns: u64,
	/// Most resident memory.
	pub peak_bytes: u64,
	/// Answers, in bytes.
	pub answer_bytes: u64,
	/// A plain copy of as many bytes over the same connection.
	pub copy_ns: u64,
}

/// The frame that asks for so many bytes of anything.
pub const COPY: u8 = 255;

/// Sends a frame: a kind, a length, bytes.
pub fn send(stream: &mut impl Write, kind: u8, bytes: &[u8]) -> Result<(), Failure> {
	let mut frame = vec![kind];
	frame.extend_from_slice(&(bytes.len() as u32).to_le_bytes());
	frame.extend_from_slice(bytes);
	Ok(stream.write_all(&frame)?)
}

/// Receives a frame; `None` at the end of the stream.
pub fn receive(stream: &mut impl Read) -> Result<Option<(u8, Vec<u8>)>, Failure> {
	let mut start = [0; 5];
	if stream.read(&mut start[..1])? == 0 {
		return Ok(None);
	}
	stream.read_exact(&mut start[1..])?;
	let length = u32::from_le_bytes([start[1], start[2], start[3], start[4]]);
	let mut bytes = vec![0; length as usize];
	stream.read_exact(&mut bytes)?;
	Ok(Some((start[0], bytes)))
}

/// The number of a protocol in a frame.
pub fn kind(protocol: Protocol) -> u8 {
	match protocol {
		Protocol::Ctl => 0,
		Protocol::Xfer => 1,
		Protocol::Sync => 2,
	}
}

/// Executes all calls of the places, whose signatures were checked before, in an engine in `dir`.
pub fn insert(dir: &Path, scale: &Scale) -> Result<Report, Failure> {
	let mut engine = data::engine(dir, Role::Serve)?;
	let calls = data::checked(&engine, Places::load(scale)?.calls()?)?;
	let (cpu, wall) = (ProcessTime::now(), Instant::now());
	data::execute(&mut engine, calls, 64)?;
	let wall_ns = wall.elapsed().as_nanos() as u64;
	drop(engine);
	let cpu_ns = cpu.elapsed().as_nanos() as u64;
	Ok(Report { wall_ns, cpu_ns, peak_bytes: peak_memory_bytes()?, ..Default::default() })
}

/// Writes all places into a tree in `dir` at once, without the calls' signatures, nonces, roots, log and heads.
pub fn insert_at_once(dir: &Path, scale: &Scale) -> Result<Report, Failure> {
	let mut tree = Tree::create(dir, 0)?;
	let calls = Places::load(scale)?.calls()?;
	let (cpu, wall) = (ProcessTime::now(), Instant::now());
	tree.bulk(calls)?;
	let wall_ns = wall.elapsed().as_nanos() as u64;
	drop(tree);
	let cpu_ns = cpu.elapsed().as_nanos() as u64;
	Ok(Report { wall_ns, cpu_ns, peak_bytes: peak_memory_bytes()?, ..Default::default() })
}

/// Copies the state of `head` from the node at `address` into an engine in `dir`.
pub fn follow(dir: &Path, address: &str) -> Result<Report, Failure> {
	let mut stream = TcpStream::connect(address)?;
	stream.set_nodelay(true)?;
	let (_, head) = receive(&mut stream)?.ok_or("the serving side has ended")?;
	let head = Head::decode(&mut &head[..])?;
	let (cpu, wall) = (ProcessTime::now(), Instant::now());
	let engine = data::engine(dir, Role::Follow)?;
	let target = EngineTarget { engine, head: head.clone() };
	let (target, answer_bytes) = Session::new(&mut stream, target)?.run(&head)?;
	let wall_ns = wall.elapsed().as_nanos() as u64;
	if target.engine.open_root() != head.state_root {
		return Err("the copy has another root".into());
	}
	drop(target);
	let cpu_ns = cpu.elapsed().as_nanos() as u64;
	let peak_bytes = peak_memory_bytes()?;
	let copy_ns = copy(&mut stream, answer_bytes)?;
	Ok(Report { wall_ns, cpu_ns, peak_bytes, answer_bytes, copy_ns })
}

/// Receives as many bytes and drops them.
fn copy(stream: &mut TcpStream, bytes: u64) -> Result<u64, Failure> {
	let start = Instant::now();
	send(stream, COPY, &bytes.to_le_bytes())?;
	let mut buffer = vec![0; 64 * 1024];
	let mut left = bytes;
	while left > 0 {
		let part = left.min(buffer.len() as u64) as usize;
		stream.read_exact(&mut buffer[..part])?;
		left -= part as u64;
	}
	Ok(start.elapsed().as_nanos() as u64)
}

/// A follower with one connection to one provider.
struct Session<'a> {
	stream: &'a mut TcpStream,
	follower: Follower<EngineTarget>,
	start: Instant,
	/// Asked and not answered; answers come in this order.
	asked: VecDeque<RequestId>,
	bytes: u64,
}

impl<'a> Session<'a> {
	fn new(stream: &'a mut TcpStream, target: EngineTarget) -> Result<Self, Failure> {
		let followed = Followed { genesis: data::identity().genesis, subtree: data::SUBTREE };
		let follower = Follower::new(followed, target, Scores::default(), 1)?;
		Ok(Self { stream, follower, start: Instant::now(), asked: VecDeque::new(), bytes: 0 })
	}

	fn now(&self) -> Now {
		let ms = self.start.elapsed().as_millis() as u64;
		Now { ms, unix_ms: ms }
	}

	fn run(mut self, head: &Head) -> Result<(EngineTarget, u64), Failure> {
		let peer = Peer::new([1]).ok_or("a short name is a name")?;
		self.follower.on_peer_connected(self.now(), &peer);
		self.follower.on_hub_head(self.now(), 1, head.next_state());
		loop {
			self.follower.tick(self.now());
			for action in self.follower.take_actions() {
				match action {
					Action::Request { id, protocol, payload, .. } => {
						send(self.stream, kind(protocol), &payload)?;
						self.asked.push_back(id);
					},
					Action::Synced(_) => return Ok((self.follower.into_target(), self.bytes)),
					Action::Report { fault: Some(fault), .. } => {
						return Err(format!("an answer is wrong: {fault:?}").into())
					},
					_ => {},
				}
			}
			if let Phase::Halted(reason) = self.follower.phase() {
				return Err(reason.into());
			}
			let Some(id) = self.asked.pop_front() else { continue };
			let (_, answer) = receive(self.stream)?.ok_or("the serving side has ended")?;
			self.bytes += answer.len() as u64;
			self.follower.on_response(self.now(), id, &answer);
		}
	}
}

/// The engine as a follower's store, as in a node.
struct EngineTarget {
	engine: Engine,
	head: Head,
}

impl Target for EngineTarget {
	type Error = TargetError;

	fn head(&self) -> Result<Option<HeadState>, TargetError> {
		let here = self.engine.status().synced && self.engine.status().seq == self.head.seq;
		Ok(here.then(|| self.head.next_state()))
	}

	fn resume(&self) -> Result<Option<Resume>, TargetError> {
		Ok(self.engine.copy_walk().and_then(Resume::from_bytes))
	}

	fn begin(&mut self, resume: &Resume) -> Result<(), TargetError> {
		let target = ImportTarget::Head(self.head.clone());
		Ok(self.engine.begin_copy(target, resume.to_bytes())?)
	}

	fn store(&mut self, ranges: Vec<VerifiedRange>, resume: &Resume) -> Result<(), TargetError> {
		let ranges = ranges.into_iter().map(|range| CopiedRange {
			object: *range.object(),
			link: range.link().cloned(),
			root: range.root(),
			from_start: range.from_start(),
			range: TrieRange { complete: range.complete(), entries: range.into_entries() },
		});
		Ok(self.engine.copy_ranges(ranges.collect(), resume.to_bytes())?)
	}

	fn stored_root(&self, _: &ObjectId) -> Result<Option<StateRoot>, TargetError> {
		Ok(None)
	}

	fn get(&self, object: &ObjectId, key: &[u8]) -> Result<Option<Vec<u8>>, TargetError> {
		Ok(self.engine.copied_value(object, key)?)
	}

	fn scan(
		&self,
		object: &ObjectId,
		after: &[u8],
		limit: usize,
	) -> Result<Vec<TrieEntry>, TargetError> {
		Ok(self.engine.copied_entries(object, after, limit)?)
	}

	fn finish(&mut self, _: &HeadState) -> Result<(), TargetError> {
		Ok(self.engine.finish_import()?)
	}

	fn apply(
		&mut self,
		head: &Head,
		entries: &[BatchEntry],
	) -> Result<(), sync::ApplyError<TargetError>> {
		let applied = self.engine.apply_batch(head.clone(), entries.to_vec());
		applied.map(drop).map_err(|error| sync::ApplyError::Storage(TargetError(error.to_string())))
	}
}

/// Why the engine refuses.
#[derive(Debug)]
struct TargetError(String);

impl std::fmt::Display for TargetError {
	fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
		f.write_str(&self.0)
	}
}

impl std::error::Error for TargetError {}

impl From<dstp_subtree::ImportError> for TargetError {
	fn from(error: dstp_subtree::ImportError) -> Self {
		Self(error.to_string())
	}
}

impl From<dstp_subtree::StopReason> for TargetError {
	fn from(error: dstp_subtree::StopReason) -> Self {
		Self(error.to_string())
	}
}
