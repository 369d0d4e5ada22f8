import { describe, expect, it } from 'vitest';
import { exitCodes } from '../../electron/command-line/exit-codes.ts';
import { Status, StoreStatus } from '../../shared/model.ts';
import type { AuthorizationServer } from '../fixtures/authorization-server.ts';
import { closeAfterEach } from '../fixtures/closing.ts';
import { startMachine, startMachineWithServers } from '../fixtures/command-line-world.ts';
import { browserProgram, type BareMachine } from '../fixtures/command-line.ts';
import { until } from '../fixtures/wait.ts';

const closing = closeAfterEach();

/** `keybridge serve` with a sign-in to a server `work`. */
async function signedIn(): Promise<{ readonly as: AuthorizationServer; readonly bare: BareMachine }> {
  const { as, mcp, bare } = await startMachineWithServers(closing);
  await bare.serve();
  await bare.run(['add', mcp.url, '--name', 'work', '--set', 'scopes=["mcp:tools"]']);
  expect((await bare.run(['login', 'work'], { BROWSER: browserProgram })).code).toBe(0);
  return { as, bare };
}

const state = async (bare: BareMachine) =>
  Status.parse((await bare.run(['status', '--json'])).json()).servers[0]?.state.kind;

describe('commands about a sign-in', () => {
  it('refresh renews the token now, and fails without a sign-in', async () => {
    const { as, bare } = await signedIn();
    const before = as.counts.refreshesGranted;
    expect(await bare.run(['refresh', 'work'])).toMatchObject({
      code: 0,
      stdout: expect.stringMatching(/^work: Signed in/),
    });
    expect(as.counts.refreshesGranted).toBe(before + 1);
    await bare.run(['logout', 'work']);
    expect((await bare.run(['refresh', 'work'])).code).not.toBe(0);
    expect((await bare.run(['refresh', 'other'])).code).toBe(exitCodes.unknownServer);
  });

  it('dismiss refuses a call that waits for more access', async () => {
    const { bare } = await signedIn();
    const host = bare.connect('work');
    await host.initialize();
    const call = host.call('admin', {}, 30_000);
    await until(async () => (await state(bare)) === 'needs_access', 'the call waits');
    expect(await bare.run(['dismiss', 'work'])).toMatchObject({ code: 0, stdout: expect.stringContaining('refused') });
    expect(JSON.stringify(await call)).toContain('E_SCOPE_NEEDED');
    expect(await state(bare)).toBe('signed_in');
  });

  it('unlock prints the secret store and fails if it is not available', async () => {
    const { bare } = await signedIn();
    const memory = await bare.run(['unlock', '--json']);
    expect(memory.code).toBe(0);
    expect(StoreStatus.parse(memory.json())).toMatchObject({ name: 'memory', state: 'ready' });

    const other = await startMachine(closing);
    await other.serve(['--store', 'keychain']);
    expect(await other.run(['unlock'])).toMatchObject({
      code: exitCodes.store,
      stdout: expect.stringContaining('not available'),
    });
  });
});
