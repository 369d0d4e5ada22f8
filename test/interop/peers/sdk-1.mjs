// The official SDK of the generation with `initialize`: its own authorization server, with a Map as store, and its own
// bearer check.
import { randomUUID } from 'node:crypto';
import { createServer } from 'node:http';
import { InvalidGrantError, InvalidTokenError } from '@modelcontextprotocol/sdk/server/auth/errors.js';
import { requireBearerAuth } from '@modelcontextprotocol/sdk/server/auth/middleware/bearerAuth.js';
import { getOAuthProtectedResourceMetadataUrl, mcpAuthRouter } from '@modelcontextprotocol/sdk/server/auth/router.js';
import express from 'express';
import { answerMcp, ready } from './echo-server.mjs';

const app = express();
const listener = createServer(app);
await new Promise((resolve) => listener.listen(0, '127.0.0.1', resolve));
const origin = `http://127.0.0.1:${listener.address().port}`;
const resource = new URL(`${origin}/mcp`);

const [clients, codes, access, refresh] = [new Map(), new Map(), new Map(), new Map()];
let refreshes = 0;

function issue(clientId, scopes, aud) {
  const tokens = {
    access_token: randomUUID(),
    refresh_token: randomUUID(),
    token_type: 'bearer',
    expires_in: 600,
    scope: scopes.join(' '),
  };
  access.set(tokens.access_token, {
    token: tokens.access_token,
    clientId,
    scopes,
    expiresAt: Math.floor(Date.now() / 1000) + 600,
    resource: aud,
  });
  refresh.set(tokens.refresh_token, { clientId, scopes, aud });
  return tokens;
}

const provider = {
  clientsStore: {
    getClient: (id) => clients.get(id),
    registerClient: (client) => {
      clients.set(client.client_id, client);
      return client;
    },
  },
  // Signs in ada and approves immediately.
  authorize: async (_client, params, response) => {
    const code = randomUUID();
    codes.set(code, params);
    const back = new URL(params.redirectUri);
    back.searchParams.set('code', code);
    if (params.state !== undefined) back.searchParams.set('state', params.state);
    response.redirect(back.href);
  },
  challengeForAuthorizationCode: async (_client, code) => {
    if (!codes.has(code)) throw new InvalidGrantError('No such code');
    return codes.get(code).codeChallenge;
  },
  exchangeAuthorizationCode: async (client, code, _verifier, _redirectUri, asked) => {
    const { scopes = [], resource: first } = codes.get(code);
    codes.delete(code);
    if (asked?.href !== first?.href) throw new InvalidGrantError('Another resource than in the authorization request');
    return issue(client.client_id, scopes, asked);
  },
  exchangeRefreshToken: async (client, token, _scopes, asked) => {
    const old = refresh.get(token);
    if (old?.clientId !== client.client_id || asked?.href !== old.aud?.href)
      throw new InvalidGrantError('No such refresh token');
    refresh.delete(token);
    refreshes += 1;
    return issue(client.client_id, old.scopes, old.aud);
  },
  verifyAccessToken: async (token) => {
    if (!access.has(token)) throw new InvalidTokenError('Expired or revoked');
    return access.get(token);
  },
  revokeToken: async (_client, { token }) => void (access.delete(token), refresh.delete(token)),
};

app.use(
  mcpAuthRouter({ provider, issuerUrl: new URL(origin), resourceServerUrl: resource, scopesSupported: ['mcp:tools'] }),
);
const bearer = requireBearerAuth({
  verifier: provider,
  requiredScopes: ['mcp:tools'],
  expectedResource: resource,
  resourceMetadataUrl: getOAuthProtectedResourceMetadataUrl(resource),
});
app.use('/mcp', bearer, express.json());
app.post('/mcp', (request, response) => answerMcp(request, response, request.body));
app.all('/mcp', (_, response) => response.status(405).end());
ready({ url: resource.href }, { refreshes: () => refreshes, expire: () => access.clear() });
