import { describe, expect, it } from 'vitest';
import { Secret } from '../../../electron/core/base/secret.ts';
import { closeAfterEach } from '../../fixtures/closing.ts';
import { sendJson } from '../../fixtures/listener.ts';
import { failure } from '../../fixtures/failure.ts';
import { createGrantRig, unsigned, type TokenSite } from '../../fixtures/grant-rig.ts';
import type { SecretName } from '../../../shared/server-settings.ts';

const { withServer, tokenSite } = createGrantRig(closeAfterEach());

describe('enterprise-managed authorization (SEP-990)', () => {
  const exchange = 'urn:ietf:params:oauth:grant-type:token-exchange';
  const idJag = 'urn:ietf:params:oauth:token-type:id-jag';
  const idToken = unsigned({ sub: 'ada', aud: 'at-company' });
  const jag = unsigned({ sub: 'ada', client_id: 'robot' });

  async function company(secrets: Partial<Record<SecretName, string>> = {}) {
    const [site, idp] = [await tokenSite(), await tokenSite()];
    idp.respond = (_form, response) =>
      sendJson(response, 200, { access_token: jag, issued_token_type: idJag, token_type: 'N_A', expires_in: 300 });
    const enterprise = { issuer: idp.site.origin, clientId: 'at-company' };
    const added = await withServer(site.url, {
      settings: { grant: 'enterprise_managed', enterprise },
      secrets: { clientSecret: 'ours', enterpriseIdToken: idToken, ...secrets },
    });
    return { site, idp, ...added };
  }

  it('exchanges the ID token for an assertion of the company, and the assertion for a token', async () => {
    const { site, idp, rig, start, token, id } = await company();
    await start();
    expect(Object.fromEntries(idp.forms[0] ?? [])).toEqual({
      grant_type: exchange,
      requested_token_type: idJag,
      subject_token: idToken,
      subject_token_type: 'urn:ietf:params:oauth:token-type:id_token',
      audience: site.site.origin,
      resource: site.url,
      scope: 'mcp:tools',
      client_id: 'at-company',
    });
    expect(Object.fromEntries(site.forms[0] ?? [])).toMatchObject({
      grant_type: 'urn:ietf:params:oauth:grant-type:jwt-bearer',
      assertion: jag,
      resource: site.url,
    });
    expect(await token()).toBeInstanceOf(Secret);
    await rig.tokens.refreshNow(id);
    expect([idp.forms.length, site.forms.length]).toEqual([2, 2]);
    expect(rig.opened).toEqual([]);
    expect(rig.log.join('\n')).not.toContain(idToken);
  });

  it('sends each of the two client secrets only to the server that it belongs to', async () => {
    const { site, idp, start } = await company({ enterpriseClientSecret: 'theirs' });
    await start();
    const basic = (target: TokenSite) =>
      target.site.hits
        .filter(({ path: at }) => at === '/token')
        .map(({ headers }) => Buffer.from(headers.authorization?.slice(6) ?? '', 'base64').toString());
    expect([basic(idp), basic(site)]).toEqual([['at-company:theirs'], ['robot:ours']]);
  });

  it('does not send on a token that is not an identity assertion', async () => {
    const { site, idp, start } = await company();
    idp.respond = (_form, response) =>
      sendJson(response, 200, { access_token: 'a-real-access-token', token_type: 'Bearer', expires_in: 300 });
    expect(await failure(start())).toMatchObject({ code: 'E_TOKEN_RESPONSE' });
    expect(site.forms).toEqual([]);
  });

  it('ends the sign-in when the company refuses, and keeps it when the company is unreachable', async () => {
    const { idp, rig, start, id } = await company();
    await start();
    idp.respond = (_form, response) => response.writeHead(502).end();
    await rig.tokens.refreshNow(id);
    expect(rig.tokens.state(id).kind).toBe('retrying');
    idp.respond = (_form, response) => sendJson(response, 400, { error: 'invalid_grant' });
    await rig.tokens.refreshNow(id);
    expect(await rig.tokens.accessToken(id)).toMatchObject({ kind: 'refused', error: { code: 'E_SIGN_IN_AGAIN' } });
  });
});
