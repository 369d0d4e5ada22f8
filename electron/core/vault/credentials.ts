import { isDeepStrictEqual } from 'node:util';
import type { AppError } from '../base/errors.ts';
import type { Secret } from '../base/secret.ts';
import type { Binding } from './binding.ts';
import { createBoundSecrets, type BoundRead } from './bound-secrets.ts';
import type { Credential, CredentialFacts } from './credential.ts';
import { createJournal } from './journal.ts';
import type { StoreFault } from './secret-store.ts';
import { factsOf, fromStored, toStored } from './stored-credential.ts';
import { openVaultRecords, type VaultRecordsOptions } from './vault-records.ts';

export type CredentialRead =
  | { readonly kind: 'found'; readonly credential: Credential }
  | { readonly kind: 'absent' }
  | { readonly kind: 'damaged' }
  | StoreFault;

/**
 * The vault: credentials in the secret store, two generations each, and an index file of what is not secret. A failed
 * read or write never deletes anything.
 */
export interface Vault {
  /** E_CONFIG_NEWER if the index is from a newer Keybridge. All changes are then refused. */
  readonly notice: AppError | undefined;
  /** Reads the newest complete generation, always from the store. */
  read(id: string): Promise<CredentialRead>;
  /**
   * Stores generation n+1 next to n, reads it back and compares it, and updates the head item last. Closes the journal
   * of generation n.
   */
  write(credential: Credential): Promise<{ readonly kind: 'done' } | StoreFault>;
  /**
   * Deletes all parts of all generations. `read` returns 'absent' from now on; after a fault, `sweep` does the rest.
   */
  delete(id: string): Promise<{ readonly kind: 'done' } | StoreFault>;
  /** Deletes everything that belongs to a server, for all accounts. */
  forget(serverId: string): Promise<{ readonly kind: 'done' } | StoreFault>;
  /** Completes deletions that a crash or a locked store interrupted. */
  sweep(): Promise<void>;
  /**
   * Writes the journal of a refresh (docs/refresh.md) before the refresh token is spent. 'done' proves that the store
   * accepts writes at this moment.
   */
  openJournal(id: string, generation: number): Promise<{ readonly kind: 'done' } | StoreFault>;
  closeJournal(id: string): Promise<void>;
  /** Returns the credentials whose refresh was interrupted. They have to be refreshed before anything else. */
  openJournals(): readonly string[];
  facts(id: string): CredentialFacts | undefined;
  /** Returns the ids of all credentials that have facts. */
  ids(): readonly string[];
  /** True if the index was lost, and the store has not been asked about this credential yet. */
  uncertain(id: string): boolean;
  /**
   * Reads a secret that the user entered or a registration returned, for one use (see BoundSecrets.read). Keyed like a
   * credential.
   */
  readClientSecret(key: string, use: Binding, old?: Binding): Promise<BoundRead>;
  writeClientSecret(key: string, value: Secret, binding?: Binding): Promise<{ readonly kind: 'done' } | StoreFault>;
  deleteClientSecret(key: string): Promise<{ readonly kind: 'done' } | StoreFault>;
}

export interface VaultOptions extends VaultRecordsOptions {
  /** Credentials that may exist. Read from the store if the index file is missing or damaged. */
  readonly knownIds?: readonly string[];
}

/** Opens the vault. If the index file is missing or damaged, rebuilds it from the store. */
export async function openVault(options: VaultOptions): Promise<Vault> {
  const { knownIds = [], clock } = options;
  const { index, lost, newer, refused, saveOrLog, credentials, secretRecords } = await openVaultRecords(options);
  const clientSecrets = createBoundSecrets(secretRecords, saveOrLog);
  const journal = createJournal({ index, credentials, clock, refused, saveOrLog });

  async function read(id: string): Promise<CredentialRead> {
    // With an open journal, the successor may be complete although the head still names its predecessor.
    const read = await credentials.read(id, journal.generationOf(id));
    if (read.kind !== 'found') return read;
    const credential = fromStored(id, read.record, index.facts[id]);
    if (!credential) return { kind: 'damaged' };
    // Any program of the user can write the index, so the facts are corrected from the store before they are used.
    const facts = factsOf(credential);
    if (!isDeepStrictEqual(index.facts[id], facts)) {
      index.facts[id] = facts;
      await saveOrLog();
    }
    return { kind: 'found', credential };
  }

  async function remove(id: string): Promise<{ readonly kind: 'done' } | StoreFault> {
    if (refused) return refused;
    delete index.facts[id];
    journal.drop(id);
    return credentials.remove(id);
  }

  if (lost) {
    for (const id of knownIds) await read(id);
    await saveOrLog();
  }

  return {
    notice: newer,
    read,
    async write(credential) {
      const written = await credentials.write(credential.id, toStored(credential));
      if (written.kind !== 'done') return written;
      index.facts[credential.id] = factsOf({ ...credential, generation: written.generation });
      journal.drop(credential.id);
      await saveOrLog();
      return { kind: 'done' };
    },
    delete: remove,
    async forget(serverId) {
      for (const id of keysOf(index.credentials, serverId)) {
        const removed = await remove(id);
        if (removed.kind !== 'done') return removed;
      }
      for (const key of keysOf(index.clientSecrets, serverId)) {
        const removed = await clientSecrets.remove(key);
        if (removed.kind !== 'done') return removed;
      }
      return { kind: 'done' };
    },
    async sweep() {
      await credentials.sweep();
      await secretRecords.sweep();
    },
    openJournal: journal.open,
    closeJournal: journal.close,
    openJournals: () => index.journal.map((entry) => entry.id),
    facts: (id) => index.facts[id],
    ids: () => Object.keys(index.facts),
    uncertain: (id) => credentials.uncertain(id),
    readClientSecret: clientSecrets.read,
    writeClientSecret: clientSecrets.write,
    deleteClientSecret: clientSecrets.remove,
  };
}

const keysOf = (entries: object, serverId: string): string[] =>
  Object.keys(entries).filter((key) => key.startsWith(`${serverId}:`));
