import * as zlib from 'node:zlib';
import { brotliCompressSync, deflateRawSync, deflateSync, gzipSync } from 'node:zlib';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createHttp } from '../../electron/core/http/client.ts';
import { failure } from '../fixtures/failure.ts';
import { startRelayRig } from '../fixtures/relay-rig.ts';
import { startSite, type Site } from '../fixtures/site.ts';
import type { Http } from '../../electron/core/http/http.ts';

// Some servers encode responses although our requests have no Accept-Encoding.

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
/** The checksum and the length (RFC 1952). */
const gzipTrailerBytes = 8;

/** Sends the body in pieces, so that detection, which needs two bytes, gets a single one first. */
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

const fetchSite = (maxBytes = 100_000) =>
  http.fetch({ url: new URL(`${site.origin}/x`), method: 'GET', allow: ['loopback'], timeoutMs: 5_000, maxBytes });
const zstdCompress = (zlib as { readonly zstdCompressSync?: (bytes: Buffer) => Buffer }).zstdCompressSync;

describe('an encoded response', () => {
  const plain = Buffer.from(text);
  const rows: readonly [string, string | undefined, Buffer][] = [
    ['a list of two encodings', 'gzip, br', brotliCompressSync(gzipSync(plain))],
    [
      'a list with empty elements, mixed case and identity',
      ' GZIP ,, identity,Br ',
      brotliCompressSync(gzipSync(plain)),
    ],
    ['three nested encodings', 'deflate, br, gzip', gzipSync(brotliCompressSync(deflateSync(plain)))],
    ['deflate as in the standard (zlib)', 'deflate', deflateSync(plain)],
    ['raw deflate', 'deflate', deflateRawSync(plain)],
    ['gzip without its header', 'gzip', gzipSync(plain).subarray(gzipHeaderBytes, -gzipTrailerBytes)],
    ['gzip under its old name', 'x-gzip', gzipSync(plain)],
    ['zlib declared as gzip', 'gzip', deflateSync(plain)],
    ['gzip without a Content-Encoding', undefined, gzipSync(plain)],
    ['gzip declared as identity', 'identity', gzipSync(plain)],
    ['no encoding', undefined, plain],
  ];
  it.each(rows)('is decoded: %s', async (_, encoding, body) => {
    serve(encoding, body);
    expect((await fetchSite()).body.toString()).toBe(text);
  });

  it.each(rows)('is decoded if it arrives byte by byte: %s', async (_, encoding, body) => {
    serve(encoding, body, [1, 2, 3]);
    expect((await fetchSite()).body.toString()).toBe(text);
  });

  it('has an empty body if no bytes arrive', async () => {
    serve('gzip', Buffer.alloc(0));
    expect((await fetchSite()).body).toHaveLength(0);
  });

  it('in zstd is decoded if the runtime has a decoder, and refused with a reason otherwise', async () => {
    serve('zstd', zstdCompress ? zstdCompress(plain) : Buffer.from([0x28, 0xb5, 0x2f, 0xfd]));
    if (zstdCompress) expect((await fetchSite()).body.toString()).toBe(text);
    else
      expect((await failure(fetchSite())).message).toMatch(
        /responded with the encoding zstd, which Keybridge did not ask for and cannot decode/,
      );
  });

  it.each([
    [
      'an unknown encoding',
      'compress',
      /responded with the encoding compress, which Keybridge did not ask for and cannot decode/,
    ],
    ['an unknown encoding within a list', 'compress, gzip', /the encoding compress/],
    ['four nested encodings', 'gzip, gzip, gzip, gzip', /4 nested encodings/],
    ['something that is not an encoding', '<b>\u00e9', /the encoding <b>/],
  ])('in %s is refused, and the error says why', async (_, encoding, message) => {
    serve(encoding, gzipSync(plain));
    expect((await failure(fetchSite())).message).toMatch(message);
  });

  it.each([
    ['truncated gzip', 'gzip', gzipSync(plain).subarray(0, 30)],
    ['a list whose inner layer is damaged', 'gzip, br', brotliCompressSync(Buffer.from('no gzip'))],
    ['text declared as deflate', 'deflate', Buffer.from('no deflate')],
  ])('with a damaged body fails, and the error says so: %s', async (_, encoding, body) => {
    serve(encoding, body);
    expect(await failure(fetchSite())).toMatchObject({
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
      'a large inner layer that decodes to nothing',
      'gzip, br',
      brotliCompressSync(Buffer.concat(Array.from({ length: 30_000 }, () => gzipSync(Buffer.alloc(0))))),
    ],
    ['undeclared gzip', undefined, gzipSync(zeros)],
  ])('counts the bytes of %s', async (_, encoding, body) => {
    expect(body.length).toBeLessThan(100_000);
    serve(encoding, body);
    expect((await failure(fetchSite())).code).toBe('E_TOO_LARGE');
  });
});

it('delivers an encoded event stream to the host message by message', async () => {
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
    const response = host.request('ping');
    // The first message arrives while the stream is still open.
    await host.line(({ method }) => method === 'notifications/progress');
    encoder.end('data: {"jsonrpc":"2.0","id":1,"result":{"ok":true}}\n\n');
    expect(await response).toMatchObject({ result: { ok: true } });
  } finally {
    await relay.close();
  }
});
