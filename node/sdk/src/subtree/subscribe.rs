//! The tasks behind the subscriptions.
//!
//! A task waits until its subscriber took a message before it makes the next one, so what waits for a slow subscriber is bounded:
//! heads and calls are looked up when they are sent, and of changes at most [`MAX_WAITING_NEWS`] pieces wait. Who falls behind
//! further gets a last message that says so, and the subscription ends. [`Places`] bounds how many there are.

use super::{
	changes::StateNews,
	live::{Progress, MAX_WAITING_NEWS},
	serve::Running,
	updates::{CallUpdate, ChangeFilter, HeadUpdate, LocalHeadJson, Update},
	SubtreeRpcError,
};
use dstp_primitives::head::Head;
use dstp_subtree::{ReadError, Receipt};
use jsonrpsee::{PendingSubscriptionSink, SubscriptionMessage, SubscriptionSink};
use parking_lot::Mutex;
use sp_core::H256;
use std::{collections::HashMap, sync::Arc, time::Duration};
use tokio::sync::{broadcast::error::RecvError, watch};

/// How long the last message waits for a subscriber that does not read.
const FAREWELL: Duration = Duration::from_secs(10);

/// Heads that a subscriber may be behind.
const MAX_HEADS_BEHIND: u64 = 128;

/// Subscriptions of one connection. Each may hold a message of half a megabyte while its subscriber does not read; Substrate's own
/// limit of 1,024 is made for messages of some hundred bytes.
const MAX_PER_CONNECTION: u32 = 64;

/// Subscriptions of all connections, for the same reason.
const MAX_IN_ALL: u32 = 1_024;

/// How many subscriptions there are.
#[derive(Default)]
pub(super) struct Places(Mutex<HashMap<usize, u32>>);

/// The place of one subscription; dropped, it is free.
pub(super) struct Place {
	places: Arc<Places>,
	connection: usize,
}

impl Places {
	/// Takes a place for a subscription.
	///
	/// # Errors
	///
	/// [`SubtreeRpcError::TooManySubscriptions`]: its connection, or all together, have as many as they may.
	pub fn take(
		self: &Arc<Self>,
		pending: &PendingSubscriptionSink,
	) -> Result<Place, SubtreeRpcError> {
		self.take_for(pending.connection_id().0)
	}

	fn take_for(self: &Arc<Self>, connection: usize) -> Result<Place, SubtreeRpcError> {
		let mut taken = self.0.lock();
		let own = taken.get(&connection).copied().unwrap_or_default();
		let (all, most) = (taken.values().sum::<u32>(), MAX_PER_CONNECTION);
		if own >= most {
			return Err(SubtreeRpcError::TooManySubscriptions { of: "this connection", most });
		}
		if all >= MAX_IN_ALL {
			let of = "all connections of this node together";
			return Err(SubtreeRpcError::TooManySubscriptions { of, most: MAX_IN_ALL });
		}
		taken.insert(connection, own + 1);
		Ok(Place { places: self.clone(), connection })
	}
}

impl Drop for Place {
	fn drop(&mut self) {
		let mut taken = self.places.0.lock();
		match taken.get_mut(&self.connection) {
			Some(count) if *count > 1 => *count -= 1,
			_ => drop(taken.remove(&self.connection)),
		}
	}
}

/// Why a task is over.
#[derive(Debug)]
pub(super) enum End {
	/// The subscriber left.
	Left,
	/// For this reason, which the subscriber is told.
	Because(String),
}

impl End {
	fn too_slow(fact: &str) -> Self {
		Self::Because(format!(
			"the subscriber is {fact} behind; subscribe again and read what was missed"
		))
	}
}

impl From<ReadError> for End {
	fn from(error: ReadError) -> Self {
		Self::Because(error.to_string())
	}
}

/// Accepts a subscription and runs its task to the end.
pub(super) async fn run<U: Update>(
	pending: PendingSubscriptionSink,
	task: impl AsyncFnOnce(&SubscriptionSink) -> Result<(), End>,
) {
	// Whoever left already needs no answer.
	let Ok(sink) = pending.accept().await else { return };
	if let Err(End::Because(reason)) = task(&sink).await {
		if let Ok(message) = SubscriptionMessage::from_json(&U::ended(reason)) {
			// Who does not read it in time is gone, or does not care.
			let _ = sink.send_timeout(message, FAREWELL).await;
		}
	}
}

