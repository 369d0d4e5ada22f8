import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { makePlace, memoryOf, settled, type Place } from '../fixtures/bridge-place.ts';
import { textOf } from '../fixtures/host.ts';
import { until } from '../fixtures/wait.ts';

let place: Place;
beforeEach(() => {
  place = makePlace();
});
afterEach(() => place.clear());

describe('messages through the bridge', () => {
  it('arrive byte for byte, in both directions', async () => {
    const broker = await place.broker();
    const host = place.host();
    const strange =
      '{ "id" : 12345678901234567890 ,"x":1e400,"jsonrpc":"2.0", "method":"tools/call",' +
      '"params":{"name":"hang","_meta":{"é":"\\u0000😀"}}}';
    host.sendLine(strange);
    host.sendLine('{"jsonrpc":"2.0","method":"notifications/custom"}');
    await until(() => broker.received.length === 2, 'both lines');
    expect(broker.received[0]).toBe(strange);
    const odd = '{"jsonrpc":"2.0", "method":"notifications/odd","params":{"n":0.10000000000000000001,"t":"\\ud800 ü"}}';
    broker.send(odd);
    await until(() => host.lines.includes(odd), 'the odd line');
  });

  it('may have megabytes, and many may be in progress at the same time', async () => {
    const broker = await place.broker();
    const host = place.host();
    await host.initialize();
    const text = 'ä"\\'.repeat(300_000);
    const responses = await Promise.all([
      host.call('echo', { text }),
      host.call('large', { bytes: 5_000_000 }),
      host.call('echo', { text: 'small' }),
    ]);
    expect(responses.map((response) => textOf(response).length)).toEqual([text.length, 5_000_000, 5]);
    expect(broker.accepted).toBe(1);
    expect(await host.close()).toBe(0);
  });

  it('SI02: of 100 MB get an error and take little memory, and the next message passes', async () => {
    await place.broker();
    const host = place.host();
    await host.initialize();
    host.sendLine(`{"jsonrpc":"2.0","method":"tools/call","params":{"a":"${'x'.repeat(100_000_000)}"},"id":99}`);
    const line = await until(() => host.lines.find((one) => one.includes('E_MESSAGE_TOO_LARGE')), 'the error', 20_000);
    expect(JSON.parse(line)).toMatchObject({ id: 99, error: { code: -32_600 } });
    expect(textOf(await host.call('echo', { text: 'next' }))).toBe('next');
    expect(memoryOf(host.pid, 'VmHWM')).toBeLessThan(200);
  });

  it('SI05: may have CRLF, a byte order mark, blank lines between them, and no line feed at the end', async () => {
    const broker = await place.broker();
    const host = place.host();
    host.sendLine('\uFEFF{"jsonrpc":"2.0","id":1,"method":"a"}\r\n\r\n{"jsonrpc":"2.0","id":2,"method":"b"}\r');
    await until(() => host.lines.length === 2, 'two responses');
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

  it('wait at the broker while the host does not read', async () => {
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

  it('wait at the host while the broker does not read', async () => {
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
