import { afterEach, describe, expect, it } from 'vitest';
import { Secret } from '../../../electron/core/base/secret.ts';
import type { FaultyOptions, ScenarioSettings } from '../../fixtures/faulty/world.ts';
import { unavailable } from '../../fixtures/fake-store.ts';
import { credentialId as id, outcomeOf } from '../../fixtures/access-tokens-rig.ts';
import { signInAt, startLiveAccessTokens, type LiveAccessTokens } from '../../fixtures/live-access-tokens.ts';
import { until } from '../../fixtures/wait.ts';

// The refresh path against a real server that fails in named ways. What happens when is in tokens.test.ts.

let live: LiveAccessTokens;
afterEach(async () => {
  // Whatever happened: no secret in the log, nothing sent to a stranger.
  for (const secret of live.faulty.secrets()) expect(live.log.join('')).not.toContain(secret);
  expect(live.faulty.leaked()).toEqual([]);
  await live.close();
});

async function signedIn(
  scenario: string,
  settings: ScenarioSettings = {},
  options: FaultyOptions = {},
): Promise<string> {
  live = await startLiveAccessTokens(options);
  const token = await live.signIn();
  await live.faulty.setScenario(scenario, settings);
  return token;
}

const after401 = async (token: string): Promise<string> =>
  outcomeOf(await live.tokens.accessToken(id, { rejected: new Secret(token) }));

/** The server takes this token at its MCP endpoint. */
async function worksAt(token: string): Promise<boolean> {
  const answer = await fetch(live.faulty.url, {
    method: 'POST',
    headers: {
      authorization: `Bearer ${token}`,
      'content-type': 'application/json',
      accept: 'application/json, text/event-stream',
    },
    body: JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'ping' }),
  });
  await answer.text();
  return answer.status !== 401;
}

describe('a refresh whose answer is lost', () => {
  it.each(['refresh-drop-grace', 'refresh-drop-mid'])(
    'RF02 %s: the same token again within 2 s, and nobody signs in',
    async (scenario) => {
      const old = await signedIn(scenario);
      const start = performance.now();
      expect(await worksAt(await after401(old))).toBe(true);
      expect(performance.now() - start).toBeLessThan(2_000);
      expect(live.faulty.counts).toMatchObject({ refreshes: 2, graceReuses: 1 });
      expect(live.faulty.seen.token.at(-1)?.['refresh_token']).toBe(live.faulty.seen.token.at(-2)?.['refresh_token']);
    },
  );

  it('RF03 refresh-drop-strict: two requests at most, then "sign in again"; the store is whole', async () => {
    const old = await signedIn('refresh-drop-strict');
    expect(await after401(old)).toBe('refused E_SIGN_IN_AGAIN');
    expect(live.faulty.counts.refreshes).toBe(2);
    expect(await live.vault.read(id)).toMatchObject({
      kind: 'found',
      credential: { quarantinedAt: expect.any(Number) as number },
    });
    await live.restart();
    expect(live.tokens.state(id).kind).toBe('ended');
    await live.faulty.setScenario('healthy');
    expect(await worksAt(await live.signIn())).toBe(true);
  });
});

describe('many calls', () => {
  it('RF05 200 calls at an expired token, rotation with reuse detection, a slow server: one refresh, every call served', async () => {
    const old = await signedIn('refresh-slow', { delayMs: 300 });
    const answers = await Promise.all(Array.from({ length: 200 }, () => after401(old)));
    expect(new Set(answers).size).toBe(1);
    expect(await worksAt(answers[0] ?? '')).toBe(true);
    expect(live.faulty.counts).toMatchObject({ refreshes: 1, refreshReuses: 0 });
  });

  it('20 rotations in a row with reuse detection, with restarts in between: never a reuse', async () => {
    let token = await signedIn('healthy-strict');
    for (let round = 0; round < 20; round += 1) {
      if (round % 5 === 4) await live.restart();
      token = outcomeOf(await live.tokens.refreshNow(id));
      expect(await worksAt(token)).toBe(true);
    }
    expect(live.faulty.counts).toMatchObject({ refreshes: 20, refreshReuses: 0, graceReuses: 0 });
  });

  it('RF20 the host cancels during the refresh: it completes and is stored', async () => {
    const old = await signedIn('refresh-hold');
    const abort = new AbortController();
    const waiting = live.tokens.accessToken(id, { rejected: new Secret(old), signal: abort.signal });
    await until(() => live.faulty.holding === 1, 'the refresh is held');
    abort.abort();
    expect(outcomeOf(await waiting)).toBe('unavailable E_CANCELLED');
    live.faulty.release();
    await until(
      () => live.tokens.state(id).kind === 'usable' && live.vault.facts(id)?.generation === 2,
      'the new token is stored',
    );
    await live.restart();
    await live.faulty.setScenario('healthy-strict');
    expect(await worksAt(outcomeOf(await live.tokens.accessToken(id)))).toBe(true);
    expect(live.faulty.counts.refreshReuses).toBe(0);
  });
});

