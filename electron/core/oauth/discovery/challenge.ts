import { defined } from '../../../../shared/defined.ts';
import type { Challenge } from '../model.ts';

/** One challenge of a WWW-Authenticate header: the scheme in lower case, the parameters by lower-case name. */
export interface AuthChallenge {
  readonly scheme: string;
  readonly params: ReadonlyMap<string, string>;
}

// Sticky patterns: each reads from one position, and none can backtrack over what it has read (linear time).
const separators = /[\s,]*/y;
const spaces = /[ \t]*/y;
const token = /[!#$%&'*+\-.^_`|~0-9A-Za-z]+/y;
const token68 = /[A-Za-z0-9\-._~+/]+=*(?=[ \t]*(?:,|$))/y;
const equals = /[ \t]*=[ \t]*/y;
const quoted = /"((?:[^"\\]|\\[^])*)"/y;
/** Wider than the grammar: some servers send a URL without quotes. */
const unquoted = /[^\s,"]+/y;
const toNextComma = /[^,"]*(?:"(?:[^"\\]|\\[^]|\\$)*(?:"|$)[^,"]*)*/y;

/**
 * The challenges of a WWW-Authenticate header (RFC 9110 11.6.1). One header line may hold several, and commas separate
 * both parameters and challenges. Anything invalid is skipped up to the next comma.
 */
export function parseChallenges(header: string): AuthChallenge[] {
  const challenges: { scheme: string; params: Map<string, string> }[] = [];
  let at = 0;
  const read = (pattern: RegExp): RegExpExecArray | null => {
    pattern.lastIndex = at;
    const match = pattern.exec(header);
    if (match) at = pattern.lastIndex;
    return match;
  };

  for (;;) {
    read(separators);
    if (at >= header.length) return challenges;
    const name = read(token)?.[0].toLowerCase();
    const current = challenges.at(-1);
    if (name === undefined) {
      skip();
    } else if (current && read(equals)) {
      const value = readValue();
      // RFC 6750 3: a parameter must not appear twice. The first one is used.
      if (value !== undefined && !current.params.has(name)) current.params.set(name, value);
    } else {
      challenges.push({ scheme: name, params: new Map() });
      read(spaces);
      read(token68);
    }
  }

  function readValue(): string | undefined {
    const string = read(quoted);
    if (string) return (string[1] ?? '').replace(/\\([^])/g, '$1');
    const value = read(unquoted);
    if (!value) skip();
    return value?.[0];
  }

  function skip(): void {
    const before = at;
    read(toNextComma);
    if (at === before) at += 1;
  }
}

/**
 * The Bearer or DPoP challenge in a WWW-Authenticate header (RFC 6750 3, RFC 9728 5.1, RFC 9449 7.1): the one that
 * names the resource metadata, else the first. Undefined if there is none.
 */
export function bearerChallenge(header: string | undefined): Challenge | undefined {
  const all = parseChallenges(header ?? '').filter(({ scheme }) => scheme === 'bearer' || scheme === 'dpop');
  const { params } = all.find((one) => one.params.has('resource_metadata')) ?? all[0] ?? {};
  if (!params) return undefined;
  return defined({
    resourceMetadata: params.get('resource_metadata') || undefined,
    scope: params.get('scope') || undefined,
    error: params.get('error') || undefined,
    dpopOnly: all.every(({ scheme }) => scheme === 'dpop') || undefined,
  });
}
