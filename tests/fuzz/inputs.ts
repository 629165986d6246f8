import fc from "fast-check";

/** In every secret of the documents below: no error may hold it. */
export const CANARY = "canary-secret";

/** What a document is most easily broken with. */
const PIECES = [
  "\n",
  "\r",
  "\0",
  "\\",
  '"',
  "'",
  "{",
  "}",
  "[",
  "]",
  "<",
  ">",
  "&",
  "=",
  ":",
  "#",
  " ",
  "\uFEFF",
  "\uD800",
];

const ANYTHING = fc.oneof(
  fc.string({ unit: "binary", maxLength: 200 }),
  fc.json(),
  fc.array(fc.constantFrom(...PIECES), { maxLength: 40 }).map((pieces) => pieces.join("")),
);

/** One of the documents after up to four cuts and insertions, or any text. */
export function damaged(...documents: readonly string[]): fc.Arbitrary<string> {
  const edit = fc.record({
    at: fc.double({ min: 0, max: 1, noNaN: true }),
    removed: fc.oneof(fc.constant(0), fc.nat(3), fc.nat(1_000)),
    inserted: fc.oneof(
      fc.constant(""),
      fc.constantFrom(...PIECES, "null", "1e999", "-1", "1e300"),
      fc.string({ maxLength: 8 }),
    ),
  });
  const edited = fc.tuple(fc.constantFrom(...documents), fc.array(edit, { maxLength: 4 })).map(([document, edits]) =>
    edits.reduce((text, { at, removed, inserted }) => {
      const start = Math.floor(at * (text.length + 1));
      return text.slice(0, start) + inserted + text.slice(start + removed);
    }, document)
  );
  return fc.oneof({ weight: 4, arbitrary: edited }, { weight: 1, arbitrary: ANYTHING });
}

/** A JSON object with some of its values replaced: by a value of another type, or by an extreme one. */
export function replaced(document: Readonly<Record<string, unknown>>): fc.Arbitrary<string> {
  const values = [null, true, "", " ", 0, -1, 0.5, 1e9, 1e15, 1e300, "9999-12-31T23:59:59Z", {}, []];
  const changes = fc.dictionary(fc.constantFrom(...Object.keys(document)), fc.constantFrom(...values), { maxKeys: 2 });
  return changes.map((changes) => JSON.stringify({ ...document, ...changes }));
}
