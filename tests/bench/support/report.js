/**
 * The results as Markdown: a table for each entry, a column for each runtime. In brackets the ratio to the first row.
 *
 * @param entries The modules of the entries, in their order.
 * @param results Numbers by runtime, title and subject.
 */
export function markdownOf(entries, results) {
  return entries.map(({ title, unit, notes }) => {
    const { runtimes, subjects } = shapeOf(title, results);
    const rows = subjects.map((
      subject,
    ) => [subject, ...runtimes.map((runtime) => cell(results[runtime][title], subject))]);
    return `## ${title} (${unit})\n\n${notes}\n\n${table([["", ...runtimes], ...rows])}`;
  }).join("\n");
}

/** The results as bars: a group for each entry and runtime, each group to its own scale. */
export function svgOf(entries, results) {
  const lines = [];
  let y = 0;
  const text = (x, words, rest = "") => lines.push(`<text x="${x}" y="${y}"${rest}>${escaped(words)}</text>`);
  for (const { title, unit } of entries) {
    const { runtimes, subjects } = shapeOf(title, results);
    y += 34;
    text(10, `${title} (${unit})`, ' font-weight="bold"');
    const longest = Math.max(...runtimes.flatMap((runtime) => Object.values(results[runtime][title])));
    for (const subject of subjects) {
      y += 8;
      for (const [index, runtime] of runtimes.entries()) {
        const value = results[runtime][title][subject];
        const width = Math.max(1, 330 * value / longest);
        const color = subject.includes("fromInstance") || subject.startsWith("@rolecreds") ? "#d9730d" : "#8a8f98";
        y += 16;
        if (index === 0) text(10, subject);
        text(320, runtime.split(" ")[0], ' text-anchor="end"');
        lines.push(`<rect x="330" y="${y - 10}" width="${width.toFixed(1)}" height="12" fill="${color}"/>`);
        text(Math.round(336 + width), number(value));
      }
    }
  }
  const style = 'font-family="sans-serif" font-size="12" fill="#59636e"';
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 740 ${y + 16}" width="740" ${style}>\n${
    lines.join("\n")
  }\n</svg>\n`;
}

function shapeOf(title, results) {
  const runtimes = Object.keys(results).filter((runtime) => title in results[runtime]);
  return { runtimes, subjects: Object.keys(results[runtimes[0]][title]) };
}

function cell(values, subject) {
  const [first] = Object.values(values);
  return `${number(values[subject])} (${(values[subject] / first).toFixed(2)})`;
}

function number(value) {
  return value >= 100 || Number.isInteger(value) ? `${Math.round(value)}` : value.toFixed(1);
}

function table([head, ...rows]) {
  const widths = head.map((_, column) => Math.max(...[head, ...rows].map((row) => row[column].length)));
  const line = (cells) => `| ${cells.map((text, column) => text.padEnd(widths[column])).join(" | ")} |\n`;
  return [line(head), line(widths.map((width) => "-".repeat(width))), ...rows.map(line)].join("");
}

function escaped(text) {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;");
}
