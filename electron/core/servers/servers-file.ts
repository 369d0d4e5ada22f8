import { randomBytes } from 'node:crypto';
import { lstat, readdir, rename, rm } from 'node:fs/promises';
import path from 'node:path';
import { z } from 'zod';
import { readJson } from '../../../shared/json.ts';
import { AppError, sanitizeExternalText } from '../base/errors.ts';
import { readFileIfThere, writeFileAtomic } from '../base/atomic-file.ts';
import type { Log } from '../base/log.ts';

const fileName = 'servers.json';
const backupName = 'servers.json.bak';

/** No list that a user made is larger. */
const maxBytes = 16_000_000;

/** All members of the file, including those that this version does not know. */
export type FileContent = Readonly<Record<string, unknown>>;

export interface LoadedServers {
  /** Part of the names of store items, so that two data folders do not share any. */
  readonly installId: string;
  /** As they are in the file, not validated. */
  readonly entries: readonly unknown[];
  /** The entries of the backup. */
  readonly backup: readonly unknown[];
  /** The members of the file besides the list. */
  readonly others: FileContent;
  readonly notice: AppError | undefined;
  /** True: the file is from a newer Keybridge, and writing it could lose what this version does not know. */
  readonly readOnly: boolean;
}

type Reading =
  | ({ readonly kind: 'good' | 'newer' } & Pick<LoadedServers, 'installId' | 'entries' | 'others'>)
  | { readonly kind: 'absent' }
  | { readonly kind: 'damaged'; readonly installId: string | undefined };

/**
 * Reads `servers.json`. If the file is damaged or missing, restores the last good copy (`servers.json.bak`) and keeps
 * the damaged file next to it. Throws E_CONFIG_UNSAFE, E_CONFIG_WRITE.
 */
export async function loadServersFile(dataDir: string, now: number, log: Log): Promise<LoadedServers> {
  await removeTemporaries(dataDir);
  const main = await readServers(path.join(dataDir, fileName));
  if (main.kind === 'newer') return { ...main, backup: [], notice: newer(dataDir), readOnly: true };

  const backup = await readServers(path.join(dataDir, backupName));
  if (main.kind === 'good')
    return { ...main, backup: backup.kind === 'good' ? backup.entries : [], notice: undefined, readOnly: false };
  if (backup.kind === 'newer') return { ...backup, backup: [], notice: newer(dataDir), readOnly: true };
  if (main.kind === 'absent' && backup.kind === 'absent')
    return { ...(await createEmptyFile(dataDir, randomId(), log)), notice: undefined };
  const kept = main.kind === 'damaged' ? await setAside(dataDir, fileName, now) : undefined;
  log('servers_file_restored', { from: backup.kind === 'good' ? 'backup' : 'nothing' });
  if (backup.kind === 'good') {
    const content = contentOf(backup);
    await saveServersFile(dataDir, content, content, log);
    return {
      ...backup,
      backup: backup.entries,
      notice: damaged(dataDir, kept, 'Keybridge restored the last good copy'),
      readOnly: false,
    };
  }
  if (backup.kind === 'damaged') await setAside(dataDir, backupName, now);
  // Store items are named after the install id, so it is recovered from the damaged file if possible.
  const installId = recoveredId(main) ?? recoveredId(backup) ?? randomId();
  return {
    ...(await createEmptyFile(dataDir, installId, log)),
    notice: damaged(dataDir, kept, 'there is no good copy, so the list is empty'),
  };
}

/** Returns the complete content of the file. */
export const contentOf = ({
  others,
  installId,
  entries,
}: Pick<LoadedServers, 'others' | 'installId' | 'entries'>): FileContent => ({
  ...others,
  version: 1,
  installId,
  servers: entries,
});

/** Writes the list, then the backup. Throws E_CONFIG_WRITE. */
export async function saveServersFile(
  dataDir: string,
  content: FileContent,
  backup: FileContent,
  log: Log,
): Promise<void> {
  try {
    await writeFileAtomic(path.join(dataDir, fileName), textOf(content));
  } catch (error) {
    throw new AppError(
      'E_CONFIG_WRITE',
      `${sanitizeExternalText(path.join(dataDir, fileName), 200)} could not be written (${codeOf(error)}).`,
      { cause: error },
    );
  }
  try {
    await writeFileAtomic(path.join(dataDir, backupName), textOf(backup));
  } catch (error) {
    // The list itself is on disk; the backup is one change behind until the next write.
    log('servers_backup_failed', { code: codeOf(error) });
  }
}

const textOf = (content: FileContent): string => `${JSON.stringify(content, undefined, 2)}\n`;

/** 64 random bits in hex. */
export const randomId = (): string => randomBytes(8).toString('hex');

async function createEmptyFile(dataDir: string, installId: string, log: Log) {
  const empty = { installId, entries: [], backup: [], others: {}, readOnly: false };
  await saveServersFile(dataDir, contentOf(empty), contentOf(empty), log);
  return empty;
}

