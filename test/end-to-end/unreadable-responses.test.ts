import { describe, expect, it } from 'vitest';
import { readEnvelope } from '../../shared/json-rpc.ts';
import type { JsonRpcMessage } from '../fixtures/host.ts';
import { readBody, startListener } from '../fixtures/listener.ts';
import { startRelayRig, type RelayRig } from '../fixtures/relay-rig.ts';
import type { SocketHost } from '../fixtures/socket-host.ts';
import { closeAfterEach } from '../fixtures/closing.ts';

// Responses that a host cannot parse. Hosts drop them silently, and the call would never end.

const closing = closeAfterEach();

const codeOf = (message: JsonRpcMessage) => (message.error?.data as { code?: string } | undefined)?.code;

/** A host of a server that responds to each request with these bytes. `ID` is replaced by the request's ID. */
async function hostOf(
  body: string | Buffer,
  way: 'json' | 'stream',
  status = 200,
): Promise<{ host: SocketHost; rig: RelayRig }> {
  const server = await startListener((request, response) => {
    void readBody(request).then((sent) => {
      const id = /"id":("[^"]*"|\d+)/.exec(sent)?.[1] ?? 'null';
      const bytes = Buffer.from(body.toString('latin1').replaceAll('ID', id), 'latin1');
      if (way === 'json') return void response.writeHead(status, { 'content-type': 'application/json' }).end(bytes);
      response.writeHead(status, { 'content-type': 'text/event-stream' });
      // The stream stays open: the error must not wait for its end.
      return void response.write(`data: ${bytes.toString('latin1').replaceAll('\r', '\rdata: ')}\n\n`, 'latin1');
    });
  });
  closing.push(() => server.close());
  const rig = await startRelayRig();
  closing.push(() => rig.close());
  rig.addServer('work', `${server.origin}/mcp`);
  return { host: await rig.host('work'), rig };
}

const text = (inside: string) => `{"jsonrpc":"2.0","id":ID,"result":{"content":[{"type":"text","text":"${inside}"}]}}`;

const unreadable: readonly (readonly [what: string, body: string | Buffer])[] = [
  ['a raw tab in a string', text('a\tb')],
  ['a raw control character in a string', text('a\u0001b')],
  ['a raw control character deep inside a long string', text(`${'x'.repeat(5_000)}\u001f${'x'.repeat(5_000)}`)],
  ['an invalid escape', text('a\\xb')],
  ['an incomplete \\u escape', text('a\\u12')],
  ['bytes that are not UTF-8', Buffer.from(text('caf\u00e9'), 'latin1')],
  ['a number with a leading zero', '{"jsonrpc":"2.0","id":ID,"result":{"n":007}}'],
  ['NaN', '{"jsonrpc":"2.0","id":ID,"result":{"n":NaN}}'],
  ['a trailing comma', '{"jsonrpc":"2.0","id":ID,"result":{"a":[1,]}}'],
  ['text after its end', '{"jsonrpc":"2.0","id":ID,"result":{}}}'],
  ['jsonrpc 1.0', '{"jsonrpc":"1.0","id":ID,"result":{}}'],
  ['jsonrpc as a number', '{"jsonrpc":2.0,"id":ID,"result":{}}'],
  ['no jsonrpc', '{"id":ID,"result":{}}'],
  ['a result and an error', '{"jsonrpc":"2.0","id":ID,"result":{},"error":{"code":1,"message":"m"}}'],
  ['a result and an error that is null', '{"jsonrpc":"2.0","id":ID,"result":{},"error":null}'],
  ['a string as result', '{"jsonrpc":"2.0","id":ID,"result":"done"}'],
  ['a list as result', '{"jsonrpc":"2.0","id":ID,"result":[]}'],
  ['null as result', '{"jsonrpc":"2.0","id":ID,"result":null}'],
  ['a string as error', '{"jsonrpc":"2.0","id":ID,"error":"no"}'],
  ['an error without a code', '{"jsonrpc":"2.0","id":ID,"error":{"message":"no"}}'],
  ['an error with a string as code', '{"jsonrpc":"2.0","id":ID,"error":{"code":"-32000","message":"no"}}'],
  ['an error with a fraction as code', '{"jsonrpc":"2.0","id":ID,"error":{"code":1.5,"message":"no"}}'],
  ['an error without a message', '{"jsonrpc":"2.0","id":ID,"error":{"code":1}}'],
  ['neither a result nor an error', '{"jsonrpc":"2.0","id":ID}'],
  ['two ids', '{"jsonrpc":"2.0","id":9999,"id":ID,"result":{}}'],
  ['the ID as a string', '{"jsonrpc":"2.0","id":"ID","result":{}}'],
  ['thousands of members', `{"jsonrpc":"2.0","id":ID,"result":{}${',"a":1'.repeat(2_000)}}`],
];

