import { createHash, createHmac } from 'node:crypto';
import { exportJWK, generateKeyPair, SignJWT, type JWK, type JWTPayload } from 'jose';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createHttp } from '../../../electron/core/http/client.ts';
import {
  verifyIdToken,
  type ExpectedIdToken,
  type IdTokenVerdict,
} from '../../../electron/core/oauth/identity/id-token.ts';
import { createKeySets, type KeyPlace } from '../../../electron/core/oauth/identity/jwks.ts';
import { Secret } from '../../../electron/core/base/secret.ts';
import { createFakeClock, type FakeClock } from '../../fixtures/clock.ts';
import { startSite, type Site } from '../../fixtures/site.ts';
import type { Http } from '../../../electron/core/http/http.ts';

const issuer = 'https://as.example';
const accessToken = new Secret('the access token');
const minute = 60_000;

let http: Http;
let site: Site;
let clock: FakeClock;
beforeEach(async () => {
  http = createHttp();
  site = await startSite();
  clock = createFakeClock();
});
afterEach(async () => {
  await http.close();
  await site.close();
});

interface Signer {
  readonly jwk: JWK;
  sign(change?: JWTPayload, header?: { readonly kid?: string | undefined }): Promise<string>;
}

/** A key of the issuer, and ID tokens that are right but for what a test changes. */
async function signer(algorithm: string, kid = 'k1'): Promise<Signer> {
  const { publicKey, privateKey } = await generateKeyPair(algorithm, { extractable: true });
  const jwk = { ...(await exportJWK(publicKey)), kid, alg: algorithm, use: 'sig' };
  return {
    jwk,
    sign: (change = {}, header = {}) =>
      new SignJWT({ ...goodClaims(), ...change })
        .setProtectedHeader(JSON.parse(JSON.stringify({ alg: algorithm, kid, ...header })) as { alg: string })
        .sign(privateKey),
  };
}

const goodClaims = () => {
  const seconds = Math.floor(clock.now() / 1000);
  return { iss: issuer, aud: 'client-1', sub: 'ada', nonce: 'n-1', iat: seconds, exp: seconds + 300 };
};
const keysPath = '/jwks';
const publish = (...keys: object[]) => {
  site.routes[keysPath] = { keys };
};
const fetches = () => site.hits.filter(({ path }) => path === keysPath).length;

function checker() {
  const keySets = createKeySets(clock);
  return (
    token: string,
    change: Partial<ExpectedIdToken> = {},
    at: Partial<KeyPlace> = {},
  ): Promise<IdTokenVerdict> => {
    const expected = {
      issuer,
      clientId: 'client-1',
      nonce: new Secret('n-1'),
      accessToken,
      now: clock.now(),
      ...change,
    };
    return verifyIdToken(
      new Secret(token),
      expected,
      keySets.keysAt({ owner: 'srv:main', uri: `${site.origin}${keysPath}`, http, allow: ['loopback'], ...at }),
    );
  };
}

/** In one word. */
const word = (verdict: IdTokenVerdict) => (verdict.kind === 'verified' ? 'verified' : `${verdict.kind} ${verdict.why}`);
const unsigned = (header: object, claims: object, signature = '') =>
  [header, claims].map((part) => Buffer.from(JSON.stringify(part)).toString('base64url')).join('.') + `.${signature}`;

