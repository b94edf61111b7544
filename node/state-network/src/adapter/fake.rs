//! A network without nodes, for tests: it notes what it is told to do, and says what the test says.

use futures::{
	channel::{mpsc, oneshot},
	future::BoxFuture,
	FutureExt, Stream,
};
use sc_network::{
	config::MultiaddrWithPeerId,
	network_state::NetworkState,
	service::{
		signature::{Signature, SigningError},
		traits::{
			NetworkDHTProvider, NetworkEventStream, NetworkPeers, NetworkRequest, NetworkSigner,
			NetworkStateInfo, NetworkStatus, NetworkStatusProvider,
		},
	},
	DhtEvent, Event, IfDisconnected, KademliaKey, Multiaddr, ObservedRole, PeerId, ProtocolName,
	ReputationChange, RequestFailure,
};
use std::{
	collections::HashSet,
	pin::Pin,
	sync::Mutex,
	time::{Duration, Instant},
};

/// What the network was told to do.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) enum Call {
	Provide(KademliaKey),
	FindProviders(KademliaKey),
	FindPeer(PeerId),
	Address(PeerId, Multiaddr),
	Report(PeerId, ReputationChange),
	Request(PeerId, ProtocolName, bool),
}

type Sent = oneshot::Sender<Result<(Vec<u8>, ProtocolName), RequestFailure>>;

/// See the module.
pub(super) struct FakeNetwork {
	local: PeerId,
	calls: Mutex<Vec<Call>>,
	streams: Mutex<Vec<mpsc::UnboundedSender<Event>>>,
	/// Requests that wait for their answers, as long as nobody drops them.
	requests: Mutex<Vec<(Vec<u8>, Sent)>>,
}

impl FakeNetwork {
	pub fn new() -> Self {
		Self {
			local: PeerId::random(),
			calls: Mutex::default(),
			streams: Mutex::default(),
			requests: Mutex::default(),
		}
	}

	pub fn local(&self) -> PeerId {
		self.local
	}

	pub fn calls(&self) -> Vec<Call> {
		self.calls.lock().unwrap().clone()
	}

	/// Requests without an answer, oldest first.
	pub fn take_requests(&self) -> Vec<(Vec<u8>, Sent)> {
		std::mem::take(&mut self.requests.lock().unwrap())
	}

	pub fn tell(&self, event: DhtEvent) {
		for stream in self.streams.lock().unwrap().iter() {
			// A stream that nobody reads any more is none.
			let _ = stream.unbounded_send(Event::Dht(event.clone()));
		}
	}

	/// Until there were so many calls.
	pub async fn until_calls(&self, count: usize) {
		let start = Instant::now();
		while self.calls.lock().unwrap().len() < count {
			assert!(start.elapsed() < Duration::from_secs(30), "{:?}", self.calls());
			tokio::time::sleep(Duration::from_millis(1)).await;
		}
	}

	fn note(&self, call: Call) {
		self.calls.lock().unwrap().push(call);
	}
}

fn unused() -> ! {
	unreachable!("the adapter needs it not")
}

impl NetworkSigner for FakeNetwork {
	fn sign_with_local_identity(&self, _: Vec<u8>) -> Result<Signature, SigningError> {
		unused()
	}

	fn verify(&self, _: PeerId, _: &Vec<u8>, _: &Vec<u8>, _: &Vec<u8>) -> Result<bool, String> {
		unused()
	}
}

impl NetworkDHTProvider for FakeNetwork {
	fn find_closest_peers(&self, target: PeerId) {
		self.note(Call::FindPeer(target));
	}

	fn get_value(&self, _: &KademliaKey) {
		unused()
	}

	fn put_value(&self, _: KademliaKey, _: Vec<u8>) {
		unused()
	}

	fn put_record_to(&self, _: sc_network_types::kad::Record, _: HashSet<PeerId>, _: bool) {
		unused()
	}

	fn store_record(&self, _: KademliaKey, _: Vec<u8>, _: Option<PeerId>, _: Option<Instant>) {
		unused()
	}

	fn start_providing(&self, key: KademliaKey) {
		self.note(Call::Provide(key));
	}

	fn stop_providing(&self, _: KademliaKey) {
		unused()
	}

