import { isDeepStrictEqual } from 'node:util';
import type { AppError } from '../base/errors.ts';
import type { Log } from '../base/log.ts';
import type { Secret } from '../base/secret.ts';
import type { Binding } from './binding.ts';
import { createBoundSecrets, type BoundRead } from './bound-secrets.ts';
import { memoryIndex, openIndexFile } from './index-file.ts';
import { createRecords } from './records.ts';
import { createIndexedRecords } from './indexed-records.ts';
import { factsOf, fromStored, toStored } from './stored-credential.ts';
import type { Clock } from '../base/clock.ts';
import type { SecretStore, StoreFault } from './secret-store.ts';
import type { Credential, CredentialFacts } from './credential.ts';

export type CredentialRead =
  | { readonly kind: 'found'; readonly credential: Credential }
  | { readonly kind: 'absent' }
  | { readonly kind: 'damaged' }
  | StoreFault;

/**
 * The vault: credentials in the store of secrets, two generations each, and an index file of what is no secret.
 * A failed read or write never deletes anything.
 */
export interface Vault {
  /** E_CONFIG_NEWER: the index is of a newer Keybridge, and everything that would change it is refused. */
  readonly notice: AppError | undefined;
  /** Reads the newest whole generation, from the store every time. */
  read(id: string): Promise<CredentialRead>;
  /**
   * Stores generation n+1 next to n, reads it back and compares, flips the head item last. Closes the journal of
   * generation n.
   */
  write(credential: Credential): Promise<{ readonly kind: 'done' } | StoreFault>;
  /** All parts of all generations. After a fault the rest goes with `sweep`; from now on `read` says 'absent'. */
  delete(id: string): Promise<{ readonly kind: 'done' } | StoreFault>;
  /** Everything of a server, whatever account it is of. */
  forget(serverId: string): Promise<{ readonly kind: 'done' } | StoreFault>;
  /** Ends deletions that a crash or a locked store cut off. */
  sweep(): Promise<void>;
  /**
   * The refresh transaction's journal (docs/refresh.md): written before the refresh token is spent. 'done' proves that
   * the store takes writes now.
   */
  openJournal(id: string, generation: number): Promise<{ readonly kind: 'done' } | StoreFault>;
  closeJournal(id: string): Promise<void>;
  /** Credentials whose refresh was cut off: to be refreshed before anything else. */
  openJournals(): readonly string[];
  facts(id: string): CredentialFacts | undefined;
  /** Of all credentials that have facts. */
  ids(): readonly string[];
  /** True: the index was lost, and the store was not asked about this one yet. */
  uncertain(id: string): boolean;
  /**
   * A secret that the user entered or a registration gave, for one use (BoundSecrets.read); keyed like a credential.
   */
  readClientSecret(key: string, use: Binding, old?: Binding): Promise<BoundRead>;
  writeClientSecret(key: string, value: Secret, binding?: Binding): Promise<{ readonly kind: 'done' } | StoreFault>;
  deleteClientSecret(key: string): Promise<{ readonly kind: 'done' } | StoreFault>;
}

export interface VaultOptions {
  readonly store: SecretStore;
  readonly dataDir: string;
  /** Part of every item's name: two data folders never share an item. */
  readonly installId: string;
  readonly clock: Clock;
  readonly log: Log;
  /** Credentials that may exist: looked for in the store when the index file is missing or damaged. */
  readonly knownIds?: readonly string[];
}

/** Opens the index file, and rebuilds it from the store where it is missing or damaged. */
export async function openVault({
  store,
  dataDir,
  installId,
  clock,
  log,
  knownIds = [],
}: VaultOptions): Promise<Vault> {
  const { index, lost, save, newer } =
    store.name === 'memory' ? memoryIndex() : await openIndexFile(dataDir, clock, log);
  const refused: StoreFault | undefined = newer && {
    kind: 'unavailable',
    detail: 'the index is of a newer version',
    because: newer,
  };
  const saveOrLog = async (): Promise<void> => {
    await save().catch((error: NodeJS.ErrnoException) =>
      log('vault_index_not_saved', { errno: error.code ?? 'unknown' }),
    );
  };
  const shared = { records: createRecords(store), store, lost, refused, save, saveOrLog, log };
  const credentials = createIndexedRecords({
    ...shared,
    entries: index.credentials,
    prefix: `${installId}/credential/`,
  });
  const secretShelf = createIndexedRecords({
    ...shared,
    entries: index.clientSecrets,
    prefix: `${installId}/client-secret/`,
  });
  const clientSecrets = createBoundSecrets(secretShelf, saveOrLog);
  const journalOf = (id: string) => index.journal.find((entry) => entry.id === id);

  function dropJournal(id: string): boolean {
    const open = index.journal.length;
    index.journal = index.journal.filter((entry) => entry.id !== id);
    return index.journal.length < open;
  }

  const vault: Vault = {
    notice: newer,

    async read(id) {
      // With a journal open, the successor may be stored whole while the head still names its predecessor.
      const read = await credentials.read(id, journalOf(id)?.generation);
      if (read.kind !== 'found') return read;
      const credential = fromStored(id, read.record, index.facts[id]);
      if (!credential) return { kind: 'damaged' };
      // Every program of the user can write the index; what is decided by the facts goes by the store.
      const facts = factsOf(credential);
      if (!isDeepStrictEqual(index.facts[id], facts)) {
        index.facts[id] = facts;
        await saveOrLog();
      }
      return { kind: 'found', credential };
    },

    async write(credential) {
      const written = await credentials.write(credential.id, toStored(credential));
      if (written.kind !== 'done') return written;
      index.facts[credential.id] = factsOf({ ...credential, generation: written.generation });
      dropJournal(credential.id);
      await saveOrLog();
      return { kind: 'done' };
    },

    async delete(id) {
      if (refused) return refused;
      delete index.facts[id];
      dropJournal(id);
      return credentials.remove(id);
    },

    async forget(serverId) {
      const mine = (entries: object) => Object.keys(entries).filter((key) => key.startsWith(`${serverId}:`));
      for (const id of mine(index.credentials)) {
        const gone = await vault.delete(id);
        if (gone.kind !== 'done') return gone;
      }
      for (const key of mine(index.clientSecrets)) {
        const gone = await clientSecrets.remove(key);
        if (gone.kind !== 'done') return gone;
      }
      return { kind: 'done' };
    },

    async sweep() {
      await credentials.sweep();
      await secretShelf.sweep();
    },

    async openJournal(id, generation) {
      if (refused) return refused;
      const at = clock.now();
      if (journalOf(id)?.generation !== generation) {
        dropJournal(id);
        index.journal.push({ id, generation, at });
        await saveOrLog();
      }
      return credentials.note(id, JSON.stringify({ generation, at }));
    },

    async closeJournal(id) {
      if (refused) return;
      if (dropJournal(id)) await saveOrLog();
    },

    openJournals: () => index.journal.map((entry) => entry.id),
    facts: (id) => index.facts[id],
    ids: () => Object.keys(index.facts),
    uncertain: (id) => credentials.uncertain(id),

    readClientSecret: clientSecrets.read,
    writeClientSecret: clientSecrets.write,
    deleteClientSecret: clientSecrets.remove,
  };

  if (lost) {
    for (const id of knownIds) await vault.read(id);
    await saveOrLog();
  }
  return vault;
}