describe.each(['json', 'stream'] as const)('a response in %s that a host cannot parse', (way) => {
  it.each(unreadable)('becomes one error with the ID of the call if it has %s', async (_, body) => {
    const { host } = await hostOf(body, way);
    const answer = await host.request('tools/call', { name: 'x', arguments: {} });
    expect(codeOf(answer)).toBe('E_SERVER_ANSWER');
    expect(host.lines).toHaveLength(1);
  });

  it.each([
    ['white space between its parts', '\t{ "jsonrpc" : "2.0",\r\t"id":ID ,"result" : {\t}\r}  '],
    [
      'every escape and non-ASCII characters',
      Buffer.from(text('\\"\\\\\\/\\b\\f\\n\\r\\t\\u00e4\\ud83d\\ude00 \u00e4\u20ac\u{1f600}\u007f')).toString(
        'latin1',
      ),
    ],
    ['a code written as 1.0', '{"jsonrpc":"2.0","id":ID,"error":{"code":1.0,"message":"m"}}'],
    ['unknown members', '{"jsonrpc":"2.0","x":[{}],"id":ID,"result":{"_meta":{}},"y":null}'],
  ])('is not one that has %s, which reaches the host', async (_, body) => {
    const { host } = await hostOf(body, way);
    const answer = await host.request('tools/call', { name: 'x', arguments: {} });
    expect(codeOf(answer)).toBeUndefined();
    expect(host.lines[0]).not.toMatch(/[\r\n]/);
  });
});

describe('other messages that a host cannot parse', () => {
  it.each([
    '{"jsonrpc":"1.0","method":"notifications/message","params":{}}',
    '{"jsonrpc":"2.0","method":"notifications/message","params":[1]}',
    '{"jsonrpc":"2.0","method":"notifications/message","params":{"data":"a\tb"}}',
    '{"jsonrpc":"2.0","method":5}',
    '{"jsonrpc":"2.0","id":1,"id":2,"method":"ping"}',
    '{"jsonrpc":"2.0","id":77,"method":"ping","result":{}}',
  ])('are dropped with a line in the log, and the response arrives: %s', async (other) => {
    const { host, rig } = await hostOf(`${other}\n\ndata: {"jsonrpc":"2.0","id":ID,"result":{}}`, 'stream');
    expect((await host.request('ping')).result).toEqual({});
    expect(host.lines).toHaveLength(1);
    expect(rig.log.join('')).toContain('"event":"stream_events_skipped"');
  });

  it('are removed from a batch, and the call gets an error', async () => {
    const { host } = await hostOf(
      '[{"jsonrpc":"2.0","method":"notifications/x"},{"jsonrpc":"2.0","id":ID,"result":1}]',
      'json',
    );
    expect(codeOf(await host.request('ping'))).toBe('E_SERVER_ANSWER');
    expect(host.lines).toHaveLength(2);
  });

  it('are replaced by the error of their HTTP status', async () => {
    const { host } = await hostOf('{"error":{"code":-32000,"message":"no"},"id":ID}', 'json', 400);
    expect(codeOf(await host.request('ping'))).toBe('E_HTTP_STATUS');
  });
});

describe('a well-formed message', () => {
  it('has no flaw, whatever other members it has', () => {
    for (const good of [
      '{"jsonrpc":"2.0","method":"a"}',
      '{"jsonrpc":"2.0","id":1,"method":"a","params":{}}',
      '{"jsonrpc":"2.0","id":1,"result":{},"x":1}',
      '{"jsonrpc":"2.0","id":null,"error":{"code":-1,"message":""}}',
    ]) {
      expect(readEnvelope(good).flaw, good).toBeUndefined();
    }
  });
});
