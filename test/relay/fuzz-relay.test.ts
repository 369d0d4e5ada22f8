import { describe, expect, it } from 'vitest';
import { readEnvelope, errorLine, idAtEnd, sameId } from '../../shared/json-rpc.ts';
import { createPendingRequests } from '../../electron/bridge/pending-requests.ts';
import { route, routeBody } from '../../electron/relay/response.ts';
import type { PendingRequest } from '../../electron/relay/model.ts';
import { readFacts } from '../../electron/relay/response-facts.ts';
import { serverErrorText } from '../../electron/relay/server-error-text.ts';
import { createSseParser } from '../../electron/relay/sse-parser.ts';
import { systemClock } from '../../electron/core/base/system-clock.ts';
import { AppError } from '../../electron/core/base/errors.ts';
import { retryAfterMs } from '../../electron/core/http/retry-after.ts';
import { emptyBody, fault, rounds, seed } from '../fixtures/fuzz.ts';
import { chunked, damaged, distortedJson } from '../fixtures/random.ts';

describe(`the relay under random damage, seed ${seed}`, () => {
  it('reads Retry-After as at most an hour, or not at all', async () => {
    const good = ['120', 'Thu, 01 Jan 2026 00:00:10 GMT', '0', '-1', '1e9'];
    await rounds(5_000, (random) => {
      const ms = retryAfterMs(
        {
          'retry-after': damaged(random, random.pick(good), good),
          date: damaged(random, 'Thu, 01 Jan 2026 00:00:00 GMT'),
        },
        0,
      );
      expect(ms === undefined || (ms >= 0 && ms <= 3_600_000)).toBe(true);
    });
  });

  it('parses an event stream independently of its chunks, and accepts no event above the limit', async () => {
    const good =
      'event: message\nid: 1\nretry: 10\ndata: {"jsonrpc":"2.0",\ndata: "id":1,"result":{}}\n\n' +
      ': comment\r\n\r\ndata: x\r\rdata\n\n\ufeffid\ndata: ä😀\n\n';
    const read = (pieces: readonly Buffer[], cap: number): string => {
      const parser = createSseParser(cap);
      const seen: string[] = [];
      try {
        for (const piece of pieces)
          for (const { data, type } of parser.push(piece)) seen.push(`${type}|${String(data)}`);
      } catch (error) {
        if (!(error instanceof AppError) || error.code !== 'E_TOO_LARGE') throw error;
        seen.push('E_TOO_LARGE');
      }
      for (const event of seen) expect(Buffer.byteLength(event)).toBeLessThan(cap + 9_000);
      return JSON.stringify([seen, parser.lastEventId, parser.retryMs]);
    };
    await rounds(2_000, (random) => {
      const bytes = Buffer.from(damaged(random, good));
      expect(read(chunked(random, bytes), 100_000)).toBe(read([bytes], 100_000));
      read(chunked(random, bytes), 20);
    });
  });

  it('turns a refusal into a displayable sentence and scopes, or into nothing', async () => {
    const good = [
      { error: 'insufficient_scope', error_description: 'The token lacks scopes.', scope: 'a b' },
      { error: { code: -32_000, message: 'Required scopes are missing' }, missing_scopes: ['a', 'b'] },
      { message: 'Not for you', detail: 'Ask your admin' },
    ];
    let scopes = 0;
    await rounds(1_000, async (random) => {
      const value = random.pick(good);
      const body = Buffer.from(
        random.chance(0.4) ? damaged(random, JSON.stringify(value)) : distortedJson(random, value),
      );
      const text = serverErrorText(body, undefined);
      expect(text).not.toMatch(/[\u0000-\u001f\u202a-\u202e\u2028]/);
      expect(text.length).toBeLessThan(300);
      async function* chunks() {
        yield* chunked(random, body, 4_000);
      }
      const headers = random.chance(0.5)
        ? { 'www-authenticate': damaged(random, 'Bearer error="insufficient_scope", scope="a b"') }
        : {};
      const refusal = await readFacts(
        { status: 403, headers, body: Object.assign(chunks(), { destroy: () => {} }) },
        systemClock(),
      );
      if (refusal.facts.lacksScopes) scopes += 1;
      const unread: Buffer[] = [];
      for await (const chunk of refusal.stream.body) unread.push(chunk);
      expect(Buffer.concat(unread).equals(body)).toBe(true);
    });
    expect(scopes).toBeGreaterThan(200);
  });

  it('sends a host only single lines of JSON-RPC, with the id of the request in a response', async () => {
    const line = Buffer.from('{"jsonrpc":"2.0","id":"a\\u0041","method":"tools/call"}');
    const request: PendingRequest = { line, envelope: readEnvelope(line) as PendingRequest['envelope'] };
    const good = [
      '{"jsonrpc":"2.0","id":"aA","result":{"content":[{"type":"text","text":"a,b:{}[]\\\\"}],"n":1.5e3}}',
      '{"jsonrpc":"2.0","id":null,"error":{"code":-32600,"message":"no"}}',
      '[{"jsonrpc":"2.0","method":"notifications/message","params":{}},{"jsonrpc":"2.0","id":"aA","result":{}}]',
    ];
    let responses = 0;
    await rounds(5_000, async (random) => {
      const text = damaged(random, random.pick(good), good);
      const lines: Buffer[] = [];
      const handler = {
        onResponse: (line: Buffer) => {
          responses += 1;
          const { id } = readEnvelope(line);
          expect(sameId(id, request.envelope.id) || id === request.envelope.id).toBe(true);
          lines.push(line);
        },
        onServerMessage: (line: Buffer) => void lines.push(line),
        drained: () => undefined,
      };
      await fault(() => route(Buffer.from(text), request, handler, { status: 200, headers: {} }));
      await fault(() =>
        routeBody(
          Buffer.from(text),
          request,
          { ...handler, onResponse: () => {} },
          { status: random.pick([200, 400, 404, 500]), headers: {}, body: emptyBody },
          'work',
        ),
      );
      for (const line of lines) {
        expect(line.includes(0x0a)).toBe(false);
        expect({ text, line: JSON.parse(line.toString('utf8')) as unknown }).toMatchObject({
          line: { jsonrpc: '2.0' },
        });
      }
      const pending = createPendingRequests();
      pending.sent(line);
      pending.sent(Buffer.from(text));
      pending.received(Buffer.from(text));
      const id = idAtEnd(text);
      if (id !== undefined) JSON.parse(errorLine(id, { code: 'E_BAD_MESSAGE', message: 'm', remedy: 'r' }));
    });
    expect(responses).toBeGreaterThan(200);
  });
});
