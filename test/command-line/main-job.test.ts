import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { exitCodes } from '../../electron/command-line/exit-codes.ts';
import { ServerStatus, SignOutReport, Status } from '../../shared/model.ts';
import { closeAfterEach } from '../fixtures/closing.ts';
import { hiddenSecrets, startMachineWithServers } from '../fixtures/command-line-world.ts';
import { browserProgram } from '../fixtures/command-line.ts';
import { textOf } from '../fixtures/host.ts';
import { textsIn } from '../fixtures/texts-in.ts';
import { until } from '../fixtures/wait.ts';

const closing = closeAfterEach();

describe('the command line on a machine with nothing on it', () => {
  it('serves, adds, signs in with $BROWSER, connects, signs out and removes, and shows no secret', async () => {
    const { as, mcp, bare } = await startMachineWithServers(closing);
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
    expect(hiddenSecrets(as).length).toBeGreaterThan(3);
    expect(hiddenSecrets(as).filter((secret) => seen.includes(secret))).toEqual([]);
  });

  it('starts a sign-in for a call that needs one only with --sign-in auto', async () => {
    const { as, mcp, bare } = await startMachineWithServers(closing);
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
