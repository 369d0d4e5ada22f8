import { defined } from '../../../../shared/defined.ts';
import { AppError } from '../../base/errors.ts';
import { tryNetworks } from '../../http/network.ts';
import { findAuthorizationServer, searchMetadata, type NamedServer } from './authorization-server.ts';
import { displayUrl } from '../endpoint-url.ts';
import { legacyEndpoints } from './legacy-endpoints.ts';
import { startRun, type Run } from './metadata.ts';
import { withMutualTls } from '../client-auth/mutual-tls.ts';
import { probeServer, type Probe } from './probe.ts';
import { findProtectedResource, type ResourceSearch } from './protected-resource.ts';
import { selectScopes } from '../scopes.ts';
import type { AddressClass, Http, ServerNetwork } from '../../http/http.ts';
import type { ProtectedResource, AuthorizationServer, Challenge, Discovery } from '../model.ts';
import type { ServerSettings } from '../../../../shared/server-settings.ts';

export interface DiscoveryOptions {
  readonly http: Http;
  readonly signal?: AbortSignal;
  /** The challenge of an earlier response of the server. Without one, the server is probed. */
  readonly challenge?: Challenge;
  /** The user's settings for this server. */
  readonly settings?: ServerSettings;
  /** The network in which the server was found before. Undefined if it has not been contacted yet. */
  readonly network?: AddressClass | undefined;
  /** Limit for the whole discovery. Defaults to 15 s. */
  readonly timeoutMs?: number;
}

/**
 * Finds out how to sign in to a server: its protected resource metadata, then the authorization server that this names
 * (MCP 2026-07-28, Authorization Server Discovery). An MCP 2025-03-26 server has no such metadata and is its own
 * authorization server; its endpoints are guessed only with the setting `legacyEndpoints`. Throws AppError.
 */
export async function discover(
  server: URL,
  { http, signal, challenge, network, settings = {}, timeoutMs = 15_000 }: DiscoveryOptions,
): Promise<Discovery> {
  const start = startRun(http, { origin: server.origin, own: 'public' }, timeoutMs, signal);
  const contact = async (allow: ServerNetwork) => {
    const run = { ...start, allow };
    const probe: Probe = challenge ? { kind: 'challenged', status: 401, challenge } : await probeServer(run, server);
    const received = probe.kind === 'challenged' ? probe.challenge : undefined;
    const resource = await findProtectedResource(run, server, received);
    // All of these addresses are on the server's own origin.
    if (resource.kind === 'fault' && resource.error.code === 'E_ADDRESS_REFUSED') throw resource.error;
    return { run, probe, received, resource };
  };
  const {
    network: allow,
    value: { run, probe, received, resource },
  } = await tryNetworks(server.origin, network, contact);

  if (probe.kind === 'answered') {
    // Metadata for the whole host does not show that there is a server at this address.
    const nothingThere =
      probe.fault?.code === 'E_SERVER_URL' && (resource.kind !== 'found' || !isFor(resource.metadata, server));
    if (probe.fault && (nothingThere || resource.kind !== 'found')) throw probe.fault;
    if (resource.kind !== 'found') return { kind: 'open', allow };
  }
  if (resource.kind === 'fault') throw resource.error;
  const { named: issuerNamed, metadata: authorizationServer } =
    resource.kind === 'found'
      ? await findAuthorizationServer(run, resource.metadata.authorization_servers, settings)
      : await ownAuthorizationServer(run, server, resource, settings);
  const metadata = resource.kind === 'found' ? resource.metadata : undefined;

  return {
    kind: 'protected',
    resource: metadata?.resource ?? canonicalUri(server),
    ...defined({ resourceName: metadata?.resource_name || undefined }),
    authorizationServer: withMutualTls(authorizationServer, settings),
    issuerNamed,
    dpopRequired:
      (metadata?.dpop_bound_access_tokens_required === true || received?.dpopOnly === true) &&
      supportsDpop(authorizationServer),
    scopes: selectScopes(
      received?.scope,
      metadata?.scopes_supported,
      authorizationServer.scopes_supported,
      settings.scopes,
    ),
    pkceMissing: !authorizationServer.code_challenge_methods_supported?.includes('S256'),
    otherHosts: otherHosts(authorizationServer),
    allow,
  };
}

/**
 * MCP 2025-03-26: the metadata on the server's own origin. No document has named the issuer, so the origin with and
 * without a trailing slash are both accepted.
 */
async function ownAuthorizationServer(
  run: Run,
  server: URL,
  { hint, missing }: Extract<ResourceSearch, { kind: 'absent' }>,
  settings: ServerSettings,
): Promise<NamedServer> {
  const found = await searchMetadata(run, new URL(server.origin), [server.origin, `${server.origin}/`]).catch(
    (error: unknown) => {
      // No document named this issuer, so the error to report is that the named document is missing.
      throw missing && error instanceof AppError && error.code === 'E_ISSUER_MISMATCH' ? missing : error;
    },
  );
  if (found.kind === 'found') return { named: found.metadata.issuer, metadata: found.metadata };
  if (settings.legacyEndpoints && !hint && !found.hint) return legacyEndpoints(server);
  throw (
    hint ??
    found.hint ??
    missing ??
    new AppError('E_METADATA_MISSING', `${displayUrl(server)} requires a sign-in, but does not say how.`)
  );
}

/** Whether the metadata describes exactly this address. */
function isFor({ resource }: ProtectedResource, server: URL): boolean {
  return new URL(resource).href.replace(/\/$/, '') === server.href.replace(/\/$/, '');
}

/** The canonical URI of MCP (RFC 8707 2): no fragment, and no trailing slash after the host. */
function canonicalUri({ origin, pathname, search }: URL): string {
  return `${origin}${pathname === '/' ? '' : pathname}${search}`;
}

/** RFC 9449 5.1: whether it supports the algorithm of our proofs. */
function supportsDpop({ dpop_signing_alg_values_supported: algorithms }: AuthorizationServer): boolean {
  return Array.isArray(algorithms) && algorithms.includes('ES256');
}

/** Hosts other than the issuer's that will receive the authorization code or the tokens. */
function otherHosts(server: AuthorizationServer): string[] {
  const own = new URL(server.issuer).host;
  const endpoints = [
    server.authorization_endpoint,
    server.token_endpoint,
    server.registration_endpoint,
    server.revocation_endpoint,
    server.pushed_authorization_request_endpoint,
    server.introspection_endpoint,
    server.userinfo_endpoint,
  ];
  const hosts = endpoints.flatMap((endpoint) => (endpoint === undefined ? [] : [new URL(endpoint).host]));
  return [...new Set(hosts)].filter((host) => host !== own);
}
