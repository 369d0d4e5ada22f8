import { pastedUrl } from '../core/oauth/authorization/pasted-address.ts';
import type { Clock } from '../core/base/clock.ts';

export interface PastedLinesDeps {
  /** The `state` of the sign-in, from the address that was shown; undefined: it is not in there (RFC 9126). */
  readonly state: string | undefined;
  /** A person is there who can press Enter once more. */
  readonly interactive: boolean;
  readonly clock: Pick<Clock, 'after'>;
  readonly use: (address: string) => void;
  readonly tell: (text: string) => void;
}

/** Lines of one paste come closer together than this. */
const burstMs = 300;

/**
 * Puts the address of the browser's last page together where mail programs and terminals broke it over lines. Returns
 * the function that takes each line. A code that may be cut is never used: unless something follows the code in the
 * address, a person confirms with an empty line that this was all.
 */
export function createPastedLines({ state, interactive, clock, use, tell }: PastedLinesDeps): (line: string) => void {
  let pieces = '';
  let cancelTimer = () => {};
  const take = () => {
    cancelTimer();
    const whole = pieces;
    pieces = '';
    use(whole);
  };
  const later = (task: () => void) => {
    cancelTimer = clock.after(burstMs, task);
  };

  return (line) => {
    const piece = line.trim();
    if (piece === '') {
      if (pieces !== '') take();
      return;
    }
    cancelTimer();
    pieces = beginsHere(piece) ? piece : pieces + piece;
    switch (judge(pieces, state)) {
      case 'whole':
        return take();
      case 'settle':
        return later(take);
      case 'perhaps':
        return later(
          interactive ? () => tell('If that is the whole address, press Enter again. If not, paste the rest.') : take,
        );
      case 'more':
        return later(() => tell('That is not the whole address yet: paste the rest, or all of it again.'));
    }
  };
}

/**
 * `more`: the rest is missing. `perhaps`: the code is at its end, and may be cut. `settle`: neither code nor state can
 * be cut. `whole`: so is the rest; or it is no such address, and whoever takes it says why.
 */
type Judgement = 'more' | 'perhaps' | 'settle' | 'whole';

function judge(text: string, state: string | undefined): Judgement {
  if (!beginsHere(text)) return 'whole';
  const url = pastedUrl(text);
  const params = url?.searchParams;
  if (!url || !params?.has('state') || !(params.has('code') || params.has('error'))) return 'more';
  if (closed(text)) return 'whole';
  const last = [...params.keys()].at(-1);
  // A browser may have put an empty fragment behind.
  if (url.href.endsWith('#')) return 'settle';
  if (last === 'code') return 'perhaps';
  if (last !== 'state' || state === undefined) return 'settle';
  const given = params.get('state') ?? '';
  // More parameters may stand on the next line.
  return given !== state && state.startsWith(given) ? 'more' : 'settle';
}

/** The beginning of an address of this computer, perhaps in quotes or brackets and without a scheme. */
const beginsHere = (text: string): boolean =>
  /^["'`\u201c\u2018\u00ab<([{]*(https?:\/\/)?(127\.0\.0\.1|localhost|\[::1\])[:/]/i.test(text);

/** In quotes or brackets that end here. */
const closed = (text: string): boolean =>
  /^["'`\u201c\u2018\u00ab<([{]/.test(text) && /["'`\u201d\u2019\u00bb>)\]}]$/.test(text) && !text.startsWith('[::1]');
