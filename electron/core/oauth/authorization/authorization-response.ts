import { timingSafeEqual } from 'node:crypto';
import { AppError, sanitizeExternalText } from '../../base/errors.ts';
import { Secret } from '../../base/secret.ts';

/** The values that the response to one authorization request must match. */
export interface ExpectedResponse {
  readonly state: Secret;
  /** The validated issuer of the authorization server that the request went to. */
  readonly issuer: string;
  /** `authorization_response_iss_parameter_supported` (RFC 9207 3). */
  readonly issSupported: boolean;
}

export type AuthorizationResult =
  | { readonly kind: 'code'; readonly code: Secret }
  /** `oauthError`: the error code of RFC 6749 4.1.2.1, if the expected server returned one. */
  | { readonly kind: 'refused'; readonly error: AppError; readonly oauthError?: string };

/** `unrelated`: the state is not that of this sign-in, which keeps waiting. */
export type AuthorizationVerdict = AuthorizationResult | { readonly kind: 'unrelated' };

/**
 * Checks an authorization response (RFC 6749 4.1.2, RFC 9207 2.4): first `state`, then `iss`, then its content. If
 * `iss` is wrong, nothing else of the response is used, not even the text of its error.
 */
export function parseAuthorizationResponse(params: URLSearchParams, expected: ExpectedResponse): AuthorizationVerdict {
  if (!sameState(params.getAll('state'), expected.state)) return { kind: 'unrelated' };
  const repeated = ['code', 'iss', 'error'].find((name) => params.getAll(name).length > 1);
  if (repeated !== undefined)
    return refused('E_AUTHORIZATION_ERROR', `The sign-in response contains "${repeated}" twice.`);
  const fault = issFault(params.get('iss'), expected);
  if (fault) return { kind: 'refused', error: fault };

  const oauthError = params.get('error');
  if (oauthError !== null) return authorizationError(oauthError, params.get('error_description'), expected.issuer);
  const code = params.get('code');
  if (code === null || code === '')
    return refused('E_AUTHORIZATION_ERROR', 'The sign-in response contains neither a code nor an error.');
  // RFC 6749 A.11: visible ASCII.
  if (!/^[\x20-\x7e]+$/.test(code))
    return refused('E_AUTHORIZATION_ERROR', 'The code in the sign-in response contains invalid characters.');
  return { kind: 'code', code: new Secret(code) };
}

function sameState(states: readonly string[], expected: Secret): boolean {
  const [given] = states;
  if (given === undefined || states.length !== 1) return false;
  const [a, b] = [Buffer.from(given), Buffer.from(expected.reveal())];
  return a.length === b.length && timingSafeEqual(a, b);
}

/** Compares issuers as strings, without normalization (RFC 9207 2.4). */
function issFault(iss: string | null, { issuer, issSupported }: ExpectedResponse): AppError | undefined {
  if (iss === issuer) return undefined;
  if (iss !== null)
    return new AppError('E_ISS_MISMATCH', `The sign-in response did not come from ${sanitizeExternalText(issuer)}.`);
  return issSupported
    ? new AppError(
        'E_ISS_MISMATCH',
        `The sign-in response does not say that it came from ${sanitizeExternalText(issuer)}.`,
      )
    : undefined;
}

function authorizationError(code: string, description: string | null, issuer: string): AuthorizationResult {
  const oauthError = sanitizeExternalText(code, 40);
  if (code === 'unauthorized_client' || code === 'invalid_client') {
    return {
      kind: 'refused',
      error: new AppError(
        'E_CLIENT_REFUSED',
        `${sanitizeExternalText(issuer)} does not accept Keybridge’s registration (${oauthError}).`,
      ),
      oauthError,
    };
  }
  if (code === 'access_denied') {
    return {
      kind: 'refused',
      error: new AppError(
        'E_SIGN_IN_DENIED',
        `The sign-in at ${sanitizeExternalText(issuer)} was cancelled or not allowed.`,
      ),
      oauthError,
    };
  }
  const text = description === null || description === '' ? '' : `: ${sanitizeExternalText(description, 150)}`;
  return {
    kind: 'refused',
    error: new AppError(
      'E_AUTHORIZATION_ERROR',
      `${sanitizeExternalText(issuer)} refused the sign-in (${oauthError})${text}`,
    ),
    oauthError,
  };
}

const refused = (code: 'E_AUTHORIZATION_ERROR', message: string): AuthorizationResult => ({
  kind: 'refused',
  error: new AppError(code, message),
});
