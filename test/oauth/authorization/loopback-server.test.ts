import { createServer, type Server } from 'node:http';
import { request as httpRequest } from 'node:http';
import { connect, type AddressInfo, type Socket } from 'node:net';
import { networkInterfaces } from 'node:os';
import { afterEach, describe, expect, it } from 'vitest';
import { AppError } from '../../../electron/core/base/errors.ts';
import {
  parseAuthorizationResponse,
  type ExpectedResponse,
} from '../../../electron/core/oauth/authorization/authorization-response.ts';
import { redirectPage, type CallbackResult } from '../../../electron/core/oauth/authorization/result-page.ts';
import {
  listenForRedirect,
  redirectPath,
  type RedirectListener,
  type RedirectListenerOptions,
} from '../../../electron/core/oauth/authorization/loopback-server.ts';
import { Secret } from '../../../electron/core/base/secret.ts';
import { until } from '../../fixtures/wait.ts';
import { createPendingAuthorization } from '../../../electron/core/oauth/authorization/callback-handler.ts';

const issuer = 'https://login.example';
const state = new Secret('the-state-of-this-sign-in');
const expected: ExpectedResponse = { state, issuer, issSupported: true };

const closing: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0).toReversed()) await close();
});

async function listen(options: Partial<RedirectListenerOptions> = {}): Promise<RedirectListener> {
  const listener = await listenForRedirect({
    ports: [0],
    host: '127.0.0.1',
    path: redirectPath(issuer),
    serverName: 'linear',
    ...options,
  });
  closing.push(() => listener.close());
  return listener;
}

/** A listener that takes one answer, as a sign-in does, and the way to end it. */
async function waiting(options: Partial<RedirectListenerOptions> = {}) {
  const listener = await listen(options);
  const pending = createPendingAuthorization(expected);
  let end: (result: CallbackResult) => void = () => {};
  const result = new Promise<CallbackResult>((resolve) => (end = resolve));
  listener.handleWith((params) => {
    const kind = pending.accept(params);
    return kind === 'accepted' ? { kind, result } : { kind };
  });
  const address = (params: Record<string, string>) =>
    `${listener.redirectUri}?${new URLSearchParams(params).toString()}`;
  const good = (code = 'the-code') => address({ code, state: state.reveal(), iss: issuer });
  return { listener, pending, end, address, good };
}

async function occupy(port: number, host: string): Promise<Server> {
  const server = createServer();
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, host, resolve);
  });
  closing.push(() => new Promise((resolve) => server.close(resolve)));
  return server;
}

const portOf = (listener: RedirectListener) => Number(new URL(listener.redirectUri).port);

function raw(
  listener: RedirectListener,
  options: { method?: string; path?: string; host?: string; headers?: Record<string, string> },
): Promise<{ status: number; text: string }> {
  return new Promise((resolve, reject) => {
    const url = new URL(listener.redirectUri);
    const sent = httpRequest(
      {
        host: '127.0.0.1',
        port: url.port,
        method: options.method ?? 'GET',
        path: options.path ?? `${url.pathname}?state=${state.reveal()}&code=c&iss=${encodeURIComponent(issuer)}`,
        headers: { host: options.host ?? url.host, ...options.headers },
      },
      (response) => {
        let text = '';
        response.setEncoding('utf8').on('data', (chunk: string) => (text += chunk));
        response.on('end', () => resolve({ status: response.statusCode ?? 0, text }));
      },
    );
    sent.on('error', reject).end();
  });
}

const params = (text: Record<string, string>) => new URLSearchParams(text);
const good = { code: 'c', state: state.reveal(), iss: issuer };

