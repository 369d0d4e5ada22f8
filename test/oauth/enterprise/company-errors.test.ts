import { describe, expect, it } from 'vitest';
import { httpBrowser } from '../../fixtures/browser.ts';
import { closeAfterEach } from '../../fixtures/closing.ts';
import { commandFailure, startCompanyRig } from '../../fixtures/company-rig.ts';

const closing = closeAfterEach();

describe('the error of a failed sign-in at a company', () => {
  it('names the company and its reason if it refuses one server', async () => {
    const rig = await startCompanyRig(closing);
    const [a, b] = [await rig.add('a'), await rig.add('b')];
    await rig.signIn('a');
    rig.company.refuse = ({ audience }) =>
      audience === b.as.issuer ? { error: 'invalid_target', description: 'not for interns' } : undefined;
    const error = await commandFailure(rig.signIn('b'));
    expect(error).toMatchObject({ code: 'E_TOKEN_REFUSED' });
    expect(error?.message).toContain(
      `The company’s identity provider (${new URL(rig.company.idp.issuer).host}): ` +
        `It issued no assertion for ${new URL(b.as.issuer).host}.`,
    );
    expect(error?.message).toContain('not for interns');
    expect(error?.message).toContain('Ask your administrator');
    expect(await rig.call('a', a)).toBe(200);
    expect(rig.company.idp.counts.refreshes).toBe(0);
    expect(rig.browser.openings).toBe(1);
  });

  it('names the server if it rejects the assertion', async () => {
    const rig = await startCompanyRig(closing);
    const a = await rig.add('a');
    a.refuses = true;
    const error = await commandFailure(rig.signIn('a'));
    expect(error).toMatchObject({ code: 'E_TOKEN_REFUSED' });
    expect(error?.message).toContain(
      `${new URL(a.as.issuer).host} did not accept the assertion of the company’s identity provider.`,
    );
    a.refuses = false;
    expect(await rig.signIn('a')).toBe('signed_in');
    expect(rig.browser.openings).toBe(1);
  });

  it('says that the user denied it', async () => {
    const rig = await startCompanyRig(closing, {}, httpBrowser({ denyLogin: true }));
    await rig.add('a');
    expect(await commandFailure(rig.signIn('a'))).toMatchObject({
      code: 'E_SIGN_IN_DENIED',
      message: expect.stringContaining('The company’s identity provider'),
    });
    expect(rig.storedItems()).toEqual([]);
  });

  it('names the client secret if it is wrong, and the next sign-in uses a new one', async () => {
    const rig = await startCompanyRig(closing, { clientSecret: 'the-right-secret' });
    await rig.add('a', { secrets: { enterpriseClientSecret: 'the-wrong-secret' } });
    expect(await commandFailure(rig.signIn('a'))).toMatchObject({
      code: 'E_CLIENT_REFUSED',
      message: expect.stringContaining('The company’s identity provider'),
    });
    await rig.product.call('configureServer', { server: 'a', secrets: { enterpriseClientSecret: 'the-right-secret' } });
    expect(await rig.signIn('a')).toBe('signed_in');
  });

  it.each([
    ['not a URL', 'acme', 'E_ENDPOINT_REFUSED'],
    ['plain http', 'http://login.acme.example', 'E_ENDPOINT_REFUSED'],
    ['a URL with a password', 'https://a:b@login.acme.example', 'E_ENDPOINT_REFUSED'],
  ])('rejects an issuer that is %s', async (_what, issuer, code) => {
    const rig = await startCompanyRig(closing);
    await rig.add('a', { settings: { issuer } });
    expect(await commandFailure(rig.signIn('a'))).toMatchObject({
      code,
      message: expect.stringContaining('The company’s identity provider'),
    });
    expect(rig.browser.openings).toBe(0);
  });

  it('names the setting enterprise if it is missing', async () => {
    const rig = await startCompanyRig(closing);
    const { mcp, clientId } = await rig.company.server();
    await rig.product.call('addServer', {
      url: mcp.url,
      name: 'a',
      clientId,
      settings: { grant: 'enterprise_managed' },
    });
    expect(await commandFailure(rig.signIn('a'))).toMatchObject({ code: 'E_BAD_INPUT', field: 'settings.enterprise' });
  });

  it('repeats the company’s reason if a second sign-in does not help', async () => {
    const rig = await startCompanyRig(closing, { refreshTokens: 'never' });
    const a = await rig.add('a');
    await rig.signIn('a');
    rig.company.refuse = () => ({ error: 'invalid_grant', description: 'not you' });
    const error = await commandFailure(rig.signIn('a'));
    expect(error).toMatchObject({ code: 'E_SIGN_IN_AGAIN', message: expect.stringContaining('not you') });
    expect(rig.browser.openings).toBe(2);
    rig.company.refuse = undefined;
    expect(await rig.signIn('a')).toBe('signed_in');
    expect(await rig.call('a', a)).toBe(200);
  });

  it('says that the issuer in the setting differs from the company’s metadata', async () => {
    const rig = await startCompanyRig(closing);
    await rig.add('a', { settings: { issuer: `${rig.company.idp.issuer}/` } });
    expect(await commandFailure(rig.signIn('a'))).toMatchObject({
      code: 'E_ISSUER_MISMATCH',
      message: expect.stringContaining('The company’s identity provider'),
    });
    expect(rig.browser.openings).toBe(0);
  });
});
