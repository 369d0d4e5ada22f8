import { AppError, sanitizeExternalText } from '../../base/errors.ts';
import { tryNetworks } from '../../http/network.ts';
import { searchMetadata } from '../discovery/authorization-server.ts';
import { checkEndpoint } from '../endpoint-url.ts';
import { startRun } from '../discovery/metadata.ts';
import type { AddressClass, Http, ServerNetwork } from '../../http/http.ts';
import type { AuthorizationServer } from '../model.ts';

const discoveryMs = 15_000;

export interface IdentityProvider {
  readonly metadata: AuthorizationServer;
  /** The internet, and the kind of network in which the provider itself lies: the user named it. */
  readonly allow: ServerNetwork;
}

/**
 * The company's identity provider, by its own description (OpenID Connect Discovery 4), whose issuer must be exactly
 * the one of the setting. `known`: in which network it was found before. Throws what discovery throws.
 */
export async function findIdentityProvider(
  http: Http,
  issuer: string,
  known: AddressClass | undefined,
  signal: AbortSignal | undefined,
): Promise<IdentityProvider> {
  const url = checkEndpoint('issuer of the company', issuer);
  const start = startRun(http, { origin: url.origin, own: 'public' }, discoveryMs, signal);
  const { network: allow, value: found } = await tryNetworks(url.origin, known, (network) =>
    searchMetadata({ ...start, allow: network }, url, [issuer], 'openid_first'),
  );
  if (found.kind === 'found') return { metadata: found.metadata, allow };
  throw (
    found.hint ??
    new AppError('E_METADATA_MISSING', `${sanitizeExternalText(issuer)} publishes no metadata of an identity provider.`)
  );
}

/** The same error, which says that it happened at the company's identity provider and not at the server's side. */
export function atCompany(error: AppError, issuer: string): AppError {
  const { code, message, retryAfterMs, sent } = error;
  const host = URL.canParse(issuer) ? new URL(issuer).host : issuer;
  const advice =
    code === 'E_CLIENT_REFUSED'
      ? ' Check the client ID in the setting enterprise, and the secret enterpriseClientSecret.'
      : '';
  return new AppError(code, `The company’s identity provider (${sanitizeExternalText(host)}): ${message}${advice}`, {
    sent,
    cause: error,
    ...(retryAfterMs === undefined ? {} : { retryAfterMs }),
  });
}
