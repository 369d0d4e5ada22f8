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

/** No legitimate server uses more, and each layer costs a decoder. */
const maxLayers = 3;

export interface DecodeLimits {
  /** Applies to the output of each layer. */
  readonly maxBytes: number;
  /** Named in errors. */
  readonly host: string;
}

/**
 * Decodes a response body, since some servers encode responses although we never send Accept-Encoding. A list of
 * encodings is undone from its end, and gzip without a Content-Encoding is recognized. The output of each layer counts
 * against the limit and is read piece by piece, so a decompression bomb stays small. Throws E_CONNECTION_LOST for an
 * encoding that cannot be decoded. Reading the body throws E_TOO_LARGE, or E_CONNECTION_LOST if it is damaged.
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
  const unsupported = (what: string) =>
    new AppError(
      'E_CONNECTION_LOST',
      `${sanitizeExternalText(host)} responded with ${what}, which Keybridge did not ask for and cannot decode.`,
    );
  if (names.length > maxLayers) throw unsupported(`${names.length} nested encodings`);
  return names.map((name) => {
    const encoding = encodings[name];
    if (encoding === undefined || (encoding === 'zstd' && !zstdDecoder))
      throw unsupported(`the encoding ${sanitizeExternalText(name, 40)}`);
    return encoding;
  });
}

/** Not available in Node 20. */
const zstdDecoder = (
  zlib as {
    readonly createZstdDecompress?: (options: { readonly params: Readonly<Record<number, number>> }) => Transform;
  }
).createZstdDecompress;
/** ZSTD_d_windowLogMax: 8 MB, the limit of RFC 9659 for HTTP; the format itself allows gigabytes. */
const zstdWindow = { params: { 100: 23 } };

/** The decoders flush after each write, so that events of an encoded stream are not delayed. */
function decoderFor(encoding: Encoding, head: Uint8Array): Transform {
  const flush = zlib.constants.Z_SYNC_FLUSH;
  if (encoding === 'br') return zlib.createBrotliDecompress({ flush: zlib.constants.BROTLI_OPERATION_FLUSH });
  if (encoding === 'zstd' && zstdDecoder) return zstdDecoder(zstdWindow);
  if (isGzip(head)) return zlib.createGunzip({ flush });
  // "deflate" means zlib (RFC 1950), but some servers send raw deflate, also under the name "gzip".
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
      const head = await readHead(chunks);
      if (head.length === 0) return;
      const transform = (decoder = decoderFor(encoding, head));
      const input = Readable.from(prepend(head, chunks), { objectMode: false });
      input.on('error', (error) => transform.destroy(error));
      input.pipe(transform);
      let total = 0;
      for await (const chunk of transform as AsyncIterable<Buffer>) {
        total += chunk.length;
        if (total > maxBytes) throw tooLarge(host, maxBytes);
        yield chunk;
      }
    } catch (error) {
      if (error instanceof AppError) throw error;
      throw new AppError('E_CONNECTION_LOST', `${sanitizeExternalText(host)} sent a damaged ${encoding} response.`, {
        cause: error,
      });
    } finally {
      destroy();
    }
  }
  const reader = read();
  return { destroy, [Symbol.asyncIterator]: () => reader };
}

/** Reads at least the two bytes that identify the format; fewer only if the body ends before. */
async function readHead(chunks: AsyncIterator<Buffer>): Promise<Buffer> {
  let head: Buffer = Buffer.alloc(0);
  while (head.length < 2) {
    const next = await chunks.next();
    if (next.done) break;
    head = head.length === 0 ? next.value : Buffer.concat([head, next.value]);
  }
  return head;
}

async function* prepend(head: Buffer, chunks: AsyncIterator<Buffer>): AsyncGenerator<Buffer, void> {
  yield head;
  for (let next = await chunks.next(); !next.done; next = await chunks.next()) yield next.value;
}

/**
 * Decodes gzip whose `Content-Encoding` was removed by an intermediary; neither JSON nor text starts like gzip. Any
 * other body is passed on unchanged.
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
      { destroy: () => raw.destroy(), [Symbol.asyncIterator]: () => prepend(next.value, chunks) },
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

/** Returns the first chunk, joined with the second if it consists of the first byte of gzip alone. */
async function firstChunk(chunks: AsyncIterator<Buffer>): Promise<IteratorResult<Buffer>> {
  const next = await chunks.next();
  if (next.done || next.value.length !== 1 || next.value[0] !== 0x1f) return next;
  const more = await chunks.next();
  return more.done ? next : { done: false, value: Buffer.concat([next.value, more.value]) };
}
