import { pastedUrl } from '../core/oauth/authorization/pasted-address.ts';
import type { Clock } from '../core/base/clock.ts';
import { t } from './text.ts';

export interface PastedLinesDeps {
  /** The `state` in the address that was shown. Undefined if the request was pushed (RFC 9126). */
  readonly state: string | undefined;
  /** Whether a user can press Enter again. */
  readonly interactive: boolean;
  readonly clock: Pick<Clock, 'after'>;
  readonly use: (address: string) => void;
  readonly tell: (text: string) => void;
}

/** The lines of one paste arrive at shorter intervals than this. */
const burstMs = 300;

/**
 * Joins the lines of a pasted address, which mail programs and terminals wrap. Returns the function that takes each
 * line. A code that may be truncated is never used: unless something follows the code in the address, a user has to
 * confirm with an empty line that the address is complete.
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
    pieces = startsAddress(piece) ? piece : pieces + piece;
    switch (completeness(pieces, state)) {
      case 'complete':
        return take();
      case 'usable':
        return later(take);
      case 'uncertain':
        return later(interactive ? () => tell(t('cli.paste.perhaps')) : take);
      case 'incomplete':
        return later(() => tell(t('cli.paste.more')));
    }
  };
}

/**
 * `incomplete`: a part is missing. `uncertain`: the code comes last and may be truncated. `usable`: code and state are
 * complete, but more parameters may follow. `complete`: nothing can follow. That includes text that is no such address,
 * which the sign-in rejects.
 */
type Completeness = 'incomplete' | 'uncertain' | 'usable' | 'complete';

function completeness(text: string, state: string | undefined): Completeness {
  if (!startsAddress(text)) return 'complete';
  const url = pastedUrl(text);
  const params = url?.searchParams;
  if (!url || !params?.has('state') || !(params.has('code') || params.has('error'))) return 'incomplete';
  if (isClosed(text)) return 'complete';
  // Browsers may append an empty fragment.
  return url.href.endsWith('#') ? 'usable' : completenessOfLast(params, state);
}

/** How complete the address is, going by its last parameter, which may be cut off. */
function completenessOfLast(params: URLSearchParams, state: string | undefined): Completeness {
  const last = [...params.keys()].at(-1);
  if (last === 'code') return 'uncertain';
  if (last !== 'state' || state === undefined) return 'usable';
  const given = params.get('state') ?? '';
  return given !== state && state.startsWith(given) ? 'incomplete' : 'usable';
}

/** Whether an address of this computer starts here, perhaps in quotes or brackets and without a scheme. */
const startsAddress = (text: string): boolean =>
  /^["'`\u201c\u2018\u00ab<([{]*(https?:\/\/)?(127\.0\.0\.1|localhost|\[::1\])[:/]/i.test(text);

/** Whether the text is in quotes or brackets that are closed. */
const isClosed = (text: string): boolean =>
  /^["'`\u201c\u2018\u00ab<([{]/.test(text) && /["'`\u201d\u2019\u00bb>)\]}]$/.test(text) && !text.startsWith('[::1]');