describe('passing faults', () => {
  it.each([
    ['RF06', 'refresh-5xx', { times: 2 }],
    ['RF09', 'refresh-html', { times: 1 }],
    ['RF17', 'refresh-redirect-307', { times: 1 }],
    ['LC02', 'refresh-portal', { times: 1 }],
  ])('%s %s: the call waits and gets its token, with the same refresh token', async (_row, scenario, settings) => {
    const old = await signedIn(scenario, settings);
    expect(await worksAt(await after401(old))).toBe(true);
    const { token } = live.faulty.seen;
    expect(new Set(token.slice(1).map((form) => form['refresh_token'])).size).toBe(1);
    expect(live.faulty.counts.refreshes).toBe(settings.times + 1);
    expect(live.faulty.evilHits).toBe(0);
  });

  it.each(['refresh-429', 'refresh-429-date'])('RF07 %s: not one request early', async (scenario) => {
    const old = await signedIn(scenario, { retryAfterSeconds: 2 });
    expect(await worksAt(await after401(old))).toBe(true);
    expect(live.faulty.counts).toMatchObject({ refreshes: 2, early: 0 });
  });

  it('RF10 a silent endpoint: after the time limit the same token again', async () => {
    live = await startLiveAccessTokens();
    live.http = (http) => ({ ...http, fetch: (request) => http.fetch({ ...request, timeoutMs: 300 }) });
    await live.restart();
    const old = await live.signIn();
    await live.faulty.setScenario('refresh-hang', { times: 2 });
    expect(await worksAt(await after401(old))).toBe(true);
    expect(live.faulty.counts.refreshes).toBe(3);
  });

  it('RF15 the authorization server is away: a waiting call has its token within 5 s of its return', async () => {
    const old = await signedIn('refresh-as-down');
    const waiting = after401(old);
    await until(() => live.tokens.state(id).kind === 'retrying', 'the fault is seen');
    await live.faulty.setScenario('healthy-strict');
    const start = performance.now();
    expect(await worksAt(await waiting)).toBe(true);
    expect(performance.now() - start).toBeLessThan(5_000);
  });

  it('a token answer full of nulls, after the rotation, is taken three times in a row', async () => {
    await signedIn('refresh-null-members', {}, { rotation: 'strict' });
    for (let round = 0; round < 3; round += 1)
      expect(await worksAt(outcomeOf(await live.tokens.refreshNow(id)))).toBe(true);
    expect(live.faulty.counts.refreshReuses).toBe(0);
  });

  it('RF13 an answer without an access token, under strict rotation: the rotated token is kept and works', async () => {
    await signedIn('refresh-no-access', { times: 1 }, { rotation: 'strict' });
    expect(outcomeOf(await live.tokens.refreshNow(id))).toBe('unavailable E_REFRESH_FAILED');
    await live.restart();
    expect(await worksAt(outcomeOf(await live.tokens.accessToken(id)))).toBe(true);
    expect(live.faulty.counts.refreshReuses).toBe(0);
  });

  it('RF13 refresh-same-at: one refresh, then an error that names the server', async () => {
    const old = await signedIn('refresh-same-at');
    expect(await after401(old)).toBe(old);
    expect(await after401(old)).toBe('refused E_SERVER_REFUSED');
    expect(live.faulty.counts.refreshes).toBe(1);
  });

  it('RF11 healthy-norotate: the old refresh token goes on', async () => {
    await signedIn('healthy-norotate');
    for (let round = 0; round < 3; round += 1)
      expect(await worksAt(outcomeOf(await live.tokens.refreshNow(id)))).toBe(true);
    await live.restart();
    expect(await worksAt(outcomeOf(await live.tokens.accessToken(id)))).toBe(true);
  });

  it('RF25 refresh-scope-less: the narrower scope is recorded', async () => {
    await signedIn('refresh-scope-less');
    await live.tokens.refreshNow(id);
    expect(live.vault.facts(id)?.grantedScopes).toEqual(['mcp:read']);
  });
});

