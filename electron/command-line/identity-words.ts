import type { ServerDetail } from '../../shared/model.ts';
import { sanitizeExternalText } from '../core/base/errors.ts';

/**
 * Who is signed in, as far as that is known, and what a person should know of it: one line each. Empty before a
 * sign-in.
 */
export function identityLines(detail: ServerDetail): string[] {
  if (detail.signedInAt === undefined) return [];
  const { introspection, tokenNotes, requestedScopes, grantedScopes } = detail;
  const lost = requestedScopes.filter((scope) => !grantedScopes.includes(scope));
  const told = introspection && [
    introspection.active ? 'active' : 'not active',
    ...Object.entries(introspection.claims).map(([name, value]) => `${name} ${sanitizeExternalText(value, 120)}`),
  ];
  return [
    whoWords(detail),
    ...(lost.length > 0 ? [`Asked, not granted: ${sanitizeExternalText(lost.join(' '), 300)}`] : []),
    ...(told ? [`The authorization server says of the access token: ${told.join(', ')}.`] : []),
    ...tokenNotes.map((note) => `Note: ${sanitizeExternalText(note, 400)}`),
  ];
}

function whoWords({ status: { identity }, identityVerified, issuer, idTokenClaims }: ServerDetail): string {
  if (identity === undefined) return 'Who is signed in is not known.';
  const name = sanitizeExternalText(identity);
  if (!identityVerified && idTokenClaims)
    return `Signed in as ${name}, by the authorization server’s user information alone.`;
  if (!identityVerified) return `Signed in as ${name}: not a person whom the authorization server vouches for.`;
  const sub = idTokenClaims?.['sub'];
  return `Signed in as ${name}${sub === undefined || sub === identity ? '' : ` (${sanitizeExternalText(sub)})`}. ${sanitizeExternalText(issuer ?? 'The authorization server', 120)} vouches for it.`;
}
