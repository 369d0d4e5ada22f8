import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { rows } from '../fixtures/behaviour/rows.ts';
import { createWorlds } from '../fixtures/behaviour/worlds.ts';
import { startSecureServer } from '../fixtures/behaviour/secure-server.ts';
import { selfSigned } from '../fixtures/certificate.ts';

const worlds = createWorlds();
afterEach(worlds.close);

const resourcesIn = (requests: readonly { get(name: string): string | null }[]) =>
  requests.map((request) => request.get('resource'));
const forms = (requests: readonly Record<string, string>[]) => requests.map((request) => new URLSearchParams(request));

describe(rows.resourceRefused, () => {
  it('fails by default with the server’s own error text', async () => {
    const { remote, signInFailure } = await worlds.faulty({ scenario: 'authz-refuses-resource' });
    expect(await signInFailure()).toBe('E_AUTHORIZATION_ERROR');
    expect(resourcesIn(remote.seen.authorize)).toEqual([remote.url]);
  });

  it('succeeds with the setting omit, which also applies to the refresh', async () => {
    const { remote, product, signIn, echo } = await worlds.faulty(
      { scenario: 'authz-refuses-resource' },
      { server: { settings: { resource: 'omit' } } },
    );
    await signIn();
    await product.call('refreshNow', { server: 'work' });
    expect(await echo('without')).toBe('without');
    expect(resourcesIn([...remote.seen.authorize, ...forms(remote.seen.token)])).toEqual([null, null, null]);
  });

  it('succeeds with another value from the settings in all requests', async () => {
    const { remote, product, signIn, echo } = await worlds.faulty(
      {},
      { server: { settings: { resource: { value: 'api://1234' } } } },
    );
    await signIn();
    await product.call('refreshNow', { server: 'work' });
    expect(await echo('another')).toBe('another');
    expect(resourcesIn([...remote.seen.authorize, ...forms(remote.seen.token)])).toEqual([
      'api://1234',
      'api://1234',
      'api://1234',
    ]);
  });
});

describe(rows.otherIssuer, () => {
  it('is rejected before the browser opens, with both names in the error', async () => {
    const { remote, product } = await worlds.faulty({ scenario: 'as-republished' });
    const failure = await product.call('signIn', { server: 'work' }).catch((error: unknown) => (error as Error).cause);
    expect(failure).toMatchObject({
      code: 'E_ISSUER_MISMATCH',
      message: expect.stringMatching(new RegExp(`${remote.issuer}/idp.*${remote.issuer}`)) as unknown,
    });
    expect(product.browser.openings).toBe(0);
    expect(remote.counts.registrations).toBe(0);
  });

  it('is accepted as an exact pair, and the authorization response must come from that issuer', async () => {
    const { remote, product, signIn, echo } = await worlds.faulty({ scenario: 'as-republished' });
    const settings = { issuerException: { named: remote.issuer, found: `${remote.issuer}/idp` } };
    await product.call('configureServer', { server: 'work', settings });
    await signIn();
    expect(await echo('accepted')).toBe('accepted');
    await remote.setScenario('as-issuer-mismatch');
    await product.call('signOut', { server: 'work' });
    await expect(signIn()).rejects.toThrow('E_ISSUER_MISMATCH');
  });

  it('DM02 differs by a trailing slash: the error names the setting that accepts it', async () => {
    const { remote, product, signIn, echo } = await worlds.faulty({ scenario: 'as-issuer-slash' });
    const failure = await product.call('signIn', { server: 'work' }).catch((error: unknown) => (error as Error).cause);
    const issuerException = { named: remote.issuer, found: `${remote.issuer}/` };
    expect(failure).toMatchObject({
      code: 'E_ISSUER_MISMATCH',
      message: expect.stringContaining('the setting issuerException') as unknown,
      issuers: issuerException,
    });
    await product.call('configureServer', { server: 'work', settings: { issuerException } });
    // The fixture sends the name without the slash as `iss`, which must match the issuer in the metadata.
    await expect(signIn()).rejects.toThrow('E_ISS_MISMATCH');
    product.browser.options.tamper = (redirect) => {
      redirect.searchParams.set('iss', `${remote.issuer}/`);
      return redirect;
    };
    await signIn();
    expect(await echo('with the setting')).toBe('with the setting');
  });
});

describe(rows.privateCa, () => {
  const own = selfSigned(['localhost']);

  it('fails without the setting; sign-in and calls work with it', async () => {
    const folder = mkdtempSync(path.join(os.tmpdir(), 'keybridge-ca-'));
    worlds.later({ close: async () => rmSync(folder, { recursive: true, force: true }) });
    const caFile = path.join(folder, 'ca.pem');
    writeFileSync(caFile, own.cert);
    const server = worlds.later(await startSecureServer(own));
    const { product, signIn, signInFailure, echo } = await worlds.beside(server.url);
    expect(await signInFailure()).toBe('E_TLS');
    expect(server.requests).toEqual([]);
    await product.call('configureServer', { server: 'work', settings: { caFile } });
    await signIn();
    expect(await echo('behind a private CA')).toBe('behind a private CA');
  });
});

describe(rows.takenAsIs, () => {
  it.each([
    ['expires_in as a string', { scenario: 'token-expires-weird', expiresIn: '3600' }],
    ['no expires_in', { scenario: 'token-expires-weird' }],
    ['no scope in the token response', { scenario: 'token-no-scope' }],
    ['token_type in lower case', { scenario: 'token-lower-case' }],
    ['an authorization response without iss that does not announce it', { scenario: 'as-no-iss' }],
    ['the origin as resource', { scenario: 'prm-resource-parent' }],
  ])('%s: signs in, calls, renews', async (_what, options) => {
    const { remote, product, signIn, echo, stateKind } = await worlds.faulty(options);
    await signIn();
    expect(await echo('as it is')).toBe('as it is');
    await remote.setScenario('healthy');
    await product.call('refreshNow', { server: 'work' });
    expect(await echo('renewed')).toBe('renewed');
    expect(await stateKind()).toBe('signed_in');
    expect(product.browser.openings).toBe(1);
  });

  it('rejects metadata without PKCE, as MCP requires, until the user allows it for the server', async () => {
    const { product, signInFailure, signIn, echo } = await worlds.faulty({ scenario: 'as-no-pkce' });
    expect(await signInFailure()).toBe('E_PKCE_UNSUPPORTED');
    expect(product.browser.openings).toBe(0);
    await product.call('configureServer', { server: 'work', allowMissingPkce: true });
    await signIn();
    expect(await echo('allowed')).toBe('allowed');
  });

  it('rejects metadata of another host', async () => {
    const { remote, product, signInFailure } = await worlds.faulty({ scenario: 'prm-resource-mismatch' });
    expect(await signInFailure()).toBe('E_RESOURCE_MISMATCH');
    expect(product.browser.openings).toBe(0);
    expect(remote.evilHits).toBe(0);
  });
});
