/** The parts of a response that decide what happens to its request. */
export interface ResponseFacts {
  readonly status: number;
  /** The `error` of a Bearer challenge (RFC 6750 section 3.1). It proves that the request did not run. */
  readonly oauthError: string | undefined;
  /** The `error` of a JSON body. It proves nothing: a tool that ran may have returned it. */
  readonly bodyError: string | undefined;
  /**
   * A 403 that names missing scopes or says that some are missing. Without a challenge, a JSON-RPC error does not
   * count, because a tool may have returned it.
   */
  readonly lacksScopes: boolean;
  /** The body is a JSON-RPC error: the MCP server's own response, which belongs to the host. */
  readonly rpcError: boolean;
  /** From `Retry-After`, in ms. */
  readonly retryAfterMs: number | undefined;
}

/** The parts of a request that decide what its response means. */
export interface RequestFacts {
  /** What the request was sent with: nothing, an access token, or a key that the user entered. */
  readonly credential: 'none' | 'token' | 'key';
  /**
   * Set if the token is so new that the server may not know it yet: how long to wait before sending it again, in ms.
   */
  readonly newTokenPauseMs: number | undefined;
  /** An earlier token was rejected, and this request was sent with a newer one. */
  readonly renewed: boolean;
  /** The request may run twice. False for anything that may have effects, and for unknown methods. */
  readonly repeatable: boolean;
  /** The request is also sent again after a 429, 502, 503 or 504 without `Retry-After`. */
  readonly persistent: boolean;
  /** How often the request was sent again because the server was busy. */
  readonly retries: number;
  /** How long the request has waited for a busy server, in ms. */
  readonly waitedMs: number;
}

export type Verdict = Action & {
  /** A busy server (429, 503) asked for no requests at all for this long, in ms. */
  readonly busyMs?: number;
};

type Action =
  /** A 2xx: the server accepted the credential. The caller handles the response. */
  | { readonly kind: 'accept' }
  /**
   * The caller handles the response. `doubtsToken`: the token may be the reason. `stated`: the body names it as the
   * reason, but a tool that ran may have written that body.
   */
  | { readonly kind: 'deliver'; readonly doubtsToken?: 'suspected' | 'stated' }
  | { readonly kind: 'redirect' }
  /** The request had no credential: a user has to sign in. */
  | { readonly kind: 'sign_in' }
  /** The server may not know the new token yet: send the same one again after this pause. */
  | { readonly kind: 'retry_same_token'; readonly pauseMs: number }
  /** The server rejected the token before it ran the request: send it again with a newer one. */
  | { readonly kind: 'renew_token' }
  /** The server rejected the newer token as well. */
  | { readonly kind: 'token_refused' }
  /** The token lacks scopes. */
  | { readonly kind: 'step_up' }
  /** Send the request again after this pause. */
  | { readonly kind: 'retry'; readonly pauseMs: number }
  /** Fail with the time that the server named. The request did not run, or may run again. */
  | { readonly kind: 'rate_limited'; readonly busyMs: number }
  /** Fail with the time that the server named. The request may have run, so it is not sent again. */
  | { readonly kind: 'outcome_unknown'; readonly busyMs: number };

/** Longest wait for a busy server, in ms. Above it the host gets an error. */
export const longestWaitMs = 20_000;
/** How often one request is sent again to a busy server. */
const maxRetries = 3;

/** Pause before the next retry, in ms: 0.5, 1, 2 s, or the time that the server asked for if that is longer. */
const retryPauseMs = (retries: number, askedMs = 0): number => Math.max(askedMs, 500 * 2 ** retries);

/**
 * Decides what happens after a response. A request that may have run is sent again in three cases only: the server
 * rejected its credential (RFC 6750 section 3.1), asked for more scopes, or redirected it (307, 308). In each of them
 * the method has not run yet. All other retries are limited to repeatable requests.
 */
export function classify(response: ResponseFacts, request: RequestFacts): Verdict {
  const action = actionAfter(response, request);
  const busyMs = busyPauseMs(response);
  return busyMs === undefined ? action : { ...action, busyMs };
}

function actionAfter(response: ResponseFacts, request: RequestFacts): Action {
  const { status, rpcError } = response;
  if (status >= 200 && status < 300) return { kind: 'accept' };
  if (status >= 300 && status < 400) return { kind: 'redirect' };
  if (request.credential === 'none') {
    if (asksForSignIn(response)) return { kind: 'sign_in' };
  } else if (rejectsToken(response, request)) return afterRejection(response, request);
  if (response.lacksScopes && request.credential === 'token') return { kind: 'step_up' };
  if (!rpcError && [429, 502, 503, 504].includes(status)) return whenBusy(response, request);
  if (saysInvalidToken(response) && request.credential === 'token' && !request.renewed)
    return { kind: 'deliver', doubtsToken: 'stated' };
  // Some servers answer an expired token with a bare 403 or 500.
  const isSuspicious = !rpcError && (status === 403 || status === 500) && request.credential === 'token';
  return isSuspicious ? { kind: 'deliver', doubtsToken: 'suspected' } : { kind: 'deliver' };
}

/** Undefined for 502 and 504: those come from a gateway, whose `Retry-After` says nothing about the server. */
const busyPauseMs = ({ status, retryAfterMs }: ResponseFacts): number | undefined =>
  status === 429 || status === 503 ? retryAfterMs : undefined;

function asksForSignIn(response: ResponseFacts): boolean {
  const { status, rpcError, oauthError } = response;
  if (status === 401 || (status === 403 && !rpcError)) return true;
  return status === 400 && (oauthError === 'invalid_token' || saysInvalidToken(response));
}

/**
 * RFC 6750 requires a 401; some servers send 400 or 403 with the error code. A code in the body alone counts only for a
 * repeatable request.
 */
function rejectsToken(response: ResponseFacts, { credential, repeatable }: RequestFacts): boolean {
  const { status, oauthError } = response;
  if (status === 401) return true;
  const saysSo = oauthError === 'invalid_token' || (repeatable && saysInvalidToken(response));
  return credential === 'token' && saysSo && (status === 400 || status === 403);
}

const saysInvalidToken = ({ status, bodyError }: ResponseFacts): boolean =>
  bodyError === 'invalid_token' && (status === 400 || status === 403);

function afterRejection({ status, rpcError }: ResponseFacts, { renewed, newTokenPauseMs }: RequestFacts): Action {
  if (newTokenPauseMs !== undefined) return { kind: 'retry_same_token', pauseMs: newTokenPauseMs };
  if (!renewed) return { kind: 'renew_token' };
  return status === 400 && !rpcError ? { kind: 'token_refused' } : { kind: 'deliver' };
}

function whenBusy(response: ResponseFacts, { repeatable, persistent, retries, waitedMs }: RequestFacts): Action {
  const busyMs = busyPauseMs(response);
  const pauseMs = retryPauseMs(retries, busyMs);
  const mayRetry =
    repeatable && (persistent || busyMs !== undefined) && retries < maxRetries && waitedMs + pauseMs <= longestWaitMs;
  if (mayRetry) return { kind: 'retry', pauseMs };
  if (busyMs === undefined) return { kind: 'deliver' };
  return response.status === 429 || repeatable ? { kind: 'rate_limited', busyMs } : { kind: 'outcome_unknown', busyMs };
}
