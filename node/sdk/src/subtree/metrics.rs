//! What Prometheus learns of remote subtrees.

use dstp_primitives::ObjectId;
use dstp_state_network::sync::Counters;
use dstp_subtree::Status;
use substrate_prometheus_endpoint::{
	register, CounterVec, GaugeVec, Opts, PrometheusError, Registry, U64,
};

/// Gauges with the subtree's id as their one label; a node has at most 256 subtrees.
pub(super) struct Metrics {
	local_head: GaugeVec<U64>,
	hub_head: GaugeVec<U64>,
	open_calls: GaugeVec<U64>,
	pending_calls: GaugeVec<U64>,
	log_bytes: GaugeVec<U64>,
	stopped: GaugeVec<U64>,
}

impl Metrics {
	pub(super) fn new(registry: &Registry) -> Result<Self, PrometheusError> {
		let gauge = |name: &str, help: &str| {
			register(
				GaugeVec::new(Opts::new(format!("dstp_subtree_{name}"), help), &["subtree"])?,
				registry,
			)
		};
		Ok(Self {
			local_head: gauge("local_head", "Number of the newest head on this node")?,
			hub_head: gauge("hub_head", "Number of the newest head that the hub accepted")?,
			open_calls: gauge("open_calls", "Calls executed since the newest head")?,
			pending_calls: gauge("pending_calls", "Calls that the hub has not accepted yet")?,
			log_bytes: gauge("log_bytes", "Bytes of the call log's files")?,
			stopped: gauge("stopped", "1 if the node takes nothing more for the subtree, else 0")?,
		})
	}

	pub(super) fn report(&self, status: &Status) {
		let subtree = status.identity.subtree.to_string();
		let set =
			|gauge: &GaugeVec<U64>, value: u64| gauge.with_label_values(&[&subtree]).set(value);
		set(&self.local_head, status.seq);
		set(&self.hub_head, status.committed);
		set(&self.open_calls, status.open_calls.into());
		set(&self.pending_calls, status.pending_calls.into());
		set(&self.log_bytes, status.log_bytes);
		set(&self.stopped, status.stopped.is_some().into());
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
