import type { ServerResponse } from 'node:http';
import { beforeEach, describe, expect, it } from 'vitest';
import { renderToStaticMarkup } from 'react-dom/server';
import { exitCodes } from '../../electron/command-line/exit-codes.ts';
import { createHttp } from '../../electron/core/http/client.ts';
import { discover } from '../../electron/core/oauth/discovery/discovery.ts';
import type { ErrorInfo } from '../../shared/reply.ts';
import { FailedDiscovery } from '../../renderer/add-server/failed-discovery.tsx';
import { settingsForm } from '../../renderer/server/settings/settings-change.ts';
import { startAuthorizationServer } from '../fixtures/authorization-server.ts';
import { closeAfterEach } from '../fixtures/closing.ts';
import { bareMachine } from '../fixtures/command-line.ts';
import { startMcpServer } from '../fixtures/mcp-server.ts';
import { startProduct, type Product } from '../fixtures/product.ts';
import { errorInfo } from '../fixtures/renderer-preview/states.ts';
import { startSite, type Route, type Site } from '../fixtures/site.ts';
import { until } from '../fixtures/wait.ts';

const closing = closeAfterEach();
let site: Site;

beforeEach(async () => {
  site = await startSite();
  closing.push(() => site.close());
});

async function product(): Promise<Product> {
  const one = await startProduct();
  closing.push(() => one.close());
  return one;
}

async function look(path = '/mcp', timeoutMs?: number) {
  const http = createHttp();
  closing.push(() => http.close());
  return discover(new URL(path, site.origin), { http, ...(timeoutMs === undefined ? {} : { timeoutMs }) });
}

const failure = (work: Promise<unknown>): Promise<ErrorInfo> =>
  work.then(
    () => Promise.reject(new Error('it did not fail')),
    (error: unknown) =>
      error instanceof Error && 'toInfo' in error
        ? (error as { toInfo(): ErrorInfo }).toInfo()
        : ((error as Error).cause as ErrorInfo),
  );

const json =
  (status: number, body: string): Route =>
  (_request, response: ServerResponse) =>
    void response.writeHead(status, { 'content-type': 'application/json' }).end(body);
const mcpAnswer = '{"jsonrpc":"2.0","id":1,"result":{}}';
const unknownMethod = '{"jsonrpc":"2.0","id":1,"error":{"code":-32601,"message":"Method not found"}}';
const asked = (path: string) =>
  site.hits
    .filter((hit) => hit.path === path)
    .map(({ method, body }) => ({ method, asked: body === '' ? '' : (JSON.parse(body) as { method: string }).method }));

describe('an open MCP server', () => {
  it.each([
    ['404 with JSON that is no JSON-RPC', json(404, '{"error":"not found"}')],
    ['404 with an empty object', json(404, '{}')],
    ['200 with JSON of another API', json(200, '{"status":"ok","version":"2.1"}')],
    ['200 with the word jsonrpc and no answer', json(200, '{"jsonrpc":"2.0","id":1,"method":"ping"}')],
    ['400 with an error of another API', json(400, '{"error":"Bad Request"}')],
    ['405', json(405, '{"error":"Method Not Allowed"}')],
    ['204 without a body', (_request, response) => void response.writeHead(204).end()],
  ] satisfies [string, Route][])('is not an address that responds with %s', async (_, route) => {
    site.routes['/mcp'] = route;
    expect((await failure(look())).code).toBe('E_SERVER_URL');
  });

  it.each([
    ['200 with a JSON-RPC result', json(200, mcpAnswer)],
    ['404 with a JSON-RPC error, as 2026-07-28 says of an unknown method', json(404, unknownMethod)],
    [
      '400 with a JSON-RPC error without an id, as servers that require a session send',
      json(400, '{"jsonrpc":"2.0","error":{"code":-32000,"message":"Bad Request: Server not initialized"},"id":null}'),
    ],
  ] satisfies [string, Route][])('is a server that responds with %s', async (_, route) => {
    site.routes['/mcp'] = route;
    expect(await look()).toMatchObject({ kind: 'open' });
  });

  it('is recognized by a response in an event stream, which is then closed', async () => {
    let closed = false;
    site.routes['/mcp'] = (_request, response) => {
      response.on('close', () => (closed = true));
      response
        .writeHead(200, { 'content-type': 'text/event-stream' })
        .write(`: hello\n\nevent: message\ndata: ${mcpAnswer}\n\n`);
    };
    expect(await look()).toMatchObject({ kind: 'open' });
    await until(() => closed, 'the stream is closed');
  });

  it('is not recognized by a stream without a response', async () => {
    site.routes['/mcp'] = (_request, response) =>
      void response.writeHead(200, { 'content-type': 'text/event-stream' }).write(': hello\n\n');
    expect((await failure(look('/mcp', 400))).code).toMatch(/^E_(SERVER_URL|TIMEOUT)$/);
  });

  it('is recognized by its response to initialize, and the new session is closed', async () => {
    site.routes['/mcp'] = (request, response, hit) => {
      if (request.method === 'DELETE') return void response.writeHead(204).end();
      if (!hit.body.includes('"initialize"'))
        return void response.writeHead(400, { 'content-type': 'text/plain' }).end('Bad Request: missing session');
      response
        .writeHead(200, { 'content-type': 'application/json', 'mcp-session-id': 'session-1' })
        .end(
          '{"jsonrpc":"2.0","id":1,"result":{"protocolVersion":"2025-06-18","capabilities":{},' +
            '"serverInfo":{"name":"x","version":"1"}}}',
        );
    };
    expect(await look()).toMatchObject({ kind: 'open' });
    await until(
      () => site.hits.find(({ method, headers }) => method === 'DELETE' && headers['mcp-session-id'] === 'session-1'),
      'the session is closed',
    );
    expect(asked('/mcp').map((one) => one.asked)).toEqual(['server/discover', 'ping', 'initialize', '']);
  });

  it('is not recognized by a protocol version error that precedes the check of the token', async () => {
    site.routes['/mcp'] = (_request, response, hit) => {
      if (hit.body.includes('server/discover'))
        return void response
          .writeHead(400, { 'content-type': 'application/json' })
          .end('{"jsonrpc":"2.0","id":null,"error":{"code":-32000,"message":"Unsupported protocol version"}}');
      response.writeHead(401).end();
    };
    expect(await look().catch((error: unknown) => error)).not.toMatchObject({ kind: 'open' });
  });

  it('is not recognized by a 404 with metadata for the whole host', async () => {
    site.routes['/.well-known/oauth-protected-resource'] = {
      resource: site.origin,
      authorization_servers: ['https://auth.example'],
    };
    expect((await failure(look('/nothing'))).code).toBe('E_SERVER_URL');
  });
});

