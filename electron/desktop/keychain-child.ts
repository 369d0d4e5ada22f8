import { utilityProcess } from 'electron';
import type { KeychainChild } from '../core/vault/keychain-child.ts';
import { keychainEnv } from '../core/vault/spawn-keychain.ts';

/**
 * Returns a function that starts a keychain child as an Electron utility process, because the fuses of a package forbid
 * plain Node. `file` is the path of keychain.cjs.
 */
export function createUtilityKeychainSpawner(file: string): () => KeychainChild {
  return () => {
    const child = utilityProcess.fork(file, [], {
      env: keychainEnv(process.env),
      serviceName: 'Keybridge keychain',
      stdio: 'ignore',
    });
    return {
      // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a message port has no origin
      post: (message) => child.postMessage(message),
      onMessage: (listener) => void child.on('message', listener),
      onExit: (listener) => void child.once('exit', listener),
      kill: () => void child.kill(),
    };
  };
}
