//! What was measured: a table for people, a list of rows for programs.

use crate::{measure::Pair, Failure};
use serde_json::{json, Value};
use std::{fmt, path::Path};

/// What a figure should be.
#[derive(Clone, Copy)]
pub enum Target {
	/// At least so much.
	AtLeast(f64),
	/// At most so much.
	AtMost(f64),
}

impl Target {
	fn met(self, figure: f64) -> bool {
		match self {
			Self::AtLeast(least) => figure >= least,
			Self::AtMost(most) => figure <= most,
		}
	}
}

impl fmt::Display for Target {
	fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
		match self {
			Self::AtLeast(least) => write!(f, ">= {least}"),
			Self::AtMost(most) => write!(f, "<= {most}"),
		}
	}
}

/// One figure.
pub struct Row {
	name: String,
	ours: f64,
	/// The same of the peer or floor.
	peer: Option<f64>,
	/// Ours by the peer's: the median of the ratios of all pairs.
	ratio: Option<f64>,
	/// For the ratio, or for `ours` where there is no peer.
	target: Option<Target>,
	unit: &'static str,
}

impl Row {
	/// A figure beside that of a peer.
	pub fn pair(name: impl Into<String>, unit: &'static str, pair: Pair) -> Self {
		let (peer, ratio) = (Some(pair.peer), Some(pair.ratio));
		Self { name: name.into(), ours: pair.ours, peer, ratio, target: None, unit }
	}

	/// A figure on its own.
	pub fn single(name: impl Into<String>, unit: &'static str, ours: f64) -> Self {
		Self { name: name.into(), ours, peer: None, ratio: None, target: None, unit }
	}

	/// Says what it should be.
	pub fn with(self, target: Target) -> Self {
		Self { target: Some(target), ..self }
	}

	/// `None`: there is no target.
	fn met(&self) -> Option<bool> {
		self.target.map(|target| target.met(self.ratio.unwrap_or(self.ours)))
	}

	fn json(&self) -> Value {
		json!({
			"name": self.name,
			"ours": rounded(self.ours),
			"peer": self.peer.map(rounded),
			"ratio": self.ratio.map(rounded),
			"target": self.target.map(|target| target.to_string()),
			"unit": self.unit,
		})
	}
}

/// To four significant digits: more of them would be noise.
fn rounded(figure: f64) -> f64 {
	if figure == 0.0 || !figure.is_finite() {
		return 0.0;
	}
	let scale = 10f64.powi(3 - figure.abs().log10().floor() as i32);
	(figure * scale).round() / scale
}

/// Writes the rows as JSON.
pub fn write_json(rows: &[Row], file: &Path) -> Result<(), Failure> {
	let list: Vec<Value> = rows.iter().map(Row::json).collect();
	std::fs::write(file, serde_json::to_string_pretty(&list)? + "\n")
		.map_err(|error| format!("cannot write {}: {error}", file.display()).into())
}

/// Prints the rows as a table, and how many targets are met.
pub fn print(rows: &[Row]) {
	let cell = |figure: Option<f64>| {
		figure.map_or_else(|| "-".into(), |figure| rounded(figure).to_string())
	};
	let width = rows.iter().map(|row| row.name.len()).max().unwrap_or(0);
	println!(
		"\n{:width$}  {:>10} {:>10} {:>8}  {:8} {:6}  unit",
		"figure", "ours", "peer", "ratio", "target", ""
	);
	for row in rows {
		let target = row.target.map_or_else(|| "-".into(), |target| target.to_string());
		let met = row.met().map_or("", |met| if met { "met" } else { "UNMET" });
		println!(
			"{:width$}  {:>10} {:>10} {:>8}  {target:8} {met:6}  {}",
			row.name,
			cell(Some(row.ours)),
			cell(row.peer),
			cell(row.ratio),
			row.unit
		);
	}
	let targets = rows.iter().filter_map(Row::met).count();
	let met = rows.iter().filter_map(Row::met).filter(|met| *met).count();
	println!("\n{met} of {targets} targets met");
}
