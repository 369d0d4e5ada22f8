import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createHttp } from '../../../electron/core/http/client.ts';
import { Secret } from '../../../electron/core/base/secret.ts';
import type { Http } from '../../../electron/core/http/http.ts';
import { refresh } from '../../../electron/core/oauth/token-endpoint/token-endpoint.ts';
import type { Faulty } from '../../fixtures/faulty-server.ts';
import { clientOf, exchange, withFaulty } from '../../fixtures/token-endpoint-rig.ts';

let http: Http;
beforeEach(() => {
  http = createHttp();
});
afterEach(() => http.close());

describe('a refresh request', () => {
  const refreshed = async (faulty: Faulty, client = clientOf(faulty)) => {
    const { refreshToken } = await exchange(http, faulty, client);
    return refresh(client, refreshToken ?? new Secret('none'), {}, { http });
  };

  it('sends the refresh token, the resource and the client, and no scope', () =>
    withFaulty('healthy', {}, async (faulty) => {
      const outcome = await refreshed(faulty);
      expect(outcome.kind).toBe('refreshed');
      const { refresh_token: token, ...sent } = faulty.seen.token[1] ?? {};
      expect(token).toMatch(/^kb-refresh-/);
      expect(sent).toEqual({ grant_type: 'refresh_token', resource: faulty.url, client_id: 'c1' });
    }));

  it.each([
    ['refresh-invalid-grant', 'rejected', 'E_TOKEN_REFUSED'],
    ['refresh-invalid-grant-401', 'rejected', 'E_TOKEN_REFUSED'],
    ['refresh-invalid-grant-text', 'rejected', 'E_TOKEN_REFUSED'],
    ['refresh-invalid-grant-200', 'rejected', 'E_TOKEN_REFUSED'],
    ['refresh-5xx', 'unreachable', 'E_HTTP_STATUS'],
    ['refresh-429', 'unreachable', 'E_HTTP_STATUS'],
    ['refresh-html', 'unreachable', 'E_NOT_JSON'],
    ['refresh-redirect-307', 'unreachable', 'E_REDIRECTED'],
    ['refresh-portal', 'unreachable', 'E_REDIRECTED'],
    ['refresh-drop-strict', 'unreachable', 'E_CONNECTION_LOST'],
    ['refresh-drop-mid', 'unreachable', 'E_CONNECTION_LOST'],
    ['refresh-no-access', 'unreachable', 'E_TOKEN_RESPONSE'],
  ])('%s is %s (%s)', (scenario, kind, code) =>
    withFaulty(scenario, {}, async (faulty) => {
      const outcome = await refreshed(faulty);
      expect(outcome.kind).toBe(kind);
      expect('error' in outcome && outcome.error.code).toBe(code);
      expect(faulty.leaked()).toEqual([]);
    }),
  );

  it('RF07 returns the pause that the server asked for', () =>
    withFaulty('refresh-429', { retryAfterSeconds: 7 }, async (faulty) => {
      const outcome = await refreshed(faulty);
      expect('error' in outcome && outcome.error.retryAfterMs).toBe(7_000);
    }));

  it('returns the rotated refresh token of a response that openid-client would reject', () =>
    withFaulty('refresh-null-members', {}, async (faulty) => {
      const outcome = await refreshed(faulty);
      expect(outcome.kind === 'refreshed' && outcome.tokens.refreshToken?.reveal()).toMatch(/^kb-refresh-/);
    }));

  it('RF13 returns the rotated refresh token of a response without an access token', () =>
    withFaulty('refresh-no-access', {}, async (faulty) => {
      const outcome = await refreshed(faulty);
      if (outcome.kind !== 'unreachable' || !outcome.rotated) throw new Error(outcome.kind);
      expect(outcome.rotated.reveal()).not.toBe(faulty.seen.token.at(-1)?.['refresh_token']);
      await faulty.setScenario('healthy');
      expect((await refresh(clientOf(faulty), outcome.rotated, {}, { http })).kind).toBe('refreshed');
      expect(faulty.counts.graceReuses).toBe(0);
    }));

  it('RF11 succeeds without a new refresh token', () =>
    withFaulty('healthy-norotate', {}, async (faulty) => {
      const outcome = await refreshed(faulty);
      expect(outcome.kind === 'refreshed' && outcome.tokens.refreshToken).toBe(undefined);
    }));

  it('RF14 is client_refused for an unknown client', () =>
    withFaulty('healthy', {}, async (faulty) => {
      expect((await refresh(clientOf(faulty, { clientId: 'gone' }), new Secret('r'), {}, { http })).kind).toBe(
        'client_refused',
      );
    }));

  it('RF15 is unreachable and marked as not sent when the connection is refused', () =>
    withFaulty('refresh-as-down', {}, async (faulty) => {
      const outcome = await refresh(clientOf(faulty), new Secret('r'), {}, { http });
      expect(outcome).toMatchObject({ kind: 'unreachable', error: { code: 'E_CONNECT', sent: false } });
    }));
});
