/** What is known of a response before it is handled. */
export interface ResponseFacts {
  readonly status: number;
  /** The `error` of a Bearer challenge (RFC 6750 3.1): the request was refused before it ran. */
  readonly oauthError: string | undefined;
  /** The `error` of a JSON body, which may as well be the answer of something that ran. */
  readonly bodyError: string | undefined;
  /**
   * A 403 that names missing scopes, or says that some are missing. Without a challenge the error of JSON-RPC does not
   * count: it may be that of a tool.
   */
  readonly lacksScopes: boolean;
  /** The body is a JSON-RPC error: the server's own answer, which belongs to the host. */
  readonly rpcError: boolean;
  /** From `Retry-After`, in ms. */
  readonly retryAfterMs: number | undefined;
}

/** What is known of the request that the response is to. */
export interface AttemptFacts {
  /** What it went out with: nothing, an access token, or a key that the user entered. */
  readonly credential: 'none' | 'token' | 'key';
  /** The token is this new: it is worth showing again after so many ms. */
  readonly newTokenPauseMs: number | undefined;
  /** A token was refused before, and the one that was sent now is newer. */
  readonly renewed: boolean;
  /** It may be carried out twice. False for everything that may change something, and for unknown methods. */
  readonly repeatable: boolean;
  /** It is also repeated after a 429, 502, 503 or 504 without `Retry-After`. */
  readonly persistent: boolean;
  /** How often it was repeated because the server was busy. */
  readonly repeats: number;
  /** How long it has waited because the server wanted it, in ms. */
  readonly waitedMs: number;
}

export type Verdict =
  /**
   * The caller handles it. `doubtsToken`: the token may be the reason; `said`: the body says so, which may be that of a
   * tool that ran.
   */
  | { readonly kind: 'deliver'; readonly doubtsToken?: true | 'said' }
  | { readonly kind: 'redirect' }
  /** Without a credential: somebody has to sign in. */
  | { readonly kind: 'sign_in' }
  /** The server refused a token that it may not know yet: once more with the same one, after this pause. */
  | { readonly kind: 'same_token'; readonly pauseMs: number }
  /** The server refused the token before it ran anything: once more with another one. */
  | { readonly kind: 'renew' }
  /** It refused the newer token as well. */
  | { readonly kind: 'refused' }
  | { readonly kind: 'more_access' }
  /** Once more, after this pause. */
  | { readonly kind: 'repeat'; readonly pauseMs: number }
  /** The server wants no calls for this long, and it did not carry this one out or may be asked for it twice. */
  | { readonly kind: 'rate_limited'; readonly ms: number }
  /** It may have run, so it is not sent again; the server names a time all the same. */
  | { readonly kind: 'unclear'; readonly ms: number };

/** Longest wait for a server that says when to come again, in ms; above it the host is told. */
export const longestWaitMs = 20_000;
/** Most repeats of one request to a busy server. */
const mostRepeats = 3;

/** Pause before repeat `repeats` + 1 in ms: 0.5, 1, 2 s, or what the server asked for where that is longer. */
const repeatPauseMs = (repeats: number, retryAfterMs = 0): number => Math.max(retryAfterMs, 500 * 2 ** repeats);

/**
 * What becomes of a response. A request that may have been carried out is sent again in three cases only: the server
 * refused its credential (RFC 6750 3.1), asked for more scopes, or sent it to another address (307, 308). All of these
 * come before the method runs. Everything else is repeated only where repeating is harmless, a few times, with growing
 * pauses.
 */
export function classify(response: ResponseFacts, turn: AttemptFacts): Verdict {
  const { status } = response;
  if (status >= 200 && status < 300) return { kind: 'deliver' };
  if (status >= 300 && status < 400) return { kind: 'redirect' };
  if (turn.credential === 'none' ? asksForSignIn(response) : refusesToken(response, turn))
    return afterRefusal(response, turn);
  if (response.lacksScopes && turn.credential === 'token') return { kind: 'more_access' };
  if (!response.rpcError && [429, 502, 503, 504].includes(status)) return afterBusy(response, turn);
  if (saysInvalid(response) && turn.credential === 'token' && !turn.renewed)
    return { kind: 'deliver', doubtsToken: 'said' };
  // Some servers say of an expired token no more than that it is forbidden, or break over it.
  const doubtful = !response.rpcError && (status === 403 || status === 500) && turn.credential === 'token';
  return doubtful ? { kind: 'deliver', doubtsToken: true } : { kind: 'deliver' };
}

const asksForSignIn = (response: ResponseFacts): boolean => {
  const { status, rpcError, oauthError } = response;
  return (
    status === 401 ||
    (status === 403 && !rpcError) ||
    (status === 400 && (oauthError === 'invalid_token' || saysInvalid(response)))
  );
};

/**
 * RFC 6750 says 401; servers also say it with 400 or 403 and the code. In the body alone it is believed where repeating
 * is harmless.
 */
const refusesToken = (response: ResponseFacts, { credential, repeatable }: AttemptFacts): boolean => {
  const { status, oauthError } = response;
  const said = oauthError === 'invalid_token' || (repeatable && saysInvalid(response));
  return status === 401 || (credential === 'token' && said && (status === 400 || status === 403));
};

const saysInvalid = ({ status, bodyError }: ResponseFacts): boolean =>
  bodyError === 'invalid_token' && (status === 400 || status === 403);

function afterRefusal(
  { status, rpcError }: ResponseFacts,
  { credential, renewed, newTokenPauseMs }: AttemptFacts,
): Verdict {
  if (credential === 'none') return { kind: 'sign_in' };
  if (newTokenPauseMs !== undefined) return { kind: 'same_token', pauseMs: newTokenPauseMs };
  if (!renewed) return { kind: 'renew' };
  return status === 400 && !rpcError ? { kind: 'refused' } : { kind: 'deliver' };
}

function afterBusy(
  { status, retryAfterMs }: ResponseFacts,
  { repeatable, persistent, repeats, waitedMs }: AttemptFacts,
): Verdict {
  // 502 and 504 come from what stands in front of the server: a time in them says nothing about it.
  const askedMs = status === 429 || status === 503 ? retryAfterMs : undefined;
  const pauseMs = repeatPauseMs(repeats, askedMs);
  const again =
    repeatable && (persistent || askedMs !== undefined) && repeats < mostRepeats && waitedMs + pauseMs <= longestWaitMs;
  if (again) return { kind: 'repeat', pauseMs };
  if (askedMs === undefined) return { kind: 'deliver' };
  return status === 429 || repeatable ? { kind: 'rate_limited', ms: askedMs } : { kind: 'unclear', ms: askedMs };
}
