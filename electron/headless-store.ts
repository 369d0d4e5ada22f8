import type { Log } from './core/log.ts';
import type { StoreName } from './command-line/store-name.ts';
import { AppError } from './core/errors.ts';
import type { Clock, SecretStore } from './core/ports.ts';
import { createMemoryStore } from './core/vault/memory.ts';

export function openStore(name: StoreName, _deps: { readonly clock: Clock; readonly log: Log }): SecretStore {
  switch (name) {
    case 'memory':
      return createMemoryStore();
    case 'keychain':
      throw new AppError('E_STORE_UNAVAILABLE', 'The keychain is not built in yet.');
  }
}
