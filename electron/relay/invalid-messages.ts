import { isUtf8 } from 'node:buffer';
import {
  readEnvelope,
  errorLine,
  idAtEnd,
  invalidRequestCode,
  maxBatchItems,
  parseErrorCode,
  type Envelope,
} from '../../shared/json-rpc.ts';
import { AppError } from '../core/base/errors.ts';

/** Reads a line of the host. Invalid UTF-8 is a syntax error (RFC 8259 section 8.1). */
export function readHostMessage(line: Buffer): Envelope {
  const envelope = readEnvelope(line);
  return isUtf8(line) ? envelope : { ...envelope, kind: 'invalid', problem: 'syntax' };
}

/** The error for a batch that `batchItems` did not split (`items` undefined), or split into nothing. */
export const badBatchResponse = (items: readonly Buffer[] | undefined): string =>
  badMessageResponse('null', items ? 'sent an empty batch' : `sent a batch of more than ${maxBatchItems} messages`);

/** The error for a message that cannot be passed on. `fault`: what the host did, e.g. `sent an empty batch`. */
export function badMessageResponse(id: string, fault: string, code: number = invalidRequestCode): string {
  return errorLine(id, new AppError('E_BAD_MESSAGE', `The app ${fault}.`).toInfo(), code);
}

/**
 * The error for a line that is not a message. It has no id (JSON-RPC 2.0 section 5), unless one could be read and does
 * not belong to a running call.
 */
export function invalidMessageResponse({ problem, id, method }: Envelope, isRunning: (id: string) => boolean): string {
  const errorId = method !== undefined && id !== undefined && problem !== 'shape' && !isRunning(id) ? id : 'null';
  if (problem === 'syntax') return badMessageResponse(errorId, 'sent a line that is not JSON', parseErrorCode);
  return badMessageResponse(
    errorId,
    problem === 'depth' ? 'sent a message that is nested too deeply' : 'sent a line that is not JSON-RPC',
  );
}

/**
 * The error for a message that is too long, of which only the beginning and the end are there. Undefined for a
 * response, which gets no error.
 */
export function tooLongResponse(
  head: Buffer,
  tail: Buffer,
  server: string,
  isRunning: (id: string) => boolean,
): string | undefined {
  const envelope = readEnvelope(head);
  if (envelope.method === undefined && envelope.hasResult) return undefined;
  const id = envelope.id ?? idAtEnd(tail.toString('utf8')) ?? 'null';
  const info = new AppError('E_MESSAGE_TOO_LARGE', 'The app sent a message of more than 16 MB.', { server }).toInfo();
  return errorLine(isRunning(id) ? 'null' : id, info, invalidRequestCode);
}