describe('an authorization response', () => {
  it('gives the code as a secret', () => {
    const verdict = parseAuthorizationResponse(params(good), expected);
    expect(verdict).toMatchObject({ kind: 'code' });
    expect(JSON.stringify(verdict)).not.toContain('"c"');
  });

  it.each([
    ['AR05: another state', { ...good, state: 'other' }],
    ['AR05: the beginning of the state', { ...good, state: state.reveal().slice(0, -1) }],
    ['AR06: no state', { code: 'c', iss: issuer }],
    ['AR05: an error with another state', { error: 'access_denied', state: 'other', iss: issuer }],
  ])('%s is a stranger’s', (_, text) => {
    expect(parseAuthorizationResponse(params(text), expected)).toEqual({ kind: 'unrelated' });
  });

  it('AR05: two states are a stranger’s, whatever the first one says', () => {
    expect(parseAuthorizationResponse(new URLSearchParams(`state=${state.reveal()}&state=x&code=c`), expected)).toEqual(
      { kind: 'unrelated' },
    );
  });

  it.each<[string, boolean, string | undefined, boolean]>([
    ['AR01: advertised, and another server', true, 'https://evil.example', false],
    ['AR02: advertised, and absent', true, undefined, false],
    ['AR03: advertised, and with a slash more', true, `${issuer}/`, false],
    ['AR03: advertised, and in upper case', true, 'https://LOGIN.example', false],
    ['advertised, and exact', true, issuer, true],
    ['AR01: not advertised, and another server', false, 'https://evil.example', false],
    ['not advertised, and exact', false, issuer, true],
    ['not advertised, and absent', false, undefined, true],
  ])('iss %s', (_, issSupported, iss, taken) => {
    const verdict = parseAuthorizationResponse(
      params({ code: 'c', state: state.reveal(), ...(iss === undefined ? {} : { iss }) }),
      { ...expected, issSupported },
    );
    if (taken) expect(verdict.kind).toBe('code');
    else expect(verdict).toMatchObject({ kind: 'refused', error: { code: 'E_ISS_MISMATCH' } });
  });

  it('AR04: of an error with a foreign iss nothing is said', () => {
    const verdict = parseAuthorizationResponse(
      params({
        error: 'access_denied',
        error_description: 'Call us at evil.example',
        state: state.reveal(),
        iss: 'https://evil.example',
      }),
      expected,
    );
    expect(verdict).toMatchObject({ kind: 'refused', error: { code: 'E_ISS_MISMATCH' } });
    expect(JSON.stringify(verdict) + String((verdict as { error: Error }).error)).not.toMatch(/evil|denied|Call/);
  });

  it.each([
    ['AR07: access_denied', { error: 'access_denied' }, 'E_SIGN_IN_DENIED'],
    [
      'AR08: another error',
      { error: 'server_error', error_description: '<b>x</b>\u001b[31m\r\nX: 1' },
      'E_AUTHORIZATION_ERROR',
    ],
    ['RG08: a client that is unknown', { error: 'unauthorized_client' }, 'E_CLIENT_REFUSED'],
    ['AR09: neither code nor error', {}, 'E_AUTHORIZATION_ERROR'],
    ['AR09: an empty code', { code: '' }, 'E_AUTHORIZATION_ERROR'],
    ['AR14: a code with a control character', { code: 'a\u0000b' }, 'E_AUTHORIZATION_ERROR'],
  ])('%s', (_, text, code) => {
    const verdict = parseAuthorizationResponse(params({ state: state.reveal(), iss: issuer, ...text }), expected);
    expect(verdict).toMatchObject({ kind: 'refused', error: { code } });
    if (verdict.kind === 'refused') expect(verdict.error.message).not.toMatch(/[\u0000-\u001f]/);
  });

  it('with a parameter twice is refused', () => {
    const verdict = parseAuthorizationResponse(
      new URLSearchParams(`state=${state.reveal()}&iss=${issuer}&code=a&code=b`),
      expected,
    );
    expect(verdict).toMatchObject({ kind: 'refused', error: { code: 'E_AUTHORIZATION_ERROR' } });
  });
});

