import { mkdtempSync, rmSync, statSync } from 'node:fs';
import net from 'node:net';
import os from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { callBroker, watchStatus } from '../../electron/broker/control-client.ts';
import { dataFolder, ensureKey, readKey, writePrivateFile } from '../../electron/local-socket/data-folder.ts';
import { AppError } from '../../electron/core/base/errors.ts';
import { connectToBroker, prove } from '../../electron/local-socket/handshake.ts';
import { addressFile, socketLocation } from '../../electron/local-socket/socket-location.ts';
import { listenPrivately } from '../fixtures/bridge-place.ts';
import { startRelayRig, type RelayRig } from '../fixtures/relay-rig.ts';
import { connectHost } from '../fixtures/socket-host.ts';
import { until } from '../fixtures/wait.ts';

let rig: RelayRig;
beforeEach(async () => {
  rig = await startRelayRig();
});
afterEach(() => rig.close());

/** A process that connects without the key: what it receives, and when its connection is closed. */
async function connectStranger(): Promise<{ socket: net.Socket; received: () => string; closed: Promise<void> }> {
  const socket = net.connect(rig.broker.address);
  let received = '';
  socket.on('data', (chunk) => {
    received += chunk.toString();
  });
  socket.on('error', () => {});
  const closed = new Promise<void>((resolve) => socket.once('close', () => resolve()));
  await new Promise((resolve) => socket.once('connect', resolve));
  return { socket, received: () => received, closed };
}

const hello = (change: object = {}) => `${JSON.stringify({ keybridge: 1, nonce: '0'.repeat(32), ...change })}\n`;

describe('the handshake on the local socket', () => {
  it('closes the connection of a caller that sends nothing, and tells it nothing (LS04)', async () => {
    const { received, closed } = await connectStranger();
    await closed;
    expect(received()).toBe('');
  });

  it.each([
    'garbage\n',
    '{}\n',
    hello({ nonce: 'short' }),
    hello({ nonce: 7 }),
    'GET / HTTP/1.1\r\n\r\n',
    'x'.repeat(5_000),
  ])('closes the connection of a caller that sends %.20j (LS05)', async (text) => {
    const { socket, received, closed } = await connectStranger();
    socket.write(text);
    await closed;
    expect(received()).toBe('');
  });

  it('sends a caller without the key nothing but the broker’s proof (LS04)', async () => {
    const { socket, received, closed } = await connectStranger();
    socket.write(hello());
    await until(() => received().includes('\n'));
    socket.write(`${JSON.stringify({ proof: '0'.repeat(64), role: 'control', pid: 1 })}\n{"id":1,"name":"status"}\n`);
    await closed;
    expect(Object.keys(JSON.parse(received()) as object)).toEqual(['keybridge', 'nonce', 'proof']);
  });

  it('does not accept the broker’s own proof from a caller', async () => {
    const { socket, received, closed } = await connectStranger();
    socket.write(hello());
    await until(() => received().includes('\n'));
    const { proof } = JSON.parse(received()) as { proof: string };
    socket.write(`${JSON.stringify({ proof, role: 'control', pid: 1 })}\n`);
    await closed;
    expect(received().split('\n')).toHaveLength(2);
  });

  it('sends no introduction to a process that does not prove that it is the broker (T15)', async () => {
    const dataDir = mkdtempSync(path.join(os.tmpdir(), 'keybridge-fake-'));
    ensureKey(dataDir);
    let received = '';
    const impostor = net.createServer((socket) => {
      socket.on('data', (chunk) => {
        received += chunk.toString();
        socket.write(`${JSON.stringify({ keybridge: 1, nonce: '1'.repeat(32), proof: '2'.repeat(64) })}\n`);
      });
      socket.on('error', () => {});
    });
    const close = await listenPrivately(impostor, path.join(dataDir, 'broker.sock'));
    expect(await connectToBroker(dataDir, { role: 'bridge', server: 'very-secret-name', pid: 1 })).toMatchObject({
      kind: 'refused',
      error: { code: 'E_HANDSHAKE' },
    });
    expect(Object.keys(JSON.parse(received) as object)).toEqual(['keybridge', 'nonce']);
    await close();
    rmSync(dataDir, { recursive: true });
  });

  it('tells an old bridge to restart its host (LS13)', async () => {
    const { socket, received, closed } = await connectStranger();
    socket.write(hello({ keybridge: 0 }));
    await until(() => received().includes('\n'));
    const { nonce } = JSON.parse(received()) as { nonce: string };
    const key = readKey(rig.dataDir);
    if (key.kind !== 'key') throw new Error('no key');
    const proof = prove(key.key, 'caller', '0'.repeat(32), nonce);
    socket.write(`${JSON.stringify({ proof, role: 'bridge', server: 'x', pid: 1 })}\n`);
    await closed;
    expect(JSON.parse(received().split('\n')[1] ?? '')).toMatchObject({
      ok: false,
      error: { code: 'E_VERSION', remedy: expect.stringContaining('Restart the app') },
    });
  });

  it('keeps serving other callers during garbage, slow lines, 64 MB and 500 connections (LS05)', async () => {
    rig.addServer('work', 'http://127.0.0.1:1');
    const host = await connectHost(rig.dataDir, 'work');
    const strangers = await Promise.all(Array.from({ length: 500 }, connectStranger));
    const block = Buffer.alloc(64 * 1024, 'x');
    for (const [index, { socket }] of strangers.entries()) {
      if (index % 3 === 0) socket.write('{"key');
      if (index % 3 === 1)
        for (let part = 0; part < (index === 1 ? 1_000 : 2) && !socket.destroyed; part += 1) socket.write(block);
    }
    expect(await host.initialize()).toHaveProperty('result');
    expect((await host.request('ping')).result).toEqual({});
    await Promise.all(strangers.map(({ closed }) => closed));
    await until(() => rig.broker.connections === 1);
    host.end();
  });

  it('leaves no connection open after 1,000 bridges (LS10)', async () => {
    const server = rig.addServer('work', 'http://127.0.0.1:1');
    for (let round = 0; round < 100; round += 1) {
      const hosts = await Promise.all(Array.from({ length: 10 }, () => connectHost(rig.dataDir, 'work')));
      for (const host of hosts) host.end();
    }
    await until(() => rig.broker.connections === 0 && server.connections === 0);
  });

  it('logs each accepted caller with its server, and each refused one (LS09)', async () => {
    rig.addServer('work', 'http://127.0.0.1:1');
    const host = await connectHost(rig.dataDir, 'work');
    const { socket, closed } = await connectStranger();
    socket.write('garbage\n');
    await closed;
    const events = rig.log.map((line) => JSON.parse(line) as Record<string, unknown>);
    expect(events).toContainEqual(
      expect.objectContaining({ event: 'caller_accepted', role: 'bridge', pid: process.pid, server: 'work' }),
    );
    expect(events).toContainEqual(expect.objectContaining({ event: 'caller_refused' }));
    host.end();
  });

  it('names an unknown server in the refusal', async () => {
    expect(await connectToBroker(rig.dataDir, { role: 'bridge', server: 'nope', pid: 1 })).toMatchObject({
      kind: 'refused',
      error: {
        code: 'E_SERVER_UNKNOWN',
        message: expect.stringContaining('nope'),
        remedy: expect.stringContaining('keybridge status'),
      },
    });
  });
});

