import type { EndpointHost, SignInHosts } from '../../../../shared/model.ts';
import { isSameList, unconfirmed } from './endpoint-hosts.ts';
import { AppError } from '../../base/errors.ts';
import { createAnswerSlot, type AnswerSlot, type ExpectedAnswer } from './authorization-response.ts';
import { pastedUrl, samePlace } from './pasted-address.ts';
import type { Clock } from '../../base/clock.ts';
import type { SignInProgress } from '../model.ts';

/** For the person at the window or terminal. */
const answerWithinMs = 10 * 60 * 1000;

/** One sign-in that runs: how far it is, how to stop it, and where its answer goes in. */
export interface Attempt {
  readonly signal: AbortSignal;
  progress(): SignInProgress;
  /** The next step, as the status shows it. */
  step(
    step: SignInProgress['step'],
    more?: Partial<Pick<SignInProgress, 'url' | 'browserFailed' | 'userCode' | 'endsAt' | 'confirm'>>,
  ): void;
  /** Hosts of strangers that the next steps lead to; told with each of them. */
  seenBy(otherHosts: readonly string[]): void;
  /** Somebody sees the state and can answer a question in it. */
  allowQuestions(): void;
  readonly canAsk: boolean;
  /**
   * Asks whether the sign-in may lead to these hosts. Throws E_HOSTS_UNCONFIRMED where nobody can be asked,
   * E_CANCELLED, E_SIGN_IN_TIMEOUT.
   */
  confirm(hosts: SignInHosts): Promise<void>;
  /** The person confirms these hosts. Throws E_BAD_INPUT when the question is about other hosts. */
  confirmed(hosts: readonly EndpointHost[]): void;
  cancel(): void;
  /** Throws E_CANCELLED after `cancel()`. */
  refuseIfCancelled(): void;
  /** From now on an answer is awaited at this redirect URI. */
  waitAt(redirectUri: string, expected: ExpectedAnswer): AnswerSlot;
  /** Takes the address that the browser was sent to, as a person pasted it. Throws E_REDIRECT_URL. */
  paste(address: string): void;
  /**
   * Until its own next step it shows those of another one, which it shares, and hands on what is pasted. Called again
   * at each change.
   */
  follow(shared: Attempt): void;
}

export function createAttempt(clock: Clock, onChange: () => void): Attempt {
  const abort = new AbortController();
  const startedAt = clock.now();
  let progress: SignInProgress = { kind: 'signing_in', step: 'discover', startedAt };
  let awaited: { readonly redirectUri: string; readonly slot: AnswerSlot } | undefined;
  let followed: Attempt | undefined;
  let canAsk = false;
  let question: { readonly hosts: readonly EndpointHost[]; readonly yes: () => void } | undefined;
  let seenBy: { otherHosts?: string[] } = {};
  const attempt: Attempt = {
    signal: abort.signal,
    progress: () => progress,
    step(step, more = {}) {
      followed = undefined;
      progress = { kind: 'signing_in', step, startedAt, ...seenBy, ...more };
      onChange();
    },
    seenBy(otherHosts) {
      seenBy = otherHosts.length > 0 ? { otherHosts: [...otherHosts] } : {};
    },
    allowQuestions() {
      canAsk = true;
      followed?.allowQuestions();
    },
    get canAsk() {
      return canAsk;
    },
    async confirm(wanted) {
      if (!canAsk) throw unconfirmed(wanted, 'Nobody could be asked whether that is right, so nothing was sent there.');
      const { hosts } = wanted;
      const answer = new Promise<void>((yes) => {
        question = { hosts, yes };
      });
      attempt.step('confirm', { confirm: [...hosts] });
      try {
        await within(
          answer,
          clock,
          answerWithinMs,
          abort.signal,
          () => new AppError('E_SIGN_IN_TIMEOUT', 'Nobody confirmed the hosts of the sign-in within ten minutes.'),
        );
      } finally {
        question = undefined;
      }
    },
    confirmed(hosts) {
      if (followed) return followed.confirmed(hosts);
      if (!question || !isSameList(question.hosts, hosts))
        throw new AppError('E_BAD_INPUT', 'The sign-in does not ask about these hosts.', { field: 'hosts' });
      question.yes();
    },
    cancel: () => abort.abort(),
    refuseIfCancelled() {
      if (abort.signal.aborted) throw cancelled();
    },
    waitAt(redirectUri, expected) {
      awaited = { redirectUri, slot: createAnswerSlot(expected) };
      return awaited.slot;
    },
    paste(address) {
      if (followed) return followed.paste(address);
      if (!awaited) throw new AppError('E_REDIRECT_URL', 'The sign-in does not wait for an address yet.');
      const outcome = awaited.slot.offer(paramsAt(awaited.redirectUri, address));
      if (outcome === 'stranger') throw new AppError('E_REDIRECT_URL', 'This address belongs to another sign-in.');
      if (outcome === 'used') throw new AppError('E_REDIRECT_URL', 'This sign-in already has its answer.');
    },
    follow(shared) {
      followed = shared;
      if (canAsk) shared.allowQuestions();
      progress = { ...shared.progress(), startedAt };
      onChange();
    },
  };
  return attempt;
}

/** Never puts the address into its error: there is a code in it. */
function paramsAt(redirectUri: string, address: string): URLSearchParams {
  const wanted = new URL(redirectUri);
  const given = pastedUrl(address);
  if (given && samePlace(given, wanted)) return given.searchParams;
  throw new AppError('E_REDIRECT_URL', `The address does not begin with ${redirectUri}`);
}

export const cancelled = () => new AppError('E_CANCELLED', 'The sign-in was cancelled.');

/** Waits for the promise, at most `ms`. Throws E_CANCELLED on the signal, `late()` when the time is up. */
export async function within<Value>(
  promise: Promise<Value>,
  clock: Clock,
  ms: number,
  signal: AbortSignal,
  late: () => AppError,
): Promise<Value> {
  let stop = () => {};
  const end = new Promise<never>((_, reject) => {
    const onAbort = () => reject(cancelled());
    if (signal.aborted) onAbort();
    signal.addEventListener('abort', onAbort, { once: true });
    const disarm = clock.after(ms, () => reject(late()));
    stop = () => {
      disarm();
      signal.removeEventListener('abort', onAbort);
    };
  });
  try {
    return await Promise.race([promise, end]);
  } finally {
    stop();
  }
}
