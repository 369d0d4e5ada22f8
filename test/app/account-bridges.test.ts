import { describe, expect, it } from 'vitest';
import { createAccountBridges } from '../../electron/core/app/account-bridges.ts';
import { closeAfterEach } from '../fixtures/closing.ts';
import { json, startFakeTimeCore } from '../fixtures/fake-time-core.ts';

const closing = closeAfterEach();

function bridges() {
  const all = createAccountBridges();
  const woken: string[] = [];
  const join = (name: string, account: string) => {
    const bridge = all.join(account);
    bridge.onWake((reason) => woken.push(`${name} ${reason}`));
    return bridge;
  };
  return { all, woken, join };
}

describe('the bridges of one account', () => {
  it('wakes the unavailable ones, and not itself, when one is served', () => {
    const { woken, join } = bridges();
    const one = join('one', 'a');
    const two = join('two', 'a');
    join('three', 'a');
    one.setUnavailable(true);
    two.setUnavailable(true);
    one.served();
    expect(woken).toEqual(['two served']);
  });

  it('wakes none when a bridge of another account is served', () => {
    const { woken, join } = bridges();
    join('one', 'a').setUnavailable(true);
    join('two', 'b').served();
    expect(woken).toEqual([]);
  });

  it('does not wake a bridge that is available again or has left', () => {
    const { woken, join } = bridges();
    const [one, two, three] = [join('one', 'a'), join('two', 'a'), join('three', 'a')];
    one.setUnavailable(true);
    two.setUnavailable(true);
    one.setUnavailable(false);
    two.leave();
    three.served();
    expect(woken).toEqual([]);
  });

  it('wakes all bridges of the account when the user retries', () => {
    const { all, woken, join } = bridges();
    join('one', 'a').setUnavailable(true);
    join('two', 'a');
    join('three', 'b');
    all.wake('a');
    expect(woken).toEqual(['one asked', 'two asked']);
  });
});

describe('waiting bridges in the whole core', () => {
  it('are woken by a successful call and by "Try now"', async () => {
    const core = await startFakeTimeCore();
    closing.push(() => core.close());
    const other = core.connect();
    closing.push(async () => other.close());
    const woken: string[] = [];
    other.onWake((reason) => woken.push(reason));
    other.setUnavailable(true);
    core.faults.mcp = async () => json(500, {});
    await core.call();
    expect(woken).toEqual([]);
    core.faults.mcp = undefined;
    expect(await core.call()).toBe('ok');
    expect(woken).toEqual(['served']);
    expect(await core.command('refreshNow', { server: 'work' })).toBe('ok');
    expect(woken).toEqual(['served', 'asked']);
  });

  it('refresh immediately at the user’s request, although the authorization server asked to wait an hour', async () => {
    const core = await startFakeTimeCore();
    closing.push(() => core.close());
    core.faults.as = async () => json(429, {}, { 'retry-after': '315360000' });
    await core.clock.advance(101_000);
    const tries = core.sent.token.length;
    await core.clock.advance(1_800_000);
    expect(core.sent.token.length).toBe(tries);
    core.faults.as = undefined;
    expect(await core.command('refreshNow', { server: 'work' })).toBe('ok');
    expect(await core.call()).toBe('ok');
  });

  it('refresh again after an hour if the authorization server asked to wait for years', async () => {
    const core = await startFakeTimeCore();
    closing.push(() => core.close());
    core.faults.as = async () => json(429, {}, { 'retry-after': '315360000' });
    await core.clock.advance(101_000);
    core.faults.as = undefined;
    await core.clock.advance(3_600_000);
    expect(await core.call()).toBe('ok');
  });
});
