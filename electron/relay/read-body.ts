import { AppError } from '../core/base/errors.ts';
import { createByteBuilder } from '../core/http/byte-builder.ts';
import type { HttpStream } from '../core/http/http.ts';
import { maxMessageBytes } from './model.ts';

/** Reads a whole body. Throws E_TOO_LARGE above 16 MB, and stops reading there. */
export async function readBody(stream: HttpStream, server: string): Promise<Buffer> {
  const builder = createByteBuilder();
  for await (const chunk of stream.body) {
    if (builder.bytes + chunk.length > maxMessageBytes)
      throw new AppError('E_TOO_LARGE', `The server’s response has more than ${maxMessageBytes / 1_048_576} MB.`, {
        server,
      });
    builder.add(chunk);
  }
  return builder.take();
}
