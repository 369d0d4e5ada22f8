import { afterEach, describe, expect, it } from 'vitest';
import { redirectPath } from '../../electron/core/oauth/authorization/loopback-server.ts';
import { freePort } from '../fixtures/free-port.ts';
import { rows } from '../fixtures/behaviour/rows.ts';
import { createWorlds, type PeerWorld, type SideOptions } from '../fixtures/behaviour/worlds.ts';
import { startAuthorizationServer } from '../fixtures/authorization-server.ts';
import { startDpopServer } from '../fixtures/dpop-server.ts';
import { createEra2025 } from '../fixtures/mcp-2025.ts';

const worlds = createWorlds();
afterEach(worlds.close);

const oddSecret = 's:e%c/r+e t';

/** oidc-provider with this client and its secret. */
async function withSecret(): Promise<PeerWorld> {
  const port = await freePort();
  const client = {
    client_id: 'by:hand',
    client_secret: oddSecret,
    token_endpoint_auth_method: 'client_secret_basic' as const,
    application_type: 'native' as const,
    grant_types: ['authorization_code', 'refresh_token'],
    redirect_uris: [`http://127.0.0.1${redirectPath(`http://127.0.0.1:${port}`)}`],
  };
  return worlds.peers({ as: { port, clients: [client] }, server: { clientId: 'by:hand', clientSecret: oddSecret } });
}

/** A server that accepts the secret only in the body. */
const onlyInTheBody = (authMethods: readonly string[] | null, server: SideOptions['server'] = {}) =>
  worlds.faulty(
    { secretBy: 'post', authMethods, clients: [{ client_id: 'by-hand', client_secret: oddSecret }] },
    { server: { clientId: 'by-hand', clientSecret: oddSecret, ...server } },
  );

describe(rows.basicSecret, () => {
  it('works with oidc-provider for sign-in, refresh and sign-out', async () => {
    const { as, product, signIn, echo } = await withSecret();
    await signIn();
    await product.call('refreshNow', { server: 'work' });
    expect(await echo('form-encoded')).toBe('form-encoded');
    expect(as.counts).toMatchObject({ codeExchangesGranted: 1, refreshesGranted: 1 });
    expect(await product.call('signOut', { server: 'work' })).toMatchObject({ revoked: 'confirmed' });
  });

  it('works with a server that does not decode it only if the setting says raw', async () => {
    // No colon in the ID: without encoding it could not be told from the one between ID and secret.
    const clients = [{ client_id: 'by hand', client_secret: oddSecret }];
    const { remote, product, signIn, signInFailure, echo } = await worlds.faulty(
      { secretBy: 'raw', authMethods: ['client_secret_basic'], clients },
      { server: { clientId: 'by hand', clientSecret: oddSecret } },
    );
    expect(await signInFailure()).toBe('E_CLIENT_REFUSED');
    await product.call('configureServer', { server: 'work', settings: { clientAuth: 'client_secret_basic_raw' } });
    await signIn();
    await product.call('refreshNow', { server: 'work' });
    expect(await echo('raw')).toBe('raw');
    expect(remote.counts.refreshesGranted).toBe(1);
  });

  it('is replaced by the secret in the body with the same code if rejected, and that is remembered', async () => {
    const { remote, product, signIn, echo } = await onlyInTheBody(null);
    await signIn();
    expect(remote.counts).toMatchObject({ authorizations: 1, codeExchanges: 2 });
    await product.call('refreshNow', { server: 'work' });
    expect(await echo('in the body')).toBe('in the body');
    expect(remote.counts).toMatchObject({ refreshes: 1, refreshesGranted: 1 });
    await signIn();
    expect(remote.counts).toMatchObject({ authorizations: 2, codeExchanges: 3 });
    expect(remote.seen.token.at(-1)).toMatchObject({ client_secret: oddSecret });
    expect(product.browser.openings).toBe(2);
  });

  it.each([
    [null, 'signed in', 2],
    [['client_secret_post', 'client_secret_basic'], 'signed in', 2],
    [['client_secret_post'], 'signed in', 1],
    [['client_secret_basic'], 'E_CLIENT_REFUSED', 1],
  ])(
    'at a server that accepts only the body and announces %j, the sign-in ends with %s after %i requests',
    async (authMethods, outcome, requests) => {
      const { remote, signInFailure } = await onlyInTheBody(authMethods);
      expect(await signInFailure()).toBe(outcome);
      expect(remote.counts).toMatchObject({ authorizations: 1, codeExchanges: requests });
    },
  );

  it('is the only method that is tried if the user chose it', async () => {
    const { remote, signInFailure } = await onlyInTheBody(null, { settings: { clientAuth: 'client_secret_basic' } });
    expect(await signInFailure()).toBe('E_CLIENT_REFUSED');
    expect(remote.counts.codeExchanges).toBe(1);
  });

  it('fails with a wrong secret in both methods, and neither is remembered', async () => {
    const { remote, product, signInFailure } = await onlyInTheBody(null, { clientSecret: 'wrong' });
    expect(await signInFailure()).toBe('E_CLIENT_REFUSED');
    expect(remote.counts).toMatchObject({ authorizations: 1, codeExchanges: 2 });
    await product.call('configureServer', { server: 'work', clientSecret: oddSecret });
    expect(await signInFailure()).toBe('signed in');
    expect(remote.counts).toMatchObject({ authorizations: 2, codeExchanges: 4 });
  });
});

it(rows.pushedRequired, async () => {
  const { as, signIn, echo } = await worlds.peers({ as: { pushedRequests: 'required' } });
  await signIn();
  expect(await echo('pushed')).toBe('pushed');
  expect(as.seen.authorize.map((request) => [...request.keys()].toSorted())).toEqual([['client_id', 'request_uri']]);
});

it(rows.initialToken, async () => {
  const { as, product, signIn, signInFailure, echo } = await worlds.peers({
    as: { initialAccessToken: 'open-sesame' },
  });
  expect(await signInFailure()).toBe('E_REGISTRATION_REFUSED');
  expect(product.browser.openings).toBe(0);
  await product.call('configureServer', { server: 'work', secrets: { initialAccessToken: 'open-sesame' } });
  await signIn();
  expect(await echo('registered')).toBe('registered');
  expect(as.counts.registrations).toBe(1);
});

it(rows.dpop, async () => {
  const as = worlds.later(await startAuthorizationServer({ accessTokens: 'jwt', dpop: 'nonce' }));
  const era = worlds.later(createEra2025({ json: true, sessions: true, resumable: false, onToolRun: () => {} }));
  const bound = worlds.later(
    await startDpopServer(as, {
      nonce: true,
      serve: (request, response, { body }) =>
        void era.handle(request, response, body === '' ? undefined : JSON.parse(body)),
    }),
  );
  const { product, signIn, echo } = await worlds.beside(bound.url);
  await signIn();
  expect(await echo('bound')).toBe('bound');
  bound.nextNonce();
  await product.call('refreshNow', { server: 'work' });
  expect(await echo('bound again')).toBe('bound again');
  expect(new Set(bound.keys).size).toBe(1);
  expect(as.counts).toMatchObject({ codeExchangesGranted: 1, refreshesGranted: 1 });
  expect(product.browser.openings).toBe(1);
});

describe(rows.oddAnswers, () => {
  it('accepts null members in the registration response', async () => {
    const { remote, signIn, echo } = await worlds.faulty({ scenario: 'dcr-null-members' });
    await signIn();
    expect(await echo('nulls')).toBe('nulls');
    expect(remote.counts.registrations).toBe(1);
  });

  it('accepts nested tokens if the preset says where they are', async () => {
    const { product, signIn, signInFailure, echo } = await worlds.faulty({ scenario: 'token-nested' });
    expect(await signInFailure()).toBe('E_TOKEN_RESPONSE');
    await product.call('configureServer', { server: 'work', settings: { preset: 'slack' } });
    await signIn();
    expect(await echo('one level down')).toBe('one level down');
    await product.call('refreshNow', { server: 'work' });
    expect(await echo('renewed')).toBe('renewed');
  });
});
