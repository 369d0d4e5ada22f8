import { AppError } from '../core/base/errors.ts';
import type { Log } from '../core/base/log.ts';
import { createKeychainStore } from '../core/vault/keychain-client.ts';
import { createMemoryStore } from '../core/vault/memory.ts';
import { createUtilityKeychainSpawner } from './keychain-child.ts';
import type { Clock } from '../core/base/clock.ts';
import type { SecretStore } from '../core/vault/secret-store.ts';

export interface StoreDeps {
  readonly clock: Clock;
  readonly log: Log;
  /** Path of keychain.cjs. */
  readonly keychain: string;
}

const labels: Readonly<Partial<Record<NodeJS.Platform, string>>> = {
  darwin: 'macOS Keychain',
  win32: 'Windows Credential Manager',
};

/** Opens the store that KEYBRIDGE_STORE names, by default the system's keychain. Throws E_BAD_INPUT. */
export function chosenStore({ clock, log, keychain }: StoreDeps): SecretStore {
  const name = process.env['KEYBRIDGE_STORE'] || 'keychain';
  if (name === 'memory') return createMemoryStore();
  if (name !== 'keychain') throw new AppError('E_BAD_INPUT', 'KEYBRIDGE_STORE must be "keychain" or "memory".');
  return createKeychainStore({
    spawnChild: createUtilityKeychainSpawner(keychain),
    label: labels[process.platform] ?? 'Secret Service keychain',
    service: 'Keybridge',
    clock,
    log,
    // On macOS a pending call has a prompt open, and each further call would open another.
    quietMs: process.platform === 'darwin' ? 300_000 : 0,
  });
}
