/** The parts of `node:fs/promises` that replace a file. */
export interface WritableFileSystem {
  writeFile(path: string, text: string, options: object): Promise<void>;
  rename(from: string, to: string): Promise<void>;
  rm(path: string, options: object): Promise<void>;
}

/** Messages for errors that a user can fix. */
const REASONS: Readonly<Record<string, string>> = {
  EACCES: "permission denied",
  EPERM: "permission denied",
  EROFS: "the file system is read-only",
  ENOSPC: "the disk is full",
  EDQUOT: "the disk quota is exceeded",
  ENOENT: "there is no such directory",
  ENOTDIR: "there is no such directory",
  EISDIR: "it is a directory",
};

/**
 * Replaces a file by a rename, so that others read the old text or the new one and never a part. If that fails, the old
 * file is untouched, and the temporary one is removed.
 *
 * @throws {Error} With a message of this library: the system's errors quote the path.
 */
export async function replaceFile(fs: WritableFileSystem, path: string, text: string): Promise<void> {
  const temporary = `${path}.${crypto.randomUUID()}.tmp`;
  try {
    await fs.writeFile(temporary, text, { flag: "wx", mode: 0o600, flush: true });
    await fs.rename(temporary, path);
  } catch (error) {
    await fs.rm(temporary, { force: true }).catch(() => {/* the first error is the one to report */});
    const { code } = error as { readonly code?: unknown };
    const reason = typeof code === "string" && /^[A-Z]\w*$/.test(code) ? code : "unknown error";
    throw new Error(REASONS[reason] === undefined ? reason : `${REASONS[reason]} (${reason})`);
  }
}
