import { mkdtempSync, rmSync, statSync } from 'node:fs';
import net from 'node:net';
import os from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { callBroker, watchStatus } from '../../electron/broker/control-client.ts';
import { dataFolder, ensureKey, readKey, writePrivateFile } from '../../electron/local-socket/data-folder.ts';
import { AppError } from '../../electron/core/base/errors.ts';
import { addressFile, brokerPlace, connectToBroker, prove } from '../../electron/local-socket/handshake.ts';
import { startRelayRig, type RelayRig } from '../fixtures/relay-rig.ts';
import { connectHost } from '../fixtures/socket-host.ts';
import { until } from '../fixtures/wait.ts';

let rig: RelayRig;
beforeEach(async () => {
  rig = await startRelayRig();
});
afterEach(() => rig.close());

/** A stranger on the socket: what it is told, and when it is cut off. */
async function stranger(): Promise<{ socket: net.Socket; heard: () => string; closed: Promise<void> }> {
  const socket = net.connect(rig.broker.address);
  let heard = '';
  socket.on('data', (chunk) => {
    heard += chunk.toString();
  });
  socket.on('error', () => {});
  const closed = new Promise<void>((resolve) => socket.once('close', () => resolve()));
  await new Promise((resolve) => socket.once('connect', resolve));
  return { socket, heard: () => heard, closed };
}

const hello = (change: object = {}) => `${JSON.stringify({ keybridge: 1, nonce: '0'.repeat(32), ...change })}\n`;

