// Puts the rows of bench.json as a table between two markers of a Markdown file, below a line that says where they come from.
//   node scripts/bench-table.mjs BENCH_JSON ORIGIN_FILE MARKDOWN_FILE

import { readFileSync, writeFileSync } from "node:fs";

const BEGIN = "<!-- bench: written by scripts/bench.sh --readme -->";
const END = "<!-- /bench -->";

const [source, originFile, file] = process.argv.slice(2);
if (!file) {
  console.error("usage: node scripts/bench-table.mjs BENCH_JSON ORIGIN_FILE MARKDOWN_FILE");
  process.exit(2);
}

/** What is wrong, and what to do about it. */
function fail(message) {
  console.error(`bench-table: ${message}`);
  process.exit(1);
}

function read(path, remedy) {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return fail(`cannot read ${path}; ${remedy}`);
  }
}

/** Whether a row's target is met, by its ratio or, without a peer, by its figure. */
function isMet({ ours, ratio, target }) {
  const [relation, bound] = target.split(" ");
  const figure = ratio ?? ours;
  return relation === ">=" ? figure >= Number(bound) : figure <= Number(bound);
}

const figure = (number) => (number === null ? "-" : String(number));
const cell = (text) => text.replaceAll("|", "\\|");

function line(row) {
  const verdict = row.target === null ? "-" : `${row.target} (${isMet(row) ? "met" : "not met"})`;
  return `| ${cell(row.name)} | ${figure(row.ours)} | ${figure(row.peer)} | ${row.unit} | ${figure(row.ratio)} | ${cell(verdict)} |`;
}

const rows = JSON.parse(read(source, "run make bench first, without ARGS"));
const origin = `Measured at ${read(originFile, "run make bench again, without ARGS").trim()}.`;
const head = ["| What | Ours | Peer | Unit | Ratio | Target |", "|---|---:|---:|---|---:|---|"];
const table = [BEGIN, origin, "", ...head, ...rows.map(line), END].join("\n");

const text = read(file, "name an existing file");
const [begin, end] = [text.indexOf(BEGIN), text.indexOf(END)];
if (begin < 0 || end < begin) fail(`${file} lacks the markers; add these two lines:\n${BEGIN}\n${END}`);
writeFileSync(file, text.slice(0, begin) + table + text.slice(end + END.length));
