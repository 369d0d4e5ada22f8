import { afterEach, expect, it } from 'vitest';
import { startAuthorizationServer } from '../fixtures/authorization-server.ts';
import { textOf, type Host } from '../fixtures/host.ts';
import { startMcpServer } from '../fixtures/mcp-server.ts';
import { startProduct, type Product } from '../fixtures/product.ts';
import { until } from '../fixtures/wait.ts';

/** Bridges of one server, each a process of its own. `npm run soak` takes 200. */
const bridges = Number(process.env['KEYBRIDGE_BRIDGES'] ?? 60);
/** For one round of calls of all of them, on a machine that is busy with other things. */
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

/** Starts the processes; all of them are connected to the broker, and none has said anything yet. */
async function connected(product: Product): Promise<Host[]> {
  const hosts = Array.from({ length: bridges }, () => product.host('work'));
  closing.push(() => Promise.all(hosts.map((host) => host.close(roundMs))));
  const count = () => product.app.status.current().servers[0]?.hosts.length;
  await until(() => count() === bridges, 'every bridge is connected', roundMs);
  return hosts;
}

/** What a host says when it starts, its first call right behind. Returns the answer to the call. */
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

/** What went wrong in one call of each host, all at the same moment. */
async function failedCalls(hosts: readonly Host[], round: string, call = echo): Promise<string[]> {
  const answers = await Promise.all(
    hosts.map(async (host, n) => ({ answer: await call(host, `${round}-${n}.`), wanted: `${round}-${n}.` })),
  );
  return answers.filter(({ answer, wanted }) => !answer.includes(wanted)).map(({ answer }) => answer);
}

it(`RG09 RF05 ${bridges} bridges of one server: 1 registration and 1 sign-in at cold start, 1 refresh after a revocation, 1 at expiry, no failed call`, async () => {
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

  // The new token lives for 8 s: calls all the way over its end.
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

it('a 401 that comes after the sign-in which others started opens no second page', async () => {
  const { as, product } = await world();
  const [first, late] = [product.app.connect('work'), product.app.connect('work')];
  expect(await first.challenged(401, undefined)).toBe('retry');
  expect(await late.challenged(401, undefined)).toBe('retry');
  expect(product.browser.openings).toBe(1);
  expect(as.counts).toMatchObject({ registrations: 1, authorizations: 1 });
  first.close();
  late.close();
});
