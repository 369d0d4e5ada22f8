import { describe, expect, it } from 'vitest';
import { headerValue, statelessHeaders } from '../../electron/relay/request-headers.ts';
import { createSseParser, type SseEvent } from '../../electron/relay/sse-parser.ts';
import { readEnvelope } from '../../shared/json-rpc.ts';

const text = (events: SseEvent[]) => events.map((event) => event.data?.toString('utf8'));

/** The events of a stream, which must not depend on its chunks. */
function read(stream: string, sizes: readonly number[] = [1, 2, 3, 7, 1_000_000]) {
  const bytes = Buffer.from(stream, 'utf8');
  const results = sizes.map((size) => {
    const parser = createSseParser(1_000_000);
    const events: SseEvent[] = [];
    for (let at = 0; at < bytes.length; at += size) events.push(...parser.push(bytes.subarray(at, at + size)));
    return {
      data: text(events),
      types: events.map((event) => event.type),
      id: parser.lastEventId,
      retry: parser.retryMs,
    };
  });
  for (const result of results) expect(result).toEqual(results[0]);
  return results[0] ?? { data: [], types: [], id: undefined, retry: undefined };
}

describe('createSseParser', () => {
  it('HT19 reads LF, CR and CRLF, a byte order mark, comments and several data lines', () => {
    expect(read('\ufeff: hello\r\nid:1\r\nevent:message\r\ndata:{"a":\rdata: 1\ndata:}\r\n\r\n').data).toEqual([
      '{"a":\n1\n}',
    ]);
    expect(read('data: a\n\ndata: b\r\rdata:  c\r\n\r\n').data).toEqual(['a', 'b', ' c']);
    expect(read('data\n\n:\n\ndata: €😀\n\n').data).toEqual(['', '€😀']);
  });

  it('keeps the id, the type and the reconnection time', () => {
    expect(read('id: 7\nretry: 1500\n\nevent: endpoint\ndata: /x\n\n')).toEqual({
      data: [undefined, '/x'],
      types: ['', 'endpoint'],
      id: '7',
      retry: 1500,
    });
    expect(read('id: 7\ndata: x\n\nid\ndata: y\n\nretry: soon\n\n')).toMatchObject({ id: undefined, retry: undefined });
    expect(read('id: a\0b\ndata: x\n\n').id).toBeUndefined();
  });

  it('HT21 drops an incomplete event', () => {
    expect(read('data: a\n\ndata: {"half":').data).toEqual(['a']);
    expect(read('data: a\n').data).toEqual([]);
  });

  it('ignores unknown fields', () => {
    expect(read('foo: bar\ndatax: no\nlongname: no\ndata: yes\nDATA: no\n\n').data).toEqual(['yes']);
  });

  it('HT20 rejects an event above the limit, in one line or in many', () => {
    const oneLine = createSseParser(10_000);
    expect(() => {
      for (let at = 0; at < 20; at += 1) oneLine.push(Buffer.from(at === 0 ? 'data: ' : 'x'.repeat(1_000)));
    }).toThrow(/more than/);
    const manyLines = createSseParser(10_000);
    expect(() => {
      for (let at = 0; at < 200; at += 1) manyLines.push(Buffer.from(`data: ${'x'.repeat(100)}\n`));
    }).toThrow(/more than/);
  });
});

describe('the headers of a stateless message', () => {
  it('come from the message', () => {
    const meta = '"_meta":{"io.modelcontextprotocol/protocolVersion":"2026-07-28"}';
    expect(
      statelessHeaders(readEnvelope(`{"id":1,"method":"tools/call","params":{"name":"echo",${meta}}}`)),
    ).toMatchObject({ 'mcp-protocol-version': '2026-07-28', 'mcp-method': 'tools/call', 'mcp-name': 'echo' });
    expect(
      statelessHeaders(readEnvelope(`{"id":1,"method":"tools/list","params":{"name":"echo",${meta}}}`)),
    ).not.toHaveProperty('mcp-name');
  });

  it('HT27 encode any text without a line break', () => {
    expect(headerValue('echo')).toBe('echo');
    expect(headerValue('a b')).toBe('a b');
    for (const odd of ['', ' a', 'a ', 'ä', 'a\r\nx: y', '\u0000', '=?base64?x?=']) {
      expect(headerValue(odd)).toBe(`=?base64?${Buffer.from(odd).toString('base64')}?=`);
    }
    expect(
      statelessHeaders(
        readEnvelope(
          '{"id":1,"method":"tools/call","params":{"name":"x",' +
            '"_meta":{"io.modelcontextprotocol/protocolVersion":"a\\r\\nb: c"}}}',
        ),
      ),
    ).not.toHaveProperty('mcp-protocol-version');
  });
});
