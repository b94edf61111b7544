//! What a node reads when it starts beside the chain's database: its keys, the key of its peer id, and the files of the subtrees.

use super::{
	cases,
	files::{copy, damage, list},
	Random,
};
use crate::{
	harness::{self, Node, LIMIT},
	subtree::{
		after_blocks, create, genesis, insert_authority, register, signed, submit, until_committed,
		until_served,
	},
};
use sp_keyring::Sr25519Keyring::Alice;
use std::{
	fs,
	io::{BufRead, BufReader},
	path::Path,
	process::Stdio,
	sync::mpsc,
	time::Instant,
};

const ARGUMENTS: [&str; 4] = ["--dev", "--seal=interval=500", "--serve=/x", "-d"];

/// A folder of a node that has served, with everything that a node writes.
async fn fill(base: &Path) {
	let base = base.to_str().unwrap();
	let node = Node::start(&[&ARGUMENTS[..], &[base]].concat()).await;
	insert_authority(&node).await;
	register(&node).await;
	let epoch = until_served(&node).await.epoch;
	let genesis = genesis(&node).await;
	submit(&node, signed(&genesis, epoch, Alice, 0, create("DE"))).await.unwrap();
	until_committed(&node).await;
	submit(&node, signed(&genesis, epoch, Alice, 1, create("FR"))).await.unwrap();
	node.interrupt().await;
}

/// Starts a node on `base` and gives what it logs until it serves, or refuses to, or ends; and whether it ended.
fn start(base: &Path) -> (String, bool) {
	let (mut command, _temporary) = harness::command(&ARGUMENTS);
	let mut child = command
		.arg(base)
		.args(["--rpc-port=0", "--port=0", "--no-prometheus", "--no-telemetry", "--no-mdns"])
		.stdout(Stdio::null())
		.spawn()
		.unwrap();
	let log = BufReader::new(child.stderr.take().unwrap());
	let (sender, lines) = mpsc::channel();
	std::thread::spawn(move || {
		for line in log.lines().map_while(Result::ok) {
			// When the test has seen enough, nobody listens any more.
			let _ = sender.send(line);
		}
	});
	let (mut text, begin) = (String::new(), Instant::now());
	let decided = |line: &str| line.contains("for subtree 0x") || line.contains("cannot be opened");
	let ended = loop {
		match lines.recv_timeout(LIMIT.saturating_sub(begin.elapsed())) {
			Ok(line) => {
				text.push_str(&line);
				text.push('\n');
				if decided(&line) {
					break false;
				}
			},
			Err(mpsc::RecvTimeoutError::Disconnected) => break true,
			Err(mpsc::RecvTimeoutError::Timeout) => panic!("the node says nothing:\n{text}"),
		}
	};
	// It may have ended by itself.
	let _ = child.kill();
	let status = child.wait().unwrap();
	assert!(!ended || status.code() == Some(1), "{status}: {text}");
	(text, ended)
}

/// The folder of a file in `chains/dev`.
fn kind(file: &Path) -> &str {
	file.components().nth(2).unwrap().as_os_str().to_str().unwrap()
}

/// Three cases in the short form, one of each kind; a hundred in the long form.
#[tokio::test(flavor = "multi_thread")]
async fn a_node_starts_on_damaged_files_or_names_them() {
	let folder = tempfile::tempdir().unwrap();
	let whole = folder.path().join("whole");
	fill(&whole).await;
	let mut files = Vec::new();
	list(&whole, &mut files);
	let mut files: Vec<_> =
		files.iter().map(|file| file.strip_prefix(&whole).unwrap().to_path_buf()).collect();
	files.sort();
	let mut random = Random::new("data files");
	for case in 0..cases(3, 100) {
		// Each kind in turn: a subtree has many files, a keystore one.
		let wanted = ["keystore", "network", "subtrees"][case % 3];
		let of_kind: Vec<_> = files.iter().filter(|file| kind(file) == wanted).collect();
		let file = of_kind[random.below(of_kind.len())];
		let base = folder.path().join(format!("damaged-{case}"));
		copy(&whole, &base);
		let mut bytes = fs::read(base.join(file)).unwrap();
		damage(&mut random, &mut bytes);
		fs::write(base.join(file), bytes).unwrap();
		// What it noted about other nodes, too.
		let noise: Vec<_> = (0..random.below(200)).map(|_| random.below(256) as u8).collect();
		fs::write(base.join("chains/dev/subtrees/scores"), noise).unwrap();
		let (log, ended) = start(&base);
		let shown = file.display();
		assert!(!log.contains("panicked") && !log.contains("backtrace"), "{shown}: {log}");
		if ended {
			assert!(log.contains("Error: "), "{shown}: {log}");
			assert!(wanted != "network" || log.contains("Restore it, or remove it"), "{log}");
		}
		fs::remove_dir_all(&base).unwrap();
	}
}

#[tokio::test(flavor = "multi_thread")]
async fn a_damaged_key_is_named_in_the_log_and_may_be_inserted_again() {
	let folder = tempfile::tempdir().unwrap();
	let base = folder.path();
	fill(base).await;
	let keystore = base.join("chains/dev/keystore");
	let key = fs::read_dir(&keystore).unwrap().next().unwrap().unwrap().path();
	fs::write(&key, "\"//Nobody\"").unwrap();
	let node = Node::start(&[&ARGUMENTS[..], &[base.to_str().unwrap()]].concat()).await;
	let status = until_served(&node).await;
	let genesis = genesis(&node).await;
	// It takes calls once it has seen a block since its start.
	let call = signed(&genesis, status.epoch, Alice, 2, create("IT"));
	after_blocks(&node, async |_| submit(&node, call.clone()).await.ok()).await;
	let mut blocks = crate::finalized_heads(&node).await;
	while !node.has_logged("in the keystore cannot be used") {
		blocks.next().await.unwrap().unwrap();
	}
	fs::remove_file(key).unwrap();
	insert_authority(&node).await;
	until_committed(&node).await;
}
