import { chmodSync } from 'node:fs';
import net from 'node:net';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { readKey } from '../../electron/local-socket/data-folder.ts';
import { newNonce, prove } from '../../electron/local-socket/handshake.ts';
import { readOpening } from '../../electron/local-socket/opening.ts';
import { readJson } from '../../shared/json.ts';
import { errorCodeOf, listenPrivately, makePlace, type Place } from '../fixtures/bridge-place.ts';
import { textOf } from '../fixtures/host.ts';
import { until } from '../fixtures/wait.ts';

let place: Place;
beforeEach(() => {
  place = makePlace();
});
afterEach(() => place.clear());

describe('a bridge that is refused', () => {
  it('SI09: reports a server that is not in the list, with exit code 2, and connects once it is added', async () => {
    const broker = await place.broker();
    broker.unknown.add('demo');
    const host = place.host();
    const response = await host.request('initialize');
    expect(errorCodeOf(response)).toBe('E_SERVER_UNKNOWN');
    expect(textOf(response)).toContain('keybridge status');
    expect(errorCodeOf(await host.request('tools/list'))).toBe('E_SERVER_UNKNOWN');
    expect(host.stderr.trim().split('\n')).toHaveLength(1);
    expect(host.stderr).toContain('E_SERVER_UNKNOWN');
    const other = place.host();
    await other.request('initialize');
    expect(await other.close()).toBe(2);
    broker.unknown.clear();
    await until(async () => (await host.initialize()).error === undefined, 'the server that was added');
    expect(await host.close()).toBe(0);
  });

  it('LS01: names a data folder that is open to other users (E_SOCKET_UNSAFE), with exit code 1', async () => {
    await place.broker();
    chmodSync(place.dataDir, 0o755);
    const host = place.host();
    const response = await host.request('initialize');
    expect(errorCodeOf(response)).toBe('E_SOCKET_UNSAFE');
    expect(textOf(response)).toContain(place.dataDir);
    expect(await host.close()).toBe(1);
  });

  it('LS13: says to restart when the broker has another protocol version (E_VERSION), with exit code 1', async () => {
    await (await place.broker()).close();
    const key = readKey(place.dataDir);
    if (key.kind !== 'key') throw new Error('no key');
    const server = net.createServer((socket) => {
      const opening = readOpening(socket);
      const welcome = async () => {
        const { nonce } = readJson(await opening.line()) as { nonce: string };
        const own = newNonce();
        socket.write(`${JSON.stringify({ keybridge: 2, nonce: own, proof: prove(key.key, 'broker', nonce, own) })}\n`);
        await opening.line();
      };
      welcome().catch(() => opening.finish());
    });
    const end = await listenPrivately(server, path.join(place.dataDir, 'broker.sock'));
    try {
      const host = place.host();
      const response = await host.request('initialize');
      expect(errorCodeOf(response)).toBe('E_VERSION');
      expect(textOf(response)).toContain('Restart the app');
      expect(await host.close()).toBe(1);
    } finally {
      await end();
    }
  });

  it.each([
    ['LS04: does not know the key', '{"keybridge":1,"nonce":"0","proof":"0"}\n'],
    ['sends nothing', ''],
  ])('tells nothing to a process on the socket that %s, and reports E_HANDSHAKE', async (_, text) => {
    await (await place.broker()).close();
    const received: string[] = [];
    const server = net.createServer((socket) => {
      socket.on('data', (chunk) => received.push(String(chunk))).on('error', () => {});
      socket.write(text);
    });
    const end = await listenPrivately(server, path.join(place.dataDir, 'broker.sock'));
    try {
      const host = place.host(['a-private-name']);
      expect(errorCodeOf(await host.request('initialize'))).toBe('E_HANDSHAKE');
      expect(received.join('')).not.toContain('a-private-name');
      expect(received.join('')).not.toContain('initialize');
      expect(await host.close()).toBe(1);
    } finally {
      await end();
    }
  });
});
