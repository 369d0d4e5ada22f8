import { isUtf8 } from 'node:buffer';
import { batchItems, type Envelope } from '../../shared/json-rpc.ts';

/** Why a message of a server must not go to a host, as a predicate: `is not JSON`. Undefined for a valid one. */
export function invalidReason(bytes: Buffer, envelope: Envelope): string | undefined {
  if (envelope.problem === 'syntax') return 'is not JSON';
  if (envelope.problem === 'depth') return 'is nested too deeply';
  if (!isUtf8(bytes)) return 'is not UTF-8';
  if (envelope.flaw !== undefined) return envelope.flaw;
  return envelope.kind === 'invalid' && !isErrorWithoutId(envelope) ? 'is not a JSON-RPC message' : undefined;
}

/** A JSON-RPC error that names no request: the server did not read the id. */
export const isErrorWithoutId = (envelope: Envelope): boolean =>
  envelope.hasError &&
  envelope.method === undefined &&
  (envelope.id === undefined || envelope.id === 'null') &&
  envelope.problem !== 'syntax' &&
  envelope.problem !== 'depth';

/** Only MCP 2025-03-26 has batches, and a server's are short. */
const maxBatchBytes = 1024 * 1024;

/** The messages of a server's batch; empty if it is too long or has too many. */
export const shortBatchItems = (batch: Buffer): Buffer[] =>
  batch.length > maxBatchBytes ? [] : (batchItems(batch) ?? []);
