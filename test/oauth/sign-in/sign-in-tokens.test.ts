import { describe, expect, it } from 'vitest';
import { AppError } from '../../../electron/core/base/errors.ts';
import type { ErrorCode } from '../../../shared/reply.ts';
import { closeAfterEach } from '../../fixtures/closing.ts';
import { failure } from '../../fixtures/failure.ts';
import { startFaultySignIn } from '../../fixtures/faulty-sign-in.ts';
import { until } from '../../fixtures/wait.ts';

const closing = closeAfterEach();

describe('the token response in a sign-in', () => {
  it.each<[string, string, ErrorCode]>([
    ['TR01', 'token-html', 'E_NOT_JSON'],
    ['TR02', 'token-500', 'E_HTTP_STATUS'],
    ['TR04', 'token-huge', 'E_TOO_LARGE'],
    ['TR05', 'token-missing', 'E_TOKEN_RESPONSE'],
    ['TR05', 'token-not-a-string', 'E_TOKEN_RESPONSE'],
    ['TR06', 'token-type-mac', 'E_TOKEN_RESPONSE'],
    ['TR07', 'token-crlf', 'E_TOKEN_RESPONSE'],
    ['TR07', 'token-nul', 'E_TOKEN_RESPONSE'],
    ['TR07', 'token-nonascii', 'E_TOKEN_RESPONSE'],
    ['TR09', 'token-redirect-307', 'E_REDIRECTED'],
    ['TR10', 'token-error-200', 'E_TOKEN_REFUSED'],
    ['TR14', 'token-reset', 'E_CONNECTION_LOST'],
  ])(
    '%s: %s fails the sign-in with %s: the code is sent once, nothing is stored, and the page shows it',
    async (_, scenario, code) => {
      const { login, remote, start, credential } = await startFaultySignIn(closing, { scenario });
      const error = await failure(start());
      expect(error.code).toBe(code);
      expect(remote.counts.codeExchanges).toBe(1);
      expect(remote.evilHits).toBe(0);
      expect(await credential()).toBeUndefined();
      await until(() => login.browser.visits.length > 0, 'the page has loaded');
      expect(login.browser.last?.text).toContain('Could not sign in');
      const texts = JSON.stringify([error.message, login.browser.last?.text, login.log]);
      for (const secret of remote.secrets()) expect(texts).not.toContain(secret);
    },
  );

  it.each([-1, 0, 1e300, '3600', null, undefined])('TR08: succeeds with expires_in %j', async (expiresIn) => {
    const { start, credential } = await startFaultySignIn(closing, {
      scenario: 'token-expires-weird',
      server: { expiresIn },
    });
    await start();
    expect(await credential()).toBeDefined();
  });

  it('TR12: stores tokens of 12 KB and 4 KB byte for byte', async () => {
    const { remote, start, credential } = await startFaultySignIn(closing, { scenario: 'token-long' });
    await start();
    const kept = (await credential())?.refreshToken?.reveal() ?? '';
    expect(kept).toHaveLength(4_000);
    expect(remote.secrets()).toContain(kept);
  });

  it('TR13: is requested once more after a 429, not before its Retry-After', async () => {
    const { remote, start } = await startFaultySignIn(closing, { scenario: 'token-429' });
    await start();
    expect(remote.counts).toMatchObject({ codeExchanges: 2, early: 0 });
  });

  it('fails the sign-in if it cannot be stored, and the page shows why', async () => {
    const { login, start } = await startFaultySignIn(closing, {
      beforeAdopt: () => Promise.reject(new AppError('E_STORE_LOCKED', 'The keychain is locked.')),
    });
    expect((await failure(start())).code).toBe('E_STORE_LOCKED');
    await until(() => login.browser.visits.length > 0, 'the page has loaded');
    expect(login.browser.last?.text).toContain('The keychain is locked.');
  });
});
