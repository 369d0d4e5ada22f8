import { describe, expect, it } from 'vitest';
import { batchItems, readEnvelope, errorLine, idAtEnd, sameId } from '../../shared/json-rpc.ts';
import { createLineSplitter } from '../../shared/lines.ts';

const bytes = (text: string) => Buffer.from(text, 'utf8');

describe('readEnvelope', () => {
  it('tells a request, a notification and a response apart', () => {
    expect(readEnvelope('{"jsonrpc":"2.0","id":1,"method":"tools/call"}')).toMatchObject({
      kind: 'request',
      id: '1',
      method: 'tools/call',
    });
    expect(readEnvelope('{"jsonrpc":"2.0","method":"notifications/initialized"}')).toMatchObject({
      kind: 'notification',
    });
    expect(readEnvelope('{"result":{},"id":"a","jsonrpc":"2.0"}')).toMatchObject({
      kind: 'response',
      id: '"a"',
      hasResult: true,
      hasError: false,
    });
    expect(readEnvelope('{"id":null,"error":{"code":1,"message":""}}')).toMatchObject({
      kind: 'response',
      id: 'null',
      hasError: true,
    });
  });

  it('SI03 keeps ids as they are written: big integers, fractions, exponents, escapes', () => {
    for (const id of [
      '12345678901234567890',
      '1.5',
      '1e20',
      '-0',
      '"\\u0041"',
      '"ä€😀"',
      `"${'x'.repeat(1_000_000)}"`,
    ]) {
      expect(readEnvelope(bytes(`{"id": ${id} ,"method":"m"}`))).toMatchObject({ kind: 'request', id });
    }
  });

  it('returns the byte offsets of the id', () => {
    const line = bytes('{"result":{"ä":"€"},"id":  77}');
    const [start, end] = readEnvelope(line).idAt ?? [0, 0];
    expect(line.subarray(start, end).toString()).toBe('77');
  });

  it('finds method, name and version in any order and with any escapes', () => {
    const params =
      '{"arguments":{"name":"no","uri":[{"name":"no"}]},"na\\u006de":"caf\\u00e9",' +
      '"_meta":{"x":1,"io.modelcontextprotocol/protocolVersion":"2026-07-28"}}';
    expect(readEnvelope(`{"params":${params},"me\\u0074hod":"tools/call","id":3}`)).toMatchObject({
      kind: 'request',
      method: 'tools/call',
      name: 'café',
      protocolVersion: '2026-07-28',
      stateless: true,
    });
    expect(readEnvelope('{"id":1,"method":"initialize","params":{"protocolVersion":"2025-11-25"}}')).toMatchObject({
      protocolVersion: '2025-11-25',
      stateless: false,
    });
    expect(readEnvelope('{"id":1,"method":"resources/read","params":{"name":"n","uri":"file:///a"}}').name).toBe(
      'file:///a',
    );
    expect(readEnvelope('{"id":1,"method":"tasks/get","params":{"taskId":"t1"}}').name).toBe('t1');
    expect(readEnvelope('{"method":"notifications/cancelled","params":{"requestId":9007199254740993}}').cancels).toBe(
      '9007199254740993',
    );
  });

  it('uses the last of two members with the same name, like JSON.parse', () => {
    expect(
      readEnvelope('{"id":1,"id":2,"method":"a","method":"b","params":{"name":"x"},"params":{"name":"y"}}'),
    ).toMatchObject({ id: '2', method: 'b', name: 'y' });
  });

  it('distinguishes invalid JSON from JSON that is not JSON-RPC', () => {
    for (const text of [
      '',
      '{',
      '{"id":1',
      '{"id":1,}',
      '{"a" 1}',
      '[1,]',
      '{"id":01,"method":"m"}',
      'nul',
      '{"id":1}}',
      '{"id":1,"method":"m"} x',
      '"abc',
      '{"a":tru}',
      '[}',
      '{"a":[}',
    ]) {
      expect(readEnvelope(text), text).toMatchObject({ kind: 'invalid', problem: 'syntax' });
    }
    for (const text of [
      '1',
      'null',
      '"x"',
      '{}',
      '{"id":1}',
      '{"id":null,"method":"m"}',
      '{"id":{},"method":"m"}',
      '{"id":true,"method":"m"}',
      '{"id":1,"error":"forbidden"}',
    ]) {
      expect(readEnvelope(text), text).toMatchObject({ kind: 'invalid', problem: 'shape' });
    }
  });

  it('returns the id of a message that is cut off after it', () => {
    expect(readEnvelope('{"jsonrpc":"2.0","id":7,"method":"tools/call","params":{"x":"')).toMatchObject({
      kind: 'invalid',
      problem: 'syntax',
      id: '7',
    });
  });

  it('rejects a nesting above 1,000 in linear time', () => {
    const nested = (depth: number) => `{"id":1,"method":"m","params":${'['.repeat(depth)}${']'.repeat(depth)}}`;
    expect(readEnvelope(nested(900)).kind).toBe('request');
    expect(readEnvelope(nested(2_000_000))).toMatchObject({ kind: 'invalid', problem: 'depth', id: '1' });
    expect(readEnvelope(`{"id":1,"method":"m","params":${'{"a":'.repeat(900)}1${'}'.repeat(900)}}`).kind).toBe(
      'request',
    );
  });

  it('agrees with JSON.parse on 20,000 damaged messages', () => {
    const seeds = [
      '{"jsonrpc":"2.0","id":1,"method":"tools/call",' +
        '"params":{"name":"a","arguments":{"x":[1,-2.5e3,true,null,"q\\"\\\\"]}}}',
      '{"result":{"content":[{"type":"text","text":"a,b:{}[]\\\\"}],' +
        '"deep":{"a":{"b":[[],{}]}}},"jsonrpc":"2.0","id":"x"}',
      '[{"method":"a"},{"id":2,"method":"b"}]',
    ];
    const alphabet = '{}[]",:\\ 019.-eEtfn\n\t';
    let state = 42;
    const random = (below: number) => {
      state = (state * 1_103_515_245 + 12_345) % 2_147_483_648;
      return Math.floor((state / 2_147_483_648) * below);
    };
    let refused = 0;
    for (let round = 0; round < 20_000; round += 1) {
      let text = seeds[round % seeds.length] ?? '';
      for (let change = 0; change <= random(3); change += 1) {
        const at = random(text.length);
        text =
          text.slice(0, at) + (random(2) ? (alphabet[random(alphabet.length)] ?? '') : '') + text.slice(at + random(2));
      }
      const parsed = attempt(() => JSON.parse(text) as unknown);
      const found = readEnvelope(bytes(text));
      if (!parsed.ok) refused += 1;
      expect({ text, syntax: found.problem === 'syntax' }).toEqual({ text, syntax: !parsed.ok });
      if (parsed.ok && found.kind === 'request')
        expect(JSON.parse(found.id ?? '')).toEqual((parsed.value as { id: unknown }).id);
    }
    expect(refused).toBeGreaterThan(5_000);
  });
});

