import { t } from '../text.ts';
import { formatMoment } from './moments.ts';

export interface ClaimRow {
  readonly claim: string;
  /** In plain words, e.g. Who: user name; undefined for a claim that we do not know. */
  readonly meaning: { readonly group: string; readonly words: string } | undefined;
  readonly value: string;
}

/**
 * Registered claims (RFC 7519, RFC 9068, OpenID Connect Core 5.1) and common ones, in the order in which they are read.
 */
const meanings: ReadonlyMap<string, readonly [group: Group, meaning: Meaning]> = new Map([
  ['name', ['who', 'name']],
  ['email', ['who', 'email']],
  ['preferred_username', ['who', 'userName']],
  ['username', ['who', 'userName']],
  ['upn', ['who', 'userName']],
  ['sub', ['who', 'identifier']],
  ['aud', ['for', 'audience']],
  ['iss', ['from', 'issuer']],
  ['exp', ['until', 'expires']],
  ['iat', ['since', 'issued']],
  ['nbf', ['since', 'notBefore']],
  ['auth_time', ['since', 'signedIn']],
  ['scope', ['may', 'access']],
  ['scp', ['may', 'access']],
  ['roles', ['may', 'roles']],
  ['permissions', ['may', 'permissions']],
  ['groups', ['may', 'groups']],
  ['client_id', ['through', 'client']],
  ['azp', ['through', 'client']],
]);

const times: ReadonlySet<string> = new Set(['exp', 'iat', 'nbf', 'auth_time', 'updated_at']);

type Group = 'who' | 'for' | 'from' | 'until' | 'since' | 'may' | 'through';
type Meaning =
  | 'name'
  | 'email'
  | 'userName'
  | 'identifier'
  | 'audience'
  | 'issuer'
  | 'expires'
  | 'issued'
  | 'notBefore'
  | 'signedIn'
  | 'access'
  | 'roles'
  | 'permissions'
  | 'groups'
  | 'client';

/** The claims of one token as rows: those with a plain meaning in reading order, then the rest by name. */
export function claimRows(claims: Readonly<Record<string, string>>): {
  readonly known: ClaimRow[];
  readonly others: ClaimRow[];
} {
  const row = (claim: string): ClaimRow => ({
    claim,
    meaning: meaningOf(claim),
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

function meaningOf(claim: string): ClaimRow['meaning'] {
  const known = meanings.get(claim);
  return known && { group: t(`claims.group.${known[0]}`), words: t(`claims.${known[1]}`) };
}

/** NumericDate claims are seconds since 1970 (RFC 7519 section 2). */
function valueWords(claim: string, value: string): string {
  return times.has(claim) && /^\d{1,12}(\.\d+)?$/.test(value) ? formatMoment(Number(value) * 1_000) : value;
}
