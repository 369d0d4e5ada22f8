import { spawn } from 'node:child_process';
import { chmodSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import net from 'node:net';
import os from 'node:os';
import path from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { readEnvelope } from '../../shared/json-rpc.ts';
import { peekMessage } from '../../electron/bridge/message-peek.ts';
import { newNonce, prove, readOpening } from '../../electron/local-socket/handshake.ts';
import { readJson } from '../../shared/json.ts';
import { readKey } from '../../electron/local-socket/data-folder.ts';
import {
  bridgeFile,
  errorCodeOf,
  isAlive,
  makePlace,
  memoryOf,
  settled,
  type Place,
} from '../fixtures/bridge-place.ts';
import { bundle } from '../fixtures/bundle.ts';
import { textOf } from '../fixtures/host.ts';
import { namesShownBy, squat } from '../fixtures/stranger.ts';
import { until } from '../fixtures/wait.ts';

let app = '';
let bundles = '';
let place: Place;
beforeAll(async () => {
  bundles = mkdtempSync(path.join(os.tmpdir(), 'keybridge-small-app-'));
  app = await bundle(path.join(import.meta.dirname, '../fixtures', 'small-app.ts'), bundles);
});
afterAll(() => rmSync(bundles, { recursive: true, force: true }));
beforeEach(() => {
  place = makePlace();
});
afterEach(() => place.clear());

const appCommand = (...args: string[]): [string, ...string[]] => [process.execPath, app, '--hidden', ...args];

/** What may not reach an app that serves all hosts. */
const notForTheApp = {
  KEYBRIDGE_STORE: 'memory',
  KEYBRIDGE_KEYCHAIN_DBUS: 'unix:path=/nowhere',
  KEYBRIDGE_CLIENT_SECRET: 'marked',
  KEYBRIDGE_NODE: '/nowhere',
  NODE_OPTIONS: '--no-warnings',
  NODE_EXTRA_CA_CERTS: '/nowhere',
  SSL_CERT_FILE: '/nowhere',
  HTTPS_PROXY: 'http://127.0.0.1:9',
  ELECTRON_RUN_AS_NODE: '1',
  LD_LIBRARY_PATH: '/nowhere',
  GTK_MODULES: 'marked',
  XDG_ACTIVATION_TOKEN: 'marked',
};
const environmentOfApp = () =>
  JSON.parse(readFileSync(path.join(place.dataDir, 'environment.json'), 'utf8')) as {
    env: Record<string, string>;
    args: string[];
  };

/** Listens with the mode of a broker's socket. Returns the end of it. */
async function listenAt(server: net.Server, address: string): Promise<() => Promise<void>> {
  const sockets = new Set<net.Socket>();
  server.on('connection', (socket) => sockets.add(socket));
  await new Promise<void>((resolve) => {
    server.listen(address, resolve);
  });
  chmodSync(address, 0o600);
  return () =>
    new Promise((resolve) => {
      server.close(() => resolve());
      for (const socket of sockets) socket.destroy();
    });
}

describe('the bridge passes messages', () => {
  it('both ways, and leaves every byte as it is', async () => {
    const broker = await place.broker();
    const host = place.host();
    const strange =
      '{ "id" : 12345678901234567890 ,"x":1e400,"jsonrpc":"2.0", "method":"tools/call","params":{"name":"hang","_meta":{"é":"\\u0000😀"}}}';
    host.sendLine(strange);
    host.sendLine('{"jsonrpc":"2.0","method":"notifications/custom"}');
    await until(() => broker.received.length === 2, 'both lines');
    expect(broker.received[0]).toBe(strange);
    const odd = '{"jsonrpc":"2.0", "method":"notifications/odd","params":{"n":0.10000000000000000001,"t":"\\ud800 ü"}}';
    broker.send(odd);
    await until(() => host.lines.includes(odd), 'the odd line');
  });

  it('of megabytes, in pieces, many at once', async () => {
    const broker = await place.broker();
    const host = place.host();
    await host.initialize();
    const text = 'ä"\\'.repeat(300_000);
    const answers = await Promise.all([
      host.call('echo', { text }),
      host.call('large', { bytes: 5_000_000 }),
      host.call('echo', { text: 'small' }),
    ]);
    expect(answers.map((answer) => textOf(answer).length)).toEqual([text.length, 5_000_000, 5]);
    expect(broker.accepted).toBe(1);
    expect(await host.close()).toBe(0);
  });

  it('SI02: a line of 100 MB is answered, costs little memory, and the next one passes', async () => {
    await place.broker();
    const host = place.host();
    await host.initialize();
    host.sendLine(`{"jsonrpc":"2.0","method":"tools/call","params":{"a":"${'x'.repeat(100_000_000)}"},"id":99}`);
    const line = await until(() => host.lines.find((one) => one.includes('E_MESSAGE_TOO_LARGE')), 'the answer', 20_000);
    expect(JSON.parse(line)).toMatchObject({ id: 99, error: { code: -32_600 } });
    expect(textOf(await host.call('echo', { text: 'next' }))).toBe('next');
    expect(memoryOf(host.pid, 'VmHWM')).toBeLessThan(200);
  });

  it('SI05: with CRLF, a byte order mark, blank lines, and a last line without an end', async () => {
    const broker = await place.broker();
    const host = place.host();
    host.sendLine('\uFEFF{"jsonrpc":"2.0","id":1,"method":"a"}\r\n\r\n{"jsonrpc":"2.0","id":2,"method":"b"}\r');
    await until(() => host.lines.length === 2, 'two answers');
    expect(
      broker.received
        .map((line) => (JSON.parse(line.replace('\uFEFF', '') || '{}') as { method?: string }).method)
        .filter(Boolean),
    ).toEqual(['a', 'b']);
    const { child } = place.bare();
    let out = '';
    child.stdout?.on('data', (chunk) => (out += String(chunk)));
    child.stdin?.end('{"jsonrpc":"2.0","id":3,"method":"c"}');
    await new Promise((resolve) => child.once('close', resolve));
    expect(out).toContain('"id":3');
  });

  it('a host that does not read holds back the broker', async () => {
    const broker = await place.broker();
    const { child, pid, write } = place.bare();
    write('{"jsonrpc":"2.0","id":1,"method":"initialize"}');
    await until(() => broker.received.length === 1, 'the connection');
    const note = `{"jsonrpc":"2.0","method":"notifications/x","params":"${'x'.repeat(100_000)}"}`;
    for (let n = 0; n < 2_000; n += 1) broker.send(note);
    expect(await settled(() => broker.buffered)).toBeGreaterThan(150_000_000);
    expect(memoryOf(pid, 'VmHWM')).toBeLessThan(120);
    let bytes = 0;
    child.stdout?.on('data', (chunk: Buffer) => (bytes += chunk.length));
    await until(() => bytes > 200_000_000, 'everything', 20_000);
  });

  it('a broker that does not read holds back the host', async () => {
    const broker = await place.broker();
    const { child, pid, write } = place.bare();
    write('{"jsonrpc":"2.0","id":1,"method":"initialize"}');
    await until(() => broker.received.length === 1, 'the connection');
    broker.deaf = true;
    const line = `{"jsonrpc":"2.0","method":"notifications/x","params":"${'x'.repeat(1_000_000)}"}`;
    for (let n = 0; n < 150; n += 1) write(line);
    expect(await settled(() => child.stdin?.writableLength ?? 0)).toBeGreaterThan(100_000_000);
    expect(memoryOf(pid, 'VmHWM')).toBeLessThan(120);
    broker.deaf = false;
    await until(() => broker.received.length === 151, 'all lines', 20_000);
  });
});

describe('the bridge without a broker', () => {
  it('keeps what the host says until the broker is there', async () => {
    place.appIs(appCommand('--silent'));
    const host = place.host(['demo'], { DISPLAY: ':77' });
    const greeting = host.initialize();
    const call = host.call('echo', { text: 'early' });
    await until(() => place.apps().length === 1, 'the bridge, which has found nobody');
    const broker = await place.broker();
    expect((await greeting).result).toMatchObject({ serverInfo: { name: 'small' } });
    expect(textOf(await call)).toBe('early');
    expect(broker.received.filter((line) => line.includes('"initialize"'))).toHaveLength(1);
  });

  it('starts the app that left its command in the data folder: hidden, in a process group of its own, with a clean environment (SI13)', async () => {
    place.appIs(appCommand());
    const bus = path.join(place.dataDir, 'bus');
    const endBus = await listenAt(net.createServer(), bus);
    const host = place.host(['demo'], {
      DISPLAY: ':77',
      LC_TIME: 'C',
      XDG_RUNTIME_DIR: place.dataDir,
      DBUS_SESSION_BUS_ADDRESS: `tcp:host=127.0.0.1,port=9;unix:path=${bus},guid=1`,
      GITHUB_TOKEN: 'marked',
      ...notForTheApp,
    });
    await host.initialize();
    const [pid] = place.apps();
    const { env, args } = environmentOfApp();
    expect(args).toEqual(['--hidden']);
    expect(Object.keys(env).toSorted()).toEqual([
      'DBUS_SESSION_BUS_ADDRESS',
      'DISPLAY',
      'KEYBRIDGE_DATA_DIR',
      'LC_TIME',
      'PATH',
      'XDG_RUNTIME_DIR',
    ]);
    expect(env['DBUS_SESSION_BUS_ADDRESS']).toBe(`unix:path=${bus}`);
    const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]?.split(' ');
    expect(Number(fields?.[2])).toBe(pid);
    expect(await host.close()).toBe(0);
    expect(isAlive(pid ?? 0)).toBe(true);
    await endBus();
  });

  it('an app that a bridge starts gets no store, keychain bus, session bus, screen or program that the host’s entry names', async () => {
    place.appIs(appCommand());
    const host = place.host(['demo'], {
      ...notForTheApp,
      DISPLAY: 'elsewhere.example:0',
      WAYLAND_DISPLAY: 'wayland-0',
      XDG_RUNTIME_DIR: '/tmp',
      DBUS_SESSION_BUS_ADDRESS: 'tcp:host=127.0.0.1,port=9',
      KEYBRIDGE_APP: JSON.stringify([process.execPath, app, '--silent']),
    });
    await host.initialize();
    const { env, args } = environmentOfApp();
    expect(args).toEqual(['--hidden']);
    expect(env).toEqual({ PATH: process.env['PATH'], WAYLAND_DISPLAY: 'wayland-0', KEYBRIDGE_DATA_DIR: place.dataDir });
  });

  it('one of 20 bridges starts the app, and all of them are served', async () => {
    place.appIs(appCommand());
    const hosts = Array.from({ length: 20 }, () => place.host(['demo'], { DISPLAY: ':77' }));
    const answers = await Promise.all(hosts.map((host) => host.initialize()));
    expect(answers.every((answer) => answer.result !== undefined)).toBe(true);
    expect(place.apps()).toHaveLength(1);
  }, 60_000);

  it('the starter that is killed in the middle does not keep the others from starting', async () => {
    place.appIs(appCommand('--silent'));
    const first = place.host(['demo'], { DISPLAY: ':77' });
    await until(() => place.apps().length === 1, 'the silent app');
    place.appIs(appCommand());
    const second = place.host(['demo'], { DISPLAY: ':77' });
    await first.kill();
    expect((await second.initialize()).error).toBeUndefined();
    expect(place.apps()).toHaveLength(2);
  });
});