function attempt<Value>(run: () => Value): { ok: true; value: Value } | { ok: false } {
  try {
    return { ok: true, value: run() };
  } catch {
    return { ok: false };
  }
}

describe('ids, batches and errors', () => {
  it('compares ids by value, because servers parse and print them', () => {
    expect(sameId('1', '1')).toBe(true);
    expect(sameId('1e3', '1000')).toBe(true);
    expect(sameId('9007199254740993', '9007199254740992')).toBe(true);
    expect(sameId('"\\u0041"', '"A"')).toBe(true);
    expect(sameId('1', '"1"')).toBe(false);
    expect(sameId('1', '2')).toBe(false);
    expect(sameId(undefined, undefined)).toBe(false);
    expect(sameId('null', 'null')).toBe(false);
  });

  it('finds an id only at the very end of a cut message', () => {
    expect(idAtEnd('..."}},"jsonrpc":"2.0","id":12}')).toBe('12');
    expect(idAtEnd('..."}},"id":"a\\"b","jsonrpc":"2.0"} ')).toBe('"a\\"b"');
    expect(idAtEnd('"arguments":{"id":5}}')).toBeUndefined();
    expect(idAtEnd('"id":5,"method":"x"}')).toBeUndefined();
  });

  it('splits a batch without changing a byte', () => {
    expect(batchItems(bytes('[{"id":1, "method":"a"} ,\n{"method":"b"},3]'))?.map(String)).toEqual([
      '{"id":1, "method":"a"}',
      '{"method":"b"}',
      '3',
    ]);
    expect(batchItems(bytes('[]'))).toEqual([]);
  });

  it('puts the cause, the remedy and the page into an error line', () => {
    const line = errorLine('12345678901234567890', {
      code: 'E_SIGN_IN_NEEDED',
      message: 'Nobody is signed in.',
      remedy: 'Sign in.',
      server: 'linear',
    });
    expect(line.startsWith('{"jsonrpc":"2.0","id":12345678901234567890,')).toBe(true);
    expect(JSON.parse(line)).toMatchObject({
      error: {
        code: -31_000,
        message: 'linear: Nobody is signed in. Sign in. [E_SIGN_IN_NEEDED]',
        data: {
          code: 'E_SIGN_IN_NEEDED',
          remedy: 'Sign in.',
          server: 'linear',
          page: 'docs/errors/E_SIGN_IN_NEEDED.md',
        },
      },
    });
  });
});

describe('createLineSplitter', () => {
  const collect = (maxBytes = 1_000) => {
    const lines: string[] = [];
    const lost: string[][] = [];
    const splitter = createLineSplitter<Buffer>({
      maxBytes,
      concat: (pieces, length) => Buffer.concat(pieces, length),
      onLine: (line) => void lines.push(line.toString('utf8')),
      onTooLong: (head, tail) => void lost.push([head.toString('utf8'), tail.toString('utf8')]),
    });
    return { lines, lost, splitter };
  };

  it('SI05 accepts CRLF, a byte order mark, blank lines and split characters', () => {
    const { lines, splitter } = collect();
    const all = bytes('\ufeff{"a":"€😀"}\r\n\n  \r\n{"b":1}\n');
    for (const byte of all) splitter.push(Buffer.from([byte]));
    splitter.push(all);
    expect(lines).toEqual(['{"a":"€😀"}', '{"b":1}', '{"a":"€😀"}', '{"b":1}']);
    expect(splitter.waiting).toBe(0);
  });

  it('SI02 drops a line that is too long, returns its ends, and continues', () => {
    const { lines, lost, splitter } = collect(100);
    splitter.push(bytes(`{"id":5,"x":"${'y'.repeat(60)}`));
    for (let part = 0; part < 50; part += 1) splitter.push(bytes('z'.repeat(50)));
    splitter.push(bytes('","end":1}\n{"b":1}\n'));
    expect(lines).toEqual(['{"b":1}']);
    expect(lost).toHaveLength(1);
    expect(lost[0]?.[0]).toMatch(/^\{"id":5/);
    expect(lost[0]?.[1]).toMatch(/z{900}.*","end":1\}$/);
  });

  it('joins a line of 1 MB that arrives byte by byte', () => {
    const { lines, splitter } = collect(2_000_000);
    const one = Buffer.from('x');
    for (let at = 0; at < 1_000_000; at += 1) splitter.push(one);
    splitter.push(bytes('\n'));
    expect(lines[0]?.length).toBe(1_000_000);
  });
});
