import { rename } from 'node:fs/promises';
import path from 'node:path';
import { z } from 'zod';
import { identityNotes } from '../../../shared/identity-note.ts';
import { readJson } from '../../../shared/json.ts';
import { AppError } from '../base/errors.ts';
import { readFileIfThere, writeFileAtomic } from '../base/atomic-file.ts';
import type { Log } from '../base/log.ts';
import type { Clock } from '../base/clock.ts';
import { type CredentialFacts, clientAuths, repeatedGrants } from './credential.ts';

const Facts = z.object({
  id: z.string(),
  issuer: z.string(),
  serverUrl: z.string().optional(),
  resource: z.string(),
  tokenEndpoint: z.string(),
  revocationEndpoint: z.string().optional(),
  introspectionEndpoint: z.string().optional(),
  exchangeOrigins: z.array(z.string()).optional(),
  clientId: z.string(),
  clientAuth: z.enum(clientAuths),
  grant: z.enum(repeatedGrants).optional(),
  requestedScopes: z.array(z.string()),
  grantedScopes: z.array(z.string()),
  expiresAt: z.number().optional(),
  account: z.string().optional(),
  subject: z.object({ issuer: z.string(), sub: z.string() }).optional(),
  idTokenClaims: z.record(z.string(), z.string()).optional(),
  identityNotes: z.array(z.enum(identityNotes).catch('unknown')).optional(),
  signedInAt: z.number(),
  endsAt: z.number().optional(),
  lastRefreshAt: z.number().optional(),
  generation: z.number().int().positive(),
  quarantinedAt: z.number().optional(),
  renewable: z.boolean(),
});

/**
 * `items`: all items of the store that may exist for a record. `deleting`: the record is deleted, but some items may
 * remain until the store can be used.
 */
const IndexEntry = z.object({
  generation: z.number().int().nonnegative(),
  items: z.array(z.string()),
  deleting: z.boolean().default(false),
});

const IndexFile = z.object({
  version: z.literal(1),
  credentials: z.record(z.string(), IndexEntry),
  clientSecrets: z.record(z.string(), IndexEntry),
  facts: z.record(z.string(), Facts),
  /** Refreshes whose result is not stored yet. */
  journal: z.array(z.object({ id: z.string(), generation: z.number().int(), at: z.number() })),
});
type Index = Omit<z.infer<typeof IndexFile>, 'facts'> & { facts: Record<string, CredentialFacts> };
export type IndexEntry = z.infer<typeof IndexEntry>;

export interface IndexStore {
  readonly index: Index;
  /** True: there was no readable index, so the secret store may have items that the index does not list. */
  readonly lost: boolean;
  /** E_CONFIG_NEWER if the file is from a newer Keybridge. It is read as far as possible, and never written. */
  readonly newer?: AppError;
  /** Writes the current index to disk. Rejects with the file system's error. */
  readonly save: () => Promise<void>;
}

/**
 * Opens the index of the vault, `credentials.json` in the data folder: the names of all items in the store, and what is
 * not secret about them. A damaged file is renamed to `.damaged-TIME`.
 */
export async function openIndexFile(dataDir: string, clock: Clock, log: Log): Promise<IndexStore> {
  const file = path.join(dataDir, 'credentials.json');
  const text = await readFileIfThere(file);
  const newer = text === undefined ? undefined : newerIndex(text);
  if (newer) return newer;
  const index = text === undefined ? undefined : parseIndex(text);
  if (text !== undefined && !index) {
    const kept = `${file}.damaged-${clock.now()}`;
    await rename(file, kept);
    log('vault_index_damaged', { kept: path.basename(kept) });
  }
  const current = index ?? emptyIndex();
  let last: Promise<unknown> = Promise.resolve();
  const save = async (): Promise<void> => {
    const write = last.then(() => writeFileAtomic(file, `${JSON.stringify(current, undefined, 2)}\n`));
    last = write.catch(() => undefined);
    return write;
  };
  return { index: current, lost: index === undefined, save };
}

/** The index for the memory store. Nothing on disk is read or written. */
export function memoryIndex(): IndexStore {
  return { index: emptyIndex(), lost: false, save: async () => {} };
}

const emptyIndex = (): Index => ({ version: 1, credentials: {}, clientSecrets: {}, facts: {}, journal: [] });

const Versioned = z.looseObject({ version: z.number() });

/** Such a file is never written: that would lose what this version does not know, and orphan items of the store. */
function newerIndex(text: string): IndexStore | undefined {
  const { data } = Versioned.safeParse(readJson(text));
  if (!data || data.version <= 1) return undefined;
  const understood = IndexFile.safeParse({ ...data, version: 1 }).data as Index | undefined;
  const newer = new AppError(
    'E_CONFIG_NEWER',
    `A newer version of Keybridge wrote credentials.json (format ${data.version}). Keybridge does not change it, ` +
      'so no sign-in can be stored, renewed or ended.',
  );
  return { index: understood ?? emptyIndex(), lost: understood === undefined, newer, save: async () => {} };
}

function parseIndex(text: string): Index | undefined {
  const parsed = IndexFile.safeParse(readJson(text));
  // The cast is safe: JSON has no undefined, so members that zod types as possibly undefined are absent.
  return parsed.success ? (parsed.data as Index) : undefined;
}
