import type { ServerResponse } from 'node:http';
import { PassThrough } from 'node:stream';
import { describe, expect, it } from 'vitest';
import { exitCodes } from '../../../electron/command-line/exit-codes.ts';
import { logIn } from '../../../electron/command-line/login.ts';
import type { CallInput } from '../../../shared/api.ts';
import { startAuthorizationServer, type AuthorizationServer } from '../../fixtures/authorization-server.ts';
import { httpBrowser, withParameter } from '../../fixtures/browser.ts';
import { closeAfterEach } from '../../fixtures/closing.ts';
import { bareMachine } from '../../fixtures/command-line.ts';
import { failure } from '../../fixtures/failure.ts';
import { sendJson } from '../../fixtures/listener.ts';
import { startProduct, type Product, type ProductOptions } from '../../fixtures/product.ts';
import { startSignInRig } from '../../fixtures/sign-in-rig.ts';
import { startSite, type Site } from '../../fixtures/site.ts';
import { until } from '../../fixtures/wait.ts';

// A mix-up attack (RFC 9700 4.4): a malicious server names the authorization endpoint of an honest one, where it has
// registered a client for Keybridge, and its own token endpoint.

const closing = closeAfterEach();

interface Attack {
  readonly honest: AuthorizationServer;
  readonly mallory: Site;
  readonly url: string;
  /** Codes and verifiers that reached the malicious server. */
  readonly caught: () => string[];
}

/** The malicious issuer with registration and token endpoint is at 127.0.0.3, the honest server at 127.0.0.1. */
async function attack(): Promise<Attack> {
  const honest = await startAuthorizationServer();
  closing.push(() => honest.close());
  const mallory = await startSite({ host: '127.0.0.3' });
  closing.push(() => mallory.close());
  const url = `${mallory.origin}/mcp`;
  mallory.routes['/mcp'] = (_, response) =>
    void response
      .writeHead(401, {
        'www-authenticate': `Bearer resource_metadata="${mallory.origin}/.well-known/oauth-protected-resource/mcp"`,
      })
      .end();
  mallory.routes['/.well-known/oauth-protected-resource/mcp'] = {
    resource: url,
    authorization_servers: [mallory.origin],
    scopes_supported: ['mcp:tools'],
  };
  mallory.routes['/.well-known/oauth-authorization-server'] = {
    issuer: mallory.origin,
    authorization_endpoint: `${honest.issuer}/auth`,
    token_endpoint: `${mallory.origin}/token`,
    registration_endpoint: `${mallory.origin}/register`,
    response_types_supported: ['code'],
    code_challenge_methods_supported: ['S256'],
  };
  // Registers Keybridge's own request at the honest server, and returns the public client ID from there.
  const registerAtHonest = async (response: ServerResponse, body: string) => {
    const { scope: _scope, ...metadata } = JSON.parse(body) as Record<string, unknown>;
    const registered = await fetch(`${honest.issuer}/reg`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(metadata),
    });
    const { client_id } = (await registered.json()) as { client_id: string };
    sendJson(response, 201, { client_id, token_endpoint_auth_method: 'none' });
  };
  mallory.routes['/register'] = (_, response, { body }) => void registerAtHonest(response, body);
  mallory.routes['/token'] = (_, response) => sendJson(response, 200, { access_token: 'evil', token_type: 'Bearer' });
  return {
    honest,
    mallory,
    url,
    caught: () => mallory.hits.filter(({ body }) => body.includes('code_verifier')).map(({ body }) => body),
  };
}

/** Removes `iss` from the redirect, so that nothing in it names the issuer of the code. */
const browser = () => httpBrowser({ tamper: withParameter('iss', null) });

async function product(options: ProductOptions = {}): Promise<Product> {
  const started = await startProduct({ browser: browser(), ...options });
  closing.push(() => started.close());
  return started;
}

const state = (one: Product) => one.app.status.current().servers[0]?.state;