describe.skipIf(process.platform !== 'linux')('the bridge that is to start the app', () => {
  it('has no name that another user could take to keep the others from starting it', async () => {
    place.appIs(appCommand('--silent'));
    const first = place.host(['demo'], { DISPLAY: ':77' });
    await until(() => place.apps().length === 1, 'the silent app');
    const names = namesShownBy(first.pid);
    await first.kill();
    const leave = await squat(names);
    place.appIs(appCommand());
    const second = place.host(['demo'], { DISPLAY: ':77' });
    expect((await second.initialize()).error).toBeUndefined();
    leave();
    expect(names).toEqual([]);
  });
});

describe('the bridge when the broker goes away', () => {
  it('LS11: answers what was running at once, with the right code, and goes on with the next broker as if nothing had been', async () => {
    const first = await place.broker();
    const host = place.host();
    await host.initialize();
    expect(textOf(await host.call('echo', { text: 'one' }))).toBe('one');
    const act = host.call('hang');
    await until(() => first.received.some((line) => line.includes('hang')), 'the call at the broker');
    await first.close();
    expect(errorCodeOf(await act)).toBe('E_OUTCOME_UNKNOWN');

    expect((await host.request('ping')).result).toEqual({});
    const later = host.call('echo', { text: 'two' });
    const second = await place.broker();
    const back = performance.now();
    expect(textOf(await later)).toBe('two');
    expect(performance.now() - back).toBeLessThan(5_000);
    const methods = second.received.map((line) => (JSON.parse(line) as { method: string }).method);
    expect(methods).toEqual(['initialize', 'notifications/initialized', 'tools/call']);
    expect((JSON.parse(second.received[0] ?? '') as { params: unknown }).params).toEqual(
      (JSON.parse(first.received[0] ?? '') as { params: unknown }).params,
    );
    const ids = host.lines.map((line) => (JSON.parse(line) as { id: unknown }).id);
    expect(new Set(ids).size).toBe(ids.length);
    expect(ids.every((id) => typeof id === 'number')).toBe(true);
  });

  it('a question that changes nothing is answered with E_BROKER_DOWN', async () => {
    const broker = await place.broker();
    const host = place.host();
    await host.initialize();
    broker.silent = true;
    const list = host.request('tools/list');
    await until(() => broker.received.some((line) => line.includes('tools/list')), 'the question');
    await broker.close();
    const started = performance.now();
    expect(errorCodeOf(await list)).toBe('E_BROKER_DOWN');
    expect(performance.now() - started).toBeLessThan(2_000);
  });

  it('an initialize that was running is sent again', async () => {
    const first = await place.broker();
    first.silent = true;
    const host = place.host();
    const greeting = host.initialize();
    await until(() => first.received.length === 1, 'initialize at the broker');
    await first.close();
    const second = await place.broker();
    expect((await greeting).error).toBeUndefined();
    expect(second.received[0]).toContain('"id":1');
  });

  it('a question of the server is withdrawn, and a late answer to it does not reach the next broker', async () => {
    const first = await place.broker();
    const bridge = place.bare();
    bridge.write('{"jsonrpc":"2.0","id":1,"method":"initialize"}');
    await until(() => bridge.lines.length === 1, 'the answer');
    first.send('{"jsonrpc":"2.0","id":7,"method":"elicitation/create"}');
    await until(() => bridge.lines.length === 2, 'the question');
    await first.close();
    const last = await until(() => bridge.lines[2], 'its withdrawal');
    expect(JSON.parse(last)).toMatchObject({ method: 'notifications/cancelled', params: { requestId: 7 } });

    const second = await place.broker();
    bridge.write('{"jsonrpc":"2.0","id":7,"result":"late"}');
    bridge.write('{"jsonrpc":"2.0","method":"notifications/marker"}');
    await until(() => second.received.some((line) => line.includes('marker')), 'the line behind it');
    expect(second.received.join()).not.toContain('late');
    second.send('{"jsonrpc":"2.0","id":7,"method":"elicitation/create"}');
    await until(() => bridge.lines.length === 4, 'the next question');
    bridge.write('{"jsonrpc":"2.0","id":7,"result":"new"}');
    await until(() => second.received.some((line) => line.includes('new')), 'its answer');
  });

  it('500 calls that are running are each answered, once', async () => {
    const first = await place.broker();
    const host = place.host();
    await host.initialize();
    const calls = Array.from({ length: 500 }, () => host.call('hang'));
    await until(() => first.received.length === 502, 'all calls');
    await first.close();
    expect(new Set((await Promise.all(calls)).map(errorCodeOf))).toEqual(new Set(['E_OUTCOME_UNKNOWN']));
    expect(host.lines).toHaveLength(501);
  });
});

