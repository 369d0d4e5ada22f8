import { describe, expect, it } from 'vitest';
import { redirectPath } from '../../../electron/core/oauth/authorization/loopback-server.ts';
import type { ErrorCode } from '../../../shared/reply.ts';
import { createFakeClock } from '../../fixtures/clock.ts';
import { closeAfterEach } from '../../fixtures/closing.ts';
import { failure } from '../../fixtures/failure.ts';
import { startFaulty } from '../../fixtures/faulty-server.ts';
import { redirectUriOf, startFaultySignIn } from '../../fixtures/faulty-sign-in.ts';
import { isReachable } from '../../fixtures/redirect-listener.ts';
import { startSignInRig } from '../../fixtures/sign-in-rig.ts';
import { until } from '../../fixtures/wait.ts';

const closing = closeAfterEach();

async function openRig() {
  const login = await startSignInRig();
  closing.push(() => login.close());
  return login;
}

async function openFaulty() {
  const remote = await startFaulty();
  closing.push(() => remote.close());
  return remote;
}

describe('the authorization response in a sign-in', () => {
  it.each<[string, string, ErrorCode]>([
    ['AR01', 'authz-wrong-iss', 'E_ISS_MISMATCH'],
    ['AR02', 'authz-missing-iss', 'E_ISS_MISMATCH'],
    ['AR03', 'authz-iss-normalized', 'E_ISS_MISMATCH'],
    ['AR04', 'authz-error-wrong-iss', 'E_ISS_MISMATCH'],
    ['AR07', 'authz-denied', 'E_SIGN_IN_DENIED'],
    ['AR08', 'authz-error-xss', 'E_AUTHORIZATION_ERROR'],
    ['AR09', 'authz-empty', 'E_AUTHORIZATION_ERROR'],
  ])('%s: %s fails the sign-in with %s, and no code is sent anywhere', async (_, scenario, code) => {
    const { login, remote, server, start, credential } = await startFaultySignIn(closing, { scenario });
    const error = await failure(start());
    expect(error).toMatchObject({ code, server: server.name });
    expect(error.message).not.toMatch(/[\u0000-\u001f\u2028\u202e]/);
    await until(() => login.browser.visits.length > 0, 'the page has loaded');
    const page = login.browser.last;
    expect(page?.status).toBe(400);
    expect(page?.text).toContain(code);
    expect(page?.text).not.toContain('<script');
    if (code === 'E_ISS_MISMATCH') expect(`${page?.text} ${error.message}`).not.toMatch(/Call us|denied|127\.0\.0\.3/);
    expect(remote.counts.codeExchanges).toBe(0);
    expect([remote.internalHits, remote.evilHits]).toEqual([0, 0]);
    expect(await credential()).toBeUndefined();
  });

  it.each([
    ['AR05', 'authz-wrong-state'],
    ['AR06', 'authz-missing-state'],
    ['AR16', 'authz-fragment'],
  ])('%s: %s shows an error page and leaves the sign-in waiting', async (_, scenario) => {
    const { login, remote, start, server } = await startFaultySignIn(closing, { scenario });
    const error = failure(start());
    await until(() => login.browser.visits.length > 0, 'the page has loaded');
    expect(login.browser.last?.status).toBe(400);
    expect(login.signIns.progress(server.id)?.step).toBe('browser');
    expect(remote.counts.codeExchanges).toBe(0);
    login.signIns.cancel(server.id);
    expect((await error).code).toBe('E_CANCELLED');
  });

  it('AR12: leads to one token request if it is delivered twice, and the second page says "already used"', async () => {
    const { login, remote, start } = await startFaultySignIn(closing, { scenario: 'authz-replay' });
    await start();
    await until(() => login.browser.visits.length > 0, 'the page has loaded');
    expect(login.browser.last).toMatchObject({ status: 410, text: expect.stringContaining('already used') });
    expect(remote.counts.codeExchanges).toBe(1);
  });

  it('AR14: may have a code of 12 KB', async () => {
    const { start, credential } = await startFaultySignIn(closing, { scenario: 'authz-huge-code' });
    await start();
    expect(await credential()).toBeDefined();
  });

  it('AR13: can be cancelled if it never arrives, which closes the port', async () => {
    const { login, start, server, waitsInBrowser } = await startFaultySignIn(closing, { scenario: 'authz-never' });
    const error = failure(start());
    await waitsInBrowser();
    login.signIns.cancel(server.id);
    expect(login.signIns.progress(server.id)).toBeUndefined();
    expect(await error).toMatchObject({ code: 'E_CANCELLED', server: server.name });
    const { port } = new URL(redirectUriOf(login.opened[0]));
    await until(async () => !(await isReachable(Number(port))), 'the port is closed');
  });

  it('AR13: is awaited for ten minutes', async () => {
    const clock = createFakeClock();
    const { start, waitsInBrowser } = await startFaultySignIn(closing, { scenario: 'authz-never', clock });
    const error = failure(start());
    await waitsInBrowser();
    await clock.advance(10 * 60 * 1000 - 1);
    await clock.advance(1);
    expect((await error).code).toBe('E_SIGN_IN_TIMEOUT');
    expect(clock.pending).toBe(0);
  });

  it('AR15: is not redeemed if it arrives after a cancel', async () => {
    const { login, remote, start, server } = await startFaultySignIn(closing);
    login.browser.options = { neverFinish: true };
    const error = failure(start());
    const late = (await until(() => login.browser.last, 'the page has loaded')).lastUrl;
    login.signIns.cancel(server.id);
    await error;
    const page = await fetch(late);
    expect(page.status).toBe(410);
    expect(await page.text()).toContain('has ended');
    expect((await failure(login.signIns.finish(server.id, late))).code).toBe('E_REDIRECT_URL');
    expect(remote.counts.codeExchanges).toBe(0);
  });

  it('AR15: is not stored if the sign-in is cancelled during the code exchange', async () => {
    const { login, start, server, credential } = await startFaultySignIn(closing, { scenario: 'token-hang' });
    const error = failure(start());
    await until(() => login.signIns.progress(server.id)?.step === 'exchange', 'the exchange has begun');
    login.signIns.cancel(server.id);
    expect((await error).code).toBe('E_CANCELLED');
    expect(await credential()).toBeUndefined();
  });

  it('AR17: is delivered to neither of two sign-ins if their responses are swapped', async () => {
    const login = await openRig();
    const [a, b] = [await openFaulty(), await openFaulty()];
    login.browser.options = { neverFinish: true };
    const [one, two] = [await login.add(a.url), await login.add(b.url)];
    const ends = [one, two].map(({ id }) => failure(login.signIns.start(id, { openBrowser: true })));
    await until(() => login.browser.visits.length === 2, 'both pages have loaded');
    const [first, second] = login.browser.visits.map(({ lastUrl }) => new URL(lastUrl));
    if (!first || !second) throw new Error('no visits');
    expect(first.pathname).not.toBe(second.pathname);
    for (const [target, other] of [
      [first, second],
      [second, first],
    ] as const) {
      const swapped = new URL(target);
      swapped.search = other.search;
      expect((await fetch(swapped)).status).toBe(400);
      expect((await fetch(new URL(`${other.pathname}${other.search}`, target.origin))).status).toBe(404);
    }
    expect(login.signIns.progress(one.id)?.step).toBe('browser');
    expect(login.signIns.progress(two.id)?.step).toBe('browser');
    expect([a.counts.codeExchanges, b.counts.codeExchanges]).toEqual([0, 0]);
    login.signIns.cancel(one.id);
    login.signIns.cancel(two.id);
    await Promise.all(ends);
  });

  it('CB09: arrives on the same port after an earlier sign-in was cancelled', async () => {
    const { login, start, server } = await startFaultySignIn(closing);
    login.browser.options = { neverFinish: true };
    const cancelled = failure(start());
    await until(() => login.browser.visits.length > 0, 'the page has loaded');
    login.signIns.cancel(server.id);
    login.browser.options = {};
    await start();
    expect((await cancelled).code).toBe('E_CANCELLED');
    expect(redirectUriOf(login.opened[1])).toBe(redirectUriOf(login.opened[0]));
  });

  it('CB08: has a separate path for each authorization server', () => {
    expect(redirectPath('https://a.example')).not.toBe(redirectPath('https://b.example'));
  });
});
