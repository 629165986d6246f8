// `npm run test:faults`: the suites of this folder, on each runtime. Needs `tsc -p tests`. The weeks need no sockets and
// measure the heap on Node, so they run there only.
import process from "node:process";
import { BUN, DENO, DENO_FLAGS, runOnEach } from "../support/runtimes.js";

const SUITES = ["table_test", "cut", "bytes", "processes"].map((name) => `./.build/tests/faults/${name}.js`);
const WEEK = "./.build/tests/faults/week.js";

runOnEach({
  Node: [process.execPath, "--expose-gc", "--test", ...SUITES, WEEK],
  Bun: [BUN, "test", "--timeout", "120000", ...SUITES],
  Deno: [DENO, "test", ...DENO_FLAGS, ...SUITES],
});
