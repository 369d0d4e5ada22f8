import { expect, it } from 'vitest';
import { createLog, withoutFloods } from '../../electron/core/base/log.ts';
import { createFakeClock } from '../fixtures/clock.ts';
import { closeAfterEach } from '../fixtures/closing.ts';
import { readBody, sendJson, startListener } from '../fixtures/listener.ts';
import { startRelayRig } from '../fixtures/relay-rig.ts';

const closing = closeAfterEach();

it('a server that sends 20,000 messages that no host can read does not push everything else out of the log', async () => {
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

it('the log says after a minute how many lines of one event and one server it left out, and leaves out no other', async () => {
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
  log('session_opened');
  expect(lines).toHaveLength(401);
  await clock.advance(60_000);
  expect(lines.slice(401).map((line) => JSON.parse(line) as unknown)).toMatchObject([
    { event: 'lines_left_out', of: 'message_too_long', server: 'work', count: 800 },
  ]);
  log('message_too_long', { server: 'work' });
  expect(lines).toHaveLength(403);
});

it('the log leaves out what is less severe than its level, and writes the level on each line', () => {
  const lines: string[] = [];
  const log = createLog(
    (line) => void lines.push(line),
    () => 0,
    'warn',
  );
  for (const event of ['fault', 'socket_missing', 'signed_in', 'command'] as const) log(event);
  expect(lines.map((line) => JSON.parse(line) as unknown)).toEqual([
    { at: '1970-01-01T00:00:00.000Z', level: 'error', event: 'fault' },
    { at: '1970-01-01T00:00:00.000Z', level: 'warn', event: 'socket_missing' },
  ]);
});

it('the log takes events of level info and above unless it is told otherwise', () => {
  const lines: string[] = [];
  const log = createLog(
    (line) => void lines.push(line),
    () => 0,
  );
  for (const event of ['signed_in', 'command'] as const) log(event);
  expect(lines).toHaveLength(1);
});
