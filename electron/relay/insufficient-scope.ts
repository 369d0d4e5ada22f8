import { defined } from '../../shared/defined.ts';
import { readJson } from '../../shared/json.ts';
import type { Challenge } from '../core/oauth/model.ts';

/**
 * Whether a 403 is about missing scopes, in any of the ways in which servers say so: `insufficient_scope` in a Bearer
 * challenge (RFC 6750 section 3.1), another code for it (`missing_required_scopes`), a challenge with a scope, or the
 * body. Returns the challenge with the scopes, as far as they are named; undefined if it is about something else.
 */
export function insufficientScope(challenge: Challenge | undefined, body: string): Challenge | undefined {
  if (challenge?.scope !== undefined) return challenge;
  if (!/scope/i.test(challenge?.error ?? '') && !namesScopes.test(body)) return undefined;
  return { ...challenge, ...defined({ scope: scopeIn(body) }) };
}

const namesScopes = new RegExp(
  [
    'insufficient[ _]scopes?',
    'missing[ _](?:required[ _])?scopes?',
    'required[ _]scopes?',
    'scopes? (?:is |are )?(?:required|missing)',
  ].join('|'),
  'i',
);

/** Members of a JSON body in which servers list the scopes. */
const scopeMembers = ['missing_scopes', 'required_scopes', 'scope', 'scopes'];

function scopeIn(body: string): string | undefined {
  const json = readJson(body);
  if (typeof json !== 'object' || json === null) return undefined;
  const members = json as Readonly<Record<string, unknown>>;
  for (const name of scopeMembers) {
    const value = members[name];
    if (typeof value === 'string' && value !== '') return value;
    if (Array.isArray(value) && value.length > 0 && value.every((scope) => typeof scope === 'string'))
      return value.join(' ');
  }
  return undefined;
}
