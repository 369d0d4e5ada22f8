import { afterEach, describe, expect, it } from 'vitest';
import { Secret } from '../../../electron/core/base/secret.ts';
import type { FaultyOptions, ScenarioSettings } from '../../fixtures/faulty/world.ts';
import { unavailable } from '../../fixtures/fake-store.ts';
import { credentialId as id, outcomeOf } from '../../fixtures/access-tokens-rig.ts';
import { signInAt, startLiveAccessTokens, type LiveAccessTokens } from '../../fixtures/live-access-tokens.ts';
import { until } from '../../fixtures/wait.ts';

// Refreshes against a real server with named faults. The timing is tested on a fake clock in refresh-retries.test.ts.

let live: LiveAccessTokens;
afterEach(async () => {
  // In every test: no secret in the log, and nothing sent to another host.
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

/** Whether the server accepts this token at its MCP endpoint. */
async function isAccepted(token: string): Promise<boolean> {
  const response = await fetch(live.faulty.url, {
    method: 'POST',
    headers: {
      authorization: `Bearer ${token}`,
      'content-type': 'application/json',
      accept: 'application/json, text/event-stream',
    },
    body: JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'ping' }),
  });
  await response.text();
  return response.status !== 401;
}

describe('a refresh whose response is lost', () => {
  it.each(['refresh-drop-grace', 'refresh-drop-mid'])(
    'RF02 sends the same token a second time and needs no sign-in (%s)',
    async (scenario) => {
      const old = await signedIn(scenario);
      expect(await isAccepted(await after401(old))).toBe(true);
      expect(live.faulty.counts).toMatchObject({ refreshes: 2, graceReuses: 1 });
      expect(live.faulty.seen.token.at(-1)?.['refresh_token']).toBe(live.faulty.seen.token.at(-2)?.['refresh_token']);
    },
  );

  it('RF03 asks for a new sign-in after two requests under strict rotation (refresh-drop-strict)', async () => {
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
    expect(await isAccepted(await live.signIn())).toBe(true);
  });
});

describe('concurrent and repeated refreshes', () => {
  it('RF05 send one request for 200 calls with an expired token at a slow server with reuse detection', async () => {
    const old = await signedIn('refresh-slow', { delayMs: 300 });
    const tokens = await Promise.all(Array.from({ length: 200 }, () => after401(old)));
    expect(new Set(tokens).size).toBe(1);
    expect(await isAccepted(tokens[0] ?? '')).toBe(true);
    expect(live.faulty.counts).toMatchObject({ refreshes: 1, refreshReuses: 0 });
  });

  it('never reuse a token in 20 rotations with restarts in between', async () => {
    let token = await signedIn('healthy-strict');
    for (let round = 0; round < 20; round += 1) {
      if (round % 5 === 4) await live.restart();
      token = outcomeOf(await live.tokens.refreshNow(id));
      expect(await isAccepted(token)).toBe(true);
    }
    expect(live.faulty.counts).toMatchObject({ refreshes: 20, refreshReuses: 0, graceReuses: 0 });
  });

  it('RF20 complete and are stored when the host cancels the call', async () => {
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
    expect(await isAccepted(outcomeOf(await live.tokens.accessToken(id)))).toBe(true);
    expect(live.faulty.counts.refreshReuses).toBe(0);
  });
});

