import { createHash, createHmac } from 'node:crypto';
import type { JWTPayload } from 'jose';
import { beforeEach, describe, expect, it } from 'vitest';
import { closeAfterEach } from '../../fixtures/closing.ts';
import {
  accessToken,
  issuer,
  startIdTokenIssuer,
  type ExpectedChange,
  type IdTokenIssuer,
} from '../../fixtures/id-token-issuer.ts';
import { unsecuredJwt } from '../../fixtures/identity-rig.ts';

const closing = closeAfterEach();
let idTokens: IdTokenIssuer;
beforeEach(async () => {
  idTokens = await startIdTokenIssuer(closing);
});

describe('the signature of an ID token', () => {
  it.each(['RS256', 'RS384', 'RS512', 'PS256', 'PS384', 'PS512', 'ES256', 'ES384', 'ES512', 'EdDSA'])(
    'by %s is accepted with a key that the issuer publishes',
    async (algorithm) => {
      const key = await idTokens.createSigner(algorithm);
      idTokens.publish(key.jwk);
      expect(await idTokens.createVerifier()(await key.sign())).toMatchObject({
        kind: 'verified',
        claims: { sub: 'ada' },
      });
    },
  );

  it('leaves a token with alg: none unverified, even if all its claims are right', async () => {
    idTokens.publish((await idTokens.createSigner('RS256')).jwk);
    expect(await idTokens.verdict(unsecuredJwt({ alg: 'none' }, idTokens.goodClaims()))).toBe('unverified algorithm');
  });

  it('by HS256 is not accepted with a published shared key or the public key as secret (RFC 8725 2.1)', async () => {
    const key = await idTokens.createSigner('RS256');
    idTokens.publish(key.jwk, { kty: 'oct', k: 'c2VjcmV0', kid: 'k1', alg: 'HS256' });
    const input = unsecuredJwt({ alg: 'HS256', kid: 'k1' }, idTokens.goodClaims()).slice(0, -1);
    for (const secret of [JSON.stringify(key.jwk), 'secret']) {
      expect(await idTokens.verdict(`${input}.${createHmac('sha256', secret).update(input).digest('base64url')}`)).toBe(
        'unverified algorithm',
      );
    }
  });

  it('by another key with the same key ID is wrong', async () => {
    idTokens.publish((await idTokens.createSigner('ES256')).jwk);
    expect(await idTokens.verdict(await (await idTokens.createSigner('ES256')).sign())).toBe('wrong signature');
  });

  it('is wrong if it belongs to other claims', async () => {
    const key = await idTokens.createSigner('RS256');
    idTokens.publish(key.jwk);
    const [header, , signature] = (await key.sign()).split('.');
    const claims = Buffer.from(JSON.stringify({ ...idTokens.goodClaims(), sub: 'mallory' })).toString('base64url');
    expect(await idTokens.verdict([header, claims, signature].join('.'))).toBe('wrong signature');
  });

  it('without a key ID is checked with each key of its type', async () => {
    const [first, second, unpublished] = [
      await idTokens.createSigner('RS256', 'a'),
      await idTokens.createSigner('RS256', 'b'),
      await idTokens.createSigner('RS256', 'c'),
    ];
    idTokens.publish(first.jwk, second.jwk);
    expect(await idTokens.verdict(await second.sign({}, { kid: undefined }))).toBe('verified');
    expect(await idTokens.verdict(await unpublished.sign({}, { kid: undefined }))).toBe('wrong signature');
  });

  it('cannot be verified by a key that is too short, private or for another use', async () => {
    const key = await idTokens.createSigner('RS256');
    idTokens.publish({ ...key.jwk, use: 'enc' });
    expect(await idTokens.verdict(await key.sign())).toBe('unverified unknown_key');
    idTokens.publish({ ...key.jwk, n: 'AQAB' });
    expect(await idTokens.verdict(await key.sign())).toBe('unverified unknown_key');
    idTokens.publish({ ...key.jwk, d: 'AQAB' });
    expect(await idTokens.verdict(await key.sign())).toBe('unverified unknown_key');
  });

  it.each(['opaque', 'a.b.c.d.e', '..', 'e30.e30.'])(
    'is not accepted in the malformed token %j, and nothing throws',
    async (token) => {
      idTokens.publish((await idTokens.createSigner('RS256')).jwk);
      expect((await idTokens.createVerifier()(token)).kind).not.toBe('verified');
    },
  );
});

