import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { closeAfterEach } from '../fixtures/closing.ts';
import { startHost, textOf } from '../fixtures/host.ts';
import { until } from '../fixtures/wait.ts';

const closing = closeAfterEach();

describe('the host', () => {
  const server = fileURLToPath(new URL('../fixtures/stdio-echo.mjs', import.meta.url));

  it('exchanges JSON-RPC lines with a process and reports its exit code', async () => {
    const host = startHost(process.execPath, [server], {});
    closing.push(() => host.kill());
    expect((await host.initialize()).result).toMatchObject({ serverInfo: { name: 'stdio-echo' } });
    expect(textOf(await host.call('echo', { text: 'hello' }))).toBe('hello');
    expect((await host.request('no/such')).error).toMatchObject({ code: -32_601 });
    await host.notification('notifications/message');
    expect(host.lines[0]).toContain('stdio-echo');
    host.sendLine('this is not JSON');
    await until(() => host.stderr.includes('not JSON'), 'the complaint on stderr');
    expect(await host.close()).toBe(0);
    expect(host.exit).toBe(0);
  });

  it('fails a request when the process ends, and kills a process that does not end', async () => {
    const gone = startHost(process.execPath, ['-e', 'process.exit(3)'], {});
    await expect(gone.request('initialize')).rejects.toThrow('the process ended with 3');
    const stubborn = startHost(process.execPath, ['-e', 'setInterval(() => {}, 1000)'], {});
    await expect(stubborn.close(200)).rejects.toThrow('did not end');
    expect(stubborn.exit).toBe('SIGKILL');
    expect(startHost('/no/such/program', [], {}).pid).toBeNaN();
  });
});
