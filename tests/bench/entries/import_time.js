import { medians } from "../support/programs.js";

export const title = "Importing it in a new process";
export const unit = "ms";
export const notes =
  "The median of fifteen processes. Deno imports the sources of this library, as from JSR, and has read them before its " +
  "clock starts; Bun and Node import the build. The peers are what npm installs.";
export const aims = [{
  row: "@rolecreds/aws",
  max: 5,
  column: "Node",
  why: "The module has all sources of credentials; most of the time is reading and compiling it.",
}];

export function values({ path }) {
  const specifiers = {
    "@rolecreds/aws": path,
    "@smithy/credential-provider-imds": "@smithy/credential-provider-imds",
    "@aws-sdk/credential-provider-node": "@aws-sdk/credential-provider-node",
  };
  return medians(Object.fromEntries(Object.entries(specifiers).map(([name, specifier]) => [name, program(specifier)])));
}

function program(specifier) {
  return `
    const startedAt = performance.now();
    await import(${JSON.stringify(specifier)});
    console.log(performance.now() - startedAt);
  `;
}
