import { beforeEach, describe, expect, it } from 'vitest';
import { closeAfterEach } from '../../fixtures/closing.ts';
import { keysPath, startIdTokenIssuer, verdictText, type IdTokenIssuer } from '../../fixtures/id-token-issuer.ts';
import { startSite } from '../../fixtures/site.ts';

const closing = closeAfterEach();
let idTokens: IdTokenIssuer;
beforeEach(async () => {
  idTokens = await startIdTokenIssuer(closing);
});

const minute = 60_000;

describe('the keys of an issuer', () => {
  it('are cached for ten minutes', async () => {
    const key = await idTokens.createSigner('ES256');
    idTokens.publish(key.jwk);
    const verify = idTokens.createVerifier();
    for (let i = 0; i < 3; i += 1) expect(verdictText(await verify(await key.sign()))).toBe('verified');
    expect(idTokens.fetches()).toBe(1);
    await idTokens.clock.advance(10 * minute);
    expect(verdictText(await verify(await key.sign()))).toBe('verified');
    expect(idTokens.fetches()).toBe(2);
  });

  it('are fetched once more if a token names an unknown key', async () => {
    const [old, fresh] = [await idTokens.createSigner('ES256', 'old'), await idTokens.createSigner('ES256', 'fresh')];
    idTokens.publish(old.jwk);
    const verify = idTokens.createVerifier();
    await verify(await old.sign());
    expect(verdictText(await verify(await fresh.sign()))).toBe('unverified unknown_key');
    expect(idTokens.fetches()).toBe(2);
    idTokens.publish(old.jwk, fresh.jwk);
    expect(verdictText(await verify(await fresh.sign()))).toBe('verified');
    expect(verdictText(await verify(await old.sign()))).toBe('verified');
    expect(idTokens.fetches()).toBe(3);
  });

  it('are used only for the account that fetched them', async () => {
    const key = await idTokens.createSigner('ES256');
    idTokens.publish(key.jwk);
    const verify = idTokens.createVerifier();
    await verify(await key.sign());
    idTokens.publish((await idTokens.createSigner('ES256')).jwk);
    expect(verdictText(await verify(await key.sign()))).toBe('verified');
    expect(verdictText(await verify(await key.sign(), {}, { owner: 'srv:other' }))).toBe('wrong signature');
  });

  it.each<[string, () => void]>([
    ['they are larger than 256 KB', () => idTokens.publish({ kty: 'RSA', x: 'a'.repeat(300_000) })],
    ['there are more than 50', () => idTokens.publish(...Array.from({ length: 51 }, () => ({ kty: 'RSA' })))],
    ['they are a web page', () => (idTokens.site.routes[keysPath] = (_request, response) => response.end('<html>'))],
    ['they are not a key set', () => (idTokens.site.routes[keysPath] = { keys: 'none' })],
    ['they do not exist', () => delete idTokens.site.routes[keysPath]],
    [
      'the server answers 503',
      () => (idTokens.site.routes[keysPath] = (_request, response) => response.writeHead(503).end()),
    ],
  ])('leave a token unverified if %s', async (_what, breakKeys) => {
    breakKeys();
    expect(await idTokens.verdict(await (await idTokens.createSigner('ES256')).sign())).toBe(
      'unverified keys_unreachable',
    );
  });

  it('are not fetched from another origin or from an address that the server may not use', async () => {
    const key = await idTokens.createSigner('ES256');
    const elsewhere = await startSite({ host: '127.0.0.3' });
    elsewhere.routes[keysPath] = { keys: [key.jwk] };
    idTokens.site.routes[keysPath] = (_request, response) =>
      response.writeHead(302, { location: `${elsewhere.origin}${keysPath}` }).end();
    try {
      expect(await idTokens.verdict(await key.sign())).toBe('unverified keys_unreachable');
      expect(elsewhere.hits).toEqual([]);
      idTokens.publish(key.jwk);
      expect(await idTokens.verdict(await key.sign(), {}, { allow: ['public'] })).toBe('unverified keys_unreachable');
    } finally {
      await elsewhere.close();
    }
  });

  it('are fetched through a redirect within the origin', async () => {
    const key = await idTokens.createSigner('ES256');
    idTokens.site.routes['/moved'] = { keys: [key.jwk] };
    idTokens.site.routes[keysPath] = (_request, response) => response.writeHead(302, { location: '/moved' }).end();
    expect(await idTokens.verdict(await key.sign())).toBe('verified');
  });

  it('are given up if the server never answers', async () => {
    idTokens.site.routes[keysPath] = () => {};
    expect(await idTokens.verdict(await (await idTokens.createSigner('ES256')).sign())).toBe(
      'unverified keys_unreachable',
    );
  });
});
