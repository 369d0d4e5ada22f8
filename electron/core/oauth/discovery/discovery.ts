import type { ServerSettings } from '../../../../shared/model.ts';
import { AppError } from '../../base/errors.ts';
import { tryNetworks } from '../../http/network.ts';
import { findAuthorizationServer, searchMetadata, type NamedServer } from './authorization-server.ts';
import { displayUrl } from '../endpoint-url.ts';
import { legacyEndpoints } from './legacy-endpoints.ts';
import { startRun, type Run } from './metadata.ts';
import { withMutualTls } from '../client-auth/mutual-tls.ts';
import { askServer, type Probe } from './probe.ts';
import { findProtectedResource, type ResourceSearch } from './protected-resource.ts';
import { selectScopes } from '../scopes.ts';
import type { AddressClass, Http, ServerNetwork } from '../../http/http.ts';
import type { ProtectedResource, AuthorizationServer, Challenge, Discovery } from '../model.ts';

export interface DiscoveryOptions {
  readonly http: Http;
  readonly signal?: AbortSignal;
  /** A challenge that was already seen on a request to the server; without one the server is asked. */
  readonly challenge?: Challenge;
  /** The user's, for this server: which scopes, and which exception of issuers. */
  readonly settings?: ServerSettings;
  /** In which network it was found before; absent: it has not been asked yet. */
  readonly network?: AddressClass | undefined;
  /** Limit for all of it together; default 15 s. */
  readonly timeoutMs?: number;
}

/**
 * Finds out how a server signs people in: its protected resource metadata, then the authorization server that this
 * names (MCP 2026-07-28, Authorization Server Discovery). A server of 2025-03-26 has no such metadata and is its own
 * authorization server; its endpoints are guessed only where the user said so. Throws AppError.
 */
export async function discover(
  server: URL,
  { http, signal, challenge, network, settings = {}, timeoutMs = 15_000 }: DiscoveryOptions,
): Promise<Discovery> {
  const start = startRun(http, { origin: server.origin, own: 'public' }, timeoutMs, signal);
  const look = async (allow: ServerNetwork) => {
    const run = { ...start, allow };
    const asked: Probe = challenge ? { kind: 'challenged', status: 401, challenge } : await askServer(run, server);
    const seen = asked.kind === 'challenged' ? asked.challenge : undefined;
    const resource = await findProtectedResource(run, server, seen);
    // All of these addresses are at the server's own origin.
    if (resource.kind === 'fault' && resource.error.code === 'E_ADDRESS_REFUSED') throw resource.error;
    return { run, asked, seen, resource };
  };
  const {
    network: allow,
    value: { run, asked, seen, resource },
  } = await tryNetworks(server.origin, network, look);

  if (asked.kind === 'answered') {
    // Metadata of the whole host says nothing about an address that does not exist.
    const nothingThere =
      asked.fault?.code === 'E_SERVER_URL' && (resource.kind !== 'found' || !names(resource.metadata, server));
    if (asked.fault && (nothingThere || resource.kind !== 'found')) throw asked.fault;
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
    ...(metadata?.resource_name ? { resourceName: metadata.resource_name } : {}),
    authorizationServer: withMutualTls(authorizationServer, settings),
    issuerNamed,
    dpopRequired:
      (metadata?.dpop_bound_access_tokens_required === true || seen?.dpopOnly === true) &&
      takesDpop(authorizationServer),
    scopes: selectScopes(
      seen?.scope,
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
 * MCP 2025-03-26: the metadata at the server's own origin. Nobody spelled that issuer out to us, so both spellings of
 * an origin are its own.
 */
async function ownAuthorizationServer(
  run: Run,
  server: URL,
  { hint, missing }: Extract<ResourceSearch, { kind: 'absent' }>,
  settings: ServerSettings,
): Promise<NamedServer> {
  const found = await searchMetadata(run, new URL(server.origin), [server.origin, `${server.origin}/`]).catch(
    (error: unknown) => {
      // No document named this issuer: the actual error is that the named document is missing.
      throw missing && error instanceof AppError && error.code === 'E_ISSUER_MISMATCH' ? missing : error;
    },
  );
  if (found.kind === 'found') return { named: found.metadata.issuer, metadata: found.metadata };
  if (settings.legacyEndpoints && !hint && !found.hint) return legacyEndpoints(server);
  throw (
    hint ??
    found.hint ??
    missing ??
    new AppError('E_METADATA_MISSING', `${displayUrl(server)} asks for a sign-in, but nothing there says how.`)
  );
}

/** Whether the metadata describes exactly this address. */
function names({ resource }: ProtectedResource, server: URL): boolean {
  return new URL(resource).href.replace(/\/$/, '') === server.href.replace(/\/$/, '');
}

/** RFC 8707 2, as MCP has it: no fragment, and no slash that only stands for "no path". */
function canonicalUri({ origin, pathname, search }: URL): string {
  return `${origin}${pathname === '/' ? '' : pathname}${search}`;
}

/** RFC 9449 5.1: whether it takes the algorithm of our proofs. */
function takesDpop({ dpop_signing_alg_values_supported: algorithms }: AuthorizationServer): boolean {
  return Array.isArray(algorithms) && algorithms.includes('ES256');
}

/** Hosts that will see the code or the tokens, and are not the issuer's own. */
function otherHosts(server: AuthorizationServer): string[] {
  const own = new URL(server.issuer).host;
  const seeing = [
    server.authorization_endpoint,
    server.token_endpoint,
    server.registration_endpoint,
    server.revocation_endpoint,
    server.pushed_authorization_request_endpoint,
    server.introspection_endpoint,
    server.userinfo_endpoint,
  ];
  const hosts = seeing.flatMap((endpoint) => (endpoint === undefined ? [] : [new URL(endpoint).host]));
  return [...new Set(hosts)].filter((host) => host !== own);
}
