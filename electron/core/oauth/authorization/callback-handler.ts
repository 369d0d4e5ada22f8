import { AppError } from '../../base/errors.ts';
import type { Secret } from '../../base/secret.ts';
import type { AnswerSlot, ExpectedAnswer } from './authorization-response.ts';
import type { CallbackResult } from './result-page.ts';
import type { CallbackHandler } from './loopback-server.ts';
import type { AuthorizationServer } from '../model.ts';

export const tooLate = () =>
  new AppError('E_SIGN_IN_TIMEOUT', 'Nobody finished the sign-in in the browser within ten minutes.');

/** What the browser's answer is checked with. */
export function expectedAnswer(
  state: Secret,
  { issuer, authorization_response_iss_parameter_supported: issSupported = false }: AuthorizationServer,
): ExpectedAnswer {
  return { state, issuer, issSupported };
}

/** Puts what came to the redirect URI into the slot. */
export const callbackHandlerOf =
  (slot: AnswerSlot, ending: Promise<CallbackResult>) =>
  (params: URLSearchParams): CallbackHandler => {
    const kind = slot.offer(params);
    return kind === 'taken' ? { kind, ending } : { kind };
  };

/** What the page in the browser waits for. */
export function createCallbackResult(): {
  readonly promise: Promise<CallbackResult>;
  end(ending: CallbackResult): void;
} {
  let end: (ending: CallbackResult) => void = () => {};
  const promise = new Promise<CallbackResult>((resolve) => {
    end = resolve;
  });
  return { promise, end: (ending) => end(ending) };
}
