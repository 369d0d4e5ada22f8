import { describe, expect, it } from 'vitest';
import type { CredentialFacts } from '../../../electron/core/vault/credential.ts';
import {
  startAuthorizationServer,
  type AuthorizationServer,
  type AuthorizationServerOptions,
} from '../../fixtures/authorization-server.ts';
import { closeAfterEach } from '../../fixtures/closing.ts';
import { sendJson } from '../../fixtures/listener.ts';
import { startSignInRig, type SignInRig } from '../../fixtures/sign-in-rig.ts';
import { startSite } from '../../fixtures/site.ts';

const closing = closeAfterEach();

describe('a real OpenID Provider', () => {
  async function real(
    options: AuthorizationServerOptions,
    added: Parameters<SignInRig['add']>[1] = {},
  ): Promise<{ auth: AuthorizationServer; login: SignInRig; facts: CredentialFacts | undefined }> {
    const auth = await startAuthorizationServer(options);
    closing.push(() => auth.close());
    const mcp = await startSite();
    closing.push(() => mcp.close());
    mcp.routes['/mcp'] = (_, response) =>
      response.writeHead(401, { 'www-authenticate': 'Bearer scope="mcp:tools"' }).end();
    mcp.routes['/.well-known/oauth-protected-resource/mcp'] = (_request, response) =>
      sendJson(response, 200, { resource: `${mcp.origin}/mcp`, authorization_servers: [auth.issuer] });
    const login = await startSignInRig();
    closing.push(() => login.close());
    const server = await login.add(`${mcp.origin}/mcp`, { ...added, settings: { identity: true, ...added.settings } });
    await login.signIns.start(server.id, { openBrowser: true });
    return { auth, login, facts: login.vault.facts(server.id) };
  }

  it.each(['RS256', 'PS256', 'ES256', 'EdDSA'] as const)(
    'that signs with %s identifies the person',
    async (signingAlgorithm) => {
      const { auth, facts } = await real({ signingAlgorithm });
      expect(facts).toMatchObject({
        account: 'ada',
        subject: { issuer: auth.issuer, sub: 'ada' },
        idTokenClaims: { email: 'ada@example.test' },
      });
      expect(facts?.identityNotes).toBeUndefined();
    },
  );

  it('identifies the person after a sign-in by device code, without a nonce', async () => {
    const { login, facts } = await real({ deviceFlow: true }, { settings: { grant: 'device_code' } });
    expect(login.opened).toHaveLength(1);
    expect(facts).toMatchObject({ account: 'ada', subject: { sub: 'ada' } });
  });

  it('that signs with the client secret (HS256) signs in without a name', async () => {
    const { facts } = await real({ signingAlgorithm: 'HS256', clientAuthMethods: ['client_secret_basic'] });
    expect(facts).toMatchObject({ renewable: true, identityNotes: ['algorithm'] });
    expect(facts?.account).toBeUndefined();
  });

  it('with names only at userinfo provides them to a token that is not limited to the MCP server', async () => {
    const { facts } = await real({ thinIdTokens: true }, { settings: { resource: 'omit' } });
    expect(facts).toMatchObject({ account: 'ada', idTokenClaims: { email: 'ada@example.test' } });
  });
});
