import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { StreamableHTTPClientTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js';
import { CreateMessageRequestSchema, LoggingMessageNotificationSchema } from '@modelcontextprotocol/sdk/types.js';
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
describe('the MCP server', () => {
  it('names its metadata and scope in the challenge', async () => {
    const { authorizationServer, mcp } = await pair();
    const refused = await callTool(mcp.url, undefined, 'whoami');
    const metadataUrl = mcp.url.replace('/mcp', '/.well-known/oauth-protected-resource/mcp');
    expect(refused).toMatchObject({
      status: 401,
      challenge: `Bearer scope="mcp:tools", resource_metadata="${metadataUrl}"`,
    });
    expect(await (await fetch(metadataUrl)).json()).toMatchObject({
      resource: mcp.url,
      authorization_servers: [authorizationServer.issuer],
    });
    expect((await callTool(mcp.url, 'not-a-token', 'whoami')).challenge).toContain('error="invalid_token"');
  });

  it('requires more scope for some tools', async () => {
    const { mcp, client, browser } = await pair();
    const tokens = await client.signIn(browser);
    const refused = await callTool(mcp.url, tokens.access_token, 'admin');
    expect(refused.status).toBe(403);
    expect(refused.challenge).toContain('error="insufficient_scope", scope="mcp:tools mcp:admin"');
    const more = await client.signIn(browser, { scope: 'mcp:tools mcp:admin' });
    expect(toolText(await callTool(mcp.url, more.access_token, 'admin'))).toBe('done as admin');
  });

  it.each([true, false])(
    'serves tools, progress, notifications and server requests to the official client (json: %s)',
    async (json) => {
      const mcp = await startMcpServer({ json });
      closing.push(mcp.close);
      const client = new Client({ name: 'official', version: '1' }, { capabilities: { sampling: {}, roots: {} } });
      closing.push(() => client.close());
      const logged: unknown[] = [];
      client.setNotificationHandler(LoggingMessageNotificationSchema, ({ params }) => void logged.push(params.data));
      client.setRequestHandler(CreateMessageRequestSchema, () => ({
        model: 'none',
        role: 'assistant',
        content: { type: 'text', text: 'mine' },
      }));
      const transport = new StreamableHTTPClientTransport(new URL(mcp.url));
      await client.connect(transport);
      expect((await client.listTools()).tools.map(({ name }) => name)).toEqual([
        'echo',
        'whoami',
        'add',
        'slow',
        'big',
        'notify',
        'admin',
        'ask',
      ]);
      expect(await client.callTool({ name: 'add', arguments: { a: 2, b: 3 } })).toMatchObject({
        content: [{ text: '5' }],
      });
      expect(await client.callTool({ name: 'big', arguments: { bytes: 5_000_000 } })).toMatchObject({
        content: [{ text: 'x'.repeat(5_000_000) }],
      });
      await until(() => mcp.counts.get === 1, 'the GET stream');
      await client.callTool({ name: 'notify', arguments: { text: 'news' } });
      await until(() => logged.includes('news'), 'the notification');
      const asked = await client.callTool({ name: 'ask', arguments: { what: 'sampling', onStream: json } });
      expect(JSON.stringify(asked)).toContain('mine');
      if (!json) {
        const progress: number[] = [];
        await client.callTool({ name: 'slow', arguments: { ms: 20 } }, undefined, {
          onprogress: (step) => void progress.push(step.progress),
        });
        expect(progress).toEqual([1, 2, 3, 4]);
      }
      expect(mcp.counts).toMatchObject({ initialize: 1, get: 1, sessions: 1 });
      await transport.terminateSession();
      expect(mcp.counts.delete).toBe(1);
      expect(mcp.liveSessions).toBe(0);
    },
  );

  it('can forget its sessions, cut streams, stop and restart', async () => {
    const mcp = await startMcpServer();
    closing.push(mcp.close);
    const client = new Client({ name: 'official', version: '1' });
    closing.push(() => client.close());
    await client.connect(new StreamableHTTPClientTransport(new URL(mcp.url)));
    await until(() => mcp.openAnswers === 1, 'the GET stream');
    mcp.cutConnections();
    await until(() => mcp.openAnswers === 0, 'the stream is cut');
    await mcp.forgetSessions();
    await expect(client.callTool({ name: 'echo', arguments: { text: 'x' } })).rejects.toThrow(/Session not found/);
    await mcp.stop();
    await expect(fetch(mcp.url)).rejects.toThrow('fetch failed');
    await mcp.start();
    expect((await callTool(mcp.url, undefined, 'echo', { text: 'back' })).text).toContain('back');
  });

  it('can speak only the stateless protocol of 2026-07-28', async () => {
    const mcp = await startMcpServer({ era: '2026' });
    closing.push(mcp.close);
    const modern = async (
      method: string,
      params: Record<string, unknown> = {},
      headers: Record<string, string> = {},
    ) => {
      const _meta = {
        'io.modelcontextprotocol/protocolVersion': '2026-07-28',
        'io.modelcontextprotocol/clientCapabilities': { sampling: {} },
        'io.modelcontextprotocol/clientInfo': { name: 'by-hand', version: '0' },
      };
      const answer = await fetch(mcp.url, {
        method: 'POST',
        headers: {
          accept: 'application/json, text/event-stream',
          'content-type': 'application/json',
          'mcp-protocol-version': '2026-07-28',
          'mcp-method': method,
          ...headers,
        },
        body: JSON.stringify({ jsonrpc: '2.0', id: 7, method, params: { ...params, _meta } }),
      });
      return { status: answer.status, text: await answer.text() };
    };
    expect((await modern('server/discover')).text).toContain('2026-07-28');
    const echo = { name: 'echo', arguments: { text: 'modern' } };
    expect((await modern('tools/call', echo, { 'mcp-name': 'echo' })).text).toContain('modern');
    expect((await modern('tools/call', { name: 'ask', arguments: {} }, { 'mcp-name': 'ask' })).text).toContain(
      'input_required',
    );
    expect((await modern('no/such')).status).toBe(404);
    expect((await callTool(mcp.url, undefined, 'echo', { text: 'old' })).status).toBe(400);
    expect(mcp.counts).toMatchObject({ discover: 1, toolRuns: 2 });
  });
});
