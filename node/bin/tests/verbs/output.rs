//! What verbs print of foreign words, and what they do when nobody reads it.

use crate::harness::{command, run_to_end, Output};
use dstp_node_sdk::{
	global_tree::{LocationJson, ObjectId32},
	subtree::HeadJson,
};
use jsonrpsee::{
	server::{ServerBuilder, ServerHandle},
	types::{ErrorObjectOwned, Params},
	Extensions, RpcModule,
};

/// Clears the screen, sets the title, goes up, turns the direction of text, and looks like a line of its own.
const COMMANDS: &str = "\u{1b}[2J\u{1b}]0;title\u{7}\u{9b}1A\u{202e}\r\n  hub head  7";

fn foreign_head() -> HeadJson {
	HeadJson {
		subtree: ObjectId32(crate::subtree::subtree()),
		location: LocationJson::Remote {
			mode: COMMANDS.into(),
			epoch: 1,
			era: 0,
			seq: 0,
			status: COMMANDS.into(),
			pending_until: None,
		},
		hash: Default::default(),
		state_root: Default::default(),
		committed_at: 0,
		batch_len: 0,
	}
}

/// Something that answers like a node, with words of its own.
async fn liar() -> (String, ServerHandle) {
	let mut module = RpcModule::new(());
	let head = |_: Params<'_>, _: &(), _: &Extensions| Ok::<_, ErrorObjectOwned>(foreign_head());
	module.register_method("subtree_head", head).unwrap();
	let refuse = |name| {
		move |_: Params<'_>, _: &(), _: &Extensions| {
			Err::<(), _>(ErrorObjectOwned::owned(9_102, format!("{name}{COMMANDS}"), None::<()>))
		}
	};
	module.register_method("subtree_status", refuse("no copy")).unwrap();
	module.register_method("dstp_resolve", refuse("no path")).unwrap();
	let server = ServerBuilder::default().build("127.0.0.1:0").await.unwrap();
	let url = format!("ws://{}", server.local_addr().unwrap());
	(url, server.start(module))
}

/// Runs the program beside the liar.
async fn run(arguments: &[&str]) -> Output {
	let arguments: Vec<_> = arguments.iter().map(|word| (*word).to_owned()).collect();
	let run = move || run_to_end(&arguments.iter().map(String::as_str).collect::<Vec<_>>());
	tokio::task::spawn_blocking(run).await.unwrap()
}

fn assert_harmless(text: &str) {
	let obeyed = |letter: &char| *letter != '\n' && (letter.is_control() || *letter == '\u{202e}');
	assert_eq!(text.chars().find(obeyed), None, "{text:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_node_types_nothing_into_the_terminal() {
	let (url, _server) = liar().await;
	let text = run(&["subtree", "status", "/x", "--url", &url]).await;
	assert!(text.status.success(), "{}", text.stderr);
	assert!(text.stdout.contains("no copy\\u{1b}[2J"), "{}", text.stdout);
	assert_eq!(text.stdout.matches("\n  hub head").count(), 1, "{}", text.stdout);
	let json = run(&["subtree", "status", "/x", "--json", "--url", &url]).await;
	let read: serde_json::Value = serde_json::from_str(&json.stdout).unwrap();
	assert_eq!(read["noCopy"], format!("no copy{COMMANDS}"), "JSON loses nothing");
	let error = run(&["subtree", "get", "/x", "--url", &url]).await;
	assert!(error.stderr.contains("no path\\u{1b}[2J"), "{}", error.stderr);
	for text in [text.stdout, json.stdout, error.stderr] {
		assert_harmless(&text);
	}
}

#[tokio::test(flavor = "multi_thread")]
async fn a_verb_whose_reader_has_gone_ends_without_a_word() {
	let (url, _server) = liar().await;
	for arguments in [
		&["subtree", "status", "/x", "--url", &url][..],
		&["subtree", "status", "/x", "--json", "--url", &url],
		&["export-chain-spec", "--chain=dev", "--without-code"],
	] {
		let (mut command, _temporary) = command(arguments);
		let mut child = command.spawn().unwrap();
		drop(child.stdout.take());
		let output =
			tokio::task::spawn_blocking(move || child.wait_with_output().unwrap()).await.unwrap();
		let complaint = String::from_utf8_lossy(&output.stderr);
		assert_eq!((output.status.code(), &*complaint), (Some(141), ""), "{arguments:?}");
	}
}
