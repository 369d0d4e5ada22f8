import type { ServerSettings } from '../../../shared/server-settings.ts';

/** A single scope (RFC 6749 3.3), of limited length. */
const scopeToken = /^[\x21\x23-\x5b\x5d-\x7e]{1,200}$/;

/** The scopes in a string from outside, without duplicates and without invalid ones. */
export function readScopes(text: string): string[] {
  return uniqueScopes(text.split(' '));
}

export function uniqueScopes(scopes: readonly string[]): string[] {
  return [...new Set(scopes.filter((scope) => scopeToken.test(scope)))];
}

/**
 * The scopes to request, by MCP's rule (Scope Selection): the challenge's scope, else all of the resource, else none.
 * `choice` of the user: `minimal` is the challenge alone, `all` both together, and a list is used unchanged.
 * `offline_access` is added if the authorization server supports it: without it, many issue no refresh token.
 */
export function selectScopes(
  challenge: string | undefined,
  resource: readonly string[] | undefined,
  authorizationServer: readonly string[] | undefined,
  choice?: ServerSettings['scopes'],
): string[] {
  if (Array.isArray(choice)) return uniqueScopes(choice);
  const challenged = challenge === undefined ? undefined : readScopes(challenge);
  const listed = choice === 'minimal' ? [] : uniqueScopes(resource ?? []);
  const scopes = choice === 'all' ? uniqueScopes([...(challenged ?? []), ...listed]) : (challenged ?? listed);
  return authorizationServer?.includes('offline_access') ? uniqueScopes([...scopes, 'offline_access']) : scopes;
}

/**
 * The scopes that identify the user (OpenID Connect Core 5.4). By setting; by default only if the server has several
 * accounts, the authorization server supports the scopes, and the user has not listed the scopes. `supported`: of the
 * metadata.
 */
export function identityScopes(
  {
    settings,
    account,
  }: { readonly settings: Pick<ServerSettings, 'identity' | 'scopes'>; readonly account: { readonly alone: boolean } },
  supported: readonly string[] | undefined,
): string[] {
  // A server that lists its scopes may reject all others. Without a list, the user's setting decides.
  const offered = supported ? ['openid', 'profile', 'email'].filter((scope) => supported.includes(scope)) : ['openid'];
  const tellsApart = supported !== undefined && offered.some((scope) => scope !== 'email');
  return (settings.identity ?? (!account.alone && !Array.isArray(settings.scopes) && tellsApart)) ? offered : [];
}

/** The scopes without those that the server has refused by name. */
export const withoutRefused = (
  scopes: readonly string[],
  { refusedScopes = [] }: { readonly refusedScopes?: readonly string[] | undefined },
): readonly string[] => scopes.filter((scope) => !refusedScopes.includes(scope));

/**
 * The first of the requested scopes that a refusal mentions. Splits at spaces, quotes and brackets, and ignores
 * punctuation at the end.
 */
export function firstNamed(scopes: readonly string[], words: string): string | undefined {
  return words
    .split(/[\s,;"'`()[\]{}]+/)
    .map((word) => word.replace(/[.:!?]+$/, ''))
    .find((word) => scopes.includes(word));
}