async fn tell(sink: &SubscriptionSink, update: &impl Update) -> Result<(), End> {
	let message = SubscriptionMessage::from_json(update)
		.map_err(|error| End::Because(format!("a message cannot be written: {error}")))?;
	sink.send(message).await.map_err(|_| End::Left)
}

/// Reads off the asynchronous threads: the database may make it wait.
async fn read<T: Send + 'static>(
	running: &Arc<Running>,
	read: impl FnOnce(&Running) -> Result<T, ReadError> + Send + 'static,
) -> Result<T, End> {
	let running = running.clone();
	let answer = tokio::task::spawn_blocking(move || read(&running)).await;
	answer.map_err(|_| End::Because("the node stops; subscribe again".into()))?.map_err(End::from)
}

/// Waits for the next change of how far the subtree is.
async fn next(
	sink: &SubscriptionSink,
	progress: &mut watch::Receiver<Progress>,
) -> Result<(), End> {
	tokio::select! {
		() = sink.closed() => Err(End::Left),
		changed = progress.changed() => {
			changed.map_err(|_| End::Because("the node stops; subscribe again".into()))
		},
	}
}

fn ensure_alive(progress: &Progress) -> Result<(), End> {
	progress.ended.clone().map_or(Ok(()), |reason| Err(End::Because(reason)))
}

/// Heads: the newest at once, then each, and the newest again when the hub accepted or finalised more.
pub(super) async fn heads(sink: &SubscriptionSink, running: Arc<Running>) -> Result<(), End> {
	let mut progress = running.live.progress();
	let first = progress.borrow().clone();
	let (mut last, mut resealed) = (first.status.seq.saturating_sub(1), first.resealed.0);
	let mut told = (0, 0);
	loop {
		let now = progress.borrow_and_update().clone();
		if now.resealed.0 != resealed {
			// They have other hashes now.
			last = last.min(now.resealed.1.saturating_sub(1));
			resealed = now.resealed.0;
		}
		let newest = now.status.seq;
		if told != now.on_hub() {
			last = last.min(newest.saturating_sub(1));
		}
		while last < newest {
			let head = head(&running, last + 1, &now).await?;
			last = head.seq;
			tell(sink, &HeadUpdate::Head(LocalHeadJson::new(&head, &now))).await?;
			told = now.on_hub();
		}
		ensure_alive(&now)?;
		next(sink, &mut progress).await?;
	}
}

/// Head `seq`, or the copied one where the state was copied from there.
async fn head(running: &Arc<Running>, seq: u64, now: &Progress) -> Result<Head, End> {
	let seq = match now.copied {
		Some(copied) if copied > seq => copied,
		_ if now.status.seq - seq >= MAX_HEADS_BEHIND => {
			return Err(End::too_slow(&format!("{MAX_HEADS_BEHIND} heads")));
		},
		_ => seq,
	};
	match read(running, move |running| Ok(running.reader.head(Some(seq)))).await? {
		Ok(Some(head)) => Ok(head),
		Err(ReadError::HeadNotKept { .. }) | Ok(None) => {
			Err(End::too_slow("more heads than this node keeps"))
		},
		Err(error) => Err(error.into()),
	}
}

/// Changes: "everything" at once, then what each head changed.
pub(super) async fn changes(
	sink: &SubscriptionSink,
	running: Arc<Running>,
	filter: ChangeFilter,
) -> Result<(), End> {
	let subtree = running.identity.subtree;
	// In this order, so that no head falls between the first message and the news.
	let (mut news, mut progress) = (running.live.news(), running.live.progress());
	let first = read(&running, |running| StateNews::everything(&running.reader)).await?;
	let known = first.as_ref().map(StateNews::seq);
	if let Some(update) = first.and_then(|first| filter.apply(subtree, &first)) {
		tell(sink, &update).await?;
	}
	loop {
		tokio::select! {
			biased;
			() = sink.closed() => return Err(End::Left),
			told = news.recv() => match told {
				Ok(told) if Some(told.seq()) <= known => {},
				Ok(told) => {
					if let Some(update) = filter.apply(subtree, &told) {
						tell(sink, &update).await?;
					}
				},
				Err(RecvError::Lagged(_)) => {
					return Err(End::too_slow(&format!("more than {MAX_WAITING_NEWS} heads")));
				},
				Err(RecvError::Closed) => return Ok(()),
			},
			_ = progress.changed() => ensure_alive(&progress.borrow_and_update())?,
		}
	}
}

