import type { EndpointHost, SignInHosts } from '../../../../shared/model.ts';
import { isSameList, unconfirmed } from './endpoint-hosts.ts';
import { AppError } from '../../base/errors.ts';
import { withLimit } from '../../base/async.ts';
import { type ExpectedResponse } from './authorization-response.ts';
import { pastedUrl, isSameCallbackAddress } from './pasted-address.ts';
import type { Clock } from '../../base/clock.ts';
import type { SignInProgress } from '../model.ts';
import { createPendingAuthorization, type PendingAuthorization } from './callback-handler.ts';

/** How long the person at the window or terminal has to confirm. */
const confirmWithinMs = 10 * 60 * 1000;

/** One running sign-in: its progress, its cancellation, and where its authorization response is delivered. */
export interface Attempt {
  readonly signal: AbortSignal;
  progress(): SignInProgress;
  /** The next step, as the status shows it. */
  step(
    step: SignInProgress['step'],
    more?: Partial<Pick<SignInProgress, 'url' | 'browserFailed' | 'userCode' | 'endsAt' | 'confirm'>>,
  ): void;
  /** Hosts of other owners that the next steps lead to; every later progress names them. */
  passesThrough(otherHosts: readonly string[]): void;
  /** Somebody sees the status and can answer a question in it. */
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
  /** From now on a response is awaited at this redirect URI. */
  awaitResponseAt(redirectUri: string, expected: ExpectedResponse): PendingAuthorization;
  /** Accepts the address that the browser was redirected to, as a person pasted it. Throws E_REDIRECT_URL. */
  paste(address: string): void;
  /**
   * Until its own next step it shows the progress of another attempt, which it shares, and forwards to it what is
   * pasted. Call it again after each change.
   */
  follow(shared: Attempt): void;
}

export function createAttempt(clock: Clock, onChange: () => void): Attempt {
  const abort = new AbortController();
  const startedAt = clock.now();
  let progress: SignInProgress = { kind: 'signing_in', step: 'discover', startedAt };
  let awaited: { readonly redirectUri: string; readonly pending: PendingAuthorization } | undefined;
  let followed: Attempt | undefined;
  let canAsk = false;
  let confirmation: { readonly hosts: readonly EndpointHost[]; readonly confirm: () => void } | undefined;
  let passedHosts: { otherHosts?: string[] } = {};
  const attempt: Attempt = {
    signal: abort.signal,
    progress: () => progress,
    step(step, more = {}) {
      followed = undefined;
      progress = { kind: 'signing_in', step, startedAt, ...passedHosts, ...more };
      onChange();
    },
    passesThrough(otherHosts) {
      passedHosts = otherHosts.length > 0 ? { otherHosts: [...otherHosts] } : {};
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
      const confirmed = new Promise<void>((confirm) => {
        confirmation = { hosts, confirm };
      });
      attempt.step('confirm', { confirm: [...hosts] });
      try {
        await withLimit(confirmed, {
          clock,
          ms: confirmWithinMs,
          signal: abort.signal,
          aborted: cancelled,
          late: () => {
            throw new AppError('E_SIGN_IN_TIMEOUT', 'Nobody confirmed the hosts of the sign-in within ten minutes.');
          },
        });
      } finally {
        confirmation = undefined;
      }
    },
    confirmed(hosts) {
      if (followed) return followed.confirmed(hosts);
      if (!confirmation || !isSameList(confirmation.hosts, hosts))
        throw new AppError('E_BAD_INPUT', 'The sign-in does not ask about these hosts.', { field: 'hosts' });
      confirmation.confirm();
    },
    cancel: () => abort.abort(),
    refuseIfCancelled() {
      if (abort.signal.aborted) throw cancelled();
    },
    awaitResponseAt(redirectUri, expected) {
      awaited = { redirectUri, pending: createPendingAuthorization(expected) };
      return awaited.pending;
    },
    paste(address) {
      if (followed) return followed.paste(address);
      if (!awaited) throw new AppError('E_REDIRECT_URL', 'The sign-in does not wait for an address yet.');
      const outcome = awaited.pending.accept(paramsAt(awaited.redirectUri, address));
      if (outcome === 'unrelated') throw new AppError('E_REDIRECT_URL', 'This address belongs to another sign-in.');
      if (outcome === 'used') throw new AppError('E_REDIRECT_URL', 'This sign-in already has its response.');
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

/** The address must not appear in the error: it contains a code. */
function paramsAt(redirectUri: string, address: string): URLSearchParams {
  const wanted = new URL(redirectUri);
  const given = pastedUrl(address);
  if (given && isSameCallbackAddress(given, wanted)) return given.searchParams;
  throw new AppError('E_REDIRECT_URL', `The address does not start with ${redirectUri}`);
}

export const cancelled = () => new AppError('E_CANCELLED', 'The sign-in was cancelled.');
