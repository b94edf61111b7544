//! A node as a child process: the program that the module above names as `PROGRAM`.

use jsonrpsee::{core::client::ClientT, rpc_params};
use jsonrpsee_ws_client::{WsClient, WsClientBuilder};
use serde_json::Value;
use std::{
	io::{BufRead, BufReader, Read, Write},
	net::TcpStream,
	process::{Child, Command, ExitStatus, Stdio},
	sync::{mpsc, Mutex},
	time::{Duration, Instant},
};
use tempfile::TempDir;

/// Longer than any wait of these tests takes on a busy machine: after it, the test fails.
pub const LIMIT: Duration = Duration::from_secs(120);

/// Lines of each node's log that a failed test shows.
const SHOWN_LINES: usize = 100;

/// What a program that has ended has written.
pub struct Output {
	pub status: ExitStatus,
	pub stdout: String,
	pub stderr: String,
}

/// The program, its output piped, with nothing from the environment that changes what it does or says, and with a folder for
/// temporary files that goes when it is dropped: a node that is killed leaves its `--tmp` behind.
pub fn command(arguments: &[&str]) -> (Command, TempDir) {
	let temporary = tempfile::tempdir().expect("a temporary folder");
	let mut command = Command::new(super::PROGRAM);
	command.args(arguments).env("TMPDIR", temporary.path());
	for name in ["RUST_LOG", "RUST_BACKTRACE", "DSTP_SURI"] {
		command.env_remove(name);
	}
	command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
	(command, temporary)
}

/// Runs the program until it ends by itself, which it has to in time.
pub fn run_to_end(arguments: &[&str]) -> Output {
	let (mut command, _temporary) = command(arguments);
	let mut child = command.spawn().expect("the program starts");
	let stdout = read_to_end(child.stdout.take().expect("piped"));
	let stderr = read_to_end(child.stderr.take().expect("piped"));
	let deadline = Instant::now() + LIMIT;
	// The program has ended when nobody can write any more.
	let texts = [stdout, stderr].map(|pipe| {
		let left = deadline.saturating_duration_since(Instant::now());
		pipe.recv_timeout(left).map_err(|_| pipe)
	});
	let [Ok(stdout), Ok(stderr)] = texts else {
		kill(&mut child);
		let texts = texts.map(|text| text.or_else(|pipe| pipe.recv()).expect("the reader ends"));
		panic!("{arguments:?} did not end within {LIMIT:?}:\n{}", texts.join("\n"));
	};
	Output { status: child.wait().expect("the child is ours"), stdout, stderr }
}

fn kill(child: &mut Child) {
	// It may have ended already.
	let _ = child.kill();
	let _ = child.wait();
}

/// Reads in a thread of its own, because a full pipe would stop the child, and gives everything at the end.
fn read_to_end(mut pipe: impl Read + Send + 'static) -> mpsc::Receiver<String> {
	let (sender, whole) = mpsc::channel();
	std::thread::spawn(move || {
		let mut bytes = Vec::new();
		// What came before an error is enough, and a killed child may leave half a character.
		let _ = pipe.read_to_end(&mut bytes);
		// When the test has ended, nobody listens any more.
		let _ = sender.send(String::from_utf8_lossy(&bytes).into_owned());
	});
	whole
}

/// A running node, killed when the test ends.
pub struct Node {
	child: Child,
	/// Comes when the node has ended.
	stdout: mpsc::Receiver<String>,
	pub client: WsClient,
	/// Of its RPC server.
	pub url: String,
	/// Where Prometheus reads, if the node was told to offer it.
	metrics: Option<String>,
	log: Mutex<Log>,
	_temporary: TempDir,
}

impl Node {
	/// Starts a node on free ports and connects to its RPC server.
	pub async fn start(arguments: &[&str]) -> Self {
		Self::start_with(arguments, "--no-prometheus").await
	}

	/// The same, with metrics for [`Self::metrics`].
	pub async fn start_with_metrics(arguments: &[&str]) -> Self {
		Self::start_with(arguments, "--prometheus-port=0").await
	}

	async fn start_with(arguments: &[&str], prometheus: &str) -> Self {
		let (mut command, temporary) = command(arguments);
		let mut child = command
			.args(["--rpc-port=0", "--port=0", prometheus, "--no-telemetry", "--no-mdns"])
			.spawn()
			.expect("the program starts");
		let stdout = read_to_end(child.stdout.take().expect("piped"));
		let mut log = Log::read(&mut child);
		let address = log.until("Running JSON-RPC server: addr=");
		let address = address.split(',').next().expect("split gives one part").trim();
		let metrics = (prometheus != "--no-prometheus")
			.then(|| log.until("Prometheus exporter started at ").trim().to_owned());
		let url = format!("ws://{address}");
		let client = connect(&url).await;
		let log = Mutex::new(log);
		Self { child, stdout, client, url, metrics, log, _temporary: temporary }
	}

