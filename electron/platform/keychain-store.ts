import path from 'node:path';
import { isSea } from 'node:sea';
import type { StoreName } from './store-name.ts';
import type { Log } from '../core/base/log.ts';
import { createKeychainStore } from '../core/vault/keychain-client.ts';
import { createMemoryStore } from '../core/vault/memory.ts';
import { createNodeKeychainSpawner } from '../core/vault/spawn-keychain.ts';
import type { Clock } from '../core/base/clock.ts';
import type { SecretStore } from '../core/vault/secret-store.ts';

/**
 * Opens the store. If the keychain cannot be used, each call of the store says so; no other store replaces it.
 */
export function openStore(name: StoreName, { clock, log }: { readonly clock: Clock; readonly log: Log }): SecretStore {
  switch (name) {
    case 'memory':
      return createMemoryStore();
    case 'keychain':
      return createKeychainStore({
        spawnChild: createNodeKeychainSpawner({
          command: process.execPath,
          args: keychainArguments(),
          env: process.env,
        }),
        label: keychainLabel(process.platform),
        service: 'Keybridge',
        clock,
        log,
        // On macOS a call that hangs has a prompt open, and each further call would open another one.
        quietMs: process.platform === 'darwin' ? 300_000 : 0,
      });
  }
}

/**
 * A single executable cannot run another file, so there an argument makes it the keychain child. cli.ts checks for it
 * first.
 */
function keychainArguments(): readonly string[] {
  return isSea() ? ['--keychain-child'] : [path.join(import.meta.dirname, 'keychain.cjs')];
}

function keychainLabel(platform: NodeJS.Platform): string {
  if (platform === 'darwin') return 'macOS Keychain';
  return platform === 'win32' ? 'Windows Credential Manager' : 'Secret Service keychain';
}
