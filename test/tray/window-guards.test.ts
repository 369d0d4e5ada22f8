import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { refusedSwitch } from '../../electron/desktop/window/forbidden-switches.ts';
import { fileOf, isOwnPage } from '../../electron/desktop/window/page-address.ts';

describe('UI07: the switches of a release build', () => {
  it.each([
    ['--remote-debugging-port=0', '--remote-debugging-port'],
    ['--remote-debugging-port', '--remote-debugging-port'],
    ['-remote-debugging-port=9222', '-remote-debugging-port'],
    ['/remote-debugging-port=9222', '/remote-debugging-port'],
    ['--Remote-Debugging-Pipe', '--Remote-Debugging-Pipe'],
    ['--inspect', '--inspect'],
    ['--inspect-brk=0', '--inspect-brk'],
    ['--inspect-publish-uid=http', '--inspect-publish-uid'],
    ['--js-flags=--expose-gc', '--js-flags'],
    ['--host-rules=MAP * evil', '--host-rules'],
    ['--ignore-certificate-errors', '--ignore-certificate-errors'],
    ['--gpu-launcher=sh', '--gpu-launcher'],
    // Switches that a list of forbidden ones would easily miss.
    ['--enable-logging=file', '--enable-logging'],
    ['--log-file=/home/ada/.bashrc', '--log-file'],
    ['--user-data-dir=/tmp/x', '--user-data-dir'],
    ['--disable-site-isolation-trials', '--disable-site-isolation-trials'],
    ['--proxy-server=evil.example:1', '--proxy-server'],
    ['--no-zygote', '--no-zygote'],
    ['--disable-features=NetworkServiceSandbox', '--disable-features'],
    ['--enable-features=WaylandWindowDecorations,UnsafeThing', '--enable-features'],
    ['--lang=../../x', '--lang'],
    ['--hidden=1', '--hidden'],
    ['--log-level=3', '--log-level'],
    ['--HIDDEN', '--HIDDEN'],
    ['-hidden', '-hidden'],
    ['--', '--'],
    ['-e', '-e'],
    ['--toString', '--toString'],
  ])('reject %s', (given, named) => {
    expect(refusedSwitch(['/opt/keybridge', '--hidden', given], {})).toBe(named);
  });

  it.each([
    '--use-openssl-ca',
    '--env-file=/tmp/x',
    '--max-old-space-size=1 --inspect',
    '--require /tmp/x.js',
    '-r /tmp/x.js',
    '--inspect=0',
    '--import data:text/javascript,x',
  ])('reject NODE_OPTIONS=%s', (value) => {
    expect(refusedSwitch(['/opt/keybridge'], { NODE_OPTIONS: value })).toBe('NODE_OPTIONS');
  });

  it('include those that users and launchers need', () => {
    const usual = [
      '/opt/keybridge',
      '--hidden',
      '--log-level=debug',
      '--no-sandbox',
      '--ozone-platform=wayland',
      '--force-device-scale-factor=2',
      '--lang=de',
      '--enable-features=UseOzonePlatform,WaylandWindowDecorations',
      '--force-renderer-accessibility',
      '/home/ada/file.txt',
    ];
    expect(refusedSwitch(usual, { NODE_OPTIONS: '--max-old-space-size=4096' })).toBeUndefined();
    expect(refusedSwitch(['--inspect'], {})).toBeUndefined(); // the program's own name
  });
});

describe('the addresses of the window’s pages', () => {
  const folder = path.resolve('/app/dist/renderer');

  it('never name a file outside their folder', () => {
    expect(fileOf('app://keybridge/index.html', folder)).toBe(path.join(folder, 'index.html'));
    expect(fileOf('app://keybridge/assets/a.js?x#y', folder)).toBe(path.join(folder, 'assets', 'a.js'));
    for (const outside of [
      'app://keybridge/../main.js',
      'app://keybridge/%2e%2e/main.js',
      'app://keybridge/..%2fmain.js',
      'app://keybridge/a/%2e%2e%2f..%2f..%2fmain.js',
      'app://keybridge/',
      'app://keybridge/%00',
      'app://keybridge/%zz',
    ]) {
      const file = fileOf(outside, folder);
      expect(file === undefined || file.startsWith(folder + path.sep), outside).toBe(true);
    }
  });

  it('are those of the app’s own origin only', () => {
    expect(isOwnPage('app://keybridge/index.html#server=x')).toBe(true);
    for (const other of [
      'app://other/index.html',
      'app://keybridge.evil/index.html',
      'app://x@keybridge/',
      'https://keybridge/index.html',
      'file:///index.html',
      'data:text/html,x',
      'about:blank',
      '',
    ]) {
      expect(isOwnPage(other), other).toBe(false);
      expect(fileOf(other, folder), other).toBeUndefined();
    }
  });
});
