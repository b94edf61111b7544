//! Executing calls and sealing batches.

use super::{CheckedCall, Engine, Receipt, SealedBatch};
use crate::{
	admission::AdmissionRequest,
	error::{StopReason, SubmitError},
	log::Record,
	options::Role,
};
use dstp_primitives::{
	batch::HubPin,
	call::{CallRefusal, ExecuteError, Execution},
};

/// Most batches that wait to be taken by [`Engine::seal`]: each has up to 1 MiB.
const MAX_UNTAKEN_BATCHES: usize = 8;

impl Engine {
	/// Checks, executes, and writes one call. Where many come at once, [`Self::enqueue`] and [`Self::flush`] share one sync.
	///
	/// `hub` is what the node knows of the hub now, `time_ms` its clock. Where either fell, the former value is used.
	pub fn submit(
		&mut self,
		bytes: &[u8],
		hub: HubPin,
		time_ms: u64,
	) -> Result<Receipt, SubmitError> {
		let call = self.gate().check(bytes, self.executor.clamp(hub, time_ms).0.number)?;
		let position = self.enqueue(call, hub, time_ms)?;
		let mut receipts = self.flush().map_err(|error| match error {
			SubmitError::Stopped(reason) => SubmitError::OutcomeUnknown(reason),
			other => other,
		})?;
		let index = receipts.iter().position(|receipt| receipt.position == position);
		let receipt =
			receipts.remove(index.expect("flush gives a receipt of every executed call; qed"));
		self.synced = receipts;
		Ok(receipt)
	}

	/// Executes a call and gives its position in the log. It is not acknowledged until [`Self::flush`] gives its receipt.
	///
	/// If the open batch has no room for the call it is sealed first; [`Self::seal`] gives that batch.
	pub fn enqueue(
		&mut self,
		call: CheckedCall,
		hub: HubPin,
		time_ms: u64,
	) -> Result<u64, SubmitError> {
		self.ensure_serving()?;
		let (hub, time_ms) = self.executor.clamp(hub, time_ms);
		if call.identity != self.identity {
			return Err(CallRefusal::WrongSubtree.into());
		}
		if self.being_hosted {
			return Err(SubmitError::BeingHosted);
		}
		// The hub may have gone on since the gate.
		call.call.check_context(&self.identity.context(hub.number))?;
		self.ensure_room(&call)?;
		if !self.executor.has_room(call.bytes, self.options.batch_calls) {
			self.seal_open()?;
		}
		let (payload, first) = (call.call.payload.clone(), self.executor.entries().is_empty());
		let execution = match self.executor.execute(call.call, hub, time_ms) {
			Ok(execution) => execution,
			Err(ExecuteError::Refused(refusal)) => return Err(refusal.into()),
			Err(ExecuteError::Storage(error)) => return Err(self.unreadable(error).into()),
		};
		if first {
			self.open_since_ms = time_ms;
		}
		self.calls += 1;
		self.pending.add(self.applied.seq + 1, &payload.signer);
		let receipt = self.log_call(execution);
		let position = receipt.position;
		self.unsynced.push(Receipt { call_id: payload.id(), ..receipt });
		Ok(position)
	}

	/// Whether the call could enter now, apart from its nonce: for a caller who keeps it until the one before it comes.
	pub fn check_admission(&self, call: &CheckedCall) -> Result<(), SubmitError> {
		self.ensure_serving()?;
		if self.being_hosted {
			return Err(SubmitError::BeingHosted);
		}
		self.ensure_room(call)
	}

	fn ensure_serving(&self) -> Result<(), SubmitError> {
		if self.role != Role::Serve {
			return Err(SubmitError::NotServing);
		}
		self.running()?;
		self.applied.ready.then_some(()).ok_or(SubmitError::NotSynced)
	}

	fn ensure_room(&self, call: &CheckedCall) -> Result<(), SubmitError> {
		let waiting = self.unsynced.len() + self.synced.len();
		if waiting >= self.options.unflushed_calls || self.sealed.len() >= MAX_UNTAKEN_BATCHES {
			return Err(SubmitError::Unflushed(waiting));
		}
		let uncommitted = self.applied.seq.saturating_sub(self.applied.committed);
		if uncommitted >= self.options.uncommitted_heads {
			return Err(SubmitError::HubBehind(uncommitted));
		}
		let unfinal = self.applied.seq.saturating_sub(self.finalised);
		if unfinal >= self.options.unfinal_heads {
			return Err(SubmitError::NotFinal(unfinal));
		}
		let account = &call.call.payload.signer;
		let request = AdmissionRequest {
			account,
			call_bytes: call.bytes,
			account_calls: self.pending.of(account),
			total_calls: self.pending.total(),
		};
		Ok(self.options.admission.admit(&request)?)
	}

