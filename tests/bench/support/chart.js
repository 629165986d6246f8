import { title as BUNDLE } from "../entries/bundle_size.js";
import { title as IMPORT } from "../entries/import_time.js";
import { title as INSTALLED } from "../entries/installed_size.js";
import { title as REQUESTS } from "../entries/requests.js";
import { formatted } from "./report.js";

const [OWN, SDK] = ["@rolecreds/aws", "AWS SDK v3"];

/** The few numbers that make the point: where in the results each bar is, as column and row. */
const GROUPS = [
  {
    title: "Packages installed",
    from: INSTALLED,
    bars: { [OWN]: ["packages", OWN], [SDK]: ["packages", "@aws-sdk/credential-providers"] },
  },
  {
    title: "Default chain in a bundle, KiB gzip",
    from: BUNDLE,
    bars: { [OWN]: [OWN, "the default chain"], [SDK]: ["@aws-sdk/credential-providers", "the default chain"] },
  },
  {
    title: "Import on Node, ms",
    from: IMPORT,
    bars: { [OWN]: ["Node", OWN], [SDK]: ["Node", "@aws-sdk/credential-provider-node"] },
  },
  {
    title: "Requests to the metadata service for a refresh",
    from: REQUESTS,
    bars: {
      [OWN]: ["a refresh", "fromInstanceMetadata()"],
      [SDK]: ["a refresh", "@smithy/credential-provider-imds"],
    },
  },
];

const [WIDTH, BAR_LEFT, BAR_WIDTH] = [720, 150, 480];
const [TITLE_HEIGHT, BAR_HEIGHT, ROW_HEIGHT, GAP] = [24, 16, 22, 14];
const GROUP_HEIGHT = TITLE_HEIGHT + 2 * ROW_HEIGHT + GAP;

/** Readable on white and on black; the media query follows the reader where the viewer supports it. */
const STYLE = `
  text { font: 13px system-ui, sans-serif; fill: #6e7781 }
  .title { font-weight: 600 }
  .own { fill: #d9730d }
  .peer { fill: #8c959f }
  @media (prefers-color-scheme: dark) { text { fill: #b1bac4 } .peer { fill: #6e7681 } }
`;

/** The chart of the README as SVG: a group of bars for each comparison, each group to its own scale. */
export function chartOf(results) {
  const height = GROUPS.length * GROUP_HEIGHT + 4;
  const groups = GROUPS.map((group, index) => groupOf(group, results, index * GROUP_HEIGHT)).join("");
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${height}" width="${WIDTH}" role="img">
<title>Less is better: ${OWN} beside ${SDK}</title>
<style>${STYLE}</style>
${groups}</svg>
`;
}

function groupOf({ title, from, bars }, results, top) {
  const values = Object.entries(bars).map(([name, [column, row]]) => [name, valueOf(results[from], column, row)]);
  const largest = Math.max(...values.map(([, value]) => value));
  const lines = values.map(([name, value], index) =>
    barOf(name, value, largest, top + TITLE_HEIGHT + index * ROW_HEIGHT)
  );
  return `<text class="title" x="${BAR_LEFT}" y="${top + 17}">${title}</text>\n${lines.join("")}`;
}

function barOf(name, value, largest, top) {
  const width = Math.max(2, Math.round(BAR_WIDTH * value / largest));
  const baseline = top + BAR_HEIGHT - 3;
  return `<text x="${BAR_LEFT - 10}" y="${baseline}" text-anchor="end">${name}</text>
<rect class="${
    name === OWN ? "own" : "peer"
  }" x="${BAR_LEFT}" y="${top}" width="${width}" height="${BAR_HEIGHT}" rx="2"/>
<text x="${BAR_LEFT + width + 8}" y="${baseline}">${formatted(value)}</text>
`;
}

/** Columns of runtimes carry a version. */
function valueOf(result, column, row) {
  const [, values] = Object.entries(result).find(([name]) => name === column || name.startsWith(`${column} `));
  return values[row];
}
