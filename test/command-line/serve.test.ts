import { existsSync } from 'node:fs';
import { stat, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { exitCodes } from '../../electron/command-line/exit-codes.ts';
import { startPrivateKeyring } from '../../scripts/private-keyring.mjs';
import { Status } from '../../shared/model.ts';
import { closeAfterEach } from '../fixtures/closing.ts';
import { hiddenSecrets, startMachine, startMachineWithServers } from '../fixtures/command-line-world.ts';
import { browserProgram } from '../fixtures/command-line.ts';
import { startFaulty } from '../fixtures/faulty-server.ts';
import { textOf } from '../fixtures/host.ts';
import { textsIn } from '../fixtures/texts-in.ts';
import { until } from '../fixtures/wait.ts';

const closing = closeAfterEach();

describe('keybridge serve', () => {
  it('prints one line when it is ready and writes files that only this user can read', async () => {
    const bare = await startMachine(closing);
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
    ['a closed stdin', (broker: { child: { stdin: { end(): void } | null } }) => broker.child.stdin?.end()],
    ['SIGTERM', (broker: { child: { kill(signal: 'SIGTERM'): unknown } }) => broker.child.kill('SIGTERM')],
    ['Ctrl-C', (broker: { child: { kill(signal: 'SIGINT'): unknown } }) => broker.child.kill('SIGINT')],
  ])('exits with 0 on %s, after which another one can start', async (_name, end) => {
    const bare = await startMachine(closing);
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

  it('refuses to start twice on one data folder', async () => {
    const bare = await startMachine(closing);
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
    await until(() => bridge.stderr.includes('E_SERVER_UNKNOWN'), 'the error of the other Keybridge');
    expect((await bare.run(['status', '--data-dir', other])).code).toBe(0);
  });

  it('keeps its lock until the token of a running refresh has been stored', async () => {
    const faulty = await startFaulty();
    closing.push(() => faulty.close());
    const bare = await startMachine(closing);
    const first = await bare.serve([], { BROWSER: browserProgram });
    await bare.run(['add', faulty.url, '--name', 'work', '--login'], { BROWSER: browserProgram });
    const host = bare.connect('work');
    await host.initialize();
    faulty.expireAccessTokens();
    await faulty.setScenario('refresh-hold');
    void host.call('echo', { text: 'x' }).catch(() => {});
    await until(() => faulty.holding === 1, 'a refresh whose response is held back');

    first.child.kill('SIGTERM');
    await until(async () => (await bare.run(['status'])).code === exitCodes.noBroker, 'the closed socket');
    expect((await bare.run(['serve'])).code).toBe(exitCodes.alreadyRunning);
    expect(first.child.exitCode).toBeNull();
    faulty.release();
    expect((await first.ended).code).toBe(0);
    await bare.serve();
  });

  it('refuses to start with an unknown store', async () => {
    const bare = await startMachine(closing);
    expect(await bare.run(['serve', '--store', 'memroy'])).toMatchObject({
      code: exitCodes.usage,
      stderr: expect.stringContaining('memroy'),
    });
    expect((await bare.run(['serve'], { KEYBRIDGE_STORE: 'file' })).code).toBe(exitCodes.usage);
    expect(existsSync(bare.dataDir)).toBe(false);
  });

  it('KC07: reports a missing keychain and uses no other store instead', async () => {
    const { as, mcp, bare } = await startMachineWithServers(closing);
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
    expect(hiddenSecrets(as).filter((secret) => files.join('\n').includes(secret))).toEqual([]);
  });

  it.runIf(process.platform === 'linux')(
    'keeps a sign-in in a real gnome-keyring over a restart and reports a locked keyring (Linux only)',
    async () => {
      const { as, mcp, bare } = await startMachineWithServers(closing);
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

  it('ends the keychain child with code 2 if no parent started it', async () => {
    const bare = await startMachine(closing);
    expect(await bare.run(['--keychain-child'])).toMatchObject({ code: 2, stdout: '' });
  });

  it('starts with a damaged server list, restores its backup and reports it', async () => {
    const bare = await startMachine(closing);
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
