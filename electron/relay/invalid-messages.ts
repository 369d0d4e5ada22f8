import { isUtf8 } from 'node:buffer';
import {
  readEnvelope,
  errorLine,
  idAtEnd,
  invalidRequestCode,
  parseErrorCode,
  type Envelope,
} from '../../shared/json-rpc.ts';
import { AppError } from '../core/base/errors.ts';

/** Reads a line of the host. What is not UTF-8 is not JSON (RFC 8259 8.1). */
export function readHostMessage(line: Buffer): Envelope {
  const found = readEnvelope(line);
  return isUtf8(line) ? found : { ...found, kind: 'invalid', problem: 'syntax' };
}

/** The error for a message of the host that cannot be passed on. */
export function badMessageResponse(id: string, what: string, code: number = invalidRequestCode): string {
  return errorLine(id, new AppError('E_BAD_MESSAGE', `The app ${what}.`).toInfo(), code);
}

/**
 * The answer to what is no message. A parse error has no id (JSON-RPC 5), unless one was read and no running call has
 * it.
 */
export function invalidMessageResponse({ problem, id, method }: Envelope, isRunning: (id: string) => boolean): string {
  const known = method !== undefined && id !== undefined && problem !== 'shape' && !isRunning(id) ? id : 'null';
  if (problem === 'syntax') return badMessageResponse(known, 'sent a line that is not JSON', parseErrorCode);
  return badMessageResponse(
    known,
    problem === 'depth' ? 'sent a message that is nested too deep' : 'sent a line that is not JSON-RPC',
  );
}

/**
 * The answer to a message that is too long, of which only the ends are there; undefined for one that wants no answer.
 */
export function tooLongResponse(
  head: Buffer,
  tail: Buffer,
  server: string,
  isRunning: (id: string) => boolean,
): string | undefined {
  const found = readEnvelope(head);
  if (found.method === undefined && found.hasResult) return undefined;
  const id = found.id ?? idAtEnd(tail.toString('utf8')) ?? 'null';
  const info = new AppError('E_MESSAGE_TOO_LARGE', 'The app sent a message of more than 16 MB.', { server }).toInfo();
  return errorLine(isRunning(id) ? 'null' : id, info, invalidRequestCode);
}
