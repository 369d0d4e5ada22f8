import { withLimit } from '../../base/async.ts';
import type { Clock } from '../../base/clock.ts';
import { AppError } from '../../base/errors.ts';
import { isSameList } from './endpoint-hosts.ts';
import { cancelled } from './sign-in-faults.ts';
import type { EndpointHost } from '../../../../shared/sign-in-state.ts';

/** Time limit for the user at the window or terminal to confirm. */
const confirmWithinMs = 10 * 60 * 1000;

/** The question to the user whether a sign-in may lead to some hosts. */
export interface Confirmation {
  /** Resolves when the user confirms. Throws E_CANCELLED, E_SIGN_IN_TIMEOUT. */
  wait(hosts: readonly EndpointHost[]): Promise<void>;
  /** The user confirms these hosts. Throws E_BAD_INPUT unless the question is about exactly these. */
  confirm(hosts: readonly EndpointHost[]): void;
}

export function createConfirmation(clock: Clock, signal: AbortSignal): Confirmation {
  let question: { readonly hosts: readonly EndpointHost[]; readonly confirm: () => void } | undefined;
  return {
    async wait(hosts) {
      const confirmed = new Promise<void>((confirm) => {
        question = { hosts, confirm };
      });
      try {
        await withLimit(confirmed, {
          clock,
          ms: confirmWithinMs,
          signal,
          aborted: cancelled,
          late: () => {
            throw new AppError('E_SIGN_IN_TIMEOUT', 'The hosts of the sign-in were not confirmed within ten minutes.');
          },
        });
      } finally {
        question = undefined;
      }
    },
    confirm(hosts) {
      if (!question || !isSameList(question.hosts, hosts))
        throw new AppError('E_BAD_INPUT', 'The sign-in is not waiting for a confirmation of these hosts.', {
          field: 'hosts',
        });
      question.confirm();
    },
  };
}
