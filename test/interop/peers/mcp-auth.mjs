// A resource server by mcp-auth on Express 5. argv: the issuer, the port (default: any).
import express from 'express';
import { MCPAuth } from 'mcp-auth';
import { createServer } from 'node:http';
import { answerMcp, ready } from './echo-server.mjs';

const [issuer, port = '0'] = process.argv.slice(2);
const tokens = new Set();
const app = express();
const server = createServer(app);
await new Promise((resolve) => server.listen(Number(port), '127.0.0.1', resolve));
const resource = `http://127.0.0.1:${server.address().port}/mcp`;

const auth = new MCPAuth({
  protectedResources: [
    { metadata: { resource, authorizationServers: [{ issuer, type: 'oidc' }], scopesSupported: ['mcp:tools'] } },
  ],
});
app.use(auth.protectedResourceMetadataRouter());
app.use(
  '/mcp',
  auth.bearerAuth('jwt', { resource, audience: resource, requiredScopes: ['mcp:tools'] }),
  express.json(),
);
app.post('/mcp', (request, response) => {
  tokens.add(request.headers.authorization);
  return answerMcp(request, response, request.body);
});
app.get('/mcp', (_, response) => response.status(405).end());
// Counts refreshes by the tokens that arrive, for authorization servers that do not count them.
ready({ url: resource }, { refreshes: () => tokens.size - 1 });
