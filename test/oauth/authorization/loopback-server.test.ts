import { connect, type Socket } from 'node:net';
import { networkInterfaces } from 'node:os';
import { describe, expect, it } from 'vitest';
import { AppError } from '../../../electron/core/base/errors.ts';
import { Secret } from '../../../electron/core/base/secret.ts';
import { redirectPath } from '../../../electron/core/oauth/authorization/loopback-server.ts';
import { closeAfterEach } from '../../fixtures/closing.ts';
import { failure } from '../../fixtures/failure.ts';
import {
  isReachable,
  issuer,
  occupyPort,
  openListener,
  openWaitingSignIn,
  portOf,
  rawRequest,
} from '../../fixtures/redirect-listener.ts';
import { until } from '../../fixtures/wait.ts';

const closing = closeAfterEach();

describe('the redirect listener', () => {
  it('accepts one response, and shows the result of the sign-in on its page once it is known', async () => {
    const { good, pending, end } = await openWaitingSignIn(closing);
    const page = fetch(good());
    expect(await pending.response).toMatchObject({ kind: 'code' });
    end({ kind: 'signed_in' });
    const response = await page;
    expect(response.status).toBe(200);
    expect(await response.text()).toContain('Signed in to linear');
  });

  it('shows why the sign-in failed', async () => {
    const { good, end } = await openWaitingSignIn(closing);
    end({ kind: 'failed', error: new AppError('E_TOKEN_REFUSED', 'login.example refused <the> request.') });
    const response = await fetch(good());
    expect(response.status).toBe(400);
    const text = await response.text();
    expect(text).toContain('Could not sign in to linear');
    expect(text).toContain('login.example refused &lt;the&gt; request.');
    expect(text).toContain('E_TOKEN_REFUSED');
  });

  it('AR12: shows "already used" for a second response, and does not deliver it', async () => {
    const { good, pending, end, listener } = await openWaitingSignIn(closing);
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

  it('AR05 AR06: shows a page for unrelated responses and keeps waiting', async () => {
    const { good, address, pending, end } = await openWaitingSignIn(closing);
    for (const unrelated of [
      address({ code: 'x', state: 'wrong' }),
      address({ code: 'x' }),
      address({ error: 'access_denied' }),
    ]) {
      const response = await fetch(unrelated);
      expect(response.status).toBe(400);
      expect(await response.text()).toContain('for another sign-in');
    }
    end({ kind: 'signed_in' });
    expect((await fetch(good())).status).toBe(200);
    expect(await pending.response).toMatchObject({ kind: 'code' });
  });

  it('AR16: explains why it cannot read a response in the fragment or in a form', async () => {
    const { listener, end, good } = await openWaitingSignIn(closing);
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

  it('AR15: shows "has ended" for a response after a cancel, then closes its port by itself', async () => {
    const { listener, good, pending } = await openWaitingSignIn(closing);
    listener.retire('expired');
    const late = await fetch(good());
    expect(late.status).toBe(410);
    expect(await late.text()).toContain('has ended');
    expect(pending.received).toBe(false);
    await until(async () => !(await isReachable(portOf(listener))), 'the port is closed');
  });

  it('AR14: accepts a code of 12 KB', async () => {
    const { good, end } = await openWaitingSignIn(closing);
    end({ kind: 'signed_in' });
    expect((await fetch(good('c'.repeat(12_000)))).status).toBe(200);
  });

  it('CB01: listens on 127.0.0.1 only, and on no port after close', async () => {
    const listener = await openListener(closing);
    const others = Object.values(networkInterfaces()).flatMap((list) => (list ?? []).map(({ address }) => address));
    for (const address of [...others, '127.0.0.2', '::1'].filter((one) => one !== '127.0.0.1')) {
      expect(await isReachable(portOf(listener), address), address).toBe(false);
    }
    expect(await isReachable(portOf(listener), '127.0.0.1')).toBe(true);
    await listener.close();
    expect(await isReachable(portOf(listener), '127.0.0.1')).toBe(false);
  });

  it.each([
    ['a request for another path', { path: '/other' }, 404],
    ['a request for a path below', { path: `${redirectPath(issuer)}/x` }, 404],
    ['the path in another spelling', { path: `/.${redirectPath(issuer)}` }, 404],
    ['an absolute request target', { path: 'http://127.0.0.1/callback' }, 404],
    ['a request for the path of another issuer', { path: redirectPath('https://other.example') }, 404],
    ['HEAD', { method: 'HEAD' }, 405],
    ['POST', { method: 'POST' }, 405],
    ['OPTIONS', { method: 'OPTIONS' }, 405],
    ['another host name (DNS rebinding)', { host: 'evil.example' }, 421],
    ['localhost without the port', { host: 'localhost' }, 421],
  ])('CB02: rejects %s, and keeps waiting', async (_, options, status) => {
    const { listener, pending } = await openWaitingSignIn(closing);
    expect((await rawRequest(listener, options)).status).toBe(status);
    expect(pending.received).toBe(false);
  });

  it('CB03: uses the next port if one is in use, and fails with E_PORT_IN_USE if all are', async () => {
    const ports = [await occupyPort(closing), await occupyPort(closing)];
    const free = await openListener(closing);
    await free.close();
    expect(portOf(await openListener(closing, { ports: [...ports, portOf(free)] }))).toBe(portOf(free));
    expect((await failure(openListener(closing, { ports }))).code).toBe('E_PORT_IN_USE');
  });

  it('CB04: accepts the response during 300 other requests, 100 slow connections and a 64 KB header', async () => {
    const { listener, good, pending, end, address } = await openWaitingSignIn(closing);
    const slow: Socket[] = [];
    closing.push(async () => slow.forEach((socket) => socket.destroy()));
    const openSlow = () => {
      const socket = connect(portOf(listener), '127.0.0.1');
      socket.on('error', () => {}).write('GET /call');
      slow.push(socket);
      return socket;
    };
    for (let n = 0; n < 100; n += 1) openSlow();
    const many = Array.from({ length: 300 }, (_, n) =>
      fetch(address({ code: 'x', state: `guess-${n}` })).then(({ status }) => status),
    );
    const huge = await rawRequest(listener, { headers: { 'x-filler': 'x'.repeat(64 * 1024) } }).then(
      ({ status }) => status,
      () => 431,
    );
    expect(huge).toBe(431);
    end({ kind: 'signed_in' });
    expect((await fetch(good())).status).toBe(200);
    expect(await pending.response).toMatchObject({ kind: 'code' });
    expect(new Set(await Promise.all(many))).toEqual(new Set([400]));
    // A slow connection whose headers time out is told so (408). Closing does not wait for that.
    const last = openSlow();
    let received = '';
    last.on('data', (chunk) => (received += String(chunk)));
    await until(() => last.readyState === 'open', 'the connection is open');
    await listener.close();
    await until(() => last.closed, 'the connection is closed');
    expect(received).toBe('');
  });

  it('CB06: shows nothing of the request on any page, neither code nor state', async () => {
    const { good, end, address } = await openWaitingSignIn(closing);
    end({ kind: 'signed_in' });
    for (const url of [
      address({ code: 'secret-code', state: 'guessed-state', x: '<script>' }),
      good('secret-code'),
      good('secret-code'),
    ]) {
      const response = await fetch(url);
      const text = await response.text();
      expect(text).not.toMatch(/secret-code|guessed-state|the-state|<script/);
      expect(text).not.toMatch(/(src|href)=/);
      expect(response.headers.get('cache-control')).toBe('no-store');
      expect(response.headers.get('referrer-policy')).toBe('no-referrer');
      expect(response.headers.get('content-security-policy')).toMatch(
        /^default-src 'none'; style-src 'sha256-[^']+'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'$/,
      );
      expect(response.headers.get('x-content-type-options')).toBe('nosniff');
    }
  });

  it('CB07: uses 127.0.0.1 in the redirect URI, so that programs on other loopback addresses get nothing', async () => {
    const listener = await openListener(closing);
    await occupyPort(closing, portOf(listener), '127.0.0.2').catch(() => undefined);
    await occupyPort(closing, portOf(listener), '::1').catch(() => undefined);
    expect(new URL(listener.redirectUri).hostname).toBe('127.0.0.1');
    expect((await rawRequest(listener, { path: '/' })).status).toBe(404);
  });

  it('CB07: does not use a port for `localhost` that is in use on ::1', async (context) => {
    const port = await occupyPort(closing, 0, '::1').catch(() => undefined);
    if (port === undefined) return context.skip('this computer has no IPv6');
    const error = await failure(openListener(closing, { host: 'localhost', ports: [port] }));
    expect(error.code).toBe('E_PORT_IN_USE');
    const listener = await openListener(closing, { host: 'localhost' });
    expect(listener.redirectUri).toMatch(/^http:\/\/localhost:\d+\/callback\//);
    for (const address of ['127.0.0.1', '::1'])
      expect(await isReachable(portOf(listener), address), address).toBe(true);
  });

  it('CB08: has a separate path for each issuer', () => {
    expect(redirectPath(issuer)).toMatch(/^\/callback\/[0-9a-f]{12}$/);
    expect(redirectPath(`${issuer}/`)).not.toBe(redirectPath(issuer));
  });
});
