import { afterEach, describe, expect, it } from 'vitest';
import { createTimeWatch, wakeBySlowTimer } from '../../electron/core/base/sleep-detector.ts';
import { deadlineIn } from '../../electron/core/base/clock.ts';
import { createAttemptLimits } from '../../electron/core/step-up/attempt-limits.ts';
import { durationText, stateText } from '../../shared/state-text.ts';
import { createFakeClock } from '../fixtures/clock.ts';
import { json, startFakeTimeCore, type FakeTimeCore, type Fault } from '../fixtures/fake-time-core.ts';

// The system time is set while Keybridge runs: by hand, by the network, or because a virtual machine resumes.

let core: FakeTimeCore | undefined;
afterEach(async () => {
  await core?.close();
  core = undefined;
});

const day = 86_400_000;
const jumps: readonly (readonly [string, number])[] = [
  ['a day back', -day],
  ['a day forth', day],
  ['a year back', -365 * day],
  ['a year forth', 365 * day],
];

describe.each(jumps)('when the system’s time is set %s', (_, jump) => {
  it('a call within a pause that the server asked for is sent at the end of that pause', async () => {
    core = await startFakeTimeCore();
    let asked = 0;
    const later: Fault = async (_request, pass) =>
      (asked += 1) === 1 ? json(429, {}, { 'retry-after': '4' }) : pass();
    core.faults.mcp = later;
    expect(await core.call()).toBe('E_RATE_LIMITED');
    await core.clock.advance(1_000);
    core.clock.jump(jump);
    const next = core.call();
    await core.clock.advance(3_500);
    expect(await next).toBe('ok');
    expect(core.told).toHaveLength(1);
  });

  it('a server that asks for ten minutes without calls gets none for ten minutes', async () => {
    core = await startFakeTimeCore();
    core.faults.mcp = async () => json(429, {}, { 'retry-after': '600' });
    await core.call();
    core.faults.mcp = undefined;
    core.clock.jump(jump);
    await core.clock.advance(100_000);
    expect(await core.call()).toBe('E_RATE_LIMITED');
    expect(core.told.at(-1)).toContain(durationText(500_000));
    await core.clock.advance(500_000);
    expect(await core.call()).toBe('ok');
  });

  it('the displayed time of the next attempt stays correct', async () => {
    core = await startFakeTimeCore();
    core.faults.as = async () => json(503, {}, { 'retry-after': '100' });
    await core.clock.advance(99_000);
    core.clock.jump(jump);
    const [server] = core.status().servers;
    expect(server?.state.kind).toBe('retrying');
    expect(server && stateText(server, core.clock.now())).toMatch(
      /next attempt in \d+ (?:s|seconds?|min|minutes?)|trying now/,
    );
    core.faults.as = undefined;
    await core.clock.advance(110_000);
    expect(core.status().servers[0]?.state.kind).toBe('signed_in');
  });

  it('no sign-in is lost, no call fails, and tokens are not renewed repeatedly', async () => {
    core = await startFakeTimeCore();
    expect(await core.call()).toBe('ok');
    const before = core.sent.token.length;
    core.clock.jump(jump);
    core.wake();
    expect(await core.call()).toBe('ok');
    core.clock.jump(-2 * jump);
    core.wake();
    await core.clock.advance(1_000);
    expect(await core.call()).toBe('ok');
    core.clock.jump(jump);
    core.wake();
    // Three lifetimes of the token, which expires by monotonic time.
    for (let minute = 0; minute < 5; minute += 1) {
      await core.clock.advance(60_000);
      expect(await core.call()).toBe('ok');
    }
    expect(core.sent.token.length - before).toBeLessThanOrEqual(7);
    expect(core.openings).toBe(1);
    expect(core.counts).toEqual({ codes: 1, reuses: 0 });
    expect(core.told).toEqual([]);
  });

  it('a step-up that was attempted twice is offered again after exactly ten minutes', async () => {
    const clock = createFakeClock();
    const limits = createAttemptLimits(clock);
    const ask = { host: 'host', operation: 'tools/call write', scopes: ['write'] };
    limits.tried('a', [ask]);
    limits.tried('a', [ask]);
    clock.jump(jump);
    await clock.advance(9 * 60_000);
    expect(limits.reached('a', ask)).toBe(true);
    await clock.advance(2 * 60_000);
    expect(limits.reached('a', ask)).toBe(false);
  });

  it('a deadline keeps its remaining time', async () => {
    const clock = createFakeClock();
    const deadline = deadlineIn(clock, 10_000);
    await clock.advance(4_000);
    clock.jump(jump);
    expect(deadline.leftMs()).toBe(6_000);
    await clock.advance(10_000);
    expect(deadline.leftMs()).toBe(0);
  });

  it('the change is reported once', async () => {
    const clock = createFakeClock();
    const wasSet = createTimeWatch(clock, 10_000);
    let woken = 0;
    const end = wakeBySlowTimer(clock)(() => (woken += 1));
    await clock.advance(60_000);
    expect([wasSet(), woken]).toEqual([false, 0]);
    clock.jump(jump);
    await clock.advance(60_000);
    expect([wasSet(), wasSet(), woken]).toEqual([true, false, 1]);
    end();
  });
});
