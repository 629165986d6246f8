import { readFileSync } from "node:fs";

/** The rows of `tests/data/<name>.json`; each has a `name`, and `docs` that say why it is there. */
export function readTable<Row extends { readonly name: string }>(name: string): readonly Row[] {
  return JSON.parse(readFileSync(`tests/data/${name}.json`, "utf8"));
}