describe('the opening on the local socket', () => {
  it('cuts off who says nothing, within 2 s and a little, and tells nothing (LS04)', async () => {
    const { heard, closed } = await stranger();
    const begun = performance.now();
    await closed;
    expect(performance.now() - begun).toBeLessThan(4_000);
    expect(heard()).toBe('');
  });

  it.each([
    'garbage\n',
    '{}\n',
    hello({ nonce: 'short' }),
    hello({ nonce: 7 }),
    'GET / HTTP/1.1\r\n\r\n',
    'x'.repeat(5_000),
  ])('cuts off %.20j at once (LS05)', async (text) => {
    const { socket, heard, closed } = await stranger();
    socket.write(text);
    await closed;
    expect(heard()).toBe('');
  });

  it('cuts off who does not know the key, after the proof of the broker and nothing else (LS04)', async () => {
    const { socket, heard, closed } = await stranger();
    socket.write(hello());
    await until(() => heard().includes('\n'));
    socket.write(`${JSON.stringify({ proof: '0'.repeat(64), role: 'control', pid: 1 })}\n{"id":1,"name":"status"}\n`);
    await closed;
    expect(Object.keys(JSON.parse(heard()) as object)).toEqual(['keybridge', 'nonce', 'proof']);
  });

  it('does not take the broker’s own proof for a caller’s', async () => {
    const { socket, heard, closed } = await stranger();
    socket.write(hello());
    await until(() => heard().includes('\n'));
    const { proof } = JSON.parse(heard()) as { proof: string };
    socket.write(`${JSON.stringify({ proof, role: 'control', pid: 1 })}\n`);
    await closed;
    expect(heard().split('\n')).toHaveLength(2);
  });

  it('a caller says nothing of itself to who cannot prove to be the broker (T15)', async () => {
    const dataDir = mkdtempSync(path.join(os.tmpdir(), 'keybridge-fake-'));
    ensureKey(dataDir);
    let heard = '';
    const fake = net.createServer((socket) => {
      socket.on('data', (chunk) => {
        heard += chunk.toString();
        socket.write(`${JSON.stringify({ keybridge: 1, nonce: '1'.repeat(32), proof: '2'.repeat(64) })}\n`);
      });
      socket.on('error', () => {});
    });
    await new Promise<void>((resolve) => fake.listen({ path: path.join(dataDir, 'broker.sock') }, resolve));
    const { chmodSync } = await import('node:fs');
    chmodSync(path.join(dataDir, 'broker.sock'), 0o600);
    expect(await connectToBroker(dataDir, { role: 'bridge', server: 'very-secret-name', pid: 1 })).toMatchObject({
      kind: 'refused',
      error: { code: 'E_HANDSHAKE' },
    });
    expect(Object.keys(JSON.parse(heard) as object)).toEqual(['keybridge', 'nonce']);
    fake.close();
    rmSync(dataDir, { recursive: true });
  });

  it('tells an old bridge to restart its host (LS13)', async () => {
    const { socket, heard, closed } = await stranger();
    socket.write(hello({ keybridge: 0 }));
    await until(() => heard().includes('\n'));
    const { nonce } = JSON.parse(heard()) as { nonce: string };
    const key = readKey(rig.dataDir);
    if (key.kind !== 'key') throw new Error('no key');
    socket.write(
      `${JSON.stringify({ proof: prove(key.key, 'caller', '0'.repeat(32), nonce), role: 'bridge', server: 'x', pid: 1 })}\n`,
    );
    await closed;
    expect(JSON.parse(heard().split('\n')[1] ?? '')).toMatchObject({
      ok: false,
      error: { code: 'E_VERSION', remedy: expect.stringContaining('Restart the app') },
    });
  });

  it('goes on for others under garbage, drips, 64 MB and 500 connections (LS05)', async () => {
    rig.addServer('work', 'http://127.0.0.1:1');
    const host = await connectHost(rig.dataDir, 'work');
    const strangers = await Promise.all(Array.from({ length: 500 }, stranger));
    const block = Buffer.alloc(64 * 1024, 'x');
    for (const [index, { socket }] of strangers.entries()) {
      if (index % 3 === 0) socket.write('{"key');
      if (index % 3 === 1)
        for (let part = 0; part < (index === 1 ? 1_000 : 2) && !socket.destroyed; part += 1) socket.write(block);
    }
    expect(await host.initialize()).toHaveProperty('result');
    expect((await host.request('ping', undefined, 1_000)).result).toEqual({});
    await Promise.all(strangers.map(({ closed }) => closed));
    await until(() => rig.broker.connections === 1);
    host.end();
  });

  it('leaves no handle behind after 1,000 bridges (LS10)', async () => {
    const server = rig.addServer('work', 'http://127.0.0.1:1');
    for (let round = 0; round < 20; round += 1) {
      const hosts = await Promise.all(Array.from({ length: 50 }, () => connectHost(rig.dataDir, 'work')));
      for (const host of hosts) host.end();
    }
    await until(() => rig.broker.connections === 0 && server.connections === 0);
  });

  it('writes into the log who came, and which server it uses; the same for who was turned away (LS09, without an approval)', async () => {
    rig.addServer('work', 'http://127.0.0.1:1');
    const host = await connectHost(rig.dataDir, 'work');
    const { socket, closed } = await stranger();
    socket.write('garbage\n');
    await closed;
    const events = rig.log.map((line) => JSON.parse(line) as Record<string, unknown>);
    expect(events).toContainEqual(
      expect.objectContaining({ event: 'caller_accepted', role: 'bridge', pid: process.pid, server: 'work' }),
    );
    expect(events).toContainEqual(expect.objectContaining({ event: 'caller_refused' }));
    host.end();
  });

  it('names a server that is not known', async () => {
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

describe('where the socket is', () => {
  it('follows from the data folder', () => {
    expect(dataFolder({ KEYBRIDGE_DATA_DIR: '/x/y' }, 'linux', '/home/u')).toBe('/x/y');
    expect(dataFolder({}, 'linux', '/home/u')).toBe('/home/u/.config/keybridge');
    expect(dataFolder({ XDG_CONFIG_HOME: '/cfg' }, 'linux', '/home/u')).toBe('/cfg/keybridge');
    expect(dataFolder({ XDG_CONFIG_HOME: 'relative' }, 'linux', '/home/u')).toBe('/home/u/.config/keybridge');
    expect(dataFolder({}, 'darwin', '/Users/u')).toBe('/Users/u/Library/Application Support/Keybridge');
    expect(brokerPlace('/x/y')).toEqual({ address: '/x/y/broker.sock', folder: undefined, announced: false });
  });

  it('is a short runtime folder when the data folder’s path is long, and no place when that is long too (LS08)', () => {
    const long = `/${'d'.repeat(120)}`;
    const place = brokerPlace(long, { XDG_RUNTIME_DIR: '/run/user/7' });
    expect(place).toMatchObject({ folder: '/run/user/7/keybridge', announced: true });
    expect(place?.address).toMatch(/^\/run\/user\/7\/keybridge\/[0-9a-f]{16}\.sock$/);
    expect(brokerPlace(long, { XDG_RUNTIME_DIR: `/${'r'.repeat(100)}` })).toBeUndefined();
  });

  it('a broker without any short path says which variable to set (E_PATH_TOO_LONG)', async () => {
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

  it('a bridge finds it there whatever its own environment says (LS08)', async () => {
    const base = mkdtempSync(path.join(os.tmpdir(), 'keybridge-long-'));
    const dataDir = path.join(base, 'd'.repeat(120));
    const before = process.env['XDG_RUNTIME_DIR'];
    process.env['XDG_RUNTIME_DIR'] = base;
    const far = await startRelayRig({ dataDir });
    delete process.env['XDG_RUNTIME_DIR'];
    far.addServer('work', 'http://127.0.0.1:1');
    const host = await connectHost(dataDir, 'work');
    expect(await host.initialize()).toHaveProperty('result');
    expect(statSync(path.dirname(far.broker.address)).mode & 0o777).toBe(0o700);
    host.end();
    await far.close();
    expect(await connectToBroker(dataDir, { role: 'control', pid: 1 })).toEqual({ kind: 'down' });
    // An address in a folder of somebody else is not believed.
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
  it('give the output, or the error with its code', async () => {
    expect(await callBroker(rig.dataDir, 'status', undefined)).toMatchObject({ front: 'headless' });
    await expect(callBroker(rig.dataDir, 'signIn', { server: '' })).rejects.toMatchObject({ code: 'E_BAD_INPUT' });
    await expect(callBroker(rig.dataDir, 'nope' as 'status', undefined)).rejects.toMatchObject({
      code: 'E_UNKNOWN_COMMAND',
    });
  });

  it('end with the broker, or with the signal', async () => {
    rig.app.api.signIn = () => new Promise(() => {});
    const cancel = new AbortController();
    const cancelled = callBroker(rig.dataDir, 'signIn', { server: 'x' }, { signal: cancel.signal });
    const cut = callBroker(rig.dataDir, 'signIn', { server: 'x' });
    const both = Promise.all([
      expect(cancelled).rejects.toMatchObject({ code: 'E_CANCELLED' }),
      expect(cut).rejects.toMatchObject({ code: 'E_BROKER_DOWN' }),
    ]);
    await until(() => rig.log.filter((line) => line.includes('"command"')).length === 2);
    cancel.abort();
    await expect(cancelled).rejects.toMatchObject({ code: 'E_CANCELLED' });
    await rig.stopBroker();
    await both;
    await expect(callBroker(rig.dataDir, 'status', undefined)).rejects.toMatchObject({ code: 'E_BROKER_DOWN' });
  });

  it('the status is a stream that begins with the current one', async () => {
    const seen: string[] = [];
    const stop = new AbortController();
    const watching = watchStatus(rig.dataDir, (status) => void seen.push(status.front), { signal: stop.signal });
    await until(() => seen.length === 1);
    stop.abort();
    await watching;
    expect(seen).toEqual(['headless']);
  });

  it('a broken line or one above 1 MB ends the connection', async () => {
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