describe('the bridge that is refused', () => {
  it('SI09: a server that is not in the list: the error says what to do, exit code 2; once it was added, calls pass', async () => {
    const broker = await place.broker();
    broker.unknown.add('demo');
    const host = place.host();
    const answer = await host.request('initialize');
    expect(errorCodeOf(answer)).toBe('E_SERVER_UNKNOWN');
    expect(textOf(answer)).toContain('keybridge status');
    expect(errorCodeOf(await host.request('tools/list'))).toBe('E_SERVER_UNKNOWN');
    expect(host.stderr.trim().split('\n')).toHaveLength(1);
    expect(host.stderr).toContain('E_SERVER_UNKNOWN');
    const other = place.host();
    await other.request('initialize');
    expect(await other.close()).toBe(2);
    broker.unknown.clear();
    await until(async () => (await host.initialize()).error === undefined, 'the server that was added', 6_000);
    expect(await host.close()).toBe(0);
  });

  it('LS01: a data folder that is open to others: E_SOCKET_UNSAFE names it, exit code 1', async () => {
    await place.broker();
    chmodSync(place.dataDir, 0o755);
    const host = place.host();
    const answer = await host.request('initialize');
    expect(errorCodeOf(answer)).toBe('E_SOCKET_UNSAFE');
    expect(textOf(answer)).toContain(place.dataDir);
    expect(await host.close()).toBe(1);
  });

  it('LS13: a Keybridge of another protocol: E_VERSION says to restart, exit code 1', async () => {
    await (await place.broker()).close();
    const key = readKey(place.dataDir);
    if (key.kind !== 'key') throw new Error('no key');
    const server = net.createServer((socket) => {
      const opening = readOpening(socket);
      const greet = async () => {
        const { nonce } = readJson(await opening.line()) as { nonce: string };
        const own = newNonce();
        socket.write(`${JSON.stringify({ keybridge: 2, nonce: own, proof: prove(key.key, 'broker', nonce, own) })}\n`);
        await opening.line();
      };
      greet().catch(() => opening.finish());
    });
    const end = await listenAt(server, path.join(place.dataDir, 'broker.sock'));
    try {
      const host = place.host();
      const answer = await host.request('initialize');
      expect(errorCodeOf(answer)).toBe('E_VERSION');
      expect(textOf(answer)).toContain('Restart the app');
      expect(await host.close()).toBe(1);
    } finally {
      await end();
    }
  });

  it.each([
    [
      'LS04: something that does not know the key: E_HANDSHAKE, and it learns nothing',
      '{"keybridge":1,"nonce":"0","proof":"0"}\n',
      'E_HANDSHAKE',
    ],
    ['something that says nothing: E_HANDSHAKE within 5 s', '', 'E_HANDSHAKE'],
  ])('%s', async (_, words, code) => {
    await (await place.broker()).close();
    const heard: string[] = [];
    const server = net.createServer((socket) => {
      socket.on('data', (chunk) => heard.push(String(chunk))).on('error', () => {});
      socket.write(words);
    });
    const end = await listenAt(server, path.join(place.dataDir, 'broker.sock'));
    try {
      const host = place.host(['a-private-name']);
      const started = performance.now();
      expect(errorCodeOf(await host.request('initialize'))).toBe(code);
      expect(performance.now() - started).toBeLessThan(5_000);
      expect(heard.join('')).not.toContain('a-private-name');
      expect(heard.join('')).not.toContain('initialize');
      expect(await host.close()).toBe(1);
    } finally {
      await end();
    }
  });
});