describe('the claims of an ID token', () => {
  const verdictFor = async (change: JWTPayload, expected: ExpectedChange = {}) => {
    const key = await idTokens.createSigner('ES256');
    idTokens.publish(key.jwk);
    return await idTokens.verdict(await key.sign(change), expected);
  };

  it.each([
    ['another issuer', { iss: 'https://other.example' }, 'wrong issuer'],
    ['the issuer with a trailing slash', { iss: `${issuer}/` }, 'wrong issuer'],
    ['another audience', { aud: 'client-2' }, 'wrong audience'],
    ['no audience', { aud: undefined as unknown as string }, 'wrong audience'],
    ['several audiences without azp', { aud: ['client-1', 'client-2'] }, 'wrong audience'],
    [
      'several audiences and an azp that is not us',
      { aud: ['client-1', 'client-2'], azp: 'client-2' },
      'wrong audience',
    ],
    ['several audiences and us as azp', { aud: ['client-2', 'client-1'], azp: 'client-1' }, 'verified'],
    ['us as audience and an azp that is not us', { azp: 'client-2' }, 'wrong audience'],
    ['another nonce', { nonce: 'n-2' }, 'wrong nonce'],
    ['no nonce', { nonce: undefined as unknown as string }, 'wrong nonce'],
    ['a nonce that is not a string', { nonce: ['n-1'] as unknown as string }, 'wrong nonce'],
    ['no sub', { sub: undefined as unknown as string }, 'wrong claims'],
    ['an empty sub', { sub: '' }, 'wrong claims'],
    ['no exp', { exp: undefined as unknown as number }, 'wrong claims'],
    ['an exp that is not a number', { exp: 'never' as unknown as number }, 'wrong claims'],
  ])('with %s: %s', async (_what, change, verdict) => expect(await verdictFor(change)).toBe(verdict));

  it('are checked even without a signature, so that omitting it bypasses nothing', async () => {
    idTokens.publish((await idTokens.createSigner('RS256')).jwk);
    expect(await idTokens.verdict(unsecuredJwt({ alg: 'none' }, { ...idTokens.goodClaims(), nonce: 'n-2' }))).toBe(
      'wrong nonce',
    );
  });

  it('need no nonce if none was sent, as with a device code', async () => {
    expect(await verdictFor({ nonce: undefined }, { nonce: undefined })).toBe('verified');
  });

  it('must have the issuer with their own tenant if the issuer is for several organizations', async () => {
    const tid = '72f988bf-86f1-41af-91ab-2d7cd011db47';
    const template = 'https://login.example/{tenantid}/v2.0';
    expect(await verdictFor({ iss: `https://login.example/${tid}/v2.0`, tid }, { issuer: template })).toBe('verified');
    expect(await verdictFor({ iss: 'https://login.example/evil/v2.0', tid: 'evil' }, { issuer: template })).toBe(
      'wrong issuer',
    );
    expect(
      await verdictFor({ iss: `https://login.example/${tid}/v2.0`, tid: tid.replace('7', '8') }, { issuer: template }),
    ).toBe('wrong issuer');
  });

  it('may be off by a minute; beyond that the token is unverified, because the clock may be wrong', async () => {
    const now = Math.floor(idTokens.clock.now() / 1000);
    expect(await verdictFor({ exp: now - 59 })).toBe('verified');
    expect(await verdictFor({ exp: now - 61 })).toBe('unverified dates');
    expect(await verdictFor({ nbf: now + 59 })).toBe('verified');
    expect(await verdictFor({ nbf: now + 61 })).toBe('unverified dates');
  });

  it.each([
    ['RS256', 'sha256'],
    ['ES384', 'sha384'],
    ['PS512', 'sha512'],
    ['EdDSA', 'sha512'],
  ])('must have the at_hash of the access token for %s', async (algorithm, hash) => {
    const key = await idTokens.createSigner(algorithm);
    idTokens.publish(key.jwk);
    const half = (text: string) => {
      const digest = createHash(hash).update(text).digest();
      return digest.subarray(0, digest.length / 2).toString('base64url');
    };
    expect(await idTokens.verdict(await key.sign({ at_hash: half(accessToken) }))).toBe('verified');
    expect(await idTokens.verdict(await key.sign({ at_hash: half('another') }))).toBe('wrong access_token');
    expect(await idTokens.verdict(await key.sign({ at_hash: 5 }))).toBe('wrong access_token');
  });
});
