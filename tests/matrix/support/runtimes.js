// The runtimes of the matrix: those of this folder's package.json, and the pinned ones of the root.
const local = `${import.meta.dirname}/../node_modules`;
const root = `${import.meta.dirname}/../../../node_modules/.bin`;

const PATHS = { node: "bin/node", bun: "bin/bun", deno: "deno" };
const NAMES = { node: "Node", bun: "Bun", deno: "Deno" };

function installed(kind, version) {
  return { kind, version, name: `${NAMES[kind]} ${version}`, path: `${local}/${kind}-${version}/${PATHS[kind]}` };
}

function pinned(kind) {
  return { kind, name: `the pinned ${NAMES[kind]}`, path: `${root}/${kind}` };
}

export const NODES = ["20.16", "20", "22.3", "22", "24", "26"].map((version) => installed("node", version));
export const BUNS = [installed("bun", "1.2.6"), pinned("bun")];
export const DENOS = [installed("deno", "2.5.1"), pinned("deno")];
export const SUPPORTED = [...NODES, ...BUNS, ...DENOS];

/** Each with the versions that its error names. */
export const UNSUPPORTED = [
  { ...installed("node", "20.15"), needed: "Node 20.16 or later in version 20, or to Node 22.3 or later" },
  { ...installed("node", "22.2"), needed: "Node 20.16 or later in version 20, or to Node 22.3 or later" },
  { ...installed("bun", "1.2.5"), needed: "Bun 1.2.6 or later" },
  { ...installed("deno", "2.5.0"), needed: "Deno 2.5.1 or later" },
];
