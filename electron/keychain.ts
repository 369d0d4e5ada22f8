// The keychain child: the only process that loads keytar, because a keytar call can hang a process for good.
// Runs as an Electron utility process, or as a plain Node process with an ipc channel. Holds nothing, decides nothing.
import './no-debugger.ts';
import { existsSync } from 'node:fs';
import path from 'node:path';
import { busAddressOf, busSockets, ownBusSocket } from './core/vault/secret-service/bus-address.ts';
import { createKeychainHandler, type Keytar } from './core/vault/keychain-handler.ts';
import { readKeychainRequest, type KeychainResponse } from './core/vault/keychain-protocol.ts';
import { createSecretService } from './core/vault/secret-service/secret-service.ts';

/** Electron's side of a utility process; @types/electron stays out of what plain Node runs. */
interface ParentPort {
  on(event: 'message', listener: (event: { readonly data: unknown }) => void): void;
  postMessage(message: unknown): void;
}
const { parentPort } = process as unknown as { readonly parentPort?: ParentPort };

let loaded: Keytar | undefined;

/** Loaded with the first call, so that a missing library is an answer and not a crash at start. */
async function keytar(): Promise<Keytar> {
  loaded ??= require('keytar') as Keytar;
  return loaded;
}

/**
 * The session bus. Without the variable it is the socket in the runtime folder, where systemd puts it. libsecret reads
 * the variable for itself and takes the first address in it, of whatever kind, or starts a bus of its own: so it gets
 * the one socket that was judged, or an address that leads nowhere.
 */
function busAddress(): string | undefined {
  const given = process.env['DBUS_SESSION_BUS_ADDRESS'];
  const runtime = process.env['XDG_RUNTIME_DIR'];
  const socket = runtime === undefined ? undefined : path.join(runtime, 'bus');
  const address = given || (socket !== undefined && existsSync(socket) ? busAddressOf(socket) : undefined);
  // One that is not there yet may come later; secret-service.ts looks whose it is each time that it connects.
  const chosen = address === undefined ? undefined : (ownBusSocket(address) ?? busSockets(address)[0]);
  process.env['DBUS_SESSION_BUS_ADDRESS'] = chosen === undefined ? 'disabled:' : busAddressOf(chosen);
  return chosen === undefined ? address : busAddressOf(chosen);
}

const answer = createKeychainHandler({
  keytar,
  ...(process.platform === 'linux' ? { secretService: createSecretService(busAddress()) } : {}),
});

async function serve(message: unknown, reply: (answer: KeychainResponse) => void): Promise<void> {
  const request = readKeychainRequest(message);
  if (request) reply({ id: request.id, result: await answer(request) });
}

if (parentPort) {
  // oxlint-disable-next-line unicorn/require-post-message-target-origin -- not a window: this port has one other end
  parentPort.on('message', ({ data }) => void serve(data, (reply) => parentPort.postMessage(reply)));
} else if (process.send) {
  process.on('message', (message) => void serve(message, (reply) => process.send?.(reply)));
  // An ordinary exit would wait for a call that hangs in the system's prompt.
  process.on('disconnect', () => process.kill(process.pid, 'SIGKILL'));
} else {
  process.stderr.write('keybridge: the keychain process is started by Keybridge only.\n');
  process.exitCode = 2;
}
