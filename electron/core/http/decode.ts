import { Readable, type Transform } from 'node:stream';
import * as zlib from 'node:zlib';
import { AppError, sanitizeExternalText } from '../base/errors.ts';
import type { Body } from './body.ts';
import { tooLarge } from './faults.ts';

/** `Content-Encoding` (RFC 9110 8.4.1, RFC 9659). */
type Encoding = 'gzip' | 'deflate' | 'br' | 'zstd';

const encodings: Readonly<Record<string, Encoding>> = {
  gzip: 'gzip',
  'x-gzip': 'gzip',
  deflate: 'deflate',
  br: 'br',
  zstd: 'zstd',
};

/** No honest server uses more; each costs a decoder. */
const mostLayers = 3;

export interface DecodeLimits {
  /** For the bytes that come out of each layer. */
  readonly maxBytes: number;
  /** For errors. */
  readonly host: string;
}

/**
 * The body of an answer as it was before it was encoded, although we never ask for an encoding: a list of encodings is
 * undone from its end, and a body that is gzip without saying so is recognised. The bytes of each layer count against
 * the limit; a small bomb never becomes large, because it is read piece by piece. Throws E_CONNECTION_LOST for an
 * encoding that cannot be undone; the reader meets E_TOO_LARGE, and E_CONNECTION_LOST for a damaged body.
 */
export function decodedBody(raw: Body, header: string | undefined, limits: DecodeLimits): Body {
  const layers = layersOf(header, limits.host);
  if (layers.length === 0) return undeclaredGzip(raw, limits);
  return layers.reduceRight((body, encoding) => decoded(body, encoding, limits), raw);
}

function layersOf(header: string | undefined, host: string): readonly Encoding[] {
  if (header === undefined || header === '') return [];
  const names = header
    .toLowerCase()
    .split(',')
    .map((name) => name.trim())
    .filter((name) => name !== '' && name !== 'identity');
  const cannot = (what: string) =>
    new AppError(
      'E_CONNECTION_LOST',
      `${sanitizeExternalText(host)} answered in ${what}, which Keybridge did not ask for and cannot decode.`,
    );
  if (names.length > mostLayers) throw cannot(`${names.length} encodings on top of each other`);
  return names.map((name) => {
    const encoding = encodings[name];
    if (encoding === undefined || (encoding === 'zstd' && !zstdDecoder))
      throw cannot(`the encoding ${sanitizeExternalText(name, 40)}`);
    return encoding;
  });
}

/** Only in Node versions after 20. */
const zstdDecoder = (
  zlib as {
    readonly createZstdDecompress?: (options: { readonly params: Readonly<Record<number, number>> }) => Transform;
  }
).createZstdDecompress;
/** ZSTD_d_windowLogMax: 8 MB, as RFC 9659 has it for this use; the format itself allows gigabytes. */
const zstdWindow = { params: { 100: 23 } };

/** Each write comes out at once as far as it can, so that an encoded event stream does not lag behind. */
function decoderFor(encoding: Encoding, head: Uint8Array): Transform {
  const flush = zlib.constants.Z_SYNC_FLUSH;
  if (encoding === 'br') return zlib.createBrotliDecompress({ flush: zlib.constants.BROTLI_OPERATION_FLUSH });
  if (encoding === 'zstd' && zstdDecoder) return zstdDecoder(zstdWindow);
  if (isGzip(head)) return zlib.createGunzip({ flush });
  // "deflate" is zlib (RFC 1950), but servers send it raw too; "gzip" has been seen without its header.
  return isZlib(head) ? zlib.createInflate({ flush }) : zlib.createInflateRaw({ flush });
}

const isGzip = (head: Uint8Array): boolean => head[0] === 0x1f && head[1] === 0x8b;
const isZlib = (head: Uint8Array): boolean =>
  ((head[0] ?? 0) & 0x0f) === 8 && (((head[0] ?? 0) << 8) | (head[1] ?? 0)) % 31 === 0;

function decoded(source: Body, encoding: Encoding, { maxBytes, host }: DecodeLimits): Body {
  let decoder: Transform | undefined;
  const destroy = () => {
    source.destroy();
    decoder?.destroy();
  };
  async function* read(): AsyncGenerator<Buffer, void> {
    try {
      const chunks = source[Symbol.asyncIterator]();
      const head = await beginning(chunks);
      if (head.length === 0) return;
      const made = (decoder = decoderFor(encoding, head));
      const input = Readable.from(after(head, chunks), { objectMode: false });
      input.on('error', (error) => made.destroy(error));
      input.pipe(made);
      let total = 0;
      for await (const chunk of made as AsyncIterable<Buffer>) {
        total += chunk.length;
        if (total > maxBytes) throw tooLarge(host, maxBytes);
        yield chunk;
      }
    } catch (error) {
      if (error instanceof AppError) throw error;
      throw new AppError('E_CONNECTION_LOST', `${sanitizeExternalText(host)} sent a damaged ${encoding} answer.`, {
        cause: error,
      });
    } finally {
      destroy();
    }
  }
  const reader = read();
  return { destroy, [Symbol.asyncIterator]: () => reader };
}

/** At least the two bytes by which formats are told apart; fewer only at the end of the body. */
async function beginning(chunks: AsyncIterator<Buffer>): Promise<Buffer> {
  let head: Buffer = Buffer.alloc(0);
  while (head.length < 2) {
    const next = await chunks.next();
    if (next.done) break;
    head = head.length === 0 ? next.value : Buffer.concat([head, next.value]);
  }
  return head;
}

async function* after(head: Buffer, chunks: AsyncIterator<Buffer>): AsyncGenerator<Buffer, void> {
  yield head;
  for (let next = await chunks.next(); !next.done; next = await chunks.next()) yield next.value;
}

/**
 * A body whose `Content-Encoding` was taken away on the way: neither JSON nor text begins like gzip. Every other body
 * goes on as it is, without a wrapper around its chunks.
 */
function undeclaredGzip(raw: Body, limits: DecodeLimits): Body {
  const chunks = raw[Symbol.asyncIterator]();
  let whole: Body | undefined;
  let inner: AsyncIterator<Buffer> | undefined;
  const first = async (): Promise<IteratorResult<Buffer>> => {
    const next = await firstChunk(chunks);
    if (next.done || !isGzip(next.value)) {
      inner = chunks;
      return next;
    }
    whole = decoded(
      { destroy: () => raw.destroy(), [Symbol.asyncIterator]: () => after(next.value, chunks) },
      'gzip',
      limits,
    );
    inner = whole[Symbol.asyncIterator]();
    return inner.next();
  };
  const destroy = () => {
    raw.destroy();
    whole?.destroy();
  };
  const iterator: AsyncIterator<Buffer> = {
    next: () => (inner ? inner.next() : first()),
    async return() {
      destroy();
      return { done: true, value: undefined };
    },
  };
  return { destroy, [Symbol.asyncIterator]: () => iterator };
}

/** The first chunk, joined with the next one if it is only the first byte of gzip. */
async function firstChunk(chunks: AsyncIterator<Buffer>): Promise<IteratorResult<Buffer>> {
  const next = await chunks.next();
  if (next.done || next.value.length !== 1 || next.value[0] !== 0x1f) return next;
  const more = await chunks.next();
  return more.done ? next : { done: false, value: Buffer.concat([next.value, more.value]) };
}
