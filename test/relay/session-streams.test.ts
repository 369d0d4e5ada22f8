import { describe, expect, it } from 'vitest';
import { textOf } from '../fixtures/host.ts';
import { until } from '../fixtures/wait.ts';
import { closeAfterEach } from '../fixtures/closing.ts';
import { createRelayServers } from '../fixtures/relay-servers.ts';

const closing = closeAfterEach();
const { onServer } = createRelayServers(closing);

describe('the streams of a server with sessions', () => {
  it('reopens the notification stream when it breaks, and passes on its messages', async () => {
    const { mcp, host } = await onServer();
    await host.initialize();
    await until(() => mcp.openAnswers === 1);
    await mcp.announce('one');
    await host.line((message) => message.method === 'notifications/message' && JSON.stringify(message).includes('one'));
    mcp.cutConnections();
    await until(() => mcp.counts.get === 2 && mcp.openAnswers === 1);
    await mcp.announce('two');
    await host.line((message) => JSON.stringify(message).includes('two'));
    expect(mcp.counts.initialize).toBe(1);
  });

  it.each([false, true])(
    'HT25 passes requests of the server to the host, and responses back (notification stream: %s)',
    async (onStream) => {
      const { mcp, host } = await onServer();
      await host.initialize();
      await until(() => mcp.openAnswers === 1);
      const result = host.call('ask', { what: 'sampling', onStream });
      const request = await host.line((message) => message.method === 'sampling/createMessage');
      host.sendLine(
        JSON.stringify({
          jsonrpc: '2.0',
          id: request.id,
          result: { model: 'm', role: 'assistant', content: { type: 'text', text: 'heard' } },
        }),
      );
      expect(textOf(await result)).toContain('heard');
      expect(mcp.counts.responses).toBe(1);
    },
  );

  it('resumes the stream of a call where it broke, and the tool runs once', async () => {
    const { mcp, host } = await onServer({ resumable: true, retryMs: 50 });
    await host.initialize();
    host.sendLine(
      '{"jsonrpc":"2.0","id":50,"method":"tools/call",' +
        '"params":{"name":"slow","arguments":{"ms":600},"_meta":{"progressToken":"p"}}}',
    );
    await host.line((message) => message.method === 'notifications/progress');
    mcp.cutConnections();
    expect(textOf(await host.line((message) => message.id === 50))).toBe('done');
    expect(mcp.counts).toMatchObject({ toolRuns: 1, toolCalls: 1 });
    expect(mcp.seen.some(({ method, headers }) => method === 'GET' && headers['last-event-id'] !== undefined)).toBe(
      true,
    );
    expect(host.lines.filter((line) => line.includes('"id":50'))).toHaveLength(1);
  });

  it('sends a cancellation to the server, and closes the stream of the call', async () => {
    const { mcp, host } = await onServer();
    await host.initialize();
    await until(() => mcp.openAnswers === 1);
    host.sendLine(
      '{"jsonrpc":"2.0","id":60,"method":"tools/call","params":{"name":"slow","arguments":{"ms":60000,"steps":1}}}',
    );
    await until(() => mcp.openAnswers === 2);
    host.notify('notifications/cancelled', { requestId: 60 });
    await until(() => mcp.openAnswers === 1);
    expect(mcp.counts.notifications).toBe(2);
    host.sendLine('{"jsonrpc":"2.0","id":60,"method":"ping"}');
    expect(await host.line((message) => message.id === 60)).toHaveProperty('result');
  });

  it('SI06 ends calls and streams when the host disconnects', async () => {
    const { mcp, server, host } = await onServer();
    await host.initialize();
    await until(() => mcp.openAnswers === 1);
    host.sendLine('{"jsonrpc":"2.0","id":60,"method":"tools/call","params":{"name":"slow","arguments":{"ms":60000}}}');
    await until(() => mcp.openAnswers === 2);
    host.end();
    await until(() => mcp.openAnswers === 0 && server.connections === 0, 'all streams and connections have ended');
    await until(() => mcp.counts.delete === 1);
  });
});
