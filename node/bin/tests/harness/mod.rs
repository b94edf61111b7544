//! A node as a child process.

use jsonrpsee::{core::client::ClientT, rpc_params};
use jsonrpsee_ws_client::{WsClient, WsClientBuilder};
use serde_json::Value;
use std::{
	io::{BufRead, BufReader, Read},
	process::{Child, Command, ExitStatus, Stdio},
	sync::mpsc,
	thread::JoinHandle,
	time::Duration,
};

/// Longer than any wait of these tests takes on a busy machine: after it, the test fails.
pub const LIMIT: Duration = Duration::from_secs(120);

/// What a program that has ended has written.
pub struct Output {
	pub status: ExitStatus,
	pub stdout: String,
	pub stderr: String,
}

fn command(arguments: &[&str]) -> Command {
	let mut command = Command::new(env!("CARGO_BIN_EXE_dstp-node"));
	command.args(arguments).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
	command
}

/// Runs the program until it ends by itself.
pub fn run_to_end(arguments: &[&str]) -> Output {
	let output = command(arguments).output().expect("the program starts");
	Output {
		status: output.status,
		stdout: String::from_utf8(output.stdout).expect("text"),
		stderr: String::from_utf8(output.stderr).expect("text"),
	}
}

/// A running node, killed when the test ends.
pub struct Node {
	child: Child,
	stdout: Option<JoinHandle<String>>,
	pub client: WsClient,
}

impl Node {
	/// Starts a node on free ports and connects to its RPC server.
	pub async fn start(arguments: &[&str]) -> Self {
		let mut child = command(arguments)
			.args(["--rpc-port=0", "--port=0", "--no-prometheus", "--no-telemetry", "--no-mdns"])
			.spawn()
			.expect("the program starts");
		let stdout = child.stdout.take().expect("piped");
		let stdout = std::thread::spawn(move || {
			let mut text = String::new();
			// A killed node may leave half a character: what came before is enough.
			let _ = BufReader::new(stdout).read_to_string(&mut text);
			text
		});
		let address = rpc_address(&mut child);
		let client = WsClientBuilder::default()
			.request_timeout(LIMIT)
			.build(format!("ws://{address}"))
			.await
			.expect("the RPC server answers");
		Self { child, stdout: Some(stdout), client }
	}

	/// Where other nodes reach this one.
	pub async fn p2p_address(&self) -> String {
		let addresses: Vec<String> =
			self.client.request("system_localListenAddresses", rpc_params![]).await.unwrap();
		addresses
			.into_iter()
			.find(|address| address.starts_with("/ip4/127.0.0.1/tcp/") && !address.contains("/ws"))
			.expect("the node listens on the loopback interface")
	}

	/// Presses Ctrl-C and waits for the end.
	pub async fn interrupt(mut self) -> Output {
		let pid = self.child.id().to_string();
		let kill = Command::new("kill").args(["-INT", &pid]).status().expect("kill runs");
		assert!(kill.success());
		let status = self.child.wait().expect("the child is ours");
		let stdout = self.stdout.take().expect("taken once").join().expect("the reader ends");
		Output { status, stdout, stderr: String::new() }
	}
}

impl Drop for Node {
	fn drop(&mut self) {
		// It may have ended already.
		let _ = self.child.kill();
		let _ = self.child.wait();
	}
}

/// Reads the log until it names the address of the RPC server, and goes on reading, because a
/// full pipe would stop the node.
fn rpc_address(child: &mut Child) -> String {
	let (sender, receiver) = mpsc::channel();
	let log = BufReader::new(child.stderr.take().expect("piped"));
	std::thread::spawn(move || {
		for line in log.lines().map_while(Result::ok) {
			// After the address was found, nobody listens any more.
			let _ = sender.send(line);
		}
	});
	let mut seen = Vec::new();
	loop {
		match receiver.recv_timeout(LIMIT) {
			Ok(line) => {
				if let Some(address) = line.split("Running JSON-RPC server: addr=").nth(1) {
					let address = address.split(',').next().expect("split gives one part");
					return address.trim().to_owned();
				}
				seen.push(line);
			},
			Err(_) => panic!("the node did not start:\n{}", seen.join("\n")),
		}
	}
}

/// The number in a header as JSON.
pub fn number(header: &Value) -> u32 {
	let hex = header["number"].as_str().expect("a header has a number");
	u32::from_str_radix(hex.trim_start_matches("0x"), 16).expect("the number is hex")
}
