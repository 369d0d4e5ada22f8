// The keychain child: the only process that loads keytar, because a keytar call can block a process for good.
// Runs as an Electron utility process, or as a Node process with an IPC channel. It keeps no state.
import './no-debugger.ts';
import { existsSync } from 'node:fs';
import path from 'node:path';
import { defined } from '../shared/defined.ts';
import { busAddressOf, busSockets, ownBusSocket } from './core/vault/secret-service/bus-address.ts';
import { createKeychainHandler, type Keytar } from './core/vault/keychain-handler.ts';
import { readKeychainRequest, type KeychainResponse } from './core/vault/keychain-protocol.ts';
import { createSecretService } from './core/vault/secret-service/secret-service.ts';

/** Declared here, because files that run under plain Node do not see @types/electron. */
interface ParentPort {
  on(event: 'message', listener: (event: { readonly data: unknown }) => void): void;
  postMessage(message: unknown): void;
}
const { parentPort } = process as unknown as { readonly parentPort?: ParentPort };

let loaded: Keytar | undefined;

/** Loads keytar at the first call, so that a missing library fails that call and not the process. */
async function keytar(): Promise<Keytar> {
  loaded ??= require('keytar') as Keytar;
  return loaded;
}

/**
 * The address of the session bus. The default is the socket in the runtime folder, where systemd creates it. libsecret
 * reads the environment variable itself: it uses the first address of any kind, or starts a bus of its own. So this
 * sets the variable to the socket that was checked, or to an invalid address.
 */
function busAddress(): string | undefined {
  const configured = process.env['DBUS_SESSION_BUS_ADDRESS'];
  const runtimeDir = process.env['XDG_RUNTIME_DIR'];
  const socket = runtimeDir === undefined ? undefined : path.join(runtimeDir, 'bus');
  const address = configured || (socket !== undefined && existsSync(socket) ? busAddressOf(socket) : undefined);
  // A socket may be created later. secret-service.ts checks its owner at each connection.
  const chosen = address === undefined ? undefined : (ownBusSocket(address) ?? busSockets(address)[0]);
  process.env['DBUS_SESSION_BUS_ADDRESS'] = chosen === undefined ? 'disabled:' : busAddressOf(chosen);
  return chosen === undefined ? address : busAddressOf(chosen);
}

const handle = createKeychainHandler({
  keytar,
  ...defined({ secretService: process.platform === 'linux' ? createSecretService(busAddress()) : undefined }),
});

async function serve(message: unknown, send: (response: KeychainResponse) => void): Promise<void> {
  const request = readKeychainRequest(message);
  if (request) send({ id: request.id, result: await handle(request) });
}

if (parentPort) {
  // oxlint-disable-next-line unicorn/require-post-message-target-origin -- not a window: this port has one other end
  parentPort.on('message', ({ data }) => void serve(data, (response) => parentPort.postMessage(response)));
} else if (process.send) {
  process.on('message', (message) => void serve(message, (response) => process.send?.(response)));
  // process.exit would wait for a call that is blocked by the system's prompt.
  process.on('disconnect', () => process.kill(process.pid, 'SIGKILL'));
} else {
  process.stderr.write('keybridge: only Keybridge starts the keychain process.\n');
  process.exitCode = 2;
}
