import type { Identity } from '../identity/identity.ts';
import { clientAtServer } from '../token-endpoint/token-client.ts';
import type { RedirectRegistration } from './redirect-registration.ts';
import { endOf } from '../tokens/refresh-token-expiry.ts';
import type { ProviderRules } from './provider-rules.ts';
import type { Discovery, Tokens, TokenClient } from '../model.ts';
import type { Credential } from '../../vault/credential.ts';
import type { Server } from '../../servers/server.ts';

/** Who we are at the token endpoint that discovery found. */
export function tokenClient(
  { authorizationServer, allow }: Extract<Discovery, { kind: 'protected' }>,
  { registration, clientSecret }: Pick<RedirectRegistration, 'registration' | 'clientSecret'>,
  { resource, quirks }: ProviderRules,
): TokenClient {
  const { client_id: clientId, token_endpoint_auth_method: clientAuth } = registration;
  return clientAtServer(authorizationServer, { clientId, clientSecret, clientAuth, resource, quirks, allow });
}

/** What the vault keeps of a sign-in. Without a refresh token the access token is the long-lived credential. */
export function credentialOf(
  server: Server,
  client: TokenClient,
  requestedScopes: readonly string[],
  tokens: Tokens,
  identity: Identity,
  now: number,
): Credential {
  const { allow: _policy, signingKey: _key, ...who } = client;
  const { refreshToken, accessToken, expiresInMs, scopes } = tokens;
  const endsAt = endOf(tokens, now);
  const kept = refreshToken
    ? { refreshToken, ...(endsAt === undefined ? {} : { endsAt }) }
    : { accessToken, ...(expiresInMs === undefined ? {} : { expiresAt: now + expiresInMs }) };
  return {
    id: server.id,
    serverUrl: server.url,
    ...who,
    requestedScopes,
    grantedScopes: scopes ?? requestedScopes,
    ...kept,
    ...identity,
    signedInAt: now,
    generation: 0,
  };
}
