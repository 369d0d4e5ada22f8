import { describe, expect, it } from 'vitest';
import { createCookieJar } from '../../electron/core/http/cookies.ts';
import { closeAfterEach } from '../fixtures/closing.ts';
import { sendJson } from '../fixtures/listener.ts';
import { startRelayRig, tokenAnswer, type RelayRig } from '../fixtures/relay-rig.ts';
import { startSite, type Hit, type Site } from '../fixtures/site.ts';

const closing = closeAfterEach();

/** An MCP server behind a load balancer: each `initialize` reaches another instance, which a cookie names. */
async function startBalancedServer(
  more: { readonly setCookie?: (n: number) => string[]; readonly host?: string } = {},
): Promise<Site> {
  const { setCookie = (n) => [`instance=i${n}; Path=/; HttpOnly; SameSite=Lax`, 'region=eu'] } = more;
  const site = await startSite(more.host === undefined ? {} : { host: more.host });
  closing.push(() => site.close());
  let sessions = 0;
  site.routes['/mcp'] = (request, response, hit) => {
    if (request.method !== 'POST') return response.writeHead(405).end();
    const { id, method } = JSON.parse(hit.body) as { id?: number; method: string };
    if (id === undefined) return response.writeHead(202).end();
    if (method !== 'initialize')
      return sendJson(response, 200, { jsonrpc: '2.0', id, result: { content: [], tools: [] } });
    sessions += 1;
    response.setHeader('mcp-session-id', `s${sessions}`);
    response.setHeader('set-cookie', setCookie(sessions));
    return sendJson(response, 200, {
      jsonrpc: '2.0',
      id,
      result: { protocolVersion: '2025-11-25', capabilities: {}, serverInfo: { name: 'balanced', version: '1' } },
    });
  };
  return site;
}

async function rig(): Promise<RelayRig> {
  const relay = await startRelayRig();
  closing.push(() => relay.close());
  return relay;
}

const cookiesOf = (site: Site, matching: (hit: Hit) => boolean) =>
  site.hits.filter(matching).map(({ headers }) => headers.cookie);
const called = ({ body }: Hit) => body.includes('tools/call');
const opened = ({ body }: Hit) => body.includes('"initialize"');

describe('cookies of an MCP server', () => {
  it('are sent with every later request of the session', async () => {
    const [relay, site] = [await rig(), await startBalancedServer()];
    relay.addServer('work', `${site.origin}/mcp`);
    const host = await relay.host('work');
    await host.initialize();
    await host.call('echo');
    expect(cookiesOf(site, opened)).toEqual([undefined]);
    expect(cookiesOf(site, (hit) => hit.body.includes('notifications/initialized'))).toEqual([
      'instance=i1; region=eu',
    ]);
    expect(cookiesOf(site, called)).toEqual(['instance=i1; region=eu']);
    expect(relay.log.join('')).not.toMatch(/instance|i1\b/);
  });

  it('end with their session: the next initialize is sent without them', async () => {
    const [relay, site] = [await rig(), await startBalancedServer()];
    relay.addServer('work', `${site.origin}/mcp`);
    const host = await relay.host('work');
    await host.initialize();
    await host.initialize();
    await host.call('echo');
    expect(cookiesOf(site, opened)).toEqual([undefined, undefined]);
    expect(cookiesOf(site, called)).toEqual(['instance=i2; region=eu']);
  });

  it('are not shared between two connections to the same server', async () => {
    const [relay, site] = [await rig(), await startBalancedServer()];
    relay.addServer('work', `${site.origin}/mcp`);
    const [first, second] = [await relay.host('work'), await relay.host('work')];
    await first.initialize();
    await second.initialize();
    await first.call('echo');
    await second.call('echo');
    expect(cookiesOf(site, called)).toEqual(['instance=i1; region=eu', 'instance=i2; region=eu']);
  });

  it('are discarded when another person may have signed in', async () => {
    const [relay, site] = [await rig(), await startBalancedServer()];
    const server = relay.addServer('work', `${site.origin}/mcp`, () => tokenAnswer('first'));
    const host = await relay.host('work');
    await host.initialize();
    server.token = () => tokenAnswer('second');
    server.signedIn();
    await host.call('echo');
    expect(cookiesOf(site, called)).toEqual([undefined]);
  });

  it('are never sent to another origin, whatever their Domain says', async () => {
    const [relay, other] = [await rig(), await startBalancedServer({ host: '127.0.0.2' })];
    const site = await startBalancedServer({
      setCookie: () => ['a=1; Domain=127.0.0.2', `b=2; Domain=example.com`, 'c=3'],
    });
    relay.addServer('work', `${site.origin}/mcp`);
    relay.addServer('other', `${other.origin}/mcp`);
    const [host, elsewhere] = [await relay.host('work'), await relay.host('other')];
    await host.initialize();
    await elsewhere.initialize();
    await host.call('echo');
    expect(cookiesOf(site, called)).toEqual(['c=3']);
    expect(cookiesOf(other, opened)).toEqual([undefined]);
  });
});

