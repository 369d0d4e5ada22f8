// Must not import packages or Node modules, because the bridge loads it.
import {
  closeBrace,
  closeBracket,
  colon,
  comma,
  isSpace,
  openBrace,
  openBracket,
  quote,
  scalarEnd,
  stringEnd,
} from './json-tokens.ts';

export type JsonFault = 'syntax' | 'depth';

/** Deepest nesting of arrays and objects; more is a fault. */
const maxDepth = 1_000;

export const isOpening = (byte: number | undefined): boolean => byte === openBrace || byte === openBracket;

/** What may come next in the text. */
type Expected = 'value' | 'value or end' | 'key' | 'key or end' | 'comma or end' | 'done';

/** The position inside one value. A walk can stop anywhere and continue later. */
export interface Walk {
  at: number;
  depth: number;
  state: Expected;
  fault: JsonFault | undefined;
  /** By depth: the byte that closes it, and where it began. */
  readonly closers: Uint8Array;
  readonly starts: Float64Array;
}

export const newWalk = (): Walk => ({
  at: 0,
  depth: 0,
  state: 'value',
  fault: undefined,
  closers: new Uint8Array(maxDepth + 1),
  starts: new Float64Array(maxDepth + 1),
});

export function restart(walk: Walk, at: number): Walk {
  walk.at = at;
  walk.depth = 0;
  walk.state = 'value';
  walk.fault = undefined;
  return walk;
}

/** Values whose end is known: the offsets after them, by the offsets of their first bytes. */
export type KnownValues = Map<number, number>;
/** Shorter values are cheap to scan again. */
const minKnownBytes = 16 * 1024;
/** No reader asks for single values deeper inside. */
const maxKnownDepth = 4;

/**
 * Scans a long text step by step, so that other work can run in between. Each call scans about `bytes`, and returns
 * true when the text is finished. After that `known` lets `skipValue` skip the large values at once.
 */
export function createIncrementalScan(text: Uint8Array, known: KnownValues): (bytes: number) => boolean {
  const walk = newWalk();
  return (bytes) => {
    continueWalk(text, walk, Math.min(text.length, walk.at + bytes), known);
    const finished = walk.fault !== undefined || walk.state === 'done' || walk.at >= text.length;
    // Values that never end are known as well, so that nobody scans them again.
    if (finished && walk.state !== 'done')
      for (let depth = 1; depth <= Math.min(walk.depth, maxKnownDepth); depth += 1)
        known.set(walk.starts[depth] ?? 0, text.length + 1);
    return finished;
  };
}

/** The one loop over JSON. It ends with the value, at a fault, or at the offset `until`. */
export function continueWalk(bytes: Uint8Array, walk: Walk, until: number, known: KnownValues | undefined): void {
  const { closers, starts } = walk;
  let { at, depth, state } = walk;
  let fault: Walk['fault'];
  while (at < until) {
    const byte = bytes[at] ?? 0;
    if (byte <= 0x20) {
      if (!isSpace(byte)) {
        fault = 'syntax';
        break;
      }
      at += 1;
      continue;
    }
    if (state === 'comma or end' && byte === comma) {
      state = closers[depth] === closeBrace ? 'key' : 'value';
      at += 1;
      continue;
    }
    if (byte === closers[depth] && depth > 0 && state !== 'value' && state !== 'key') {
      at += 1;
      const start = starts[depth] ?? 0;
      if (known && depth <= maxKnownDepth && at - start > minKnownBytes) known.set(start, at);
      depth -= 1;
      state = depth === 0 ? 'done' : 'comma or end';
      if (depth === 0) break;
      continue;
    }
    if (state === 'comma or end') {
      fault = 'syntax';
      break;
    }
    if (state === 'key' || state === 'key or end') {
      at = byte === quote ? stringEnd(bytes, at) : -1;
      while (at >= 0 && isSpace(bytes[at])) at += 1;
      if (at < 0 || bytes[at] !== colon) {
        fault = 'syntax';
        break;
      }
      at += 1;
      state = 'value';
      continue;
    }
    if (isOpening(byte)) {
      if (depth >= maxDepth) {
        fault = 'depth';
        break;
      }
      depth += 1;
      starts[depth] = at;
      closers[depth] = byte === openBrace ? closeBrace : closeBracket;
      state = byte === openBrace ? 'key or end' : 'value or end';
      at += 1;
      continue;
    }
    const start = at;
    at = byte === quote ? stringEnd(bytes, at) : scalarEnd(bytes, at);
    if (at < 0) {
      fault = 'syntax';
      break;
    }
    if (known && depth < maxKnownDepth && at - start > minKnownBytes) known.set(start, at);
    state = depth === 0 ? 'done' : 'comma or end';
    if (depth === 0) break;
  }
  walk.at = at;
  walk.depth = depth;
  walk.state = state;
  walk.fault = fault;
}
