import { defined } from '../../../../shared/defined.ts';
import type { Server } from '../../servers/server.ts';
import type { Servers } from '../../servers/servers.ts';
import type { Credential } from '../../vault/credential.ts';
import type { Identity } from '../identity/identity.ts';
import type { TokenClient, Tokens } from '../model.ts';
import { clientAtServer } from '../token-endpoint/token-client.ts';
import type { AccessTokens } from '../tokens/access-tokens.ts';
import { endOf } from '../tokens/refresh-token-expiry.ts';
import type { ProtectedServer } from './discover-server.ts';
import type { ProviderRules } from './provider-rules.ts';
import type { RedirectRegistration } from './redirect-registration.ts';

/** Our client at the token endpoint that discovery found. */
export function tokenClient(
  { authorizationServer, allow }: ProtectedServer,
  { registration, clientSecret }: Pick<RedirectRegistration, 'registration' | 'clientSecret'>,
  { resource, quirks }: ProviderRules,
): TokenClient {
  const { client_id: clientId, token_endpoint_auth_method: clientAuth } = registration;
  return clientAtServer(authorizationServer, { clientId, clientSecret, clientAuth, resource, quirks, allow });
}

/** The credential of a sign-in. It keeps the access token only if there is no refresh token. `now`: Unix ms. */
export function credentialOf(
  server: Server,
  client: TokenClient,
  requestedScopes: readonly string[],
  tokens: Tokens,
  identity: Identity,
  now: number,
): Credential {
  const { allow: _policy, signingKey: _key, ...clientFacts } = client;
  const { refreshToken, accessToken, expiresInMs, scopes } = tokens;
  const longLived = refreshToken
    ? { refreshToken, ...defined({ endsAt: endOf(tokens, now) }) }
    : { accessToken, ...defined({ expiresAt: expiresInMs === undefined ? undefined : now + expiresInMs }) };
  return {
    id: server.id,
    serverUrl: server.url,
    ...clientFacts,
    requestedScopes,
    grantedScopes: scopes ?? requestedScopes,
    ...longLived,
    ...identity,
    signedInAt: now,
    generation: 0,
  };
}

/**
 * Stores the credential and its access token, and that the server needs a sign-in. Throws E_STORE_*, E_CONFIG_WRITE.
 */
export async function storeSignIn(
  { servers, tokens }: { readonly servers: Pick<Servers, 'update'>; readonly tokens: Pick<AccessTokens, 'adopt'> },
  credential: Credential,
  { accessToken, expiresInMs }: Tokens,
): Promise<void> {
  await servers.update(credential.id, { signInRequired: true });
  await tokens.adopt(credential, accessToken, expiresInMs);
}
