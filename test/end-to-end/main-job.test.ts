import { describe, expect, it } from 'vitest';
import {
  startAuthorizationServer,
  type AuthorizationServer,
  type AuthorizationServerOptions,
} from '../fixtures/authorization-server.ts';
import type { Host } from '../fixtures/host.ts';
import { startMcpServer, type RunningMcpServer } from '../fixtures/mcp-server.ts';
import { startProduct, type Product } from '../fixtures/product.ts';
import { until } from '../fixtures/wait.ts';
import { closeAfterEach } from '../fixtures/closing.ts';

/** The main job with everything real but Electron: oidc-provider, the official SDK's server, built bridges. */
interface World {
  readonly as: AuthorizationServer;
  readonly mcp: RunningMcpServer;
  readonly product: Product;
}

const closing = closeAfterEach();

async function world(options: AuthorizationServerOptions = {}): Promise<World> {
  const as = await startAuthorizationServer(options);
  closing.push(() => as.close());
  const mcp = await startMcpServer({ authorizationServer: as });
  closing.push(() => mcp.close());
  const product = await startProduct();
  closing.push(() => product.close());
  await product.call('addServer', { url: mcp.url, name: 'work' });
  return { as, mcp, product };
}

async function signedIn(options: AuthorizationServerOptions = {}): Promise<World> {
  const one = await world(options);
  await one.product.call('signIn', { server: 'work' });
  return one;
}

const echo = (host: Host, text: string) => host.call('echo', { text });

/** Makes 10 parallel calls in each of 3 hosts. Returns how many got their own text back. */
async function thirtyCalls(hosts: readonly Host[], round: string): Promise<number> {
  const calls = hosts.flatMap((host, h) =>
    Array.from({ length: 10 }, (_, n) => ({ host, text: `${round}-${h}-${n}` })),
  );
  const answers = await Promise.all(
    calls.map(({ host, text }) => echo(host, text).then((answer) => JSON.stringify(answer).includes(text))),
  );
  return answers.filter(Boolean).length;
}

async function threeHosts({ product }: World): Promise<Host[]> {
  const hosts = [product.host('work'), product.host('work'), product.host('work')];
  await Promise.all(hosts.map((host) => host.initialize()));
  return hosts;
}

describe('the main flow, end to end', () => {
  it('adds, signs in, calls a tool through the bridge, and signs out with revocation', async () => {
    const { as, mcp, product } = await world();
    const found = await product.call('discover', { url: mcp.url });
    expect(found).toMatchObject({ needsSignIn: true, issuer: as.issuer, registration: 'dynamic', pkceMissing: false });

    const status = await product.call('signIn', { server: 'work' });
    expect(status).toMatchObject({ name: 'work', state: { kind: 'signed_in', renewable: true } });
    expect(as.counts).toMatchObject({ registrations: 1, codeExchangesGranted: 1 });

    const host = product.host('work');
    await host.initialize();
    const answer = await echo(host, 'hello through the bridge');
    expect(JSON.stringify(answer)).toContain('hello through the bridge');
    expect(mcp.counts.toolRuns).toBe(1);

    expect(await product.call('signOut', { server: 'work' })).toMatchObject({ revoked: 'confirmed', deleted: true });
    expect(as.counts.revocations).toBeGreaterThan(0);
    expect((await echo(host, 'too late')).error).toMatchObject({ data: { code: 'E_SIGN_IN_NEEDED' } });
  });

  it('a host that connected before the sign-in gets the tools without a restart', async () => {
    const { mcp, product } = await world();
    const host = product.host('work');
    await host.initialize();
    expect((await echo(host, 'early')).error).toMatchObject({ data: { code: 'E_SIGN_IN_NEEDED' } });
    expect(product.browser.openings).toBe(0);

    await product.call('signIn', { server: 'work' });
    await until(() => host.notifications.some(({ method }) => method === 'notifications/tools/list_changed'));
    expect(JSON.stringify(await host.request('tools/list', {}))).toContain('echo');
    expect(JSON.stringify(await echo(host, 'now it works'))).toContain('now it works');
    expect(mcp.counts.toolRuns).toBe(1);
  });

  it('30 calls of 3 hosts around the expiry cause one early refresh, no 401, no failure and no browser', async () => {
    // While bridges are connected, the refresh happens at about 80 % of the 10 s, so a slow machine has 2 s to spare.
    const one = await signedIn({ accessTokenSeconds: 10, accessTokens: 'jwt' });
    const hosts = await threeHosts(one);
    const refused = one.mcp.counts.unauthorized;
    one.as.setAccessTokenSeconds(600);
    const started = Date.now();
    let rounds = 0;
    // Keeps calling until after the expiry of the first token.
    while (Date.now() - started < 11_500) {
      expect(await thirtyCalls(hosts, `r${rounds}`)).toBe(30);
      rounds += 1;
    }
    expect(one.as.counts).toMatchObject({ refreshes: 1, refreshesGranted: 1, refreshReuses: 0 });
    expect(one.mcp.counts.unauthorized).toBe(refused);
    expect(one.product.browser.openings).toBe(1);
  });

  it.each(['opaque', 'jwt'] as const)(
    '30 calls of 3 hosts after a revocation (%s) lead to one refresh, no failed call and no browser',
    async (accessTokens) => {
      const one = await signedIn({ accessTokenSeconds: 600, accessTokens });
      const hosts = await threeHosts(one);
      expect(await thirtyCalls(hosts, 'before')).toBe(30);
      one.as.revokeAccessTokens();
      expect(await thirtyCalls(hosts, 'after')).toBe(30);
      expect(one.as.counts).toMatchObject({ refreshes: 1, refreshesGranted: 1, refreshReuses: 0 });
      expect(one.product.browser.openings).toBe(1);
    },
  );

  it('two parallel logins to one account share one browser page and one registration', async () => {
    const { as, product } = await world();
    const [a, b] = await Promise.all([
      product.call('signIn', { server: 'work' }),
      product.call('signIn', { server: 'work' }),
    ]);
    expect(a.state.kind).toBe('signed_in');
    expect(b.state.kind).toBe('signed_in');
    expect(as.counts).toMatchObject({ registrations: 1, codeExchanges: 1 });
    expect(product.browser.openings).toBe(1);
  });
});
