import { unconfirmed } from './endpoint-hosts.ts';
import { AppError } from '../../base/errors.ts';
import { createConfirmation } from './confirmation.ts';
import { cancelled } from './sign-in-faults.ts';
import { type ExpectedResponse } from './authorization-response.ts';
import { pastedUrl, isSameCallbackAddress } from './pasted-address.ts';
import type { Clock } from '../../base/clock.ts';
import type { SignInProgress } from '../model.ts';
import { createPendingAuthorization, type PendingAuthorization } from './callback-handler.ts';
import type { EndpointHost, SignInHosts } from '../../../../shared/sign-in-state.ts';

/** One running sign-in: its progress, its cancellation, and the delivery of its authorization response. */
export interface Attempt {
  readonly signal: AbortSignal;
  progress(): SignInProgress;
  /** Moves to the next step, which the status shows. */
  step(
    step: SignInProgress['step'],
    more?: Partial<Pick<SignInProgress, 'url' | 'browserFailed' | 'userCode' | 'endsAt' | 'confirm'>>,
  ): void;
  /** Names hosts of other owners that the next steps lead to. Every later progress includes them. */
  setOtherHosts(otherHosts: readonly string[]): void;
  /** A user sees the status and can respond to `confirm`. */
  allowQuestions(): void;
  readonly canAsk: boolean;
  /**
   * Asks the user whether the sign-in may lead to these hosts. Throws E_HOSTS_UNCONFIRMED when questions are not
   * allowed, E_CANCELLED, E_SIGN_IN_TIMEOUT.
   */
  confirm(hosts: SignInHosts): Promise<void>;
  /** The user confirms these hosts. Throws E_BAD_INPUT unless `confirm` is asking about exactly these. */
  confirmed(hosts: readonly EndpointHost[]): void;
  cancel(): void;
  /** Throws E_CANCELLED after `cancel()`. */
  refuseIfCancelled(): void;
  /** Starts to wait for a response at this redirect URI. */
  awaitResponseAt(redirectUri: string, expected: ExpectedResponse): PendingAuthorization;
  /** Accepts the address of the browser's last page, pasted by the user. Throws E_REDIRECT_URL. */
  paste(address: string): void;
  /**
   * Shows the progress of a shared attempt and forwards pasted addresses and confirmations to it, until this attempt's
   * own next step. Call it again after each change of the shared attempt.
   */
  follow(shared: Attempt): void;
}

export function createAttempt(clock: Clock, onChange: () => void): Attempt {
  const abort = new AbortController();
  const startedAt = clock.now();
  const confirmation = createConfirmation(clock, abort.signal);
  let progress: SignInProgress = { kind: 'signing_in', step: 'discover', startedAt };
  let awaited: { readonly redirectUri: string; readonly pending: PendingAuthorization } | undefined;
  let followed: Attempt | undefined;
  let canAsk = false;
  let others: { otherHosts?: string[] } = {};
  const attempt: Attempt = {
    signal: abort.signal,
    progress: () => progress,
    step(step, more = {}) {
      followed = undefined;
      progress = { kind: 'signing_in', step, startedAt, ...others, ...more };
      onChange();
    },
    setOtherHosts(otherHosts) {
      others = otherHosts.length > 0 ? { otherHosts: [...otherHosts] } : {};
    },
    allowQuestions() {
      canAsk = true;
      followed?.allowQuestions();
    },
    get canAsk() {
      return canAsk;
    },
    async confirm(signInHosts) {
      if (!canAsk)
        throw unconfirmed(
          signInHosts,
          'Keybridge could not ask anyone to confirm these hosts, so nothing was sent to them.',
        );
      const { hosts } = signInHosts;
      const confirmed = confirmation.wait(hosts);
      attempt.step('confirm', { confirm: [...hosts] });
      await confirmed;
    },
    confirmed(hosts) {
      if (followed) return followed.confirmed(hosts);
      confirmation.confirm(hosts);
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
      if (!awaited) throw new AppError('E_REDIRECT_URL', 'The sign-in is not waiting for an address yet.');
      const outcome = awaited.pending.accept(paramsAt(awaited.redirectUri, address));
      if (outcome === 'unrelated') throw new AppError('E_REDIRECT_URL', 'This address belongs to another sign-in.');
      if (outcome === 'used') throw new AppError('E_REDIRECT_URL', 'This sign-in has already received its response.');
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

/** The error must not quote the address, which contains a code. */
function paramsAt(redirectUri: string, address: string): URLSearchParams {
  const pasted = pastedUrl(address);
  if (pasted && isSameCallbackAddress(pasted, new URL(redirectUri))) return pasted.searchParams;
  throw new AppError('E_REDIRECT_URL', `The address does not start with ${redirectUri}`);
}
