import { describe, expect, it } from 'vitest';
import { readBridgeArguments } from '../../electron/bridge.ts';
import { readArguments } from '../../electron/command-line/arguments.ts';
import { exitCodes } from '../../electron/command-line/exit-codes.ts';
import { Status } from '../../shared/model.ts';
import { startAuthorizationServer } from '../fixtures/authorization-server.ts';
import { httpBrowser } from '../fixtures/browser.ts';
import { bareMachine, type BareMachine, type Ran } from '../fixtures/command-line.ts';
import { textOf } from '../fixtures/host.ts';
import { startMcpServer } from '../fixtures/mcp-server.ts';
import { until } from '../fixtures/wait.ts';
import { closeAfterEach } from '../fixtures/closing.ts';

const closing = closeAfterEach();

const people = { ada: 'lovelace', grace: 'hopper' };

/** `keybridge serve` with a server `work` that nobody has signed in to. */
async function machine(): Promise<BareMachine> {
  const as = await startAuthorizationServer({ users: people });
  closing.push(() => as.close());
  const mcp = await startMcpServer({ authorizationServer: as });
  closing.push(() => mcp.close());
  const bare = await bareMachine();
  closing.push(() => bare.close());
  await bare.serve();
  await bare.run(['add', mcp.url, '--name', 'work']);
  return bare;
}

/** Signs in at another computer, and pastes the address of the last page. */
async function login(bare: BareMachine, person: keyof typeof people, ...more: string[]): Promise<Ran> {
  const running = bare.start(['login', 'work', ...more]);
  const [, address = ''] = await until(() => /^ {2}(http\S+)$/m.exec(running.stderr), 'the address to open');
  const far = await httpBrowser({ neverFinish: true, login: { user: person, password: people[person] } }).open(address);
  running.send(far.lastUrl);
  return running.ended;
}

const names = async (bare: BareMachine) =>
  Status.parse((await bare.run(['status', '--json'])).json()).servers.map(({ account }) => account?.name);

describe('accounts on the command line', () => {
  it('adds one by signing in, connects as it, makes it the default, signs it out and removes it', async () => {
    const bare = await machine();
    expect((await login(bare, 'ada')).code).toBe(0);
    expect(await login(bare, 'grace', '--account', 'second')).toMatchObject({
      code: 0,
      stdout: expect.stringMatching(/^Signed in to work \(second\)/),
    });
    expect((await bare.run(['status', 'work'])).stdout).toMatch(/^work \(\S+\*\) .*\nwork \(second\) /m);

    const host = bare.connect('work', '--account', 'second');
    await host.initialize();
    expect(textOf(await host.call('whoami'))).toBe('grace');
    expect((await bare.run(['snippet', 'work', 'cursor', '--account', 'second'])).stdout).toContain('"--account"');

    expect(
      (await bare.run(['configure', 'work', '--account', 'second', '--account-name', 'team', '--default-account']))
        .code,
    ).toBe(0);
    const byDefault = bare.connect('work');
    await byDefault.initialize();
    expect(textOf(await byDefault.call('whoami'))).toBe('grace');

    expect((await bare.run(['logout', 'work', '--account', 'team'])).stdout).toMatch(/^Signed out of work \(team\)\./);
    expect((await bare.run(['status', 'work', '--account', 'team'])).code).toBe(exitCodes.signInNeeded);
    expect((await bare.run(['status', 'work', '--account', 'main'])).code).toBe(0);
    expect((await bare.run(['remove', 'work', '--account', 'team'])).stdout).toContain('Removed work (team).');
    expect(await names(bare)).toEqual([undefined]);
  });

  it('a new account to which nobody signs in is not kept', async () => {
    const bare = await machine();
    const running = bare.start(['login', 'work', '--account', 'second']);
    await until(() => running.stderr.includes('http'), 'the address to open');
    expect(await names(bare)).toEqual(['main', 'second']);
    running.child.kill('SIGINT');
    expect((await running.ended).code).toBe(exitCodes.cancelled);
    expect(await names(bare)).toEqual([undefined]);
  });

  it('an account that is not there is said to be so', async () => {
    const bare = await machine();
    for (const command of ['status', 'logout', 'snippet', 'remove', 'configure']) {
      const ran = await bare.run([command, 'work', '--account', 'nobody']);
      expect([command, ran.code]).toEqual([command, exitCodes.unknownServer]);
      expect(ran.stderr).toContain('E_ACCOUNT_UNKNOWN');
    }
    expect((await bare.run(['login', 'play', '--account', 'nobody'])).stderr).toContain('E_SERVER_UNKNOWN');
    expect((await bare.run(['login', 'work', '--account', 'No Body'])).code).toBe(exitCodes.usage);
  });
});

describe('arguments', () => {
  it('an account belongs to a server', () => {
    expect(readArguments(['status', '--account', 'second']).kind).toBe('usage');
    expect(readArguments(['serve', '--account', 'second']).kind).toBe('usage');
    expect(readArguments(['status', 'work', '--account', 'second']).kind).toBe('run');
  });

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
  ])('reads the arguments of connect: %j', (args, read) => expect(readBridgeArguments(args)).toEqual(read));
});
