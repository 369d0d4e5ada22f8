import { createServer, type Server } from 'node:net';
import { once } from 'node:events';
import { renderToStaticMarkup } from 'react-dom/server';
import { describe, expect, it } from 'vitest';
import { presets } from '../../electron/core/oauth/providers/presets.ts';
import { redirectPorts } from '../../electron/core/oauth/authorization/loopback-server.ts';
import type { ErrorInfo } from '../../shared/reply.ts';
import type { Discovered } from '../../shared/model.ts';
import { FoundForm } from '../../renderer/add-server/found-form.tsx';
import { SignInWait } from '../../renderer/server/sign-in-wait.tsx';
import { startAuthorizationServer } from '../fixtures/authorization-server.ts';
import { closeAfterEach } from '../fixtures/closing.ts';
import { bareMachine } from '../fixtures/command-line.ts';
import { startMcpServer, type RunningMcpServer } from '../fixtures/mcp-server.ts';
import { startProduct, type Product } from '../fixtures/product.ts';
import { exampleServer, exampleStates } from '../fixtures/renderer-preview/states.ts';
import { until } from '../fixtures/wait.ts';
import { exampleDetail, exampleDiscovery } from '../fixtures/renderer-preview/details.ts';

const closing = closeAfterEach();

/** A server whose authorization server does not let apps register automatically. */
async function closedServer(): Promise<RunningMcpServer> {
  const as = await startAuthorizationServer({ registration: false });
  closing.push(() => as.close());
  const mcp = await startMcpServer({ authorizationServer: as });
  closing.push(() => mcp.close());
  return mcp;
}

async function product(): Promise<Product> {
  const one = await startProduct();
  closing.push(() => one.close());
  return one;
}

/** Another program on this port of 127.0.0.1. */
async function occupy(port: number): Promise<Server | undefined> {
  const server = createServer().listen({ port, host: '127.0.0.1', exclusive: true });
  try {
    await once(server, 'listening');
  } catch {
    return undefined; // Somebody else is there: just as good.
  }
  closing.push(async () => void server.close());
  return server;
}

const failure = (work: Promise<unknown>): Promise<ErrorInfo> =>
  work.then(
    () => Promise.reject(new Error('it did not fail')),
    (error: unknown) => (error as Error).cause as ErrorInfo,
  );

/** The redirect URI in the authorization request. */
async function sentRedirect(one: Product, server: string): Promise<string | null> {
  const url = await until(
    async () => {
      const state = (await one.call('status')).servers.find(({ name }) => name === server)?.state;
      // Other tests sign in on the same few ports: until this one is free, the sign-in ends at once.
      if (state?.kind !== 'signing_in') one.call('signIn', { server, openBrowser: false }).catch(() => {});
      return state?.kind === 'signing_in' && state.url;
    },
    'the page to open',
    20_000,
  );
  await one.call('cancelSignIn', { server });
  return new URL(url).searchParams.get('redirect_uri');
}

