/** What an emulated instance serves, by path below a version, such as `meta-data/instance-id`. */
export type ImdsItems = Readonly<Record<string, string>>;

/** The versions of instance metadata that EC2 lists. Here each serves the same items. */
export const IMDS_VERSIONS: readonly string[] = [
  ...["1.0", "2007-01-19", "2007-03-01", "2007-08-29", "2007-10-10", "2007-12-15", "2008-02-01", "2008-09-01"],
  ...["2009-04-04", "2011-01-01", "2011-05-01", "2012-01-12", "2014-02-25", "2014-11-05", "2015-10-20", "2016-04-19"],
  ...["2016-06-30", "2016-09-02", "2018-03-28", "2018-08-17", "2018-09-24", "2019-10-01", "2020-10-27", "2021-01-03"],
  ...["2021-03-23", "2021-07-15", "2022-07-09", "2022-09-24", "2024-04-11", "latest"],
];

/**
 * Splits a path into the version and the item's path. As on EC2, several slashes count as one, and a slash at the end
 * is ignored.
 */
export function splitImdsPath(path: string): { readonly version: string; readonly item: string } {
  const [version = "", ...rest] = path.split("/").filter((segment) => segment !== "");
  return { version, item: rest.join("/") };
}

/**
 * The item at a path. For a directory, its names, one per line, with a slash after a directory's name except directly
 * below the version. `undefined` if there is neither.
 *
 * @see {@link https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/instancedata-data-retrieval.html}
 */
export function readItem(items: ImdsItems, path: string): string | undefined {
  if (Object.hasOwn(items, path)) return items[path];
  const prefix = path === "" ? "" : `${path}/`;
  const names = Object.keys(items)
    .filter((key) => key.startsWith(prefix))
    .map((key) => key.slice(prefix.length).replace(/\/.*/, path === "" ? "" : "/"));
  return names.length === 0 ? undefined : [...new Set(names)].sort().join("\n");
}
