import { existsSync } from 'node:fs';
import { readdir, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { exitCodes } from '../../electron/command-line/exit-codes.ts';
import { Status, type HostSnippet } from '../../shared/model.ts';
import { closeAfterEach } from '../fixtures/closing.ts';
import { startMachine } from '../fixtures/command-line-world.ts';
import { textsIn } from '../fixtures/texts-in.ts';
import { until } from '../fixtures/wait.ts';

const closing = closeAfterEach();

describe('commands of the command line', () => {
  it.each([
    ['status'],
    ['add', 'https://a.example/'],
    ['login', 'a'],
    ['logout', 'a'],
    ['remove', 'a'],
    ['snippet', 'a'],
  ])('"%s" without a running Keybridge fails, starts nothing and writes no file', async (...args) => {
    const bare = await startMachine(closing);
    const plain = await bare.run(args);
    expect(plain).toMatchObject({
      code: exitCodes.noBroker,
      stdout: '',
      stderr: expect.stringContaining('keybridge serve'),
    });
    expect((await bare.run([...args, '--json'])).json()).toMatchObject({ error: { code: 'E_BROKER_DOWN' } });
    expect(await readdir(bare.home)).toEqual([]);
  });

  it('end with the exit codes that scripts rely on', async () => {
    const bare = await startMachine(closing);
    await bare.serve();
    expect((await bare.run(['add', 'https://a.example/mcp', '--name', 'a'])).code).toBe(0);
    expect((await bare.run(['add', 'https://b.example/mcp', '--name', 'a'])).code).toBe(exitCodes.failed);
    expect((await bare.run(['add', 'http://a.example/mcp'])).code).toBe(exitCodes.usage);
    expect((await bare.run(['add', 'https://ada:hunter22@a.example/mcp'])).code).toBe(exitCodes.usage);
    expect((await bare.run(['login', 'nobody'])).code).toBe(exitCodes.unknownServer);
    expect((await bare.run(['status', 'nobody'])).code).toBe(exitCodes.unknownServer);
    expect((await bare.run(['remove', 'nobody'])).code).toBe(exitCodes.unknownServer);
    expect((await bare.run(['frobnicate'])).code).toBe(exitCodes.usage);
    expect((await bare.run(['login', '--json'])).json()).toMatchObject({ error: { code: 'E_BAD_INPUT' } });
    await bare.run(['add', 'http://127.0.0.1:9/mcp', '--name', 'down']);
    expect((await bare.run(['login', 'down'])).code).toBe(exitCodes.unreachable);
    expect(bare.traces.filter((trace) => !trace.startsWith('[')).join('')).not.toContain('hunter22');
  });

  it('take a client secret from a file, stdin or the environment but no argument, and write it nowhere', async () => {
    const bare = await startMachine(closing);
    await bare.serve();
    const file = path.join(bare.home, 'secret');
    await writeFile(file, 'marked-secret-1\n');
    expect(
      (await bare.run(['add', 'https://a.example/', '--name', 'a', '--client-id', 'me', '--client-secret-file', file]))
        .code,
    ).toBe(0);
    expect(
      (
        await bare.run(['add', 'https://b.example/', '--name', 'b', '--client-id', 'me'], {
          KEYBRIDGE_CLIENT_SECRET: 'marked-secret-2',
        })
      ).code,
    ).toBe(0);
    const piped = bare.start(['configure', 'b', '--client-secret-file', '-']);
    piped.child.stdin?.end('marked-secret-3\n');
    expect((await piped.ended).code).toBe(0);
    const argument = await bare.run(['add', 'https://c.example/', '--client-secret', 'x']);
    expect(argument).toMatchObject({ code: exitCodes.usage, stderr: expect.stringContaining('--client-secret-file') });

    const files = await textsIn(bare.dataDir);
    expect([...files, ...bare.traces].join('\n')).not.toContain('marked-secret');
    const servers = JSON.parse(await readFile(path.join(bare.dataDir, 'servers.json'), 'utf8')) as {
      servers: { hasClientSecret: boolean }[];
    };
    expect(servers.servers.map(({ hasClientSecret }) => hasClientSecret)).toEqual([true, true]);
  });

  it('snippet prints the command and data folder that an app needs', async () => {
    const bare = await startMachine(closing);
    const other = path.join(bare.home, 'other');
    await bare.serve(['--data-dir', other]);
    const run = (...args: string[]) => bare.run([...args, '--data-dir', other]);
    await run('add', 'https://a.example/mcp', '--name', 'a');
    const [cursor] = (await run('snippet', 'a', 'cursor', '--json')).json() as HostSnippet[];
    const { mcpServers } = JSON.parse(cursor?.text ?? '') as {
      mcpServers: Record<string, { command: string; args: string[]; env: object }>;
    };
    expect(mcpServers['a']).toMatchObject({ command: process.execPath, env: { KEYBRIDGE_DATA_DIR: other } });
    expect(existsSync(mcpServers['a']?.args[0] ?? '')).toBe(true);
    expect((await run('snippet', 'a', 'cursor')).stdout.trim()).toBe(cursor?.text);
    expect((await run('snippet', 'a', 'no-such-app')).code).toBe(exitCodes.usage);
  });

  it('status --watch prints each change until it is interrupted', async () => {
    const bare = await startMachine(closing);
    await bare.serve();
    const watch = bare.start(['status', '--watch', '--json']);
    const names = () =>
      watch.stdout
        .split('\n')
        .filter(Boolean)
        .map((line) =>
          Status.parse(JSON.parse(line))
            .servers.map(({ name }) => name)
            .join(),
        );
    await until(() => names().length > 0, 'the first state');
    await bare.run(['add', 'https://a.example/mcp', '--name', 'a']);
    await until(() => names().at(-1) === 'a', 'the new server');
    watch.child.kill('SIGINT');
    expect((await watch.ended).code).toBe(0);
  });
});
