import { momentWords } from './moments.ts';

export interface ClaimRow {
  readonly claim: string;
  /** In plain words; undefined for a claim that we do not know. */
  readonly meaning: string | undefined;
  readonly value: string;
}

/** Registered claims (RFC 7519, RFC 9068, OpenID Connect Core 5.1) and common ones, in the order in which they are read. */
const meanings: ReadonlyMap<string, string> = new Map([
  ['name', 'Who: name'],
  ['email', 'Who: e-mail'],
  ['preferred_username', 'Who: user name'],
  ['upn', 'Who: user name'],
  ['sub', 'Who: identifier'],
  ['aud', 'For: the server that may accept it'],
  ['iss', 'From: who issued it'],
  ['exp', 'Until: when it ends'],
  ['iat', 'Since: when it was issued'],
  ['nbf', 'Since: when it begins'],
  ['auth_time', 'Since: when you signed in'],
  ['scope', 'May: access'],
  ['scp', 'May: access'],
  ['roles', 'May: roles'],
  ['permissions', 'May: permissions'],
  ['groups', 'May: groups'],
  ['client_id', 'Through: the app, as the server knows it'],
  ['azp', 'Through: the app, as the server knows it'],
]);

const times: ReadonlySet<string> = new Set(['exp', 'iat', 'nbf', 'auth_time', 'updated_at']);

/** The claims of one token as rows: those with a plain meaning in reading order, then the rest by name. */
export function claimRows(claims: Readonly<Record<string, string>>): { readonly known: ClaimRow[]; readonly others: ClaimRow[] } {
  const row = (claim: string): ClaimRow => ({ claim, meaning: meanings.get(claim), value: valueWords(claim, claims[claim] ?? '') });
  const names = Object.keys(claims);
  return {
    known: [...meanings.keys()].filter((claim) => names.includes(claim)).map(row),
    others: names.filter((claim) => !meanings.has(claim)).sort().map(row),
  };
}

/** NumericDate claims are seconds since 1970 (RFC 7519 section 2). */
function valueWords(claim: string, value: string): string {
  return times.has(claim) && /^\d{1,12}(\.\d+)?$/.test(value) ? momentWords(Number(value) * 1_000) : value;
}
