import { z } from 'zod';
import { defined } from '../../../../shared/defined.ts';
import { AppError, asAppError, sanitizeExternalText } from '../../base/errors.ts';
import { displayUrl } from '../endpoint-url.ts';
import { fetchDocument, parseMetadata, type Run } from './metadata.ts';
import type { Challenge, ProtectedResource } from '../model.ts';

const wellKnown = '/.well-known/oauth-protected-resource';

const Metadata = z.object({
  resource: z.string().refine((text) => URL.canParse(text) && !text.includes('#')),
  authorization_servers: z.array(z.string()).min(1),
  scopes_supported: z.array(z.string()).optional(),
  resource_name: z.string().optional(),
  dpop_bound_access_tokens_required: z.boolean().optional().catch(undefined),
});

export type ResourceSearch =
  | { readonly kind: 'found'; readonly metadata: ProtectedResource }
  /** No metadata. `hint`: what was found instead. `missing`: the document that the challenge names does not exist. */
  | { readonly kind: 'absent'; readonly hint?: AppError; readonly missing?: AppError }
  | { readonly kind: 'fault'; readonly error: AppError };

/**
 * Finds the protected resource metadata (RFC 9728) in MCP's order: at the URL in the challenge, then at the well-known
 * URL for the server's path, then for its origin. A URL on another origin is ignored: it would let a server send
 * requests of ours anywhere. Throws E_CANCELLED only.
 */
export async function findProtectedResource(
  run: Run,
  server: URL,
  challenge: Challenge | undefined,
): Promise<ResourceSearch> {
  let hint: AppError | undefined;
  let fault: AppError | undefined;
  let missing: AppError | undefined;
  const named = challengeUrl(server, challenge);
  for (const url of resourceMetadataUrls(server, named)) {
    try {
      const document = await fetchDocument(run, url);
      if (document.kind === 'found') return { kind: 'found', metadata: read(document.value, url, server) };
      if (document.kind === 'absent' && url.href === named?.href)
        missing = new AppError(
          'E_METADATA_MISSING',
          `The server says that its metadata is at ${displayUrl(url)}, but nothing is there.`,
        );
      if (document.kind === 'not_metadata') hint ??= document.error;
      if (document.kind === 'fault') fault ??= document.error;
    } catch (error) {
      const known = asAppError(error);
      if (known.code === 'E_CANCELLED') throw known;
      return { kind: 'fault', error: known };
    }
  }
  if (fault) return { kind: 'fault', error: fault };
  return { kind: 'absent', ...defined({ hint, missing }) };
}

/** The metadata URL in the challenge, if it is on the server's own origin. */
function challengeUrl(server: URL, challenge: Challenge | undefined): URL | undefined {
  const named = challenge?.resourceMetadata;
  if (named === undefined || !URL.canParse(named, server.href)) return undefined;
  const url = new URL(named, server);
  return url.origin === server.origin && url.username === '' && url.password === '' ? url : undefined;
}

/** Where the metadata may be, in the order of the search. `named`: the URL in the challenge. */
export function resourceMetadataUrls(server: URL, named: URL | undefined): URL[] {
  const urls = new Map<string, URL>();
  const add = (url: URL) => urls.set(url.href, url);
  if (named) add(named);
  if (server.pathname !== '/' || server.search !== '') {
    add(new URL(`${wellKnown}${server.pathname === '/' ? '' : server.pathname}${server.search}`, server.origin));
  }
  add(new URL(wellKnown, server.origin));
  return [...urls.values()];
}

function read(value: unknown, url: URL, server: URL): ProtectedResource {
  const { resource, authorization_servers, scopes_supported, resource_name, dpop_bound_access_tokens_required } =
    parseMetadata(Metadata, value, url);
  if (!covers(resource, server)) {
    throw new AppError(
      'E_RESOURCE_MISMATCH',
      `The server at ${displayUrl(server)} describes itself as "${sanitizeExternalText(resource, 120)}".`,
    );
  }
  return {
    resource,
    authorization_servers,
    ...defined({
      scopes_supported,
      resource_name: resource_name ? sanitizeExternalText(resource_name) : undefined,
      dpop_bound_access_tokens_required,
    }),
  };
}

/** RFC 9728 3.3: the resource must be the requested server or a parent path of it on the same origin. */
export function covers(resource: string, server: URL): boolean {
  const url = new URL(resource);
  if (url.origin !== server.origin || url.username !== '' || url.password !== '') return false;
  if (url.search !== '' && url.search !== server.search) return false;
  const parent = url.pathname.replace(/\/$/, '');
  const path = server.pathname.replace(/\/$/, '');
  return path === parent || path.startsWith(`${parent}/`);
}
