//! Content on its way into the hub: calls, transactions of several calls, and several transactions at a time.

use super::{bar::Bar, content::Piece, content::Walk, hub, Context};
use crate::verbs::{transaction, HubCall, HubTransactions, VerbError};
use dstp_primitives::{
	api::StagingView,
	hub::ContentSize,
	tree::{ObjectEntry, MAX_BATCH_FIELDS},
	ObjectId,
};

/// Most bytes of entries in one call.
const MAX_CALL_BYTES: u64 = 256 * 1024;

/// Most calls of one transaction. Each declares the weight of a root of 256 changed entries, and the transaction has to fit into
/// every block together with others.
const MAX_CALLS: usize = 24;

/// Most entries of one transaction.
const MAX_ENTRIES: usize = 768;

/// Most bytes of one transaction's entries, a tenth of a block.
const MAX_TRANSACTION_BYTES: u64 = 384 * 1024;

/// Transactions on their way at a time: what a few blocks hold, so that none is empty while the next are read and signed.
const MAX_TRANSACTIONS: usize = 8;

/// What the hub has of an object.
enum Known {
	/// Nothing.
	New,
	/// Entries up to this trie key.
	Until(Vec<u8>),
	/// All.
	Complete,
}

/// Calls that are not sent yet.
struct Sender<'a, 'b> {
	context: &'a Context<'b>,
	/// Transactions that are full.
	full: Vec<Vec<HubCall>>,
	open: Vec<HubCall>,
	open_entries: usize,
	open_bytes: u64,
	/// How many transactions are in blocks.
	sent: usize,
}

/// Brings all content that the hub lacks, and gives the number of transactions.
pub(super) async fn bring<H: HubTransactions>(
	context: &Context<'_>,
	mut walk: Walk<'_>,
	staging: &StagingView,
	bar: &mut Bar,
) -> Result<usize, VerbError> {
	let (full, open) = (Vec::new(), Vec::new());
	let mut sender = Sender { context, full, open, open_entries: 0, open_bytes: 0, sent: 0 };
	// The walk has the same order every time: what follows the first object that the hub does not have is new.
	let mut resumes = true;
	let (mut known, mut brought) = (Known::New, 0);
	while let Some(piece) = walk.next().await? {
		if piece.first {
			known = match resumes {
				true => known_of(context, staging, piece.part.object).await?,
				false => Known::New,
			};
			resumes &= matches!(known, Known::Complete);
			brought = 0;
		}
		let wanted = match &known {
			Known::Complete => continue,
			Known::New => None,
			Known::Until(last) => Some(last.as_slice()),
		};
		if piece.first {
			bar.add_object();
		}
		let begins = piece.first && matches!(known, Known::New);
		brought += sender.take::<H>(&piece, wanted, begins, bar).await?;
		if piece.last {
			sender.complete::<H>(piece.part.object, brought).await?;
		}
	}
	sender.close();
	sender.send::<H>().await?;
	Ok(sender.sent)
}

async fn known_of(
	context: &Context<'_>,
	staging: &StagingView,
	object: ObjectId,
) -> Result<Known, VerbError> {
	match &staging.current {
		Some((current, last)) if *current == object => Ok(Known::Until(last.clone())),
		_ if hub::is_kept(context.node, object).await? => Ok(Known::Complete),
		_ => Ok(Known::New),
	}
}

impl Sender<'_, '_> {
	/// Adds the calls for a piece, without entries up to `until`; gives how many entries these are.
	async fn take<H: HubTransactions>(
		&mut self,
		piece: &Piece,
		until: Option<&[u8]>,
		begins: bool,
		bar: &mut Bar,
	) -> Result<usize, VerbError> {
		let part = &piece.part;
		let mut object = begins.then(|| (part.parent, part.key.clone(), part.meta.clone()));
		let (mut entries, mut size) = (Vec::new(), ContentSize::default());
		let mut count = 0;
		let wanted =
			piece.entries.iter().filter(|(key, _)| until.is_none_or(|until| &key[..] > until));
		for (_, entry) in wanted {
			bar.add(entry);
			count += 1;
			size.add(entry);
			entries.push(entry.clone());
			if entries.len() >= MAX_BATCH_FIELDS as usize || size.bytes >= MAX_CALL_BYTES {
				let entries = std::mem::take(&mut entries);
				self.push::<H>(object.take(), entries, std::mem::take(&mut size).bytes).await?;
			}
		}
		if object.is_some() || !entries.is_empty() {
			self.push::<H>(object, entries, size.bytes).await?;
		}
		bar.draw();
		Ok(count)
	}

	/// Says that the object is complete: in its last call, or, if the hub would have to hash too much in one block, in a call of
	/// its own in a later block.
	async fn complete<H: HubTransactions>(
		&mut self,
		object: ObjectId,
		brought: usize,
	) -> Result<(), VerbError> {
		if brought <= MAX_BATCH_FIELDS as usize {
			if let Some(HubCall::Stage { complete, .. }) = self.open.last_mut() {
				*complete = true;
				return Ok(());
			}
		}
		log::debug!(target: "dstp", "object {object} is completed in a later block");
		self.close();
		self.send::<H>().await?;
		self.push_call(None, Vec::new(), 0);
		if let Some(HubCall::Stage { complete, .. }) = self.open.last_mut() {
			*complete = true;
		}
		Ok(())
	}

	async fn push<H: HubTransactions>(
		&mut self,
		object: Option<super::Place>,
		entries: Vec<ObjectEntry>,
		bytes: u64,
	) -> Result<(), VerbError> {
		let too_many = self.open.len() >= MAX_CALLS
			|| self.open_entries + entries.len() > MAX_ENTRIES
			|| self.open_bytes + bytes > MAX_TRANSACTION_BYTES;
		if too_many {
			self.close();
		}
		if self.full.len() >= MAX_TRANSACTIONS {
			self.send::<H>().await?;
		}
		self.push_call(object, entries, bytes);
		Ok(())
	}

	fn push_call(&mut self, object: Option<super::Place>, entries: Vec<ObjectEntry>, bytes: u64) {
		self.open_entries += entries.len();
		self.open_bytes += bytes;
		let subtree = self.context.subtree;
		self.open.push(HubCall::Stage { subtree, object, entries, complete: false });
	}

	/// Makes a transaction of the open calls.
	fn close(&mut self) {
		(self.open_entries, self.open_bytes) = (0, 0);
		let calls = std::mem::take(&mut self.open);
		if !calls.is_empty() {
			self.full.push(calls);
		}
	}

	/// Sends the full transactions and waits until they are in blocks.
	async fn send<H: HubTransactions>(&mut self) -> Result<(), VerbError> {
		let transactions = std::mem::take(&mut self.full);
		if transactions.is_empty() {
			return Ok(());
		}
		let Context { node, signer, limit, .. } = *self.context;
		let signed = transaction::sign_all::<H>(node, signer, transactions).await?;
		transaction::submit_all::<H>(node, &signed, signer, limit).await?;
		self.sent += signed.len();
		Ok(())
	}
}
