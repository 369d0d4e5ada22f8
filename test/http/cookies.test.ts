import { describe, expect, it } from 'vitest';
import { createCookieJar } from '../../electron/core/http/cookies.ts';
import { closeAfterEach } from '../fixtures/closing.ts';
import { sendJson } from '../fixtures/listener.ts';
import { startRelayRig, tokenAnswer, type RelayRig } from '../fixtures/relay-rig.ts';
import { startSite, type Hit, type Site } from '../fixtures/site.ts';

// Cookies of an MCP server: load balancers find the instance that has the session by them.

const closing = closeAfterEach();

/** An MCP server behind a load balancer: each `initialize` gets another instance, named by a cookie. */
async function balanced(
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
  it('are sent back with every request of the session that follows', async () => {
    const [relay, site] = [await rig(), await balanced()];
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

  it('do not outlive their session: the next initialize goes without them', async () => {
    const [relay, site] = [await rig(), await balanced()];
    relay.addServer('work', `${site.origin}/mcp`);
    const host = await relay.host('work');
    await host.initialize();
    await host.initialize();
    await host.call('echo');
    expect(cookiesOf(site, opened)).toEqual([undefined, undefined]);
    expect(cookiesOf(site, called)).toEqual(['instance=i2; region=eu']);
  });

  it('are not shared by two connections to one server', async () => {
    const [relay, site] = [await rig(), await balanced()];
    relay.addServer('work', `${site.origin}/mcp`);
    const [first, second] = [await relay.host('work'), await relay.host('work')];
    await first.initialize();
    await second.initialize();
    await first.call('echo');
    await second.call('echo');
    expect(cookiesOf(site, called)).toEqual(['instance=i1; region=eu', 'instance=i2; region=eu']);
  });

  it('are forgotten when somebody else may have signed in', async () => {
    const [relay, site] = [await rig(), await balanced()];
    const server = relay.addServer('work', `${site.origin}/mcp`, () => tokenAnswer('first'));
    const host = await relay.host('work');
    await host.initialize();
    server.token = () => tokenAnswer('second');
    server.signedIn();
    await host.call('echo');
    expect(cookiesOf(site, called)).toEqual([undefined]);
  });

  it('never reach another origin, whatever their Domain says', async () => {
    const [relay, other] = [await rig(), await balanced({ host: '127.0.0.2' })];
    const site = await balanced({ setCookie: () => ['a=1; Domain=127.0.0.2', `b=2; Domain=example.com`, 'c=3'] });
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
    ['a path that only begins alike', ['a=1; Path=/team/m'], undefined],
    ['the default path of the request', ['a=1'], 'a=1'],
    ['a cookie that is over', ['a=1; Max-Age=0'], undefined],
    ['a cookie that was deleted afterwards', ['a=1', 'a=; Expires=Thu, 01 Jan 1970 00:00:00 GMT'], undefined],
    ['a value of characters that a header cannot carry', ['a=ü', 'b=\u0001', 'c=3'], 'c=3'],
    ['a cookie without a name', ['=1', 'x'], undefined],
    ['a cookie of 5 KB', [`a=${'x'.repeat(5_000)}`, 'b=2'], 'b=2'],
    ['a longer path first', ['a=1; Path=/', 'b=2; Path=/team'], 'b=2; a=1'],
  ])('for %s', (_, cookies, expected) => {
    expect(jarWith(cookies).header(url)).toBe(expected);
  });

  it('keeps to its limits, and to the newest cookies, when a server sets 1,000', () => {
    const jar = jarWith(Array.from({ length: 1_000 }, (_, n) => `c${n}=${'x'.repeat(50)}`));
    expect(jar.header(url)?.split('; ')).toHaveLength(50);
    expect(jar.header(url)).toContain('c999=');
    const large = jarWith(Array.from({ length: 50 }, (_, n) => `c${n}=${'x'.repeat(1_000)}`));
    expect(large.header(url)?.length).toBeLessThan(6 * 1024);
  });

  it('lets a cookie go when its time is over', () => {
    const now = { ms: 0 };
    const jar = jarWith(['a=1; Max-Age=60'], now);
    now.ms = 59_999;
    expect(jar.header(url)).toBe('a=1');
    now.ms = 60_000;
    expect(jar.header(url)).toBeUndefined();
  });

  it('gives nothing to another port, scheme or host, and takes nothing from there', () => {
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