describe('the bridge ends', () => {
  it('SI04: within 1 s of stdin, with answers that were on their way, exit code 0', async () => {
    const broker = await place.broker();
    const host = place.host();
    await host.initialize();
    const slow = host.call('slow', { text: 'just in time' });
    const never = host.call('hang');
    await until(() => broker.received.some((line) => line.includes('hang')), 'the calls');
    const started = performance.now();
    const ended = host.close();
    expect(textOf(await slow)).toBe('just in time');
    expect(errorCodeOf(await never)).toBe('E_OUTCOME_UNKNOWN');
    expect(await ended).toBe(0);
    expect(performance.now() - started).toBeLessThan(1_100);
    await until(() => broker.connected === 0, 'the end at the broker');

    const idle = place.host();
    await idle.initialize();
    const then = performance.now();
    expect(await idle.close()).toBe(0);
    expect(performance.now() - then).toBeLessThan(750);
  });

  it('after an answer of megabytes that the host reads late', async () => {
    await place.broker();
    const { child, write } = place.bare();
    const ended = new Promise((resolve) => child.once('close', resolve));
    write('{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"large","arguments":{"bytes":8000000}}}');
    child.stdin?.end();
    await new Promise((resolve) => child.stdout?.once('readable', resolve));
    let text = '';
    child.stdout?.setEncoding('utf8').on('data', (chunk: string) => (text += chunk));
    await ended;
    expect(JSON.parse(text)).toMatchObject({ id: 1 });
    expect(text.length).toBeGreaterThan(8_000_000);
  });

  it('also while it is looking for a broker', async () => {
    const host = place.host();
    const greeting = host.initialize();
    const started = performance.now();
    const ended = host.close();
    expect(errorCodeOf(await greeting)).toBe('E_BROKER_DOWN');
    expect(await ended).toBe(1);
    expect(performance.now() - started).toBeLessThan(1_500);
  });

  it('SI04: quietly when nobody reads stdout', async () => {
    const broker = await place.broker();
    const bridge = place.bare();
    const { child } = bridge;
    let stderr = '';
    child.stderr?.on('data', (chunk) => (stderr += String(chunk)));
    const exit = new Promise<number | string | null>((resolve) =>
      child.once('exit', (code, signal) => resolve(code ?? signal)),
    );
    bridge.write('{"jsonrpc":"2.0","id":1,"method":"initialize"}');
    await until(() => broker.connected === 1, 'the connection');
    child.stdout?.destroy();
    broker.send(`{"jsonrpc":"2.0","method":"notifications/x","params":"${'x'.repeat(100_000)}"}`);
    expect(await exit).toBe(0);
    expect(stderr).toBe('');
    await until(() => broker.connected === 0, 'the end at the broker');
  });

  it('SI06: killed, it leaves no connection and no process', async () => {
    const broker = await place.broker();
    const hosts = [place.host(), place.host()];
    for (const host of hosts) await host.initialize();
    expect(broker.connected).toBe(2);
    await hosts[0]?.kill();
    process.kill(hosts[1]?.pid ?? Number.NaN, 'SIGTERM');
    await until(
      () => hosts.every((host) => host.exit !== undefined) && broker.connected === 0,
      'the end of both',
      1_000,
    );
  });

  it('when its host is killed while the broker takes nothing', async () => {
    const broker = await place.broker();
    const script = `const c = require('node:child_process').spawn(process.execPath, [${JSON.stringify(bridgeFile)}, 'demo'], { stdio: ['pipe', 'pipe', 'ignore'] });
      let full = 0;
      const fill = () => {
        full = c.stdin.writableLength > 1e7 ? full + 1 : 0;
        if (full === 0) c.stdin.write('{"jsonrpc":"2.0","method":"n","params":"' + 'x'.repeat(1e6) + '"}\\n');
        if (full === 20) console.log(c.pid);
      };
      c.stdin.write('{"jsonrpc":"2.0","id":1,"method":"initialize"}\\n');
      c.stdout.once('data', () => setInterval(fill, 5));`;
    const parent = spawn(process.execPath, ['-e', script], {
      env: { KEYBRIDGE_DATA_DIR: place.dataDir },
      stdio: ['ignore', 'pipe', 'ignore'],
    });
    await until(() => broker.received.length === 1, 'initialize');
    broker.deaf = true;
    const pid = await new Promise<number>((resolve) =>
      parent.stdout.once('data', (chunk) => resolve(Number(String(chunk)))),
    );
    expect(isAlive(pid)).toBe(true);
    parent.kill('SIGKILL');
    await until(() => !isAlive(pid), 'the end of the bridge', 2_000);
  });

  it.each([[[]], [['a', 'b']], [['demo', '--token=x']], [['--data-dir']]])(
    'wrong usage %j: a sentence on stderr, exit code 2',
    async (args) => {
      const host = place.host(args);
      await until(() => host.exit !== undefined, 'the end');
      expect(host.exit).toBe(2);
      expect(host.stderr).toMatch(/^keybridge: .+\nUsage: keybridge connect SERVER/);
      expect(host.stderr).not.toContain('=x');
      expect(host.lines).toEqual([]);
    },
  );
});