describe('a refresh after a temporary fault', () => {
  it.each([
    ['RF06', 'refresh-5xx', { times: 2 }],
    ['RF09', 'refresh-html', { times: 1 }],
    ['RF17', 'refresh-redirect-307', { times: 1 }],
    ['LC02', 'refresh-portal', { times: 1 }],
  ])('%s makes the call wait and uses the same refresh token (%s)', async (_row, scenario, settings) => {
    const old = await signedIn(scenario, settings);
    expect(await isAccepted(await after401(old))).toBe(true);
    const { token } = live.faulty.seen;
    expect(new Set(token.slice(1).map((form) => form['refresh_token'])).size).toBe(1);
    expect(live.faulty.counts.refreshes).toBe(settings.times + 1);
    expect(live.faulty.evilHits).toBe(0);
  });

  it.each(['refresh-429', 'refresh-429-date'])(
    'RF07 sends no request before Retry-After has passed (%s)',
    async (scenario) => {
      const old = await signedIn(scenario, { retryAfterSeconds: 2 });
      expect(await isAccepted(await after401(old))).toBe(true);
      expect(live.faulty.counts).toMatchObject({ refreshes: 2, early: 0 });
    },
  );

  it('RF10 sends the same token again after a time-out', async () => {
    live = await startLiveAccessTokens();
    live.http = (http) => ({ ...http, fetch: (request) => http.fetch({ ...request, timeoutMs: 300 }) });
    await live.restart();
    const old = await live.signIn();
    await live.faulty.setScenario('refresh-hang', { times: 2 });
    expect(await isAccepted(await after401(old))).toBe(true);
    expect(live.faulty.counts.refreshes).toBe(3);
  });

  it('RF15 gives a waiting call its token when the authorization server is back', async () => {
    const old = await signedIn('refresh-as-down');
    const waiting = after401(old);
    await until(() => live.tokens.state(id).kind === 'retrying', 'the refresh is retried');
    await live.faulty.setScenario('healthy-strict');
    expect(await isAccepted(await waiting)).toBe(true);
  });

  it('accepts a token response whose optional members are null, three times in a row', async () => {
    await signedIn('refresh-null-members', {}, { rotation: 'strict' });
    for (let round = 0; round < 3; round += 1)
      expect(await isAccepted(outcomeOf(await live.tokens.refreshNow(id)))).toBe(true);
    expect(live.faulty.counts.refreshReuses).toBe(0);
  });

  it('RF13 keeps the rotated token of a response without an access token under strict rotation', async () => {
    await signedIn('refresh-no-access', { times: 1 }, { rotation: 'strict' });
    expect(outcomeOf(await live.tokens.refreshNow(id))).toBe('unavailable E_REFRESH_FAILED');
    await live.restart();
    expect(await isAccepted(outcomeOf(await live.tokens.accessToken(id)))).toBe(true);
    expect(live.faulty.counts.refreshReuses).toBe(0);
  });

  it('RF13 refreshes once, then blames the server, when it gets the same access token (refresh-same-at)', async () => {
    const old = await signedIn('refresh-same-at');
    expect(await after401(old)).toBe(old);
    expect(await after401(old)).toBe('refused E_SERVER_REFUSED');
    expect(live.faulty.counts.refreshes).toBe(1);
  });

  it('RF11 uses the old refresh token again without rotation (healthy-norotate)', async () => {
    await signedIn('healthy-norotate');
    for (let round = 0; round < 3; round += 1)
      expect(await isAccepted(outcomeOf(await live.tokens.refreshNow(id)))).toBe(true);
    await live.restart();
    expect(await isAccepted(outcomeOf(await live.tokens.accessToken(id)))).toBe(true);
  });

  it('RF25 stores a narrower scope (refresh-scope-less)', async () => {
    await signedIn('refresh-scope-less');
    await live.tokens.refreshNow(id);
    expect(live.vault.facts(id)?.grantedScopes).toEqual(['mcp:read']);
  });
});

describe('a refused refresh', () => {
  it.each([
    'refresh-invalid-grant',
    'refresh-invalid-grant-401',
    'refresh-invalid-grant-text',
    'refresh-invalid-grant-200',
  ])('RF01 ends the sign-in after one request until the next sign-in (%s)', async (scenario) => {
    const old = await signedIn(scenario);
    expect(await after401(old)).toBe('refused E_SIGN_IN_AGAIN');
    expect(outcomeOf(await live.tokens.accessToken(id))).toBe('refused E_SIGN_IN_AGAIN');
    expect(live.faulty.counts.refreshes).toBe(1);
    await live.faulty.setScenario('healthy');
    expect(await isAccepted(await live.signIn())).toBe(true);
    expect(live.tokens.state(id).kind).toBe('usable');
  });

  it('RF14 fails with E_CLIENT_REFUSED after two requests of an unknown client, and keeps the credential', async () => {
    live = await startLiveAccessTokens();
    const { credential, accessToken } = await signInAt(live.faulty);
    await live.tokens.adopt({ ...credential, clientId: 'forgotten' }, accessToken, 60_000);
    expect(await after401(accessToken.reveal())).toBe('refused E_CLIENT_REFUSED');
    expect(live.faulty.counts.refreshes).toBe(2);
    expect((await live.vault.read(id)).kind).toBe('found');
  });
});

describe('the store and the authorization server', () => {
  it('RF18 keep the new token in memory when the store fails after a strict rotation, with one refresh', async () => {
    const old = await signedIn('healthy-strict');
    let failures = 2;
    live.store.fault = (operation, item) =>
      operation === 'set' && item.endsWith('.1') && (failures -= 1) >= 0 ? unavailable : undefined;
    const waiting = after401(old);
    await until(() => live.tokens.state(id).kind === 'blocked', 'the status shows the fault');
    expect(live.tokens.state(id)).toMatchObject({ error: { code: 'E_STORE_WRITE' } });
    expect(await isAccepted(await waiting)).toBe(true);
    await live.restart();
    expect(await isAccepted(outcomeOf(await live.tokens.accessToken(id)))).toBe(true);
    expect(live.faulty.counts).toMatchObject({ refreshes: 2, refreshReuses: 0 });
  });

  it('have no usable token left after a sign-out', async () => {
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

  it('have no usable token left after a sign-out during a refresh', async () => {
    const old = await signedIn('refresh-hold');
    const waiting = after401(old);
    await until(() => live.faulty.holding === 1, 'the refresh is held');
    await live.tokens.signOut(id);
    expect(await waiting).toBe('anonymous');
    const before = live.faulty.counts.revocations;
    live.faulty.release();
    await until(() => live.faulty.counts.revocations >= before + 2, 'the late tokens are revoked');
    const late = live.faulty.secrets().findLast((secret) => secret.includes('-access-')) ?? '';
    expect(await isAccepted(late)).toBe(false);
    expect(live.store.items.size).toBe(0);
  });
});
