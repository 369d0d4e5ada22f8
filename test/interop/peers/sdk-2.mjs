// The official SDK of the stateless generation, which also serves the earlier one: its metadata router and its bearer
// check. argv: the issuer, its introspection endpoint; environment: the client for introspection.
import { createServer } from 'node:http';
import {
  getOAuthProtectedResourceMetadataUrl,
  mcpAuthMetadataRouter,
  requireBearerAuth,
} from '@modelcontextprotocol/express';
import { toNodeHandler } from '@modelcontextprotocol/node';
import { createMcpHandler, McpServer, OAuthError, OAuthErrorCode } from '@modelcontextprotocol/server';
import express from 'express';
import { z } from 'zod';
import { ready } from './echo-server.mjs';

const [issuer, introspection] = process.argv.slice(2);
const credentials = Buffer.from(`${process.env.CLIENT_ID}:${process.env.CLIENT_SECRET}`).toString('base64');
const app = express();
const listener = createServer(app);
await new Promise((resolve) => listener.listen(0, '127.0.0.1', resolve));
const resource = new URL(`http://127.0.0.1:${listener.address().port}/mcp`);

const verifier = {
  verifyAccessToken: async (token) => {
    const answer = await fetch(introspection, {
      method: 'POST',
      headers: { authorization: `Basic ${credentials}` },
      body: new URLSearchParams({ token }),
    });
    const { active, client_id, scope = '', exp, aud } = await answer.json();
    if (!active) throw new OAuthError(OAuthErrorCode.InvalidToken, 'Expired or revoked');
    return { token, clientId: client_id, scopes: scope.split(' '), expiresAt: exp, resource: new URL(aud) };
  },
};

const handler = createMcpHandler(() => {
  const server = new McpServer({ name: 'interop-peer', version: '1.0.0' });
  server.registerTool(
    'echo',
    { description: 'Says it again', inputSchema: z.object({ text: z.string() }) },
    ({ text }) => ({ content: [{ type: 'text', text }] }),
  );
  return server;
});
const oauthMetadata = await (await fetch(`${issuer}/.well-known/openid-configuration`)).json();
app.use(mcpAuthMetadataRouter({ oauthMetadata, resourceServerUrl: resource, scopesSupported: ['mcp:tools'] }));
app.use(
  '/mcp',
  requireBearerAuth({
    verifier,
    requiredScopes: ['mcp:tools'],
    expectedResource: resource,
    resourceMetadataUrl: getOAuthProtectedResourceMetadataUrl(resource),
  }),
);
const serve = toNodeHandler(handler);
app.all('/mcp', (request, response) => serve(request, response));
ready({ url: resource.href });
