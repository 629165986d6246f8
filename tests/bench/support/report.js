/**
 * The results as Markdown: a table for each entry, in brackets the ratio to what the first cell is; then its aims.
 *
 * @param entries The modules of the entries, in their order.
 * @param results Numbers by title, column and row.
 */
export function markdownOf(entries, results) {
  const intro = "# Results of `npm run bench`\n\nLess is better.";
  return `${[intro, ...entries.map((entry) => sectionOf(entry, results[entry.title]))].join("\n\n")}\n`;
}

function sectionOf({ title, unit, notes, isComparedByRow = false, aims = [] }, result) {
  const names = Object.keys(result);
  const rows = Object.keys(result[names[0]]);
  const baseOf = (name, row) => isComparedByRow ? result[names[0]][row] : result[name][rows[0]];
  const cells = rows.map((row) => [row, ...names.map((name) => cell(result[name][row], baseOf(name, row)))]);
  const parts = [
    `## ${title} (${unit})`,
    `${notes} In brackets: the ratio to ${isComparedByRow ? names[0] : rows[0]}.`,
    table([["", ...names], ...cells]),
    aims.flatMap((aim) => aimLines(aim, result)).join("\n"),
  ];
  return parts.filter((part) => part !== "").join("\n\n");
}

/** One line for each column the aim is about: met or not. */
function aimLines({ row, max, of, column = "", why = "" }, result) {
  return Object.entries(result).filter(([name]) => name.startsWith(column)).map(([name, values]) => {
    const value = values[row] / (of === undefined ? 1 : values[of]);
    const limit = of === undefined ? `at most ${max}` : `at most ${max} of ${of}`;
    const [verdict, reason] = value <= max ? ["met", ""] : ["**not met**", why && `. ${why}`];
    const actual = of === undefined ? formatted(value) : value.toFixed(2);
    return `- Aim ${verdict}: ${row}, ${name}: ${limit}, is ${actual}${reason}`;
  });
}

function cell(value, base) {
  if (value === undefined) return "";
  const ratio = value / base;
  return Number.isFinite(ratio) ? `${formatted(value)} (${ratio.toFixed(2)})` : formatted(value);
}

/** Three digits, as far as they mean anything. */
export function formatted(value) {
  if (value >= 100 || Number.isInteger(value)) return `${Math.round(value)}`;
  return value.toFixed(value >= 1 ? 1 : 2);
}

function table([head, ...rows]) {
  const widths = head.map((_, column) => Math.max(...[head, ...rows].map((row) => row[column].length)));
  const line = (cells) => `| ${cells.map((text, column) => text.padEnd(widths[column])).join(" | ")} |`;
  return [line(head), line(widths.map((width) => "-".repeat(width))), ...rows.map(line)].join("\n");
}