describe('the listener', () => {
  it('takes one answer, holds the page until the outcome is known, and says what it was', async () => {
    const { good, pending, end } = await waiting();
    const page = fetch(good());
    expect(await pending.response).toMatchObject({ kind: 'code' });
    end({ kind: 'signed_in' });
    const answer = await page;
    expect(answer.status).toBe(200);
    expect(await answer.text()).toContain('Signed in to linear');
  });

  it('says truthfully that it did not work', async () => {
    const { good, end } = await waiting();
    end({ kind: 'failed', error: new AppError('E_TOKEN_REFUSED', 'login.example refused <the> request.') });
    const answer = await fetch(good());
    expect(answer.status).toBe(400);
    const text = await answer.text();
    expect(text).toContain('The sign-in to linear did not work');
    expect(text).toContain('login.example refused &lt;the&gt; request.');
    expect(text).toContain('E_TOKEN_REFUSED');
  });

  it('AR12: says "already used" to the same answer again, and gives it to nobody', async () => {
    const { good, pending, end, listener } = await waiting();
    const first = fetch(good());
    await pending.response;
    const second = await fetch(good('another-code'));
    expect(second.status).toBe(410);
    expect(await second.text()).toContain('already used');
    end({ kind: 'signed_in' });
    await first;
    listener.retire('used');
    expect(await (await fetch(good())).text()).toContain('already used');
    expect(await pending.response).toMatchObject({ code: new Secret('the-code') });
  });

  it('AR05 AR06: shows strangers a page and goes on waiting', async () => {
    const { good, address, pending, end } = await waiting();
    for (const stranger of [
      address({ code: 'x', state: 'wrong' }),
      address({ code: 'x' }),
      address({ error: 'access_denied' }),
    ]) {
      const answer = await fetch(stranger);
      expect(answer.status).toBe(400);
      expect(await answer.text()).toContain('for another sign-in');
    }
    end({ kind: 'signed_in' });
    expect((await fetch(good())).status).toBe(200);
    expect(await pending.response).toMatchObject({ kind: 'code' });
  });

  it('AR16: explains an answer behind a # and one in a form', async () => {
    const { listener, end, good } = await waiting();
    const fragment = await fetch(listener.redirectUri);
    expect(fragment.status).toBe(400);
    expect(await fragment.text()).toContain('cannot read');
    const form = await fetch(listener.redirectUri, { method: 'POST', body: new URLSearchParams({ code: 'c' }) });
    expect(form.status).toBe(405);
    expect(form.headers.get('allow')).toBe('GET');
    expect(await form.text()).toContain('as a form');
    end({ kind: 'signed_in' });
    expect((await fetch(good())).status).toBe(200);
  });

  it('AR15: says "ended" to an answer that comes after a cancel, then closes its port within a second', async () => {
    const { listener, good, pending } = await waiting();
    listener.retire('expired');
    const retired = performance.now();
    const late = await fetch(good());
    expect(late.status).toBe(410);
    expect(await late.text()).toContain('has ended');
    expect(pending.received).toBe(false);
    await until(
      () =>
        fetch(good()).then(
          () => false,
          () => true,
        ),
      'the port is closed',
      2_000,
    );
    expect(performance.now() - retired).toBeLessThan(1_500);
  });

  it('AR14: takes a code of 12 KB', async () => {
    const { good, end } = await waiting();
    end({ kind: 'signed_in' });
    expect((await fetch(good('c'.repeat(12_000)))).status).toBe(200);
  });

  it('CB01: listens on 127.0.0.1 and no other address, and is closed at once', async () => {
    const listener = await listen();
    const others = Object.values(networkInterfaces()).flatMap((list) => (list ?? []).map(({ address }) => address));
    for (const address of [...others, '127.0.0.2', '::1'].filter((one) => one !== '127.0.0.1')) {
      expect(await reachable(portOf(listener), address), address).toBe(false);
    }
    expect(await reachable(portOf(listener), '127.0.0.1')).toBe(true);
    await listener.close();
    expect(await reachable(portOf(listener), '127.0.0.1')).toBe(false);
  });

  it.each([
    ['another path', { path: '/other' }, 404],
    ['a path below', { path: `${redirectPath(issuer)}/x` }, 404],
    ['the path in another spelling', { path: `/.${redirectPath(issuer)}` }, 404],
    ['an absolute request target', { path: 'http://127.0.0.1/callback' }, 404],
    ['the path of another issuer', { path: redirectPath('https://other.example') }, 404],
    ['HEAD', { method: 'HEAD' }, 405],
    ['POST', { method: 'POST' }, 405],
    ['OPTIONS', { method: 'OPTIONS' }, 405],
    ['another host name (rebinding)', { host: 'evil.example' }, 421],
    ['another host name with our port', { host: 'localhost' }, 421],
  ])('CB02: refuses %s, and nothing changes', async (_, options, status) => {
    const { listener, pending } = await waiting();
    expect((await raw(listener, options)).status).toBe(status);
    expect(pending.received).toBe(false);
  });

  it('CB03: takes the next port when one is in use, and says so when all are', async () => {
    const [a, b] = [await occupy(0, '127.0.0.1'), await occupy(0, '127.0.0.1')];
    const ports = [a, b].map((server) => (server.address() as AddressInfo).port);
    const free = await listen();
    await free.close();
    expect(portOf(await listen({ ports: [...ports, portOf(free)] }))).toBe(portOf(free));
    const error = await listen({ ports }).catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({ code: 'E_PORT_IN_USE' });
  });

  it('CB04: 300 requests at once, 100 that dawdle and a header of 64 KB do not keep the answer out', async () => {
    const { listener, good, pending, end, address } = await waiting();
    const slow: Socket[] = [];
    closing.push(() => slow.forEach((socket) => socket.destroy()));
    for (let n = 0; n < 100; n += 1) {
      const socket = connect(portOf(listener), '127.0.0.1');
      socket.on('error', () => {}).write('GET /call');
      slow.push(socket);
    }
    const many = Array.from({ length: 300 }, (_, n) =>
      fetch(address({ code: 'x', state: `guess-${n}` })).then(({ status }) => status),
    );
    const huge = await raw(listener, { headers: { 'x-filler': 'x'.repeat(64 * 1024) } }).then(
      ({ status }) => status,
      () => 431,
    );
    expect(huge).toBe(431);
    end({ kind: 'signed_in' });
    expect((await fetch(good())).status).toBe(200);
    expect(await pending.response).toMatchObject({ kind: 'code' });
    expect(new Set(await Promise.all(many))).toEqual(new Set([400]));
    const started = performance.now();
    await listener.close();
    expect(performance.now() - started).toBeLessThan(1_000);
  });

  it('CB06: no page holds a code, a state, or anything from outside', async () => {
    const { good, end, address } = await waiting();
    end({ kind: 'signed_in' });
    for (const url of [
      address({ code: 'secret-code', state: 'guessed-state', x: '<script>' }),
      good('secret-code'),
      good('secret-code'),
    ]) {
      const answer = await fetch(url);
      const text = await answer.text();
      expect(text).not.toMatch(/secret-code|guessed-state|the-state|<script/);
      expect(text).not.toMatch(/(src|href)=/);
      expect(answer.headers.get('cache-control')).toBe('no-store');
      expect(answer.headers.get('referrer-policy')).toBe('no-referrer');
      expect(answer.headers.get('content-security-policy')).toMatch(
        /^default-src 'none'; style-src 'sha256-[^']+'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'$/,
      );
      expect(answer.headers.get('x-content-type-options')).toBe('nosniff');
    }
  });

  it('CB07: the redirect URI names 127.0.0.1 itself, whoever sits on other loopback addresses', async () => {
    const listener = await listen();
    await occupy(portOf(listener), '127.0.0.2').catch(() => undefined);
    await occupy(portOf(listener), '::1').catch(() => undefined);
    expect(new URL(listener.redirectUri).hostname).toBe('127.0.0.1');
    expect((await raw(listener, { path: '/' })).status).toBe(404);
  });

  it('CB07: for `localhost` a port that somebody holds on ::1 is not used', async (context) => {
    const squatter = await occupy(0, '::1').catch(() => undefined);
    if (!squatter) return context.skip('this computer has no IPv6');
    const squatted = (squatter.address() as AddressInfo).port;
    const error = await listen({ host: 'localhost', ports: [squatted] }).catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({ code: 'E_PORT_IN_USE' });
    const listener = await listen({ host: 'localhost' });
    expect(listener.redirectUri).toMatch(/^http:\/\/localhost:\d+\/callback\//);
    for (const address of ['127.0.0.1', '::1']) expect(await reachable(portOf(listener), address), address).toBe(true);
  });

  it('CB08: each issuer has a path of its own', () => {
    expect(redirectPath(issuer)).toMatch(/^\/callback\/[0-9a-f]{12}$/);
    expect(redirectPath(`${issuer}/`)).not.toBe(redirectPath(issuer));
  });
});

describe('the page', () => {
  it('AR08: shows foreign words as text', () => {
    const error = new AppError('E_AUTHORIZATION_ERROR', 'x (server_error): <script>alert(1)</script> "quoted" & more');
    const { body } = redirectPage({ kind: 'failed', error }, '<b>name</b>');
    expect(body).toContain('&lt;script&gt;alert(1)&lt;/script&gt; &quot;quoted&quot; &amp; more');
    expect(body).toContain('&lt;b&gt;name&lt;/b&gt;');
    expect(body).not.toContain('<script');
  });
});

function reachable(port: number, host: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ port, host, timeout: 1_000 });
    const end = (open: boolean) => {
      socket.destroy();
      resolve(open);
    };
    socket
      .once('connect', () => end(true))
      .once('error', () => end(false))
      .once('timeout', () => end(false));
  });
}