describe('the location of the socket', () => {
  it('follows from the data folder', () => {
    expect(dataFolder({ KEYBRIDGE_DATA_DIR: '/x/y' }, 'linux', '/home/u')).toBe('/x/y');
    expect(dataFolder({}, 'linux', '/home/u')).toBe('/home/u/.config/keybridge');
    expect(dataFolder({ XDG_CONFIG_HOME: '/cfg' }, 'linux', '/home/u')).toBe('/cfg/keybridge');
    expect(dataFolder({ XDG_CONFIG_HOME: 'relative' }, 'linux', '/home/u')).toBe('/home/u/.config/keybridge');
    expect(dataFolder({}, 'darwin', '/Users/u')).toBe('/Users/u/Library/Application Support/Keybridge');
    expect(socketLocation('/x/y')).toEqual({ address: '/x/y/broker.sock', folder: undefined, announced: false });
  });

  it('is a runtime folder if the data folder’s path is too long, and undefined if both are (LS08)', () => {
    const long = `/${'d'.repeat(120)}`;
    const location = socketLocation(long, { XDG_RUNTIME_DIR: '/run/user/7' });
    expect(location).toMatchObject({ folder: '/run/user/7/keybridge', announced: true });
    expect(location?.address).toMatch(/^\/run\/user\/7\/keybridge\/[0-9a-f]{16}\.sock$/);
    expect(socketLocation(long, { XDG_RUNTIME_DIR: `/${'r'.repeat(100)}` })).toBeUndefined();
  });

  it('names the variable to set when no path is short enough (E_PATH_TOO_LONG)', async () => {
    const before = process.env['XDG_RUNTIME_DIR'];
    const dataDir = path.join(mkdtempSync(path.join(os.tmpdir(), 'keybridge-long-')), 'd'.repeat(120));
    process.env['XDG_RUNTIME_DIR'] = `/${'r'.repeat(100)}`;
    const error = await startRelayRig({ dataDir }).catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(AppError);
    expect((error as AppError).toInfo()).toMatchObject({
      code: 'E_PATH_TOO_LONG',
      message: expect.stringContaining('XDG_RUNTIME_DIR'),
      remedy: expect.stringContaining('KEYBRIDGE_DATA_DIR'),
    });
    if (before === undefined) delete process.env['XDG_RUNTIME_DIR'];
    else process.env['XDG_RUNTIME_DIR'] = before;
    rmSync(path.dirname(dataDir), { recursive: true });
  });

  it('is found by a bridge with another XDG_RUNTIME_DIR (LS08)', async () => {
    const base = mkdtempSync(path.join(os.tmpdir(), 'keybridge-long-'));
    const dataDir = path.join(base, 'd'.repeat(120));
    const before = process.env['XDG_RUNTIME_DIR'];
    process.env['XDG_RUNTIME_DIR'] = base;
    const otherRig = await startRelayRig({ dataDir });
    delete process.env['XDG_RUNTIME_DIR'];
    otherRig.addServer('work', 'http://127.0.0.1:1');
    const host = await connectHost(dataDir, 'work');
    expect(await host.initialize()).toHaveProperty('result');
    expect(statSync(path.dirname(otherRig.broker.address)).mode & 0o777).toBe(0o700);
    host.end();
    await otherRig.close();
    expect(await connectToBroker(dataDir, { role: 'control', pid: 1 })).toEqual({ kind: 'down' });
    // A socket in a folder that others can write to is not trusted.
    writePrivateFile(path.join(dataDir, addressFile), '/tmp/x.sock\n', { exclusive: false });
    expect(await connectToBroker(dataDir, { role: 'control', pid: 1 })).toMatchObject({
      kind: 'refused',
      error: { code: 'E_SOCKET_UNSAFE' },
    });
    if (before !== undefined) process.env['XDG_RUNTIME_DIR'] = before;
    rmSync(base, { recursive: true, force: true });
  });
});

