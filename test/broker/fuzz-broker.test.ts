import { mkdtempSync, rmSync } from 'node:fs';
import net from 'node:net';
import os from 'node:os';
import path from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import type { CommandName } from '../../shared/api.ts';
import { ensureKey, readKey } from '../../electron/local-socket/data-folder.ts';
import { connectToBroker, prove } from '../../electron/local-socket/handshake.ts';
import { dispatch } from '../../electron/core/app/dispatch.ts';
import { AppError } from '../../electron/core/base/errors.ts';
import { listenPrivately } from '../fixtures/bridge-place.ts';
import { fault, rounds, seed } from '../fixtures/fuzz.ts';
import { startListener } from '../fixtures/listener.ts';
import { startProduct } from '../fixtures/product.ts';
import { damaged, distorted, seeded } from '../fixtures/random.ts';
import { startRelayRig } from '../fixtures/relay-rig.ts';

const closing: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0).toReversed()) await close();
});

describe(`with random damage (seed ${seed}), the local socket`, () => {
  it('sends a caller without the key the broker’s proof at most, and keeps serving a host', async () => {
    const rig = await startRelayRig();
    closing.push(() => rig.close());
    rig.addServer('work', 'http://127.0.0.1:1');
    const host = await rig.host('work');
    await host.initialize();
    const key = readKey(rig.dataDir);
    if (key.kind !== 'key') throw new Error('no key');
    const hello = `${JSON.stringify({ keybridge: 1, nonce: '0'.repeat(32) })}\n`;
    const introduction = (nonce: string) => {
      const proof = prove(key.key, 'caller', '0'.repeat(32), nonce);
      return `${JSON.stringify({ proof, role: 'bridge', server: 'work', pid: 1 })}\n`;
    };
    /** The lines that a caller receives, and whether it has sent a valid proof. */
    const connectStranger = (number: number): Promise<{ lines: string[]; proved: boolean }> =>
      new Promise((resolve) => {
        const random = seeded(seed + number);
        const socket = net.connect(rig.broker.address);
        let [received, proved] = ['', false];
        socket
          .on('error', () => {})
          .once('close', () => resolve({ lines: received.split('\n').filter((line) => line !== ''), proved }));
        socket.on('data', (chunk: Buffer) => {
          received += chunk.toString();
          const [first, second] = received.split('\n');
          if (second === '') {
            const valid = introduction((JSON.parse(first ?? '{}') as { nonce: string }).nonce);
            const sent = random.chance(0.2) ? valid : damaged(random, valid);
            proved = sent.includes((JSON.parse(valid) as { proof: string }).proof);
            socket.end(sent);
          } else if (second !== undefined) socket.end();
        });
        socket.write(number % 2 === 0 ? hello : `${damaged(random, hello)}\n`);
        // Otherwise the broker would wait for the rest of a line.
        if (number % 2 === 1) socket.end();
      });
    const callers = await Promise.all(Array.from({ length: 300 }, (_, number) => connectStranger(number)));
    for (const [number, { lines, proved }] of callers.entries()) {
      const [first, second = '{"ok":false}', ...more] = lines;
      const where = `seed ${seed}, caller ${number}`;
      if (first !== undefined)
        expect(Object.keys(JSON.parse(first) as object), where).toEqual(['keybridge', 'nonce', 'proof']);
      const { ok } = JSON.parse(second) as { ok: boolean };
      if (!ok) expect(more, where).toEqual([]);
      if (!proved) expect(lines.length, where).toBeLessThanOrEqual(1);
    }
    expect(callers.filter(({ lines }) => lines.length > 1).length).toBeGreaterThan(5);
    expect((await host.request('ping')).result).toEqual({});
  });

  it('passes on lines of a host or responds with an error, always in JSON and never with E_UNEXPECTED', async () => {
    const listener = await startListener((request, response) => {
      request
        .resume()
        .once('end', () =>
          response
            .writeHead(200, { 'content-type': 'application/json' })
            .end('{"jsonrpc":"2.0","id":null,"error":{"code":-32600,"message":"no"}}'),
        );
    });
    closing.push(() => listener.close());
    const rig = await startRelayRig();
    closing.push(() => rig.close());
    rig.addServer('work', `${listener.origin}/mcp`);
    const host = await rig.host('work');
    const meta = '"_meta":{"io.modelcontextprotocol/protocolVersion":"2026-07-28","progressToken":"p"}';
    const initializeParams =
      '{"protocolVersion":"2025-11-25","capabilities":{},"clientInfo":{"name":"x","version":"1"}}';
    const valid = [
      `{"jsonrpc":"2.0","id":1,"method":"initialize","params":${initializeParams}}`,
      `{"jsonrpc":"2.0","id":"two","method":"tools/call","params":{"name":"echo","arguments":{"text":"a"},${meta}}}`,
      '{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":"two"}}',
      '{"jsonrpc":"2.0","id":3,"result":{}}',
      '[{"jsonrpc":"2.0","id":4,"method":"ping"},{"jsonrpc":"2.0","method":"notifications/initialized"}]',
    ];
    await rounds(1_500, (random) => host.sendLine(damaged(random, random.pick(valid), valid).replaceAll('\n', ' ')));
    host.sendLine('{"jsonrpc":"2.0","id":"the last","method":"ping"}');
    await host.line(({ id }) => id === 'the last');
    for (const line of host.lines) JSON.parse(line);
    expect(host.lines.length).toBeGreaterThan(500);
    expect(host.lines.join('\n')).not.toContain('E_UNEXPECTED');
    expect(rig.log.join('')).not.toContain('E_UNEXPECTED');
  });

  it('runs a command with damaged input, or responds with an error that is fit to be shown', async () => {
    const product = await startProduct();
    closing.push(() => product.close());
    await product.call('addServer', { url: 'http://127.0.0.1:1/mcp', name: 'work' });
    const settings = {
      grant: 'client_credentials',
      clientAuth: 'private_key_jwt',
      scopes: ['a', 'b'],
      resource: { value: 'x' },
      authorizeParameters: { audience: 'x' },
      tokenParameters: { tenant: '{resource}' },
      keyId: 'k',
      headerName: 'x-key',
      issuerException: { named: 'https://a.example', found: 'https://b.example' },
      preset: 'none',
      enterprise: { issuer: 'https://idp.example', clientId: 'c' },
      legacyEndpoints: true,
      caFile: '/nowhere/ca.pem',
      caOrigins: ['https://login.example'],
      clientCertificateFile: '/nowhere/cert.p12',
      dpop: true,
    };
    const valid: readonly (readonly [CommandName, object])[] = [
      ['status', {}],
      [
        'addServer',
        {
          url: 'https://mcp.example/mcp',
          name: 'other',
          clientId: 'c',
          clientSecret: 's',
          settings,
          secrets: { privateKey: 'x' },
        },
      ],
      [
        'configureServer',
        {
          server: 'work',
          clientId: 'c',
          clientSecret: 's',
          allowMissingPkce: true,
          settings,
          secrets: { headerValue: 'v', assertion: null },
        },
      ],
      ['serverDetail', { server: 'work' }],
      ['hostSnippets', { server: 'work', account: 'main' }],
      ['addAccount', { server: 'work', name: 'second' }],
      ['updateAccount', { server: 'work', account: 'second', name: 'third' }],
      ['finishSignIn', { server: 'work', redirectUrl: 'http://127.0.0.1:1/callback?code=c&state=s' }],
      ['cancelSignIn', { server: 'work' }],
      ['removeAccount', { server: 'work', account: 'third' }],
      ['generateKey', { server: 'work' }],
    ];
    // The error message names a member that the caller has made up.
    const named = await dispatch(product.app.api, 'configureServer', {
      server: 'work',
      settings: { authorizeParameters: { ['\u202e\n\u001b[31m'.padEnd(5_000, 'x')]: 7 } },
    });
    if (!named.ok) await fault(() => Promise.reject(new AppError(named.error.code, named.error.message)));
    expect(JSON.stringify(named)).toContain('settings.authorizeParameters');
    const codes = new Set<string>();
    await rounds(600, async (random) => {
      const [name, input] = random.pick(valid);
      const reply = await dispatch(
        product.app.api,
        random.chance(0.02) ? damaged(random, name) : name,
        random.chance(0.1) ? input : distorted(random, distorted(random, input)),
      );
      codes.add(reply.ok ? 'ok' : reply.error.code);
      if (!reply.ok) await fault(() => Promise.reject(new AppError(reply.error.code, reply.error.message)));
    });
    expect([...codes]).toEqual(expect.arrayContaining(['ok', 'E_BAD_INPUT', 'E_UNKNOWN_COMMAND', 'E_SERVER_UNKNOWN']));
    expect(product.app.status.current().servers.some(({ name }) => name === 'work')).toBe(true);
  });

  it('gets an introduction from a caller only if it knows the key, and the caller reports a reason', async () => {
    const dataDir = mkdtempSync(path.join(os.tmpdir(), 'keybridge-fuzz-'));
    closing.push(() => rmSync(dataDir, { recursive: true, force: true }));
    const key = ensureKey(dataDir);
    if (key.kind !== 'key') throw new Error('no key');
    let number = 0;
    let received = '';
    const impostor = net.createServer((socket) => {
      const random = seeded(seed + (number += 1));
      socket.on('error', () => {});
      socket.on('data', (chunk) => {
        const line = chunk.toString();
        received += line;
        if (!line.includes('"keybridge"'))
          return void socket.end(
            damaged(random, '{"ok":false,"error":{"code":"E_VERSION","message":"m","remedy":"r"}}\n'),
          );
        const { nonce } = JSON.parse(line) as { nonce: string };
        // Every third one knows the key, and sends a damaged welcome.
        const ownNonce = '1'.repeat(32);
        const proof = prove(key.key, 'broker', nonce, ownNonce);
        const challenge = `${JSON.stringify({ keybridge: 1, nonce: ownNonce, proof })}\n`;
        socket.write(number % 3 === 0 ? challenge : damaged(random, challenge));
        if (number % 3 !== 0) socket.end();
      });
    });
    closing.push(await listenPrivately(impostor, path.join(dataDir, 'broker.sock')));
    for (let round = 0; round < 300; round += 1) {
      const connection = await connectToBroker(dataDir, { role: 'bridge', server: 'very-secret-name', pid: 1 });
      if (connection.kind === 'connected') connection.socket.destroy();
      else if (connection.kind === 'refused') expect(connection.error.code).toMatch(/^E_[A-Z_]+$/);
    }
    const introductions = received.split('\n').filter((line) => line.includes('very-secret-name'));
    expect(introductions.length).toBeGreaterThan(50);
    expect(introductions.length).toBeLessThanOrEqual(110);
  });
});
