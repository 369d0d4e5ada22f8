import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import net from 'node:net';
import os from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { isOwnSocket, listeners } from '../../electron/local-socket/own-socket.ts';
import { busAddressOf, busSockets, ownBusSocket } from '../../electron/core/vault/secret-service/bus-address.ts';
import { createSecretService } from '../../electron/core/vault/secret-service/secret-service.ts';

// Whoever owns the bus that DBUS_SESSION_BUS_ADDRESS or KEYBRIDGE_KEYCHAIN_DBUS names sees the content of the keychain.

let folder: string;
const ends: (() => unknown)[] = [];
beforeEach(() => {
  folder = mkdtempSync(path.join(os.tmpdir(), 'keybridge-bus-'));
});
afterEach(() => {
  for (const end of ends.splice(0)) end();
  rmSync(folder, { recursive: true, force: true });
});

function startListening(where: net.ListenOptions): Promise<{ server: net.Server; connections: () => number }> {
  let connections = 0;
  const server = net.createServer((socket) => {
    connections += 1;
    socket.on('error', () => {}).destroy();
  });
  ends.push(() => server.close());
  return new Promise((resolve) => server.listen(where, () => resolve({ server, connections: () => connections })));
}
const listenOn = async (where: net.ListenOptions): Promise<void> => void (await startListening(where));
async function listenOnPort(): Promise<{ port: number; connections: () => number }> {
  const { server, connections } = await startListening({ host: '127.0.0.1', port: 0 });
  return { port: (server.address() as net.AddressInfo).port, connections };
}

/**
 * Listens on an abstract name, and returns the id of a user to whom it does not belong. Root starts a process of
 * another user and returns its own id; anyone else listens itself and returns another user's id.
 */
async function listenAsOtherUser(name: string): Promise<number> {
  const [me, nobody] = [process.getuid?.() ?? 0, 65_534];
  if (me !== 0) {
    await listenOn({ path: `\0${name}` });
    return nobody;
  }
  const program = `require('node:net').createServer().listen('\\0${name}', () => console.log('listening'))`;
  const other = spawn(process.execPath, ['-e', program], {
    uid: nobody,
    gid: nobody,
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  ends.push(() => other.kill('SIGKILL'));
  await once(other.stdout, 'data');
  return me;
}

const newName = (): string => `keybridge-test-${randomBytes(8).toString('hex')}`;

describe('a bus address', () => {
  it.each([
    ['unix:path=/run/user/1000/bus', ['/run/user/1000/bus']],
    ['tcp:host=127.0.0.1,port=9;unix:path=/a,guid=1;unix:abstract=/tmp/b', ['/a', '\0/tmp/b']],
    ['unix:path=/with%20space,guid=1', ['/with space']],
    ['tcp:host=evil.example,port=1', []],
    ['nonce-tcp:host=127.0.0.1,port=9,noncefile=/x', []],
    ['unixexec:path=/bin/sh', []],
    ['autolaunch:', []],
    ['unix:path=relative', []],
    ['unix:path=/bad%ff', []],
    ['', []],
  ])('%s has the sockets %j', (address, sockets) => {
    expect(busSockets(address)).toEqual(sockets);
    for (const socket of sockets) expect(busSockets(busAddressOf(socket))).toEqual([socket]);
  });
});

describe.skipIf(process.platform === 'win32')('a bus that does not belong to this user', () => {
  it('is not connected to over TCP, even if something listens there', async () => {
    const { port, connections } = await listenOnPort();
    expect(await createSecretService(`tcp:host=127.0.0.1,port=${port}`).state()).toEqual({
      kind: 'no_bus',
      detail: 'the session bus is not a Unix socket',
    });
    expect(connections()).toBe(0);
  });

  it('is not used if it is not a socket, does not exist, or belongs to another user', async () => {
    const socket = path.join(folder, 'bus');
    await listenOn({ path: socket });
    expect(isOwnSocket(socket)).toBe(true);
    expect(isOwnSocket(socket, (process.getuid?.() ?? 0) + 1)).toBe(false);
    expect(ownBusSocket(`unix:path=${folder};unix:path=${folder}/nothing;${busAddressOf(socket)}`)).toBe(socket);
    expect(await createSecretService(`unix:path=${folder}`).state()).toMatchObject({ kind: 'no_bus' });
  });
});

describe.skipIf(process.platform !== 'linux')('an abstract socket', () => {
  it('belongs to this user if one of their processes listens on it', async () => {
    const name = newName();
    expect(isOwnSocket(`\0${name}`)).toBe(false);
    await listenOn({ path: `\0${name}` });
    expect(isOwnSocket(`\0${name}`)).toBe(true);
    expect(ownBusSocket(`unix:abstract=${name}`)).toBe(`\0${name}`);
    expect(isOwnSocket(`\0${name.slice(0, -1)}`)).toBe(false);
  });

  it('does not belong to this user if another user listens on it', async () => {
    const name = newName();
    const uid = await listenAsOtherUser(name);
    expect(isOwnSocket(`\0${name}`, uid)).toBe(false);
    if (uid === process.getuid?.()) expect(ownBusSocket(`unix:abstract=${name}`)).toBeUndefined();
  });

  it('does not belong to this user if a line break in another name forges the list of sockets', async () => {
    const name = newName();
    const mine = newName();
    await listenOn({ path: `\0${mine}` });
    const inode = listeners().find((one) => one.path.startsWith(`@${mine}`))?.inode ?? '';
    // This socket's name contains a line that claims the name for the inode of one of our sockets.
    await listenOn({ path: `\0x\n0000000000000000: 00000002 00000000 00010000 0001 01 ${inode} @${name}` });
    expect(
      listeners()
        .filter((one) => one.path.startsWith(`@${name}`))
        .map((one) => one.inode),
    ).toEqual([inode]);
    const other = await listenAsOtherUser(name);
    expect(isOwnSocket(`\0${name}`, other)).toBe(false);
  });
});
