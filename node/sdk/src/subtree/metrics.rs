//! What Prometheus learns of remote subtrees.

use dstp_primitives::ObjectId;
use dstp_state_network::sync::Counters;
use dstp_subtree::{Role, Status};
use std::collections::BTreeMap;
use substrate_prometheus_endpoint::{
	register, CounterVec, GaugeVec, Opts, PrometheusError, Registry, U64,
};

/// How held subtrees stand, and what was done where this node serves. The one label is the subtree's id; a node has at most 256.
pub(super) struct Metrics {
	local_head: GaugeVec<U64>,
	hub_head: GaugeVec<U64>,
	open_calls: GaugeVec<U64>,
	pending_calls: GaugeVec<U64>,
	log_bytes: GaugeVec<U64>,
	stopped: GaugeVec<U64>,
	calls: CounterVec<U64>,
	batches: CounterVec<U64>,
	/// By subtree: calls and batches of the engine that are counted.
	counted: BTreeMap<ObjectId, (u64, u64)>,
}

impl Metrics {
	pub(super) fn new(registry: &Registry) -> Result<Self, PrometheusError> {
		let gauge = |name: &str, help: &str| {
			register(
				GaugeVec::new(Opts::new(format!("dstp_subtree_{name}"), help), &["subtree"])?,
				registry,
			)
		};
		let counter = |name: &str, help: &str| {
			let options = Opts::new(format!("dstp_subtree_{name}_total"), help);
			register(CounterVec::new(options, &["subtree"])?, registry)
		};
		Ok(Self {
			local_head: gauge("local_head", "Number of the newest head on this node")?,
			hub_head: gauge("hub_head", "Number of the newest head that the hub accepted")?,
			open_calls: gauge("open_calls", "Calls executed since the newest head")?,
			pending_calls: gauge("pending_calls", "Calls that the hub has not accepted yet")?,
			log_bytes: gauge("log_bytes", "Bytes of the call log's files")?,
			stopped: gauge("stopped", "1 if the node takes nothing more for the subtree, else 0")?,
			calls: counter("calls", "Calls that this node executed as the one who serves")?,
			batches: counter("batches", "Batches that this node sealed as the one who serves")?,
			counted: BTreeMap::new(),
		})
	}

	pub(super) fn report(&mut self, status: &Status) {
		let subtree = status.identity.subtree.to_string();
		let set =
			|gauge: &GaugeVec<U64>, value: u64| gauge.with_label_values(&[&subtree]).set(value);
		set(&self.local_head, status.seq);
		set(&self.hub_head, status.committed);
		set(&self.open_calls, status.open_calls.into());
		set(&self.pending_calls, status.pending_calls.into());
		set(&self.log_bytes, status.log_bytes);
		set(&self.stopped, status.stopped.is_some().into());
		if status.role == Role::Serve {
			self.count(&subtree, status);
		}
	}

	/// Adds what was done since the last report. An engine that was opened again counts from 0.
	fn count(&mut self, label: &str, status: &Status) {
		let now = (status.calls, status.batches);
		let (calls, batches) =
			self.counted.insert(status.identity.subtree, now).unwrap_or_default();
		let more = |now: u64, last: u64| now.checked_sub(last).unwrap_or(now);
		self.calls.with_label_values(&[label]).inc_by(more(now.0, calls));
		self.batches.with_label_values(&[label]).inc_by(more(now.1, batches));
	}
}

/// How followed subtrees are synchronised. The one label is the subtree's id.
pub(super) struct SyncMetrics {
	providers: GaugeVec<U64>,
	requests: CounterVec<U64>,
	timeouts: CounterVec<U64>,
	invalid: CounterVec<U64>,
	copies: CounterVec<U64>,
	bytes: CounterVec<U64>,
	objects: CounterVec<U64>,
	entries: CounterVec<U64>,
	batches: CounterVec<U64>,
	calls: CounterVec<U64>,
}

impl SyncMetrics {
	pub(super) fn new(registry: &Registry) -> Result<Self, PrometheusError> {
		let options = |name: &str, help: &str| Opts::new(format!("dstp_subtree_sync_{name}"), help);
		let counter = |name: &str, help: &str| {
			register(
				CounterVec::new(options(&format!("{name}_total"), help), &["subtree"])?,
				registry,
			)
		};
		let providers = options("peers", "Connected nodes that serve the subtree");
		Ok(Self {
			providers: register(GaugeVec::new(providers, &["subtree"])?, registry)?,
			requests: counter("requests", "Requests to other nodes")?,
			timeouts: counter("timeouts", "Requests without an answer in time")?,
			invalid: counter("invalid", "Answers that were provably wrong")?,
			copies: counter("copies", "Copies of a whole state begun")?,
			bytes: counter("bytes", "Bytes of useful answers")?,
			objects: counter("objects", "Objects that were copied")?,
			entries: counter("entries", "Keys and values that were copied")?,
			batches: counter("batches", "Batches that were executed again")?,
			calls: counter("calls", "Calls in them")?,
		})
	}

	/// Adds what changed between two reports of one follower.
	pub(super) fn report(
		&self,
		subtree: &ObjectId,
		providers: u32,
		last: &Counters,
		now: &Counters,
	) {
		let subtree = subtree.to_string();
		let add = |counter: &CounterVec<U64>, value: fn(&Counters) -> u64| {
			let more = value(now).saturating_sub(value(last));
			counter.with_label_values(&[&subtree]).inc_by(more);
		};
		self.providers.with_label_values(&[&subtree]).set(providers.into());
		add(&self.requests, |counters| counters.requests);
		add(&self.timeouts, |counters| counters.timeouts);
		add(&self.invalid, |counters| counters.invalid);
		add(&self.copies, |counters| counters.copies);
		add(&self.bytes, |counters| counters.bytes);
		add(&self.objects, |counters| counters.objects);
		add(&self.entries, |counters| counters.entries);
		add(&self.batches, |counters| counters.batches);
		add(&self.calls, |counters| counters.calls);
	}
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
	use super::*;
	use crate::subtree::tests::{execute, set, World};
	use dstp_subtree::EngineOptions;

	#[test]
	fn calls_and_batches_are_counted_once_and_over_a_new_engine() {
		let world = World::new(Role::Serve);
		let running = world.open(EngineOptions::default());
		let mut metrics = Metrics::new(&Registry::new()).unwrap();
		let mut report = |status: &Status| {
			metrics.report(status);
			metrics.report(status);
			let label = status.identity.subtree.to_string();
			let read = |counter: &CounterVec<U64>| counter.with_label_values(&[&label]).get();
			(read(&metrics.calls), read(&metrics.batches))
		};
		assert_eq!(report(&running.live.status()), (0, 0));
		for nonce in 0..3 {
			execute(&running, nonce, set("field", b"value"));
		}
		running.engine.lock().seal_now().unwrap();
		assert_eq!(report(&running.live.status()), (3, 1));
		let opened_again = Status { calls: 2, batches: 0, ..running.live.status() };
		assert_eq!(report(&opened_again), (5, 1));
	}
}
