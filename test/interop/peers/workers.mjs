// Cloudflare's authorization server library, which many hosted MCP servers use, under Node: a loader replaces the only
// module of the Workers runtime that it imports, and a Map replaces its key-value store.
import { register } from 'node:module';
import { createServer } from 'node:http';
import { Readable } from 'node:stream';
import { McpServer } from '@modelcontextprotocol/sdk/server/mcp.js';
import { WebStandardStreamableHTTPServerTransport } from '@modelcontextprotocol/sdk/server/webStandardStreamableHttp.js';
import { z } from 'zod';
import { ready } from './echo-server.mjs';

const stub =
  'data:text/javascript,export class WorkerEntrypoint { constructor(ctx, env) { this.ctx = ctx; this.env = env; } }';
const loader = `export const resolve = (name, context, next) =>
  name === 'cloudflare:workers' ? { url: ${JSON.stringify(stub)}, shortCircuit: true } : next(name, context);`;
register(`data:text/javascript,${encodeURIComponent(loader)}`);
const { OAuthProvider } = await import('@cloudflare/workers-oauth-provider');

const listener = createServer();
await new Promise((resolve) => listener.listen(0, '127.0.0.1', resolve));
const origin = `http://127.0.0.1:${listener.address().port}`;
const kept = new Map();
let refreshes = 0;

const provider = new OAuthProvider({
  apiRoute: '/mcp',
  apiHandler: { fetch: answerMcp },
  defaultHandler: { fetch: approve },
  authorizeEndpoint: '/authorize',
  tokenEndpoint: '/oauth/token',
  clientRegistrationEndpoint: '/oauth/register',
  scopesSupported: ['mcp:tools', 'offline_access'],
  resourceMetadata: { resource: `${origin}/mcp`, authorization_servers: [origin] },
  requiredScopes: ['mcp:tools'],
});

/** Signs in ada and approves immediately. */
async function approve(request, env) {
  if (new URL(request.url).pathname !== '/authorize') return new Response('Not found', { status: 404 });
  const asked = await env.OAUTH_PROVIDER.parseAuthRequest(request);
  const { redirectTo } = await env.OAUTH_PROVIDER.completeAuthorization({
    request: asked,
    userId: 'ada',
    metadata: {},
    scope: asked.scope,
    props: { user: 'ada' },
  });
  return Response.redirect(redirectTo, 302);
}

async function answerMcp(request) {
  const server = new McpServer({ name: 'interop-peer', version: '1.0.0' });
  server.registerTool('echo', { description: 'Says it again', inputSchema: { text: z.string() } }, ({ text }) => ({
    content: [{ type: 'text', text }],
  }));
  const transport = new WebStandardStreamableHTTPServerTransport({ enableJsonResponse: true });
  await server.connect(transport);
  return transport.handleRequest(request);
}

const env = {
  OAUTH_KV: {
    get: async (key, options) => {
      const text = kept.get(key) ?? null;
      return text !== null && (options === 'json' || options?.type === 'json') ? JSON.parse(text) : text;
    },
    put: async (key, value) => void kept.set(key, value),
    delete: async (key) => void kept.delete(key),
    list: async ({ prefix = '' } = {}) => ({
      keys: [...kept.keys()].filter((key) => key.startsWith(prefix)).map((name) => ({ name })),
      list_complete: true,
    }),
  },
};

async function serve(request, response) {
  const parts = [];
  for await (const part of request) parts.push(part);
  const body = Buffer.concat(parts);
  const hasBody = request.method !== 'GET' && request.method !== 'HEAD';
  const asked = new Request(`${origin}${request.url}`, {
    method: request.method,
    headers: request.headers,
    ...(hasBody ? { body } : {}),
  });
  const answer = await provider.fetch(asked, env, { waitUntil: () => {}, passThroughOnException: () => {} });
  if (answer.ok && new URLSearchParams(body.toString()).get('grant_type') === 'refresh_token') refreshes += 1;
  response.writeHead(answer.status, Object.fromEntries(answer.headers));
  if (answer.body) Readable.fromWeb(answer.body).pipe(response);
  else response.end();
}
listener.on('request', (request, response) => {
  serve(request, response).catch((error) => {
    console.error(error);
    response.writeHead(500).end();
  });
});

ready(
  { url: `${origin}/mcp` },
  {
    refreshes: () => refreshes,
    // Its access tokens are valid for at least a minute, so they are deleted from the store instead.
    expire: () => {
      for (const key of kept.keys()) if (key.startsWith('token:')) kept.delete(key);
    },
  },
);
