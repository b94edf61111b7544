//! Blocks without consensus, for development on one node.

use super::{Engine, Sealing};
use crate::{
	error::{Error, ExtensionError},
	extension::{Extension, Rpc, StartContext},
	runtime::{BlockHash, FullClient, NodeRuntime, SelectChain},
	service::Parts,
};
use futures::{channel::mpsc, stream, Stream, StreamExt};
use sc_consensus_manual_seal::{
	consensus::aura::AuraConsensusDataProvider,
	rpc::{EngineCommand, ManualSeal, ManualSealApiServer},
	ManualSealParams,
};
use sc_service::Configuration;
use sc_transaction_pool_api::TransactionPool as _;
use sp_consensus_aura::{
	sr25519::{AuthorityId as AuraId, AuthoritySignature},
	Slot, SlotDuration,
};
use std::{pin::Pin, sync::Arc, time::Duration};

/// Calls of `engine_createBlock` and `engine_finalizeBlock` that may wait for their turn.
const COMMAND_QUEUE: usize = 64;

/// Transactions that arrive while a block is made share the next one, up to this number.
const MAX_BATCHED_NOTIFICATIONS: usize = 1024;

type Commands = Pin<Box<dyn Stream<Item = EngineCommand<BlockHash>> + Send>>;

/// Prepares development sealing.
pub(super) fn engine<R: NodeRuntime>(
	sealing: Sealing,
	config: &Configuration,
	parts: &Parts<R>,
) -> Result<Engine<R>, Error> {
	let import_queue = sc_consensus_manual_seal::import_queue(
		Box::new(parts.client.clone()),
		&parts.task_manager.spawn_essential_handle(),
		config.prometheus_registry(),
	);
	let slot_duration = sc_consensus_aura::slot_duration::<AuraId, _, _>(&*parts.client)?;
	let seal = DevSeal { sealing, slot_duration, select_chain: parts.select_chain.clone() };
	Ok(Engine { import_queue, warp_sync: None, extensions: vec![Box::new(seal)] })
}

/// Makes blocks when its sealing says so.
struct DevSeal<R: NodeRuntime> {
	sealing: Sealing,
	slot_duration: SlotDuration,
	select_chain: SelectChain<R>,
}

impl<R: NodeRuntime> Extension<R> for DevSeal<R> {
	fn name(&self) -> &'static str {
		"dev-seal"
	}

	fn start(self: Box<Self>, context: StartContext<R>) -> Result<Rpc, ExtensionError> {
		let (sender, requested) = mpsc::channel(COMMAND_QUEUE);
		let automatic = match self.sealing {
			Sealing::Instant => on_transactions(&context),
			Sealing::Interval(period) => at_intervals(period),
			Sealing::Manual => stream::pending().boxed(),
		};
		let proposer_factory = sc_basic_authorship::ProposerFactory::new(
			context.spawn.clone(),
			context.client.clone(),
			context.transaction_pool.clone(),
			context.metrics.as_ref(),
			context.telemetry.clone(),
		);
		let inherent_client = context.client.clone();
		let slot_duration = self.slot_duration;
		let authorship = sc_consensus_manual_seal::run_manual_seal(ManualSealParams {
			block_import: context.client.clone(),
			env: proposer_factory,
			client: context.client,
			pool: context.transaction_pool,
			commands_stream: stream::select(automatic, requested),
			select_chain: self.select_chain,
			consensus_data_provider: Some(Box::new(
				AuraConsensusDataProvider::new_with_slot_duration(slot_duration),
			)),
			create_inherent_data_providers: move |parent, ()| {
				let time = next_time::<R>(&inherent_client, parent, slot_duration);
				async move { Ok(sp_timestamp::InherentDataProvider::new(time?)) }
			},
		});
		context.spawn_essential.spawn_blocking("dev-seal", Some("block-authoring"), authorship);
		Ok(Rpc::from(ManualSeal::<BlockHash>::new(sender).into_rpc()))
	}
}

/// The time of the block after `parent`: the start of the current slot, or of the slot after the
/// parent's if blocks are made faster than slots pass.
///
/// Aura wants one block per slot at most, so with many blocks the chain's clock runs ahead.
fn next_time<R: NodeRuntime>(
	client: &Arc<FullClient<R>>,
	parent: BlockHash,
	slot_duration: SlotDuration,
) -> Result<sp_timestamp::Timestamp, ExtensionError> {
	let header = client.header(parent)?.ok_or("the parent of the new block is not known")?;
	let parent_slot = sc_consensus_aura::find_pre_digest::<R::Block, AuthoritySignature>(&header)?;
	let current_slot = Slot::from_timestamp(sp_timestamp::Timestamp::current(), slot_duration);
	let slot = current_slot.max(parent_slot.saturating_add(1u64));
	let time_ms = slot.saturating_mul(slot_duration.as_millis());
	Ok(sp_timestamp::Timestamp::new(time_ms))
}

/// A block for each transaction that the pool accepts, or for several that came together.
fn on_transactions<R: NodeRuntime>(context: &StartContext<R>) -> Commands {
	let pool = context.transaction_pool.clone();
	pool.import_notification_stream()
        .ready_chunks(MAX_BATCHED_NOTIFICATIONS)
        // The block before may have taken them already.
        .filter(move |_| {
            let waiting = pool.status().ready > 0;
            async move { waiting }
        })
        .map(|_| seal_and_finalize(false))
        .boxed()
}

/// A block at the end of every interval.
fn at_intervals(period: Duration) -> Commands {
	stream::unfold((), move |()| async move {
		tokio::time::sleep(period).await;
		Some((seal_and_finalize(true), ()))
	})
	.boxed()
}

fn seal_and_finalize(create_empty: bool) -> EngineCommand<BlockHash> {
	EngineCommand::SealNewBlock { create_empty, finalize: true, parent_hash: None, sender: None }
}