describe('what the bridge reads', () => {
  it('is what the broker reads, wherever id and method stand', () => {
    const id = ['"id":1', '"id":"a\\"}"', '"id" : -12e3', '"id":12345678901234567890', '"id":null', ''];
    const what = [
      '"method":"tools/call","params":{"id":5,"x":[{"id":6}]}',
      '"params":{"id":5},"method":"m"',
      '"result":{"id":5}',
      '"error":{"code":1,"id":5}',
      '"method":"notifications/x"',
    ];
    for (const one of id) {
      for (const other of what) {
        for (const parts of [
          ['"jsonrpc":"2.0"', one, other],
          [other, '"jsonrpc":"2.0"', one],
          [one, other],
          [other, one, '"jsonrpc":"2.0"'],
          [other, one, '"x":[1]'],
        ]) {
          const line = Buffer.from(`{${parts.filter(Boolean).join(',')}}`);
          const { id: wanted, method, hasResult, hasError } = readEnvelope(line);
          const seen = peekMessage(line);
          expect({ line: String(line), id: seen.id, method: seen.method, outcome: seen.outcome }).toEqual({
            line: String(line),
            id: wanted,
            method,
            outcome: hasResult ? 'result' : hasError ? 'error' : undefined,
          });
        }
      }
    }
  });

  it('loads nothing but modules of Node, and few of them', () => {
    const required = [...readFileSync(bridgeFile, 'utf8').matchAll(/require\("([^"]+)"\)|import\("([^"]+)"\)/g)].map(
      (match) => match[1] ?? match[2],
    );
    expect(new Set(required)).toEqual(
      new Set(['node:fs', 'node:path', 'node:crypto', 'node:os', 'node:net', 'node:child_process', 'node:util']),
    );
  });
});
