//! Aura makes blocks, GRANDPA makes them final.

use super::Engine;
use crate::{
	error::{Error, ExtensionError},
	extension::{Extension, Notifications, RegisterContext, Rpc, StartContext},
	runtime::{BlockOf, FullBackend, FullClient, NodeRuntime, SelectChain},
	service::Parts,
};
use sc_consensus_aura::{ImportQueueParams, SlotProportion, StartAuraParams};
use sc_consensus_grandpa::{
	FinalityProofProvider, GenesisAuthoritySetProvider, GrandpaBlockImport, GrandpaParams,
	LinkHalf, SharedVoterState,
};
use sc_network::{
	config::{NonReservedPeerMode, SetConfig},
	NotificationService, ProtocolName,
};
use sc_service::{Configuration, WarpSyncConfig};
use sc_transaction_pool_api::OffchainTransactionPoolFactory;
use sp_consensus_aura::{
	inherents::InherentDataProvider as SlotInherent,
	sr25519::{AuthorityId as AuraId, AuthorityPair as AuraPair},
	SlotDuration,
};
use sp_consensus_grandpa::AuthorityList;
use sp_timestamp::InherentDataProvider as TimestampInherent;
use std::{sync::Arc, time::Duration};

/// Blocks between two stored justifications: about three minutes of the hub's slots. A node that
/// was away learns finality at these distances, and a proof of finality starts at one of them.
const JUSTIFICATION_PERIOD_BLOCKS: u32 = 64;

/// How often votes are sent again: GRANDPA's usual third of a second.
const GOSSIP_DURATION: Duration = Duration::from_millis(333);

/// The longest GRANDPA message, in bytes: commits of large validator sets reach 256 KiB.
const MAX_VOTE_MESSAGE_BYTES: u64 = 1024 * 1024;

type BlockImport<R> = GrandpaBlockImport<FullBackend<R>, BlockOf<R>, FullClient<R>, SelectChain<R>>;
type Link<R> = LinkHalf<BlockOf<R>, FullClient<R>, SelectChain<R>>;

/// Prepares Aura and GRANDPA.
pub(super) fn engine<R: NodeRuntime>(
	config: &Configuration,
	parts: &Parts<R>,
) -> Result<Engine<R>, Error> {
	let (block_import, link) = sc_consensus_grandpa::block_import(
		parts.client.clone(),
		JUSTIFICATION_PERIOD_BLOCKS,
		&GenesisVoters::<R>(parts.client.clone()),
		parts.select_chain.clone(),
		parts.telemetry_handle(),
	)?;
	let slot_duration = sc_consensus_aura::slot_duration::<AuraId, _, _>(&*parts.client)?;
	let import_queue =
		sc_consensus_aura::import_queue::<AuraPair, _, _, _, _, _>(ImportQueueParams {
			block_import: block_import.clone(),
			justification_import: Some(Box::new(block_import.clone())),
			client: parts.client.clone(),
			create_inherent_data_providers: move |_, ()| async move { Ok(inherents_now(slot_duration)) },
			spawner: &parts.task_manager.spawn_essential_handle(),
			registry: config.prometheus_registry(),
			check_for_equivocation: Default::default(),
			telemetry: parts.telemetry_handle(),
			compatibility_mode: Default::default(),
		})?;
	let warp_sync = WarpSyncConfig::WithProvider(Arc::new(
		sc_consensus_grandpa::warp_proof::NetworkProvider::new(
			parts.backend.clone(),
			link.shared_authority_set().clone(),
			Vec::new(),
		),
	));
	let mut extensions: Vec<Box<dyn Extension<R>>> = vec![Box::new(Grandpa {
		link,
		node_name: config.network.node_name.clone(),
		enabled: !config.disable_grandpa,
		protocol: None,
	})];
	if config.role.is_authority() {
		extensions.push(Box::new(Authoring {
			block_import,
			select_chain: parts.select_chain.clone(),
			slot_duration,
			force_authoring: config.force_authoring,
		}));
	}
	Ok(Engine { import_queue, warp_sync: Some(warp_sync), extensions })
}

/// The first GRANDPA voters, which GRANDPA itself takes without a look: it panics if there are none.
struct GenesisVoters<R: NodeRuntime>(Arc<FullClient<R>>);

impl<R: NodeRuntime> GenesisAuthoritySetProvider<BlockOf<R>> for GenesisVoters<R> {
	fn get(&self) -> Result<AuthorityList, sp_blockchain::Error> {
		let voters = GenesisAuthoritySetProvider::<BlockOf<R>>::get(&self.0)?;
		if voters.is_empty() || voters.iter().any(|(_, weight)| *weight == 0) {
			// The kind of error that stands for a genesis that cannot be used.
			return Err(sp_blockchain::Error::Storage(
				"GRANDPA has no authorities there, or one of weight 0, so that no block would become final".into(),
			));
		}
		Ok(voters)
	}
}

/// The slot and time of a block that is made or checked now.
fn inherents_now(slot_duration: SlotDuration) -> (SlotInherent, TimestampInherent) {
	let timestamp = TimestampInherent::from_system_time();
	let slot = SlotInherent::from_timestamp_and_slot_duration(*timestamp, slot_duration);
	(slot, timestamp)
}

