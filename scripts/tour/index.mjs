// The steps of the tour, in order.
//
// A step is a module that exports
//   name         one line, shown to the user
//   timeoutMs    after this time the step has failed
//   run(ctx, progress)   does the work and may return a sentence about the result; rejects if it failed
// ctx:  network the running network (lib/network.mjs)
//       nodes   [{ name, ws, prometheus, log, pid }]
//       signal  an AbortSignal: the step's time is over, a node died or the user stopped the run
//       shared  an object in which a step leaves what later steps need; rows of shared.summary, each a name and
//               a figure, are printed at the end. `short`: only the states that steps ask about are loaded
// progress: start(total, unit), set(done), note(text); see scripts/lib/output.mjs.

import * as change from "./change.mjs";
import * as final from "./final.mjs";
import * as finality from "./finality.mjs";
import * as follow from "./follow.mjs";
import * as list from "./list.mjs";
import * as load from "./load.mjs";
import * as nodes from "./nodes.mjs";
import * as read from "./read.mjs";
import * as register from "./register.mjs";

export const steps = [finality, register, load, final, follow, read, list, change, nodes];
