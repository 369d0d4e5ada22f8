import * as oauth from 'openid-client';
import { describe, expect, it } from 'vitest';
import { startAuthorizationServer, type AuthorizationServerOptions } from '../fixtures/authorization-server.ts';
import { httpBrowser } from '../fixtures/browser.ts';
import { closeAfterEach } from '../fixtures/closing.ts';
import { startMcpServer, type McpServerOptions } from '../fixtures/mcp-server.ts';
import { callTool, toolText } from '../fixtures/mcp-by-hand.ts';
import { clientByHand } from '../fixtures/sign-in-by-hand.ts';
import { until } from '../fixtures/wait.ts';

const closing = closeAfterEach();

async function pair(options: AuthorizationServerOptions = {}, mcpOptions: McpServerOptions = {}) {
  const authorizationServer = await startAuthorizationServer(options);
  closing.push(authorizationServer.close);
  const mcp = await startMcpServer({ authorizationServer, ...mcpOptions });
  closing.push(mcp.close);
  const client = await clientByHand(authorizationServer.issuer, mcp.url, 'mcp:tools offline_access');
  closing.push(client.close);
  return { authorizationServer, mcp, client, browser: httpBrowser() };
}
describe('the authorization server', () => {
  it('signs in with PKCE and issues a token that the MCP server accepts', async () => {
    const { authorizationServer, mcp, client, browser } = await pair();
    const tokens = await client.signIn(browser);
    expect(tokens.expires_in).toBe(60);
    expect(tokens.refresh_token).toBeTypeOf('string');
    expect(toolText(await callTool(mcp.url, tokens.access_token, 'whoami'))).toBe('ada');
    expect(browser.last).toMatchObject({ status: 200, text: 'You can close this page.' });
    expect(authorizationServer.counts).toMatchObject({
      authorizations: 1,
      loginPages: 1,
      consentPages: 1,
      registrations: 1,
      codeExchanges: 1,
    });
    expect(authorizationServer.seen.token[0]).toMatchObject({ resource: mcp.url });
    expect(authorizationServer.secrets()).toEqual(expect.arrayContaining([tokens.access_token, tokens.refresh_token]));
    expect(authorizationServer.issuedTokens()).toEqual({
      access: [tokens.access_token],
      refresh: [tokens.refresh_token],
    });
  });

  it('announces PKCE S256, RFC 9207 iss, registration and revocation', async () => {
    const { authorizationServer } = await pair();
    const metadata = (await (
      await fetch(`${authorizationServer.issuer}/.well-known/oauth-authorization-server`)
    ).json()) as object;
    expect(metadata).toMatchObject({
      issuer: authorizationServer.issuer,
      code_challenge_methods_supported: ['S256'],
      authorization_response_iss_parameter_supported: true,
      registration_endpoint: `${authorizationServer.issuer}/reg`,
      revocation_endpoint: `${authorizationServer.issuer}/token/revocation`,
    });
  });

  it('refuses an authorization request without PKCE', async () => {
    const { client, browser } = await pair();
    const url = oauth.buildAuthorizationUrl(client.config, { redirect_uri: client.redirectUri, scope: 'mcp:tools' });
    const visit = await browser.open(url);
    expect(new URL(visit.lastUrl).searchParams.get('error')).toBe('invalid_request');
  });

  it('rotates refresh tokens, and revokes the whole sign-in when an old one is reused', async () => {
    const { authorizationServer, mcp, client, browser } = await pair();
    const first = await client.signIn(browser);
    const second = await client.refresh(first.refresh_token ?? '');
    expect(second.refresh_token).not.toBe(first.refresh_token);
    expect(toolText(await callTool(mcp.url, second.access_token, 'whoami'))).toBe('ada');
    await expect(client.refresh(first.refresh_token ?? '')).rejects.toMatchObject({ error: 'invalid_grant' });
    await expect(client.refresh(second.refresh_token ?? '')).rejects.toMatchObject({ error: 'invalid_grant' });
    expect((await callTool(mcp.url, second.access_token, 'whoami')).status).toBe(401);
    expect(authorizationServer.counts).toMatchObject({ refreshes: 3, refreshesGranted: 1, refreshReuses: 1 });
  });

  it('accepts a rotated refresh token within the grace period, and not afterwards', async () => {
    const { authorizationServer, client, browser } = await pair({ graceMs: 60_000 });
    const first = await client.signIn(browser);
    await client.refresh(first.refresh_token ?? '');
    const again = await client.refresh(first.refresh_token ?? '');
    expect(again.refresh_token).toBeTypeOf('string');
    expect(authorizationServer.counts.refreshReuses).toBe(0);
    expect(authorizationServer.graceReuses).toBe(1);
    authorizationServer.setGraceMs(-1);
    await expect(client.refresh(first.refresh_token ?? '')).rejects.toMatchObject({ error: 'invalid_grant' });
    expect(authorizationServer.counts.refreshReuses).toBe(1);
  });

  it('can keep refresh tokens unrotated', async () => {
    const { client, browser } = await pair({ rotate: false });
    const first = await client.signIn(browser);
    expect((await client.refresh(first.refresh_token ?? '')).refresh_token).toBe(first.refresh_token);
  });

  it('can issue no refresh tokens, or only for offline_access', async () => {
    const never = await pair({ refreshTokens: 'never' });
    expect((await never.client.signIn(never.browser)).refresh_token).toBeUndefined();
    const offline = await pair({ refreshTokens: 'offline_access' });
    expect((await offline.client.signIn(offline.browser)).refresh_token).toBeUndefined();
    expect((await offline.client.signIn(offline.browser, { prompt: 'consent' })).refresh_token).toBeTypeOf('string');
  });

  it('revokes a sign-in on request (RFC 7009)', async () => {
    const { authorizationServer, mcp, client, browser } = await pair();
    const tokens = await client.signIn(browser);
    await oauth.tokenRevocation(client.config, tokens.refresh_token ?? '');
    await expect(client.refresh(tokens.refresh_token ?? '')).rejects.toMatchObject({ error: 'invalid_grant' });
    expect((await callTool(mcp.url, tokens.access_token, 'whoami')).status).toBe(401);
    expect(authorizationServer.counts.revocations).toBe(1);
  });

  it.each(['opaque', 'jwt'] as const)(
    'can revoke live %s access tokens, so that the MCP server responds with 401',
    async (accessTokens) => {
      const { authorizationServer, mcp, client, browser } = await pair({ accessTokens });
      const tokens = await client.signIn(browser);
      expect(tokens.access_token.split('.').length).toBe(accessTokens === 'jwt' ? 3 : 1);
      expect((await callTool(mcp.url, tokens.access_token, 'whoami')).status).toBe(200);
      authorizationServer.revokeAccessTokens();
      expect((await callTool(mcp.url, tokens.access_token, 'whoami')).status).toBe(401);
      const next = await client.refresh(tokens.refresh_token ?? '');
      expect((await callTool(mcp.url, next.access_token, 'whoami')).status).toBe(200);
    },
  );

  it('issues access tokens that expire', async () => {
    const { authorizationServer, mcp, client, browser } = await pair({ accessTokenSeconds: 1 });
    const tokens = await client.signIn(browser);
    await until(
      async () => (await callTool(mcp.url, tokens.access_token, 'whoami')).status === 401,
      'the token expires',
      5_000,
    );
    authorizationServer.setAccessTokenSeconds(60);
    expect((await client.refresh(tokens.refresh_token ?? '')).expires_in).toBe(60);
  });

  it('can end a sign-in for good, and forget its clients', async () => {
    const { authorizationServer, client, browser } = await pair();
    const tokens = await client.signIn(browser);
    authorizationServer.revokeRefreshTokens();
    await expect(client.refresh(tokens.refresh_token ?? '')).rejects.toMatchObject({ error: 'invalid_grant' });
    authorizationServer.forgetClients();
    await expect(client.refresh(tokens.refresh_token ?? '')).rejects.toMatchObject({ error: 'invalid_client' });
  });

  it('comes back after a stop on the same port, with everything that it issued', async () => {
    const { authorizationServer, client, browser } = await pair();
    const tokens = await client.signIn(browser);
    await authorizationServer.stop();
    await expect(client.refresh(tokens.refresh_token ?? '')).rejects.toThrow(/fetch failed|something went wrong/);
    await authorizationServer.start();
    expect((await client.refresh(tokens.refresh_token ?? '')).access_token).toBeTypeOf('string');
  });

  it('issues tokens for one resource only', async () => {
    const { authorizationServer, client, browser } = await pair();
    const other = await startMcpServer({ authorizationServer });
    closing.push(other.close);
    const tokens = await client.signIn(browser);
    expect((await callTool(other.url, tokens.access_token, 'whoami')).status).toBe(401);
  });
});
