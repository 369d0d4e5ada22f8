import { describe, expect, it } from 'vitest';
import type { ServerResponse } from 'node:http';
import type { JsonRpcMessage } from '../fixtures/host.ts';
import { until } from '../fixtures/wait.ts';
import { closeAfterEach } from '../fixtures/closing.ts';
import { codeOf, createRelayServers, respondJson } from '../fixtures/relay-servers.ts';

const closing = closeAfterEach();
const { byHand } = createRelayServers(closing);

describe('the bytes of a message', () => {
  it('are unchanged in both directions: big numbers, unknown members, odd spacing', async () => {
    const request =
      '{ "method":"x/unknown","strange":[1e400,12345678901234567890,-0.0],' +
      '"params":{"_meta":{"a":1},"ä":"\\u0000 \u2028 😀"},"id":1,"jsonrpc":"2.0" }';
    const response =
      '{"jsonrpc":"2.0",\r\n' +
      '  "result": {"n": 90071992547409931234567890, "f": 1.0e+400, "u": "\u2028é"},\n  "extra": null, "id": 1}\n';
    const { host, bodies } = await byHand((_, res) => respondJson(res, response));
    host.sendLine(request);
    await host.line((message) => message.id === 1);
    expect(bodies[0]?.toString('utf8')).toBe(request);
    expect(host.lines[0]).toBe(response.replace(/[\r\n]/g, ' '));
  });

  it('have the host’s own id again when the server has rounded or reformatted it', async () => {
    const { host } = await byHand((body, response) =>
      respondJson(
        response,
        JSON.stringify({ jsonrpc: '2.0', result: {}, id: (JSON.parse(body.toString()) as { id: unknown }).id }),
      ),
    );
    for (const id of ['12345678901234567890', '1.50', '1e20', '"\\u0041"']) {
      host.sendLine(`{"jsonrpc":"2.0","id":${id},"method":"ping"}`);
      await host.line((_, line) => line.endsWith(`"id":${id}}`));
    }
  });

  it.each([400, 404, 409, 500])(
    'reach the host with the id of the request when a JSON-RPC error has status %i',
    async (status) => {
      const { host } = await byHand((_, response) =>
        respondJson(response, '{"jsonrpc":"2.0","error":{"code":-32602,"message":"no"},"id":null}', status),
      );
      expect(await host.request('tools/call', {})).toMatchObject({ id: 1, error: { code: -32_602, message: 'no' } });
      expect(host.lines).toHaveLength(1);
    },
  );

  it('get the id of the request when an error has none', async () => {
    const { host } = await byHand((_, response) =>
      respondJson(response, '{"jsonrpc":"2.0","error":{"code":5,"message":"no"}}', 400),
    );
    expect(await host.request('tools/call', {})).toMatchObject({ id: 1, error: { code: 5 } });
  });

  it('are sent one by one when the host or the server sends a batch', async () => {
    const { host, bodies } = await byHand((body, response) => {
      const { id } = JSON.parse(body.toString()) as { id?: number };
      if (id === undefined) response.writeHead(202).end();
      else
        respondJson(
          response,
          `[{"jsonrpc":"2.0","method":"notifications/x"},{"jsonrpc":"2.0","id":${id},"result":{}}]`,
        );
    });
    host.sendLine(
      '[{"jsonrpc":"2.0","id":1,"method":"a"},{"jsonrpc":"2.0","method":"b"},{"jsonrpc":"2.0","id":2,"method":"c"}]',
    );
    await host.line((message) => message.id === 1);
    await host.line((message) => message.id === 2);
    await until(() => bodies.length === 3);
    expect(host.lines.every((line) => line.startsWith('{'))).toBe(true);
  });
});

describe('a message of the host', () => {
  const echo = (body: Buffer, response: ServerResponse) => {
    const { id } = JSON.parse(body.toString()) as { id?: unknown };
    if (id === undefined) response.writeHead(202).end();
    else respondJson(response, `{"jsonrpc":"2.0","id":${JSON.stringify(id)},"result":{}}`);
  };

  it('SI01 gets an error if it is not JSON, and the next one is served', async () => {
    const { host, bodies } = await byHand(echo);
    host.sendLine('this is not JSON');
    host.sendLine('{"jsonrpc":"2.0","id":8,"method":"tools/call","params":{"cut":');
    host.sendLine('\ufeff{"jsonrpc":"2.0","id":9,"method":"ping"}\r');
    expect(await host.line((message) => message.id === 9)).toHaveProperty('result');
    expect(host.lines.slice(0, 2).map((line) => JSON.parse(line) as JsonRpcMessage)).toMatchObject([
      { id: null, error: { code: -32_700, data: { code: 'E_BAD_MESSAGE' } } },
      { id: 8, error: { code: -32_700 } },
    ]);
    expect(bodies).toHaveLength(1);
  });

  it('SI03 gets an error if it is not JSON-RPC, an empty batch, or has an id that is in use', async () => {
    const waiting: (() => void)[] = [];
    const { host } = await byHand((body, response) => {
      waiting.push(() => echo(body, response));
    });
    for (const line of ['1', '[]', '{"id":null,"method":"a"}', '{"id":{},"method":"a"}', '[3]']) host.sendLine(line);
    await until(() => host.lines.length === 5);
    expect(host.lines.map((line) => JSON.parse(line) as JsonRpcMessage)).toEqual(
      Array.from({ length: 5 }, () =>
        expect.objectContaining({ id: null, error: expect.objectContaining({ code: -32_600 }) }),
      ),
    );
    host.sendLine('{"id":5,"method":"slow"}');
    await until(() => waiting.length === 1);
    host.sendLine('{"id":5,"method":"again"}');
    expect(await host.line((message) => message.id === 5)).toMatchObject({ error: { code: -32_600 } });
    for (const go of waiting) go();
    await host.line((message) => message.id === 5 && message.result !== undefined);
    expect(waiting).toHaveLength(1);
  });

  it.each([
    ['first', (big: string) => `{"jsonrpc":"2.0","id":77,"method":"tools/call","params":{"x":"${big}"}}`],
    ['last', (big: string) => `{"method":"tools/call","params":{"x":"${big}"},"jsonrpc":"2.0","id":77}`],
  ])('SI02 gets an error if it has 17 MB and its id is %s, and the next one is served', async (_, message) => {
    const { host, bodies } = await byHand(echo);
    host.sendLine(message('x'.repeat(17 * 1024 * 1024)));
    expect(codeOf(await host.line(({ id }) => id === 77))).toBe('E_MESSAGE_TOO_LARGE');
    expect(await host.request('ping')).toHaveProperty('result');
    expect(bodies).toHaveLength(1);
  });

  it('is passed on if it has 15 MB', async () => {
    const { host, bodies } = await byHand(echo);
    const line = `{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"x":"${'y'.repeat(15 * 1024 * 1024)}"}}`;
    host.sendLine(line);
    await host.line((message) => message.id === 1);
    expect(bodies[0]?.length).toBe(line.length);
  });
});
