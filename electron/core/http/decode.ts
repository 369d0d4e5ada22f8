import { Readable, type Transform } from 'node:stream';
import { constants, createBrotliDecompress, createGunzip, createInflate } from 'node:zlib';
import { AppError, foreign } from '../errors.ts';
import type { Body } from './body.ts';

/** Each write comes out at once as far as it can, so that an encoded event stream does not lag behind. */
const decoders: Readonly<Record<string, () => Transform>> = {
  gzip: () => createGunzip({ flush: constants.Z_SYNC_FLUSH }),
  'x-gzip': () => createGunzip({ flush: constants.Z_SYNC_FLUSH }),
  deflate: () => createInflate({ flush: constants.Z_SYNC_FLUSH }),
  br: () => createBrotliDecompress({ flush: constants.BROTLI_OPERATION_FLUSH }),
};

/** True for an answer that came encoded although we never ask for it. */
export const isEncoded = (encoding: string | undefined): encoding is string => encoding !== undefined && encoding !== '' && encoding.toLowerCase() !== 'identity';

/** The decoded body. Throws E_CONNECTION_LOST for an unknown encoding. The reader counts the bytes; a small bomb never becomes large, because it is read piece by piece. */
export function decoded(raw: Body, encoding: string, host: string): Body {
  const create = decoders[encoding.trim().toLowerCase()];
  if (!create) throw new AppError('E_CONNECTION_LOST', `${foreign(host)} answered in an encoding that was not asked for: ${foreign(encoding, 40)}.`);
  const decoder = create();
  const source = Readable.from(raw, { objectMode: false });
  source.on('error', (error) => decoder.destroy(error));
  source.pipe(decoder);

  async function* read(): AsyncGenerator<Buffer, void> {
    try {
      for await (const chunk of decoder) yield chunk as Buffer;
    } catch (error) {
      if (error instanceof AppError) throw error;
      throw new AppError('E_CONNECTION_LOST', `${foreign(host)} sent a damaged ${foreign(encoding, 20)} answer.`, { cause: error });
    } finally {
      destroy();
    }
  }
  const destroy = () => {
    raw.destroy();
    decoder.destroy();
  };
  const reader = read();
  return { destroy, [Symbol.asyncIterator]: () => reader };
}
