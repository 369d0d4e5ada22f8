import { momentWords } from './moments.ts';

export interface ClaimRow {
  readonly claim: string;
  /** In plain words, e.g. Who: user name; undefined for a claim that we do not know. */
  readonly meaning: { readonly group: string; readonly words: string } | undefined;
  readonly value: string;
}

/**
 * Registered claims (RFC 7519, RFC 9068, OpenID Connect Core 5.1) and common ones, in the order in which they are read.
 */
const meanings: ReadonlyMap<string, { readonly group: string; readonly words: string }> = new Map([
  ['name', { group: 'Who', words: 'name' }],
  ['email', { group: 'Who', words: 'e-mail' }],
  ['preferred_username', { group: 'Who', words: 'user name' }],
  ['username', { group: 'Who', words: 'user name' }],
  ['upn', { group: 'Who', words: 'user name' }],
  ['sub', { group: 'Who', words: 'identifier' }],
  ['aud', { group: 'For', words: 'who may accept it' }],
  ['iss', { group: 'From', words: 'who issued it' }],
  ['exp', { group: 'Until', words: 'when it ends' }],
  ['iat', { group: 'Since', words: 'when it was issued' }],
  ['nbf', { group: 'Since', words: 'when it begins' }],
  ['auth_time', { group: 'Since', words: 'when you signed in' }],
  ['scope', { group: 'May', words: 'access' }],
  ['scp', { group: 'May', words: 'access' }],
  ['roles', { group: 'May', words: 'roles' }],
  ['permissions', { group: 'May', words: 'permissions' }],
  ['groups', { group: 'May', words: 'groups' }],
  ['client_id', { group: 'Through', words: 'which app' }],
  ['azp', { group: 'Through', words: 'which app' }],
]);

const times: ReadonlySet<string> = new Set(['exp', 'iat', 'nbf', 'auth_time', 'updated_at']);

/** The claims of one token as rows: those with a plain meaning in reading order, then the rest by name. */
export function claimRows(claims: Readonly<Record<string, string>>): {
  readonly known: ClaimRow[];
  readonly others: ClaimRow[];
} {
  const row = (claim: string): ClaimRow => ({
    claim,
    meaning: meanings.get(claim),
    value: valueWords(claim, claims[claim] ?? ''),
  });
  const names = Object.keys(claims);
  return {
    known: [...meanings.keys()].filter((claim) => names.includes(claim)).map(row),
    others: names
      .filter((claim) => !meanings.has(claim))
      .sort()
      .map(row),
  };
}

/** NumericDate claims are seconds since 1970 (RFC 7519 section 2). */
function valueWords(claim: string, value: string): string {
  return times.has(claim) && /^\d{1,12}(\.\d+)?$/.test(value) ? momentWords(Number(value) * 1_000) : value;
}
