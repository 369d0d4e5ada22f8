// The OAuth proxy of npm fastmcp: an authorization server for us, and a client of the authorization server behind it.
// argv: the issuer behind it, the port; environment: the proxy's client there.
import { FastMCP, OAuthProvider, requireAuth } from 'fastmcp';
import { z } from 'zod';
import { ready } from './echo-server.mjs';

const [issuer, port] = process.argv.slice(2);
const origin = `http://127.0.0.1:${port}`;

const server = new FastMCP({
  name: 'interop-peer',
  version: '1.0.0',
  auth: new OAuthProvider({
    authorizationEndpoint: `${issuer}/auth`,
    tokenEndpoint: `${issuer}/token`,
    baseUrl: origin,
    clientId: process.env.CLIENT_ID,
    clientSecret: process.env.CLIENT_SECRET,
    scopes: ['openid', 'offline_access'],
  }),
});
server.addTool({
  name: 'echo',
  description: 'Says it again',
  canAccess: requireAuth,
  parameters: z.object({ text: z.string() }),
  execute: async ({ text }) => text,
});
await server.start({ transportType: 'httpStream', httpStream: { port: Number(port), host: '127.0.0.1' } });
ready({ url: `${origin}/mcp` });
