import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import type { IdentityNote } from '../../../shared/identity-note.ts';
import { closeAfterEach } from '../../fixtures/closing.ts';
import { failure } from '../../fixtures/failure.ts';
import { startIdentityRig, unsecuredJwt, withClaims } from '../../fixtures/identity-rig.ts';
import type { OpenidOptions, OpenidSite } from '../../fixtures/openid-site.ts';

const closing = closeAfterEach();

describe('a sign-in at an OpenID Provider', () => {
  it('sends a nonce of 256 bits, and shows the person of the ID token that contains it', async () => {
    const { site, start, facts } = await startIdentityRig(closing);
    await start();
    const nonce = site.seen.authorize[0]?.get('nonce');
    expect(nonce).toMatch(/^[\w-]{43}$/);
    expect(facts()).toMatchObject({
      account: 'Ada Lovelace',
      subject: { issuer: site.issuer, sub: 'ada-1' },
      idTokenClaims: { email: 'ada@example.test', aud: 'client-1' },
    });
    expect(facts()?.identityNotes).toBeUndefined();
    expect(JSON.stringify(facts())).not.toContain(nonce);
  });

  it('sends a new nonce each time', async () => {
    const { site, start } = await startIdentityRig(closing);
    await start();
    await start();
    expect(new Set(site.seen.authorize.map((request) => request.get('nonce'))).size).toBe(2);
  });

  it('sends and expects no nonce without the scope openid', async () => {
    const { site, start, facts } = await startIdentityRig(closing, { scopes: ['mcp:tools'] });
    await start();
    expect(site.seen.authorize[0]?.has('nonce')).toBe(false);
    expect(facts()).toMatchObject({ requestedScopes: ['mcp:tools'] });
    expect(facts()?.account).toBeUndefined();
  });

  it('rejects an extra parameter that would replace the nonce', async () => {
    const { start } = await startIdentityRig(
      closing,
      {},
      { settings: { authorizeParameters: { nonce: 'known to others' } } },
    );
    expect((await failure(start())).code).toBe('E_BAD_INPUT');
  });

  it.each<[string, NonNullable<OpenidOptions['idToken']>, RegExp]>([
    ['for another sign-in (nonce)', withClaims({ nonce: 'of another sign-in' }), /another sign-in/],
    ['without a nonce', withClaims({ nonce: undefined }), /another sign-in/],
    ['of another issuer', withClaims({ iss: 'https://other.example' }), /another issuer/],
    ['for another app', withClaims({ aud: 'client-2' }), /another client/],
    [
      'for several apps and issued to another one (azp)',
      withClaims({ aud: ['client-1', 'client-2'], azp: 'client-2' }),
      /another client/,
    ],
    [
      'for another access token (at_hash)',
      withClaims({ at_hash: createHash('sha256').update('other').digest('base64url') }),
      /another access token/,
    ],
    ['without a sub', withClaims({ sub: undefined }), /required claim/],
    [
      'with the signature of another token',
      async (issued) => {
        const [right, other] = [await issued.sign(issued.claims), await issued.sign({ sub: 'x' })];
        return right.replace(/[^.]+$/, other.split('.')[2] ?? '');
      },
      /invalid signature/,
    ],
    [
      'with a malformed signature',
      async (issued) => (await issued.sign(issued.claims)).replace(/[^.]+$/, '%%%'),
      /invalid signature/,
    ],
    [
      'without a signature and with the wrong nonce',
      ({ claims }) => unsecuredJwt({ alg: 'none' }, { ...claims, nonce: 'x' }),
      /another sign-in/,
    ],
  ])('fails with an ID token %s, and stores nothing', async (_what, idToken, message) => {
    const { login, start, facts } = await startIdentityRig(closing, { idToken });
    const error = await failure(start());
    expect(error).toMatchObject({ code: 'E_ID_TOKEN', message: expect.stringMatching(message) });
    expect(facts()).toBeUndefined();
    expect(login.store.items.size).toBe(0);
  });

  it.each<[string, OpenidOptions, IdentityNote]>([
    ['sends no ID token', { idToken: () => undefined }, 'absent'],
    ['sends an expired ID token', { idToken: withClaims({ exp: Math.floor(Date.now() / 1000) - 61 }) }, 'dates'],
    [
      'signs with a key that it does not publish',
      {
        idToken: async (issued) =>
          (await issued.sign(issued.claims)).replace(
            /^[^.]+/,
            Buffer.from('{"alg":"ES256","kid":"new"}').toString('base64url'),
          ),
      },
      'unknown_key',
    ],
    ['does not sign its ID tokens', { idToken: ({ claims }) => unsecuredJwt({ alg: 'none' }, claims) }, 'algorithm'],
    ['encrypts its ID tokens', { idToken: () => 'a.b.c.d.e' }, 'unreadable'],
    ['publishes no keys', { metadata: { jwks_uri: undefined } }, 'no_keys'],
    [
      'publishes no keys, and passes on the ID token of another issuer',
      { metadata: { jwks_uri: undefined }, idToken: withClaims({ iss: 'https://upstream.example', aud: 'upstream' }) },
      'wrong',
    ],
  ])('succeeds without a name, with a note, if the server %s', async (_what, options, note) => {
    const { start, facts } = await startIdentityRig(closing, options);
    await start();
    expect(facts()).toMatchObject({ renewable: true, identityNotes: [note] });
    expect([facts()?.account, facts()?.subject, facts()?.idTokenClaims]).toEqual([undefined, undefined, undefined]);
  });

  it.each<[string, (site: OpenidSite) => void]>([
    [
      'are a web page',
      (site) => (site.routes['/jwks'] = (_request, response) => response.end('<h1>Sign in to the network</h1>')),
    ],
    ['are huge', (site) => (site.routes['/jwks'] = { keys: [], padding: 'x'.repeat(300_000) })],
    [
      'are redirected elsewhere',
      (site) =>
        (site.routes['/jwks'] = (_request, response) =>
          response.writeHead(307, { location: 'http://127.0.0.3:1/jwks' }).end()),
    ],
    ['do not exist', (site) => delete site.routes['/jwks']],
  ])('succeeds without a name if the keys %s', async (_what, breakKeys) => {
    const { site, start, facts } = await startIdentityRig(closing);
    breakKeys(site);
    await start();
    expect(facts()).toMatchObject({ renewable: true, identityNotes: ['keys_unreachable'] });
    expect(facts()?.account).toBeUndefined();
  });

  it('can be cancelled while it waits for the keys', async () => {
    const { site, login, serverId, start, facts } = await startIdentityRig(closing);
    site.routes['/jwks'] = () => login.signIns.cancel(serverId);
    expect((await failure(start())).code).toBe('E_CANCELLED');
    expect(facts()).toBeUndefined();
  });

  it('does not write to the log who signed in', async () => {
    const { site, login, start } = await startIdentityRig(closing);
    await start();
    const log = login.log.join('');
    expect(log).toContain('"event":"id_token"');
    for (const text of ['Ada', 'ada-1', 'ada@example.test', ...site.secrets]) expect(log).not.toContain(text);
  });
});

