import { asAppError } from '../base/errors.ts';
import type { Log } from '../base/log.ts';
import type { Server } from '../servers/server.ts';
import type { Servers } from '../servers/servers.ts';
import type { CheckedStore, ListCheckResult } from '../vault/checked-store.ts';
import type { Vault } from '../vault/credentials.ts';
import type { AppEvents } from './app-events.ts';
import { bindOldSecrets } from './bind-old-secrets.ts';

export interface ListCheckDeps {
  readonly servers: Pick<Servers, 'check'>;
  readonly vault: Pick<Vault, 'readClientSecret'>;
  readonly checkedStore: Pick<CheckedStore, 'unchecked'>;
  /** The list as it was read at start. Secrets that an older version stored belong to these servers. */
  readonly asRead: readonly Server[];
  readonly events: Pick<AppEvents, 'changed' | 'removed'>;
  readonly log: Log;
}

/**
 * Returns a function that checks the MAC of each entry of the list and sets aside entries that another program changed.
 * If the store fails, the list stays unchecked until the next call. Concurrent calls share one check.
 */
export function createListCheck(deps: ListCheckDeps): () => Promise<ListCheckResult> {
  const { servers, vault, checkedStore, asRead, events, log } = deps;
  let running: Promise<ListCheckResult> | undefined;

  async function check(): Promise<ListCheckResult> {
    try {
      const checked = await servers.check(() => checkedStore.unchecked(() => bindOldSecrets(vault, asRead)));
      if (checked.kind === 'done') for (const id of checked.gone ?? []) events.removed.emit(id);
      events.changed.emit();
      return checked;
    } catch (error) {
      // Only the signing failed. Each secret is still bound to the place that it was entered for.
      log('list_not_signed', { code: asAppError(error).code });
      return { kind: 'done' };
    }
  }

  return () => {
    running ??= check().finally(() => (running = undefined));
    return running;
  };
}
