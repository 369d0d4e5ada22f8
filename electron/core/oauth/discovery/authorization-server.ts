import { z } from 'zod';
import { AppError, asAppError, sanitizeExternalText } from '../../base/errors.ts';
import { allowedClasses } from '../../http/address.ts';
import type { ServerSettings } from '../../../../shared/model.ts';
import { checkEndpoint, displayUrl } from '../endpoint-url.ts';
import { fetchDocument, parseMetadata, type Run } from './metadata.ts';
import { acceptedIssuers } from '../providers/presets.ts';
import type { AuthorizationServer } from '../model.ts';

/** A server may name many; each one costs requests to whatever address it likes. */
const maxServers = 3;

const names = z.array(z.string());
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
  scopes_supported: names.optional(),
  code_challenge_methods_supported: names.optional(),
  token_endpoint_auth_methods_supported: names.optional(),
  authorization_response_iss_parameter_supported: z.boolean().optional(),
  // The code flow is the one that we use (RFC 8414 2; response modes may be added to a type).
  response_types_supported: names.refine((types) => types.includes('code')).optional(),
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
 * An authorization server, and the name under which its metadata was looked for: they may differ by an exact exception.
 */
export interface NamedServer {
  readonly named: string;
  readonly metadata: AuthorizationServer;
}

/** The first of these issuers that can be used; at most three are asked. Throws the first one's error. */
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
  throw first ?? new AppError('E_METADATA_MISSING', 'The server names no authorization server.');
}

async function authorizationServer(run: Run, issuer: string, settings: ServerSettings): Promise<AuthorizationServer> {
  const url = checkEndpoint('authorization server', issuer);
  if (url.search !== '' || url.hash !== '') {
    throw new AppError(
      'E_METADATA_INVALID',
      `The authorization server "${sanitizeExternalText(issuer)}" has a query or fragment in its name.`,
    );
  }
  const found = await searchMetadata(run, url, acceptedIssuers(issuer, settings));
  if (found.kind === 'found') return found.metadata;
  throw (
    found.hint ??
    new AppError('E_METADATA_MISSING', `${displayUrl(url)} does not describe itself as an authorization server.`)
  );
}

export type ServerSearch =
  | { readonly kind: 'found'; readonly metadata: AuthorizationServer }
  | { readonly kind: 'absent'; readonly hint?: AppError };

/**
 * Authorization server metadata at the places that belong to this issuer URL (RFC 8414 3.1, OpenID Connect Discovery 4,
 * in MCP's order, or with OpenID Connect's own place first). `accepted`: the issuer values that it may have, compared
 * as strings (RFC 8414 3.3).
 */
export async function searchMetadata(
  run: Run,
  issuer: URL,
  accepted: readonly string[],
  order: 'mcp' | 'openid_first' = 'mcp',
): Promise<ServerSearch> {
  let hint: AppError | undefined;
  const places = metadataPlaces(issuer);
  for (const url of order === 'mcp' ? places : places.toReversed()) {
    const document = await fetchDocument(run, url);
    if (document.kind === 'found') {
      const metadata = parseMetadata(Metadata, document.value, url);
      if (!accepted.includes(metadata.issuer)) throw issuerMismatch(metadata.issuer, accepted[0] ?? '');
      return { kind: 'found', metadata: await checked(run, metadata) };
    }
    if (document.kind !== 'absent') hint ??= document.error;
  }
  return hint ? { kind: 'absent', hint } : { kind: 'absent' };
}

function metadataPlaces({ origin, pathname }: URL): URL[] {
  const path = pathname.replace(/\/$/, '');
  const forms = [`/.well-known/oauth-authorization-server${path}`, `/.well-known/openid-configuration${path}`];
  if (path !== '') forms.push(`${path}/.well-known/openid-configuration`);
  // Not `new URL(form, origin)`: a path that begins with two slashes would be taken for another host.
  return forms.map((form) => Object.assign(new URL(origin), { pathname: form }));
}

/** Every endpoint checked, and replaced by its own serialisation. */
async function checked(run: Run, metadata: z.output<typeof Metadata>): Promise<AuthorizationServer> {
  const server: Record<string, unknown> & z.output<typeof Metadata> = { ...metadata };
  for (const name of endpoints) {
    const text = metadata[name];
    if (text === undefined) continue;
    const url = checkEndpoint(name, text);
    if (url.hash !== '') throw new AppError('E_METADATA_INVALID', `The ${name} has a fragment (RFC 6749 3.1).`);
    if (name === 'authorization_endpoint' || url.protocol === 'http:') await refuseInnerAddress(run, name, url);
    server[name] = url.href;
  }
  // exactOptionalPropertyTypes: zod's optional members may be undefined, ours are absent; parsing leaves none
  // undefined.
  return server as AuthorizationServer;
}

/**
 * The browser would go where the policy does not let us go: a page of the user's own network, named by a stranger.
 * A name that only the browser can resolve is its business.
 */
async function refuseInnerAddress(run: Run, name: string, url: URL): Promise<void> {
  const found = await run.http.classOf(url).catch(() => undefined);
  if (found === undefined || allowedClasses(run.allow, url).includes(found)) return;
  throw new AppError(
    'E_ENDPOINT_REFUSED',
    `The ${name} lies inside your network, on ${sanitizeExternalText(url.host)}; the server itself does not.`,
  );
}

function issuerMismatch(found: string, expected: string): AppError {
  const plain = bothPlain(found, expected);
  const what = difference(found, expected);
  // Two spellings of one address may be one server's.
  const setting =
    plain && what !== elsewhere
      ? ' If its operator says that both are right, the setting issuerException accepts the two.'
      : '';
  return new AppError(
    'E_ISSUER_MISMATCH',
    `The authorization server calls itself "${sanitizeExternalText(found)}" but was named as "${sanitizeExternalText(expected)}": ${what}.${setting}`,
    plain ? { issuers: { named: expected, found } } : {},
  );
}

const elsewhere = 'they are different servers';

/** Names that can be shown as they are, so that who accepts them has seen exactly what they accept. */
function bothPlain(...names: readonly string[]): boolean {
  return names.every((name) => URL.canParse(name) && sanitizeExternalText(name, longestIssuer) === name);
}

/** As the setting `issuerException` takes them. */
const longestIssuer = 2_000;

function difference(a: string, b: string): string {
  if (a.replace(/\/$/, '') === b.replace(/\/$/, '')) return 'they differ in a slash at the end';
  if (a.toLowerCase() === b.toLowerCase()) return 'they differ in upper and lower case';
  if (URL.canParse(a) && URL.canParse(b) && new URL(a).href === new URL(b).href) return 'they are written differently';
  return elsewhere;
}
