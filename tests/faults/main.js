// `npm run test:faults`: the suites of this folder. Needs `tsc -p tests`. The table of faults is a part of `npm test`, on each
// runtime; the weeks need no sockets, and measure the heap on Node.
import process from "node:process";
import { BUN, DENO, DENO_FLAGS, runOnEach } from "../support/runtimes.js";

const [TABLE, WEEK, CUT] = ["table_test", "week", "cut"].map((name) => `./.build/tests/faults/${name}.js`);

runOnEach({
  Node: [process.execPath, "--expose-gc", "--test", TABLE, WEEK, CUT],
  Bun: [BUN, "test", "--timeout", "120000", CUT],
  Deno: [DENO, "test", ...DENO_FLAGS, CUT],
});
