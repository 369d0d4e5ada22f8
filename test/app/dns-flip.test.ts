import { mkdtemp, rm } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { createServerClient } from '../../electron/relay/server-client.ts';
import { systemClock } from '../../electron/core/base/system-clock.ts';
import type { Connection } from '../../electron/core/app/connections.ts';
import { createHttp, type HttpOptions } from '../../electron/core/http/client.ts';
import { tryNetworks } from '../../electron/core/http/network.ts';
import { createLog } from '../../electron/core/base/log.ts';
import { discover } from '../../electron/core/oauth/discovery/discovery.ts';
import { findIdentityProvider } from '../../electron/core/oauth/enterprise/identity-provider.ts';
import { selfSigned } from '../fixtures/certificate.ts';
import { closeAfterEach } from '../fixtures/closing.ts';
import { createFakeStore } from '../fixtures/fake-store.ts';
import { failure } from '../fixtures/failure.ts';
import { startHttpsListener } from '../fixtures/https-listener.ts';
import { sendJson } from '../fixtures/listener.ts';
import { startProduct } from '../fixtures/product.ts';
import { startSite, type Site } from '../fixtures/site.ts';
import { until } from '../fixtures/wait.ts';
import type { AddressClass, Http, ServerNetwork } from '../../electron/core/http/http.ts';
import type { Server } from '../../electron/core/servers/server.ts';

// A name that resolves to one address first and to another one afterwards (DNS rebinding).

const closing = closeAfterEach();
const certificate = selfSigned(['flip.test']);
/** 127.0.0.2 stands for the internet; 127.0.0.1 is this computer. */
const classify = (address: string): AddressClass =>
  address === '127.0.0.2' ? 'public' : address === '127.0.0.1' ? 'loopback' : 'unspecified';
const [inside, outside] = ['127.0.0.1', '127.0.0.2'];

/** Resolves flip.test to these addresses in turn, and then always to the last. */
function resolver(...addresses: string[]) {
  const state = {
    next: addresses,
    ca: [certificate.cert],
    classify,
    async lookup(hostname: string) {
      if (hostname !== 'flip.test') return [{ address: hostname === 'localhost' ? inside : outside, family: 4 }];
      const [address = ''] = state.next.length > 1 ? state.next.splice(0, 1) : state.next;
      return [{ address, family: 4 }];
    },
  };
  return state;
}

function client(options: HttpOptions): Http {
  const http = createHttp(options);
  closing.push(() => http.close());
  return http;
}

interface Flip {
  readonly url: string;
  readonly origin: string;
  /** Something that listens on this computer and has nothing to do with it. */
  readonly inner: Site;
  readonly counts: { tokens: number };
}

/**
 * https://flip.test, an MCP server and authorization server at 127.0.0.2. `inwards`: its endpoints are at 127.0.0.1.
 */
async function flip({ inwards = true, host = outside } = {}): Promise<Flip> {
  const inner = await startSite({ host: inside });
  closing.push(() => inner.close());
  const counts = { tokens: 0 };
  const listener = await startHttpsListener(
    certificate,
    (request, response) => {
      const { pathname } = new URL(request.url ?? '/', origin);
      const endpoints = inwards ? inner.origin : origin;
      if (pathname === '/mcp' && request.headers.authorization !== undefined)
        return sendJson(response, 200, { jsonrpc: '2.0', id: 1, result: {} });
      if (pathname === '/mcp') return void response.writeHead(401, { 'www-authenticate': 'Bearer' }).end();
      if (pathname === '/.well-known/oauth-protected-resource/mcp')
        return sendJson(response, 200, { resource: `${origin}/mcp`, authorization_servers: [origin] });
      if (pathname.startsWith('/.well-known/o')) {
        const metadata = {
          issuer: origin,
          authorization_endpoint: `${origin}/authorize`,
          token_endpoint: `${endpoints}/token`,
          registration_endpoint: `${endpoints}/register`,
          code_challenge_methods_supported: ['S256'],
        };
        return sendJson(response, 200, metadata);
      }
      if (pathname === '/register') return sendJson(response, 201, { client_id: 'c' });
      if (pathname === '/token') {
        counts.tokens += 1;
        return sendJson(response, 200, {
          access_token: `at-${counts.tokens}`,
          token_type: 'Bearer',
          refresh_token: 'kb-refresh',
          expires_in: 3600,
        });
      }
      response.writeHead(404).end();
    },
    host,
  );
  closing.push(() => listener.close());
  const origin = `https://flip.test:${listener.port}`;
  return { url: `${origin}/mcp`, origin, inner, counts };
}