describe('the signature of an ID token', () => {
  it.each(['RS256', 'RS384', 'RS512', 'PS256', 'PS384', 'PS512', 'ES256', 'ES384', 'ES512', 'EdDSA'])(
    '%s counts, with a key that the issuer publishes',
    async (algorithm) => {
      const key = await signer(algorithm);
      publish(key.jwk);
      expect(await checker()(await key.sign())).toMatchObject({ kind: 'verified', claims: { sub: 'ada' } });
    },
  );

  it('none proves nothing, even with every claim right', async () => {
    publish((await signer('RS256')).jwk);
    expect(word(await checker()(unsigned({ alg: 'none' }, goodClaims())))).toBe('unverified algorithm');
  });

  it('HS256 proves nothing: not with a shared key that is published, and not with the public key as secret (RFC 8725 2.1)', async () => {
    const key = await signer('RS256');
    publish(key.jwk, { kty: 'oct', k: 'c2VjcmV0', kid: 'k1', alg: 'HS256' });
    const input = unsigned({ alg: 'HS256', kid: 'k1' }, goodClaims()).slice(0, -1);
    for (const secret of [JSON.stringify(key.jwk), 'secret']) {
      expect(word(await checker()(`${input}.${createHmac('sha256', secret).update(input).digest('base64url')}`))).toBe(
        'unverified algorithm',
      );
    }
  });

  it('of another key under the same name is wrong', async () => {
    publish((await signer('ES256')).jwk);
    expect(word(await checker()(await (await signer('ES256')).sign()))).toBe('wrong signature');
  });

  it('over other claims is wrong', async () => {
    const key = await signer('RS256');
    publish(key.jwk);
    const [header, , signature] = (await key.sign()).split('.');
    const claims = Buffer.from(JSON.stringify({ ...goodClaims(), sub: 'mallory' })).toString('base64url');
    expect(word(await checker()([header, claims, signature].join('.')))).toBe('wrong signature');
  });

  it('without a key name is tried with each key of its kind', async () => {
    const [first, second, stranger] = [
      await signer('RS256', 'a'),
      await signer('RS256', 'b'),
      await signer('RS256', 'c'),
    ];
    publish(first.jwk, second.jwk);
    expect(word(await checker()(await second.sign({}, { kid: undefined })))).toBe('verified');
    expect(word(await checker()(await stranger.sign({}, { kid: undefined })))).toBe('wrong signature');
  });

  it('of a key that is too short, private or of another use cannot be checked', async () => {
    const key = await signer('RS256');
    publish({ ...key.jwk, use: 'enc' });
    expect(word(await checker()(await key.sign()))).toBe('unverified unknown_key');
    publish({ ...key.jwk, n: 'AQAB' });
    expect(word(await checker()(await key.sign()))).toBe('unverified unknown_key');
    publish({ ...key.jwk, d: 'AQAB' });
    expect(word(await checker()(await key.sign()))).toBe('unverified unknown_key');
  });

  it.each(['opaque', 'a.b.c.d.e', '..', 'e30.e30.'])('%j is unreadable or wrong, and throws nothing', async (token) => {
    publish((await signer('RS256')).jwk);
    expect((await checker()(token)).kind).not.toBe('verified');
  });
});

describe('what an ID token says', () => {
  const saying = async (change: JWTPayload, expected: Partial<ExpectedIdToken> = {}) => {
    const key = await signer('ES256');
    publish(key.jwk);
    return word(await checker()(await key.sign(change), expected));
  };

  it.each([
    ['another issuer', { iss: 'https://other.example' }, 'wrong issuer'],
    ['the issuer with a slash', { iss: `${issuer}/` }, 'wrong issuer'],
    ['another audience', { aud: 'client-2' }, 'wrong audience'],
    ['no audience', { aud: undefined as unknown as string }, 'wrong audience'],
    ['several audiences without azp', { aud: ['client-1', 'client-2'] }, 'wrong audience'],
    ['several audiences, issued to another', { aud: ['client-1', 'client-2'], azp: 'client-2' }, 'wrong audience'],
    ['several audiences, issued to us', { aud: ['client-2', 'client-1'], azp: 'client-1' }, 'verified'],
    ['our audience, issued to another', { azp: 'client-2' }, 'wrong audience'],
    ['another nonce', { nonce: 'n-2' }, 'wrong nonce'],
    ['no nonce', { nonce: undefined as unknown as string }, 'wrong nonce'],
    ['a nonce that is no text', { nonce: ['n-1'] as unknown as string }, 'wrong nonce'],
    ['no subject', { sub: undefined as unknown as string }, 'wrong claims'],
    ['an empty subject', { sub: '' }, 'wrong claims'],
    ['no end', { exp: undefined as unknown as number }, 'wrong claims'],
    ['an end that is no number', { exp: 'never' as unknown as number }, 'wrong claims'],
  ])('%s: %s', async (_what, change, verdict) => expect(await saying(change)).toBe(verdict));

  it('stays wrong without a signature: nobody gets around a check by leaving it out', async () => {
    publish((await signer('RS256')).jwk);
    expect(word(await checker()(unsigned({ alg: 'none' }, { ...goodClaims(), nonce: 'n-2' })))).toBe('wrong nonce');
  });

  it('needs no nonce where none was sent, as with a device code', async () => {
    const key = await signer('ES256');
    publish(key.jwk);
    const keySets = createKeySets(clock);
    const at = { owner: 'srv:main', uri: `${site.origin}${keysPath}`, http, allow: ['loopback'] as const };
    const expected = { issuer, clientId: 'client-1', accessToken, now: clock.now() };
    expect(
      word(
        await verifyIdToken(
          new Secret(await key.sign({ nonce: undefined as unknown as string })),
          expected,
          keySets.keysAt(at),
        ),
      ),
    ).toBe('verified');
  });

  it('fills the tenant into an issuer for several organisations, and only there', async () => {
    const tid = '72f988bf-86f1-41af-91ab-2d7cd011db47';
    const template = 'https://login.example/{tenantid}/v2.0';
    expect(await saying({ iss: `https://login.example/${tid}/v2.0`, tid }, { issuer: template })).toBe('verified');
    expect(await saying({ iss: 'https://login.example/evil/v2.0', tid: 'evil' }, { issuer: template })).toBe(
      'wrong issuer',
    );
    expect(
      await saying({ iss: `https://login.example/${tid}/v2.0`, tid: tid.replace('7', '8') }, { issuer: template }),
    ).toBe('wrong issuer');
  });

  it('may be late or early by a minute, and no more: then the clock is in doubt, not the sign-in', async () => {
    const now = Math.floor(clock.now() / 1000);
    expect(await saying({ exp: now - 59 })).toBe('verified');
    expect(await saying({ exp: now - 61 })).toBe('unverified dates');
    expect(await saying({ nbf: now + 59 })).toBe('verified');
    expect(await saying({ nbf: now + 61 })).toBe('unverified dates');
  });

  it.each([
    ['RS256', 'sha256'],
    ['ES384', 'sha384'],
    ['PS512', 'sha512'],
    ['EdDSA', 'sha512'],
  ])('at_hash of %s must be that of the access token', async (algorithm, hash) => {
    const key = await signer(algorithm);
    publish(key.jwk);
    const half = (text: string) => {
      const digest = createHash(hash).update(text).digest();
      return digest.subarray(0, digest.length / 2).toString('base64url');
    };
    expect(word(await checker()(await key.sign({ at_hash: half('the access token') })))).toBe('verified');
    expect(word(await checker()(await key.sign({ at_hash: half('another') })))).toBe('wrong access_token');
    expect(word(await checker()(await key.sign({ at_hash: 5 })))).toBe('wrong access_token');
  });
});

