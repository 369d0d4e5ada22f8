import { defined } from '../../../../shared/defined.ts';
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
  /** The internet and, since the user named the provider, the kind of network that it is in. */
  readonly allow: ServerNetwork;
}

/**
 * Finds the company's identity provider by its metadata (OpenID Connect Discovery 4), whose issuer must be exactly the
 * one in the setting. `known`: the network in which it was found before. Throws the errors of discovery.
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

/** The same error, with a message that names the company's identity provider as its source. */
export function asCompanyError(error: AppError, issuer: string): AppError {
  const { code, message, retryAfterMs, sent } = error;
  const host = URL.canParse(issuer) ? new URL(issuer).host : issuer;
  const advice =
    code === 'E_CLIENT_REFUSED'
      ? ' Check the client ID in the setting enterprise, and the secret enterpriseClientSecret.'
      : '';
  return new AppError(code, `The company’s identity provider (${sanitizeExternalText(host)}): ${message}${advice}`, {
    sent,
    cause: error,
    ...defined({ retryAfterMs }),
  });
}
