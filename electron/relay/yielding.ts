import { readEnvelope, type Envelope } from '../../shared/json-rpc.ts';
import { createIncrementalScan, type KnownValues } from '../../shared/json-walk.ts';

/** Work that takes long is done in turns, so that the other servers’ messages never wait for more than one. */
export interface Yielding {
  /** To be awaited between two small pieces of work. Undefined while the turn is not over. */
  pauseIfDue(): Promise<void> | undefined;
}

/** The longest turn, in ms. */
const turnMs = 4;

/** The first turn begins now. */
export function createYielding(): Yielding {
  let since = performance.now();
  const next = async () => {
    await new Promise<void>((resolve) => void setImmediate(resolve));
    since = performance.now();
  };
  return { pauseIfDue: () => (performance.now() - since < turnMs ? undefined : next()) };
}

/** A chunk in parts that take a moment each, whatever stands in them. */
export function* inParts(chunk: Buffer): Generator<Buffer, void> {
  for (let at = 0; at < chunk.length; at += streamPartBytes) yield chunk.subarray(at, at + streamPartBytes);
}
const streamPartBytes = 8 * 1024;

/** Messages up to this are read at once: it takes a few ms at worst. */
export const shortBytes = 256 * 1024;
const partBytes = 64 * 1024;

/** Reads one message as `readEnvelope` does; a long one in turns. */
export async function readEnvelopeYielding(message: Buffer): Promise<Envelope> {
  return message.length <= shortBytes ? readEnvelope(message) : readEnvelope(message, await scanYielding(message));
}

/** The large values of a text, found in turns. */
export async function scanYielding(text: Buffer): Promise<KnownValues> {
  const known: KnownValues = new Map();
  const yielding = createYielding();
  for (const pass = createIncrementalScan(text, known); !pass(partBytes);) await yielding.pauseIfDue();
  return known;
}