async function readServers(file: string): Promise<Reading> {
  const size = await refuseUnsafe(file);
  if (size === undefined) return { kind: 'absent' };
  if (size > maxBytes) return { kind: 'damaged', installId: undefined };
  const text = await readFileIfThere(file).catch((error: unknown) => {
    if (error instanceof AppError) throw error;
    throw new AppError('E_CONFIG_WRITE', `${sanitizeExternalText(file, 200)} could not be read (${codeOf(error)}).`, {
      cause: error,
    });
  });
  return text === undefined ? { kind: 'absent' } : parseServers(text);
}

/** The entries are validated one by one, in `readEntries`. */
const ServersFile = z.looseObject({
  version: z.literal(1),
  installId: z.string().regex(/^[a-z0-9]{8,32}$/),
  servers: z.array(z.unknown()),
});
const NewerFile = z.looseObject({ version: z.number().int().min(2) });

function parseServers(text: string): Reading {
  const json = readJson(text);
  const good = ServersFile.safeParse(json);
  if (good.success) return { kind: 'good', ...partsOf(good.data) };
  const newerFile = NewerFile.safeParse(json);
  if (!newerFile.success) return { kind: 'damaged', installId: /"installId"\s*:\s*"([a-z0-9]{8,32})"/.exec(text)?.[1] };
  // Shown as far as this version understands it; never written.
  const understood = ServersFile.safeParse({ ...newerFile.data, version: 1 });
  return {
    kind: 'newer',
    ...(understood.success ? partsOf(understood.data) : { installId: randomId(), entries: [], others: {} }),
  };
}

function partsOf({
  version: _version,
  installId,
  servers,
  ...others
}: z.infer<typeof ServersFile>): Pick<LoadedServers, 'installId' | 'entries' | 'others'> {
  return { installId, entries: servers, others };
}

/**
 * Returns the size of a file that only this user can have written, or undefined if it does not exist. Throws
 * E_CONFIG_UNSAFE for a link, a file of another user, or one that others may write: it could name servers that the user
 * never added.
 */
async function refuseUnsafe(file: string): Promise<number | undefined> {
  const stat = await lstat(file).catch((error: unknown) => {
    if (codeOf(error) === 'ENOENT') return undefined;
    throw new AppError('E_CONFIG_WRITE', `${sanitizeExternalText(file, 200)} could not be read (${codeOf(error)}).`, {
      cause: error,
    });
  });
  if (!stat) return undefined;
  const shown = `"${sanitizeExternalText(file, 110)}"`;
  const remedy = `mv ${shown} ${shown.slice(0, -1)}.old"`;
  if (!stat.isFile())
    throw new AppError('E_CONFIG_UNSAFE', `The server list is a link or not a regular file: ${remedy}`);
  if (process.getuid === undefined) return stat.size;
  if (stat.uid !== process.getuid())
    throw new AppError('E_CONFIG_UNSAFE', `The server list belongs to another user: ${remedy}`);
  if ((stat.mode & 0o022) !== 0)
    throw new AppError(
      'E_CONFIG_UNSAFE',
      `Other users can change the server list. Correct its mode: chmod 600 ${shown}`,
    );
  return stat.size;
}

async function setAside(dataDir: string, name: string, now: number): Promise<string> {
  const time = new Date(now).toISOString().replace(/[:.]/g, '-');
  const kept = path.join(dataDir, `${name}.damaged-${time}`);
  await rename(path.join(dataDir, name), kept);
  return kept;
}

/**
 * Removes the temporary files of writers that were killed. No one else is writing: the caller holds the folder's lock.
 */
async function removeTemporaries(dataDir: string): Promise<void> {
  const names = await readdir(dataDir).catch(() => []);
  const orphans = names.filter((name) => /^\.servers\.json(\.bak)?\.[0-9a-f]{12}\.tmp$/.test(name));
  await Promise.all(orphans.map((name) => rm(path.join(dataDir, name), { force: true })));
}

const recoveredId = (reading: Reading): string | undefined =>
  reading.kind === 'damaged' ? reading.installId : undefined;

function damaged(dataDir: string, kept: string | undefined, consequence: string): AppError {
  const problem =
    kept === undefined
      ? `${sanitizeExternalText(path.join(dataDir, fileName), 120)} was missing`
      : `${sanitizeExternalText(kept, 120)} was damaged`;
  return new AppError('E_CONFIG_DAMAGED', `${problem}; ${consequence}.`);
}

function newer(dataDir: string): AppError {
  return new AppError(
    'E_CONFIG_NEWER',
    `${sanitizeExternalText(path.join(dataDir, fileName), 120)} was written by a newer Keybridge, so it is read-only.`,
  );
}

const codeOf = (error: unknown): string => (error as NodeJS.ErrnoException).code ?? 'unknown';
