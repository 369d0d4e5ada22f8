import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { peekMessage } from '../../electron/bridge/message-peek.ts';
import { readEnvelope } from '../../shared/json-rpc.ts';
import { bridgeFile } from '../fixtures/bridge-place.ts';

describe('the bridge', () => {
  it('reads the same of a message as the broker, wherever id and method stand', () => {
    const ids = ['"id":1', '"id":"a\\"}"', '"id" : -12e3', '"id":12345678901234567890', '"id":null', ''];
    const rests = [
      '"method":"tools/call","params":{"id":5,"x":[{"id":6}]}',
      '"params":{"id":5},"method":"m"',
      '"result":{"id":5}',
      '"error":{"code":1,"id":5}',
      '"method":"notifications/x"',
    ];
    for (const id of ids) {
      for (const rest of rests) {
        for (const members of [
          ['"jsonrpc":"2.0"', id, rest],
          [rest, '"jsonrpc":"2.0"', id],
          [id, rest],
          [rest, id, '"jsonrpc":"2.0"'],
          [rest, id, '"x":[1]'],
        ]) {
          const line = Buffer.from(`{${members.filter(Boolean).join(',')}}`);
          const { id: expectedId, method, hasResult, hasError } = readEnvelope(line);
          const peek = peekMessage(line);
          expect({ line: String(line), id: peek.id, method: peek.method, outcome: peek.outcome }).toEqual({
            line: String(line),
            id: expectedId,
            method,
            outcome: hasResult ? 'result' : hasError ? 'error' : undefined,
          });
        }
      }
    }
  });

  it('loads a few modules of Node and nothing else', () => {
    const required = [...readFileSync(bridgeFile, 'utf8').matchAll(/require\("([^"]+)"\)|import\("([^"]+)"\)/g)].map(
      (match) => match[1] ?? match[2],
    );
    expect(new Set(required)).toEqual(
      new Set(['node:fs', 'node:path', 'node:crypto', 'node:os', 'node:net', 'node:child_process', 'node:util']),
    );
  });
});