describe('a search at the usual paths of the host', () => {
  it.each([
    ['the root', '/', '/mcp'],
    ['another path', '/docs', '/mcp'],
    ['a path below which it is', '/v1', '/v1/mcp'],
    ['the older endpoint', '/mcp', '/sse'],
  ])('finds the MCP server when the entered address is %s', async (_, wrong, right) => {
    site.routes[right] = json(200, mcpAnswer);
    const error = await failure((await product()).call('discover', { url: `${site.origin}${wrong}` }));
    expect(error).toMatchObject({ code: 'E_SERVER_URL', addresses: [`${site.origin}${right}`] });
  });

  it('finds a protected server at the path that its metadata names', async () => {
    site.routes['/tools/v2'] = (_request, response) =>
      void response.writeHead(401, { 'www-authenticate': 'Bearer' }).end();
    site.routes['/.well-known/oauth-protected-resource'] = {
      resource: `${site.origin}/tools/v2`,
      authorization_servers: ['https://auth.example'],
    };
    const error = await failure((await product()).call('discover', { url: `${site.origin}/` }));
    expect(error.addresses).toEqual([`${site.origin}/tools/v2`]);
  });

  it('offers nothing on another host that the metadata names', async () => {
    const other = await startSite();
    closing.push(() => other.close());
    other.routes['/mcp'] = json(200, mcpAnswer);
    site.routes['/.well-known/oauth-protected-resource'] = {
      resource: `${other.origin}/mcp`,
      authorization_servers: ['https://auth.example'],
    };
    expect((await failure((await product()).call('discover', { url: `${site.origin}/` }))).addresses).toBeUndefined();
    expect(other.hits).toEqual([]);
  });

  it('finds the server if there is a web page at the address', async () => {
    site.routes['/'] = (_request, response) =>
      void response.writeHead(200, { 'content-type': 'text/html' }).end('<html>');
    site.routes['/mcp'] = json(200, mcpAnswer);
    expect(await failure((await product()).call('discover', { url: site.origin }))).toMatchObject({
      code: 'E_NOT_JSON',
      addresses: [`${site.origin}/mcp`],
    });
  });

  it('does not search if the server works', async () => {
    site.routes['/mcp'] = json(200, mcpAnswer);
    await (await product()).call('discover', { url: `${site.origin}/mcp` });
    expect(site.hits.filter(({ path }) => path.endsWith('/sse'))).toEqual([]);
  });

  it('leads to a button for each address in the window, and none to add the wrong one', () => {
    const error = {
      ...errorInfo('E_SERVER_URL', 'There is no MCP server at https://a.example/: it responded with status 404.'),
      addresses: ['https://a.example/mcp'],
    };
    const html = renderToStaticMarkup(
      <FailedDiscovery
        url="https://a.example/"
        error={error}
        form={settingsForm({ ownClient: false, allowMissingPkce: false, settings: {} })}
        onForm={() => {}}
        onCheck={() => {}}
        onAddress={() => {}}
      />,
    );
    const buttons = [...html.matchAll(/<button[^>]*>(.*?)<\/button>/g)].map(([, words = '']) =>
      words.replaceAll(/<[^>]*>/g, ''),
    );
    expect(buttons).toEqual(['Use this address']);
    expect(html).toContain('https://a.example/mcp');
  });

  it('makes the command line name the right address and add nothing', async () => {
    const as = await startAuthorizationServer();
    closing.push(() => as.close());
    const mcp = await startMcpServer({ authorizationServer: as });
    closing.push(() => mcp.close());
    const bare = await bareMachine();
    closing.push(() => bare.close());
    await bare.serve();
    const wrong = await bare.run(['add', new URL('/', mcp.url).href, '--name', 'work']);
    expect(wrong).toMatchObject({
      code: exitCodes.usage,
      stderr: expect.stringContaining(`keybridge add '${mcp.url}'`),
    });
    expect((await bare.run(['status', 'work'])).code).toBe(exitCodes.unknownServer);
    expect((await bare.run(['add', mcp.url, '--name', 'work'])).code).toBe(0);
  });
});
