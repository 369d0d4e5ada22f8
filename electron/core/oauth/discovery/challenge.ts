import type { Challenge } from '../model.ts';

/** One challenge of a WWW-Authenticate header: the scheme in lower case, its parameters by lower-case name. */
export interface AuthChallenge {
  readonly scheme: string;
  readonly params: ReadonlyMap<string, string>;
}

// Sticky patterns: each reads from one place on, and none can go back over what it has read (linear time).
const separators = /[\s,]*/y;
const spaces = /[ \t]*/y;
const token = /[!#$%&'*+\-.^_`|~0-9A-Za-z]+/y;
const token68 = /[A-Za-z0-9\-._~+/]+=*(?=[ \t]*(?:,|$))/y;
const equals = /[ \t]*=[ \t]*/y;
const quoted = /"((?:[^"\\]|\\[^])*)"/y;
/** Wider than the grammar: servers leave the quotes of a URL away. */
const bare = /[^\s,"]+/y;
const toNextComma = /[^,"]*(?:"(?:[^"\\]|\\[^]|\\$)*(?:"|$)[^,"]*)*/y;

/**
 * The challenges of a WWW-Authenticate header (RFC 9110 11.6.1), where one header line may hold several and a comma
 * stands both between parameters and between challenges. What cannot be read is skipped up to the next comma.
 */
export function parseChallenges(header: string): AuthChallenge[] {
  const found: { scheme: string; params: Map<string, string> }[] = [];
  let at = 0;
  const read = (pattern: RegExp): RegExpExecArray | null => {
    pattern.lastIndex = at;
    const match = pattern.exec(header);
    if (match) at = pattern.lastIndex;
    return match;
  };

  for (;;) {
    read(separators);
    if (at >= header.length) return found;
    const name = read(token)?.[0].toLowerCase();
    const current = found.at(-1);
    if (name === undefined) {
      skip();
    } else if (current && read(equals)) {
      const value = readValue();
      // RFC 6750 3: a parameter must not come twice; the first one counts.
      if (value !== undefined && !current.params.has(name)) current.params.set(name, value);
    } else {
      found.push({ scheme: name, params: new Map() });
      read(spaces);
      read(token68);
    }
  }

  function readValue(): string | undefined {
    const text = read(quoted);
    if (text) return (text[1] ?? '').replace(/\\([^])/g, '$1');
    const plain = read(bare);
    if (!plain) skip();
    return plain?.[0];
  }

  function skip(): void {
    const before = at;
    read(toNextComma);
    if (at === before) at += 1;
  }
}

/**
 * What a Bearer or DPoP challenge among the others says (RFC 6750 3, RFC 9728 5.1, RFC 9449 7.1): the one that names
 * the metadata, else the first. Undefined when there is none.
 */
export function bearerChallenge(header: string | undefined): Challenge | undefined {
  const all = parseChallenges(header ?? '').filter(({ scheme }) => scheme === 'bearer' || scheme === 'dpop');
  const chosen = all.find(({ params }) => params.has('resource_metadata')) ?? all[0];
  if (!chosen) return undefined;
  const { params } = chosen;
  const [resourceMetadata, scope, error] = [params.get('resource_metadata'), params.get('scope'), params.get('error')];
  return {
    ...(resourceMetadata ? { resourceMetadata } : {}),
    ...(scope ? { scope } : {}),
    ...(error ? { error } : {}),
    ...(all.every(({ scheme }) => scheme === 'dpop') ? { dpopOnly: true } : {}),
  };
}
