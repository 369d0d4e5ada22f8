import { z } from 'zod';
import { defined } from '../../../../shared/defined.ts';
import type { AddressPolicy } from '../../http/http.ts';
import type { Credential } from '../../vault/credential.ts';
import type { AuthorizationServer, TokenClient } from '../model.ts';

type Metadata = Pick<AuthorizationServer, 'issuer' | 'token_endpoint'> & Partial<AuthorizationServer>;

/** The members of a `TokenClient` that are not in the server's metadata. */
type ClientPart = Pick<TokenClient, 'clientId' | 'clientAuth' | 'resource' | 'allow'> & {
  readonly clientSecret: TokenClient['clientSecret'] | undefined;
  readonly quirks: TokenClient['quirks'] | undefined;
};

/** The client at an authorization server that discovery found. */
export function clientAtServer(metadata: Metadata, client: ClientPart): TokenClient {
  const { issuer, token_endpoint: tokenEndpoint, revocation_endpoint: revocationEndpoint } = metadata;
  return defined({
    issuer,
    tokenEndpoint,
    revocationEndpoint,
    introspectionEndpoint: introspectionEndpoint(metadata, client.clientAuth),
    ...client,
  });
}

/** The client of a stored sign-in, without the key or secret that is stored separately (`Grants.withClientAuth`). */
export function clientOfCredential(credential: Credential, allow: AddressPolicy): TokenClient {
  const { issuer, tokenEndpoint, clientId, clientAuth, resource } = credential;
  const { revocationEndpoint, introspectionEndpoint: introspection, clientSecret, quirks } = credential;
  const optional = defined({ revocationEndpoint, introspectionEndpoint: introspection, clientSecret, quirks });
  return { issuer, tokenEndpoint, clientId, clientAuth, resource, allow, ...optional };
}

/** Undefined when the metadata says that the endpoint does not accept this client authentication (RFC 8414 2). */
export function introspectionEndpoint(
  metadata: Partial<AuthorizationServer>,
  clientAuth: TokenClient['clientAuth'],
): string | undefined {
  const methods = z.array(z.string()).safeParse(metadata['introspection_endpoint_auth_methods_supported']).data;
  return methods && !methods.includes(clientAuth) ? undefined : metadata.introspection_endpoint;
}
