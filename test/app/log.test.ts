import { describe, expect, it } from 'vitest';
import { createLog, silentLog, withoutFloods, type Log } from '../../electron/core/base/log.ts';
import { createFakeClock } from '../fixtures/clock.ts';
import { closeAfterEach } from '../fixtures/closing.ts';
import { readBody, sendJson, startListener } from '../fixtures/listener.ts';
import { startRelayRig } from '../fixtures/relay-rig.ts';

const closing = closeAfterEach();

describe('the diagnostic log', () => {
  it('limits the log lines about a server that sends 20,000 invalid messages', async () => {
    const server = await startListener((request, response) => {
      if (request.method === 'GET') {
        const good = '{"jsonrpc":"2.0","method":"notifications/message","params":{"data":"end"}}';
        return void response
          .writeHead(200, { 'content-type': 'text/event-stream' })
          .write(`${'data: {}\n\n'.repeat(20_000)}data: ${good}\n\n`);
      }
      return void readBody(request).then((body) => {
        const { id, method } = JSON.parse(body || '{}') as { id?: number; method?: string };
        if (method !== 'initialize') return void response.writeHead(202).end();
        return sendJson(response, 200, {
          jsonrpc: '2.0',
          id,
          result: { protocolVersion: '2025-11-25', capabilities: {}, serverInfo: { name: 'x', version: '1' } },
        });
      });
    });
    closing.push(() => server.close());
    const rig = await startRelayRig();
    closing.push(() => rig.close());
    rig.addServer('work', `${server.origin}/mcp`);
    const host = await rig.host('work');
    await host.initialize();
    await host.line(({ method }) => method === 'notifications/message', 30_000);
    expect(rig.log.filter((line) => line.includes('server_messages_dropped')).length).toBeLessThanOrEqual(200);
  });

  it('counts the lines that it left out per event and server, and leaves out no others', async () => {
    const clock = createFakeClock();
    const lines: string[] = [];
    const log = withoutFloods(
      createLog(
        (line) => void lines.push(line),
        () => 0,
      ),
      clock,
    );
    for (let count = 0; count < 1_000; count += 1) log('message_too_long', { server: 'work' });
    for (let count = 0; count < 200; count += 1) log('message_too_long', { server: 'home' });
    log('broker_started');
    expect(lines).toHaveLength(401);
    await clock.advance(60_000);
    expect(lines.slice(401).map((line) => JSON.parse(line) as unknown)).toMatchObject([
      { event: 'lines_left_out', of: 'message_too_long', server: 'work', count: 800 },
    ]);
    log('message_too_long', { server: 'work' });
    expect(lines).toHaveLength(403);
  });

  it('leaves out events below its level, and writes the level on each line', () => {
    const lines: string[] = [];
    const log = createLog(
      (line) => void lines.push(line),
      () => 0,
      'warn',
    );
    log('data_folder_lost');
    log('caller_refused');
    log('broker_started');
    log('command', { name: 'status' });
    expect(lines.map((line) => JSON.parse(line) as unknown)).toEqual([
      { at: '1970-01-01T00:00:00.000Z', level: 'error', event: 'data_folder_lost' },
      { at: '1970-01-01T00:00:00.000Z', level: 'warn', event: 'caller_refused' },
    ]);
  });

  it('writes events of level info and above by default', () => {
    const lines: string[] = [];
    const log = createLog(
      (line) => void lines.push(line),
      () => 0,
    );
    log('signed_in', { server: 'work' });
    log('command', { name: 'status' });
    expect(lines).toHaveLength(1);
  });

  it('accepts exactly the fields of each event', () => {
    const log: Log = silentLog;
    // @ts-expect-error -- the event needs its fields
    log('refresh_failed');
    // @ts-expect-error -- a field of another event
    log('broker_started', { server: 'work' });
    // @ts-expect-error -- a field that the event does not have
    log('message_too_long', { server: 'work', body: 'text' });
    log('message_too_long', { server: 'work' });
  });
});
