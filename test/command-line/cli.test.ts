import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { readdir, readFile, stat, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { promisify } from 'node:util';
import { describe, expect, it } from 'vitest';
import { readArguments } from '../../electron/command-line/arguments.ts';
import { commandHelp, overview } from '../../electron/command-line/help.ts';
import { exitCodeOf, exitCodes } from '../../electron/command-line/exit-codes.ts';
import { ServerStatus, SignOutReport, Status, type HostSnippet } from '../../shared/model.ts';
import { errorCodes } from '../../shared/errors.ts';
import { startPrivateKeyring } from '../../scripts/private-keyring.mjs';
import { startAuthorizationServer, type AuthorizationServer } from '../fixtures/authorization-server.ts';
import { httpBrowser } from '../fixtures/browser.ts';
import { bareMachine, browserProgram, type BareMachine } from '../fixtures/command-line.ts';
import { startFaulty } from '../fixtures/faulty-server.ts';
import { textOf } from '../fixtures/host.ts';
import { startMcpServer, type RunningMcpServer } from '../fixtures/mcp-server.ts';
import { textsIn } from '../fixtures/texts-in.ts';
import { until } from '../fixtures/wait.ts';
import { closeAfterEach } from '../fixtures/closing.ts';

const closing = closeAfterEach();

async function machine(): Promise<BareMachine> {
  const one = await bareMachine();
  closing.push(() => one.close());
  return one;
}

async function world(): Promise<{ as: AuthorizationServer; mcp: RunningMcpServer; bare: BareMachine }> {
  const as = await startAuthorizationServer();
  closing.push(() => as.close());
  const mcp = await startMcpServer({ authorizationServer: as });
  closing.push(() => mcp.close());
  return { as, mcp, bare: await machine() };
}

/** What was handed out and must not be seen; state and nonce stand in the address that a person is asked to open. */
function secretsOf(as: AuthorizationServer): string[] {
  const shown = as.seen.authorize.flatMap((params) => [params.get('state'), params.get('nonce')]);
  return as.secrets().filter((secret) => !shown.includes(secret));
}

const address = async (running: { readonly stderr: string }) =>
  (await until(() => /^ {2}(http\S+)$/m.exec(running.stderr), 'the address to open'))[1] ?? '';

describe('on a machine with nothing on it', () => {
  it('does the whole main job: serve, add, login by $BROWSER, status, connect, logout, remove; no secret is seen', async () => {
    const { as, mcp, bare } = await world();
    const broker = await bare.serve(['--json'], { BROWSER: browserProgram });
    expect(JSON.parse(broker.stdout)).toEqual({
      ready: true,
      dataDir: bare.dataDir,
      socket: path.join(bare.dataDir, 'broker.sock'),
      store: 'memory',
      pid: broker.child.pid,
    });

    const added = await bare.run(['add', mcp.url, '--name', 'work', '--json']);
    expect(added).toMatchObject({ code: 0, stderr: '' });
    expect(ServerStatus.parse(added.json())).toMatchObject({ name: 'work', url: mcp.url });

    const login = await bare.run(['login', 'work'], { BROWSER: browserProgram });
    expect(login).toMatchObject({ code: 0, stdout: expect.stringMatching(/^Signed in to work/) });

    const status = Status.parse((await bare.run(['status', '--json'])).json());
    expect(status).toMatchObject({ front: 'headless', store: { name: 'memory', state: 'ready' } });
    expect(status.servers).toMatchObject([{ name: 'work', state: { kind: 'signed_in', renewable: true } }]);
    expect((await bare.run(['status'])).stdout).toMatch(/^NAME +STATE .*\nwork +Signed in, refreshes on next use /);
    expect((await bare.run(['status', 'work'])).code).toBe(0);

    const unauthorized = mcp.counts.unauthorized;
    const host = bare.connect('work');
    await host.initialize();
    expect(textOf(await host.call('echo', { text: 'over the bridge' }))).toContain('over the bridge');
    expect(mcp.counts.unauthorized).toBe(unauthorized);

    const logout = await bare.run(['logout', 'work', '--json']);
    expect(SignOutReport.parse(logout.json())).toMatchObject({
      revoked: 'confirmed',
      deleted: true,
      registration: 'deleted',
    });
    const everywhere = await bare.run(['logout', '--all', '--json']);
    expect(everywhere.json()).toEqual([{ server: 'work', report: { revoked: 'nothing_to_revoke', deleted: true } }]);
    expect(everywhere.code).toBe(0);
    expect(as.counts.revocations).toBeGreaterThan(0);
    expect((await bare.run(['status', 'work'])).code).toBe(exitCodes.signInNeeded);

    const remove = await bare.run(['remove', 'work']);
    expect(remove).toMatchObject({ code: 0, stdout: expect.stringContaining('Removed work.') });
    expect(Status.parse((await bare.run(['status', '--json'])).json()).servers).toEqual([]);

    broker.child.kill('SIGTERM');
    await broker.ended;
    const files = await textsIn(bare.dataDir);
    const seen = [...bare.traces, ...files, host.lines.join('\n'), host.stderr].join('\n');
    expect(secretsOf(as).length).toBeGreaterThan(3);
    expect(secretsOf(as).filter((secret) => seen.includes(secret))).toEqual([]);
  });

  it('login without a browser prints the address and takes the address of its last page; a wrong one is refused and may be mended', async () => {
    const { as, mcp, bare } = await world();
    await bare.serve();
    await bare.run(['add', mcp.url, '--name', 'work']);
    const login = bare.start(['login', 'work']);
    const far = await httpBrowser({ neverFinish: true }).open(await address(login));
    login.send('https://elsewhere.example/?code=1');
    await until(() => login.stderr.includes('E_REDIRECT_URL'), 'the refusal of a wrong address');
    login.send(far.lastUrl);

    expect(await login.ended).toMatchObject({ code: 0, stdout: expect.stringMatching(/^Signed in to work/) });
    expect(as.counts.codeExchangesGranted).toBe(1);
    const code = new URL(far.lastUrl).searchParams.get('code');
    expect(code).toBeTruthy();
    expect(bare.traces.join('\n')).not.toContain(code);
  });

  it('a running Keybridge without a browser leaves the opening to the terminal that has one', async () => {
    const { mcp, bare } = await world();
    await bare.serve();
    const added = await bare.run(['add', mcp.url, '--name', 'work', '--login'], { BROWSER: browserProgram });
    expect(added).toMatchObject({ code: 0, stdout: expect.stringMatching(/^Signed in to work/) });
  });

  it('says who is signed in, whether that was verified, and what is odd about the sign-in', async () => {
    const { as, mcp, bare } = await world();
    await bare.serve();
    await bare.run(['add', mcp.url, '--name', 'work', '--login'], { BROWSER: browserProgram });
    expect((await bare.run(['status', 'work'])).stdout).toMatch(
      /\n\nWho is signed in is not known\.\nThe authorization server says of the access token: active, scope mcp:tools/,
    );
    await bare.run(['configure', 'work', '--set', 'identity=true']);
    expect((await bare.run(['login', 'work'], { BROWSER: browserProgram })).stdout).toMatch(
      /^Signed in to work as ada\./,
    );
    const { stdout } = await bare.run(['status', 'work']);
    expect(stdout).toContain(`\n\nSigned in as ada. ${as.issuer} vouches for it.\n`);
    expect(stdout).not.toContain('Note:');
    for (const secret of secretsOf(as)) for (const trace of bare.traces) expect(trace).not.toContain(secret);
  });

  it('Ctrl-C cancels a login, there and here', async () => {
    const { as, mcp, bare } = await world();
    await bare.serve();
    await bare.run(['add', mcp.url, '--name', 'work']);
    const login = bare.start(['login', 'work', '--no-browser', '--json']);
    await address(login);
    login.child.kill('SIGINT');
    const ended = await login.ended;
    expect(ended.code).toBe(exitCodes.cancelled);
    expect(ended.json()).toMatchObject({ error: { code: 'E_CANCELLED' } });
    const [server] = Status.parse((await bare.run(['status', '--json'])).json()).servers;
    expect(server?.state.kind).not.toBe('signing_in');
    expect(as.counts.codeExchanges).toBe(0);
  });

  it('--sign-in auto: a call that needs a sign-in brings it about by itself; without it, none does', async () => {
    const { as, mcp, bare } = await world();
    const manual = await bare.serve([], { BROWSER: browserProgram });
    await bare.run(['add', mcp.url, '--name', 'work']);
    const refused = bare.connect('work');
    await refused.initialize();
    expect((await refused.call('echo', { text: 'x' })).error).toBeDefined();
    await refused.close();
    expect(as.counts.authorizationRequests).toBe(0);
    manual.child.stdin?.end();
    expect((await manual.ended).code).toBe(0);

    await bare.serve(['--sign-in', 'auto'], { BROWSER: browserProgram });
    const host = bare.connect('work');
    await host.initialize();
    await until(
      async () => textOf(await host.call('echo', { text: 'by itself' })).includes('by itself'),
      'a call that went through',
    );
    expect(as.counts.codeExchangesGranted).toBe(1);
    expect(await readFile(path.join(bare.dataDir, 'keybridge.log'), 'utf8')).toContain('"auto_sign_in":true');
  });
});

describe('serve', () => {
  it('says in one line that it is ready, and writes files for this user alone', async () => {
    const bare = await machine();
    const broker = await bare.serve();
    expect(broker.stdout).toBe(
      `Keybridge is ready (store: memory, socket: ${path.join(bare.dataDir, 'broker.sock')})\n`,
    );
    expect((await stat(bare.dataDir)).mode & 0o777).toBe(0o700);
    for (const name of ['servers.json', 'keybridge.log', 'broker.key']) {
      expect((await stat(path.join(bare.dataDir, name))).mode & 0o777, name).toBe(0o600);
    }
  });

  it.each([
    ['its stdin closes', (broker: { child: { stdin: { end(): void } | null } }) => broker.child.stdin?.end()],
    ['SIGTERM', (broker: { child: { kill(signal: 'SIGTERM'): unknown } }) => broker.child.kill('SIGTERM')],
    ['Ctrl-C', (broker: { child: { kill(signal: 'SIGINT'): unknown } }) => broker.child.kill('SIGINT')],
  ])('ends well by %s, and another one can start at once', async (_name, end) => {
    const bare = await machine();
    const first = await bare.serve();
    await bare.run(['add', 'https://kept.example/mcp', '--name', 'kept']);
    end(first);
    expect((await first.ended).code).toBe(0);
    expect((await bare.run(['status'])).code).toBe(exitCodes.noBroker);
    await bare.serve();
    expect(Status.parse((await bare.run(['status', '--json'])).json()).servers.map(({ name }) => name)).toEqual([
      'kept',
    ]);
  });

  it('is one per data folder', async () => {
    const bare = await machine();
    const other = path.join(bare.home, 'other');
    await bare.serve();
    const second = await bare.run(['serve']);
    expect(second).toMatchObject({
      code: exitCodes.alreadyRunning,
      stdout: '',
      stderr: expect.stringContaining('E_BROKER_RUNNING'),
    });
    await bare.serve(['--data-dir', other]);
    expect((await bare.run(['status'], { KEYBRIDGE_DATA_DIR: other })).code).toBe(0);
    const bridge = bare.start(['connect', 'nobody', '--data-dir', other]);
    await until(() => bridge.stderr.includes('E_SERVER_UNKNOWN'), 'the answer of the other Keybridge');
    expect((await bare.run(['status', '--data-dir', other])).code).toBe(0);
  });

  it('lets no other one in before a token that is on its way has been stored', async () => {
    const faulty = await startFaulty();
    closing.push(() => faulty.close());
    const bare = await machine();
    const first = await bare.serve([], { BROWSER: browserProgram });
    await bare.run(['add', faulty.url, '--name', 'work', '--login'], { BROWSER: browserProgram });
    const host = bare.connect('work');
    await host.initialize();
    faulty.expireAccessTokens();
    await faulty.setScenario('refresh-hold');
    void host.call('echo', { text: 'x' }).catch(() => {});
    await until(() => faulty.holding === 1, 'a refresh whose answer is held back');

    first.child.kill('SIGTERM');
    await until(async () => (await bare.run(['status'])).code === exitCodes.noBroker, 'the closed socket');
    expect((await bare.run(['serve'])).code).toBe(exitCodes.alreadyRunning);
    expect(first.child.exitCode).toBeNull();
    faulty.release();
    expect((await first.ended).code).toBe(0);
    await bare.serve();
  });

  it('takes no store but the one that was named', async () => {
    const bare = await machine();
    expect(await bare.run(['serve', '--store', 'memroy'])).toMatchObject({
      code: exitCodes.usage,
      stderr: expect.stringContaining('memroy'),
    });
    expect((await bare.run(['serve'], { KEYBRIDGE_STORE: 'file' })).code).toBe(exitCodes.usage);
    expect(existsSync(bare.dataDir)).toBe(false);
  });

  it('KC07: a keychain that is not there is said to be so; nothing else takes its place', async () => {
    const { as, mcp, bare } = await world();
    const broker = await bare.serve(['--store', 'keychain'], { BROWSER: browserProgram });
    expect(broker.stdout).toContain('store: keychain');
    await until(() => broker.stderr.includes('E_STORE_UNAVAILABLE'), 'the warning');
    await bare.run(['add', mcp.url, '--name', 'work']);
    expect(Status.parse((await bare.run(['status', '--json'])).json()).store).toMatchObject({
      name: 'keychain',
      state: 'unavailable',
    });
    const login = await bare.run(['login', 'work', '--json'], { BROWSER: browserProgram });
    expect(login).toMatchObject({ code: exitCodes.store });
    expect(login.json()).toMatchObject({ error: { code: 'E_STORE_UNAVAILABLE' } });
    broker.child.stdin?.end();
    expect((await broker.ended).code).toBe(0);
    const files = await textsIn(bare.dataDir);
    expect(secretsOf(as).filter((secret) => files.join('\n').includes(secret))).toEqual([]);
  });

  it.runIf(process.platform === 'linux')(
    'with a real gnome-keyring (Linux only) a sign-in outlives the process, and a locked keyring is told apart from a lost one',
    async () => {
      const { as, mcp, bare } = await world();
      const keyring = await startPrivateKeyring();
      closing.push(() => keyring.stop());
      const env = { KEYBRIDGE_STORE: 'keychain', KEYBRIDGE_KEYCHAIN_DBUS: keyring.address, BROWSER: browserProgram };
      const first = await bare.serve([], env);
      await bare.run(['add', mcp.url, '--name', 'work']);
      expect(await bare.run(['login', 'work'], { BROWSER: browserProgram })).toMatchObject({ code: 0 });
      first.child.kill('SIGTERM');
      await first.ended;

      const second = await bare.serve([], env);
      expect((await bare.run(['status', 'work'])).code).toBe(0);
      const host = bare.connect('work');
      await host.initialize();
      expect(textOf(await host.call('echo', { text: 'after the restart' }))).toContain('after the restart');
      expect(as.counts).toMatchObject({ codeExchangesGranted: 1, refreshesGranted: 1 });
      second.child.kill('SIGTERM');
      await second.ended;

      await keyring.lock();
      await bare.serve([], env);
      await until(
        async () => Status.parse((await bare.run(['status', '--json'])).json()).store.state === 'locked',
        'the locked keyring in the status',
      );
      expect((await host.call('echo', { text: 'locked' })).error?.message).toContain('E_STORE_LOCKED');
      expect((await bare.run(['status', 'work'])).code).toBe(exitCodes.store);
    },
  );

  it('the keychain child does nothing for anybody but its parent', async () => {
    const bare = await machine();
    expect(await bare.run(['--keychain-child'])).toMatchObject({ code: 2, stdout: '' });
  });

  it('says what is wrong with the server list, and goes on', async () => {
    const bare = await machine();
    const first = await bare.serve();
    await bare.run(['add', 'https://kept.example/mcp', '--name', 'kept']);
    first.child.kill('SIGTERM');
    await first.ended;
    await writeFile(path.join(bare.dataDir, 'servers.json'), '{');
    const second = await bare.serve();
    await until(() => second.stderr.includes('E_CONFIG_DAMAGED'), 'the notice');
    expect((await bare.run(['status'])).stdout).toMatch(/kept[\s\S]*E_CONFIG_DAMAGED/);
  });
});

describe('commands', () => {
  it.each([
    ['status'],
    ['add', 'https://a.example/'],
    ['login', 'a'],
    ['logout', 'a'],
    ['remove', 'a'],
    ['snippet', 'a'],
  ])('without a running Keybridge "%s" says so, starts nothing and leaves nothing', async (...args) => {
    const bare = await machine();
    const plain = await bare.run(args);
    expect(plain).toMatchObject({
      code: exitCodes.noBroker,
      stdout: '',
      stderr: expect.stringContaining('keybridge serve'),
    });
    expect((await bare.run([...args, '--json'])).json()).toMatchObject({ error: { code: 'E_BROKER_DOWN' } });
    expect(await readdir(bare.home)).toEqual([]);
  });

  it('tell apart by their exit code what a script must tell apart', async () => {
    const bare = await machine();
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

  it('a client secret comes from a file, stdin or the environment, never from an argument, and is in no file', async () => {
    const bare = await machine();
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

  it('snippet prints what an app needs to find this data folder', async () => {
    const bare = await machine();
    const other = path.join(bare.home, 'other');
    await bare.serve(['--data-dir', other]);
    const ask = (...args: string[]) => bare.run([...args, '--data-dir', other]);
    await ask('add', 'https://a.example/mcp', '--name', 'a');
    const [cursor] = (await ask('snippet', 'a', 'cursor', '--json')).json() as HostSnippet[];
    const { mcpServers } = JSON.parse(cursor?.text ?? '') as {
      mcpServers: Record<string, { command: string; args: string[]; env: object }>;
    };
    expect(mcpServers['a']).toMatchObject({ command: process.execPath, env: { KEYBRIDGE_DATA_DIR: other } });
    expect(existsSync(mcpServers['a']?.args[0] ?? '')).toBe(true);
    expect((await ask('snippet', 'a', 'cursor')).stdout.trim()).toBe(cursor?.text);
    expect((await ask('snippet', 'a', 'no-such-app')).code).toBe(exitCodes.usage);
  });

  it('status --watch prints each change until it is interrupted', async () => {
    const bare = await machine();
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

describe('connect', () => {
  it('loads the bridge and nothing else', async () => {
    const bare = await machine();
    const preload = path.join(bare.home, 'preload.cjs');
    await writeFile(
      preload,
      "process.on('exit', () => process.stderr.write(Object.keys(require('node:module')._cache).map((file) => require('node:path').basename(file)).sort().join()));",
    );
    const program = path.join(import.meta.dirname, '../../dist/keybridge.cjs');
    const env = { PATH: process.env['PATH'], HOME: bare.home };
    const running = promisify(execFile)(process.execPath, ['--require', preload, program, 'connect', 'a'], { env });
    running.child.stdin?.end();
    const { stderr } = await running.catch((error: unknown) => error as { stderr: string });
    const loaded = stderr.split('\n').at(-1)?.split(',') ?? [];
    expect(loaded).toContain('keybridge.cjs');
    expect(loaded.filter((file) => !['keybridge.cjs', 'bridge.cjs', 'preload.cjs'].includes(file))).toEqual([]);
    // The command line's schemas and tables: nothing of it is in the file that an app starts.
    expect(/ZodError|Exit codes/.test(await readFile(program, 'utf8'))).toBe(false);
  });
});

describe('arguments', () => {
  it('options may stand anywhere', () => {
    const read = readArguments(['--data-dir', '/x', 'login', '--no-browser', 'work', '--json']);
    expect(read).toEqual({
      kind: 'run',
      command: 'login',
      operands: ['work'],
      options: { 'data-dir': '/x', 'no-browser': true, json: true },
    });
  });

  it.each<[string[], RegExp]>([
    [[], /Say what to do/],
    [['frobnicate'], /no command "frobnicate"/],
    [['add'], /needs the address/],
    [['login'], /needs the name/],
    [['login', 'a', 'b'], /no more than server/],
    [['logout'], /a server, or --all/],
    [['logout', 'a', '--all'], /a server, or --all/],
    [['status', '--store', 'memory'], /"status" has no option --store/],
    [['status', '--nonsense=1'], /--nonsense/],
    [['add', 'https://a', '--name'], /--name/],
    [['add', 'https://a', '--client-secret', 'marked'], /--client-secret-file/],
    [['add', 'https://a', '--client-secret=marked'], /--client-secret-file/],
  ])('%j is refused in words, without the value of an option', (argv, words) => {
    const read = readArguments(argv);
    expect(read).toMatchObject({ kind: 'usage', message: expect.stringMatching(words) });
    expect(JSON.stringify(read)).not.toContain('marked');
  });

  it('help is there for the whole and for each command', () => {
    expect(readArguments(['--help'])).toEqual({ kind: 'help', command: undefined });
    expect(readArguments(['login', '-h'])).toEqual({ kind: 'help', command: 'login' });
    expect(readArguments(['help', 'serve'])).toEqual({ kind: 'help', command: 'serve' });
    for (const [command, text] of Object.entries(commandHelp)) {
      expect(text).toContain(`Usage: keybridge ${command}`);
      expect(overview).toContain(`  ${command} `);
    }
  });

  it('every exit code is in the help and in the documentation', async () => {
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
