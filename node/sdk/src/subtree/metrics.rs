//! What Prometheus learns of remote subtrees.

use dstp_subtree::Status;
use substrate_prometheus_endpoint::{register, GaugeVec, Opts, PrometheusError, Registry, U64};

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