/// Makes blocks in this validator's slots.
struct Authoring<R: NodeRuntime> {
	block_import: BlockImport<R>,
	select_chain: SelectChain<R>,
	slot_duration: SlotDuration,
	force_authoring: bool,
}

impl<R: NodeRuntime> Extension<R> for Authoring<R> {
	fn name(&self) -> &'static str {
		"aura"
	}

	fn start(self: Box<Self>, context: StartContext<R>) -> Result<Rpc, ExtensionError> {
		let slot_duration = self.slot_duration;
		let proposer_factory = sc_basic_authorship::ProposerFactory::new(
			context.spawn.clone(),
			context.client.clone(),
			context.transaction_pool.clone(),
			context.metrics.as_ref(),
			context.telemetry.clone(),
		);
		let aura = sc_consensus_aura::start_aura::<AuraPair, _, _, _, _, _, _, _, _, _, _>(
			StartAuraParams {
				slot_duration,
				client: context.client,
				select_chain: self.select_chain,
				block_import: self.block_import,
				proposer_factory,
				create_inherent_data_providers: move |_, ()| async move {
					Ok(inherents_now(slot_duration))
				},
				force_authoring: self.force_authoring,
				backoff_authoring_blocks: None::<()>,
				keystore: context.keystore,
				sync_oracle: context.sync.clone(),
				justification_sync_link: context.sync,
				// The last third of a slot is for sending the block and for checking it.
				block_proposal_slot_portion: SlotProportion::new(2f32 / 3f32),
				max_block_proposal_slot_portion: None,
				telemetry: context.telemetry,
				compatibility_mode: Default::default(),
			},
		)?;
		// A validator that no longer makes blocks must not look healthy: its end stops the node.
		context.spawn_essential.spawn_blocking("aura", Some("block-authoring"), aura);
		Ok(Rpc::none())
	}
}

/// Votes on blocks, or follows the votes of others.
struct Grandpa<R: NodeRuntime> {
	link: Link<R>,
	node_name: String,
	enabled: bool,
	protocol: Option<(ProtocolName, Box<dyn NotificationService>)>,
}

impl<R: NodeRuntime> Extension<R> for Grandpa<R> {
	fn name(&self) -> &'static str {
		"grandpa"
	}

	fn register(&mut self, context: &mut RegisterContext<'_>) -> Result<(), ExtensionError> {
		let name = context.protocol_name("grandpa/1");
		let service = context.notifications(Notifications {
			name: name.clone(),
			max_notification_bytes: MAX_VOTE_MESSAGE_BYTES,
			handshake: None,
			// GRANDPA itself adds every peer with which the node synchronises.
			peers: SetConfig {
				in_peers: 0,
				out_peers: 0,
				reserved_nodes: Vec::new(),
				non_reserved_mode: NonReservedPeerMode::Deny,
			},
		})?;
		self.protocol = Some((name, service));
		Ok(())
	}

	fn start(self: Box<Self>, context: StartContext<R>) -> Result<Rpc, ExtensionError> {
		let (protocol_name, notification_service) =
			self.protocol.ok_or("start was called before register")?;
		let voter_state = SharedVoterState::empty();
		let rpc = grandpa_rpc(&self.link, &voter_state, &context);
		if !self.enabled {
			return Ok(rpc);
		}
		let voter = sc_consensus_grandpa::run_grandpa_voter(GrandpaParams {
			config: sc_consensus_grandpa::Config {
				gossip_duration: GOSSIP_DURATION,
				justification_generation_period: JUSTIFICATION_PERIOD_BLOCKS,
				observer_enabled: false,
				local_role: context.role,
				name: Some(self.node_name),
				// Only a validator has keys to vote with.
				keystore: context.role.is_authority().then_some(context.keystore),
				telemetry: context.telemetry.clone(),
				protocol_name,
			},
			link: self.link,
			network: context.network,
			sync: context.sync,
			notification_service,
			voting_rule: sc_consensus_grandpa::VotingRulesBuilder::default().build(),
			prometheus_registry: context.metrics,
			shared_voter_state: voter_state,
			telemetry: context.telemetry,
			offchain_tx_pool_factory: OffchainTransactionPoolFactory::new(context.transaction_pool),
		})?;
		// Without finality nothing of DSTP moves on: its end stops the node.
		context.spawn_essential.spawn_blocking("grandpa-voter", None, voter);
		Ok(rpc)
	}
}

/// `grandpa_roundState`, `grandpa_subscribeJustifications` and `grandpa_proveFinality`.
fn grandpa_rpc<R: NodeRuntime>(
	link: &Link<R>,
	voter_state: &SharedVoterState,
	context: &StartContext<R>,
) -> Rpc {
	use sc_consensus_grandpa_rpc::{Grandpa, GrandpaApiServer};
	let authority_set = link.shared_authority_set().clone();
	let justifications = link.justification_stream();
	let voter_state = voter_state.clone();
	let proofs = FinalityProofProvider::new_for_service(
		context.backend.clone(),
		Some(authority_set.clone()),
	);
	Rpc::new(move |executor| {
		Ok(Grandpa::new(
			executor,
			authority_set.clone(),
			voter_state.clone(),
			justifications.clone(),
			proofs.clone(),
		)
		.into_rpc()
		.remove_context())
	})
}
