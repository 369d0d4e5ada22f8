/** A text that is looked for, and the part of it that is looked for first. */
export interface Sought {
  readonly form: Buffer;
  readonly anchor: Buffer;
  /** Where the anchor stands in the form. */
  readonly at: number;
}

export type Place = readonly [start: number, end: number];

/**
 * A long text that repeats itself (an authorization server may issue any) takes time in proportion to its length times
 * that of the text it is looked for in; a part of it is found as surely.
 */
const anchorBytes = 32;
/** How many parts are compared to find one that is rare. */
const windows = 64;
/** A text that repeats a secret more often does it on purpose. */
const mostPlaces = 1_000;
/** The same for a part of one. */
const mostTries = 10_000;

/** How a form is looked for: by the part of it that varies most. */
export function soughtFor(form: Buffer): Sought {
  const length = Math.min(anchorBytes, form.length);
  const step = Math.max(1, Math.ceil((form.length - length) / windows));
  let best = { at: 0, pairs: 0 };
  for (let at = 0; at + length <= form.length; at += step) {
    const pairs = differentPairs(form, at, at + length);
    if (pairs > best.pairs) best = { at, pairs };
  }
  return { form, anchor: form.subarray(best.at, best.at + length), at: best.at };
}

function differentPairs(bytes: Buffer, start: number, end: number): number {
  const pairs = new Set<number>();
  for (let at = start; at + 1 < end; at += 1) pairs.add(bytes.readUInt16BE(at));
  return pairs.size;
}

/** Where any of the forms stands, in order and without overlaps; 'too many': more than any text has by accident. */
export function placesOf(all: Iterable<Sought>, text: Buffer): readonly Place[] | 'too many' {
  const found: Place[] = [];
  let tries = 0;
  for (const { form, anchor, at } of all) {
    if (form.length > text.length) continue;
    for (let hit = text.indexOf(anchor); hit >= 0;) {
      tries += 1;
      const [start, end] = [hit - at, hit - at + form.length];
      const whole = start >= 0 && end <= text.length && text.compare(form, 0, form.length, start, end) === 0;
      if (whole) found.push([start, end]);
      if (found.length > mostPlaces || tries > mostTries) return 'too many';
      hit = text.indexOf(anchor, whole ? end : hit + 1);
    }
  }
  return joined(found);
}

function joined(found: readonly Place[]): readonly Place[] {
  const places: [number, number][] = [];
  for (const [start, end] of found.toSorted((a, b) => a[0] - b[0])) {
    const last = places.at(-1);
    if (last && start < last[1]) last[1] = Math.max(last[1], end);
    else places.push([start, end]);
  }
  return places;
}
