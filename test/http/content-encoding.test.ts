import * as zlib from 'node:zlib';
import { brotliCompressSync, deflateRawSync, deflateSync, gzipSync } from 'node:zlib';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createHttp } from '../../electron/core/http/client.ts';
import { failure } from '../fixtures/failure.ts';
import { startRelayRig } from '../fixtures/relay-rig.ts';
import { startSite, type Site } from '../fixtures/site.ts';
import type { Http } from '../../electron/core/http/http.ts';

// Answers that are encoded although no request of ours has an Accept-Encoding.

let http: Http;
let site: Site;
beforeEach(async () => {
  [http, site] = [createHttp(), await startSite()];
});
afterEach(async () => {
  await http.close();
  await site.close();
});

const text = JSON.stringify({ words: 'a'.repeat(2_000), more: ['é', 1, null] });
const gzipHeaderBytes = 10;
/** Of gzip: its trailer has a checksum and the length (RFC 1952). */
const gzipTrailerBytes = 8;

/** Piece by piece, so that a decision that needs two bytes gets one first. */
function serve(encoding: string | undefined, body: Buffer, pieces: readonly number[] = []): void {
  site.routes['/x'] = (_, response) => {
    response.writeHead(200, encoding === undefined ? {} : { 'content-encoding': encoding });
    let at = 0;
    const next = (index: number): void => {
      const to = pieces[index];
      if (to === undefined) return void response.end(body.subarray(at));
      response.write(body.subarray(at, to), () => setImmediate(next, index + 1));
      at = to;
    };
    next(0);
  };
}

const ask = (maxBytes = 100_000) =>
  http.fetch({ url: new URL(`${site.origin}/x`), method: 'GET', allow: ['loopback'], timeoutMs: 5_000, maxBytes });
const zstdCompress = (zlib as { readonly zstdCompressSync?: (bytes: Buffer) => Buffer }).zstdCompressSync;

describe('an encoded answer', () => {
  const plain = Buffer.from(text);
  const rows: readonly [string, string | undefined, Buffer][] = [
    ['a list, undone from its end', 'gzip, br', brotliCompressSync(gzipSync(plain))],
    [
      'a list with empty places, another case and identity',
      ' GZIP ,, identity,Br ',
      brotliCompressSync(gzipSync(plain)),
    ],
    ['three encodings on top of each other', 'deflate, br, gzip', gzipSync(brotliCompressSync(deflateSync(plain)))],
    ['deflate as the standard has it (zlib)', 'deflate', deflateSync(plain)],
    ['raw deflate', 'deflate', deflateRawSync(plain)],
    ['gzip without its own header', 'gzip', gzipSync(plain).subarray(gzipHeaderBytes, -gzipTrailerBytes)],
    ['gzip under its old name', 'x-gzip', gzipSync(plain)],
    ['zlib that is called gzip', 'gzip', deflateSync(plain)],
    ['gzip whose Content-Encoding was taken away on the way', undefined, gzipSync(plain)],
    ['gzip that is called identity', 'identity', gzipSync(plain)],
    ['no encoding at all', undefined, plain],
  ];
  it.each(rows)('is read: %s', async (_, encoding, body) => {
    serve(encoding, body);
    expect((await ask()).body.toString()).toBe(text);
  });

  it.each(rows)('is read when it comes in pieces of one byte: %s', async (_, encoding, body) => {
    serve(encoding, body, [1, 2, 3]);
    expect((await ask()).body.toString()).toBe(text);
  });

  it('with no bytes at all is an empty answer', async () => {
    serve('gzip', Buffer.alloc(0));
    expect((await ask()).body).toHaveLength(0);
  });

  it('in zstd is read where the runtime has a decoder, and refused in words where it has none', async () => {
    serve('zstd', zstdCompress ? zstdCompress(plain) : Buffer.from([0x28, 0xb5, 0x2f, 0xfd]));
    if (zstdCompress) expect((await ask()).body.toString()).toBe(text);
    else
      expect((await failure(ask())).message).toMatch(
        /responded with the encoding zstd, which Keybridge did not ask for and cannot decode/,
      );
  });

  it.each([
    [
      'an unknown encoding',
      'compress',
      /responded with the encoding compress, which Keybridge did not ask for and cannot decode/,
    ],
    ['an unknown one inside of a list', 'compress, gzip', /the encoding compress/],
    ['four on top of each other', 'gzip, gzip, gzip, gzip', /4 nested encodings/],
    ['words that are no encoding', '<b>\u00e9', /the encoding <b>/],
  ])('in %s is refused, and the error says why', async (_, encoding, words) => {
    serve(encoding, gzipSync(plain));
    expect((await failure(ask())).message).toMatch(words);
  });

  it.each([
    ['gzip that is cut off', 'gzip', gzipSync(plain).subarray(0, 30)],
    ['a list of which the inner layer is damaged', 'gzip, br', brotliCompressSync(Buffer.from('no gzip'))],
    ['words that are called deflate', 'deflate', Buffer.from('no deflate')],
  ])('with a damaged body (%s) is called damaged', async (_, encoding, body) => {
    serve(encoding, body);
    expect(await failure(ask())).toMatchObject({
      code: 'E_CONNECTION_LOST',
      message: expect.stringMatching(/sent a damaged (gzip|deflate) response/) as string,
    });
  });
});

describe('the limit on decoded bytes', () => {
  const zeros = Buffer.alloc(5_000_000);
  it.each([
    ['one layer', 'gzip', gzipSync(zeros)],
    ['raw deflate', 'deflate', deflateRawSync(zeros)],
    ['two layers', 'gzip, gzip', gzipSync(gzipSync(zeros))],
    [
      'an inner layer that is large, and decodes to nothing',
      'gzip, br',
      brotliCompressSync(Buffer.concat(Array.from({ length: 30_000 }, () => gzipSync(Buffer.alloc(0))))),
    ],
    ['gzip that does not say so', undefined, gzipSync(zeros)],
  ])('counts the bytes of %s', async (_, encoding, body) => {
    expect(body.length).toBeLessThan(100_000);
    serve(encoding, body);
    expect((await failure(ask())).code).toBe('E_TOO_LARGE');
  });
});

it('an encoded stream of events reaches the host message by message', async () => {
  const relay = await startRelayRig();
  try {
    const encoder = zlib.createGzip({ flush: zlib.constants.Z_SYNC_FLUSH });
    site.routes['/mcp'] = (_, response) => {
      response.writeHead(200, { 'content-type': 'text/event-stream', 'content-encoding': 'gzip' });
      encoder.pipe(response);
      encoder.write('data: {"jsonrpc":"2.0","method":"notifications/progress","params":{}}\n\n');
    };
    relay.addServer('work', `${site.origin}/mcp`);
    const host = await relay.host('work');
    const answer = host.request('ping');
    // The stream is still open when its first message is there.
    await host.line(({ method }) => method === 'notifications/progress');
    encoder.end('data: {"jsonrpc":"2.0","id":1,"result":{"ok":true}}\n\n');
    expect(await answer).toMatchObject({ result: { ok: true } });
  } finally {
    await relay.close();
  }
});
