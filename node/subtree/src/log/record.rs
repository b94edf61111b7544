//! Bytes of the log's files. All integers are little-endian.
//!
//! ```text
//! header  "DSTPCALL" | version u32 | identity 32 | base u64 | crc32 of the 52 bytes before
//! record  length u32 | crc32 of the payload | position u64 | crc32 of the 16 bytes before | payload
//! ```
//!
//! The payload is the SCALE encoding of a [`Record`].

use codec::{Decode, DecodeLimit, Encode};
use dstp_primitives::{batch::BatchEntry, head::Head};
use sp_core::H256;

/// Version of the files.
const LOG_VERSION: u32 = 1;
const MAGIC: &[u8; 8] = b"DSTPCALL";
const HEADER_BODY: usize = 8 + 4 + 32 + 8;

/// Bytes of a file's header.
pub(super) const HEADER_BYTES: usize = HEADER_BODY + 4;

/// Bytes before a record's payload.
pub(super) const FRAME_BYTES: usize = 4 + 4 + 8 + 4;

/// Largest payload: the largest call and what the engine adds to it stay far below. A larger length is damage.
const MAX_PAYLOAD_BYTES: u32 = 1024 * 1024;

/// Deepest nesting of a payload; today's need 8.
const MAX_RECORD_DEPTH: u32 = 16;

/// What happened, in the order in which it did.
#[derive(Clone, PartialEq, Eq, Debug, Encode, Decode)]
pub(crate) enum Record {
	/// A call was executed.
	#[codec(index = 0)]
	Call(Box<BatchEntry>),
	/// The calls since the last seal became a batch with this head.
	#[codec(index = 1)]
	Seal(Head),
	/// A sealed batch that the hub had not accepted got a head of another era.
	#[codec(index = 2)]
	Reseal(Head),
}

pub(super) fn encode_header(identity: &H256, base: u64) -> Vec<u8> {
	let mut bytes = Vec::with_capacity(HEADER_BYTES);
	bytes.extend_from_slice(MAGIC);
	bytes.extend_from_slice(&LOG_VERSION.to_le_bytes());
	bytes.extend_from_slice(identity.as_bytes());
	bytes.extend_from_slice(&base.to_le_bytes());
	bytes.extend_from_slice(&crc32fast::hash(&bytes).to_le_bytes());
	bytes
}

/// A header's identity and base.
pub(super) fn decode_header(bytes: &[u8; HEADER_BYTES]) -> Result<(H256, u64), &'static str> {
	let (body, crc) = bytes.split_at(HEADER_BODY);
	if crc32fast::hash(body).to_le_bytes() != crc {
		return Err("the header's checksum is wrong");
	}
	if &body[..8] != MAGIC {
		return Err("the file is not a call log");
	}
	if body[8..12] != LOG_VERSION.to_le_bytes() {
		return Err("the file is of another version; use the program that wrote it");
	}
	Ok((H256::from_slice(&body[12..44]), u64::from_le_bytes(array(&body[44..52]))))
}

pub(super) fn encode_record(out: &mut Vec<u8>, position: u64, record: &Record) {
	let start = out.len();
	out.resize(start + FRAME_BYTES, 0);
	record.encode_to(out);
	let payload = &out[start + FRAME_BYTES..];
	let length = u32::try_from(payload.len()).expect("a record is far smaller than 4 GiB; qed");
	let mut frame = [0; FRAME_BYTES];
	frame[..4].copy_from_slice(&length.to_le_bytes());
	frame[4..8].copy_from_slice(&crc32fast::hash(payload).to_le_bytes());
	frame[8..16].copy_from_slice(&position.to_le_bytes());
	let crc = crc32fast::hash(&frame[..16]);
	frame[16..].copy_from_slice(&crc.to_le_bytes());
	out[start..start + FRAME_BYTES].copy_from_slice(&frame);
}

/// A record's frame.
pub(super) struct Frame {
	pub length: usize,
	pub payload_crc: u32,
	pub position: u64,
}

pub(super) fn decode_frame(bytes: &[u8; FRAME_BYTES]) -> Result<Frame, &'static str> {
	let (body, crc) = bytes.split_at(FRAME_BYTES - 4);
	if crc32fast::hash(body).to_le_bytes() != crc {
		return Err("the checksum of a record's frame is wrong");
	}
	let length = u32::from_le_bytes(array(&body[..4]));
	if length > MAX_PAYLOAD_BYTES {
		return Err("a record is longer than any record can be");
	}
	Ok(Frame {
		length: length as usize,
		payload_crc: u32::from_le_bytes(array(&body[4..8])),
		position: u64::from_le_bytes(array(&body[8..])),
	})
}

pub(super) fn decode_payload(frame: &Frame, payload: &[u8]) -> Result<Record, &'static str> {
	if crc32fast::hash(payload) != frame.payload_crc {
		return Err("the checksum of a record is wrong");
	}
	Record::decode_all_with_depth_limit(MAX_RECORD_DEPTH, &mut &payload[..])
		.map_err(|_| "a record cannot be decoded")
}

fn array<const N: usize>(bytes: &[u8]) -> [u8; N] {
	bytes.try_into().expect("the caller slices exactly N bytes; qed")
}
