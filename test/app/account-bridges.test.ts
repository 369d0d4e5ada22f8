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
  it('a served bridge wakes those that are away, and not itself', () => {
    const { woken, join } = bridges();
    const one = join('one', 'a');
    const two = join('two', 'a');
    join('three', 'a');
    one.setUnavailable(true);
    two.setUnavailable(true);
    one.served();
    expect(woken).toEqual(['two served']);
  });

  it('a served bridge of another account wakes none', () => {
    const { woken, join } = bridges();
    join('one', 'a').setUnavailable(true);
    join('two', 'b').served();
    expect(woken).toEqual([]);
  });

  it('a bridge that is back, or has left, is not woken', () => {
    const { woken, join } = bridges();
    const [one, two, three] = [join('one', 'a'), join('two', 'a'), join('three', 'a')];
    one.setUnavailable(true);
    two.setUnavailable(true);
    one.setUnavailable(false);
    two.leave();
    three.served();
    expect(woken).toEqual([]);
  });

  it('a person who tries now wakes all of the account, away or not', () => {
    const { all, woken, join } = bridges();
    join('one', 'a').setUnavailable(true);
    join('two', 'a');
    join('three', 'b');
    all.wake('a');
    expect(woken).toEqual(['one asked', 'two asked']);
  });
});

describe('in the whole core', () => {
  it('a call that is served, and "Try now", wake a bridge that is away', async () => {
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

  it('a refresh that an authorization server put off for an hour is tried at once when a person wants it', async () => {
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

  it('a refresh that an authorization server put off for years is tried again after an hour', async () => {
    const core = await startFakeTimeCore();
    closing.push(() => core.close());
    core.faults.as = async () => json(429, {}, { 'retry-after': '315360000' });
    await core.clock.advance(101_000);
    core.faults.as = undefined;
    await core.clock.advance(3_600_000);
    expect(await core.call()).toBe('ok');
  });
});
