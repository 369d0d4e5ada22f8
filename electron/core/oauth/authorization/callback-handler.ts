import type { Secret } from '../../base/secret.ts';
import {
  type ExpectedResponse,
  type AuthorizationResult,
  parseAuthorizationResponse,
} from './authorization-response.ts';
import type { CallbackResult } from './result-page.ts';
import type { CallbackHandler } from './loopback-server.ts';
import type { AuthorizationServer } from '../model.ts';

/** The values that the authorization response must match. */
export function expectedResponse(
  state: Secret,
  { issuer, authorization_response_iss_parameter_supported: issSupported = false }: AuthorizationServer,
): ExpectedResponse {
  return { state, issuer, issSupported };
}

/**
 * Delivers the callback parameters to the waiting sign-in. The browser page whose parameters were accepted shows
 * `result`.
 */
export const createCallbackHandler =
  (pending: PendingAuthorization, result: Promise<CallbackResult>): CallbackHandler =>
  (params) => {
    const kind = pending.accept(params);
    return kind === 'accepted' ? { kind, result } : { kind };
  };

/** The result for the page in the browser, to be resolved when the sign-in ends. */
export function createCallbackResult(): {
  readonly promise: Promise<CallbackResult>;
  resolve(result: CallbackResult): void;
} {
  let resolve: (result: CallbackResult) => void = () => {};
  const promise = new Promise<CallbackResult>((settle) => {
    resolve = settle;
  });
  return { promise, resolve: (result) => resolve(result) };
}

/** An authorization request that waits for its response: from the browser or pasted, whichever comes first. */
export interface PendingAuthorization {
  /** `accepted`: this is the response. `used`: an earlier one was accepted. `unrelated`: for another sign-in. */
  accept(params: URLSearchParams): 'accepted' | 'used' | 'unrelated';
  /** True once a response was accepted. */
  readonly received: boolean;
  readonly response: Promise<AuthorizationResult>;
}

export function createPendingAuthorization(expected: ExpectedResponse): PendingAuthorization {
  let received = false;
  let resolve: (response: AuthorizationResult) => void;
  const response = new Promise<AuthorizationResult>((settle) => {
    resolve = settle;
  });
  return {
    response,
    get received() {
      return received;
    },
    accept(params) {
      const verdict = parseAuthorizationResponse(params, expected);
      if (verdict.kind === 'unrelated') return 'unrelated';
      if (received) return 'used';
      received = true;
      resolve(verdict);
      return 'accepted';
    },
  };
}
