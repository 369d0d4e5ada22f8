import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { readBridgeArguments } from '../../electron/bridge.ts';
import { readArguments } from '../../electron/command-line/arguments.ts';
import { commands } from '../../electron/command-line/commands.ts';
import { exitCodeOf, exitCodes } from '../../electron/command-line/exit-codes.ts';
import { overview } from '../../electron/command-line/help.ts';
import { errorCodes } from '../../shared/errors.ts';

describe('arguments of the command line', () => {
  it('accept options in any position', () => {
    const read = readArguments(['--data-dir', '/x', 'login', '--no-browser', 'work', '--json']);
    expect(read).toEqual({
      kind: 'run',
      command: 'login',
      operands: ['work'],
      options: { 'data-dir': '/x', 'no-browser': true, json: true },
    });
  });

  it.each<[string[], RegExp]>([
    [[], /No command was given/],
    [['frobnicate'], /no command "frobnicate"/],
    [['add'], /needs the address/],
    [['login'], /needs the name/],
    [['login', 'a', 'b'], /at most 1 argument/],
    [['logout'], /a server, or --all/],
    [['logout', 'a', '--all'], /a server, or --all/],
    [['status', '--store', 'memory'], /"status" has no option --store/],
    [['status', '--nonsense=1'], /--nonsense/],
    [['add', 'https://a', '--name'], /--name/],
    [['add', 'https://a', '--client-secret', 'marked'], /--client-secret-file/],
    [['add', 'https://a', '--client-secret=marked'], /--client-secret-file/],
  ])('%j are refused with a message that holds no value of an option', (argv, message) => {
    const read = readArguments(argv);
    expect(read).toMatchObject({ kind: 'usage', message: expect.stringMatching(message) });
    expect(JSON.stringify(read)).not.toContain('marked');
  });

  it('--help prints an overview or the help of a command', () => {
    expect(readArguments(['--help'])).toEqual({ kind: 'help', command: undefined });
    expect(readArguments(['login', '-h'])).toEqual({ kind: 'help', command: 'login' });
    expect(readArguments(['help', 'serve'])).toEqual({ kind: 'help', command: 'serve' });
    for (const [command, { help }] of Object.entries(commands)) {
      expect(help).toContain(`Usage: keybridge ${command}`);
      expect(overview).toContain(`  ${command} `);
    }
  });

  it('have a row in the documentation for each command', async () => {
    const page = await readFile(path.join(import.meta.dirname, '../../docs/command-line.md'), 'utf8');
    const documented = [...page.matchAll(/^\| `keybridge ([a-z]+)/gm)].map(([, command]) => command);
    expect(new Set(documented)).toEqual(new Set(Object.keys(commands)));
  });

  it('every exit code is in the overview and in docs/command-line.md', async () => {
    const page = await readFile(path.join(import.meta.dirname, '../../docs/command-line.md'), 'utf8');
    for (const code of Object.values(exitCodes)) {
      expect(overview).toMatch(new RegExp(`(^|\\s)${code} `, 'm'));
      expect(page).toContain(`| ${code} |`);
    }
    for (const code of errorCodes) {
      const row = page.split('\n').find((line) => line.startsWith(`| ${exitCodeOf(code)} |`)) ?? '';
      if (exitCodeOf(code) !== exitCodes.failed) expect(row).toMatch(new RegExp(`\`${code}\`|\`E_STORE_\\*\``));
    }
  });
});

describe('--account', () => {
  it('needs the name of a server', () => {
    expect(readArguments(['status', '--account', 'second']).kind).toBe('usage');
    expect(readArguments(['serve', '--account', 'second']).kind).toBe('usage');
    expect(readArguments(['status', 'work', '--account', 'second']).kind).toBe('run');
  });
});

describe('arguments of keybridge connect', () => {
  it.each([
    [['work', '--account', 'second'], { server: 'work', account: 'second', dataDir: undefined }],
    [['--account=second', 'work'], { server: 'work', account: 'second', dataDir: undefined }],
    [['work'], { server: 'work', account: undefined, dataDir: undefined }],
    [['work', '--account'], '--account needs the name of an account.'],
    [['work', '--account='], '--account needs the name of an account.'],
    [['work', '--data-dir'], '--data-dir needs a folder.'],
    [['--data-dir=/x', 'work', '--json'], { server: 'work', account: undefined, dataDir: '/x' }],
    [['work', '--account', 'first', '--account', '-b'], { server: 'work', account: '-b', dataDir: undefined }],
    [[], '"connect" needs the name of a server.'],
    [['work', 'play'], '"connect" takes no more than one server.'],
    [['work', '--nope=value'], '"connect" has no option --nope.'],
    [['work', '--json=1'], '"connect" has no option --json.'],
    [['work', '--toString'], '"connect" has no option --toString.'],
    [['work', '-x'], '"connect" has no option -x.'],
  ])('reads %j', (args, read) => expect(readBridgeArguments(args)).toEqual(read));
});
