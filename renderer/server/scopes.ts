export type ScopeStanding = 'granted' | 'not_granted' | 'extra' | 'wanted';

/**
 * Each scope once, with how it stands: what the server wants now first, then what was asked for, then what came on top.
 */
export function compareScopes(
  requested: readonly string[],
  granted: readonly string[],
  wanted: readonly string[],
): { readonly scope: string; readonly standing: ScopeStanding }[] {
  const all = new Set([...wanted, ...requested, ...granted]);
  return [...all].map((scope) => ({ scope, standing: standingOf(scope) }));

  function standingOf(scope: string): ScopeStanding {
    if (granted.includes(scope)) return requested.includes(scope) || requested.length === 0 ? 'granted' : 'extra';
    return wanted.includes(scope) ? 'wanted' : 'not_granted';
  }
}
