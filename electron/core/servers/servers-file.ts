import { randomBytes } from 'node:crypto';
import { lstat, readdir, rename, rm } from 'node:fs/promises';
import path from 'node:path';
import { z } from 'zod';
import { AppError, foreign } from '../errors.ts';
import { readFileIfThere, writeFileAtomic } from '../files.ts';
import type { Log } from '../log.ts';
import { ServersFile } from './server.ts';

const fileName = 'servers.json';
const backupName = 'servers.json.bak';

/** More is no list that a person made. */
const maxBytes = 16_000_000;

export interface LoadedServers {
  readonly file: ServersFile;
  readonly notice: AppError | undefined;
  /** The file is of a newer Keybridge: writing it would lose what this one does not know. */
  readonly readOnly: boolean;
}

type Reading =
  | { readonly kind: 'good' | 'newer'; readonly file: ServersFile }
  | { readonly kind: 'absent' }
  | { readonly kind: 'damaged'; readonly installId: string | undefined };

/**
 * Reads `servers.json`. Damaged or gone: the last good copy (`servers.json.bak`) takes its place, and the damaged file is
 * kept beside it. Throws E_CONFIG_UNSAFE, E_CONFIG_WRITE.
 */
export async function loadServersFile(dataDir: string, now: number, log: Log): Promise<LoadedServers> {
  await removeTemporaries(dataDir);
  const main = await readServers(path.join(dataDir, fileName));
  if (main.kind === 'good') return { file: main.file, notice: undefined, readOnly: false };
  if (main.kind === 'newer') return { file: main.file, notice: newer(dataDir), readOnly: true };

  const backup = await readServers(path.join(dataDir, backupName));
  if (backup.kind === 'newer') return { file: backup.file, notice: newer(dataDir), readOnly: true };
  if (main.kind === 'absent' && backup.kind === 'absent') {
    return { file: await firstFile(dataDir, randomId(), log), notice: undefined, readOnly: false };
  }
  const kept = main.kind === 'damaged' ? await putAside(dataDir, now) : undefined;
  log('servers_file_restored', { from: backup.kind === 'good' ? 'backup' : 'nothing' });
  if (backup.kind === 'good') {
    await saveServersFile(dataDir, backup.file, log);
    return { file: backup.file, notice: damaged(dataDir, kept, 'the last good copy is used'), readOnly: false };
  }
  // Store items are named by the install id, so it is saved from what is left of the file where it can be.
  const installId = savedId(main) ?? savedId(backup) ?? randomId();
  const file = await firstFile(dataDir, installId, log);
  return { file, notice: damaged(dataDir, kept, 'there is no good copy, so the list is empty'), readOnly: false };
}

/** Writes the list, then the copy that stands in when the list is damaged. Throws E_CONFIG_WRITE. */
export async function saveServersFile(dataDir: string, file: ServersFile, log: Log): Promise<void> {
  const text = `${JSON.stringify(file, undefined, 2)}\n`;
  try {
    await writeFileAtomic(path.join(dataDir, fileName), text);
  } catch (error) {
    throw new AppError('E_CONFIG_WRITE', `${foreign(path.join(dataDir, fileName), 200)} could not be written (${codeOf(error)}).`, { cause: error });
  }
  try {
    await writeFileAtomic(path.join(dataDir, backupName), text);
  } catch (error) {
    // The list itself is on disk; the copy is one change behind until the next write.
    log('servers_backup_failed', { code: codeOf(error) });
  }
}

/** 64 random bits in hex. */
export const randomId = (): string => randomBytes(8).toString('hex');

async function firstFile(dataDir: string, installId: string, log: Log): Promise<ServersFile> {
  const file: ServersFile = { version: 1, installId, servers: [] };
  await saveServersFile(dataDir, file, log);
  return file;
}

async function readServers(file: string): Promise<Reading> {
  const size = await refuseUnsafe(file);
  if (size === undefined) return { kind: 'absent' };
  if (size > maxBytes) return { kind: 'damaged', installId: undefined };
  const text = await readFileIfThere(file).catch((error: unknown) => {
    throw new AppError('E_CONFIG_WRITE', `${foreign(file, 200)} could not be read (${codeOf(error)}).`, { cause: error });
  });
  return text === undefined ? { kind: 'absent' } : parseServers(text);
}

const NewerFile = z.looseObject({ version: z.number().int().min(2) });

function parseServers(text: string): Reading {
  const json = parseJson(text);
  const good = ServersFile.safeParse(json);
  if (good.success) return { kind: 'good', file: good.data };
  const found = NewerFile.safeParse(json);
  if (!found.success) return { kind: 'damaged', installId: /"installId"\s*:\s*"([a-z0-9]{8,32})"/.exec(text)?.[1] };
  // Shown as far as this version understands it; never written.
  const understood = ServersFile.safeParse({ ...found.data, version: 1 });
  const file = understood.success ? understood.data : { version: 1 as const, installId: randomId(), servers: [] };
  return { kind: 'newer', file };
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/**
 * The size of a file that only this user can have written, or undefined when there is none. A link, a file of another
 * user, or one that others may write could name servers that the user never added.
 */
async function refuseUnsafe(file: string): Promise<number | undefined> {
  const stat = await lstat(file).catch((error: unknown) => {
    if (codeOf(error) === 'ENOENT') return undefined;
    throw new AppError('E_CONFIG_WRITE', `${foreign(file, 200)} could not be read (${codeOf(error)}).`, { cause: error });
  });
  if (!stat) return undefined;
  const shown = `"${foreign(file, 110)}"`;
  const aside = `mv ${shown} ${shown.slice(0, -1)}.old"`;
  if (!stat.isFile()) throw new AppError('E_CONFIG_UNSAFE', `The server list is a link or no ordinary file: ${aside}`);
  if (process.getuid === undefined) return stat.size;
  if (stat.uid !== process.getuid()) throw new AppError('E_CONFIG_UNSAFE', `The server list belongs to another user: ${aside}`);
  if ((stat.mode & 0o022) !== 0) throw new AppError('E_CONFIG_UNSAFE', `Others can write the server list: chmod 600 ${shown}`);
  return stat.size;
}

async function putAside(dataDir: string, now: number): Promise<string> {
  const time = new Date(now).toISOString().replace(/[:.]/g, '-');
  const kept = path.join(dataDir, `${fileName}.damaged-${time}`);
  await rename(path.join(dataDir, fileName), kept);
  return kept;
}

/** What writers that were killed left behind. Nobody else writes: the caller holds the folder's lock. */
async function removeTemporaries(dataDir: string): Promise<void> {
  const names = await readdir(dataDir).catch(() => []);
  const left = names.filter((name) => /^\.servers\.json(\.bak)?\.[0-9a-f]{12}\.tmp$/.test(name));
  await Promise.all(left.map((name) => rm(path.join(dataDir, name), { force: true })));
}

const savedId = (reading: Reading): string | undefined => (reading.kind === 'damaged' ? reading.installId : undefined);

function damaged(dataDir: string, kept: string | undefined, then: string): AppError {
  const what = kept === undefined ? `${foreign(path.join(dataDir, fileName), 120)} was gone` : `${foreign(kept, 120)} was damaged`;
  return new AppError('E_CONFIG_DAMAGED', `${what}; ${then}.`);
}

function newer(dataDir: string): AppError {
  return new AppError('E_CONFIG_NEWER', `${foreign(path.join(dataDir, fileName), 120)} was written by a newer Keybridge; it is not changed.`);
}

const codeOf = (error: unknown): string => (error as NodeJS.ErrnoException).code ?? 'unknown';
