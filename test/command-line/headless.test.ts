import { execFile } from 'node:child_process';
import { writeSync } from 'node:fs';
import { chmod, mkdtemp, readFile, rm, stat, symlink, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { systemClock } from '../../electron/core/base/system-clock.ts';
import { openLogFile } from '../../electron/platform/log-file.ts';
import { wakeBySlowTimer } from '../../electron/core/base/sleep-detector.ts';
import { hasBrowser, openSystemBrowser } from '../../electron/platform/system-browser.ts';
import { bundle } from '../fixtures/bundle.ts';
import { createFakeClock } from '../fixtures/clock.ts';
import { until } from '../fixtures/wait.ts';

let folder: string;
const at = (name: string) => path.join(folder, name);
const read = (name: string) => readFile(at(name), 'utf8').catch(() => undefined);
beforeEach(async () => {
  folder = await mkdtemp(path.join(os.tmpdir(), 'keybridge-headless-'));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

describe('the system clock', () => {
  it('runs a task after the time, once, unless it is cancelled', async () => {
    const clock = systemClock();
    const task = vi.fn();
    const cancelled = vi.fn();
    clock.after(5, task);
    clock.after(5, cancelled)();
    await until(() => task.mock.calls.length > 0, 'the task');
    await new Promise<void>((resolve) => clock.after(10, resolve));
    expect(task).toHaveBeenCalledTimes(1);
    expect(cancelled).not.toHaveBeenCalled();
    expect(Math.abs(clock.now() - Date.now())).toBeLessThan(1_000);
  });

  it('does not take a time of more than 24 days for one of none', async () => {
    vi.useFakeTimers();
    try {
      const task = vi.fn();
      const day = 86_400_000;
      systemClock().after(60 * day, task);
      await vi.advanceTimersByTimeAsync(60 * day - 1);
      expect(task).not.toHaveBeenCalled();
      await vi.advanceTimersByTimeAsync(1);
      expect(task).toHaveBeenCalledTimes(1);
    } finally {
      vi.useRealTimers();
    }
  });

  it('keeps no process alive', async () => {
    const clock = await bundle(path.join(import.meta.dirname, '../../electron/core/base/system-clock.ts'), folder);
    const code = `require(${JSON.stringify(clock)}).systemClock().after(60_000, () => {}); process.stdout.write('armed')`;
    // Fails by the limit when the timer holds the process.
    expect((await promisify(execFile)(process.execPath, ['-e', code], { timeout: 10_000 })).stdout).toBe('armed');
  });
});

describe('waking from sleep without a system that tells', () => {
  it('is noticed within half a minute, once, and ordinary time is not taken for it', async () => {
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

  it('a clock that is set back is told once, so that what is shown of times to come is put right', async () => {
    const clock = createFakeClock();
    const woke = vi.fn();
    wakeBySlowTimer(clock)(woke);
    clock.jump(-3_600_000);
    await clock.advance(120_000);
    expect(woke).toHaveBeenCalledTimes(1);
  });
});

describe('the log file', () => {
  it('LG06 LG07 is for this user only, keeps what was there, and turns over into a fixed number of files', async () => {
    const limits = { maxBytes: 30, files: 3 };
    const first = openLogFile(at('app.log'), limits);
    first.write('one 4567890\n');
    first.close();
    const log = openLogFile(at('app.log'), limits);
    for (const word of ['two', 'three', 'four', 'five', 'six', 'seven', 'eight']) log.write(`${word} 4567890\n`);
    log.close();

    expect((await stat(at('app.log'))).mode & 0o777).toBe(0o600);
    expect(await read('app.log')).toBe('seven 4567890\neight 4567890\n');
    expect(await read('app.log.1')).toBe('five 4567890\nsix 4567890\n');
    expect(await read('app.log.2')).toBe('three 4567890\nfour 4567890\n');
    expect(await read('app.log.3')).toBeUndefined();
  });

  it('LG06 that cannot be written any more stops nobody', async () => {
    const log = openLogFile('/dev/full');
    for (let line = 0; line < 10; line += 1) log.write('no room for this\n');
    log.close();
    const nowhere = openLogFile(at('no-such-folder/app.log'));
    nowhere.write('line\n');
    nowhere.close();
    expect(await read('no-such-folder/app.log')).toBeUndefined();
  });

  it('LG06 says how many lines are missing as soon as there is room again', async () => {
    let full = false;
    const log = openLogFile(at('app.log'), undefined, (fd, line) => {
      if (full) throw Object.assign(new Error('no space left on device'), { code: 'ENOSPC' });
      return writeSync(fd, line);
    });
    log.write('before\n');
    full = true;
    for (const word of ['one', 'two', 'three']) log.write(`${word}\n`);
    full = false;
    log.write('after\n');
    log.write('and on\n');
    log.close();
    const lines = (await read('app.log'))?.split('\n') ?? [];
    expect(JSON.parse(lines[1] ?? '')).toMatchObject({ event: 'lines_dropped', count: 3 });
    expect([lines[0], ...lines.slice(2)]).toEqual(['before', 'after', 'and on', '']);
  });

  it('is never written through a link, and a fault in it stops nobody', async () => {
    await writeFile(at('victim'), 'mine');
    await symlink(at('victim'), at('app.log'));
    const log = openLogFile(at('app.log'));
    log.write('line\n');
    log.close();
    log.write('after the end\n');
    expect(await read('victim')).toBe('mine');
  });
});

describe('the system browser', () => {
  const address = new URL('https://login.example/authorize?a=1&b=$(id)%20`id`;x');
  const program = async (name: string, text: string) => {
    await writeFile(at(name), `#!/bin/sh\n${text}\n`);
    await chmod(at(name), 0o755);
    return at(name);
  };
  const browserThatNotes = (name: string, exit = 0) =>
    program(name, `printf '%s\\n' "$@" > '${at(`${name}.args`)}'; exit ${exit}`);
  const open = (BROWSER: string) =>
    openSystemBrowser(address, { env: { PATH: process.env['PATH'], BROWSER }, platform: 'linux' });

  it('is $BROWSER, given the address as one argument, untouched by any shell', async () => {
    await open(await browserThatNotes('browser'));
    expect(await read('browser.args')).toBe(`${address.href}\n`);
  });

  it('gets none of Keybridge’s own variables', async () => {
    const env = {
      PATH: process.env['PATH'],
      KEYBRIDGE_CLIENT_SECRET: 'marked',
      KEPT: 'yes',
      BROWSER: await program('browser', `env > '${at('env')}'`),
    };
    await openSystemBrowser(address, { env, platform: 'linux' });
    expect(await read('env')).toContain('KEPT=yes');
    expect(await read('env')).not.toContain('marked');
  });

  it('takes %s and arguments in $BROWSER, and the next one when one fails', async () => {
    const failing = await browserThatNotes('failing', 3);
    const good = await browserThatNotes('good');
    await open(`${at('missing')}:${failing}:${good} --new --url=%s`);
    expect(await read('failing.args')).toBe(`${address.href}\n`);
    expect(await read('good.args')).toBe(`--new\n--url=${address.href}\n`);
  });

  it('may lie on a path with blanks', async () => {
    const found = await browserThatNotes('my browser');
    await open(found);
    expect(await read('my browser.args')).toBe(`${address.href}\n`);
  });

  it('counts as opened when it goes on running', async () => {
    const running = await program('running', `echo $$ > '${at('pid')}'; exec sleep 30`);
    await open(running);
    const pid = Number(await read('pid'));
    expect(process.kill(pid, 'SIGKILL')).toBe(true);
  });

  it('is missing: says so with E_BROWSER', async () => {
    await expect(open(at('missing'))).rejects.toMatchObject({ code: 'E_BROWSER' });
    await expect(openSystemBrowser(address, { env: {}, platform: 'linux' })).rejects.toMatchObject({
      code: 'E_BROWSER',
    });
    await expect(
      openSystemBrowser(new URL('file:///etc/passwd'), { env: { BROWSER: 'true' }, platform: 'linux' }),
    ).rejects.toMatchObject({ code: 'E_BROWSER' });
  });

  it('is expected where there is a display or $BROWSER', () => {
    expect(hasBrowser({ env: {}, platform: 'linux' })).toBe(false);
    expect(hasBrowser({ env: { DISPLAY: ':0' }, platform: 'linux' })).toBe(true);
    expect(hasBrowser({ env: { WAYLAND_DISPLAY: 'wayland-0' }, platform: 'linux' })).toBe(true);
    expect(hasBrowser({ env: { BROWSER: 'x' }, platform: 'linux' })).toBe(true);
    expect(hasBrowser({ env: {}, platform: 'darwin' })).toBe(true);
    expect(hasBrowser({ env: { SSH_CONNECTION: '1 2 3 4' }, platform: 'darwin' })).toBe(false);
  });
});