	/// Appends the last executed call to the log's buffer.
	fn log_call(&mut self, execution: Execution) -> Receipt {
		let entry =
			self.executor.entries().last().expect("a call was executed just now; qed").clone();
		let payload = &entry.call.payload;
		let receipt = Receipt {
			call_id: Default::default(),
			account: payload.signer.clone(),
			nonce: payload.nonce,
			position: 0,
			seq: self.applied.seq + 1,
			index: self.executor.entries().len() as u32 - 1,
			time_ms: entry.time_ms,
			hub_number: entry.hub.number,
			status: execution.status,
			post_root: execution.post_root,
			witness_bytes: execution.witness_bytes,
		};
		let log = self.log.as_mut().expect("an engine that serves has a log; qed");
		let position = log.append(&Record::Call(Box::new(entry)));
		Receipt { position, ..receipt }
	}

	/// Writes and syncs every executed call, and gives the receipts since the last time, in the order of execution.
	///
	/// After an error nobody knows which of the calls without a receipt are on the disk; the next start finds out.
	pub fn flush(&mut self) -> Result<Vec<Receipt>, SubmitError> {
		self.ensure_serving()?;
		self.flush_log()?;
		Ok(core::mem::take(&mut self.synced))
	}

	fn flush_log(&mut self) -> Result<(), StopReason> {
		let log = self.log.as_mut().expect("an engine that serves has a log; qed");
		if let Err(error) = log.flush() {
			return Err(self.write_failed(error));
		}
		self.synced.append(&mut self.unsynced);
		Ok(())
	}

	/// Seals the open batch if it is due at `now_ms`, and gives every batch sealed since the last time, oldest first.
	///
	/// A full batch is always due. One that is old is due only when no head waits for the hub: while one does, more calls cost
	/// the hub no more heads.
	pub fn seal(&mut self, now_ms: u64) -> Result<Vec<SealedBatch>, SubmitError> {
		self.ensure_serving()?;
		if self.is_due(now_ms) {
			self.seal_open()?;
		}
		Ok(core::mem::take(&mut self.sealed))
	}

	/// Like [`Self::seal`], whether the open batch is due or not.
	pub fn seal_now(&mut self) -> Result<Vec<SealedBatch>, SubmitError> {
		self.ensure_serving()?;
		self.seal_open()?;
		Ok(core::mem::take(&mut self.sealed))
	}

	/// A clock that went back makes a batch old: nobody knows how long it has waited.
	fn is_due(&self, now_ms: u64) -> bool {
		let calls = self.executor.entries().len();
		let full = calls >= self.options.batch_calls as usize
			|| self.executor.bytes() >= self.options.batch_bytes;
		let old =
			now_ms < self.open_since_ms || now_ms - self.open_since_ms >= self.options.batch_ms;
		calls > 0 && (full || (old && self.applied.committed >= self.applied.seq))
	}

	/// The head is in the synced log before the database or anybody else sees it: after a crash it is the same.
	fn seal_open(&mut self) -> Result<(), StopReason> {
		let Some(head) = self.executor.head(&self.identity, &self.applied) else { return Ok(()) };
		let log = self.log.as_mut().expect("an engine that serves has a log; qed");
		let position = log.append(&Record::Seal(head.clone()));
		self.flush_log()?;
		match self.store_batch(head, position) {
			Ok(sealed) => self.sealed.push(sealed),
			Err(error) => return Err(self.write_failed(error)),
		}
		self.batches += 1;
		let (applied, retain) = (self.applied.position, self.options.log_retain_bytes);
		let log = self.log.as_mut().expect("an engine that serves has a log; qed");
		if let Err(error) = log.rotate_if_full().and_then(|()| log.trim(applied, retain)) {
			return Err(self.write_failed(error));
		}
		Ok(())
	}
}
