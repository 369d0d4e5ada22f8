import { companyOf } from '../oauth/enterprise/company.ts';
import { openServers, type Servers } from '../servers/servers.ts';
import { createCheckedStore, type ListCheckResult } from '../vault/checked-store.ts';
import { openVault, type Vault } from '../vault/credentials.ts';
import { createListMacs } from '../vault/list-macs.ts';
import type { SecretStore } from '../vault/secret-store.ts';
import type { AppEvents } from './app-events.ts';
import { createListCheck } from './list-check.ts';
import type { Ports } from './ports.ts';

/** The data folder and the keychain. */
export interface Storage {
  readonly servers: Servers;
  readonly vault: Vault;
  /** Reads nothing before the list of servers has been checked. */
  readonly store: SecretStore;
  readonly checkList: () => Promise<ListCheckResult>;
}

/** Opens the list of servers and the vault. Throws E_CONFIG_UNSAFE, E_CONFIG_WRITE. */
export async function openStorage(ports: Ports, events: Pick<AppEvents, 'changed' | 'removed'>): Promise<Storage> {
  const { clock, log, dataDir } = ports;
  const servers = await openServers({
    dataDir,
    clock,
    log,
    macs: ports.store.name === 'memory' ? undefined : (installId) => createListMacs(ports.store, installId, dataDir),
  });
  const asRead = servers.list();
  const checkedStore = createCheckedStore(ports.store, () => !servers.unchecked);
  const { store } = checkedStore;
  // Reads before the check are safe here: they only rebuild a lost index, and nothing is used yet.
  const vault = await checkedStore.unchecked(() =>
    openVault({
      store,
      dataDir,
      installId: servers.installId,
      clock,
      log,
      knownIds: asRead.flatMap((server) => [server.id, companyOf(server)?.id ?? []].flat()),
    }),
  );
  const checkList = createListCheck({ servers, vault, checkedStore, asRead, events, log });
  // Set only now, because the check needs the vault.
  checkedStore.checkWith(checkList);
  return { servers, vault, store, checkList };
}
