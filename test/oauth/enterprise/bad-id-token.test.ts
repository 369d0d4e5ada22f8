import { describe, expect, it } from 'vitest';
import { UnsecuredJWT } from 'jose';
import { defined } from '../../../shared/defined.ts';
import { closeAfterEach } from '../../fixtures/closing.ts';
import { sendJson } from '../../fixtures/listener.ts';
import { until } from '../../fixtures/wait.ts';
import { commandFailure, startCompanyRig, stateOf } from '../../fixtures/company-rig.ts';
import { startSite, type Route } from '../../fixtures/site.ts';

const closing = closeAfterEach();

describe('an invalid ID token of a company', () => {
  /** The claims that differ from a valid ID token. Undefined: the response has no ID token. */
  type Claims = () => Readonly<Record<string, unknown>> | undefined;

  /** An identity provider that issues ID tokens with these claims, and redirects the browser back at once. */
  async function startProvider(claims: Claims) {
    const rig = await startCompanyRig(closing);
    const site = await startSite();
    closing.push(() => site.close());
    const { origin } = site;
    const exchanges: string[] = [];
    let current: Claims = claims;
    let nonce = '';
    Object.assign(site.routes, {
      '/.well-known/openid-configuration': {
        issuer: origin,
        authorization_endpoint: `${origin}/authorize`,
        token_endpoint: `${origin}/token`,
        response_types_supported: ['code'],
      },
      '/authorize': ((_request, response, { path: at }) => {
        const query = new URL(at, origin).searchParams;
        nonce = query.get('nonce') ?? '';
        const target = new URL(query.get('redirect_uri') ?? '');
        target.searchParams.set('state', query.get('state') ?? '');
        target.searchParams.set('code', 'a-code');
        response.writeHead(302, { location: target.href }).end();
      }) satisfies Route,
      '/token': ((_request, response, { body }) => {
        const form = new URLSearchParams(body);
        if (form.get('grant_type')?.includes('token-exchange')) exchanges.push(form.get('subject_token') ?? '');
        const changed: ReturnType<Claims> = current();
        const idToken =
          changed &&
          new UnsecuredJWT({
            iss: origin,
            aud: 'client',
            sub: 'ada',
            iat: seconds(0),
            exp: seconds(600),
            nonce,
            ...changed,
          }).encode();
        sendJson(response, 200, {
          access_token: 'an-access-token',
          token_type: 'Bearer',
          expires_in: 600,
          refresh_token: `refresh-${exchanges.length}`,
          ...defined({ id_token: idToken }),
        });
      }) satisfies Route,
    });
    await rig.add('odd', { settings: { issuer: origin, clientId: 'client' } });
    return { rig, exchanges, origin, setClaims: (next: Claims): void => void (current = next) };
  }
  const seconds = (from: number) => Math.floor(Date.now() / 1000) + from;

  it.each([
    ['no ID token', (): undefined => undefined, 'it contains no ID token'],
    ['one with another nonce', () => ({ nonce: 'another' }), 'belongs to another sign-in'],
    ['one without a nonce', () => ({ nonce: undefined }), 'belongs to another sign-in'],
    ['one for another client', () => ({ aud: 'another' }), 'was issued for another client'],
    [
      'one issued to another client',
      () => ({ aud: ['client', 'another'], azp: 'another' }),
      'was issued for another client',
    ],
    ['one of another issuer', () => ({ iss: 'https://evil.example' }), 'has another issuer'],
    ['one without a subject', () => ({ sub: '' }), 'is about another person'],
    ['one without an expiry', () => ({ exp: undefined }), 'has no expiry time'],
  ] as const)('is neither stored nor exchanged if the sign-in returns %s', async (_what, claims, why) => {
    const { rig, exchanges } = await startProvider(claims);
    const error = await commandFailure(rig.signIn('odd'));
    expect(error).toMatchObject({ code: 'E_TOKEN_RESPONSE', message: expect.stringContaining(why) });
    expect(exchanges).toEqual([]);
    expect(rig.storedItems()).toEqual([]);
  });

  it.each([
    ['no ID token', (): undefined => undefined],
    ['the ID token of another person', () => ({ sub: 'mallory' })],
    ['an ID token for another client', () => ({ aud: 'another' })],
  ] as const)('ends the sign-in if a refresh returns %s', async (_what, claims) => {
    const { rig, exchanges, setClaims, origin } = await startProvider(() => ({}));
    // The exchange fails, since its response is an access token. By then the company's sign-in is stored.
    expect(await commandFailure(rig.signIn('odd'))).toMatchObject({ code: 'E_TOKEN_RESPONSE' });
    expect(exchanges).toHaveLength(1);
    await rig.restart();
    setClaims(claims);
    rig.browser.options.neverFinish = true;
    const again = commandFailure(rig.signIn('odd'));
    await until(
      () =>
        rig.state('odd') === 'signing_in' &&
        JSON.stringify(stateOf(rig.product, 'odd')).includes(`${origin}/authorize`),
      'the person is asked to sign in again',
    );
    await rig.product.call('cancelSignIn', { server: 'odd' });
    await again;
    expect(exchanges).toHaveLength(1);
  });
});
