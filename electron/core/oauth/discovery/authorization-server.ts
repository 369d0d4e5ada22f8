import { z } from 'zod';
import { AppError, asAppError, sanitizeExternalText } from '../../base/errors.ts';
import { allowedClasses } from '../../http/address.ts';
import { checkEndpoint, displayUrl } from '../endpoint-url.ts';
import { fetchDocument, parseMetadata, type Run } from './metadata.ts';
import { acceptedIssuers } from '../providers/presets.ts';
import type { AuthorizationServer } from '../model.ts';
import type { ServerSettings } from '../../../../shared/server-settings.ts';

/** A server may name many, and each one means requests to an address that the server chose. */
const maxServers = 3;

const strings = z.array(z.string());
const Metadata = z.looseObject({
  issuer: z.string(),
  authorization_endpoint: z.string(),
  token_endpoint: z.string(),
  registration_endpoint: z.string().optional(),
  pushed_authorization_request_endpoint: z.string().optional(),
  require_pushed_authorization_requests: z.boolean().optional(),
  client_id_metadata_document_supported: z.boolean().optional(),
  revocation_endpoint: z.string().optional(),
  introspection_endpoint: z.string().optional(),
  userinfo_endpoint: z.string().optional(),
  jwks_uri: z.string().optional(),
  scopes_supported: strings.optional(),
  code_challenge_methods_supported: strings.optional(),
  token_endpoint_auth_methods_supported: strings.optional(),
  authorization_response_iss_parameter_supported: z.boolean().optional(),
  // Keybridge uses the code flow only (RFC 8414 2).
  response_types_supported: strings.refine((types) => types.includes('code')).optional(),
});

const endpoints = [
  'authorization_endpoint',
  'token_endpoint',
  'registration_endpoint',
  'pushed_authorization_request_endpoint',
  'revocation_endpoint',
  'introspection_endpoint',
  'userinfo_endpoint',
  'jwks_uri',
] as const;

/**
 * Metadata of an authorization server, and the issuer that the MCP server listed. They differ only where an issuer
 * exception, of the settings or a preset, allows exactly this pair.
 */
export interface NamedServer {
  readonly named: string;
  readonly metadata: AuthorizationServer;
}

/** The first of these issuers with usable metadata; at most three are tried. Throws the error of the first. */
export async function findAuthorizationServer(
  run: Run,
  issuers: readonly string[],
  settings: ServerSettings,
): Promise<NamedServer> {
  let first: AppError | undefined;
  for (const issuer of issuers.slice(0, maxServers)) {
    try {
      return { named: issuer, metadata: await authorizationServer(run, issuer, settings) };
    } catch (error) {
      const known = asAppError(error);
      if (known.code === 'E_CANCELLED') throw known;
      first ??= known;
    }
  }
  throw first ?? new AppError('E_METADATA_MISSING', 'The server’s metadata names no authorization server.');
}

async function authorizationServer(run: Run, issuer: string, settings: ServerSettings): Promise<AuthorizationServer> {
  const url = checkEndpoint('authorization server', issuer);
  if (url.search !== '' || url.hash !== '') {
    throw new AppError(
      'E_METADATA_INVALID',
      `The issuer "${sanitizeExternalText(issuer)}" of the authorization server has a query or fragment.`,
    );
  }
  const found = await searchMetadata(run, url, acceptedIssuers(issuer, settings));
  if (found.kind === 'found') return found.metadata;
  throw found.hint ?? new AppError('E_METADATA_MISSING', `${displayUrl(url)} has no authorization server metadata.`);
}

export type ServerSearch =
  | { readonly kind: 'found'; readonly metadata: AuthorizationServer }
  | { readonly kind: 'absent'; readonly hint?: AppError };

/**
 * Finds authorization server metadata at the well-known URLs of this issuer (RFC 8414 3.1, OpenID Connect Discovery 4),
 * in MCP's order or with those of OpenID Connect first. `accepted`: the issuer values that it may have, compared as
 * strings (RFC 8414 3.3).
 */