describe('an ID token that was not requested', () => {
  it('names the person if it is right', async () => {
    const { start, facts } = await startIdentityRig(closing, {
      scopes: ['mcp:tools'],
      idToken: (issued) => issued.sign(issued.claims),
    });
    await start();
    expect(facts()).toMatchObject({ account: 'Ada Lovelace', subject: { sub: 'ada-1' } });
  });

  it.each<[string, NonNullable<OpenidOptions['idToken']>]>([
    ['from another issuer', withClaims({ iss: 'https://other.example' })],
    ['for another app', withClaims({ aud: 'client-2' })],
    ['for another access token', withClaims({ at_hash: 'x' })],
  ])('does not fail the sign-in if it is %s, and gives no name', async (_what, idToken) => {
    const { start, facts } = await startIdentityRig(closing, { scopes: ['mcp:tools'], idToken });
    await start();
    expect(facts()).toMatchObject({ renewable: true, identityNotes: ['wrong'] });
    expect(facts()?.account).toBeUndefined();
  });
});

describe('the identity after a refresh', () => {
  const refreshed = async (change: object) => {
    const rig = await startIdentityRig(closing, {
      idToken: (issued) =>
        issued.sign(
          issued.grant === 'refresh_token' ? { ...issued.claims, nonce: undefined, ...change } : issued.claims,
        ),
    });
    await rig.start();
    await rig.login.tokens.refreshNow(rig.serverId);
    await rig.login.tokens.refreshNow(rig.serverId);
    expect(rig.site.seen.token.map((form) => form.get('grant_type'))).toEqual([
      'authorization_code',
      'refresh_token',
      'refresh_token',
    ]);
    return rig;
  };

  it('is that of the sign-in', async () => {
    const { facts } = await refreshed({ name: 'Countess Lovelace' });
    expect(facts()).toMatchObject({ account: 'Ada Lovelace', subject: { sub: 'ada-1' } });
    expect(facts()?.identityNotes).toBeUndefined();
  });

  it.each([
    ['another person', { sub: 'mallory', name: 'Mallory' }],
    ['another issuer', { iss: 'https://other.example' }],
  ])('keeps its name if the ID token is of %s, with one note and one line in the log', async (_what, change) => {
    const { login, facts } = await refreshed(change);
    expect(facts()).toMatchObject({ account: 'Ada Lovelace', subject: { sub: 'ada-1' }, identityNotes: ['changed'] });
    expect(login.log.filter((line) => line.includes('other_id_token'))).toHaveLength(1);
    expect(JSON.stringify([facts(), login.log])).not.toMatch(/allory|other\.example/);
  });
});
