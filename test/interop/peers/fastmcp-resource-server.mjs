// A resource server by npm fastmcp that introspects each token (RFC 7662). argv: the issuer, the introspection
// endpoint, the port; environment: the client for introspection.
import { FastMCP } from 'fastmcp';
import { z } from 'zod';
import { ready } from './echo-server.mjs';

const [issuer, introspection, portText] = process.argv.slice(2);
const port = Number(portText);
const origin = `http://127.0.0.1:${port}`;
const credentials = Buffer.from(`${process.env.CLIENT_ID}:${process.env.CLIENT_SECRET}`).toString('base64');

const server = new FastMCP({
  name: 'interop-peer',
  version: '1.0.0',
  oauth: {
    enabled: true,
    protectedResource: { resource: `${origin}/mcp`, authorizationServers: [issuer], scopesSupported: ['mcp:tools'] },
  },
  authenticate: async (request) => {
    const token = request.headers.authorization?.replace(/^Bearer /, '');
    const answer =
      token &&
      (await fetch(introspection, {
        method: 'POST',
        headers: { authorization: `Basic ${credentials}` },
        body: new URLSearchParams({ token }),
      }));
    const claims = answer ? await answer.json() : {};
    if (!claims.active || claims.aud !== `${origin}/mcp`)
      throw new Response(null, { status: 401, statusText: 'Unauthorized' });
    return { subject: claims.sub };
  },
});
server.addTool({
  name: 'echo',
  description: 'Says it again',
  parameters: z.object({ text: z.string() }),
  execute: async ({ text }) => text,
});
await server.start({ transportType: 'httpStream', httpStream: { port, host: '127.0.0.1' } });
ready({ url: `${origin}/mcp` });
