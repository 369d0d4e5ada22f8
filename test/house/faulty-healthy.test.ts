import { describe, expect, it } from 'vitest';
import { closeAfterEach } from '../fixtures/closing.ts';
import { startFaulty, type Faulty } from '../fixtures/faulty-server.ts';
import type { FaultyOptions } from '../fixtures/faulty/world.ts';
import { until } from '../fixtures/wait.ts';
import {
  redirectUri,
  verifier,
  ask,
  member,
  form,
  authorizationUrl,
  exchange,
  refreshWith,
  rpc,
  toolCall,
  signedIn,
  post,
} from '../fixtures/faulty-by-hand.ts';

const closing = closeAfterEach();

async function faultyWith(options: FaultyOptions): Promise<Faulty> {
  const faulty = await startFaulty(options);
  closing.push(faulty.close);
  return faulty;
}

describe('the healthy server', () => {
  it('marks and remembers all secrets that it issues, and reports those that reach another server', async () => {
    const faulty = await faultyWith({ mark: 'canary' });
    const tokens = await signedIn(faulty);
    expect(tokens.access).toMatch(/^canary-access-/);
    expect(faulty.secrets()).toEqual(
      expect.arrayContaining([tokens.access, tokens.refresh, tokens.code, verifier, 'the-state']),
    );
    expect(faulty.leaked()).toEqual([]);
    await fetch(`${faulty.evil.origin}/x`, { method: 'POST', body: tokens.refresh });
    await fetch(`${faulty.internal.origin}/?code=${tokens.code}`);
    expect(faulty.leaked().sort()).toEqual([tokens.code, tokens.refresh].sort());
    expect([faulty.evilHits, faulty.internalHits]).toEqual([1, 1]);
  });

  it('accepts a code once, and only with its verifier, client and redirect URI', async () => {
    const faulty = await faultyWith({});
    const { clientId, code } = await signedIn(faulty);
    expect((await exchange(faulty, 'client-99', code)).text).toMatch(/^401/);
    const wrong = {
      grant_type: 'authorization_code',
      client_id: clientId,
      code,
      redirect_uri: redirectUri,
      code_verifier: 'wrong',
    };
    expect((await ask(`${faulty.issuer}/token`, form(wrong))).text).toMatch(/^400[^]*invalid_grant/);
    expect((await exchange(faulty, clientId, code)).text).toMatch(/^400[^]*invalid_grant/);
    expect((await ask(authorizationUrl(faulty, clientId, 'http://127.0.0.1:2/callback'))).text).toMatch(/^400/);
    expect((await ask(authorizationUrl(faulty, clientId).replace('S256', 'plain'))).text).toMatch(/^400/);
  });

  it('requires the secret of a confidential client', async () => {
    const faulty = await faultyWith({ clients: [{ client_id: 'by hand', client_secret: 's&cret' }] });
    const ask401 = await refreshWith(faulty, 'by hand', 'x');
    expect(ask401.text).toMatch(/^401[^]*invalid_client/);
    const authorization = `Basic ${Buffer.from('by%20hand:s%26cret').toString('base64')}`;
    const known = await ask(`${faulty.issuer}/token`, {
      ...form({ grant_type: 'refresh_token', refresh_token: 'x' }),
      headers: { authorization },
    });
    expect(known.text).toMatch(/^400[^]*invalid_grant/);
  });

  it('ends a sign-in on revocation, and access tokens when they expire or are expired early', async () => {
    const faulty = await faultyWith({ accessTokenSeconds: 0.2 });
    const { clientId, access, refresh } = await signedIn(faulty);
    await until(async () => (await post(faulty, access, toolCall)).text.startsWith('401'), 'the token expires', 2_000);
    const next = member((await refreshWith(faulty, clientId, refresh)).body, 'access_token');
    faulty.expireAccessTokens();
    expect((await post(faulty, next, toolCall)).text).toMatch(/^401[^]*invalid_token/);
    await ask(`${faulty.issuer}/revoke`, form({ token: refresh, client_id: clientId }));
    expect((await refreshWith(faulty, clientId, refresh)).text).toMatch(/^400[^]*invalid_grant/);
  });

  it.each([
    [
      { issuerPath: '/tenant' },
      '/.well-known/oauth-authorization-server/tenant',
      '/.well-known/oauth-authorization-server',
    ],
    [
      { issuerPath: '/tenant', metadataAt: 'appended' },
      '/tenant/.well-known/openid-configuration',
      '/.well-known/openid-configuration/tenant',
    ],
    [{ metadataAt: 'oidc' }, '/.well-known/openid-configuration', '/.well-known/oauth-authorization-server'],
  ] as const)('serves its metadata only at the place that %o selects', async (options, there, notThere) => {
    const faulty = await faultyWith(options);
    const { origin } = new URL(faulty.issuer);
    expect(member((await ask(origin + there)).body, 'issuer')).toBe(faulty.issuer);
    expect((await ask(origin + notThere)).text).toMatch(/^404/);
  });

  it('keeps sessions and GET streams if asked to', async () => {
    const faulty = await faultyWith({ sessions: true, getStream: true, eventStream: true });
    const { access } = await signedIn(faulty);
    const session = (await post(faulty, access, rpc('initialize'))).headers.get('mcp-session-id') ?? '';
    expect((await post(faulty, access, toolCall, session)).text).toContain('text/event-stream');
    const headers = { authorization: `Bearer ${access}`, 'mcp-session-id': session };
    const stream = await fetch(faulty.url, { headers });
    await until(() => faulty.openStreams === 1, 'the stream is open');
    faulty.push({ jsonrpc: '2.0', method: 'notifications/tools/list_changed' });
    const reader = stream.body?.getReader();
    let heard = '';
    while (!heard.includes('list_changed')) heard += Buffer.from((await reader?.read())?.value ?? []).toString();
    await reader?.cancel();
    faulty.forgetSessions();
    expect((await post(faulty, access, toolCall, session)).text).toMatch(/^404/);
  });
});
