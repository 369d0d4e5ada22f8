import { describe, expect, it } from 'vitest';
import { exitCodes } from '../../electron/command-line/exit-codes.ts';
import { Status } from '../../shared/model.ts';
import { httpBrowser } from '../fixtures/browser.ts';
import { closeAfterEach } from '../fixtures/closing.ts';
import { printedAddress, startMachineWithServers } from '../fixtures/command-line-world.ts';
import type { BareMachine, Ran } from '../fixtures/command-line.ts';
import { textOf } from '../fixtures/host.ts';
import { until } from '../fixtures/wait.ts';

const closing = closeAfterEach();

const people = { ada: 'lovelace', grace: 'hopper' };

/** `keybridge serve` with a server `work` without a sign-in. */
async function machine(): Promise<BareMachine> {
  const { mcp, bare } = await startMachineWithServers(closing, { users: people });
  await bare.serve();
  await bare.run(['add', mcp.url, '--name', 'work']);
  return bare;
}

/** Signs in with a browser on another computer, then pastes the address of its last page. */
async function login(bare: BareMachine, person: keyof typeof people, ...more: string[]): Promise<Ran> {
  const running = bare.start(['login', 'work', ...more]);
  const remote = httpBrowser({ neverFinish: true, login: { user: person, password: people[person] } });
  const { lastUrl } = await remote.open(await printedAddress(running));
  running.send(lastUrl);
  return running.ended;
}

const names = async (bare: BareMachine) =>
  Status.parse((await bare.run(['status', '--json'])).json()).servers.map(({ account }) => account?.name);

describe('accounts on the command line', () => {
  it('are added by signing in, used by apps, made the default, signed out and removed', async () => {
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

  it('are not kept if the sign-in that adds them is cancelled', async () => {
    const bare = await machine();
    const running = bare.start(['login', 'work', '--account', 'second']);
    await until(() => running.stderr.includes('http'), 'the address to open');
    expect(await names(bare)).toEqual(['main', 'second']);
    running.child.kill('SIGINT');
    expect((await running.ended).code).toBe(exitCodes.cancelled);
    expect(await names(bare)).toEqual([undefined]);
  });

  it('are reported by every command if they do not exist', async () => {
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