	fn get_providers(&self, key: KademliaKey) {
		self.note(Call::FindProviders(key));
	}
}

impl NetworkStatusProvider for FakeNetwork {
	fn status<'a, 'b>(&'a self) -> BoxFuture<'b, Result<NetworkStatus, ()>>
	where
		'a: 'b,
		Self: 'b,
	{
		unused()
	}

	fn network_state<'a, 'b>(&'a self) -> BoxFuture<'b, Result<NetworkState, ()>>
	where
		'a: 'b,
		Self: 'b,
	{
		unused()
	}
}

impl NetworkPeers for FakeNetwork {
	fn set_authorized_peers(&self, _: HashSet<PeerId>) {
		unused()
	}

	fn set_authorized_only(&self, _: bool) {
		unused()
	}

	fn add_known_address(&self, peer: PeerId, address: Multiaddr) {
		self.note(Call::Address(peer, address));
	}

	fn report_peer(&self, peer: PeerId, change: ReputationChange) {
		self.note(Call::Report(peer, change));
	}

	fn peer_reputation(&self, _: &PeerId) -> i32 {
		unused()
	}

	fn disconnect_peer(&self, _: PeerId, _: ProtocolName) {
		unused()
	}

	fn accept_unreserved_peers(&self) {
		unused()
	}

	fn deny_unreserved_peers(&self) {
		unused()
	}

	fn add_reserved_peer(&self, _: MultiaddrWithPeerId) -> Result<(), String> {
		unused()
	}

	fn remove_reserved_peer(&self, _: PeerId) {
		unused()
	}

	fn set_reserved_peers(&self, _: ProtocolName, _: HashSet<Multiaddr>) -> Result<(), String> {
		unused()
	}

	fn add_peers_to_reserved_set(
		&self,
		_: ProtocolName,
		_: HashSet<Multiaddr>,
	) -> Result<(), String> {
		unused()
	}

	fn remove_peers_from_reserved_set(
		&self,
		_: ProtocolName,
		_: Vec<PeerId>,
	) -> Result<(), String> {
		unused()
	}

	fn sync_num_connected(&self) -> usize {
		unused()
	}

	fn peer_role(&self, _: PeerId, _: Vec<u8>) -> Option<ObservedRole> {
		unused()
	}

	fn reserved_peers<'a, 'b>(&'a self) -> BoxFuture<'b, Result<Vec<PeerId>, ()>>
	where
		'a: 'b,
		Self: 'b,
	{
		unused()
	}
}

impl NetworkEventStream for FakeNetwork {
	fn event_stream(&self, _: &'static str) -> Pin<Box<dyn Stream<Item = Event> + Send>> {
		let (sender, stream) = mpsc::unbounded();
		self.streams.lock().unwrap().push(sender);
		Box::pin(stream)
	}
}

impl NetworkStateInfo for FakeNetwork {
	fn external_addresses(&self) -> Vec<Multiaddr> {
		unused()
	}

	fn listen_addresses(&self) -> Vec<Multiaddr> {
		unused()
	}

	fn local_peer_id(&self) -> PeerId {
		self.local
	}
}

impl NetworkRequest for FakeNetwork {
	fn request<'a, 'b>(
		&'a self,
		target: PeerId,
		protocol: ProtocolName,
		request: Vec<u8>,
		fallback: Option<(Vec<u8>, ProtocolName)>,
		connect: IfDisconnected,
	) -> BoxFuture<'b, Result<(Vec<u8>, ProtocolName), RequestFailure>>
	where
		'a: 'b,
		Self: 'b,
	{
		let (sender, answer) = oneshot::channel();
		self.start_request(target, protocol, request, fallback, sender, connect);
		async { answer.await.unwrap_or(Err(RequestFailure::Obsolete)) }.boxed()
	}

	fn start_request(
		&self,
		target: PeerId,
		protocol: ProtocolName,
		request: Vec<u8>,
		_: Option<(Vec<u8>, ProtocolName)>,
		sender: Sent,
		connect: IfDisconnected,
	) {
		self.note(Call::Request(target, protocol, connect.should_connect()));
		self.requests.lock().unwrap().push((request, sender));
	}
}