describe('a server that names the page of an honest authorization server', () => {
  it('gets no code from the window before the user has confirmed the hosts', async () => {
    const { honest, mallory, url, caught } = await attack();
    const one = await product();
    await one.call('addServer', { url, name: 'work' });
    const ended = one.call('signIn', { server: 'work', canAsk: true }).catch((error: Error) => error.message);
    await until(
      () => state(one)?.kind === 'signing_in' && JSON.stringify(state(one)).includes('"confirm"'),
      'the question',
    );
    const hosts = (host: string, ...what: string[]) => what.map((each) => ({ what: each, host }));
    expect(state(one)).toMatchObject({
      confirm: [
        ...hosts(new URL(honest.issuer).host, 'page'),
        ...hosts(new URL(mallory.origin).host, 'issuer', 'token', 'registration'),
      ],
    });
    await one.call('cancelSignIn', { server: 'work' });
    expect(await ended).toBe('E_CANCELLED');
    expect([one.browser.openings, honest.counts.authorizationRequests, honest.counts.registrations, caught()]).toEqual([
      0,
      0,
      0,
      [],
    ]);
  });

  it('gets no code by an automatic sign-in: a call does not start it, and the state says why', async () => {
    const { honest, url, caught } = await attack();
    const one = await product({ autoSignIn: true });
    await one.call('addServer', { url, name: 'work' });
    const host = one.host('work');
    await host.initialize();
    await until(() => state(one)?.kind === 'needs_sign_in', 'the refusal');
    expect(state(one)).toMatchObject({ error: { code: 'E_HOSTS_UNCONFIRMED' } });
    expect([one.browser.openings, honest.counts.authorizationRequests, caught()]).toEqual([0, 0, []]);
  });

  it('gets no code from a command line without a terminal', async () => {
    const { honest, mallory, url, caught } = await attack();
    const bare = await bareMachine();
    closing.push(() => bare.close());
    await bare.serve();
    await bare.run(['add', url, '--name', 'work']);
    const ran = await bare.run(['login', 'work']);
    expect(ran.code).toBe(exitCodes.signInNeeded);
    expect(ran.stderr).toContain(
      `you sign in at ${new URL(honest.issuer).host}; ` +
        `the authorization code is sent to ${new URL(mallory.origin).host}`,
    );
    expect(ran.stderr).toContain('E_HOSTS_UNCONFIRMED');
    expect([honest.counts.authorizationRequests, caught()]).toEqual([0, []]);
  });

  it.each(['n', '', 'yesterday'])('gets no code from a terminal where the user answers "%s"', async (answer) => {
    const { honest, url, caught } = await attack();
    const one = await product();
    const { id } = await one.call('addServer', { url, name: 'work' });
    const [printed, stdin]: [string[], PassThrough] = [[], new PassThrough()];
    const tell = (text: string) => {
      printed.push(text);
      if (text.endsWith('[y/N]')) stdin.write(`${answer}\n`);
    };
    const terminal = {
      env: {},
      stdin,
      interactive: true,
      print: () => {},
      tell,
      flush: async () => {},
      onInterrupt: () => () => {},
    };
    expect(await failure(logIn({ server: id, browser: false, dataDir: one.dataDir, terminal }))).toMatchObject({
      code: 'E_CANCELLED',
    });
    expect(printed.join('\n')).toContain(`you sign in at ${new URL(honest.issuer).host}`);
    expect([honest.counts.authorizationRequests, caught()]).toEqual([0, []]);
  });

  it('gets a code if the user confirms the hosts, which shows that only the question prevents it', async () => {
    const { url, caught } = await attack();
    const login = await startSignInRig({
      openBrowser: async (address) =>
        void browser()
          .open(address)
          .catch(() => {}),
    });
    closing.push(() => login.close());
    const server = await login.add(url);
    await login.signIns.start(server.id, { openBrowser: true, canAsk: true });
    expect(login.asked).toHaveLength(1);
    expect(caught()).toHaveLength(1);
  });

  it('gets no code by a confirmation of hosts other than those in the question', async () => {
    const { mallory, url } = await attack();
    const one = await product();
    await one.call('addServer', { url, name: 'work' });
    const ended = one.call('signIn', { server: 'work', canAsk: true }).catch((error: Error) => error.message);
    await until(() => JSON.stringify(state(one)).includes('"confirm"'), 'the question');
    const wrong: CallInput<'confirmSignIn'>['hosts'][] = [[], [{ what: 'page', host: new URL(mallory.origin).host }]];
    for (const hosts of wrong)
      await expect(one.call('confirmSignIn', { server: 'work', hosts })).rejects.toThrow('E_BAD_INPUT');
    expect(state(one)).toMatchObject({ step: 'confirm' });
    await one.call('cancelSignIn', { server: 'work' });
    expect(await ended).toBe('E_CANCELLED');
    await expect(one.call('confirmSignIn', { server: 'work', hosts: [] })).rejects.toThrow('E_BAD_INPUT');
  });

  it('gets no code by redirecting from its own page to an honest server that sends `iss`', async () => {
    const { honest, mallory, url, caught } = await attack();
    const metadata = mallory.routes['/.well-known/oauth-authorization-server'] as Record<string, unknown>;
    mallory.routes['/.well-known/oauth-authorization-server'] = {
      ...metadata,
      authorization_endpoint: `${mallory.origin}/authorize`,
    };
    mallory.routes['/authorize'] = (_, response, { path }) =>
      void response.writeHead(302, { location: `${honest.issuer}/auth${new URL(path, mallory.origin).search}` }).end();
    const one = await product({ browser: httpBrowser() });
    await one.call('addServer', { url, name: 'work' });
    await expect(one.call('signIn', { server: 'work' })).rejects.toThrow('E_ISS_MISMATCH');
    expect([honest.counts.authorizationRequests, caught()]).toEqual([1, []]);
  });
});