/// The hash of a head; `None` if it is not kept any more.
async fn hash_if_kept(running: &Arc<Running>, seq: u64) -> Result<Option<H256>, End> {
	let head = read(running, move |running| match running.reader.head(Some(seq)) {
		Err(ReadError::HeadNotKept { .. }) => Ok(None),
		head => head,
	});
	Ok(head.await?.map(|head| head.hash()))
}

/// Where a call is on its way.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Stage {
	Executed,
	Batched,
	Committed,
}

/// A call: its receipt, then that it is batched, committed and finalised. Batched again when its head gets another era, and with it
/// another hash.
pub(super) async fn call(
	sink: &SubscriptionSink,
	running: Arc<Running>,
	receipt: Receipt,
) -> Result<(), End> {
	let (seq, index) = (receipt.seq, receipt.index);
	let mut progress = running.live.progress();
	let (mut stage, mut batched) = (Stage::Executed, None);
	let mut resealed = progress.borrow().resealed.0;
	tell(sink, &CallUpdate::Executed(receipt.into())).await?;
	loop {
		let now = progress.borrow_and_update().clone();
		if now.status.seq >= seq && (batched.is_none() || now.resealed.0 != resealed) {
			resealed = now.resealed.0;
			let head = hash_if_kept(&running, seq).await?.or(batched).unwrap_or_default();
			if batched != Some(head) {
				if stage == Stage::Committed {
					tell(sink, &CallUpdate::Reverted { seq }).await?;
				}
				tell(sink, &CallUpdate::Batched { seq, index, head }).await?;
				(stage, batched) = (Stage::Batched, Some(head));
			}
		}
		let finalised = now.finalised.filter(|head| head.seq >= seq);
		let committed = now.committed.filter(|head| head.seq >= seq).or(finalised);
		match (stage, &committed) {
			(Stage::Batched, Some(on_hub)) => {
				tell(sink, &CallUpdate::committed(seq, on_hub)).await?;
				stage = Stage::Committed;
			},
			(Stage::Committed, None) => {
				tell(sink, &CallUpdate::Reverted { seq }).await?;
				stage = Stage::Batched;
			},
			_ => {},
		}
		if let (Stage::Committed, Some(on_hub)) = (stage, &finalised) {
			return tell(sink, &CallUpdate::finalised(seq, on_hub)).await;
		}
		ensure_alive(&now)?;
		if now.closed && stage != Stage::Committed {
			let reason =
				"the subtree is closed or removed on the hub, and the call is not committed";
			return Err(End::Because(reason.into()));
		}
		next(sink, &mut progress).await?;
	}
}

#[cfg(test)]
mod tests {
	use super::*;

	#[test]
	fn places_are_counted_for_each_connection_and_in_all_and_come_back() {
		let places = Arc::<Places>::default();
		let take = |connection| places.take_for(connection);
		let mut taken: Vec<_> = (0..MAX_PER_CONNECTION).map(|_| take(1).unwrap()).collect();
		let refused = take(1).err().unwrap();
		assert!(refused.to_string().starts_with("this connection has 64"), "{refused}");
		drop(taken.pop());
		taken.push(take(1).unwrap());
		for connection in 2.. {
			let rest = MAX_IN_ALL - taken.len() as u32;
			taken.extend((0..rest.min(MAX_PER_CONNECTION)).map(|_| take(connection).unwrap()));
			if rest == 0 {
				let refused = take(connection).err().unwrap();
				assert!(refused.to_string().starts_with("all connections"), "{refused}");
				break;
			}
		}
		taken.clear();
		assert!(places.0.lock().is_empty(), "nothing is kept of connections that left");
	}
}
