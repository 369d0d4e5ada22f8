import { describe, expect, it } from 'vitest';
import { exitCodes } from '../../electron/command-line/exit-codes.ts';
import { Status } from '../../shared/model.ts';
import { httpBrowser } from '../fixtures/browser.ts';
import { closeAfterEach } from '../fixtures/closing.ts';
import { hiddenSecrets, printedAddress, startMachineWithServers } from '../fixtures/command-line-world.ts';
import { browserProgram } from '../fixtures/command-line.ts';
import { until } from '../fixtures/wait.ts';

const closing = closeAfterEach();

describe('keybridge login', () => {
  it('without a browser takes the pasted address of the last page, after refusing a wrong one', async () => {
    const { as, mcp, bare } = await startMachineWithServers(closing);
    await bare.serve();
    await bare.run(['add', mcp.url, '--name', 'work']);
    const login = bare.start(['login', 'work']);
    const remote = await httpBrowser({ neverFinish: true }).open(await printedAddress(login));
    login.send('https://elsewhere.example/?code=1');
    await until(() => login.stderr.includes('E_REDIRECT_URL'), 'the refusal of a wrong address');
    login.send(remote.lastUrl);

    expect(await login.ended).toMatchObject({ code: 0, stdout: expect.stringMatching(/^Signed in to work/) });
    expect(as.counts.codeExchangesGranted).toBe(1);
    const code = new URL(remote.lastUrl).searchParams.get('code');
    expect(code).toBeTruthy();
    expect(bare.traces.join('\n')).not.toContain(code);
  });

  it('opens the browser from the terminal if the running Keybridge has none', async () => {
    const { mcp, bare } = await startMachineWithServers(closing);
    await bare.serve();
    const added = await bare.run(['add', mcp.url, '--name', 'work', '--login'], { BROWSER: browserProgram });
    expect(added).toMatchObject({ code: 0, stdout: expect.stringMatching(/^Signed in to work/) });
  });

  it('shows in the status who is signed in and whether the identity was verified', async () => {
    const { as, mcp, bare } = await startMachineWithServers(closing);
    await bare.serve();
    await bare.run(['add', mcp.url, '--name', 'work', '--login'], { BROWSER: browserProgram });
    expect((await bare.run(['status', 'work'])).stdout).toMatch(
      /\n\nKeybridge does not know who is signed in\.\nAccess token as seen by .*: active, scope mcp:tools/,
    );
    await bare.run(['configure', 'work', '--set', 'identity=true']);
    expect((await bare.run(['login', 'work'], { BROWSER: browserProgram })).stdout).toMatch(
      /^Signed in to work as ada\./,
    );
    const { stdout } = await bare.run(['status', 'work']);
    expect(stdout).toContain(`\n\nSigned in as ada, verified by ${as.issuer}.\n`);
    expect(stdout).not.toContain('Note:');
    for (const secret of hiddenSecrets(as)) for (const trace of bare.traces) expect(trace).not.toContain(secret);
  });

  it('cancels the sign-in on Ctrl-C, in the running Keybridge too', async () => {
    const { as, mcp, bare } = await startMachineWithServers(closing);
    await bare.serve();
    await bare.run(['add', mcp.url, '--name', 'work']);
    const login = bare.start(['login', 'work', '--no-browser', '--json']);
    await printedAddress(login);
    login.child.kill('SIGINT');
    const ended = await login.ended;
    expect(ended.code).toBe(exitCodes.cancelled);
    expect(ended.json()).toMatchObject({ error: { code: 'E_CANCELLED' } });
    const [server] = Status.parse((await bare.run(['status', '--json'])).json()).servers;
    expect(server?.state.kind).not.toBe('signing_in');
    expect(as.counts.codeExchanges).toBe(0);
  });
});
