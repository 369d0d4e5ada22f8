import { afterEach, expect, it } from 'vitest';
import { startAuthorizationServer } from '../fixtures/authorization-server.ts';
import { textOf, type Host } from '../fixtures/host.ts';
import { startMcpServer } from '../fixtures/mcp-server.ts';
import { startProduct, type Product } from '../fixtures/product.ts';
import { until } from '../fixtures/wait.ts';

/** Number of bridge processes for one server. `npm run soak` starts 200. */
const bridges = Number(process.env['KEYBRIDGE_BRIDGES'] ?? 60);
/** Time limit for one call from each bridge, on a busy machine. */
const roundMs = 60_000;

const closing: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0).toReversed()) await close();
}, 120_000);

async function world() {
  const as = await startAuthorizationServer({ accessTokenSeconds: 600 });
  closing.push(() => as.close());
  const mcp = await startMcpServer({ authorizationServer: as });
  closing.push(() => mcp.close());
  const product = await startProduct({ autoSignIn: true });
  closing.push(() => product.close());
  await product.call('addServer', { url: mcp.url, name: 'work' });
  return { as, mcp, product };
}

/** Starts the processes and waits until all are connected to the broker, before any of them sends a message. */
async function connected(product: Product): Promise<Host[]> {
  const hosts = Array.from({ length: bridges }, () => product.host('work'));
  closing.push(() => Promise.all(hosts.map((host) => host.close(roundMs))));
  const count = () => product.app.status.current().servers[0]?.hosts.length;
  await until(() => count() === bridges, 'every bridge is connected', roundMs);
  return hosts;
}

/** Sends the first messages of a host, directly followed by a call. Returns the response to the call. */
async function begin(host: Host, text: string): Promise<string> {
  const clientInfo = { name: 'fixture-host', version: '1.0.0' };
  const hello = await host.request(
    'initialize',
    { protocolVersion: '2025-11-25', capabilities: {}, clientInfo },
    roundMs,
  );
  if (hello.error) return textOf(hello);
  host.notify('notifications/initialized');
  return echo(host, text);
}

const echo = async (host: Host, text: string): Promise<string> => textOf(await host.call('echo', { text }, roundMs));

/** Makes one call from each host at once. Returns the errors. */
async function failedCalls(hosts: readonly Host[], round: string, call = echo): Promise<string[]> {
  const answers = await Promise.all(
    hosts.map(async (host, n) => ({ answer: await call(host, `${round}-${n}.`), wanted: `${round}-${n}.` })),
  );
  return answers.filter(({ answer, wanted }) => !answer.includes(wanted)).map(({ answer }) => answer);
}

it(`RG09 RF05 ${bridges} bridges share each registration, sign-in and refresh, and no call fails`, async () => {
  const { as, mcp, product } = await world();
  const hosts = await connected(product);

  expect(await failedCalls(hosts, 'cold', begin)).toEqual([]);
  expect(product.browser.openings).toBe(1);
  expect(as.counts).toMatchObject({
    registrations: 1,
    authorizations: 1,
    codeExchanges: 1,
    codeExchangesGranted: 1,
    refreshes: 0,
  });

  as.setAccessTokenSeconds(8);
  as.revokeAccessTokens();
  expect(await failedCalls(hosts, 'revoked')).toEqual([]);
  expect(as.counts).toMatchObject({ refreshes: 1, refreshesGranted: 1, refreshReuses: 0 });

  // The new token is valid for 8 s: call beyond its expiry.
  as.setAccessTokenSeconds(600);
  const over = Date.now() + 8_500;
  let rounds = 0;
  while (Date.now() < over) {
    expect(await failedCalls(hosts, `expiry-${rounds}`)).toEqual([]);
    rounds += 1;
  }
  expect(rounds).toBeGreaterThan(1);
  expect(as.counts).toMatchObject({
    registrations: 1,
    authorizations: 1,
    refreshes: 2,
    refreshesGranted: 2,
    refreshReuses: 0,
  });
  expect(product.browser.openings).toBe(1);
  expect(mcp.counts.toolRuns).toBe(bridges * (2 + rounds));
  expect(hosts.map((host) => host.exit).filter((exit) => exit !== undefined)).toEqual([]);
}, 240_000);

it('a 401 that arrives after another host’s sign-in opens no second page', async () => {
  const { as, product } = await world();
  const [first, late] = [product.app.connect('work'), product.app.connect('work')];
  expect(await first.challenged(401, undefined)).toBe('retry');
  expect(await late.challenged(401, undefined)).toBe('retry');
  expect(product.browser.openings).toBe(1);
  expect(as.counts).toMatchObject({ registrations: 1, authorizations: 1 });
  first.close();
  late.close();
});
