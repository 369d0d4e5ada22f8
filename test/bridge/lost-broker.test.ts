import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { errorCodeOf, makePlace, type Place } from '../fixtures/bridge-place.ts';
import { textOf } from '../fixtures/host.ts';
import { until } from '../fixtures/wait.ts';

let place: Place;
beforeEach(() => {
  place = makePlace();
});
afterEach(() => place.clear());

describe('when the broker is gone, the bridge', () => {
  it('LS11: fails running calls at once and continues the session with the next broker', async () => {
    const first = await place.broker();
    const host = place.host();
    await host.initialize();
    expect(textOf(await host.call('echo', { text: 'one' }))).toBe('one');
    const call = host.call('hang');
    await until(() => first.received.some((line) => line.includes('hang')), 'the call at the broker');
    await first.close();
    expect(errorCodeOf(await call)).toBe('E_OUTCOME_UNKNOWN');

    expect((await host.request('ping')).result).toEqual({});
    const later = host.call('echo', { text: 'two' });
    const second = await place.broker();
    expect(textOf(await later)).toBe('two');
    const methods = second.received.map((line) => (JSON.parse(line) as { method: string }).method);
    expect(methods).toEqual(['initialize', 'notifications/initialized', 'tools/call']);
    expect((JSON.parse(second.received[0] ?? '') as { params: unknown }).params).toEqual(
      (JSON.parse(first.received[0] ?? '') as { params: unknown }).params,
    );
    const ids = host.lines.map((line) => (JSON.parse(line) as { id: unknown }).id);
    expect(new Set(ids).size).toBe(ids.length);
    expect(ids.every((id) => typeof id === 'number')).toBe(true);
  });

  it('fails a pending request that changes nothing with E_BROKER_DOWN, without waiting for a broker', async () => {
    const broker = await place.broker();
    const host = place.host();
    await host.initialize();
    broker.silent = true;
    const list = host.request('tools/list');
    await until(() => broker.received.some((line) => line.includes('tools/list')), 'the request');
    await broker.close();
    const response = await list;
    expect(errorCodeOf(response)).toBe('E_BROKER_DOWN');
    expect(textOf(response)).toContain('Keybridge ended before');
  });

  it('sends a pending initialize again', async () => {
    const first = await place.broker();
    first.silent = true;
    const host = place.host();
    const initialized = host.initialize();
    await until(() => first.received.length === 1, 'initialize at the broker');
    await first.close();
    const second = await place.broker();
    expect((await initialized).error).toBeUndefined();
    expect(second.received[0]).toContain('"id":1');
  });

  it('cancels a request of the server, and drops a late response to it', async () => {
    const first = await place.broker();
    const bridge = place.bare();
    bridge.write('{"jsonrpc":"2.0","id":1,"method":"initialize"}');
    await until(() => bridge.lines.length === 1, 'the response');
    first.send('{"jsonrpc":"2.0","id":7,"method":"elicitation/create"}');
    await until(() => bridge.lines.length === 2, 'the server’s request');
    await first.close();
    const last = await until(() => bridge.lines[2], 'its cancellation');
    expect(JSON.parse(last)).toMatchObject({ method: 'notifications/cancelled', params: { requestId: 7 } });

    const second = await place.broker();
    bridge.write('{"jsonrpc":"2.0","id":7,"result":"late"}');
    bridge.write('{"jsonrpc":"2.0","method":"notifications/marker"}');
    await until(() => second.received.some((line) => line.includes('marker')), 'the next line');
    expect(second.received.join()).not.toContain('late');
    second.send('{"jsonrpc":"2.0","id":7,"method":"elicitation/create"}');
    await until(() => bridge.lines.length === 4, 'the request of the next broker');
    bridge.write('{"jsonrpc":"2.0","id":7,"result":"new"}');
    await until(() => second.received.some((line) => line.includes('new')), 'the response to it');
  });

  it('fails each of 500 running calls once', async () => {
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
