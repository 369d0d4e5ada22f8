import { z } from 'zod';
import { defined } from '../../../../shared/defined.ts';
import type { AddressPolicy } from '../../http/http.ts';
import type { Credential } from '../../vault/credential.ts';
import type { AuthorizationServer, TokenClient } from '../model.ts';

type Metadata = Pick<AuthorizationServer, 'issuer' | 'token_endpoint'> & Partial<AuthorizationServer>;

/** What is ours in a `TokenClient`; the rest is in the server's metadata. */
type Us = Pick<TokenClient, 'clientId' | 'clientAuth' | 'resource' | 'allow'> & {
  readonly clientSecret: TokenClient['clientSecret'] | undefined;
  readonly quirks: TokenClient['quirks'] | undefined;
};

/** Who we are at the token endpoint of an authorization server that discovery found. */
export function clientAtServer(metadata: Metadata, us: Us): TokenClient {
  const { issuer, token_endpoint: tokenEndpoint, revocation_endpoint: revocationEndpoint } = metadata;
  return defined({
    issuer,
    tokenEndpoint,
    revocationEndpoint,
    introspectionEndpoint: introspectionEndpoint(metadata, us.clientAuth),
    ...us,
  });
}

/** Who we are at the token endpoint of a stored sign-in. A key that is stored apart from it is not in it yet. */
export function clientOfCredential(credential: Credential, allow: AddressPolicy): TokenClient {
  const { issuer, tokenEndpoint, clientId, clientAuth, resource } = credential;
  const { revocationEndpoint, introspectionEndpoint: introspection, clientSecret, quirks } = credential;
  const optional = defined({ revocationEndpoint, introspectionEndpoint: introspection, clientSecret, quirks });
  return { issuer, tokenEndpoint, clientId, clientAuth, resource, allow, ...optional };
}

/**
 * Whether asking makes sense: to a client without a secret the endpoint often says no (RFC 7662 2.1), and the metadata
 * may say so before (RFC 8414 2).
 */
export function introspectionEndpoint(
  metadata: Partial<AuthorizationServer>,
  clientAuth: TokenClient['clientAuth'],
): string | undefined {
  const methods = z.array(z.string()).safeParse(metadata['introspection_endpoint_auth_methods_supported']).data;
  return methods && !methods.includes(clientAuth) ? undefined : metadata.introspection_endpoint;
}
