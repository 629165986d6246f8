// Prints how many milliseconds the import of the first argument takes.
import process from "node:process";

const startedAt = performance.now();
await import(process.argv[2]);
process.stdout.write(`${performance.now() - startedAt}`);
