import { spawn } from 'node:child_process';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { bridgeFile, errorCodeOf, isAlive, makePlace, type Place } from '../fixtures/bridge-place.ts';
import { textOf } from '../fixtures/host.ts';
import { until } from '../fixtures/wait.ts';

let place: Place;
beforeEach(() => {
  place = makePlace();
});
afterEach(() => place.clear());

describe('the bridge ends', () => {
  it('SI04: with exit code 0 after stdin ends, and only after the responses in progress were delivered', async () => {
    const broker = await place.broker();
    const host = place.host();
    await host.initialize();
    const slow = host.call('slow', { text: 'just in time' });
    const never = host.call('hang');
    await until(() => broker.received.some((line) => line.includes('hang')), 'the calls');
    const ended = host.close();
    expect(textOf(await slow)).toBe('just in time');
    expect(errorCodeOf(await never)).toBe('E_OUTCOME_UNKNOWN');
    expect(await ended).toBe(0);
    await until(() => broker.connected === 0, 'the end of the connection');

    const idle = place.host();
    await idle.initialize();
    expect(await idle.close()).toBe(0);
  });

  it('after a response of megabytes that the host reads late', async () => {
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

  it('with stdin although there is no broker, and answers the pending request with E_BROKER_DOWN', async () => {
    const host = place.host();
    const initialized = host.initialize();
    const ended = host.close();
    expect(errorCodeOf(await initialized)).toBe('E_BROKER_DOWN');
    expect(await ended).toBe(1);
  });

  it('SI04: without a word on stderr when nobody reads stdout', async () => {
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
    await until(() => broker.connected === 0, 'the end of the connection');
  });

  it('SI06: without leaving a connection or a process when it is killed', async () => {
    const broker = await place.broker();
    const hosts = [place.host(), place.host()];
    for (const host of hosts) await host.initialize();
    expect(broker.connected).toBe(2);
    await hosts[0]?.kill();
    process.kill(hosts[1]?.pid ?? Number.NaN, 'SIGTERM');
    await until(() => hosts.every((host) => host.exit !== undefined) && broker.connected === 0, 'the end of both');
  });

  it('when its host is killed while the broker does not read', async () => {
    const broker = await place.broker();
    const script = `const { spawn } = require('node:child_process');
      const c = spawn(process.execPath, [${JSON.stringify(bridgeFile)}, 'demo'], { stdio: ['pipe', 'pipe', 'ignore'] });
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
    await until(() => !isAlive(pid), 'the end of the bridge');
  });

  it.each([[[]], [['a', 'b']], [['demo', '--token=x']], [['--data-dir']]])(
    'with exit code 2 and a sentence on stderr when the arguments are %j',
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
