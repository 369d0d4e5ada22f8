import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { startAuthorizationServer } from '../fixtures/authorization-server.ts';
import { httpBrowser } from '../fixtures/browser.ts';
import { bareMachine } from '../fixtures/command-line.ts';
import { sendJson } from '../fixtures/listener.ts';
import { startMcpServer } from '../fixtures/mcp-server.ts';
import { startProduct, type Product } from '../fixtures/product.ts';
import { startSite, type Route, type Site } from '../fixtures/site.ts';
import { until } from '../fixtures/wait.ts';
import { closeAfterEach } from '../fixtures/closing.ts';

const closing = closeAfterEach();

async function product(): Promise<Product> {
  const started = await startProduct();
  closing.push(() => started.close());
  return started;
}

/** An MCP server that requires `key` in a header and does not support OAuth. */
async function keyedServer(header: string, key: { value: string }): Promise<Site> {
  const site = await startSite();
  closing.push(() => site.close());
  const mcp: Route = (request, response, { body }) => {
    if (request.headers[header] !== key.value)
      return void response.writeHead(401, { 'www-authenticate': 'Bearer' }).end();
    if (request.method !== 'POST') return void response.writeHead(405).end();
    const { id, method } = JSON.parse(body) as { id?: number; method: string };
    if (id === undefined) return void response.writeHead(202).end();
    const result =
      method === 'initialize'
        ? { protocolVersion: '2025-06-18', capabilities: { tools: {} }, serverInfo: { name: 'keyed', version: '1' } }
        : { content: [{ type: 'text', text: 'ran' }] };
    sendJson(response, 200, { jsonrpc: '2.0', id, result });
  };
  site.routes['/mcp'] = mcp;
  return site;
}

describe('a server that needs no user to sign in', () => {
  it.each([
    ['a Bearer token', 'authorization', 'Bearer s3cret-key', {}],
    ['a header of its own', 'x-api-key', 's3cret-key', { headerName: 'X-Api-Key' }],
  ])(
    'gets its key with each call as %s; a rejected key is an error, without any OAuth request',
    async (_what, header, value, settings) => {
      const key = { value };
      const site = await keyedServer(header, key);
      const one = await product();
      await one.call('addServer', {
        url: `${site.origin}/mcp`,
        name: 'keyed',
        settings: { grant: 'static_header', ...settings },
        secrets: { headerValue: 's3cret-key' },
      });
      expect(await one.call('signIn', { server: 'keyed' })).toMatchObject({
        state: { kind: 'signed_in', renewable: false },
      });
      const host = one.host('keyed');
      await host.initialize();
      expect(JSON.stringify(await host.call('anything', {}))).toContain('ran');

      key.value = 'another';
      const refused = JSON.stringify(
        await host.call('anything', {}).catch((error: unknown) => (error as Error).message),
      );
      expect(refused).toContain('E_SERVER_REFUSED');
      expect(site.hits.filter(({ path: at }) => at !== '/mcp')).toEqual([]);
      expect(one.browser.openings).toBe(0);
      expect(one.log.join('\n')).not.toContain('s3cret-key');
    },
  );

  it('can be called by a client with a secret, even after a revocation, and the status names the client', async () => {
    const as = await startAuthorizationServer({
      clients: [
        {
          client_id: 'robot',
          client_secret: 'abc',
          grant_types: ['client_credentials'],
          redirect_uris: [],
          response_types: [],
        },
      ],
    });
    closing.push(() => as.close());
    const mcp = await startMcpServer({ authorizationServer: as });
    closing.push(() => mcp.close());
    const one = await product();
    await one.call('addServer', {
      url: mcp.url,
      name: 'robot',
      clientId: 'robot',
      clientSecret: 'abc',
      settings: { grant: 'client_credentials' },
    });
    expect(await one.call('signIn', { server: 'robot' })).toMatchObject({
      identity: 'robot',
      state: { kind: 'signed_in', renewable: true },
    });
    const host = one.host('robot');
    await host.initialize();
    expect(JSON.stringify(await host.call('echo', { text: 'first' }))).toContain('first');
    as.revokeAccessTokens();
    expect(JSON.stringify(await host.call('echo', { text: 'second' }))).toContain('second');
    expect(as.seen.token).toHaveLength(2);
    expect(one.browser.openings).toBe(0);
  });
});

it('login by device code prints address and code once, and succeeds after the sign-in on another device', async () => {
  const as = await startAuthorizationServer({ deviceFlow: true });
  closing.push(() => as.close());
  const mcp = await startMcpServer({ authorizationServer: as });
  closing.push(() => mcp.close());
  const bare = await bareMachine();
  closing.push(() => bare.close());
  await bare.serve(['--json']);
  await bare.run(['add', mcp.url, '--name', 'work', '--set', 'grant=device_code']);
  const login = bare.start(['login', 'work', '--no-browser']);
  const [, url = '', code = ''] = await until(
    () => /^ {2}(http\S+)\n\nThen enter the code (\S+)$/m.exec(login.stderr),
    'the address and the code',
  );
  expect(await bare.run(['status'])).toMatchObject({ stdout: expect.stringContaining(`enter the code ${code}`) });
  await httpBrowser().open(url);
  expect(await login.ended).toMatchObject({ code: 0, stdout: expect.stringMatching(/^Signed in to work/) });
  expect(login.stderr.split(code)).toHaveLength(url.includes(code) ? 3 : 2);
  expect(login.stderr).not.toContain('paste');
});

it('secrets for a grant are read from files, and the command line does not print them', async () => {
  const as = await startAuthorizationServer({
    clients: [
      {
        client_id: 'robot',
        client_secret: 'a-long-client-secret',
        grant_types: ['client_credentials'],
        redirect_uris: [],
        response_types: [],
      },
    ],
  });
  closing.push(() => as.close());
  const mcp = await startMcpServer({ authorizationServer: as });
  closing.push(() => mcp.close());
  const bare = await bareMachine();
  closing.push(() => bare.close());
  const broker = await bare.serve(['--json']);
  const file = path.join(bare.dataDir, 'secret.txt');
  await writeFile(file, 'a-long-client-secret\n', { mode: 0o600 });
  const added = await bare.run([
    'add',
    mcp.url,
    '--name',
    'robot',
    '--client-id',
    'robot',
    '--client-secret-file',
    file,
    '--set',
    'grant=client_credentials',
  ]);
  const login = await bare.run(['login', 'robot']);
  expect(login).toMatchObject({ code: 0, stdout: expect.stringMatching(/^Signed in to robot/) });
  expect([added, login, broker].map(({ stdout, stderr }) => stdout + stderr).join('\n')).not.toContain(
    'a-long-client-secret',
  );
});
