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
 * The store of this name. A keychain that cannot be used is the store's own answer, call by call; no other takes its
 * place.
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
        // There a call that does not come back has a prompt open; each further call would open another.
        quietMs: process.platform === 'darwin' ? 300_000 : 0,
      });
  }
}

/**
 * A single executable runs itself whatever file it is given, so there an argument says what it is to be (cli.ts looks
 * for it before anything else, and that program never starts another).
 */
function keychainArguments(): readonly string[] {
  return isSea() ? ['--keychain-child'] : [path.join(import.meta.dirname, 'keychain.cjs')];
}

function keychainLabel(platform: NodeJS.Platform): string {
  if (platform === 'darwin') return 'macOS Keychain';
  return platform === 'win32' ? 'Windows Credential Manager' : 'Secret Service keychain';
}
