/** A text to search for, and the part of it that is searched for first. */
export interface SearchPattern {
  readonly text: Buffer;
  readonly anchor: Buffer;
  /** The offset of the anchor in the text. */
  readonly anchorAt: number;
}

export type Match = readonly [start: number, end: number];

/**
 * Searching for a long repetitive text takes time in proportion to its length times that of the searched text, and an
 * authorization server may issue any token. A short part of it is found just as reliably.
 */
const anchorBytes = 32;
/** How many parts are compared to find a distinctive anchor. */
const maxCandidates = 64;
/** A message that repeats a secret more often does so on purpose. */
const maxMatches = 1_000;
/** The same for anchors. */
const maxAnchorHits = 10_000;

/** The pattern for a text. Its anchor is the part with the most different byte pairs. */
export function searchPattern(text: Buffer): SearchPattern {
  const length = Math.min(anchorBytes, text.length);
  const step = Math.max(1, Math.ceil((text.length - length) / maxCandidates));
  let best = { at: 0, pairs: 0 };
  for (let at = 0; at + length <= text.length; at += step) {
    const pairs = differentPairs(text, at, at + length);
    if (pairs > best.pairs) best = { at, pairs };
  }
  return { text, anchor: text.subarray(best.at, best.at + length), anchorAt: best.at };
}

function differentPairs(bytes: Buffer, start: number, end: number): number {
  const pairs = new Set<number>();
  for (let at = start; at + 1 < end; at += 1) pairs.add(bytes.readUInt16BE(at));
  return pairs.size;
}

/** All matches in order, without overlaps; 'too many' if there are more than any message has by accident. */
export function findMatches(patterns: Iterable<SearchPattern>, bytes: Buffer): readonly Match[] | 'too many' {
  const matches: Match[] = [];
  let anchorHits = 0;
  for (const { text, anchor, anchorAt } of patterns) {
    if (text.length > bytes.length) continue;
    for (let hit = bytes.indexOf(anchor); hit >= 0;) {
      anchorHits += 1;
      const [start, end] = [hit - anchorAt, hit - anchorAt + text.length];
      const isMatch = start >= 0 && end <= bytes.length && bytes.compare(text, 0, text.length, start, end) === 0;
      if (isMatch) matches.push([start, end]);
      if (matches.length > maxMatches || anchorHits > maxAnchorHits) return 'too many';
      hit = bytes.indexOf(anchor, isMatch ? end : hit + 1);
    }
  }
  return mergeOverlaps(matches);
}

function mergeOverlaps(matches: readonly Match[]): readonly Match[] {
  const merged: [number, number][] = [];
  for (const [start, end] of matches.toSorted((a, b) => a[0] - b[0])) {
    const last = merged.at(-1);
    if (last && start < last[1]) last[1] = Math.max(last[1], end);
    else merged.push([start, end]);
  }
  return merged;
}
