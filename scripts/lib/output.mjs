// What the user sees: steps with a progress bar and an ETA, and tables.

import { fromZombienet } from "./packages.mjs";

const { SingleBar } = fromZombienet("cli-progress");
const Table = fromZombienet("cli-table3");

// Without a terminal one line in this time keeps a log readable and shows that the step lives.
const LINE_EVERY_MS = 10_000;

const NO_LINES = {
  top: "", "top-mid": "", "top-left": "", "top-right": "",
  bottom: "", "bottom-mid": "", "bottom-left": "", "bottom-right": "",
  left: "", "left-mid": "", mid: "", "mid-mid": "", right: "", "right-mid": "", middle: "  ",
};

/** The progress of one step. A step that cannot count its work need not call `start`. */
export class Progress {
  #bar;
  #tty = process.stdout.isTTY === true;

  /** Shows the bar: `total` pieces of work, named `unit` in the plural. May be called again with a new total. */
  start(total, unit, done = 0) {
    this.stop();
    this.#bar = new SingleBar({
      format: `    {bar} {percentage}% | {value}/{total} ${unit} | {duration_formatted}, ETA {eta_formatted}`,
      barCompleteChar: "=",
      barIncompleteChar: " ",
      barsize: 30,
      hideCursor: true,
      clearOnComplete: true,
      etaBuffer: 50,
      stream: process.stdout,
      noTTYOutput: true,
      notTTYSchedule: LINE_EVERY_MS,
      // Signals end the whole run in order (run.mjs); the bar must not exit on its own.
      gracefulExit: false,
    });
    this.#bar.start(total, done);
  }

  /** Sets how many pieces are done. */
  set(done) {
    this.#bar?.update(done);
  }

  /** Prints a line without destroying the bar. */
  note(text) {
    if (this.#tty && this.#bar) process.stdout.write("\r\x1b[K");
    process.stdout.write(`    ${text}\n`);
  }

  /** Removes the bar. */
  stop() {
    if (!this.#bar) return;
    this.#bar.stop();
    this.#bar = undefined;
    // On a terminal the bar's line is free again; clear what is left of it.
    if (this.#tty) process.stdout.write("\r\x1b[K\x1b[?25h");
  }
}

/** The user ended the run: not a failure of the step that was under way. */
export class Stopped extends Error {}

/** Runs one step: prints its name, its time, and what it returns (a sentence, or nothing). */
export async function runStep(name, run) {
  const started = Date.now();
  const progress = new Progress();
  console.log(`==> ${name}`);
  try {
    const result = await run(progress);
    progress.stop();
    console.log(`    done in ${seconds(started)}${result ? `: ${result}` : ""}`);
  } catch (error) {
    progress.stop();
    console.log(`    ${error instanceof Stopped ? "stopped" : "FAILED"} after ${seconds(started)}`);
    throw error;
  }
}

/** Prints rows under a head. */
export function table(head, rows) {
  const columns = new Table({ head, chars: NO_LINES, style: { head: [], border: [] } });
  columns.push(...rows);
  console.log(`\n${columns.toString()}`);
}

function seconds(since) {
  return `${((Date.now() - since) / 1000).toFixed(1)} s`;
}
