import { afterEach, describe, expect, it } from 'vitest';
import { redirectPath } from '../../electron/core/oauth/authorization/loopback-server.ts';
import { freePort } from '../fixtures/free-port.ts';
import { rows } from '../fixtures/behaviour/rows.ts';
import { createWorlds, type Side } from '../fixtures/behaviour/worlds.ts';
import { textOf } from '../fixtures/host.ts';
import { until } from '../fixtures/wait.ts';

const worlds = createWorlds();
afterEach(worlds.close);

const wantsMore = ({ stateKind }: Side) => until(async () => (await stateKind()) === 'needs_access', 'needs_access');

describe(rows.stepUp, () => {
  it('works with a client that was registered by hand', async () => {
    const port = await freePort();
    const redirect_uris = [`http://127.0.0.1${redirectPath(`http://127.0.0.1:${port}`)}`];
    const client = {
      client_id: 'by-hand',
      token_endpoint_auth_method: 'none',
      application_type: 'native',
      grant_types: ['authorization_code', 'refresh_token'],
      redirect_uris,
    } as const;
    const world = await worlds.peers({
      as: { port, clients: [{ ...client, grant_types: [...client.grant_types] }] },
      server: { clientId: 'by-hand' },
    });
    const { as, product, signIn, host } = world;
    await signIn();
    const app = await host();
    const call = app.call('admin', {}, 30_000);
    await wantsMore(world);
    expect(product.browser.openings).toBe(1);
    await signIn();
    expect(textOf(await call)).toBe('done as admin');
    expect(as.seen.authorize.map((request) => request.get('scope'))).toEqual([
      'mcp:tools offline_access',
      'mcp:tools offline_access mcp:admin',
    ]);
    expect(as.seen.register).toEqual([]);
    expect(as.counts.refreshes).toBe(0);
  });

  it('registers again after invalid_scope if the client was registered for the first scopes only', async () => {
    const world = await worlds.faulty({ scenario: 'mcp-403-registered-scopes' });
    const { remote, product, signIn, host } = world;
    await signIn();
    expect(remote.seen.register).toEqual([expect.objectContaining({ scope: 'mcp:tools offline_access' })]);
    const app = await host();
    const call = app.call('echo', { text: 'with more access' }, 30_000);
    await wantsMore(world);
    expect(product.browser.openings).toBe(1);
    await signIn();
    expect(textOf(await call)).toBe('with more access');
    expect(remote.seen.register).toEqual([
      expect.anything(),
      expect.objectContaining({ scope: 'mcp:tools offline_access mcp:more' }),
    ]);
    // The second page ended with invalid_scope before it showed a form.
    expect(product.browser.openings).toBe(3);
    expect(product.browser.last).toMatchObject({ status: 200 });
    expect(remote.counts).toMatchObject({ refreshes: 0, toolRuns: 1 });
  });
});
