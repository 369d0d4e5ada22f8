import type { ServerDetail } from '../../shared/model.ts';
import { sanitizeExternalText } from '../core/base/errors.ts';
import { t } from './text.ts';

/** Who is signed in, and what is unusual about the sign-in, one line each. Empty before a sign-in. */
export function identityLines(detail: ServerDetail): string[] {
  if (detail.signedInAt === undefined) return [];
  const { introspection, tokenNotes, requestedScopes, grantedScopes } = detail;
  const notGranted = requestedScopes.filter((scope) => !grantedScopes.includes(scope)).join(' ');
  return [
    identityLine(detail),
    ...(notGranted === '' ? [] : [t('cli.identity.notGranted', { scopes: sanitizeExternalText(notGranted, 300) })]),
    ...(introspection ? [introspectionLine(introspection)] : []),
    ...tokenNotes.map((note) => t('cli.identity.note', { note: sanitizeExternalText(note, 400) })),
  ];
}

function introspectionLine({ active, claims }: NonNullable<ServerDetail['introspection']>): string {
  const parts = Object.entries(claims).map(([name, value]) => `${name} ${sanitizeExternalText(value, 120)}`);
  const state = t(active ? 'cli.identity.active' : 'cli.identity.notActive');
  return t('cli.identity.introspection', { claims: [state, ...parts].join(', ') });
}

function identityLine({ status: { identity }, identityVerified, issuer, idTokenClaims }: ServerDetail): string {
  if (identity === undefined) return t('cli.identity.unknown');
  const name = sanitizeExternalText(identity);
  if (!identityVerified) return t(idTokenClaims ? 'cli.identity.userInfo' : 'cli.identity.notVerified', { name });
  const by = { name, issuer: sanitizeExternalText(issuer ?? t('cli.itself'), 120) };
  const subject = idTokenClaims?.['sub'];
  return subject === undefined || subject === identity
    ? t('cli.identity.verified', by)
    : t('cli.identity.verifiedSubject', { ...by, subject: sanitizeExternalText(subject) });
}
