import type { ServerSettings } from '../../../shared/server-settings.ts';

/** RFC 6749 3.3: what a scope may be made of. */
const scopeToken = /^[\x21\x23-\x5b\x5d-\x7e]{1,200}$/;

/** Scopes in a string that came from outside; what is not one is left out, and each comes once. */
export function readScopes(text: string): string[] {
  return uniqueScopes(text.split(' '));
}

export function uniqueScopes(scopes: readonly string[]): string[] {
  return [...new Set(scopes.filter((scope) => scopeToken.test(scope)))];
}

/**
 * MCP's rule (Scope Selection): the challenge's scope, else all that the resource names, else none; or what the user
 * chose: `minimal` takes the challenge alone, `all` both together, a list is taken as it is. `offline_access` is added
 * where the authorization server knows it: without it many give no refresh token.
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
  const wanted = choice === 'all' ? uniqueScopes([...(challenged ?? []), ...listed]) : (challenged ?? listed);
  return authorizationServer?.includes('offline_access') ? uniqueScopes([...wanted, 'offline_access']) : wanted;
}

/**
 * What is added to find out who signs in (OpenID Connect Core 5.4): as the user wants it; else, to tell accounts apart,
 * where a server has several and the authorization server can say it, but for scopes that the user has listed.
 * `supported`: of its metadata.
 */
export function identityScopes(
  {
    settings,
    account,
  }: { readonly settings: Pick<ServerSettings, 'identity' | 'scopes'>; readonly account: { readonly alone: boolean } },
  supported: readonly string[] | undefined,
): string[] {
  // A server that lists its scopes may refuse all others; if it lists none, the user may know better.
  const offered = supported ? ['openid', 'profile', 'email'].filter((scope) => supported.includes(scope)) : ['openid'];
  const tellsApart = supported !== undefined && offered.some((scope) => scope !== 'email');
  return (settings.identity ?? (!account.alone && !Array.isArray(settings.scopes) && tellsApart)) ? offered : [];
}

/** The scopes that the client may ask for: the server refused the others by name. */
export const withoutRefused = (
  scopes: readonly string[],
  { refusedScopes = [] }: { readonly refusedScopes?: readonly string[] | undefined },
): readonly string[] => scopes.filter((scope) => !refusedScopes.includes(scope));

/**
 * The scope that a refusal names first, of those that were asked for (RFC 6749 3.3: the words between blanks, and what
 * prose puts around them).
 */
export function firstNamed(scopes: readonly string[], words: string): string | undefined {
  return words
    .split(/[\s,;"'`()[\]{}]+/)
    .map((word) => word.replace(/[.:!?]+$/, ''))
    .find((word) => scopes.includes(word));
}
