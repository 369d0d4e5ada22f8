import { z } from 'zod';
import { AppError } from '../../base/errors.ts';
import { checkEndpoint } from '../endpoint-url.ts';
import type { AuthorizationServer } from '../model.ts';
import type { ServerSettings } from '../../../../shared/server-settings.ts';

const aliased = [
  'token_endpoint',
  'revocation_endpoint',
  'introspection_endpoint',
  'userinfo_endpoint',
  'pushed_authorization_request_endpoint',
] as const;

/**
 * Replaces endpoints by those that request a client certificate (RFC 8705 5), if the settings have one. Throws
 * E_METADATA_INVALID, E_ENDPOINT_REFUSED.
 */
export function withMutualTls(
  server: AuthorizationServer,
  { clientCertificateFile }: ServerSettings,
): AuthorizationServer {
  if (clientCertificateFile === undefined || server['mtls_endpoint_aliases'] === undefined) return server;
  const aliases = z.record(z.string(), z.unknown()).safeParse(server['mtls_endpoint_aliases']).data;
  if (!aliases)
    throw new AppError(
      'E_METADATA_INVALID',
      'The mtls_endpoint_aliases of the authorization server are not an object.',
    );
  const endpoints = aliased.flatMap((name) => {
    const address = aliases[name];
    return typeof address === 'string' ? [[name, checkEndpoint(name, address).href] as const] : [];
  });
  return { ...server, ...Object.fromEntries(endpoints) };
}
