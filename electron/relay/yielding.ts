import { readEnvelope, type Envelope } from '../../shared/json-rpc.ts';
import { createIncrementalScan, type KnownValues } from '../../shared/json-walk.ts';

/** Splits long work into slots, so that the messages of other servers wait for one slot at most. */
export interface Yielding {
  /** To be awaited between two small pieces of work. Undefined while the slot is not over. */
  pauseIfDue(): Promise<void> | undefined;
}

const slotMs = 4;

/** The first slot begins now. */
export function createYielding(): Yielding {
  let start = performance.now();
  const nextSlot = async () => {
    await new Promise<void>((resolve) => void setImmediate(resolve));
    start = performance.now();
  };
  return { pauseIfDue: () => (performance.now() - start < slotMs ? undefined : nextSlot()) };
}

const sliceBytes = 8 * 1024;

/** Splits a chunk into slices that are small enough to parse in one slot, whatever they contain. */
export function* slices(chunk: Buffer): Generator<Buffer, void> {
  for (let at = 0; at < chunk.length; at += sliceBytes) yield chunk.subarray(at, at + sliceBytes);
}

/** A message up to this size is read in one go, which takes a few ms at worst. */
export const shortBytes = 256 * 1024;
const scanBytes = 64 * 1024;

/** Reads one message like `readEnvelope`; a long one in several slots. */
export async function readEnvelopeYielding(message: Buffer): Promise<Envelope> {
  return message.length <= shortBytes ? readEnvelope(message) : readEnvelope(message, await scanYielding(message));
}

/** Finds the large values of a text, in several slots. */
export async function scanYielding(text: Buffer): Promise<KnownValues> {
  const known: KnownValues = new Map();
  const yielding = createYielding();
  const scan = createIncrementalScan(text, known);
  while (!scan(scanBytes)) await yielding.pauseIfDue();
  return known;
}