export async function searchMetadata(
  run: Run,
  issuer: URL,
  accepted: readonly string[],
  order: 'mcp' | 'openid_first' = 'mcp',
): Promise<ServerSearch> {
  let hint: AppError | undefined;
  const urls = metadataUrls(issuer);
  for (const url of order === 'mcp' ? urls : urls.toReversed()) {
    const document = await fetchDocument(run, url);
    if (document.kind === 'found') {
      const metadata = parseMetadata(Metadata, document.value, url);
      if (!accepted.includes(metadata.issuer)) throw issuerMismatch(metadata.issuer, accepted[0] ?? '');
      return { kind: 'found', metadata: await withCheckedEndpoints(run, metadata) };
    }
    if (document.kind !== 'absent') hint ??= document.error;
  }
  return hint ? { kind: 'absent', hint } : { kind: 'absent' };
}

function metadataUrls({ origin, pathname }: URL): URL[] {
  const path = pathname.replace(/\/$/, '');
  const forms = [`/.well-known/oauth-authorization-server${path}`, `/.well-known/openid-configuration${path}`];
  if (path !== '') forms.push(`${path}/.well-known/openid-configuration`);
  // Not `new URL(form, origin)`: that would read a path with two leading slashes as another host.
  return forms.map((form) => Object.assign(new URL(origin), { pathname: form }));
}

/** Checks every endpoint and replaces it with its normalized form. Throws E_ENDPOINT_REFUSED or E_METADATA_INVALID. */
async function withCheckedEndpoints(run: Run, metadata: z.output<typeof Metadata>): Promise<AuthorizationServer> {
  const server: Record<string, unknown> & z.output<typeof Metadata> = { ...metadata };
  for (const name of endpoints) {
    const text = metadata[name];
    if (text === undefined) continue;
    const url = checkEndpoint(name, text);
    if (url.hash !== '') throw new AppError('E_METADATA_INVALID', `The ${name} has a fragment (RFC 6749 3.1).`);
    if (name === 'authorization_endpoint' || url.protocol === 'http:') await refuseInternalAddress(run, name, url);
    server[name] = url.href;
  }
  // zod types optional members as possibly undefined, but never returns one that is.
  return server as AuthorizationServer;
}

/**
 * Throws E_ENDPOINT_REFUSED for an address that the policy does not allow. Otherwise foreign metadata could open a page
 * of the user's own network in the browser. Ignores a name that only the browser can resolve.
 */
async function refuseInternalAddress(run: Run, name: string, url: URL): Promise<void> {
  const found = await run.http.classOf(url).catch(() => undefined);
  if (found === undefined || allowedClasses(run.allow, url).includes(found)) return;
  throw new AppError(
    'E_ENDPOINT_REFUSED',
    `The ${name} is inside your network, on ${sanitizeExternalText(url.host)}, but the server itself is not.`,
  );
}

function issuerMismatch(found: string, expected: string): AppError {
  const canAccept = [found, expected].every(isShownUnchanged);
  const reason = difference(found, expected);
  // Two spellings of one address may be the same server.
  const setting =
    canAccept && reason !== differentServers
      ? ' If its operator confirms that both are correct, allow this pair with the setting issuerException.'
      : '';
  return new AppError(
    'E_ISSUER_MISMATCH',
    `The authorization server’s metadata has the issuer "${sanitizeExternalText(found)}", ` +
      `but "${sanitizeExternalText(expected)}" was expected: ${reason}.${setting}`,
    canAccept ? { issuers: { named: expected, found } } : {},
  );
}

const differentServers = 'they are different servers';

/** Whether an issuer is displayed unchanged. Only then may a user accept it, having seen exactly that value. */
function isShownUnchanged(issuer: string): boolean {
  return URL.canParse(issuer) && sanitizeExternalText(issuer, maxIssuerLength) === issuer;
}

/** The limit of the setting `issuerException`. */
const maxIssuerLength = 2_000;

function difference(a: string, b: string): string {
  if (a.replace(/\/$/, '') === b.replace(/\/$/, '')) return 'they differ only in a trailing slash';
  if (a.toLowerCase() === b.toLowerCase()) return 'they differ only in upper and lower case';
  if (URL.canParse(a) && URL.canParse(b) && new URL(a).href === new URL(b).href)
    return 'they are two spellings of one address';
  return differentServers;
}
