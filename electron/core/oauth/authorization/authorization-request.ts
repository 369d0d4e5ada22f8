import { randomBytes } from 'node:crypto';
import * as openid from 'openid-client';
import { Secret } from '../../base/secret.ts';
import type { AuthorizationServer } from '../model.ts';

export interface AuthorizationRequestOptions {
  readonly authorizationServer: AuthorizationServer;
  readonly clientId: string;
  readonly redirectUri: string;
  /** Byte-exact (RFC 8707 2); absent where it is left out. */
  readonly resource?: string;
  readonly scopes: readonly string[];
  /** Lets the person choose who signs in. */
  readonly prompt?: 'select_account' | 'login';
  /** Who is expected (OpenID Connect Core 3.1.2.1). */
  readonly loginHint?: string;
  /** Extra parameters of this provider. None of them has the name of one of ours but `prompt`. */
  readonly extra?: Readonly<Record<string, string>>;
}

/** One authorization request: the address for the browser, and what its answer is checked with. */
export interface AuthorizationRequest {
  readonly url: URL;
  readonly state: Secret;
  readonly codeVerifier: Secret;
  /** Comes back in the ID token; absent where none is asked for. */
  readonly nonce?: Secret;
}

/**
 * Builds the authorization request (RFC 6749 4.1.1, RFC 7636 S256, RFC 8707 2.1, OpenID Connect Core 3.1.2.1) with 256
 * bits of state, and of nonce.
 */
export async function authorizationRequest({
  authorizationServer,
  clientId,
  redirectUri,
  resource,
  scopes,
  prompt,
  loginHint,
  extra = {},
}: AuthorizationRequestOptions): Promise<AuthorizationRequest> {
  const state = new Secret(randomBytes(32).toString('base64url'));
  const codeVerifier = new Secret(openid.randomPKCECodeVerifier());
  const nonce = scopes.includes('openid') ? new Secret(randomBytes(32).toString('base64url')) : undefined;
  const parameters = {
    response_type: 'code',
    redirect_uri: redirectUri,
    state: state.reveal(),
    code_challenge: await openid.calculatePKCECodeChallenge(codeVerifier.reveal()),
    code_challenge_method: 'S256',
    ...(resource === undefined ? {} : { resource }),
    ...(scopes.length > 0 ? { scope: scopes.join(' ') } : {}),
    ...(nonce ? { nonce: nonce.reveal() } : {}),
    ...(loginHint === undefined ? {} : { login_hint: loginHint }),
    ...extra,
    ...promptOf(scopes, extra, prompt),
  };
  const { issuer, authorization_endpoint } = authorizationServer;
  const endpoint = without(authorization_endpoint, ['client_id', 'resource', ...Object.keys(parameters)]);
  const config = new openid.Configuration({ issuer, authorization_endpoint: endpoint }, clientId);
  // Discovery has checked the endpoint: https, or http on this computer, which openid-client refuses by itself.
  openid.allowInsecureRequests(config);
  return { url: openid.buildAuthorizationUrl(config, parameters), state, codeVerifier, ...(nonce ? { nonce } : {}) };
}

/** OpenID Connect Core 11: without `consent` a server may leave offline_access out. */
function promptOf(
  scopes: readonly string[],
  extra: Readonly<Record<string, string>>,
  choice: string | undefined,
): { prompt?: string } {
  const words = new Set(
    (extra['prompt'] ?? (scopes.includes('offline_access') ? 'consent' : '')).split(' ').filter(Boolean),
  );
  if (choice !== undefined && !words.has('none')) words.add(choice);
  return words.size > 0 ? { prompt: [...words].join(' ') } : {};
}

/**
 * openid-client appends. What is ours must not be there twice: servers exist whose endpoint comes with a `resource`.
 */
function without(endpoint: string, names: readonly string[]): string {
  const url = new URL(endpoint);
  for (const name of names) if (url.searchParams.has(name)) url.searchParams.delete(name);
  return url.href;
}
