import { describe, expect, it } from 'vitest';
import { textOf } from '../fixtures/host.ts';
import { startListener } from '../fixtures/listener.ts';
import { tokenAnswer } from '../fixtures/relay-rig.ts';
import { clientByHand } from '../fixtures/sign-in-by-hand.ts';
import { until } from '../fixtures/wait.ts';
import { httpBrowser } from '../fixtures/browser.ts';
import { closeAfterEach } from '../fixtures/closing.ts';
import { codeOf, createRelayServers } from '../fixtures/relay-servers.ts';

const closing = closeAfterEach();
const { rig, onServer, protectedServer } = createRelayServers(closing);

describe('protocol generations', () => {
  const meta = {
    'io.modelcontextprotocol/protocolVersion': '2026-07-28',
    'io.modelcontextprotocol/clientCapabilities': {},
    'io.modelcontextprotocol/clientInfo': { name: 'stateless host', version: '1' },
  };
  it.each([true, false])(
    'passes stateless messages on with the headers of each (JSON responses: %s)',
    async (asJson) => {
      const { mcp, host, server } = await onServer({ era: '2026', json: asJson });
      expect((await host.request('server/discover', { _meta: meta })).result).toMatchObject({
        supportedVersions: expect.arrayContaining(['2026-07-28']),
      });
      expect(textOf(await host.request('tools/call', { name: 'echo', arguments: { text: 'é' }, _meta: meta }))).toBe(
        'é',
      );
      expect(mcp.seen.at(-1)?.headers).toMatchObject({
        'mcp-protocol-version': '2026-07-28',
        'mcp-method': 'tools/call',
        'mcp-name': 'echo',
      });
      expect((await host.request('tools/call', { name: 'café\n', arguments: {}, _meta: meta })).error).toBeDefined();
      expect(mcp.seen.at(-1)?.headers['mcp-name']).toBe(`=?base64?${Buffer.from('café\n').toString('base64')}?=`);
      expect((await host.request('no/such', { _meta: meta })).error).toMatchObject({ code: -32_601 });
      expect(server.hosts).toEqual(['stateless host']);
      expect(mcp.counts).toMatchObject({ initialize: 0, get: 0 });
    },
  );

  it('cancels a stateless call by closing its stream', async () => {
    const { mcp, host } = await onServer({ era: '2026' });
    host.sendLine(
      JSON.stringify({
        jsonrpc: '2.0',
        id: 90,
        method: 'tools/call',
        params: { name: 'slow', arguments: { ms: 60_000 }, _meta: { ...meta, progressToken: 1 } },
      }),
    );
    await until(() => mcp.openAnswers === 1);
    host.notify('notifications/cancelled', { requestId: 90 });
    await until(() => mcp.openAnswers === 0);
    expect(mcp.counts.notifications).toBe(0);
    expect(host.lines.some((line) => line.includes('"id":90'))).toBe(false);
  });

  it('HT32 opens a subscription stream again after it breaks, and the host does not notice', async () => {
    const { mcp, host } = await onServer({ era: '2026' });
    host.sendLine(
      JSON.stringify({
        jsonrpc: '2.0',
        id: 91,
        method: 'subscriptions/listen',
        params: { notifications: { toolsListChanged: true }, _meta: meta },
      }),
    );
    await host.line((message) => message.method === 'notifications/subscriptions/acknowledged');
    mcp.cutConnections();
    await until(() => mcp.seen.filter(({ body }) => body.includes('subscriptions/listen')).length === 2);
    await until(() => mcp.openAnswers === 1);
    await mcp.announce('x');
    await host.line((message) => message.method === 'notifications/tools/list_changed');
    expect(host.lines.filter((line) => line.includes('acknowledged'))).toHaveLength(1);
  });

  it('holds server/discover until the sign-in, because its error would mean a server with initialize', async () => {
    const { as, mcp, relay, server } = await protectedServer({ era: '2026' });
    const client = await clientByHand(as.issuer, mcp.url);
    closing.push(() => client.close());
    server.onChallenge = async () => {
      const token = (await client.signIn(httpBrowser())).access_token;
      server.token = () => tokenAnswer(token);
      return 'retry';
    };
    const host = await relay.host('work');
    expect((await host.request('server/discover', { _meta: meta })).result).toMatchObject({
      supportedVersions: expect.arrayContaining(['2026-07-28']),
    });
    expect(server.challenges).toHaveLength(1);
  });

  it('HT29 passes on the supported versions in the error of a server', async () => {
    const { host } = await onServer({ era: '2026' });
    const answer = await host.request('server/discover', {
      _meta: { ...meta, 'io.modelcontextprotocol/protocolVersion': '2099-01-01' },
    });
    expect(answer.error).toMatchObject({ code: -32_022, data: { supported: expect.arrayContaining(['2026-07-28']) } });
  });

  it.each([400, 404, 405])(
    'gives a stateless host E_PROTOCOL_ERA when the server answers an empty %i',
    async (status) => {
      const listener = await startListener((_, response) => response.writeHead(status).end());
      closing.push(() => listener.close());
      const relay = await rig();
      relay.addServer('work', listener.origin);
      const host = await relay.host('work');
      expect(codeOf(await host.request('server/discover', { _meta: meta }))).toBe('E_PROTOCOL_ERA');
    },
  );

  it('gives a host with initialize E_PROTOCOL_ERA on a stateless server', async () => {
    const { host } = await onServer({ era: '2026' });
    const answer = await host.initialize();
    expect(codeOf(answer)).toBe('E_PROTOCOL_ERA');
  });

  it.each([{ json: true }, { json: true, sessions: false }])(
    'lets a host of both generations fall back to initialize on a server with %o',
    async (options) => {
      const { host } = await onServer(options);
      const probe = await host.request('server/discover', { _meta: meta });
      expect(probe.error).toBeDefined();
      expect([-32_020, -32_021, -32_022]).not.toContain(probe.error?.code);
      expect((await host.initialize()).result).toMatchObject({ serverInfo: { name: 'fixture-2025' } });
      expect(textOf(await host.call('echo', { text: 'x' }))).toBe('x');
    },
  );
});
