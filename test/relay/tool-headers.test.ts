import { describe, expect, it } from 'vitest';
import type { PendingRequest } from '../../electron/relay/model.ts';
import { createToolHeaders } from '../../electron/relay/tool-header-params.ts';
import { createLog } from '../../electron/core/base/log.ts';
import { readEnvelope } from '../../shared/json-rpc.ts';

const meta = { 'io.modelcontextprotocol/protocolVersion': '2026-07-28' };

function request(method: string, params: object = {}, stateless = true): PendingRequest {
  const line = Buffer.from(
    JSON.stringify({ jsonrpc: '2.0', id: 12, method, params: stateless ? { ...params, _meta: meta } : params }),
  );
  return { line, envelope: readEnvelope(line) as PendingRequest['envelope'] };
}

const listOf = (...tools: readonly object[]): Buffer =>
  Buffer.from(JSON.stringify({ jsonrpc: '2.0', id: 12, result: { tools, nextCursor: 'c', ttlMs: 5 } }));
const toolOf = (properties: object, name = 't', more: object = {}): object => ({
  name,
  inputSchema: { type: 'object', properties, ...more },
});

function rig(): {
  headers: ReturnType<typeof createToolHeaders>;
  list: (line: Buffer, stateless?: boolean) => Promise<string>;
  call: (args: unknown, name?: string) => Readonly<Record<string, string>>;
} {
  const headers = createToolHeaders(
    createLog(() => {}, Date.now),
    'work',
  );
  return {
    headers,
    list: async (line, stateless = true) =>
      (await headers.learn(request('tools/list', {}, stateless), line)).toString('utf8'),
    call: (args, name = 't') => headers.of(request('tools/call', { name, arguments: args })),
  };
}

describe('arguments that a server asks for as headers', () => {
  it('are sent for the tool that asks for them only', async () => {
    const { list, call, headers } = rig();
    await list(
      listOf(
        toolOf({ region: { type: 'string', 'x-mcp-header': 'Region' }, other: { type: 'string' } }),
        toolOf({ region: { type: 'string' } }, 'u'),
      ),
    );
    expect(call({ region: 'eu west', other: 'x' })).toEqual({ 'mcp-param-region': 'eu west' });
    expect(call({ region: 'eu' }, 'u')).toEqual({});
    expect(headers.of(request('prompts/get', { name: 't', arguments: { region: 'eu' } }))).toEqual({});
  });

  it.each<[string, unknown, string | undefined]>([
    ['a number', 42, '42'],
    ['false', false, 'false'],
    ['null', null, undefined],
    ['an object', {}, undefined],
    ['letters beyond ASCII', 'Zürich', `=?base64?${Buffer.from('Zürich').toString('base64')}?=`],
    ['a line break', 'a\r\nx-evil: 1', `=?base64?${Buffer.from('a\r\nx-evil: 1').toString('base64')}?=`],
    ['a space at the end', 'a ', `=?base64?${Buffer.from('a ').toString('base64')}?=`],
  ])('encode the value with %s', async (_, value, wanted) => {
    const { list, call } = rig();
    await list(listOf(toolOf({ v: { type: 'string', 'x-mcp-header': 'V' } })));
    expect(call({ v: value })['mcp-param-v']).toBe(wanted);
  });

  it('may be nested below properties, and are never inherited members', async () => {
    const { list, call } = rig();
    const inner = {
      type: 'object',
      properties: { b: { type: 'integer', 'x-mcp-header': 'B' }, constructor: { type: 'string', 'x-mcp-header': 'C' } },
    };
    await list(listOf(toolOf({ a: inner })));
    expect(call({ a: { b: 7 } })).toEqual({ 'mcp-param-b': '7' });
    expect(call(undefined)).toEqual({});
  });

  it('are forgotten when the tool no longer asks for them', async () => {
    const { list, call } = rig();
    await list(listOf(toolOf({ v: { type: 'string', 'x-mcp-header': 'V' } })));
    await list(listOf(toolOf({ v: { type: 'string' } })));
    expect(call({ v: 'x' })).toEqual({});
  });
});

describe('a list of tools', () => {
  it('is unchanged byte for byte when it is valid', async () => {
    const { list } = rig();
    const text =
      '{ "jsonrpc":"2.0", "id":12,"result":{"tools":[{"name":"t","inputSchema":{"properties":' +
      '{"v":{"type":"string","x-mcp-header":"V"}}}}],"n":12345678901234567890}}';
    expect(await list(Buffer.from(text))).toBe(text);
  });

  it.each<[string, object]>([
    ['an empty name', toolOf({ v: { type: 'string', 'x-mcp-header': '' } })],
    ['a name that is not a token', toolOf({ v: { type: 'string', 'x-mcp-header': 'a: b' } })],
    ['a name with a line break', toolOf({ v: { type: 'string', 'x-mcp-header': 'a\r\nb' } })],
    ['a name that is not a string', toolOf({ v: { type: 'string', 'x-mcp-header': 1 } })],
    [
      'the same name twice in different case',
      toolOf({ v: { type: 'string', 'x-mcp-header': 'My' }, w: { type: 'string', 'x-mcp-header': 'my' } }),
    ],
    ['a number that is not an integer', toolOf({ v: { type: 'number', 'x-mcp-header': 'V' } })],
    ['an object', toolOf({ v: { type: 'object', 'x-mcp-header': 'V' } })],
    ['the items of an array', toolOf({ v: { type: 'array', items: { type: 'string', 'x-mcp-header': 'V' } } })],
    [
      'one of several schemas',
      toolOf({}, 't', { anyOf: [{ properties: { v: { type: 'string', 'x-mcp-header': 'V' } } }] }),
    ],
    ['the arguments as a whole', toolOf({}, 't', { 'x-mcp-header': 'V' })],
  ])('loses only the tool whose header is for %s', async (_, bad) => {
    const { list, call } = rig();
    const answer = JSON.parse(
      await list(listOf(bad, toolOf({ v: { type: 'string', 'x-mcp-header': 'V' } }, 'good'))),
    ) as object;
    expect(answer).toMatchObject({ id: 12, result: { tools: [{ name: 'good' }], nextCursor: 'c', ttlMs: 5 } });
    expect(call({ v: 'x' })).toEqual({});
    expect(call({ v: 'x' }, 'good')).toEqual({ 'mcp-param-v': 'x' });
  });

  it('keeps all tools before 2026-07-28, when the keyword had no meaning', async () => {
    const { list } = rig();
    const line = listOf(toolOf({ v: { type: 'number', 'x-mcp-header': 'V' } }));
    expect(await list(line, false)).toBe(line.toString('utf8'));
  });

  it('keeps a tool whose example contains the keyword as data', async () => {
    const { list, call } = rig();
    const line = listOf(toolOf({ v: { type: 'object', default: { 'x-mcp-header': 'V' } } }));
    expect(await list(line)).toBe(line.toString('utf8'));
    expect(call({ v: 'x' })).toEqual({});
  });

  it('is passed on when it is an error', async () => {
    const { list } = rig();
    const text = '{"jsonrpc":"2.0","id":12,"error":{"code":-32000,"message":"x-mcp-header"}}';
    expect(await list(Buffer.from(text))).toBe(text);
  });
});