	/// Where other nodes reach this one: over plain TCP if it is a validator, else over WebSockets.
	pub async fn p2p_address(&self) -> String {
		// The RPC server may answer before the network listens.
		let listens = async {
			loop {
				let mut addresses: Vec<String> = self
					.client
					.request("system_localListenAddresses", rpc_params![])
					.await
					.unwrap();
				addresses.retain(|address| address.starts_with("/ip4/127.0.0.1/tcp/"));
				addresses.sort_by_key(|address| address.contains("/ws"));
				match addresses.into_iter().next() {
					Some(address) => return address,
					None => tokio::time::sleep(Duration::from_millis(100)).await,
				}
			}
		};
		tokio::time::timeout(LIMIT, listens).await.expect("the node listens in time")
	}

	/// What Prometheus reads: lines of names, labels and numbers.
	pub fn metrics(&self) -> String {
		let address = self.metrics.as_ref().expect("started with metrics");
		let mut stream = TcpStream::connect(address).expect("the exporter listens");
		stream.set_read_timeout(Some(LIMIT)).expect("the limit is not zero");
		let request =
			format!("GET /metrics HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n");
		stream.write_all(request.as_bytes()).expect("the exporter reads");
		let mut answer = String::new();
		stream.read_to_string(&mut answer).expect("text");
		answer
	}

	/// Whether the node has logged a line that holds `text`.
	pub fn has_logged(&self, text: &str) -> bool {
		let mut log = self.log.lock().expect("no test panics while it reads");
		let Log { lines, seen } = &mut *log;
		seen.extend(lines.try_iter());
		seen.iter().any(|line| line.contains(text))
	}

	/// Sends a signal: `STOP` halts the process as it is, `CONT` lets it go on.
	pub fn signal(&self, name: &str) {
		let pid = self.child.id().to_string();
		let kill = Command::new("kill").args([&format!("-{name}"), &pid]).status();
		assert!(kill.expect("kill runs").success());
	}

	/// Lets a halted process go on. Its RPC server may close the old connection, because it heard nothing of the client for so long.
	pub async fn wake(&mut self) {
		self.signal("CONT");
		self.client = connect(&self.url).await;
	}

	/// Presses Ctrl-C and waits for the end, which has to come in time and without an error.
	pub async fn interrupt(mut self) -> Output {
		self.signal("INT");
		let stdout = self.stdout.recv_timeout(LIMIT).expect("the node ends in time after Ctrl-C");
		let status = self.child.wait().expect("the child is ours");
		assert!(status.success(), "the node ends cleanly after Ctrl-C: {status}");
		Output { status, stdout, stderr: String::new() }
	}
}

/// Another connection to a node's RPC server.
pub async fn connect(url: &str) -> WsClient {
	let client = WsClientBuilder::default().request_timeout(LIMIT).connection_timeout(LIMIT);
	client.build(url).await.expect("the RPC server answers")
}

impl Drop for Node {
	fn drop(&mut self) {
		kill(&mut self.child);
		if std::thread::panicking() {
			let log = self.log.get_mut().unwrap_or_else(|poisoned| poisoned.into_inner());
			log.seen.extend(log.lines.iter());
			let first = log.seen.len().saturating_sub(SHOWN_LINES);
			eprintln!("the last lines of {}:\n{}", self.url, log.seen[first..].join("\n"));
		}
	}
}

/// What a node logs.
struct Log {
	lines: mpsc::Receiver<String>,
	seen: Vec<String>,
}

impl Log {
	/// Reads the log to its end, because a full pipe would stop the node.
	fn read(child: &mut Child) -> Self {
		let (sender, lines) = mpsc::channel();
		let log = BufReader::new(child.stderr.take().expect("piped"));
		std::thread::spawn(move || {
			for line in log.lines().map_while(Result::ok) {
				// When the test has ended, nobody listens any more.
				let _ = sender.send(line);
			}
		});
		Self { lines, seen: Vec::new() }
	}

	/// The rest of the first line that holds `text`.
	fn until(&mut self, text: &str) -> String {
		let rest = |line: &String| line.split_once(text).map(|(_, rest)| rest.to_owned());
		if let Some(found) = self.seen.iter().find_map(rest) {
			return found;
		}
		loop {
			match self.lines.recv_timeout(LIMIT) {
				Ok(line) => {
					let found = rest(&line);
					self.seen.push(line);
					if let Some(found) = found {
						return found;
					}
				},
				Err(_) => panic!("the node did not start:\n{}", self.seen.join("\n")),
			}
		}
	}
}

/// The number in a header as JSON.
pub fn number(header: &Value) -> u32 {
	let hex = header["number"].as_str().expect("a header has a number");
	u32::from_str_radix(hex.trim_start_matches("0x"), 16).expect("the number is hex")
}
