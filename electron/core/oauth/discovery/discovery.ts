import type { ServerSettings } from '../../../../shared/model.ts';
import { AppError } from '../../base/errors.ts';
import type { AddressClass, Http, ServerNetwork } from '../../http/client.ts';
import { inNetwork } from '../../http/network.ts';
import { findAuthorizationServer, searchMetadata, type NamedServer } from './authorization-server.ts';
import { place } from '../endpoint-url.ts';
import { legacyEndpoints } from './legacy-endpoints.ts';
import { startRun, type Run } from './metadata.ts';
import { withMutualTls } from '../client-auth/mutual-tls.ts';
import { askServer, type Probe } from './probe.ts';
import { findProtectedResource, type ResourceSearch } from './protected-resource.ts';
import { selectScopes } from '../scopes.ts';

/** RFC 9728, the members that we use, validated. */
export interface ProtectedResource {
  /** Byte-exact as served: this string is the `resource` parameter (RFC 8707). */
  readonly resource: string;
  readonly authorization_servers: readonly string[];
  readonly scopes_supported?: readonly string[];
  readonly resource_name?: string;
  /** RFC 9728 2, RFC 9449: other tokens than bound ones are refused. */
  readonly dpop_bound_access_tokens_required?: boolean;
}

/**
 * RFC 8414 / OpenID Connect Discovery, the members that we use, validated; unknown members are kept for openid-client.
 */
export interface AuthorizationServer {
  readonly issuer: string;
  readonly authorization_endpoint: string;
  readonly token_endpoint: string;
  readonly registration_endpoint?: string;
  /** RFC 9126. */
  readonly pushed_authorization_request_endpoint?: string;
  readonly require_pushed_authorization_requests?: boolean;
  readonly client_id_metadata_document_supported?: boolean;
  readonly revocation_endpoint?: string;
  readonly introspection_endpoint?: string;
  readonly userinfo_endpoint?: string;
  readonly jwks_uri?: string;
  readonly scopes_supported?: readonly string[];
  readonly code_challenge_methods_supported?: readonly string[];
  readonly token_endpoint_auth_methods_supported?: readonly string[];
  readonly authorization_response_iss_parameter_supported?: boolean;
  readonly [member: string]: unknown;
}

/** A Bearer challenge (RFC 6750 3, RFC 9728 5.1), from a 401 or 403. */
export interface Challenge {
  readonly resourceMetadata?: string;
  readonly scope?: string;
  readonly error?: string;
  /** It takes tokens that are bound to a key, and no others (RFC 9449 7.1). */
  readonly dpopOnly?: boolean;
}

/** `open`: the server answered without asking for a sign-in. */
export type Discovery =
  | { readonly kind: 'open'; readonly allow: ServerNetwork }
  | {
      readonly kind: 'protected';
      /** Byte-exact `resource` for authorization and token requests. */
      readonly resource: string;
      readonly resourceName?: string;
      readonly authorizationServer: AuthorizationServer;
      /** Under which its metadata was found; equal to its `issuer` but for an exact exception. */
      readonly issuerNamed: string;
      /**
       * By MCP's rule: the challenge's scope, else the resource's `scopes_supported`, else none; plus `offline_access`
       * where offered.
       */
      readonly scopes: readonly string[];
      /** True: `code_challenge_methods_supported` is absent or has no S256. */
      readonly pkceMissing: boolean;
      /** The resource takes only tokens that are bound to a key (RFC 9449), and the authorization server gives such. */
      readonly dpopRequired: boolean;
      /** Hosts of endpoints that are not the issuer's host. */
      readonly otherHosts: readonly string[];
      /** What may be connected to for this server: by the address that its own answer came from. */
      readonly allow: ServerNetwork;
    };

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
  } = await inNetwork(server.origin, network, look);

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
    new AppError('E_METADATA_MISSING', `${place(server)} asks for a sign-in, but nothing there says how.`)
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