describe('the redirect URI of a client that the user registers', () => {
  it('is known before the client ID, and is the one that the sign-in uses', async () => {
    const [mcp, one] = [await closedServer(), await product()];
    // The first port is in use when the address is shown, and free again when the user signs in.
    const before = await occupy(redirectPorts[0] ?? 0);
    const { redirectUri = '', registration } = await one.call('discover', { url: mcp.url });
    expect(registration).toBe('client_id_needed');
    expect(redirectUri).toMatch(/^http:\/\/127\.0\.0\.1:\d+\/callback\/[0-9a-f]{12}$/);
    expect(new URL(redirectUri).port).not.toBe(String(redirectPorts[0]));
    before?.close();
    await one.call('addServer', { url: mcp.url, name: 'work', clientId: 'entered-by-hand' });
    expect((await one.call('serverDetail', { server: 'work' })).redirectUri).toBe(redirectUri);
    expect(await sentRedirect(one, 'work')).toBe(redirectUri);
  });

  it('is not replaced by another one when its port is in use; the sign-in fails with an error', async () => {
    const [mcp, one] = [await closedServer(), await product()];
    const { redirectUri = '' } = await one.call('discover', { url: mcp.url });
    await one.call('addServer', { url: mcp.url, name: 'work', clientId: 'entered-by-hand' });
    await occupy(Number(new URL(redirectUri).port));
    const error = await failure(one.call('signIn', { server: 'work', openBrowser: false }));
    expect(error.code).toBe('E_PORT_IN_USE');
    expect(error.message).toContain(new URL(redirectUri).port);
  });

  it('is kept when a sign-in fails because the client ID is missing', async () => {
    const [mcp, one] = [await closedServer(), await product()];
    await one.call('addServer', { url: mcp.url, name: 'work' });
    const { code, redirectUri } = await failure(one.call('signIn', { server: 'work' }));
    expect([code, redirectUri]).toEqual(['E_CLIENT_ID_NEEDED', expect.stringMatching(/^http:\/\/127\.0\.0\.1:/)]);
    await occupy(redirectPorts.find((port) => String(port) !== new URL(redirectUri ?? '').port) ?? 0);
    await one.call('configureServer', { server: 'work', clientId: 'entered-by-hand' });
    expect(await sentRedirect(one, 'work')).toBe(redirectUri);
  });

  it('is printed with the steps in order when the command line adds a server', async () => {
    const mcp = await closedServer();
    const bare = await bareMachine();
    closing.push(() => bare.close());
    await bare.serve();
    const { code, stdout } = await bare.run(['add', mcp.url, '--name', 'work']);
    expect(code).toBe(0);
    expect(stdout).toMatch(/1\. .*register.*\n.*2\. .*http:\/\/127\.0\.0\.1:\d+\/callback\/\S+\n/is);
    expect(stdout).toMatch(/\/callback\/\S+\n.*3\. keybridge configure work --client-id/is);
  });
});

describe('the window for a server that needs a client ID', () => {
  const textOf = (html: string): string => html.replaceAll(/<[^>]*>/g, ' ').replaceAll(/\s+/g, ' ');
  const found: Discovered = {
    ...exampleDiscovery('https://hard.example/mcp'),
    redirectUri: 'http://127.0.0.1:33427/callback/0123456789ab',
    preset: 'GitHub',
    providerPage: 'https://github.com/settings/developers',
    advice: 'On GitHub: Settings.',
  };

  it('lists the provider’s page, the redirect URI to copy and the client ID in this order', () => {
    const text = textOf(renderToStaticMarkup(<FoundForm found={found} />));
    const at = ['Open GitHub’s page', 'http://127.0.0.1:33427/callback/0123456789ab', 'Client ID', 'Client secret'].map(
      (words) => text.indexOf(words),
    );
    expect(at.every((place) => place >= 0)).toBe(true);
    expect(at).toEqual(at.toSorted((a, b) => a - b));
    expect(renderToStaticMarkup(<FoundForm found={found} />)).toContain(
      'aria-label="Copy: http://127.0.0.1:33427/callback/0123456789ab"',
    );
  });

  it('offers a page of the provider only if one is known', () => {
    const { providerPage: _page, preset: _preset, ...unknown } = found;
    expect(textOf(renderToStaticMarkup(<FoundForm found={unknown} />))).not.toContain('Open ');
    for (const { page } of presets) expect(page === undefined || /^https:\/\/[a-z0-9.]+\//.test(page)).toBe(true);
  });

  it('helps with an error on the provider’s page, and shows the redirect URI to compare', () => {
    const states = exampleStates(0);
    const server = exampleServer('linear', states.signing_in);
    const detail = exampleDetail(server, 0);
    const configured = textOf(
      renderToStaticMarkup(
        <SignInWait
          server={server}
          state={states.signing_in}
          detail={{ ...detail, registration: 'configured', redirectUri: 'http://127.0.0.1:33427/callback/x' }}
        />,
      ),
    );
    expect(configured).toMatch(
      /Does the page show an error\? .*http:\/\/127\.0\.0\.1:33427\/callback\/x .*Cancel and change the client ID/,
    );
    expect(
      textOf(renderToStaticMarkup(<SignInWait server={server} state={states.signing_in} detail={detail} />)),
    ).toMatch(/Does the page show an error\? .*Start again/);
  });
});
