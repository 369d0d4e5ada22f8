import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import net from 'node:net';
import os from 'node:os';
import path from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { isAlive, listenPrivately, makePlace, type Place } from '../fixtures/bridge-place.ts';
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

/** Variables of a host that must not reach the app, which serves all hosts. */
const hostOnly = {
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
const readAppEnvironment = () =>
  JSON.parse(readFileSync(path.join(place.dataDir, 'environment.json'), 'utf8')) as {
    env: Record<string, string>;
    args: string[];
  };

describe('a bridge without a broker', () => {
  it('keeps the host’s messages until a broker is running', async () => {
    place.appIs(appCommand('--silent'));
    const host = place.host(['demo'], { DISPLAY: ':77' });
    const initialized = host.initialize();
    const call = host.call('echo', { text: 'early' });
    await until(() => place.apps().length === 1, 'the silent app');
    const broker = await place.broker();
    expect((await initialized).result).toMatchObject({ serverInfo: { name: 'small' } });
    expect(textOf(await call)).toBe('early');
    expect(broker.received.filter((line) => line.includes('"initialize"'))).toHaveLength(1);
  });

  it('starts the app hidden, in a process group of its own and with a clean environment (SI13)', async () => {
    place.appIs(appCommand());
    const bus = path.join(place.dataDir, 'bus');
    const endBus = await listenPrivately(net.createServer(), bus);
    const host = place.host(['demo'], {
      DISPLAY: ':77',
      LC_TIME: 'C',
      XDG_RUNTIME_DIR: place.dataDir,
      DBUS_SESSION_BUS_ADDRESS: `tcp:host=127.0.0.1,port=9;unix:path=${bus},guid=1`,
      GITHUB_TOKEN: 'marked',
      ...hostOnly,
    });
    await host.initialize();
    const [pid] = place.apps();
    const { env, args } = readAppEnvironment();
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

  it('takes no store, keychain bus, session bus, display or program for the app from the host', async () => {
    place.appIs(appCommand());
    const host = place.host(['demo'], {
      ...hostOnly,
      DISPLAY: 'elsewhere.example:0',
      WAYLAND_DISPLAY: 'wayland-0',
      XDG_RUNTIME_DIR: '/tmp',
      DBUS_SESSION_BUS_ADDRESS: 'tcp:host=127.0.0.1,port=9',
      KEYBRIDGE_APP: JSON.stringify([process.execPath, app, '--silent']),
    });
    await host.initialize();
    const { env, args } = readAppEnvironment();
    expect(args).toEqual(['--hidden']);
    expect(env).toEqual({ PATH: process.env['PATH'], WAYLAND_DISPLAY: 'wayland-0', KEYBRIDGE_DATA_DIR: place.dataDir });
  });

  it('leaves the start of the app to one of 20 bridges, and all of them are served', async () => {
    place.appIs(appCommand());
    const hosts = Array.from({ length: 20 }, () => place.host(['demo'], { DISPLAY: ':77' }));
    const responses = await Promise.all(hosts.map((host) => host.initialize()));
    expect(responses.every((response) => response.result !== undefined)).toBe(true);
    expect(place.apps()).toHaveLength(1);
  }, 60_000);

  it('starts the app itself if the bridge that was starting it is killed', async () => {
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

describe.skipIf(process.platform !== 'linux')('the lock for starting the app', () => {
  it('uses no name that another user could take first', async () => {
    place.appIs(appCommand('--silent'));
    const first = place.host(['demo'], { DISPLAY: ':77' });
    await until(() => place.apps().length === 1, 'the silent app');
    const names = namesShownBy(first.pid);
    await first.kill();
    const endSquatting = await squat(names);
    place.appIs(appCommand());
    const second = place.host(['demo'], { DISPLAY: ':77' });
    expect((await second.initialize()).error).toBeUndefined();
    endSquatting();
    expect(names).toEqual([]);
  });
});
