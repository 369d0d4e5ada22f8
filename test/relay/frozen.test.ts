import { setTimeout as pass } from 'node:timers/promises';
import { expect, it } from 'vitest';
import { startAuthorizationServer } from '../fixtures/authorization-server.ts';
import { bareMachine, browserProgram } from '../fixtures/command-line.ts';
import { textOf } from '../fixtures/host.ts';
import { startMcpServer } from '../fixtures/mcp-server.ts';
import { closeAfterEach } from '../fixtures/closing.ts';

const closing = closeAfterEach();

const lifeSeconds = 4;

it.skipIf(process.platform === 'win32')(
  'LC01 refreshes once, without a failed call or a sign-in, each time the broker was frozen past its token’s expiry',
  async () => {
    const as = await startAuthorizationServer({ accessTokenSeconds: lifeSeconds });
    closing.push(() => as.close());
    const mcp = await startMcpServer({ authorizationServer: as });
    closing.push(() => mcp.close());
    const machine = await bareMachine();
    closing.push(() => machine.close());
    const broker = await machine.serve([], { BROWSER: browserProgram });
    await machine.run(['add', mcp.url, '--name', 'work']);
    expect((await machine.run(['login', 'work'], { BROWSER: browserProgram })).code).toBe(0);
    const host = machine.connect('work');
    await host.initialize();
    expect(textOf(await host.call('echo', { text: 'awake' }))).toContain('awake');

    for (let round = 0; round < 2; round += 1) {
      broker.child.kill('SIGSTOP');
      const before = as.counts.refreshes;
      await pass((lifeSeconds + 1) * 1_000);
      const answer = host.call('echo', { text: `round ${round}` });
      broker.child.kill('SIGCONT');
      expect(textOf(await answer)).toContain(`round ${round}`);
      expect(as.counts.refreshes - before).toBeLessThanOrEqual(1);
    }
    expect(as.counts).toMatchObject({ authorizations: 1, codeExchanges: 1, refreshReuses: 0 });
    expect(as.counts.refreshesGranted).toBe(as.counts.refreshes);
  },
  60_000,
);
