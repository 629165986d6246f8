// The results of `node:test` as a flat list in TAP, with numbers for names: Stryker's parser takes some names for syntax.
export default async function* reporter(events) {
  let count = 0;
  yield "TAP version 13\n";
  for await (const { type } of events) {
    if (type === "test:pass") yield `ok ${++count}\n`;
    if (type === "test:fail") yield `not ok ${++count}\n`;
  }
  yield `1..${count}\n`;
}
