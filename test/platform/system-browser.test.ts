import { chmod, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { hasBrowser, openSystemBrowser } from '../../electron/platform/system-browser.ts';

let folder: string;
const at = (name: string) => path.join(folder, name);
const read = (name: string) => readFile(at(name), 'utf8').catch(() => undefined);
beforeEach(async () => {
  folder = await mkdtemp(path.join(os.tmpdir(), 'keybridge-browser-'));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

describe('the system browser', () => {
  const address = new URL('https://login.example/authorize?a=1&b=$(id)%20`id`;x');
  const program = async (name: string, text: string) => {
    await writeFile(at(name), `#!/bin/sh\n${text}\n`);
    await chmod(at(name), 0o755);
    return at(name);
  };
  const browserThatRecords = (name: string, exit = 0) =>
    program(name, `printf '%s\\n' "$@" > '${at(`${name}.args`)}'; exit ${exit}`);
  const open = (BROWSER: string) =>
    openSystemBrowser(address, { env: { PATH: process.env['PATH'], BROWSER }, platform: 'linux' });

  it('is $BROWSER, which gets the address as one argument without a shell', async () => {
    await open(await browserThatRecords('browser'));
    expect(await read('browser.args')).toBe(`${address.href}\n`);
  });

  it('gets no KEYBRIDGE_ variable', async () => {
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

  it('may have arguments and %s in $BROWSER, where the next program is tried when one fails', async () => {
    const failing = await browserThatRecords('failing', 3);
    const good = await browserThatRecords('good');
    await open(`${at('missing')}:${failing}:${good} --new --url=%s`);
    expect(await read('failing.args')).toBe(`${address.href}\n`);
    expect(await read('good.args')).toBe(`--new\n--url=${address.href}\n`);
  });

  it('may have spaces in its path', async () => {
    const browser = await browserThatRecords('my browser');
    await open(browser);
    expect(await read('my browser.args')).toBe(`${address.href}\n`);
  });

  it('counts as opened while it keeps running', async () => {
    const running = await program('running', `echo $$ > '${at('pid')}'; exec sleep 30`);
    await open(running);
    const pid = Number(await read('pid'));
    expect(process.kill(pid, 'SIGKILL')).toBe(true);
  });

  it('fails with E_BROWSER if no program starts or the address is no web address', async () => {
    await expect(open(at('missing'))).rejects.toMatchObject({ code: 'E_BROWSER' });
    await expect(openSystemBrowser(address, { env: {}, platform: 'linux' })).rejects.toMatchObject({
      code: 'E_BROWSER',
    });
    await expect(
      openSystemBrowser(new URL('file:///etc/passwd'), { env: { BROWSER: 'true' }, platform: 'linux' }),
    ).rejects.toMatchObject({ code: 'E_BROWSER' });
  });

  it('is assumed to exist if there is a display or $BROWSER', () => {
    expect(hasBrowser({ env: {}, platform: 'linux' })).toBe(false);
    expect(hasBrowser({ env: { DISPLAY: ':0' }, platform: 'linux' })).toBe(true);
    expect(hasBrowser({ env: { WAYLAND_DISPLAY: 'wayland-0' }, platform: 'linux' })).toBe(true);
    expect(hasBrowser({ env: { BROWSER: 'x' }, platform: 'linux' })).toBe(true);
    expect(hasBrowser({ env: {}, platform: 'darwin' })).toBe(true);
    expect(hasBrowser({ env: { SSH_CONNECTION: '1 2 3 4' }, platform: 'darwin' })).toBe(false);
  });
});