describe('commands on the socket', () => {
  it('return the output, or the error with its code', async () => {
    expect(await callBroker(rig.dataDir, 'status', undefined)).toMatchObject({ front: 'headless' });
    await expect(callBroker(rig.dataDir, 'signIn', { server: '' })).rejects.toMatchObject({ code: 'E_BAD_INPUT' });
    await expect(callBroker(rig.dataDir, 'nope' as 'status', undefined)).rejects.toMatchObject({
      code: 'E_UNKNOWN_COMMAND',
    });
  });

  it('end when the broker ends, or when the signal is aborted', async () => {
    rig.app.api.signIn = () => new Promise(() => {});
    const cancel = new AbortController();
    const cancelled = callBroker(rig.dataDir, 'signIn', { server: 'x' }, { signal: cancel.signal });
    const interrupted = callBroker(rig.dataDir, 'signIn', { server: 'x' });
    const both = Promise.all([
      expect(cancelled).rejects.toMatchObject({ code: 'E_CANCELLED' }),
      expect(interrupted).rejects.toMatchObject({ code: 'E_BROKER_DOWN' }),
    ]);
    await until(() => rig.log.filter((line) => line.includes('"command"')).length === 2);
    cancel.abort();
    await expect(cancelled).rejects.toMatchObject({ code: 'E_CANCELLED' });
    await rig.stopBroker();
    await both;
    await expect(callBroker(rig.dataDir, 'status', undefined)).rejects.toMatchObject({ code: 'E_BROKER_DOWN' });
  });

  it('can watch the status, beginning with the current one', async () => {
    const fronts: string[] = [];
    const stop = new AbortController();
    const watching = watchStatus(rig.dataDir, (status) => void fronts.push(status.front), { signal: stop.signal });
    await until(() => fronts.length === 1);
    stop.abort();
    await watching;
    expect(fronts).toEqual(['headless']);
  });

  it('end the connection when a line is not JSON or longer than 1 MB', async () => {
    for (const text of ['nonsense\n', 'x'.repeat(3 * 1024 * 1024)]) {
      const connection = await connectToBroker(rig.dataDir, { role: 'control', pid: 1 });
      if (connection.kind !== 'connected') throw new Error('not connected');
      const { socket } = connection;
      socket.on('error', () => {});
      const closed = new Promise((resolve) => socket.once('close', resolve));
      socket.resume();
      socket.write(text);
      await closed;
    }
  });
});