describe('the keys of an issuer', () => {
  it('are fetched once in ten minutes', async () => {
    const key = await signer('ES256');
    publish(key.jwk);
    const check = checker();
    for (let i = 0; i < 3; i += 1) expect(word(await check(await key.sign()))).toBe('verified');
    expect(fetches()).toBe(1);
    await clock.advance(10 * minute);
    expect(word(await check(await key.sign()))).toBe('verified');
    expect(fetches()).toBe(2);
  });

  it('are fetched once more for a key that is new, and not twice', async () => {
    const [old, fresh] = [await signer('ES256', 'old'), await signer('ES256', 'fresh')];
    publish(old.jwk);
    const check = checker();
    await check(await old.sign());
    expect(word(await check(await fresh.sign()))).toBe('unverified unknown_key');
    expect(fetches()).toBe(2);
    publish(old.jwk, fresh.jwk);
    expect(word(await check(await fresh.sign()))).toBe('verified');
    expect(word(await check(await old.sign()))).toBe('verified');
    expect(fetches()).toBe(3);
  });

  it('of one account are not believed for another', async () => {
    const key = await signer('ES256');
    publish(key.jwk);
    const check = checker();
    await check(await key.sign());
    publish((await signer('ES256')).jwk);
    expect(word(await check(await key.sign()))).toBe('verified');
    expect(word(await check(await key.sign(), {}, { owner: 'srv:other' }))).toBe('wrong signature');
  });

  it.each<[string, () => void]>([
    ['larger than 256 KB', () => publish({ kty: 'RSA', x: 'a'.repeat(300_000) })],
    ['more than 50', () => publish(...Array.from({ length: 51 }, () => ({ kty: 'RSA' })))],
    ['a web page', () => (site.routes[keysPath] = (_request, response) => response.end('<html>'))],
    ['no key set', () => (site.routes[keysPath] = { keys: 'none' })],
    ['not there', () => delete site.routes[keysPath]],
    ['in trouble', () => (site.routes[keysPath] = (_request, response) => response.writeHead(503).end())],
  ])('%s: nothing is verified, and nothing refused', async (_what, make) => {
    make();
    expect(word(await checker()(await (await signer('ES256')).sign()))).toBe('unverified keys_unreachable');
  });

  it('are not looked for at another origin, nor where the server has no business', async () => {
    const key = await signer('ES256');
    const elsewhere = await startSite({ host: '127.0.0.3' });
    elsewhere.routes[keysPath] = { keys: [key.jwk] };
    site.routes[keysPath] = (_request, response) =>
      response.writeHead(302, { location: `${elsewhere.origin}${keysPath}` }).end();
    try {
      expect(word(await checker()(await key.sign()))).toBe('unverified keys_unreachable');
      expect(elsewhere.hits).toEqual([]);
      publish(key.jwk);
      expect(word(await checker()(await key.sign(), {}, { allow: ['public'] }))).toBe('unverified keys_unreachable');
    } finally {
      await elsewhere.close();
    }
  });

  it('are followed within the origin', async () => {
    const key = await signer('ES256');
    site.routes['/moved'] = { keys: [key.jwk] };
    site.routes[keysPath] = (_request, response) => response.writeHead(302, { location: '/moved' }).end();
    expect(word(await checker()(await key.sign()))).toBe('verified');
  });

  it('of a server that never answers are waited for 5 s at most', async () => {
    site.routes[keysPath] = () => {};
    const before = performance.now();
    expect(word(await checker()(await (await signer('ES256')).sign()))).toBe('unverified keys_unreachable');
    expect(performance.now() - before).toBeLessThan(6_500);
  });
});
