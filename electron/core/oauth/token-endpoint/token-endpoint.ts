import * as oauth from 'oauth4webapi';
import { defined } from '../../../../shared/defined.ts';
import { AppError, sanitizeExternalText } from '../../base/errors.ts';
import { waitFor } from '../../base/async.ts';
import type { Secret } from '../../base/secret.ts';
import { tokenParameters } from '../providers/quirks.ts';
import { requestRevocation, requestTokens } from './token-request.ts';
import type { Clock } from '../../base/clock.ts';
import type { Tokens, TokenVerdict, TokenClient, RefreshOutcome, TokenEndpointOptions } from '../model.ts';

export interface CodeGrant {
  readonly code: Secret;
  readonly codeVerifier: Secret;
  /** Exactly as in the authorization request. */
  readonly redirectUri: string;
}

/** A longer wait would let the code expire. */
const maxExchangeWaitMs = 20_000;

/**
 * Exchanges an authorization code for tokens (RFC 6749 4.1.3, RFC 7636 4.5, RFC 8707 2.2). The code is sent a second
 * time only if the server cannot have used it: connection refused, or 429. Throws E_TOKEN_REFUSED, E_CLIENT_REFUSED,
 * E_TOKEN_RESPONSE, E_NOT_JSON, E_HTTP_STATUS, E_REDIRECTED, and the faults of Http.
 */
export async function exchangeCode(
  client: TokenClient,
  grant: CodeGrant,
  options: TokenEndpointOptions,
): Promise<Tokens> {
  const first = await sendCode(client, grant, options);
  const waitMs = retryDelayOf(first);
  if (waitMs === undefined || !options.clock) return tokensOf(first);
  await pause(options.clock, waitMs, options.signal);
  return tokensOf(await sendCode(client, grant, options));
}

/**
 * Sends one refresh request (RFC 6749 6, RFC 8707 2.2). Never throws. `scopes`: defaults to those that the server
 * granted before.
 */
export async function refresh(
  client: TokenClient,
  refreshToken: Secret,
  request: { readonly scopes?: readonly string[] },
  options: TokenEndpointOptions,
): Promise<RefreshOutcome> {
  const parameters = tokenParameters(client);
  if (request.scopes && request.scopes.length > 0) parameters['scope'] = request.scopes.join(' ');
  return outcomeOf(
    await requestTokens(client, options, (server, us, auth, given) =>
      oauth.refreshTokenGrantRequest(server, us, auth, refreshToken.reveal(), {
        ...given,
        additionalParameters: parameters,
      }),
    ),
  );
}

/** Sends one request with a grant that needs no user interaction (RFC 6749 4.4, 7523 2.1, 8693). Never throws. */
export async function repeatGrant(
  client: TokenClient,
  grant: { readonly type: string; readonly parameters: Readonly<Record<string, string>> },
  options: TokenEndpointOptions,
): Promise<RefreshOutcome> {
  const verdict = await requestTokens(client, options, (server, us, auth, given) =>
    oauth.genericTokenEndpointRequest(server, us, auth, grant.type, { ...grant.parameters }, given),
  );
  // Any refusal is final: no refresh token can be lost, and a refused assertion must not be sent again and again.
  if (verdict.kind === 'error' && verdict.error !== 'invalid_client' && !isTemporary(verdict))
    return { kind: 'rejected', error: refusal(verdict), oauthError: verdict.error };
  return outcomeOf(verdict);
}

/** Whether a later request may succeed. */
export function isTemporary({ error, status, retryAfterMs }: Extract<TokenVerdict, { kind: 'error' }>): boolean {
  return (
    status >= 500 ||
    status === 429 ||
    retryAfterMs !== undefined ||
    ['server_error', 'temporarily_unavailable', 'slow_down'].includes(error)
  );
}

function outcomeOf(verdict: TokenVerdict): RefreshOutcome {
  switch (verdict.kind) {
    case 'tokens':
      return { kind: 'refreshed', tokens: verdict.tokens };
    case 'unclear':
      return {
        kind: 'unreachable',
        error: verdict.fault,
        ...defined({ rotated: verdict.rotated, refusal: verdict.refused ? `status ${verdict.status}` : undefined }),
      };
    case 'error':
      if (verdict.error === 'invalid_grant') return { kind: 'rejected', error: refusal(verdict) };
      if (verdict.error === 'invalid_client') return { kind: 'client_refused', error: refusal(verdict) };
      return {
        kind: 'unreachable',
        error: refusal(verdict),
        ...defined({ refusal: isTemporary(verdict) ? undefined : verdict.error }),
      };
  }
}

/** Revokes a token (RFC 7009). Never throws. */
export async function revoke(
  client: TokenClient,
  token: Secret,
  hint: 'refresh_token' | 'access_token',
  options: TokenEndpointOptions,
): Promise<'confirmed' | 'not_offered' | 'failed'> {
  if (client.revocationEndpoint === undefined) return 'not_offered';
  return (await requestRevocation(client, token, hint, options)) ? 'confirmed' : 'failed';
}

async function sendCode(
  client: TokenClient,
  { code, codeVerifier, redirectUri }: CodeGrant,
  options: TokenEndpointOptions,
): Promise<TokenVerdict> {
  return requestTokens(client, options, async (server, us, auth, given) => {
    // `state` and `iss` were checked when the callback was received (authorization/authorization-response.ts).
    const callback = oauth.validateAuthResponse(server, us, new URLSearchParams({ code: code.reveal() }));
    return oauth.authorizationCodeGrantRequest(server, us, auth, callback, redirectUri, codeVerifier.reveal(), {
      ...given,
      additionalParameters: tokenParameters(client),
    });
  });
}

/** How long to wait before the code may be sent again, in ms; undefined: never. */
function retryDelayOf(verdict: TokenVerdict): number | undefined {
  if (verdict.kind === 'tokens') return undefined;
  if (verdict.kind === 'unclear' && !verdict.fault.sent) return 500;
  const waitMs = verdict.kind === 'error' ? verdict.retryAfterMs : verdict.fault.retryAfterMs;
  return verdict.status === 429 && waitMs !== undefined && waitMs <= maxExchangeWaitMs ? waitMs : undefined;
}

/** Returns the tokens, or throws the error of the response. */
export function tokensOf(verdict: TokenVerdict): Tokens {
  if (verdict.kind === 'unclear') throw verdict.fault;
  if (verdict.kind === 'error') throw refusal(verdict);
  return verdict.tokens;
}

function refusal({ error, description, retryAfterMs }: Extract<TokenVerdict, { kind: 'error' }>): AppError {
  const code = error === 'invalid_client' ? 'E_CLIENT_REFUSED' : 'E_TOKEN_REFUSED';
  const words =
    description === undefined
      ? sanitizeExternalText(error)
      : `${sanitizeExternalText(error)}: ${sanitizeExternalText(description, 120)}`;
  return new AppError(code, `The token endpoint refused the request (${words}).`, defined({ retryAfterMs }));
}

/** Throws E_CANCELLED on the signal. */
export const pause = (clock: Clock, ms: number, signal: AbortSignal | undefined): Promise<void> =>
  waitFor(clock, ms, signal, () => new AppError('E_CANCELLED', 'The sign-in was cancelled.'));
