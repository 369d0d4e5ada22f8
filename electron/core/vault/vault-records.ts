import type { AppError } from '../base/errors.ts';
import type { Clock } from '../base/clock.ts';
import type { Log } from '../base/log.ts';
import { memoryIndex, openIndexFile, type IndexStore } from './index-file.ts';
import { createIndexedRecords, type IndexedRecords } from './indexed-records.ts';
import { createRecords } from './records.ts';
import type { SecretStore, StoreFault } from './secret-store.ts';

export interface VaultRecordsOptions {
  readonly store: SecretStore;
  readonly dataDir: string;
  /** Part of every item name, so that two data folders never share an item. */
  readonly installId: string;
  readonly clock: Clock;
  readonly log: Log;
}

/** The index of the vault, and the two kinds of records that it lists. */
export interface VaultRecords {
  readonly index: IndexStore['index'];
  /** True: there was no readable index, so the secret store may have items that the index does not list. */
  readonly lost: boolean;
  /** E_CONFIG_NEWER if the index is from a newer Keybridge. */
  readonly newer: AppError | undefined;
  /** Why nothing may be changed, or undefined if it may. */
  readonly refused: StoreFault | undefined;
  /** Saves the index. Logs a failure, for changes that are recovered later. */
  readonly saveOrLog: () => Promise<void>;
  readonly credentials: IndexedRecords;
  readonly secretRecords: IndexedRecords;
}

export async function openVaultRecords(options: VaultRecordsOptions): Promise<VaultRecords> {
  const { store, dataDir, installId, clock, log } = options;
  const { index, lost, save, newer } =
    store.name === 'memory' ? memoryIndex() : await openIndexFile(dataDir, clock, log);
  const refused: StoreFault | undefined = newer && {
    kind: 'unavailable',
    detail: 'the index is from a newer version',
    because: newer,
  };
  const saveOrLog = async (): Promise<void> => {
    await save().catch((error: NodeJS.ErrnoException) =>
      log('vault_index_not_saved', { errno: error.code ?? 'unknown' }),
    );
  };
  const shared = { records: createRecords(store), store, lost, refused, save, saveOrLog, log };
  return {
    index,
    lost,
    newer,
    refused,
    saveOrLog,
    credentials: createIndexedRecords({ ...shared, entries: index.credentials, prefix: `${installId}/credential/` }),
    secretRecords: createIndexedRecords({
      ...shared,
      entries: index.clientSecrets,
      prefix: `${installId}/client-secret/`,
    }),
  };
}
