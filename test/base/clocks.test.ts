import { execFile } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { wakeBySlowTimer } from '../../electron/core/base/sleep-detector.ts';
import { systemClock } from '../../electron/core/base/system-clock.ts';
import { bundle } from '../fixtures/bundle.ts';
import { createFakeClock } from '../fixtures/clock.ts';

describe('the system clock', () => {
  beforeEach(() => void vi.useFakeTimers());
  afterEach(() => void vi.useRealTimers());

  it('runs a task once after its time, unless it is cancelled', async () => {
    const clock = systemClock();
    const [task, cancelled] = [vi.fn(), vi.fn()];
    clock.after(5, task);
    clock.after(5, cancelled)();
    await vi.advanceTimersByTimeAsync(100);
    expect(task).toHaveBeenCalledTimes(1);
    expect(cancelled).not.toHaveBeenCalled();
    expect(clock.now()).toBe(Date.now());
  });

  it('waits for more than 24 days, which one timer of Node cannot', async () => {
    const task = vi.fn();
    const day = 86_400_000;
    systemClock().after(60 * day, task);
    await vi.advanceTimersByTimeAsync(60 * day - 1);
    expect(task).not.toHaveBeenCalled();
    await vi.advanceTimersByTimeAsync(1);
    expect(task).toHaveBeenCalledTimes(1);
  });
});

it('A timer of the system clock does not keep the process alive', async () => {
  const folder = await mkdtemp(path.join(os.tmpdir(), 'keybridge-clock-'));
  const clock = await bundle(path.join(import.meta.dirname, '../../electron/core/base/system-clock.ts'), folder);
  const code = `require(${JSON.stringify(clock)}).systemClock().after(60_000, () => {}); process.stdout.write('armed')`;
  // The call fails by its limit if the timer keeps the process alive.
  expect((await promisify(execFile)(process.execPath, ['-e', code], { timeout: 10_000 })).stdout).toBe('armed');
  await rm(folder, { recursive: true });
});

describe('the sleep detector without events of the system', () => {
  it('reports a wake-up once within half a minute, and nothing while time runs normally', async () => {
    const clock = createFakeClock();
    const woke = vi.fn();
    const end = wakeBySlowTimer(clock)(woke);
    await clock.advance(600_000);
    expect(woke).not.toHaveBeenCalled();
    clock.jump(3_600_000);
    await clock.advance(30_000);
    expect(woke).toHaveBeenCalledTimes(1);
    await clock.advance(600_000);
    expect(woke).toHaveBeenCalledTimes(1);
    end();
    expect(clock.pending).toBe(0);
  });

  it('reports once that the clock was set back, so that displayed times are corrected', async () => {
    const clock = createFakeClock();
    const woke = vi.fn();
    wakeBySlowTimer(clock)(woke);
    clock.jump(-3_600_000);
    await clock.advance(120_000);
    expect(woke).toHaveBeenCalledTimes(1);
  });
});