describe('what ends a sign-in', () => {
  it.each([
    'refresh-invalid-grant',
    'refresh-invalid-grant-401',
    'refresh-invalid-grant-text',
    'refresh-invalid-grant-200',
  ])('RF01 %s: one request, quarantine, until the next sign-in', async (scenario) => {
    const old = await signedIn(scenario);
    expect(await after401(old)).toBe('refused E_SIGN_IN_AGAIN');
    expect(outcomeOf(await live.tokens.accessToken(id))).toBe('refused E_SIGN_IN_AGAIN');
    expect(live.faulty.counts.refreshes).toBe(1);
    await live.faulty.setScenario('healthy');
    expect(await worksAt(await live.signIn())).toBe(true);
    expect(live.tokens.state(id).kind).toBe('usable');
  });

  it('RF14 an unknown client: asked twice, then E_CLIENT_REFUSED; the credential is kept', async () => {
    live = await startLiveAccessTokens();
    const { credential, accessToken } = await signInAt(live.faulty);
    await live.tokens.adopt({ ...credential, clientId: 'forgotten' }, accessToken, 60_000);
    expect(await after401(accessToken.reveal())).toBe('refused E_CLIENT_REFUSED');
    expect(live.faulty.counts.refreshes).toBe(2);
    expect((await live.vault.read(id)).kind).toBe('found');
  });
});

describe('the store and the server', () => {
  it('RF18 the store fails after a strict rotation: kept in memory until it can be written, one refresh', async () => {
    const old = await signedIn('healthy-strict');
    let failures = 2;
    live.store.fault = (operation, item) =>
      operation === 'set' && item.endsWith('.1') && (failures -= 1) >= 0 ? unavailable : undefined;
    const waiting = after401(old);
    await until(() => live.tokens.state(id).kind === 'blocked', 'the fault is loud');
    expect(live.tokens.state(id)).toMatchObject({ error: { code: 'E_STORE_WRITE' } });
    expect(await worksAt(await waiting)).toBe(true);
    await live.restart();
    expect(await worksAt(outcomeOf(await live.tokens.accessToken(id)))).toBe(true);
    expect(live.faulty.counts).toMatchObject({ refreshes: 2, refreshReuses: 0 });
  });

  it('sign-out ends the sign-in at the server too', async () => {
    await signedIn('healthy-strict');
    expect(await live.tokens.signOut(id)).toEqual({ revoked: 'confirmed', deleted: true });
    const refreshToken = live.faulty.secrets().findLast((secret) => secret.includes('-refresh-')) ?? '';
    const form = new URLSearchParams({
      grant_type: 'refresh_token',
      refresh_token: refreshToken,
      client_id: 'client-1',
    });
    expect((await fetch(`${live.faulty.issuer}/token`, { method: 'POST', body: form })).status).toBe(400);
    expect(live.store.items.size).toBe(0);
  });

  it('a sign-out while the answer is held: the late tokens are dead at the server, and not stored', async () => {
    const old = await signedIn('refresh-hold');
    const waiting = after401(old);
    await until(() => live.faulty.holding === 1, 'the refresh is held');
    await live.tokens.signOut(id);
    expect(await waiting).toBe('anonymous');
    const before = live.faulty.counts.revocations;
    live.faulty.release();
    await until(() => live.faulty.counts.revocations >= before + 2, 'the late tokens are revoked');
    const late = live.faulty.secrets().findLast((secret) => secret.includes('-access-')) ?? '';
    expect(await worksAt(late)).toBe(false);
    expect(live.store.items.size).toBe(0);
  });
});