describe('a name that resolves to this computer first, and to the internet afterwards', () => {
  it('does not let a sign-in reach this computer', async () => {
    const { url, inner } = await flip();
    const error = await failure(discover(new URL(url), { http: client(resolver(inside, outside)) }));
    expect(error.code).toBe('E_ADDRESS_REFUSED');
    expect(inner.acceptedConnections).toBe(0);
    // The next time it is a public server, and what it names inside is refused as for any other.
    const next = await failure(discover(new URL(url), { http: client(resolver(outside)) }));
    expect(next.code).toBe('E_ENDPOINT_REFUSED');
    expect(inner.acceptedConnections).toBe(0);
  });

  it('does not let a company sign-in reach this computer', async () => {
    const { origin, inner } = await flip();
    const error = await failure(findIdentityProvider(client(resolver(inside, outside)), origin, undefined, undefined));
    expect(error.code).toBe('E_ADDRESS_REFUSED');
    expect(inner.acceptedConnections).toBe(0);
  });

  it('has the address class of the actual connection, whatever the timing', async () => {
    const { origin } = await flip({ inwards: false });
    for (let looks = 0; looks < 6; looks += 1) {
      const http = client(resolver(...Array.from({ length: looks }, () => inside), outside));
      const ask = (allow: { readonly origin: string; readonly own: AddressClass }) =>
        http.fetch({ url: new URL(origin), method: 'GET', allow, timeoutMs: 5_000, maxBytes: 1_000 });
      const found = await tryNetworks(origin, undefined, ask).then(
        ({ network }) => network.own,
        (error: unknown) => (error as { code?: string }).code,
      );
      expect(['public', 'E_ADDRESS_REFUSED', 'E_CONNECT', 'E_TLS']).toContain(found);
    }
  });
});

describe('a server that was public before', () => {
  it('is not called when its name resolves to this computer', async () => {
    const { url, origin } = await flip({ host: inside });
    const found: ServerNetwork[] = [];
    const call = (...networks: Server['networks']) => {
      const connection = {
        server: { name: 'work', url, networks },
        accessToken: async () => ({ kind: 'anonymous' }),
        challenged: async () => 'refused',
        onWake: () => () => {},
        served: () => {},
        newTokenPauseMs: () => 0,
        found: (network: ServerNetwork) => found.push(network),
      } as unknown as Connection;
      const upstream = createServerClient({
        connection,
        http: client(resolver(inside)),
        log: createLog(() => {}, Date.now),
        clock: systemClock(),
      });
      return failure(
        upstream.request({
          method: 'POST',
          headers: {},
          body: Buffer.from('{}'),
          timeoutMs: 5_000,
          repeatable: false,
          onChallenge: 'report',
        }),
      );
    };
    expect(await call({ origin, own: 'public' })).toMatchObject({ code: 'E_ADDRESS_REFUSED', sent: false });
    expect(found).toEqual([]);
    // One that was never reached, or was in another network of the user's, may be there.
    for (const networks of [[], [{ origin, own: 'private' as const }]])
      expect((await call(...networks)).code).toBe('E_SIGN_IN_NEEDED');
    expect(found).toEqual([
      { origin, own: 'loopback' },
      { origin, own: 'loopback' },
    ]);
  });

  async function signedIn() {
    const there = await flip({ inwards: false });
    const names = resolver(outside);
    const [store, dataDir] = [createFakeStore(), await mkdtemp(path.join(os.tmpdir(), 'keybridge-flip-'))];
    closing.push(() => rm(dataDir, { recursive: true, force: true }));
    const start = async () => {
      const product = await startProduct({ store, dataDir, http: names });
      closing.push(() => product.close());
      return product;
    };
    const product = await start();
    await product.call('addServer', { url: there.url, name: 'work' });
    const ended = product.call('signIn', { server: 'work', openBrowser: false });
    const back = await until(() => pageOf(product), 'the page');
    const redirect = new URL(back.searchParams.get('redirect_uri') ?? '');
    redirect.search = new URLSearchParams({ code: 'c1', state: back.searchParams.get('state') ?? '' }).toString();
    await product.call('finishSignIn', { server: 'work', redirectUrl: redirect.href });
    await ended;
    return { there, names, product, start };
  }

  it('gets no refresh token and no sign-in when its name resolves to this computer after a restart', async () => {
    const { there, names, product, start } = await signedIn();
    // This computer has the same certificate, so that only the address class differs.
    const port = Number(new URL(there.origin).port);
    const local = await startHttpsListener(certificate, (_, response) => response.end(), inside, port);
    closing.push(() => local.close());
    names.next = [inside];
    await product.close();
    const next = await start();
    await expect(next.call('refreshNow', { server: 'work' })).rejects.toThrow('E_REFRESH_FAILED');
    await expect(next.call('signIn', { server: 'work' })).rejects.toThrow('E_ADDRESS_REFUSED');
    expect(local.acceptedConnections).toBe(0);
  });

  it('refreshes with its stored address class, without a lookup that could return another one', async () => {
    const { there, names, product } = await signedIn();
    const before = there.counts.tokens;
    names.next = [inside];
    // An open connection may be reused, and a new one is refused. Nothing arrives on this computer in either case.
    await product.call('refreshNow', { server: 'work' }).catch(() => {});
    expect(there.inner.acceptedConnections).toBe(0);
    names.next = [outside];
    await product.call('refreshNow', { server: 'work' });
    expect(there.counts.tokens).toBeGreaterThan(before);
  });
});

function pageOf(product: Awaited<ReturnType<typeof startProduct>>): URL | undefined {
  const state = product.app.status.current().servers[0]?.state;
  return state?.kind === 'signing_in' && state.url !== undefined ? new URL(state.url) : undefined;
}
