import { randomBytes } from 'node:crypto';
import * as openid from 'openid-client';
import { defined } from '../../../../shared/defined.ts';
import { Secret } from '../../base/secret.ts';
import type { AuthorizationServer } from '../model.ts';

export interface AuthorizationRequestOptions {
  readonly authorizationServer: AuthorizationServer;
  readonly clientId: string;
  readonly redirectUri: string;
  /** Sent byte for byte (RFC 8707 2). Absent: the parameter is omitted. */
  readonly resource?: string;
  readonly scopes: readonly string[];
  /** Makes the server ask which account to use. */
  readonly prompt?: 'select_account' | 'login';
  /** The expected user (OpenID Connect Core 3.1.2.1). */
  readonly loginHint?: string;
  /** Extra parameters for this provider. Of the standard parameters it may contain only `prompt`. */
  readonly extra?: Readonly<Record<string, string>>;
}

/** One authorization request: the URL for the browser, and the values to check its response with. */
export interface AuthorizationRequest {
  readonly url: URL;
  readonly state: Secret;
  readonly codeVerifier: Secret;
  /** The ID token must contain it. Absent unless the scopes include `openid`. */
  readonly nonce?: Secret;
}

/**
 * Builds the authorization request (RFC 6749 4.1.1, RFC 7636 S256, RFC 8707 2.1, OpenID Connect Core 3.1.2.1). State
 * and nonce have 256 bits each.
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
    ...defined({
      resource,
      scope: scopes.length > 0 ? scopes.join(' ') : undefined,
      nonce: nonce?.reveal(),
      login_hint: loginHint,
    }),
    ...extra,
    ...promptOf(scopes, extra, prompt),
  };
  const { issuer, authorization_endpoint } = authorizationServer;
  const endpoint = withoutParameters(authorization_endpoint, ['client_id', 'resource', ...Object.keys(parameters)]);
  const config = new openid.Configuration({ issuer, authorization_endpoint: endpoint }, clientId);
  // openid-client rejects http on this computer. Discovery allows it there, and requires https elsewhere.
  openid.allowInsecureRequests(config);
  return { url: openid.buildAuthorizationUrl(config, parameters), state, codeVerifier, ...defined({ nonce }) };
}

/** OpenID Connect Core 11: without `consent` a server may ignore `offline_access`. */
function promptOf(
  scopes: readonly string[],
  extra: Readonly<Record<string, string>>,
  choice: string | undefined,
): { prompt?: string } {
  const values = new Set(
    (extra['prompt'] ?? (scopes.includes('offline_access') ? 'consent' : '')).split(' ').filter(Boolean),
  );
  if (choice !== undefined && !values.has('none')) values.add(choice);
  return values.size > 0 ? { prompt: [...values].join(' ') } : {};
}

/**
 * openid-client appends its parameters to the endpoint's query, and some servers publish an endpoint that already has a
 * `resource`. No parameter may occur twice.
 */
function withoutParameters(endpoint: string, names: readonly string[]): string {
  const url = new URL(endpoint);
  for (const name of names) if (url.searchParams.has(name)) url.searchParams.delete(name);
  return url.href;
}