describe('a cookie jar', () => {
  const url = new URL('https://mcp.example/team/mcp');
  const jarWith = (cookies: readonly string[], now = { ms: 0 }) => {
    const jar = createCookieJar(url.origin, () => now.ms);
    jar.keep(url, cookies);
    return jar;
  };

  it.each([
    ['a cookie for another path', ['a=1; Path=/other'], undefined],
    ['a path that shares only a prefix', ['a=1; Path=/team/m'], undefined],
    ['the default path of the request', ['a=1'], 'a=1'],
    ['an expired cookie', ['a=1; Max-Age=0'], undefined],
    ['a cookie that is deleted afterwards', ['a=1', 'a=; Expires=Thu, 01 Jan 1970 00:00:00 GMT'], undefined],
    ['a value with characters that headers do not allow', ['a=ü', 'b=\u0001', 'c=3'], 'c=3'],
    ['a cookie without a name', ['=1', 'x'], undefined],
    ['a cookie of 5 KB', [`a=${'x'.repeat(5_000)}`, 'b=2'], 'b=2'],
    ['a longer path first', ['a=1; Path=/', 'b=2; Path=/team'], 'b=2; a=1'],
  ])('for %s', (_, cookies, expected) => {
    expect(jarWith(cookies).header(url)).toBe(expected);
  });

  it('stays within its limits and keeps the newest cookies if a server sets 1,000', () => {
    const jar = jarWith(Array.from({ length: 1_000 }, (_, n) => `c${n}=${'x'.repeat(50)}`));
    expect(jar.header(url)?.split('; ')).toHaveLength(50);
    expect(jar.header(url)).toContain('c999=');
    const large = jarWith(Array.from({ length: 50 }, (_, n) => `c${n}=${'x'.repeat(1_000)}`));
    expect(large.header(url)?.length).toBeLessThan(6 * 1024);
  });

  it('drops a cookie when it expires', () => {
    const now = { ms: 0 };
    const jar = jarWith(['a=1; Max-Age=60'], now);
    now.ms = 59_999;
    expect(jar.header(url)).toBe('a=1');
    now.ms = 60_000;
    expect(jar.header(url)).toBeUndefined();
  });

  it('neither sends cookies to another port, scheme or host nor accepts them from there', () => {
    const jar = jarWith(['a=1; Path=/']);
    for (const other of [
      'https://mcp.example:8443/',
      'http://mcp.example/',
      'https://api.mcp.example/',
      'https://example/',
    ]) {
      jar.keep(new URL(other), ['b=2; Path=/; Domain=example']);
      expect(jar.header(new URL(other)), other).toBeUndefined();
    }
    expect(jar.header(url)).toBe('a=1');
  });
});
