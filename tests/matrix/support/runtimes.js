// The runtimes of the matrix: those of this folder's package.json, and the pinned ones of the root.
const local = `${import.meta.dirname}/../node_modules`;
const root = `${import.meta.dirname}/../../../node_modules/.bin`;

const node = (version) => ({
  name: `Node ${version}`,
  kind: "node",
  version,
  path: `${local}/node-${version}/bin/node`,
});
const bun = (version) => ({
  name: `Bun ${version}`,
  kind: "bun",
  version,
  path: `${local}/bun-${version}/bin/bun`,
});
const deno = (version) => ({
  name: `Deno ${version}`,
  kind: "deno",
  version,
  path: `${local}/deno-${version}/deno`,
});

export const NODES = ["20.16", "20", "22.3", "22", "24", "26"].map(node);
export const BUNS = [bun("1.2.6"), {
  name: "the pinned Bun",
  kind: "bun",
  path: `${root}/bun`,
}];
export const DENOS = [deno("2.5.1"), {
  name: "the pinned Deno",
  kind: "deno",
  path: `${root}/deno`,
}];
export const SUPPORTED = [...NODES, ...BUNS, ...DENOS];

/** Each with the versions that its error names. */
export const UNSUPPORTED = [
  { ...node("20.15"), needed: "Node 20.16, 22.3 or later" },
  { ...node("22.2"), needed: "Node 20.16, 22.3 or later" },
  { ...bun("1.2.5"), needed: "Bun 1.2.6 or later" },
  { ...deno("2.5.0"), needed: "Deno 2.5.1 or later" },
];
